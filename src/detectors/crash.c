/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include <elf.h>

struct inq_crash_signal inq_crash_signal(const struct inq_dump *dump)
{
    const struct inq_core *core = dump->core;
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    struct inq_crash_signal signal = {.number = thread ? thread->cursig : 0};

    if (!core->has_siginfo)
        signal.no_code = "the dump has no NT_SIGINFO note";
    else if (core->siginfo.signo == 0)
        /* gdb's gcore writes the note for a process that got no signal */
        signal.no_code = "the NT_SIGINFO note holds no signal";
    else {
        signal.number = core->siginfo.signo;
        signal.code = core->siginfo.code;
        signal.has_code = true;
    }
    signal.kind = inq_signal_kind(core->machine, signal.number);
    return signal;
}

static bool is_fault_signal(enum inq_signal kind)
{
    return kind == INQ_SIGNAL_SEGV || kind == INQ_SIGNAL_BUS || kind == INQ_SIGNAL_ILL ||
           kind == INQ_SIGNAL_FPE || kind == INQ_SIGNAL_TRAP;
}

enum inq_crash_kind inq_crash_kind(const struct inq_dump *dump)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);

    if (!signal.has_code)
        return signal.number == 0 || is_fault_signal(signal.kind) ? INQ_CRASH_UNKNOWN
                                                                  : INQ_CRASH_OTHER;
    if (signal.code > 0)
        return is_fault_signal(signal.kind) ? INQ_CRASH_FAULT : INQ_CRASH_OTHER;
    return signal.code == INQ_SI_TIMER ? INQ_CRASH_OTHER : INQ_CRASH_SENT;
}

/*
 * Faults for which the kernel leaves si_addr 0: x86 alignment checks (exc_alignment_check() in
 * arch/x86/kernel/traps.c) and shadow stacks (do_user_cp_fault() in arch/x86/kernel/cet.c); arm64's
 * tags that are checked later (arch/arm64/kernel/mte.c).
 */
static bool is_without_address(const struct inq_dump *dump, const struct inq_crash_signal *signal)
{
    uint16_t machine = dump->core->machine;
    bool x86 = machine == EM_X86_64 || machine == EM_386;

    if (signal->kind == INQ_SIGNAL_SEGV)
        return (x86 && signal->code == INQ_SEGV_CPERR) || signal->code == INQ_SEGV_MTEAERR;
    return signal->kind == INQ_SIGNAL_BUS && x86 && signal->code == INQ_BUS_ADRALN &&
           dump->core->siginfo.addr == 0;
}

bool inq_crash_sent_by_itself(const struct inq_dump *dump, bool *ret_known)
{
    const struct inq_core *core = dump->core;
    const int32_t pid = core->siginfo.pid;

    *ret_known = inq_crash_signal(dump).has_code && core->has_prpsinfo && core->prpsinfo.pid > 0;
    if (*ret_known)
        return core->prpsinfo.pid == pid;
    /* without NT_PRPSINFO: the leader's thread id is the pid, if the leader still lives */
    for (size_t i = 0; i < core->n_threads; i++)
        if (pid > 0 && core->threads[i].tid == (uint32_t)pid) {
            *ret_known = true;
            return true;
        }
    return false;
}

bool inq_crash_has_address(const struct inq_dump *dump)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);

    /* si_addr is an overlay: of a sent signal the same bytes are si_pid and si_uid */
    return signal.has_code && signal.code > 0 && signal.code != INQ_SI_KERNEL &&
           is_fault_signal(signal.kind) && !is_without_address(dump, &signal);
}

bool inq_crash_pc(const struct inq_dump *dump, uint64_t *ret_pc)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);

    if (!thread || !thread->has_registers || !dump->core->cpu || dump->core->cpu->pc < 0)
        return false;
    *ret_pc = inq_core_pc(dump->core, thread);
    return true;
}

bool inq_crash_sp(const struct inq_dump *dump, uint64_t *ret_sp)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);

    if (!thread || !thread->has_registers || !dump->core->cpu || dump->core->cpu->sp < 0)
        return false;
    *ret_sp = inq_core_sp(dump->core, thread);
    return true;
}

const struct inq_frame *inq_crash_frame(const struct inq_dump *dump)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);

    /* functions that were inlined there come first, and have its index */
    for (size_t i = 0; stack && i < stack->n_frames && stack->frames[i].index == 0; i++)
        if (!stack->frames[i].inlined)
            return &stack->frames[i];
    return NULL;
}

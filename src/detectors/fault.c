/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fault, as far as siginfo and the registers tell it. Instructions are not decoded here: what
 * was tried is known only where the address itself or the rights of the mapping leave one answer.
 */

#include <elf.h>
#include <inttypes.h>

#include "address_class.h"
#include "crash.h"
#include "detectors.h"

#define NOT_DECODED "the instruction is not decoded by this version"

struct fault {
    const struct inq_dump *dump;
    struct inq_evidence *evidence;
    struct inq_crash_signal signal;
    uint64_t addr, pc;
    bool has_pc, executes;
};

static bool is_memory_signal(const struct fault *fault)
{
    return fault->signal.kind == INQ_SIGNAL_SEGV || fault->signal.kind == INQ_SIGNAL_BUS;
}

/*
 * The thread tried to run the very address it faulted at. An instruction that reads or writes its
 * own first byte would look the same; it could only fault on a page that may be run.
 */
static bool is_execution(const struct fault *fault)
{
    struct inq_memory_region region;

    if (!fault->has_pc || !is_memory_signal(fault) || fault->addr != fault->pc)
        return false;
    if (fault->signal.code != INQ_SEGV_ACCERR || fault->signal.kind != INQ_SIGNAL_SEGV)
        return true;
    return !inq_memory_region_at(fault->dump->memory, fault->addr, &region) ||
           !(region.flags & PF_X);
}

/* A page that may be read refuses nothing but writes, if the fault was not a fetch across its
 * start. */
static bool is_certain_write(const struct fault *fault)
{
    struct inq_memory_region region;

    return fault->signal.kind == INQ_SIGNAL_SEGV && fault->signal.code == INQ_SEGV_ACCERR &&
           fault->has_pc && inq_memory_region_at(fault->dump->memory, fault->addr, &region) &&
           (region.flags & PF_R) && !(region.flags & PF_W) &&
           (fault->addr - fault->pc >= 16 || (region.flags & PF_X));
}

static void set_access(const struct fault *fault)
{
    if (fault->executes)
        inq_evidence_set_text(fault->evidence, "fault.access", "execute");
    else if (is_certain_write(fault))
        inq_evidence_set_text(fault->evidence, "fault.access", "write");
    else
        inq_evidence_set_unknown(fault->evidence, "fault.access", NOT_DECODED);
}

/*
 * x86-64 page faults: 1 the page was there, 2 write, 4 from user mode, 16 instruction fetch. Only a
 * fetch from an address where nothing is mapped leaves one value (0x14).
 */
static void set_error_code(const struct fault *fault)
{
    const struct inq_core *core = fault->dump->core;

    if (core->machine != EM_X86_64 || !fault->executes || fault->signal.kind != INQ_SIGNAL_SEGV ||
        fault->signal.code != INQ_SEGV_MAPERR || inq_is_kernel_half(core, fault->addr)) {
        inq_evidence_set_unknown(fault->evidence, "fault.error_code.value",
                                 "a core dump does not hold it; the kernel's log may");
        return;
    }
    inq_evidence_set_int(fault->evidence, "fault.error_code.value", 0x14);
    inq_evidence_set(fault->evidence, "fault.error_code.bits",
                     json_pack("[s,s]", "user", "instruction-fetch"));
    inq_evidence_set_text(fault->evidence, "fault.error_code.source", "inferred");
}

/*
 * A general protection fault: a non-canonical address, a misaligned SSE operand, a privileged
 * instruction, or a signal frame that found no room on the stack. Where it was is in no note; only
 * a program counter that is itself impossible shows it.
 */
static void set_without_address(const struct fault *fault)
{
    static const char why[] = "the kernel gives no address for this kind of fault";

    if (is_memory_signal(fault) && fault->dump->core->machine == EM_X86_64 && fault->has_pc &&
        fault->dump->core->elf_class == 64 && inq_is_noncanonical(fault->pc)) {
        inq_evidence_set_addr(fault->evidence, "fault.address", fault->pc);
        inq_evidence_set_text(fault->evidence, "fault.address_class", "non-canonical");
        inq_evidence_set_text(fault->evidence, "fault.access", "execute");
        return;
    }
    inq_evidence_set_unknown(fault->evidence, "fault.address", why);
    if (!is_memory_signal(fault))
        return;
    inq_evidence_set_unknown(fault->evidence, "fault.address_class", why);
    inq_evidence_set_unknown(fault->evidence, "fault.access", NOT_DECODED);
}

static void set_with_address(const struct fault *fault)
{
    const char *why = NULL, *class;

    /* s390 reports the page alone (arch/s390/mm/fault.c): its address is no exact one */
    if (fault->dump->core->machine == EM_S390 && is_memory_signal(fault))
        inq_evidence_set_unknown(fault->evidence, "fault.address",
                                 "this CPU tells only the page, 0x%" PRIx64, fault->addr);
    else
        inq_evidence_set_addr(fault->evidence, "fault.address", fault->addr);
    if (!is_memory_signal(fault))
        return; /* the address is the instruction's own: nothing to classify, nothing accessed */
    class = inq_address_class(fault->dump, fault->addr, fault->executes, &why);
    if (class)
        inq_evidence_set_text(fault->evidence, "fault.address_class", class);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.address_class", "%s", why);
    set_access(fault);
    set_error_code(fault);
}

static void set_place(const struct fault *fault)
{
    const struct inq_frame *frame = inq_crash_frame(fault->dump);

    if (frame && frame->module)
        inq_evidence_set_text(fault->evidence, "fault.module", frame->module->name);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.module", "%s",
                                 frame ? "the program counter is in no module"
                                       : "the registers of the thread are missing");
    if (frame && frame->function)
        inq_evidence_set_text(fault->evidence, "fault.function", frame->function);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.function", "%s",
                                 !frame          ? "the registers of the thread are missing"
                                 : frame->module ? "no symbol covers the program counter"
                                                 : "the program counter is in no module");
}

static void set_unknown_fault(const struct inq_crash_signal *signal, struct inq_evidence *evidence,
                              const char *why)
{
    static const char *const facts[] = {"fault.address", "fault.address_class", "fault.access",
                                        "fault.function", "fault.module"};

    if (signal->number == 0)
        why = "no note of the dump holds a signal";
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        inq_evidence_set_unknown(evidence, facts[i], "%s", why);
}

/*
 * A signal that the process sent itself is often the second half of a fault: a handler looked at
 * it, restored the default action and raised it again.
 */
static void note_sent(const struct inq_dump *dump, const struct inq_crash_signal *signal,
                      struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    bool own = core->has_prpsinfo && core->prpsinfo.pid == core->siginfo.pid;

    if (own && signal->kind != INQ_SIGNAL_ABRT && signal->kind != INQ_SIGNAL_OTHER)
        set_unknown_fault(signal, evidence,
                          "the process sent itself this signal; if a handler did so after a fault, "
                          "that is in its signal frame, which this version does not read");
}

struct inq_error *inq_detect_fault(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct fault fault = {.dump = dump, .evidence = evidence, .signal = inq_crash_signal(dump)};

    switch (inq_crash_kind(dump)) {
    case INQ_CRASH_UNKNOWN:
        set_unknown_fault(&fault.signal, evidence, fault.signal.no_code);
        return NULL;
    case INQ_CRASH_SENT:
        note_sent(dump, &fault.signal, evidence);
        return NULL;
    case INQ_CRASH_OTHER:
        return NULL;
    case INQ_CRASH_FAULT:
        break;
    }
    fault.has_pc = inq_crash_pc(dump, &fault.pc);
    inq_evidence_set_text(evidence, "fault.source", "registers");
    if (inq_crash_has_address(dump)) {
        fault.addr = dump->core->siginfo.addr;
        fault.executes = is_execution(&fault);
        set_with_address(&fault);
    } else {
        set_without_address(&fault);
    }
    set_place(&fault);
    return evidence->failed ? &inq_error_oom : NULL;
}

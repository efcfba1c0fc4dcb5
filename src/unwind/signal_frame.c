/* SPDX-License-Identifier: Apache-2.0 */
#include "signal_frame.h"

#include <elf.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"

/* struct ucontext: flags, link, stack, then struct sigcontext_64, then the mask; then siginfo. */
#define SIGCONTEXT_OFF 40u
#define SIGINFO_OFF 304u
#define FRAME_BYTES (SIGINFO_OFF + 128u)
#define USER_CS_64 0x33u

/* Words of struct sigcontext_64 (uapi/asm/sigcontext.h). */
static const char *const saved_registers[] = {"r8",  "r9",  "r10", "r11", "r12", "r13",
                                              "r14", "r15", "rdi", "rsi", "rbp", "rbx",
                                              "rdx", "rax", "rcx", "rsp", "rip", "eflags"};
#define WORD_RSP 15u
#define WORD_CS 18u
#define WORD_ERR 19u
#define WORD_TRAPNO 20u
#define WORD_CR2 22u

#define TRAP_PAGE_FAULT 14u

#define MAX_PID 4194304

/* Searched for a frame that is gone: most programs have less that can be written. */
#define MAX_SEARCHED_BYTES (64u << 20)

/*
 * aarch64: struct rt_sigframe is siginfo, then ucontext, whose mcontext begins with the address of
 * the last fault, x0 to x30, sp, pc, pstate (uapi/asm/sigcontext.h). Behind it lie records with a
 * magic number; that of the exception's syndrome (ESR) is there after a fault alone. Like cr2 of
 * x86 both are the thread's last ones.
 */
#define A64_UCONTEXT_OFF 128u
#define A64_FAULT_OFF 304u
#define A64_REGISTERS_OFF 312u
#define A64_REGISTERS 33u /* x0 to x30, sp, pc: as the core's table has them */
#define A64_SP_OFF (A64_REGISTERS_OFF + 31u * 8u)
#define A64_RECORDS_OFF 592u
#define A64_FRAME_BYTES (A64_RECORDS_OFF + 4096u)
#define A64_ESR_MAGIC 0x45535201u
#define A64_NO_TRAP 255u /* not one of x86's numbers */

static bool is_aarch64(const struct inq_core *core)
{
    return core->machine == EM_AARCH64 && core->elf_class == 64 && !core->big_endian;
}

bool inq_signal_context_supported(const struct inq_core *core)
{
    return core->cpu && ((core->machine == EM_X86_64 && core->elf_class == 64) || is_aarch64(core));
}

uint64_t inq_signal_context_stack(const struct inq_core *core, uint64_t addr)
{
    return addr + 16 + (is_aarch64(core) ? A64_UCONTEXT_OFF : 0);
}

static uint64_t word(const uint8_t *frame, size_t i)
{
    return inq_load_u64(frame + SIGCONTEXT_OFF + i * 8, false);
}

static bool is_fault_signal(int32_t signo)
{
    return signo == 4 || signo == 5 || signo == 7 || signo == 8 || signo == 11;
}

/*
 * si_signo, si_errno, si_code, then the union at 16. The kernel writes it for handlers with
 * SA_SIGINFO alone; for others it is whatever stood there before. So it has to make sense, and the
 * address of a fault must be the one that the CPU reported.
 */
static bool read_siginfo(const uint8_t *info, const struct inq_signal_context *context, uint64_t pc,
                         struct inq_siginfo *ret_siginfo)
{
    struct inq_siginfo siginfo = {.signo = (int32_t)inq_load_u32(info, false),
                                  .err = (int32_t)inq_load_u32(info + 4, false),
                                  .code = (int32_t)inq_load_u32(info + 8, false)};

    if (siginfo.signo < 1 || siginfo.signo > 64 || siginfo.err != 0 || siginfo.code < -60 ||
        siginfo.code > 128 || inq_load_u32(info + 12, false) != 0)
        return false;
    siginfo.addr = inq_load_u64(info + 16, false);
    siginfo.pid = (int32_t)inq_load_u32(info + 16, false);
    siginfo.uid = inq_load_u32(info + 20, false);
    if (is_fault_signal(siginfo.signo) && siginfo.code > 0 && siginfo.code != 128) {
        if (siginfo.signo == 11 || siginfo.signo == 7) {
            if (context->trapno == TRAP_PAGE_FAULT && siginfo.addr != context->cr2)
                return false;
        } else if (siginfo.addr != pc) {
            return false;
        }
    }
    /* SI_USER, SI_QUEUE and SI_TKILL name a process: no pid is above 2^22 (linux/threads.h). */
    if ((siginfo.code == 0 || siginfo.code == -1 || siginfo.code == -6) &&
        (siginfo.pid < 0 || siginfo.pid > MAX_PID))
        return false;
    *ret_siginfo = siginfo;
    return true;
}

/*
 * The syndrome as x86 would have put it: a page fault and its bits (Arm ARM, D19.2.37). Without one
 * (qemu-user writes none) the address of the last fault is taken for that of a page fault; like any
 * such address it counts only when the instruction agrees.
 */
static void translate_syndrome(const uint8_t *frame, struct inq_signal_context *context)
{
    const uint8_t *at = frame + A64_RECORDS_OFF, *end = frame + A64_FRAME_BYTES;

    while ((size_t)(end - at) >= 16) {
        uint32_t magic = inq_load_u32(at, false), size = inq_load_u32(at + 4, false);
        if (magic == A64_ESR_MAGIC && size >= 16) {
            uint64_t esr = inq_load_u64(at + 8, false);
            uint32_t class = (uint32_t)(esr >> 26) & 0x3f, status = esr & 0x3c;
            bool fetch = class == 0x20, data = class == 0x24;
            if ((!fetch && !data) || status < 4 || status > 12)
                return; /* no translation, access flag or permission fault */
            context->trapno = TRAP_PAGE_FAULT;
            context->err =
                4u | (status == 12) | (data && esr & 0x40 ? 2u : 0u) | (fetch ? 16u : 0u);
            return;
        }
        if (magic == 0 || size < 16 || size % 16 != 0 || size > (size_t)(end - at))
            break;
        at += size;
    }
    if (context->cr2 != 0)
        context->trapno = TRAP_PAGE_FAULT;
}

static bool read_aarch64(const struct inq_core *core, struct inq_memory *memory,
                         const struct inq_core_thread *thread, uint64_t addr,
                         struct inq_signal_context *ret_context)
{
    uint8_t frame[A64_FRAME_BYTES] = {0};
    size_t got = 0;

    inq_memory_read(memory, addr, frame, sizeof(frame), &got);
    if (got < A64_RECORDS_OFF)
        return false;
    *ret_context = (struct inq_signal_context){.addr = addr,
                                               .thread = *thread,
                                               .trapno = A64_NO_TRAP,
                                               .cr2 = inq_load_u64(frame + A64_FAULT_OFF, false)};
    for (size_t i = 0; i < A64_REGISTERS; i++)
        ret_context->thread.registers[i] = inq_load_u64(frame + A64_REGISTERS_OFF + i * 8, false);
    if (inq_core_sp(core, &ret_context->thread) % 16 != 0)
        return false;
    translate_syndrome(frame, ret_context);
    ret_context->has_siginfo = read_siginfo(
        frame, ret_context, inq_core_pc(core, &ret_context->thread), &ret_context->siginfo);
    return true;
}

bool inq_signal_context_read(const struct inq_core *core, struct inq_memory *memory,
                             const struct inq_core_thread *thread, uint64_t addr,
                             struct inq_signal_context *ret_context)
{
    uint8_t frame[FRAME_BYTES];
    size_t got = 0;

    if (!inq_signal_context_supported(core))
        return false;
    if (is_aarch64(core))
        return read_aarch64(core, memory, thread, addr, ret_context);
    inq_memory_read(memory, addr, frame, sizeof(frame), &got);
    if (got < SIGINFO_OFF || (word(frame, WORD_CS) & 0xffff) != USER_CS_64)
        return false;
    *ret_context = (struct inq_signal_context){.addr = addr,
                                               .thread = *thread,
                                               .trapno = word(frame, WORD_TRAPNO),
                                               .err = word(frame, WORD_ERR),
                                               .cr2 = word(frame, WORD_CR2)};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(saved_registers); i++) {
        int index = inq_cpu_register(core->cpu, saved_registers[i]);
        if (index >= 0)
            ret_context->thread.registers[index] = word(frame, i);
    }
    ret_context->has_siginfo =
        got == sizeof(frame) &&
        read_siginfo(frame + SIGINFO_OFF, ret_context, inq_core_pc(core, &ret_context->thread),
                     &ret_context->siginfo);
    return true;
}

/* The registers that a frame of this thread must hold, as they stand in it: rsp, rip. */
static bool is_frame_of(const struct inq_core *core, const struct inq_core_thread *thread,
                        const struct inq_signal_context *context)
{
    for (size_t i = 0; is_aarch64(core) && i < A64_REGISTERS; i++)
        if (thread->registers[i] != context->thread.registers[i])
            return false;
    if (is_aarch64(core))
        return true;
    for (size_t i = 0; i + 1 < INQ_ARRAY_SIZE(saved_registers); i++) { /* not the flags */
        int index = inq_cpu_register(core->cpu, saved_registers[i]);
        if (index >= 0 && thread->registers[index] != context->thread.registers[index])
            return false;
    }
    return true;
}

static bool search(const struct inq_core *core, struct inq_memory *memory,
                   const struct inq_core_thread *thread, const struct inq_memory_region *region,
                   struct inq_signal_context *ret_context)
{
    uint8_t pattern[16];
    uint64_t size = region->saved_bytes,
             registers[2] = {inq_core_sp(core, thread), inq_core_pc(core, thread)};
    const uint8_t *bytes =
        size <= SIZE_MAX ? inq_memory_view(memory, region->start, (size_t)size) : NULL;

    if (!bytes)
        return false;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(registers[i / 8] >> i % 8 * 8);
    for (const uint8_t *at = bytes;;) {
        at = memmem(at, (size_t)(bytes + size - at), pattern, sizeof(pattern));
        if (!at)
            return false;
        uint64_t off = (uint64_t)(at - bytes);
        uint64_t before = is_aarch64(core) ? A64_SP_OFF : SIGCONTEXT_OFF + WORD_RSP * 8;
        if (off >= before &&
            inq_signal_context_read(core, memory, thread, region->start + off - before,
                                    ret_context) &&
            is_frame_of(core, thread, ret_context))
            return true;
        at++;
    }
}

bool inq_signal_context_find_popped(const struct inq_core *core, struct inq_memory *memory,
                                    const struct inq_core_thread *thread,
                                    struct inq_signal_context *ret_context)
{
    uint64_t left = MAX_SEARCHED_BYTES, sp = inq_core_sp(core, thread);
    struct inq_signal_context found;
    struct inq_memory_region region;

    if (!inq_signal_context_supported(core) || !thread->has_registers)
        return false;
    if (inq_memory_region_at(memory, sp, &region) &&
        search(core, memory, thread, &region, &found)) {
        *ret_context = found;
        return true;
    }
    for (size_t i = 0; i < inq_memory_region_count(memory); i++) {
        region = inq_memory_region_get(memory, i);
        if (!(region.flags & PF_W) || region.saved_bytes < FRAME_BYTES || region.saved_bytes > left)
            continue;
        left -= region.saved_bytes;
        if (search(core, memory, thread, &region, &found)) {
            *ret_context = found;
            return true;
        }
    }
    return false;
}

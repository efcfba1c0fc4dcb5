/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include "stacks.h"

/* Where sparc64's kernel spills a window: eight locals, then eight ins (asm/ptrace.h, reg_window).
 */
#define SPARC_INS_OFF 64u
#define SPARC_FP_IN 6
#define SPARC_RETURN_IN 7

#define CALL_BYTES 8u

/* So much between a stack pointer and a frame pointer is searched for what would be left out. */
#define MAX_FRAME_BYTES 1048576u

static bool word(const struct inq_chain_reader *reader, uint64_t addr, uint64_t *ret_value)
{
    size_t size = reader->core->cpu->register_bytes;

    if (reader->core->cpu->word_bytes == 4)
        addr &= UINT32_MAX;
    return inq_codemap_uint(reader->code, addr, size, reader->core->big_endian, ret_value) ==
           INQ_MEMORY_OK;
}

enum inq_after_call inq_chain_after_call(const struct inq_chain_reader *reader, uint64_t pc)
{
    uint8_t bytes[CALL_BYTES];
    size_t size = sizeof(bytes);
    const struct inq_cpu *cpu = reader->core->cpu;

    if (pc < size || pc % reader->unwind->pc_alignment != 0 ||
        !inq_codemap_place(reader->code, pc).executable)
        return INQ_AFTER_CALL_NO;
    while (size >= 2 && !inq_codemap_read(reader->code, pc - size, bytes, size))
        size -= 2;
    if (size < 2)
        return inq_codemap_place(reader->code, pc - 1).executable ? INQ_AFTER_CALL_UNREADABLE
                                                                  : INQ_AFTER_CALL_NO;
    return inq_cpu_ends_with_call(cpu, reader->core->big_endian, bytes, size) ? INQ_AFTER_CALL_YES
                                                                              : INQ_AFTER_CALL_NO;
}

/*
 * Whether some word in [low, high) could be a return address: then the frame pointer is perhaps not
 * this function's but a caller's, and following it would leave frames out.
 */
static bool may_skip_frames(const struct inq_chain_reader *reader, uint64_t low, uint64_t high)
{
    uint64_t value, bytes = reader->core->cpu->register_bytes;

    if (high - low > MAX_FRAME_BYTES)
        return true;
    for (uint64_t addr = low - low % bytes; addr < high; addr += bytes)
        if (!word(reader, addr, &value) || inq_chain_after_call(reader, value) != INQ_AFTER_CALL_NO)
            return true;
    return false;
}

/* fp points at {saved fp, return address}, `back` bytes below it. */
static enum inq_chain_result by_frame_pointer(const struct inq_chain_reader *reader,
                                              const struct inq_regs *callee, uint64_t back,
                                              uint64_t size, struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    uint64_t fp, saved, pc, bytes = cpu->register_bytes;

    if (!inq_regs_known(callee, cpu->fp))
        return INQ_CHAIN_LOST;
    fp = callee->value[cpu->fp];
    if (fp == 0)
        return INQ_CHAIN_END;
    if (fp - back < callee->value[cpu->sp] || fp % cpu->word_bytes != 0 ||
        !word(reader, fp - back, &saved) || !word(reader, fp - back + bytes, &pc))
        return INQ_CHAIN_LOST;
    if (pc == 0 && saved == 0)
        return INQ_CHAIN_END;
    /* A pushed return address lies between them when the function has no record of its own. */
    if (!reader->unwind->link && may_skip_frames(reader, callee->value[cpu->sp], fp))
        return INQ_CHAIN_LOST;
    *ret_caller = *callee;
    inq_regs_set(ret_caller, cpu->fp, saved);
    inq_regs_set(ret_caller, cpu->pc, pc);
    inq_regs_set(ret_caller, cpu->sp, fp - back + size);
    return INQ_CHAIN_OK;
}

static enum inq_chain_result by_back_chain(const struct inq_chain_reader *reader,
                                           const struct inq_regs *callee, uint64_t link_off,
                                           struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    uint64_t sp = callee->value[cpu->sp], back, pc;

    if (sp == 0 || !word(reader, sp, &back))
        return INQ_CHAIN_LOST;
    if (back == 0)
        return INQ_CHAIN_END;
    if (back <= sp || !word(reader, back + link_off, &pc))
        return INQ_CHAIN_LOST;
    *ret_caller = *callee;
    inq_regs_set(ret_caller, cpu->pc, pc);
    inq_regs_set(ret_caller, cpu->sp, back);
    return INQ_CHAIN_OK;
}

/*
 * The caller's stack pointer is this frame's i6, its pc is eight bytes behind i7; its own ins and
 * locals were spilled where that stack pointer points. The ins become the outs.
 */
static enum inq_chain_result by_window(const struct inq_chain_reader *reader,
                                       const struct inq_regs *callee, struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    int locals = inq_cpu_register(cpu, "l0"), ins = inq_cpu_register(cpu, "i0"),
        outs = inq_cpu_register(cpu, "o0");
    uint64_t pc, sp;

    if (locals < 0 || ins < 0 || outs < 0 || !inq_regs_known(callee, ins + SPARC_RETURN_IN) ||
        !inq_regs_known(callee, ins + SPARC_FP_IN))
        return INQ_CHAIN_LOST;
    pc = callee->value[ins + SPARC_RETURN_IN];
    sp = callee->value[ins + SPARC_FP_IN];
    if (pc == 0 || sp == 0)
        return INQ_CHAIN_END;
    *ret_caller = *callee;
    for (int i = 0; i < 8; i++) {
        uint64_t value, from = sp + reader->unwind->sp_bias + (uint64_t)i * 8;
        ret_caller->value[outs + i] = callee->value[ins + i];
        inq_regs_forget(ret_caller, locals + i);
        inq_regs_forget(ret_caller, ins + i);
        if (word(reader, from, &value))
            inq_regs_set(ret_caller, locals + i, value);
        if (word(reader, from + SPARC_INS_OFF, &value))
            inq_regs_set(ret_caller, ins + i, value);
    }
    inq_regs_set(ret_caller, cpu->pc, pc);
    inq_regs_set(ret_caller, cpu->sp, sp);
    return INQ_CHAIN_OK;
}

static enum inq_chain_result by_record(const struct inq_chain_reader *reader,
                                       const struct inq_regs *callee, struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    uint64_t bytes = cpu->register_bytes;

    switch (reader->unwind->chain) {
    case INQ_CHAIN_X86:
    case INQ_CHAIN_AARCH64:
        return by_frame_pointer(reader, callee, 0, 2 * bytes, ret_caller);
    case INQ_CHAIN_ARM: /* push {fp, lr}; add fp, sp, #4 */
        return by_frame_pointer(reader, callee, bytes, 2 * bytes, ret_caller);
    case INQ_CHAIN_RISCV: /* s0 is the stack pointer at the call */
        return by_frame_pointer(reader, callee, 2 * bytes, 2 * bytes, ret_caller);
    case INQ_CHAIN_PPC: /* the caller's frame begins with the back chain; ppc64 saves cr before lr
                         */
        return by_back_chain(reader, callee, bytes == 4 ? 4 : 16, ret_caller);
    case INQ_CHAIN_S390: /* r14 of the register save area: 14 words into the caller's frame */
        return by_back_chain(reader, callee, 14 * bytes, ret_caller);
    case INQ_CHAIN_SPARC:
        return by_window(reader, callee, ret_caller);
    case INQ_CHAIN_NONE:
    default:
        return INQ_CHAIN_LOST;
    }
}

enum where {
    WHERE_UNKNOWN,
    WHERE_SAME_FUNCTION,
    WHERE_ELSEWHERE,
};

static enum where compare_functions(const struct inq_chain_reader *reader, uint64_t pc,
                                    uint64_t other)
{
    struct inq_symbol_at here = inq_symbol_at(reader->code->modules, pc),
                         there = inq_symbol_at(reader->code->modules, other);

    if (here.module != there.module)
        return WHERE_ELSEWHERE;
    if (!here.function || !there.function)
        return WHERE_UNKNOWN;
    return pc - here.offset == other - there.offset ? WHERE_SAME_FUNCTION : WHERE_ELSEWHERE;
}

enum link {
    LINK_NO,      /* the link register is not where this function returns to */
    LINK_YES,     /* it is */
    LINK_UNKNOWN, /* it may be: the frame record may be the caller's own */
};

/*
 * In a function that has not saved the link register, or never does, its caller is where that
 * points, and the frame record is the caller's own. Once the function has called anything, the
 * register points into itself.
 */
static enum link by_link(const struct inq_chain_reader *reader, const struct inq_regs *callee,
                         const struct inq_regs *recorded, struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    int link = reader->unwind->link ? inq_cpu_register(cpu, reader->unwind->link) : -1;

    if (!inq_regs_known(callee, link))
        return LINK_NO;
    uint64_t pc = (callee->value[link] & reader->unwind->pc_mask) + reader->unwind->return_offset;
    if (recorded && (recorded->value[cpu->pc] & reader->unwind->pc_mask) == pc)
        return LINK_NO; /* saved already */
    switch (inq_chain_after_call(reader, pc)) {
    case INQ_AFTER_CALL_NO:
        return LINK_NO;
    case INQ_AFTER_CALL_UNREADABLE:
        return LINK_UNKNOWN;
    case INQ_AFTER_CALL_YES:
    default:
        break;
    }
    switch (compare_functions(reader, callee->value[cpu->pc], pc - 1)) {
    case WHERE_SAME_FUNCTION:
        return LINK_NO;
    case WHERE_UNKNOWN:
        return LINK_UNKNOWN;
    case WHERE_ELSEWHERE:
    default:
        break;
    }
    *ret_caller = *callee;
    inq_regs_set(ret_caller, cpu->pc, pc);
    return LINK_YES;
}

enum inq_chain_result inq_chain_step(const struct inq_chain_reader *reader,
                                     const struct inq_regs *callee, bool exact,
                                     struct inq_regs *ret_caller)
{
    struct inq_regs caller;
    enum inq_chain_result result = by_record(reader, callee, &caller);
    int pc = reader->core->cpu->pc;

    if (exact) {
        enum link link =
            by_link(reader, callee, result == INQ_CHAIN_OK ? &caller : NULL, ret_caller);
        if (link != LINK_NO)
            return link == LINK_YES ? INQ_CHAIN_OK : INQ_CHAIN_LOST;
    }
    if (result != INQ_CHAIN_OK)
        return result;
    caller.value[pc] = (caller.value[pc] & reader->unwind->pc_mask) + reader->unwind->return_offset;
    if (inq_chain_after_call(reader, caller.value[pc]) == INQ_AFTER_CALL_NO)
        return INQ_CHAIN_LOST;
    *ret_caller = caller;
    return INQ_CHAIN_OK;
}

bool inq_chain_bad_call(const struct inq_chain_reader *reader, const struct inq_regs *callee,
                        struct inq_regs *ret_caller)
{
    const struct inq_cpu *cpu = reader->core->cpu;
    uint64_t pc, sp = callee->value[cpu->sp];

    if (reader->unwind->link) {
        int link = inq_cpu_register(cpu, reader->unwind->link);
        if (!inq_regs_known(callee, link))
            return false;
        pc = (callee->value[link] & reader->unwind->pc_mask) + reader->unwind->return_offset;
    } else {
        if (!word(reader, sp, &pc))
            return false;
        sp += cpu->register_bytes;
    }
    if (inq_chain_after_call(reader, pc) != INQ_AFTER_CALL_YES)
        return false;
    *ret_caller = *callee;
    inq_regs_set(ret_caller, cpu->pc, pc);
    inq_regs_set(ret_caller, cpu->sp, sp);
    return true;
}

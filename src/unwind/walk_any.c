/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_any.h"

#include <elf.h>
#include <string.h>

#include "signal_frame.h"

#define MAX_SIGNAL_FRAMES 256u
#define ENTRY_BYTES 64u

struct walk {
    struct inq_any_walker *walker;
    const struct inq_cpu *cpu;
    struct inq_regs now; /* pc and sp are always known */
    bool exact;
    enum inq_trust trust;
    unsigned int signal_frames;
    const char *stop;
    bool complete;
};

struct next {
    struct inq_regs regs;
    enum inq_trust trust;
    bool from_signal;
};

static bool stop(struct walk *walk, const char *why)
{
    walk->stop = why ? why : "out of memory";
    return false;
}

#define STOP(walk, ...) stop((walk), inq_arena_printf((walk)->walker->common->arena, __VA_ARGS__))

static unsigned long long ull(uint64_t value)
{
    return value;
}

static uint64_t pc_of(const struct walk *walk)
{
    return walk->now.value[walk->cpu->pc];
}
static uint64_t sp_of(const struct walk *walk)
{
    return walk->now.value[walk->cpu->sp];
}

static bool is_entry(const struct walk *walk)
{
    const struct inq_walker *common = walk->walker->common;
    return common->has_entry && pc_of(walk) - common->entry < ENTRY_BYTES;
}

/*
 * A caller has to be code and to lie above its callee. A function that has no frame of its own and
 * keeps its return address in a register shares the stack pointer with its caller, once.
 */
static bool check(struct walk *walk, const struct next *next)
{
    const struct inq_cpu_unwind *unwind = walk->walker->chain.unwind;
    uint64_t pc = next->regs.value[walk->cpu->pc], sp = next->regs.value[walk->cpu->sp];

    if (next->from_signal) {
        if (++walk->signal_frames > MAX_SIGNAL_FRAMES)
            return STOP(walk, "more than %u signal frames", MAX_SIGNAL_FRAMES);
        return true;
    }
    if (sp < sp_of(walk) || (sp == sp_of(walk) && !(walk->exact && unwind->link)))
        return STOP(walk, "no forward progress: the stack pointer goes from 0x%llx to 0x%llx",
                    ull(sp_of(walk)), ull(sp));
    if (sp % unwind->sp_alignment != 0)
        return STOP(walk, "the stack pointer 0x%llx of the caller is not aligned", ull(sp));
    struct inq_place place = inq_codemap_place(walk->walker->common->code, pc);
    if (!place.executable || pc % unwind->pc_alignment != 0)
        return STOP(walk,
                    "the return address 0x%llx is %s: the stack is overwritten or was lost before",
                    ull(pc),
                    place.executable ? "not aligned"
                    : place.mapped   ? "not in executable memory"
                                     : "not mapped");
    return true;
}

static bool step_chain(struct walk *walk, const char *why, struct next *ret_next)
{
    switch (inq_chain_step(&walk->walker->chain, &walk->now, walk->exact, &ret_next->regs)) {
    case INQ_CHAIN_OK:
        ret_next->trust = INQ_TRUST_FRAME_POINTER;
        return true;
    case INQ_CHAIN_END:
        walk->complete = true;
        return false;
    case INQ_CHAIN_LOST:
    default:
        return stop(walk, why);
    }
}

static bool step_cfi(struct walk *walk, struct next *ret_next)
{
    struct inq_walker *common = walk->walker->common;
    struct inq_dwfl *dwfl = walk->walker->dwfl;
    struct inq_dwfl_caller caller;

    if (common->cfi_steps_left == 0) {
        common->limit_reached = true;
        return stop(walk, "the limit of steps for one dump is reached");
    }
    common->cfi_steps_left--;
    switch (inq_dwfl_step(dwfl, &walk->now, pc_of(walk) - !walk->exact, &caller)) {
    case INQ_CFI_OK:
        ret_next->regs = caller.regs;
        ret_next->from_signal = caller.from_signal;
        ret_next->trust = caller.from_signal ? INQ_TRUST_CONTEXT : INQ_TRUST_CFI;
        return true;
    case INQ_CFI_OUTERMOST:
        walk->complete = true;
        return false;
    case INQ_CFI_NO_INFO:
    case INQ_CFI_INVALID:
        if (is_entry(walk)) {
            walk->complete = true;
            return false;
        }
        return step_chain(walk, inq_dwfl_reason(dwfl), ret_next);
    case INQ_CFI_LOST:
    default:
        if (is_entry(walk)) {
            walk->complete = true;
            return false;
        }
        return stop(walk, inq_dwfl_reason(dwfl));
    }
}

/*
 * What a handler returns to, where no call frame information says so: mov x8, #139; svc #0. The
 * frame record that the kernel leaves there would lead past the function that was interrupted.
 */
static bool step_trampoline(struct walk *walk, struct next *ret_next)
{
    static const uint8_t aarch64[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    const struct inq_core *core = walk->walker->chain.core;
    struct inq_core_thread none = {0};
    struct inq_signal_context context;
    uint8_t bytes[sizeof(aarch64)];

    if (walk->exact || core->machine != EM_AARCH64 ||
        !inq_codemap_read(walk->walker->common->code, pc_of(walk), bytes, sizeof(bytes)) ||
        memcmp(bytes, aarch64, sizeof(bytes)) != 0 ||
        !inq_signal_context_read(core, walk->walker->common->code->memory, &none, sp_of(walk),
                                 &context))
        return false;
    for (unsigned int i = 0; i < walk->cpu->n_registers; i++)
        inq_regs_set(&ret_next->regs, (int)i, context.thread.registers[i]);
    ret_next->from_signal = true;
    ret_next->trust = INQ_TRUST_CONTEXT;
    return true;
}

static bool step(struct walk *walk, const struct inq_place *here, struct next *ret_next)
{
    *ret_next = (struct next){.from_signal = false};
    if (step_trampoline(walk, ret_next))
        return check(walk, ret_next);
    if (!walk->exact || here->executable)
        return step_cfi(walk, ret_next) && check(walk, ret_next);
    if (!inq_chain_bad_call(&walk->walker->chain, &walk->now, &ret_next->regs))
        return STOP(walk, "0x%llx is %s, and no return address stands where a call leaves it",
                    ull(here->addr), here->mapped ? "not in executable memory" : "not mapped");
    ret_next->trust = INQ_TRUST_RULE;
    return check(walk, ret_next);
}

static enum inq_frame_kind kind_of(const struct inq_place *place, bool from_signal)
{
    if (from_signal)
        return INQ_FRAME_SIGNAL;
    if (place->module && place->module->is_vdso)
        return INQ_FRAME_KERNEL;
    if (place->executable && !place->module)
        return INQ_FRAME_JIT;
    return INQ_FRAME_NATIVE;
}

static void start(struct walk *walk, const struct inq_core_thread *thread)
{
    const struct inq_core *core = walk->walker->chain.core;

    for (unsigned int i = 0; i < walk->cpu->n_registers; i++)
        inq_regs_set(&walk->now, (int)i, thread->registers[i]);
    walk->now.value[walk->cpu->pc] = inq_core_pc(core, thread);
    walk->now.value[walk->cpu->sp] = inq_core_sp(core, thread);
}

bool inq_walk_any_thread(struct inq_any_walker *walker, const struct inq_core_thread *thread,
                         struct inq_stack *stack)
{
    struct walk walk = {.walker = walker,
                        .cpu = walker->chain.core->cpu,
                        .exact = true,
                        .trust = INQ_TRUST_CONTEXT};
    struct inq_walker *common = walker->common;
    struct next next = {.from_signal = true};
    bool go_on = true;

    start(&walk, thread);
    inq_frames_reset(common->frames);
    while (go_on) {
        struct inq_place place = inq_codemap_place(common->code, pc_of(&walk));
        uint64_t sp = sp_of(&walk);
        bool exact = walk.exact;
        enum inq_trust trust = walk.trust;

        if (common->frames_left == 0) {
            common->limit_reached = true;
            go_on = stop(&walk, "the limit of frames for one dump is reached");
        } else {
            common->frames_left--;
            go_on = step(&walk, &place, &next);
        }
        /* Only the step tells whether this was what a signal handler returns to. */
        bool from_signal = go_on && next.from_signal;
        struct inq_frame frame = {.pc = place.addr,
                                  .sp = sp,
                                  .trust = trust,
                                  .kind = kind_of(&place, from_signal),
                                  .pc_is_return = !exact && !from_signal,
                                  .module = place.module};
        inq_frames_push(common->frames, &frame);
        if (go_on) {
            walk.now = next.regs;
            walk.trust = next.trust;
            walk.exact = next.from_signal;
        }
    }
    stack->stop = walk.stop;
    stack->complete = walk.complete;
    return inq_frames_finish(common->frames, common->arena, stack);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "real_fault.h"

#include <elf.h>
#include <string.h>

#include "crash.h"
#include "fault_site.h"

/* asm/trapnr.h */
#define TRAP_DIVIDE 0u
#define TRAP_BREAKPOINT 3u
#define TRAP_INVALID_OPCODE 6u
#define TRAP_PROTECTION 13u
#define TRAP_PAGE_FAULT 14u
#define TRAP_X87 16u
#define TRAP_SIMD 19u

#define PF_PROT 1u
#define PF_WRITE 2u

#define SI_FPE_INTDIV 1
#define SI_ILL_ILLOPN 2

/*
 * What the kernel must have told the handler, from what the CPU reported; false for an exception
 * that makes no signal. arch/x86/mm/fault.c, arch/x86/kernel/traps.c.
 */
static bool siginfo_of_trap(const struct inq_dump *dump, const struct inq_signal_context *context,
                            struct inq_siginfo *ret_siginfo)
{
    uint64_t pc = inq_core_pc(dump->core, &context->thread);
    struct inq_memory_region region;

    if (dump->core->machine != EM_X86_64 && context->trapno != TRAP_PAGE_FAULT)
        return false;
    *ret_siginfo = (struct inq_siginfo){.addr = pc};
    switch (context->trapno) {
    case TRAP_PAGE_FAULT:
        ret_siginfo->signo = 11;
        ret_siginfo->addr = context->cr2;
        ret_siginfo->code = (context->err & PF_PROT) != 0 ||
                                    inq_memory_region_at(dump->memory, context->cr2, &region)
                                ? INQ_SEGV_ACCERR
                                : INQ_SEGV_MAPERR;
        return true;
    case TRAP_PROTECTION:
        ret_siginfo->signo = 11;
        ret_siginfo->code = INQ_SI_KERNEL;
        ret_siginfo->addr = 0;
        return true;
    case TRAP_DIVIDE:
        ret_siginfo->signo = 8;
        ret_siginfo->code = SI_FPE_INTDIV;
        return true;
    case TRAP_INVALID_OPCODE:
        ret_siginfo->signo = 4;
        ret_siginfo->code = SI_ILL_ILLOPN;
        return true;
    case TRAP_BREAKPOINT:
        ret_siginfo->signo = 5;
        ret_siginfo->code = INQ_SI_KERNEL;
        ret_siginfo->addr = 0;
        return true;
    default:
        return false;
    }
}

/* A copy of the dump with other registers, signal and innermost frame; NULL without memory. */
static struct inq_dump *view_of(struct inq_dump *dump, const struct inq_core_thread *thread,
                                const struct inq_siginfo *siginfo, bool has_siginfo)
{
    struct inq_arena *arena = dump->arena;
    struct inq_dump *view = INQ_ARENA_NEW(arena, struct inq_dump);
    struct inq_core *core = INQ_ARENA_NEW(arena, struct inq_core);
    struct inq_core_thread *threads =
        INQ_ARENA_ARRAY(arena, dump->core->n_threads, struct inq_core_thread);
    struct inq_fault_origin *origin = INQ_ARENA_NEW(arena, struct inq_fault_origin);

    if (!view || !core || !threads || !origin)
        return NULL;
    memcpy(threads, dump->core->threads, dump->core->n_threads * sizeof(*threads));
    threads[0] = *thread;
    threads[0].cursig = (uint16_t)siginfo->signo;
    *core = *dump->core;
    core->threads = threads;
    core->siginfo = *siginfo;
    core->has_siginfo = has_siginfo;
    *view = *dump;
    view->core = core;
    view->origin = origin;
    return view;
}

/* The stacks with the crashing thread's beginning at its frame `first` (a place in the list). */
static bool cut_frames(struct inq_dump *view, size_t first)
{
    struct inq_arena *arena = view->arena;
    struct inq_stacks *stacks = INQ_ARENA_NEW(arena, struct inq_stacks);
    struct inq_stack *items = INQ_ARENA_ARRAY(arena, view->stacks->count, struct inq_stack);
    const struct inq_stack *from = &view->stacks->items[0];
    struct inq_frame *frames = INQ_ARENA_ARRAY(arena, from->n_frames - first, struct inq_frame);

    if (!stacks || !items || !frames)
        return false;
    memcpy(items, view->stacks->items, view->stacks->count * sizeof(*items));
    memcpy(frames, from->frames + first, (from->n_frames - first) * sizeof(*frames));
    uint64_t base = frames[0].index;
    for (size_t i = 0; i < from->n_frames - first; i++)
        frames[i].index -= base;
    items[0].frames = frames;
    items[0].n_frames = from->n_frames - first;
    items[0].frames_total = from->frames_total - base;
    items[0].cycle_start = from->cycle_start > base ? from->cycle_start - (size_t)base : 0;
    *stacks = (struct inq_stacks){.items = items, .count = view->stacks->count};
    view->stacks = stacks;
    return true;
}

/* Nothing but the CPU's report of some exception says that this was one: its instruction must
 * agree. */
static bool agrees(const struct inq_dump *view, const struct inq_signal_context *context)
{
    struct inq_fault_site site;
    uint64_t refused;

    inq_fault_site(view, &site);
    switch (context->trapno) {
    case TRAP_PAGE_FAULT:
        if (site.operand || site.access == INQ_ACCESS_EXECUTE)
            return true;
        /* bytes that are no load or store that is understood agree with nothing */
        return !site.has_instruction && site.n_bytes == 0 &&
               inq_access_is_refused(view, context->cr2, 1,
                                     context->err & PF_WRITE ? INQ_ACCESS_WRITE : INQ_ACCESS_READ,
                                     &refused);
    case TRAP_PROTECTION:
        return site.reason != INQ_REASON_NONE;
    case TRAP_DIVIDE:
        return site.has_instruction && site.instruction.divides;
    case TRAP_INVALID_OPCODE:
        return site.reason == INQ_REASON_UNDEFINED;
    case TRAP_BREAKPOINT:
        return site.reason == INQ_REASON_BREAKPOINT;
    default:
        return false;
    }
}

/* The address that siginfo names must be one that can fail at this instruction, if that is here. */
static bool siginfo_agrees(const struct inq_dump *view)
{
    struct inq_fault_site site;

    inq_fault_site(view, &site);
    return !site.has_instruction || site.operand || site.access == INQ_ACCESS_EXECUTE ||
           !inq_crash_has_address(view) || site.reason != INQ_REASON_NONE ||
           view->core->siginfo.signo == 7;
}

/*
 * The view of the fault that called a handler, NULL when what is in this frame was none: a signal
 * that somebody sent, or that came at any place (SIGALRM, SIGCHLD).
 */
static struct inq_dump *view_at(struct inq_dump *dump, const struct inq_signal_context *context)
{
    struct inq_siginfo siginfo = context->siginfo;
    bool trusted = false;

    if (context->has_siginfo) {
        enum inq_siginfo_kind kind = inq_siginfo_kind(&siginfo);
        if (kind != INQ_SIGINFO_FAULT && kind != INQ_SIGINFO_KERNEL)
            return NULL;
        trusted = kind == INQ_SIGINFO_FAULT;
    }
    if (!trusted && !siginfo_of_trap(dump, context, &siginfo))
        return NULL;
    struct inq_dump *view = view_of(dump, &context->thread, &siginfo, true);
    if (!view || (trusted ? !siginfo_agrees(view) : !agrees(view, context)))
        return NULL;
    view->origin->in_signal_frame = true;
    view->origin->context = *context;
    return view;
}

/* Frames that were walked are in the order inner to outer: the outermost fault came first. */
static struct inq_dump *by_frames(struct inq_dump *dump)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);

    for (size_t i = stack->n_frames; i-- > 1;) {
        const struct inq_frame *frame = &stack->frames[i - 1];
        struct inq_signal_context context;
        /* of a frame found with the help of a guess, no fault is claimed */
        if (frame->kind != INQ_FRAME_SIGNAL || frame->after_scan ||
            frame->trust == INQ_TRUST_SCAN || stack->frames[i].index != frame->index + 1 ||
            !inq_signal_context_read(dump->core, dump->memory, inq_crashed_thread(dump), frame->sp,
                                     &context))
            continue;
        struct inq_dump *view = view_at(dump, &context);
        if (view) {
            view->origin->frame = stack->frames[i].index;
            return cut_frames(view, i) ? view : NULL;
        }
    }
    return NULL;
}

/*
 * The handler restored the default action, raised the signal again while it was blocked, and
 * returned: the kernel delivered it then, at the instruction that had failed. The process sent it,
 * and the registers are the fault's. That instruction cannot have worked, or its signal frame is
 * still there.
 */
static struct inq_dump *by_registers(struct inq_dump *dump)
{
    const struct inq_core *core = dump->core;
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    struct inq_crash_signal signal = inq_crash_signal(dump);
    struct inq_signal_context context;
    struct inq_fault_site site;

    if (inq_crash_kind(dump) != INQ_CRASH_SENT || !core->has_prpsinfo ||
        core->prpsinfo.pid != core->siginfo.pid || signal.kind == INQ_SIGNAL_ABRT ||
        signal.kind == INQ_SIGNAL_OTHER || !thread->has_registers)
        return NULL;
    if (inq_signal_context_find_popped(core, dump->memory, thread, &context)) {
        struct inq_dump *view = view_at(dump, &context);
        if (view)
            return view;
    }
    struct inq_siginfo siginfo = {.signo = signal.number};
    struct inq_dump *view = view_of(dump, thread, &siginfo, false);
    if (!view)
        return NULL;
    inq_fault_site(view, &site);
    return site.is_fault ? view : NULL;
}

struct inq_dump *inq_real_fault(struct inq_dump *dump)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);
    struct inq_dump *view = NULL;

    if (dump->stacks_only || !inq_crashed_thread(dump) || !stack || stack->n_frames == 0)
        return dump;
    if (inq_signal_context_supported(dump->core))
        view = by_frames(dump);
    if (!view)
        view = by_registers(dump);
    return view ? view : dump;
}

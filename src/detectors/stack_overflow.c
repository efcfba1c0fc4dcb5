/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_overflow.h"

#include <elf.h>
#include <string.h>

#include "bounds.h"
#include "crash.h"
#include "cursor.h"
#include "fault_site.h"

/* x86-64: 128 bytes below the stack pointer may be used, and a push writes 8 below it. */
#define RED_ZONE 136u
/* How far below the stack pointer code reaches to find out whether there is room: HotSpot bangs 20
 * pages. */
#define PROBE_REACH (128u << 10)
/* The kernel keeps 256 pages below the main stack free (stack_guard_gap). */
#define MAIN_GAP (1ull << 20)
/* What the kernel writes for a signal besides the registers' extended state: rt_sigframe,
 * alignment. */
#define SIGNAL_FRAME_BYTES 1280u
#define CODE_BYTES 256u

struct judge {
    struct inq_dump *dump;
    struct inq_fault_site site;
    const struct inq_stack *stack; /* frames */
    struct inq_stack_frames frames;
    struct inq_thread_stack own;
    uint64_t sp;
    struct inq_stack_overflow *out;
};

static uint64_t end_of(const struct inq_thread_stack *stack)
{
    return stack->start + stack->size;
}

static bool is_reliable(const struct inq_frame *frame)
{
    return frame->trust == INQ_TRUST_CONTEXT || frame->trust == INQ_TRUST_CFI ||
           frame->trust == INQ_TRUST_FRAME_POINTER;
}

/* The stack that frames[i] takes: up to where its caller's begins. 0 when not known. */
static uint64_t frame_size(const struct inq_stack *stack, size_t i)
{
    if (i + 1 >= stack->n_frames)
        return 0;
    const struct inq_frame *frame = &stack->frames[i], *caller = &stack->frames[i + 1];
    if (caller->index != frame->index + 1 || !is_reliable(frame) || !is_reliable(caller) ||
        frame->kind == INQ_FRAME_SIGNAL || caller->kind == INQ_FRAME_SIGNAL ||
        caller->sp <= frame->sp)
        return 0;
    return caller->sp - frame->sp;
}

const struct inq_frame *inq_stack_frame_at(const struct inq_stack *stack, size_t index)
{
    for (size_t i = 0; i < stack->n_frames; i++)
        if (stack->frames[i].index == index && !stack->frames[i].inlined)
            return &stack->frames[i];
    return NULL;
}

/* As many whole rounds as the innermost frames hold. */
static uint64_t round_bytes(const struct inq_stack *stack)
{
    const struct inq_frame *first, *last, *next;
    size_t length = stack->cycle_length, rounds = 0;

    if (length == 0 || !(first = inq_stack_frame_at(stack, stack->cycle_start)))
        return 0;
    last = first;
    /* frames are listed innermost and outermost: at most so many rounds are looked up */
    while (rounds < stack->cycle_count && rounds < INQ_MAX_FRAMES_SHOWN &&
           (next = inq_stack_frame_at(stack, stack->cycle_start + (rounds + 1) * length))) {
        last = next;
        rounds++;
    }
    if (rounds == 0 || last->sp <= first->sp)
        return 0;
    return (last->sp - first->sp) / rounds;
}

struct inq_stack_frames inq_stack_frames(const struct inq_stack *stack)
{
    struct inq_stack_frames frames = {0};

    if (!stack)
        return frames;
    frames.cycle_bytes = round_bytes(stack);
    for (size_t i = 0; i < stack->n_frames; i++) {
        uint64_t size = frame_size(stack, i);
        if (size > frames.biggest_bytes) {
            frames.biggest_bytes = size;
            frames.biggest = &stack->frames[i];
        }
    }
    return frames;
}

uint64_t inq_frame_bytes_by_code(const struct inq_dump *dump, uint64_t function, uint64_t pc)
{
    static const uint8_t sub32[] = {0x48, 0x81, 0xec}, lea32[] = {0x4c, 0x8d, 0x9c, 0x24};
    static const uint8_t sub8[] = {0x48, 0x83, 0xec};
    uint8_t code[CODE_BYTES];
    size_t got = 0, want;
    uint64_t sum = 0, probed = 0;

    if (dump->core->machine != EM_X86_64 || pc < function)
        return 0;
    want = pc - function < sizeof(code) ? (size_t)(pc - function) : sizeof(code);
    inq_memory_read(dump->memory, function, code, want, &got);
    for (size_t i = 0; i + 4 <= got; i++) {
        size_t left = got - i;
        if (left >= 7 && !memcmp(code + i, sub32, sizeof(sub32))) {
            int32_t bytes = (int32_t)inq_load_u32(code + i + 3, false);
            sum += bytes > 0 ? (uint64_t)bytes : 0;
            i += 6;
        } else if (left >= 8 && !memcmp(code + i, lea32, sizeof(lea32))) {
            int32_t bytes = (int32_t)inq_load_u32(code + i + 4, false);
            probed = bytes < 0 ? (uint64_t) - (int64_t)bytes : 0;
            i += 7;
        } else if (!memcmp(code + i, sub8, sizeof(sub8)) && code[i + 3] < 0x80) {
            sum += code[i + 3];
            i += 3;
        }
    }
    return probed > sum ? probed : sum;
}

/* Without unwind information: the code of the function that failed. */
static void add_frame_by_code(struct judge *j)
{
    const struct inq_frame *frame = inq_crash_frame(j->dump);
    uint64_t bytes;

    if (j->frames.biggest_bytes > 0 || !frame || !frame->function)
        return;
    bytes = inq_frame_bytes_by_code(j->dump, frame->pc - frame->function_offset, frame->pc);
    if (bytes > 0) {
        j->frames.biggest_bytes = bytes;
        j->frames.biggest = frame;
    }
}

static bool is_stack_register(const char *name)
{
    return name && (!strcmp(name, "rsp") || !strcmp(name, "esp") || !strcmp(name, "sp"));
}

/* addr is what a thread uses that has its stack pointer at j->sp and its stack's low end at `low`.
 */
static bool is_use_of_stack(const struct judge *j, uint64_t low, uint64_t addr)
{
    if (addr >= j->sp || j->sp - addr <= RED_ZONE)
        return true; /* in its frame, or right below */
    if (j->sp - addr > PROBE_REACH)
        return false;
    if (j->sp <= low || (j->site.operand && is_stack_register(j->site.operand->base)))
        return true;
    /* a pointer of any kind, unless the instruction cannot be told */
    return !j->site.has_instruction && j->sp - addr <= 4096;
}

/* Nothing that a program may use lies from addr up to the stack: its guard, or a hole. */
static bool is_guarded(const struct judge *j, const struct inq_thread_stack *stack, uint64_t addr)
{
    struct inq_memory_region region;

    if (inq_stack_guard_covers(stack, addr))
        return true;
    if (addr >= stack->start || stack->start - addr > MAIN_GAP)
        return false;
    for (unsigned pieces = 0; pieces < 4; pieces++) {
        if (!inq_memory_region_at(j->dump->memory, addr, &region)) {
            if (!inq_memory_region_above(j->dump->memory, addr, &region))
                return false;
            addr = region.start;
        }
        if (addr >= stack->start || inq_stack_guard_covers(stack, addr))
            return true;
        if ((region.flags & (PF_R | PF_W | PF_X)) != 0)
            return false;
        addr = region.start + region.size;
    }
    return false;
}

static void judge_yes(struct judge *j, const struct inq_thread_stack *stack,
                      enum inq_overflow_kind kind)
{
    j->out->is_known = true;
    j->out->overflowed = true;
    j->out->kind = kind;
    j->out->stack = *stack;
}

static void judge_no(struct judge *j)
{
    j->out->is_known = true;
}

static void judge_unknown(struct judge *j, const char *why)
{
    j->out->why = why;
}

/* Frames that repeat, or one that is big: what took the room. */
static enum inq_overflow_kind kind_of(struct judge *j, const struct inq_thread_stack *stack)
{
    const struct inq_stack *frames = j->stack;
    uint64_t size = stack->size, round = j->frames.cycle_bytes, most;

    if (frames && frames->cycle_length > 0) {
        bool covers =
            round > 0
                ? !__builtin_mul_overflow(round, frames->cycle_count, &most) && most >= size / 2
                : frames->cycle_count >= frames->frames_total / 2 / frames->cycle_length;
        if (covers)
            return INQ_OVERFLOW_RECURSION;
    }
    add_frame_by_code(j);
    if (j->frames.biggest_bytes >= 4096 && j->frames.biggest_bytes >= size / 8)
        return INQ_OVERFLOW_BIG_FRAME;
    return INQ_OVERFLOW_UNKNOWN;
}

/*
 * The stack pointer is below the stack: did the thread come there from the stack, in one step of
 * the frames or of the code? *ret_top is where that frame ends.
 */
static bool jumped_out(struct judge *j, uint64_t *ret_top)
{
    const struct inq_frame *first = inq_crash_frame(j->dump);

    if (j->own.source == INQ_STACK_UNKNOWN || j->sp >= j->own.start || !j->stack || !first)
        return false;
    for (size_t i = 0; i + 1 < j->stack->n_frames && j->stack->frames[i].sp < j->own.start; i++) {
        uint64_t size = frame_size(j->stack, i);
        if (size == 0)
            break;
        *ret_top = j->stack->frames[i].sp + size;
        if (inq_stack_covers(&j->own, *ret_top))
            return true;
    }
    if (!first->function)
        return false;
    uint64_t bytes =
        inq_frame_bytes_by_code(j->dump, first->pc - first->function_offset, first->pc);
    return !__builtin_add_overflow(j->sp, bytes, ret_top) && inq_stack_covers(&j->own, *ret_top);
}

/* A signal stack or a coroutine's: the mapping around the stack pointer ran into what guards it. */
static bool alternate_overflowed(struct judge *j, uint64_t addr)
{
    struct inq_thread_stack other = inq_stack_of_signals(j->dump, j->stack, j->sp);

    if (other.source == INQ_STACK_UNKNOWN)
        other = inq_stack_by_segment(j->dump, j->sp);
    if (other.source == INQ_STACK_UNKNOWN || inq_stack_covers(&other, addr) ||
        inq_stack_covers(&other, j->own.start) || !is_guarded(j, &other, addr) ||
        !is_use_of_stack(j, other.start, addr) || other.start - addr > PROBE_REACH)
        return false;
    enum inq_overflow_kind kind = kind_of(j, &other);
    judge_yes(j, &other, kind == INQ_OVERFLOW_UNKNOWN ? INQ_OVERFLOW_ALTERNATE : kind);
    return true;
}

/* Inside the stack, or in what guards it: what the thread touched is below the end. */
static bool ran_into_guard(const struct judge *j, uint64_t addr)
{
    const struct inq_thread_stack *own = &j->own;

    if (own->source == INQ_STACK_UNKNOWN || !is_guarded(j, own, addr))
        return false;
    return (inq_stack_covers(own, j->sp) || j->sp == end_of(own) || is_guarded(j, own, j->sp)) &&
           is_use_of_stack(j, own->start, addr);
}

static void judge_address(struct judge *j, uint64_t addr)
{
    const struct inq_thread_stack *own = &j->own;
    struct inq_memory_region region;
    uint64_t top;

    if (ran_into_guard(j, addr)) {
        judge_yes(j, own, kind_of(j, own));
    } else if (inq_stack_covers(own, j->sp)) {
        judge_no(j);
    } else if (jumped_out(j, &top)) {
        if (addr < top && (addr >= j->sp || j->sp - addr <= RED_ZONE))
            judge_yes(j, own, INQ_OVERFLOW_BIG_FRAME);
        else
            judge_unknown(j, "the stack pointer is below the stack, and the fault is elsewhere");
    } else if (alternate_overflowed(j, addr)) {
        return;
    } else if (addr < 65536 || inq_memory_region_at(j->dump->memory, j->sp, &region)) {
        judge_no(j);
    } else {
        judge_unknown(j, "the stack pointer is in no mapping, and how it came there is not known");
    }
}

/* No address: the kernel could not write a signal's frame, or the CPU refused something else. */
static void judge_silent(struct judge *j)
{
    const struct inq_core_thread *thread = inq_crashed_thread(j->dump);
    const struct inq_thread_stack *own = &j->own;
    uint64_t room = SIGNAL_FRAME_BYTES + (thread->xstate_size > 0 ? thread->xstate_size : 4096);
    uint64_t top;

    if (j->site.reason != INQ_REASON_NONE && j->site.reason != INQ_REASON_UNDELIVERABLE) {
        judge_no(j);
        return;
    }
    if (own->source == INQ_STACK_UNKNOWN) {
        judge_unknown(j, "where the stack of the thread ends is not known");
        return;
    }
    if (inq_stack_covers(own, j->sp) && j->sp - own->start >= room) {
        judge_no(j);
        return;
    }
    bool low = j->sp == own->start || is_guarded(j, own, j->sp) || jumped_out(j, &top);
    bool no_room = inq_stack_covers(own, j->sp) && own->source == INQ_STACK_PTHREAD &&
                   j->site.has_instruction && inq_crash_signal(j->dump).code == INQ_SI_KERNEL;
    if (low || no_room)
        judge_yes(j, own, kind_of(j, own));
    else
        judge_unknown(j, "the signal has no address, and the stack pointer is near the stack's end "
                         "or outside of it");
}

static void judge_crash(struct judge *j)
{
    struct inq_crash_signal signal = inq_crash_signal(j->dump);

    if (signal.kind != INQ_SIGNAL_SEGV)
        judge_no(j);
    else if (!j->site.is_fault && inq_crash_kind(j->dump) == INQ_CRASH_UNKNOWN)
        judge_unknown(j, "whether this was a fault is not known");
    else if (!j->site.is_fault)
        judge_no(j);
    else if (!inq_crash_sp(j->dump, &j->sp))
        judge_unknown(j, "the registers of the thread are missing");
    else if (j->site.has_address)
        judge_address(j, j->site.address);
    else
        judge_silent(j);
}

static void set_used(struct judge *j)
{
    struct inq_stack_overflow *out = j->out;
    const struct inq_thread_stack *stack = &out->stack;
    uint64_t sp = stack->has_sp ? stack->sp : j->sp;

    if (stack->source == INQ_STACK_UNKNOWN || (!stack->has_sp && !out->overflowed))
        return;
    if (out->overflowed || inq_stack_covers(stack, sp) || inq_stack_guard_covers(stack, sp)) {
        out->has_used = sp <= end_of(stack);
        out->used_bytes = end_of(stack) - sp;
    }
}

void inq_stack_overflow(struct inq_dump *dump, struct inq_stack_overflow *ret_overflow)
{
    struct judge j = {.dump = dump, .stack = inq_crashed_stack(dump), .out = ret_overflow};
    const struct inq_thread_stack *own = inq_crashed_thread_stack(dump);

    *ret_overflow = (struct inq_stack_overflow){.why = "no thread is listed"};
    if (!own)
        return;
    j.own = ret_overflow->stack = *own;
    j.frames = inq_stack_frames(j.stack);
    inq_fault_site(dump, &j.site);
    judge_crash(&j);
    set_used(&j);
    ret_overflow->frames = j.frames;
}

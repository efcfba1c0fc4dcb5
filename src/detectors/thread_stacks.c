/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_stacks.h"

#include <elf.h>
#include <stdlib.h>

#include "pthread_block.h"
#include "signal_frame.h"

/* Guards are small; a larger mapping without rights below a stack is there for another reason (the
 * part of an arena of malloc() that is not used yet, a reserved heap). */
#define MOST_GUARD (1ull << 20)
/* mprotect() on parts of a stack cuts its mapping into pieces. */
#define MOST_PIECES 64u

const char *inq_stack_source_name(enum inq_stack_source source)
{
    static const char *const names[] = {NULL, "pthread", "auxv", "signal-frame", "segment"};
    return names[source];
}

static bool has_no_rights(const struct inq_memory_region *region)
{
    return (region->flags & (PF_R | PF_W | PF_X)) == 0;
}

/* The pages without rights that end where the stack begins. */
static void find_guard_below(const struct inq_dump *dump, struct inq_thread_stack *stack)
{
    struct inq_memory_region region;

    if (stack->start == 0 || !inq_memory_region_at(dump->memory, stack->start - 1, &region) ||
        !has_no_rights(&region) || region.size > MOST_GUARD)
        return;
    stack->guard_start = region.start;
    stack->guard_bytes = stack->start - region.start;
}

/* Pages without rights at the low end of the block; what the library calls the guard, else. */
static void set_from_block(const struct inq_dump *dump, const struct inq_pthread_block *block,
                           struct inq_thread_stack *stack)
{
    uint64_t low = block->start, end = block->start + block->size;
    struct inq_memory_region region;

    stack->source = INQ_STACK_PTHREAD;
    stack->is_musl = block->is_musl;
    for (unsigned pieces = 0; low < end && pieces < MOST_PIECES; pieces++) {
        if (!inq_memory_region_at(dump->memory, low, &region) || !has_no_rights(&region))
            break;
        low = region.start + region.size;
    }
    if (low >= end) /* nothing of it may be used: then the library's word counts */
        low = block->start;
    if (low - block->start < block->guard_bytes) {
        stack->guard_is_inside =
            inq_memory_region_at(dump->memory, block->start, &region) && !has_no_rights(&region);
        low = block->start + block->guard_bytes;
    }
    stack->start = low;
    stack->size = end - low;
    stack->guard_start = block->start;
    stack->guard_bytes = low - block->start;
    if (stack->guard_bytes == 0)
        find_guard_below(dump, stack);
}

/* The writable memory without a hole around the region. */
static struct inq_thread_stack around(const struct inq_dump *dump,
                                      const struct inq_memory_region *region,
                                      enum inq_stack_source source, unsigned pieces)
{
    struct inq_thread_stack stack = {
        .source = source, .start = region->start, .host = SIZE_MAX, .guest = SIZE_MAX};
    uint64_t end = region->start + region->size;
    struct inq_memory_region next;

    for (unsigned i = 0; i < pieces; i++) {
        if (stack.start == 0 || !inq_memory_region_at(dump->memory, stack.start - 1, &next) ||
            !(next.flags & PF_W))
            break;
        stack.start = next.start;
    }
    for (unsigned i = 0; i < pieces; i++) {
        if (end == 0 || !inq_memory_region_at(dump->memory, end, &next) || !(next.flags & PF_W))
            break;
        end = next.start + next.size;
    }
    stack.size = end - stack.start;
    find_guard_below(dump, &stack);
    return stack;
}

struct inq_thread_stack inq_stack_by_segment(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region region;
    struct inq_thread_stack none = {
        .source = INQ_STACK_UNKNOWN, .host = SIZE_MAX, .guest = SIZE_MAX};

    if (!inq_memory_region_at(dump->memory, addr, &region)) {
        if (!inq_memory_region_above(dump->memory, addr, &region) ||
            region.start - addr > MOST_GUARD)
            return none;
    } else if (has_no_rights(&region)) {
        uint64_t end = region.start + region.size;
        if (end - addr > MOST_GUARD || !inq_memory_region_at(dump->memory, end, &region))
            return none;
    }
    if (!(region.flags & PF_W))
        return none;
    return around(dump, &region, INQ_STACK_SEGMENT, 0);
}

struct inq_thread_stack inq_stack_of_signals(const struct inq_dump *dump,
                                             const struct inq_stack *frames, uint64_t sp)
{
    struct inq_thread_stack stack = {
        .source = INQ_STACK_UNKNOWN, .host = SIZE_MAX, .guest = SIZE_MAX};
    uint64_t start, size, end, at;

    if (!inq_signal_context_supported(dump->core) || dump->core->cpu->word_bytes != 8 || !frames)
        return stack;
    for (size_t i = 0; i < frames->n_frames; i++) {
        const struct inq_frame *frame = &frames->frames[i];
        /* the return address is popped: struct ucontext {flags, link, {ss_sp, ss_flags, ss_size}}
         */
        if (frame->kind != INQ_FRAME_SIGNAL || frame->sp > UINT64_MAX - 256)
            continue;
        at = inq_signal_context_stack(dump->core, frame->sp);
        if (inq_memory_u64(dump->memory, at, &start) &&
            inq_memory_u64(dump->memory, at + 16, &size) && start > 0 && size > 0 &&
            !__builtin_add_overflow(start, size, &end) && frame->sp - start < size && sp < end &&
            (sp >= start || start - sp <= MOST_GUARD)) {
            stack.source = INQ_STACK_SIGNAL;
            stack.start = start;
            stack.size = size;
            find_guard_below(dump, &stack);
        }
        break;
    }
    return stack;
}

/*
 * The kernel puts the program's name (AT_EXECFN) and 16 random bytes (AT_RANDOM) above the first
 * frame of the main stack (create_elf_tables() in fs/binfmt_elf.c).
 */
static struct inq_thread_stack find_main(const struct inq_dump *dump)
{
    static const uint64_t types[] = {AT_EXECFN, AT_RANDOM};
    struct inq_memory_region region;
    uint64_t addr;

    for (size_t i = 0; i < 2; i++)
        if (inq_core_auxv(dump->core, types[i], &addr) &&
            inq_memory_region_at(dump->memory, addr, &region) && (region.flags & PF_W))
            return around(dump, &region, INQ_STACK_AUXV, MOST_PIECES);
    return (struct inq_thread_stack){.source = INQ_STACK_UNKNOWN};
}

static bool is_main_thread(const struct inq_dump *dump, const struct inq_core_thread *thread,
                           const struct inq_thread_stack *main_stack, bool has_sp, uint64_t sp)
{
    const struct inq_core *core = dump->core;

    if (core->has_prpsinfo && (int64_t)thread->tid == core->prpsinfo.pid)
        return true;
    return has_sp && inq_stack_covers(main_stack, sp);
}

static struct inq_thread_stack find_one(const struct inq_dump *dump,
                                        const struct inq_pthread_layout *layout,
                                        const struct inq_thread_stack *main_stack,
                                        const struct inq_core_thread *thread)
{
    struct inq_thread_stack stack = {.source = INQ_STACK_UNKNOWN};
    struct inq_pthread_block block;
    uint64_t sp = 0;
    bool has_sp = thread->has_registers && dump->core->cpu && dump->core->cpu->sp >= 0;

    if (has_sp)
        sp = inq_core_sp(dump->core, thread);
    /* a child of fork() goes on on its parent's thread's stack: its control block is asked first */
    if (inq_pthread_block_find(dump, layout, thread, &block))
        set_from_block(dump, &block, &stack);
    else if (is_main_thread(dump, thread, main_stack, has_sp, sp))
        stack = *main_stack;
    else if (has_sp)
        stack = inq_stack_by_segment(dump, sp);
    stack.has_sp = has_sp;
    stack.sp = sp;
    stack.host = stack.guest = SIZE_MAX;
    return stack;
}

static bool has_bounds(const struct inq_thread_stack *stack)
{
    return stack->source == INQ_STACK_PTHREAD || stack->source == INQ_STACK_AUXV;
}

/* Stacks by address, to find the one that covers a stack pointer. */
static int compare_starts(const void *left, const void *right)
{
    const struct inq_thread_stack *a = *(struct inq_thread_stack *const *)left;
    const struct inq_thread_stack *b = *(struct inq_thread_stack *const *)right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static struct inq_thread_stack *stack_below(struct inq_thread_stack **sorted, size_t count,
                                            uint64_t addr)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle]->start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? sorted[low - 1] : NULL;
}

/* False without memory. */
static bool find_guests(struct inq_thread_stack *items, size_t count)
{
    struct inq_thread_stack **sorted = calloc(count + 1, sizeof(*sorted)), *host;
    size_t n = 0;

    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        if (has_bounds(&items[i]))
            sorted[n++] = &items[i];
    if (n > 1)
        qsort(sorted, n, sizeof(*sorted), compare_starts);
    for (size_t i = 0; i < count; i++) {
        struct inq_thread_stack *stack = &items[i];
        if (!has_bounds(stack) || !stack->has_sp || inq_stack_covers(stack, stack->sp) ||
            inq_stack_guard_covers(stack, stack->sp))
            continue;
        host = stack_below(sorted, n, stack->sp);
        if (!host || host == stack || !inq_stack_covers(host, stack->sp))
            continue;
        stack->host = (size_t)(host - items);
        if (host->guest == SIZE_MAX)
            host->guest = i;
    }
    free(sorted);
    return true;
}

const struct inq_thread_stacks *inq_thread_stacks(struct inq_dump *dump)
{
    const struct inq_core *core = dump->core;

    if (dump->thread_stacks && dump->thread_stacks->core == core)
        return dump->thread_stacks;
    struct inq_thread_stacks *stacks = INQ_ARENA_NEW(dump->arena, struct inq_thread_stacks);
    if (!stacks)
        return NULL;
    if (core->n_threads > 0) {
        stacks->items = INQ_ARENA_ARRAY(dump->arena, core->n_threads, struct inq_thread_stack);
        if (!stacks->items)
            return NULL;
    }
    struct inq_pthread_layout layout = inq_pthread_layout(dump);
    struct inq_thread_stack main_stack = find_main(dump);
    for (size_t i = 0; i < core->n_threads; i++)
        stacks->items[i] = find_one(dump, &layout, &main_stack, &core->threads[i]);
    if (!find_guests(stacks->items, core->n_threads))
        return NULL;
    stacks->count = core->n_threads;
    stacks->core = core;
    dump->thread_stacks = stacks;
    return stacks;
}

const struct inq_thread_stack *inq_crashed_thread_stack(struct inq_dump *dump)
{
    const struct inq_thread_stacks *stacks = inq_thread_stacks(dump);

    return stacks && stacks->count > 0 ? &stacks->items[0] : NULL;
}

bool inq_is_hidden_guard(const struct inq_dump *dump, uint64_t addr)
{
    const struct inq_thread_stacks *stacks = dump->thread_stacks;
    size_t i = stacks ? inq_stack_guard_at(stacks, addr) : SIZE_MAX;

    return i != SIZE_MAX && stacks->items[i].guard_is_inside;
}

size_t inq_stack_at(const struct inq_thread_stacks *stacks, uint64_t addr)
{
    for (size_t i = 0; i < stacks->count; i++)
        if (inq_stack_covers(&stacks->items[i], addr))
            return i;
    return SIZE_MAX;
}

size_t inq_stack_guard_at(const struct inq_thread_stacks *stacks, uint64_t addr)
{
    for (size_t i = 0; i < stacks->count; i++)
        if (inq_stack_guard_covers(&stacks->items[i], addr))
            return i;
    return SIZE_MAX;
}

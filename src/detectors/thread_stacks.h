/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_THREAD_STACKS_H
#define INQ_DETECTORS_THREAD_STACKS_H

/* Where each thread's stack begins and ends, and what guards it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

enum inq_stack_source {
    INQ_STACK_UNKNOWN,
    INQ_STACK_PTHREAD, /* the C library's own record in the thread control block */
    INQ_STACK_AUXV,    /* the main stack: the mapping the kernel put the program's name into */
    INQ_STACK_SIGNAL,  /* a signal stack, by what the kernel wrote into a frame on it */
    INQ_STACK_SEGMENT, /* no more than the mapping that the stack pointer is in */
};
/* "pthread", "auxv", "signal-frame", "segment"; NULL for unknown. Static. */
const char *inq_stack_source_name(enum inq_stack_source source);

struct inq_thread_stack {
    enum inq_stack_source source; /* INQ_STACK_UNKNOWN: start, size and guard mean nothing */
    uint64_t start, size;         /* what the thread may use: the guard is not in it; no wrap */
    uint64_t guard_start, guard_bytes; /* right below; 0 bytes when none is known */
    bool is_musl;                      /* of INQ_STACK_PTHREAD: by musl's record, not glibc's */
    bool guard_is_inside;              /* without a border in the dump: MADV_GUARD_INSTALL */
    bool has_sp;
    uint64_t sp;
    /*
     * A frame that is larger than the guard jumps over it, into a neighbour's stack, where nothing
     * fails: indexes of threads, SIZE_MAX without.
     */
    size_t host;  /* in whose stack this thread's stack pointer is */
    size_t guest; /* the first thread whose stack pointer is in this one, not being its own */
};

struct inq_thread_stacks {
    const struct inq_core *core;    /* whose threads: a view of the dump has its own */
    struct inq_thread_stack *items; /* in the core's thread order */
    size_t count;
};

/*
 * Of all threads; worked out at the first call and kept in the dump. NULL without memory. Sizes: a
 * thread of glibc or musl has what pthread_attr_setstacksize() gave it, less what it uses itself
 * for TLS; the main stack's is the size it had grown to (its limit, RLIMIT_STACK, is in no dump); a
 * JVM's zones of pages without rights at the low end count as guard.
 */
const struct inq_thread_stacks *inq_thread_stacks(struct inq_dump *dump);
/* Of the crashing thread; NULL without. */
const struct inq_thread_stack *inq_crashed_thread_stack(struct inq_dump *dump);

/* addr is in [start, start + size). */
static inline bool inq_stack_covers(const struct inq_thread_stack *stack, uint64_t addr)
{
    return stack->source != INQ_STACK_UNKNOWN && addr - stack->start < stack->size;
}
static inline bool inq_stack_guard_covers(const struct inq_thread_stack *stack, uint64_t addr)
{
    return stack->source != INQ_STACK_UNKNOWN && addr - stack->guard_start < stack->guard_bytes;
}
/* Less than a page is left. Of the main stack that means nothing: its mapping grows. */
static inline bool inq_stack_is_nearly_full(const struct inq_thread_stack *stack)
{
    return stack->source == INQ_STACK_PTHREAD && stack->has_sp &&
           inq_stack_covers(stack, stack->sp) && stack->sp - stack->start < 4096;
}

/*
 * In a guard that the list of mappings does not show (MADV_GUARD_INSTALL, glibc since 2.42): the
 * mapping has rights there, and none of it may be used. By the stacks that were worked out before;
 * inq_detectors_run() does so first.
 */
bool inq_is_hidden_guard(const struct inq_dump *dump, uint64_t addr);

/* The thread whose stack (or guard) covers addr; SIZE_MAX without. */
size_t inq_stack_at(const struct inq_thread_stacks *stacks, uint64_t addr);
size_t inq_stack_guard_at(const struct inq_thread_stacks *stacks, uint64_t addr);

/* The mapping around or right above addr as a stack; source INQ_STACK_UNKNOWN when there is none.
 */
struct inq_thread_stack inq_stack_by_segment(const struct inq_dump *dump, uint64_t addr);
/*
 * x86-64: the alternate signal stack that the thread stood on with its stack pointer at `sp`, or
 * right below it: from uc_stack in the innermost signal frame. Source INQ_STACK_UNKNOWN when it
 * stood on none, or no signal frame is among the frames.
 */
struct inq_thread_stack inq_stack_of_signals(const struct inq_dump *dump,
                                             const struct inq_stack *frames, uint64_t sp);

#endif

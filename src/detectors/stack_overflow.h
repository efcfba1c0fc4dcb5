/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_STACK_OVERFLOW_H
#define INQ_DETECTORS_STACK_OVERFLOW_H

/* Did the crashing thread use up its stack, and with what? */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"
#include "thread_stacks.h"

enum inq_overflow_kind {
    INQ_OVERFLOW_UNKNOWN,   /* many frames, none of them big, and no round that repeats */
    INQ_OVERFLOW_RECURSION, /* frames that repeat take most of it */
    INQ_OVERFLOW_BIG_FRAME, /* one frame takes an eighth of it or more, or jumped the guard */
    INQ_OVERFLOW_ALTERNATE, /* none of these, and it was a signal stack or a coroutine's */
};

/* Frames by the space they take: from the frames that were kept, so perhaps not of all. */
struct inq_stack_frames {
    uint64_t cycle_bytes;            /* of one round of what repeats; 0 when not known */
    uint64_t biggest_bytes;          /* 0 when not known */
    const struct inq_frame *biggest; /* whose frame that is; NULL when not known */
};

struct inq_stack_overflow {
    bool is_known;
    const char *why; /* when it is not known; static */
    bool overflowed;
    enum inq_overflow_kind kind;
    struct inq_thread_stack stack; /* the one that overflowed, else the thread's own */
    bool has_used;
    uint64_t used_bytes; /* from its top to the stack pointer; more than its size below its end */
    struct inq_stack_frames frames;
};

void inq_stack_overflow(struct inq_dump *dump, struct inq_stack_overflow *ret_overflow);
/* The frame itself, not what was inlined into it. NULL when it is not among those kept. */
const struct inq_frame *inq_stack_frame_at(const struct inq_stack *stack, size_t index);
struct inq_stack_frames inq_stack_frames(const struct inq_stack *stack);
/*
 * What the function of frame 0 takes off the stack pointer at its beginning, by its code up to the
 * program counter: the sum of `sub $imm,%rsp` (48 81 ec, 48 83 ec) and the reach of a probing
 * loop's `lea -imm(%rsp),%r11` (4c 8d 9c 24). 0 when the code is not in the dump, or has none.
 * x86-64.
 */
uint64_t inq_frame_bytes_by_code(const struct inq_dump *dump, uint64_t function, uint64_t pc);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_FRAMES_H
#define INQ_UNWIND_FRAMES_H

/*
 * Collects the frames of one thread in constant memory: the innermost and the outermost are kept,
 * all are counted, and what repeats is noticed on the way.
 */

#include <stdbool.h>

#include "arena.h"
#include "bounds.h"
#include "cycle.h"
#include "stacks.h"

#define INQ_FRAMES_KEPT (INQ_MAX_FRAMES_SHOWN / 2) /* at either end */

struct inq_frames {
    struct inq_frame inner[INQ_FRAMES_KEPT];
    struct inq_frame outer[INQ_FRAMES_KEPT]; /* a ring: frame i is in slot i % INQ_FRAMES_KEPT */
    uint64_t count;
    struct inq_cycle_finder cycle;
};

void inq_frames_reset(struct inq_frames *frames);
/* Copies the frame; sets its index. */
void inq_frames_push(struct inq_frames *frames, const struct inq_frame *frame);
/* Fills in frames, counts and cycle of the stack; false without memory. */
bool inq_frames_finish(const struct inq_frames *frames, struct inq_arena *arena,
                       struct inq_stack *stack);

#endif

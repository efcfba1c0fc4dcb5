/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

void inq_frames_reset(struct inq_frames *frames)
{
    frames->count = 0;
    frames->cycle = (struct inq_cycle_finder){.count = 0};
}

void inq_frames_push(struct inq_frames *frames, const struct inq_frame *frame)
{
    uint64_t index = frames->count++;
    struct inq_frame *slot =
        index < INQ_FRAMES_KEPT ? &frames->inner[index] : &frames->outer[index % INQ_FRAMES_KEPT];
    *slot = *frame;
    slot->index = index;
    inq_cycle_push(&frames->cycle, frame->pc);
}

bool inq_frames_finish(const struct inq_frames *frames, struct inq_arena *arena,
                       struct inq_stack *stack)
{
    uint64_t inner = frames->count < INQ_FRAMES_KEPT ? frames->count : INQ_FRAMES_KEPT;
    uint64_t outer = frames->count - inner;
    if (outer > INQ_FRAMES_KEPT)
        outer = INQ_FRAMES_KEPT;

    struct inq_frame *kept = NULL;
    if (inner > 0) {
        kept = INQ_ARENA_ARRAY(arena, (size_t)(inner + outer), struct inq_frame);
        if (!kept)
            return false;
        memcpy(kept, frames->inner, (size_t)inner * sizeof(*kept));
        for (uint64_t i = 0; i < outer; i++)
            kept[inner + i] = frames->outer[(frames->count - outer + i) % INQ_FRAMES_KEPT];
    }
    stack->frames = kept;
    stack->n_frames = (size_t)(inner + outer);
    stack->frames_total = frames->count;
    stack->truncated = frames->count > inner + outer;

    struct inq_cycle cycle = inq_cycle_result(&frames->cycle);
    stack->cycle_start = (size_t)cycle.start;
    stack->cycle_length = (size_t)cycle.length;
    stack->cycle_count = cycle.count;
    return true;
}

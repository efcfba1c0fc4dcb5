/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_PLAN_H
#define INQ_SOURCE_PLAN_H

/*
 * What the caller wants of a stream, laid out in the order in which it will come by: overlaps
 * resolved (RAW before PACKED, then the lower priority number), and RAW only as far as its budget
 * reaches; what does not fit is PACKED instead.
 */

#include "array.h"
#include "source.h"

struct inq_plan_piece {
    uint64_t off;
    uint64_t size; /* > 0; off + size does not overflow */
    enum inq_keep keep;
    uint8_t priority;
};

struct inq_segments {
    struct inq_plan_piece *items; /* ascending, disjoint */
    size_t count, capacity;
};

/* Ranges are clipped to begin at `from`. *ret_raw_bytes is what the RAW segments take together. */
struct inq_error *inq_plan_lay_out(const struct inq_source_plan *plan, uint64_t from,
                                   struct inq_segments *ret_segments, uint64_t *ret_raw_bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MEMORY_RANGES_H
#define INQ_MEMORY_RANGES_H

/* Segments, and what NT_FILE names outside of them, as disjoint ranges in address order. */

#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "error.h"

struct inq_memory_range {
    uint64_t start, size;
    uint64_t off;     /* of start, in the dump */
    uint64_t saved;   /* bytes from start that the dump was to hold */
    uint64_t present; /* of those, how many it does */
    uint32_t flags;
};

/*
 * Where segments overlap, the first in file order wins. *ret_overlaps counts the segments that lost
 * something. n log n. The ranges are to be freed by the caller; one slot more than *ret_count is
 * allocated at least.
 */
struct inq_error *inq_memory_ranges_build(const struct inq_core *core,
                                          struct inq_memory_range **ret_ranges, size_t *ret_count,
                                          size_t *ret_overlaps);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MEMORY_BACKING_H
#define INQ_MEMORY_BACKING_H

/*
 * Bytes of verified files, by the addresses they were mapped at. Sorted once, at the first look-up.
 * Where two overlap, the one that begins lower wins, of two that begin together the one added
 * first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

struct inq_backing_range {
    uint64_t addr, size;
    const uint8_t *bytes;
    size_t order; /* of adding */
};

struct inq_backing {
    struct inq_backing_range *items; /* in the arena */
    size_t count, capacity;
    bool sorted;
};

/* False without memory. The range does not wrap. */
bool inq_backing_add(struct inq_backing *backing, struct inq_arena *arena, uint64_t addr,
                     const void *bytes, size_t size);
/* The range that covers addr, NULL without. */
const struct inq_backing_range *inq_backing_find(struct inq_backing *backing, uint64_t addr);

#endif

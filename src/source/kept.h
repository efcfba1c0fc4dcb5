/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_KEPT_H
#define INQ_SOURCE_KEPT_H

/*
 * What was kept of a stream: extents in ascending order, each raw in memory, packed (a zstd frame
 * of at most INQ_KEPT_BLOCK_BYTES of the dump) or all zeros. Extents are appended as the stream
 * goes by and never overlap, so looking one up is a binary search.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define INQ_KEPT_BLOCK_BYTES (32u * 1024u)

struct inq_kept;

struct inq_kept *inq_kept_create(uint64_t packed_budget_bytes); /* NULL without memory */
void inq_kept_destroy(struct inq_kept *kept);                  /* takes NULL */

/*
 * The functions below append at `off`, which must not lie before the end of the last extent; false
 * without memory.
 */

/* Bytes that live elsewhere, at least as long. */
bool inq_kept_add_raw(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, uint64_t size);
/* A copy, beside the one before it where both are small. */
bool inq_kept_copy_raw(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, size_t size);
bool inq_kept_add_zeros(struct inq_kept *kept, uint64_t off, uint64_t size);
/*
 * At most INQ_KEPT_BLOCK_BYTES. When the budget is used up, blocks of a worse (higher) priority
 * make room, or else the block is dropped; *dropped_bytes grows by what was lost either way.
 */
bool inq_kept_pack(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, size_t size,
                    uint8_t priority, uint64_t *dropped_bytes);

/*
 * Zeroed memory that lives as long as the kept, without an extent; NULL without memory. Large
 * pieces cost only the pages that are written.
 */
uint8_t *inq_kept_reserve(struct inq_kept *kept, uint64_t size);

size_t inq_kept_extents(const struct inq_kept *kept);

/* Bytes at `off` up to the first that is not kept; false when a kept block could not be unpacked.
 */
bool inq_kept_read(struct inq_kept *kept, uint64_t off, uint8_t *buf, size_t size,
                    size_t *ret_got);
/* NULL when it is not raw in one piece. */
const void *inq_kept_view(const struct inq_kept *kept, uint64_t off, size_t size);

/* All bytes 0? Quick when the first are not. */
bool inq_bytes_are_zero(const uint8_t *bytes, size_t size);

#endif

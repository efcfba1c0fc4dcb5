/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_STORE_H
#define INQ_SOURCE_STORE_H

/*
 * What was kept of a stream: extents in ascending order, each raw in memory, packed (a zstd frame
 * of at most INQ_STORE_BLOCK_BYTES of the dump) or all zeros. Extents are appended as the stream
 * goes by and never overlap, so looking one up is a binary search.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define INQ_STORE_BLOCK_BYTES (32u * 1024u)

struct inq_store;

struct inq_store *inq_store_create(uint64_t packed_budget_bytes); /* NULL without memory */
void inq_store_destroy(struct inq_store *store);                  /* takes NULL */

/*
 * The functions below append at `off`, which must not lie before the end of the last extent; false
 * without memory.
 */

/* Bytes that live elsewhere, as long as the store. */
bool inq_store_add_raw(struct inq_store *store, uint64_t off, const uint8_t *bytes, uint64_t size);
/* A copy, beside the one before it where both are small. */
bool inq_store_copy_raw(struct inq_store *store, uint64_t off, const uint8_t *bytes, size_t size);
bool inq_store_add_zeros(struct inq_store *store, uint64_t off, uint64_t size);
/*
 * At most INQ_STORE_BLOCK_BYTES. When the budget is used up, blocks of a worse (higher) priority
 * make room, or else the block is dropped; *dropped_bytes grows by what was lost either way.
 */
bool inq_store_pack(struct inq_store *store, uint64_t off, const uint8_t *bytes, size_t size,
                    uint8_t priority, uint64_t *dropped_bytes);

/*
 * Zeroed memory that lives as long as the store, without an extent; NULL without memory. Large
 * pieces cost only the pages that are written.
 */
uint8_t *inq_store_reserve(struct inq_store *store, uint64_t size);

size_t inq_store_extents(const struct inq_store *store);

/* Bytes at `off` up to the first that is not kept; false when a kept block could not be unpacked.
 */
bool inq_store_read(struct inq_store *store, uint64_t off, uint8_t *buf, size_t size,
                    size_t *ret_got);
/* NULL when it is not raw in one piece. */
const void *inq_store_view(const struct inq_store *store, uint64_t off, size_t size);

/* All bytes 0? Quick when the first are not. */
bool inq_bytes_are_zero(const uint8_t *bytes, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MEMORY_MEMORY_H
#define INQ_MEMORY_MEMORY_H

/*
 * The memory of the dead process: address → bytes | not saved | not mapped. Bytes that are not
 * there are never handed out as zeroes. Look-ups are a binary search over disjoint ranges.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "core.h"
#include "error.h"
#include "gaps.h"

enum inq_memory_status {
    INQ_MEMORY_OK,
    INQ_MEMORY_NOT_SAVED,  /* mapped, but left out (filter), cut off, or not kept from a stream */
    INQ_MEMORY_NOT_MAPPED,
};

struct inq_memory;

struct inq_memory_region { /* what the dump says about one address */
    uint64_t start, size; /* of the segment */
    uint32_t flags;       /* PF_* */
    uint64_t saved_bytes; /* from start, in the dump */
};

struct inq_error *inq_memory_create(const struct inq_core *core, struct inq_source *source,
                                    struct inq_arena *arena, struct inq_gaps *gaps,
                                    struct inq_memory **ret_memory);

/*
 * Reads up to `size` bytes; *ret_got (may be NULL) is how many are valid from the start, and the
 * status is that of the first byte that is missing (OK when none is). Runs over the borders of
 * adjacent segments; never wraps at 2^64.
 */
enum inq_memory_status inq_memory_read(struct inq_memory *memory, uint64_t addr, void *buf,
                                       size_t size, size_t *ret_got);
/* Without copying; NULL when the bytes are not contiguous in one piece: then read. */
const void *inq_memory_view(struct inq_memory *memory, uint64_t addr, size_t size);

bool inq_memory_u16(struct inq_memory *memory, uint64_t addr, uint16_t *ret_value);
bool inq_memory_u32(struct inq_memory *memory, uint64_t addr, uint32_t *ret_value);
bool inq_memory_u64(struct inq_memory *memory, uint64_t addr, uint64_t *ret_value);
/* A pointer-sized word of the dead process, in its byte order. */
bool inq_memory_word(struct inq_memory *memory, uint64_t addr, uint64_t *ret_value);
/* A NUL-terminated string of at most `max` bytes copied to the arena; NULL when unreadable. */
const char *inq_memory_string(struct inq_memory *memory, uint64_t addr, size_t max);

/* The segment that covers addr; false when nothing is mapped there. */
bool inq_memory_region_at(const struct inq_memory *memory, uint64_t addr,
                          struct inq_memory_region *ret_region);
/* The nearest segments below and above an address that is not mapped; false when there is none. */
bool inq_memory_region_below(const struct inq_memory *memory, uint64_t addr,
                             struct inq_memory_region *ret_region);
bool inq_memory_region_above(const struct inq_memory *memory, uint64_t addr,
                             struct inq_memory_region *ret_region);
size_t inq_memory_region_count(const struct inq_memory *memory);
struct inq_memory_region inq_memory_region_get(const struct inq_memory *memory, size_t index);

/*
 * Lets reads of [addr, addr + size) that the dump did not save fall through to `bytes`: the part of
 * a module's file whose identity has been verified. Never hides bytes of the dump, and only where
 * the dump says that something is mapped and not writable. `bytes` must outlive the memory.
 * Adding many and reading afterwards is n log n: the ranges are sorted once, at the next read.
 */
struct inq_error *inq_memory_add_backing(struct inq_memory *memory, uint64_t addr,
                                         const void *bytes, size_t size);

/* Bytes of read-write memory that were mapped and left out: for the "filtered" gap. */
uint64_t inq_memory_unsaved_writable_bytes(const struct inq_memory *memory);

#endif

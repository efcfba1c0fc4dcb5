/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_CURSOR_H
#define INQ_BASE_CURSOR_H

/*
 * A bounds-checked reader over foreign bytes. Every read either succeeds and moves on, or fails and
 * leaves the cursor where it was; nothing is ever read past `size`. Byte order and word size are
 * those of the dump.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct inq_cursor {
    const uint8_t *bytes;
    size_t size;
    size_t pos; /* invariant: pos <= size */
    bool big_endian;
    uint8_t word_bytes; /* 4 or 8: what inq_cursor_word() reads */
};

struct inq_cursor inq_cursor_init(const void *bytes, size_t size, bool big_endian,
                                  uint8_t word_bytes);
static inline size_t inq_cursor_left(const struct inq_cursor *c) { return c->size - c->pos; }

bool inq_cursor_u8(struct inq_cursor *c, uint8_t *ret_value);
bool inq_cursor_u16(struct inq_cursor *c, uint16_t *ret_value);
bool inq_cursor_u32(struct inq_cursor *c, uint32_t *ret_value);
bool inq_cursor_u64(struct inq_cursor *c, uint64_t *ret_value);
/* A word of the dump: 4 or 8 bytes, zero-extended. */
bool inq_cursor_word(struct inq_cursor *c, uint64_t *ret_value);
/* A pointer into the bytes, valid as long as they are. */
bool inq_cursor_bytes(struct inq_cursor *c, size_t size, const uint8_t **ret_bytes);
bool inq_cursor_skip(struct inq_cursor *c, size_t size);
bool inq_cursor_seek(struct inq_cursor *c, size_t pos);
/* A NUL-terminated string within what is left; size without the NUL. False when no NUL follows. */
bool inq_cursor_string(struct inq_cursor *c, const char **ret_text, size_t *ret_size);

/* Unaligned loads for bytes whose bounds are already known. */
static inline uint16_t inq_load_u16(const void *bytes, bool big_endian)
{
    uint16_t v;

    memcpy(&v, bytes, sizeof(v));
    return big_endian ? __builtin_bswap16(v) : v;
}

static inline uint32_t inq_load_u32(const void *bytes, bool big_endian)
{
    uint32_t v;

    memcpy(&v, bytes, sizeof(v));
    return big_endian ? __builtin_bswap32(v) : v;
}

static inline uint64_t inq_load_u64(const void *bytes, bool big_endian)
{
    uint64_t v;

    memcpy(&v, bytes, sizeof(v));
    return big_endian ? __builtin_bswap64(v) : v;
}

#endif

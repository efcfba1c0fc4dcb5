/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "inquest runs on little-endian hosts; dumps may be of either kind"
#endif

struct inq_cursor inq_cursor_init(const void *bytes, size_t size, bool big_endian,
                                  uint8_t word_bytes)
{
    return (struct inq_cursor){
        .bytes = bytes, .size = size, .big_endian = big_endian, .word_bytes = word_bytes};
}

bool inq_cursor_bytes(struct inq_cursor *c, size_t size, const uint8_t **ret_bytes)
{
    if (size > inq_cursor_left(c))
        return false;
    *ret_bytes = c->bytes ? c->bytes + c->pos : NULL;
    c->pos += size;
    return true;
}

bool inq_cursor_skip(struct inq_cursor *c, size_t size)
{
    const uint8_t *ignored;

    return inq_cursor_bytes(c, size, &ignored);
}

bool inq_cursor_seek(struct inq_cursor *c, size_t pos)
{
    if (pos > c->size)
        return false;
    c->pos = pos;
    return true;
}

bool inq_cursor_u8(struct inq_cursor *c, uint8_t *ret_value)
{
    const uint8_t *p;

    if (!inq_cursor_bytes(c, 1, &p))
        return false;
    *ret_value = *p;
    return true;
}

bool inq_cursor_u16(struct inq_cursor *c, uint16_t *ret_value)
{
    const uint8_t *p;

    if (!inq_cursor_bytes(c, 2, &p))
        return false;
    *ret_value = inq_load_u16(p, c->big_endian);
    return true;
}

bool inq_cursor_u32(struct inq_cursor *c, uint32_t *ret_value)
{
    const uint8_t *p;

    if (!inq_cursor_bytes(c, 4, &p))
        return false;
    *ret_value = inq_load_u32(p, c->big_endian);
    return true;
}

bool inq_cursor_u64(struct inq_cursor *c, uint64_t *ret_value)
{
    const uint8_t *p;

    if (!inq_cursor_bytes(c, 8, &p))
        return false;
    *ret_value = inq_load_u64(p, c->big_endian);
    return true;
}

bool inq_cursor_word(struct inq_cursor *c, uint64_t *ret_value)
{
    uint32_t narrow;

    if (c->word_bytes != 4)
        return inq_cursor_u64(c, ret_value);
    if (!inq_cursor_u32(c, &narrow))
        return false;
    *ret_value = narrow;
    return true;
}

bool inq_cursor_string(struct inq_cursor *c, const char **ret_text, size_t *ret_size)
{
    size_t left = inq_cursor_left(c);
    const uint8_t *start, *nul;

    if (left == 0)
        return false;
    start = c->bytes + c->pos;
    nul = memchr(start, '\0', left);
    if (!nul)
        return false;
    *ret_text = (const char *)start;
    *ret_size = (size_t)(nul - start);
    c->pos += *ret_size + 1;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "eh_index.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cursor.h"

#define CIE_OFF_NONE UINT64_MAX

struct reader {
    struct inq_cursor cursor; /* over the section */
    uint64_t addr;            /* of the section in the dead process */
    uint64_t cie_off;         /* the CIE whose encoding this is: FDEs of one come in a row */
    uint8_t encoding;
    INQ_ARRAY(struct inq_eh_entry) entries;
};

static bool read_uleb(struct inq_cursor *cursor, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned int shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        if (!inq_cursor_u8(cursor, &byte))
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* Bytes of a pointer with this encoding (low nibble, LSB); 0 for the ones nobody uses here. */
static size_t encoded_size(uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case 0x00: /* absptr */
    case 0x04: /* udata8 */
    case 0x0c: /* sdata8 */
        return 8;
    case 0x03: /* udata4 */
    case 0x0b: /* sdata4 */
        return 4;
    default:
        return 0;
    }
}

/* How the FDEs of a CIE write addresses: the `R` of its augmentation. */
static bool read_cie_encoding(struct inq_cursor cursor, uint8_t *ret_encoding)
{
    uint8_t version, encoding;
    const char *augmentation;
    size_t size;
    uint64_t ignored;

    if (!inq_cursor_u8(&cursor, &version) || (version != 1 && version != 3) ||
        !inq_cursor_string(&cursor, &augmentation, &size) || !read_uleb(&cursor, &ignored) ||
        !read_uleb(&cursor, &ignored) || !read_uleb(&cursor, &ignored))
        return false;
    *ret_encoding = 0; /* absptr when it says nothing */
    if (augmentation[0] != 'z')
        return size == 0;
    if (!read_uleb(&cursor, &ignored))
        return false;
    for (const char *letter = augmentation + 1; *letter; letter++) {
        if (*letter == 'S' || *letter == 'B')
            continue;
        if (!inq_cursor_u8(&cursor, &encoding))
            return false;
        if (*letter == 'R') {
            *ret_encoding = encoding;
            return encoded_size(encoding) != 0;
        }
        if (*letter == 'P' &&
            (encoded_size(encoding) == 0 || !inq_cursor_skip(&cursor, encoded_size(encoding))))
            return false;
        if (*letter != 'P' && *letter != 'L')
            return false;
    }
    return true;
}

/* Sets the encoding for the CIE that an FDE points to. */
static bool need_cie(struct reader *reader, uint64_t cie_off)
{
    struct inq_cursor cursor = reader->cursor;
    uint32_t length, id;

    if (reader->cie_off == cie_off)
        return true;
    if (cie_off > SIZE_MAX || !inq_cursor_seek(&cursor, (size_t)cie_off) ||
        !inq_cursor_u32(&cursor, &length) || !inq_cursor_u32(&cursor, &id) || id != 0 ||
        !read_cie_encoding(cursor, &reader->encoding))
        return false;
    reader->cie_off = cie_off;
    return true;
}

/* The cursor stands behind the FDE's CIE pointer. */
static bool read_function(const struct reader *reader, struct inq_cursor cursor,
                          uint64_t *ret_start)
{
    uint64_t value, field = reader->addr + cursor.pos;
    uint32_t narrow;

    if (encoded_size(reader->encoding) == 8) {
        if (!inq_cursor_u64(&cursor, &value))
            return false;
    } else {
        if (!inq_cursor_u32(&cursor, &narrow))
            return false;
        value = (reader->encoding & 0x08) ? (uint64_t)(int64_t)(int32_t)narrow : narrow;
    }
    switch (reader->encoding & 0xf0) {
    case 0x00:
        *ret_start = value;
        return value != 0;
    case 0x10: /* relative to the field itself */
        *ret_start = field + value;
        return value != 0;
    default:
        return false;
    }
}

/* One record; false at the end of the section, its terminator or damage. */
static bool read_record(struct reader *reader, bool *ret_memory)
{
    struct inq_cursor *cursor = &reader->cursor;
    uint64_t fde_off = cursor->pos, start;
    uint32_t length, id;

    if (!inq_cursor_u32(cursor, &length) || length == 0 || length == UINT32_MAX)
        return false;
    size_t id_pos = cursor->pos;
    if (inq_cursor_left(cursor) < length || !inq_cursor_u32(cursor, &id))
        return false;
    if (id != 0 && id <= id_pos && need_cie(reader, id_pos - id) &&
        read_function(reader, *cursor, &start)) {
        struct inq_eh_entry *entry = INQ_ARRAY_PUSH(&reader->entries);
        *ret_memory = entry != NULL;
        if (!entry)
            return false;
        *entry = (struct inq_eh_entry){.start = start, .fde = reader->addr + fde_off};
    }
    return inq_cursor_seek(cursor, id_pos) && inq_cursor_skip(cursor, length);
}

static int compare_entries(const void *left, const void *right)
{
    const struct inq_eh_entry *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

struct inq_eh_entry *inq_eh_index_read(const struct inq_module *module, struct inq_arena *arena,
                                       uint64_t *ret_count)
{
    const struct inq_image *image = module->image;
    struct inq_image_section section;
    if (image->elf_class != 64 || image->big_endian ||
        !inq_image_section(image, ".eh_frame", &section) || section.compressed)
        return NULL;

    struct reader reader = {
        .cursor = inq_cursor_init(section.bytes, section.size, false, 8),
        .addr = section.addr + module->load_bias,
        .cie_off = CIE_OFF_NONE,
    };
    bool memory = true;
    while (read_record(&reader, &memory))
        ;

    struct inq_eh_entry *entries = NULL;
    size_t count = reader.entries.count;
    if (memory && count > 0)
        entries = INQ_ARENA_ARRAY(arena, count, struct inq_eh_entry);
    if (entries) {
        memcpy(entries, reader.entries.items, count * sizeof(*entries));
        qsort(entries, count, sizeof(*entries), compare_entries);
        *ret_count = count;
    }
    if (!memory)
        inq_arena_set_failed(arena);
    INQ_ARRAY_FREE(&reader.entries);
    return entries;
}

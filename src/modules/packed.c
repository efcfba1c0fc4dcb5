/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"

#include <elf.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "cleanup.h"
#include "cursor.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* deflate makes at most 1032 bytes of one. */
#define ZLIB_BEST 1032u
#define ZLIB_SLACK 64u
#define XZ_MEMORY (96ull * 1024 * 1024) /* its largest preset wants 65 MiB to unpack */
#define XZ_FIRST_BYTES (256u * 1024u)

struct packed {
    const uint8_t *bytes;
    size_t size;
    uint64_t unpacked; /* as it claims */
    uint32_t method;   /* 0: it is not compressed */
};

const char *inq_packed_text(enum inq_packed result)
{
    switch (result) {
    case INQ_PACKED_OK:
        return "";
    case INQ_PACKED_NONE:
        return "there is none";
    case INQ_PACKED_DAMAGED:
        return "compressed data is damaged";
    case INQ_PACKED_LIMIT:
        return "compressed data claims to be larger than is unpacked";
    case INQ_PACKED_METHOD:
        return "compressed in a way that is not known";
    case INQ_PACKED_MEMORY:
        return "out of memory";
    }
    return "";
}

/* Elf64_Chdr: type, reserved, size, align; Elf32_Chdr: type, size, align. */
static bool read_chdr(const struct inq_image *image, struct packed *packed)
{
    const bool be = image->big_endian, wide = image->elf_class == 64;
    const size_t header = wide ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);

    if (packed->size < header)
        return false;
    packed->method = inq_load_u32(packed->bytes, be);
    packed->unpacked =
        wide ? inq_load_u64(packed->bytes + 8, be) : inq_load_u32(packed->bytes + 4, be);
    packed->bytes += header;
    packed->size -= header;
    return packed->method != 0;
}

static bool read_zdebug(struct packed *packed)
{
    if (packed->size < 12 || memcmp(packed->bytes, "ZLIB", 4) != 0)
        return false;
    packed->method = ELFCOMPRESS_ZLIB;
    packed->unpacked = inq_load_u64(packed->bytes + 4, true);
    packed->bytes += 12;
    packed->size -= 12;
    return true;
}

static enum inq_packed find(const struct inq_image *image, const char *name,
                            struct packed *ret_packed)
{
    struct inq_image_section section;
    struct packed packed = {0};
    char old_name[48];

    if (inq_image_section(image, name, &section)) {
        packed.bytes = section.bytes;
        packed.size = section.size;
        if (section.compressed && !read_chdr(image, &packed))
            return INQ_PACKED_DAMAGED;
    } else {
        int size = snprintf(old_name, sizeof(old_name), ".z%s", name + 1);
        if (size < 0 || (size_t)size >= sizeof(old_name) ||
            !inq_image_section(image, old_name, &section))
            return INQ_PACKED_NONE;
        packed.bytes = section.bytes;
        packed.size = section.size;
        if (section.compressed || !read_zdebug(&packed))
            return INQ_PACKED_DAMAGED;
    }
    *ret_packed = packed;
    return packed.size == 0 ? INQ_PACKED_NONE : INQ_PACKED_OK;
}

/* Whole buffers of known sizes: libdeflate takes half of the time that zlib does. */
static bool inflate_all(const struct packed *packed, uint8_t *out)
{
    struct libdeflate_decompressor *state = libdeflate_alloc_decompressor();
    enum libdeflate_result result =
        state ? libdeflate_zlib_decompress(state, packed->bytes, packed->size, out,
                                           (size_t)packed->unpacked, NULL)
              : LIBDEFLATE_BAD_DATA;

    libdeflate_free_decompressor(state);
    return result == LIBDEFLATE_SUCCESS; /* exactly as many bytes as were claimed */
}

static bool unpack(const struct packed *packed, uint8_t *out)
{
    if (packed->method == ELFCOMPRESS_ZLIB)
        return inflate_all(packed, out);
    return ZSTD_decompress(out, (size_t)packed->unpacked, packed->bytes, packed->size) ==
           packed->unpacked;
}

enum inq_packed inq_image_debug_section(const struct inq_image *image, const char *name,
                                        struct inq_arena *arena, uint64_t *bytes_left,
                                        const uint8_t **ret_bytes, size_t *ret_size)
{
    struct packed packed;
    enum inq_packed result = find(image, name, &packed);

    if (result != INQ_PACKED_OK)
        return result;
    if (packed.method == 0) {
        *ret_bytes = packed.bytes;
        *ret_size = packed.size;
        return INQ_PACKED_OK;
    }
    if (packed.method != ELFCOMPRESS_ZLIB && packed.method != ELFCOMPRESS_ZSTD)
        return INQ_PACKED_METHOD;
    if (packed.unpacked > *bytes_left)
        return INQ_PACKED_LIMIT;
    if (packed.method == ELFCOMPRESS_ZLIB &&
        packed.unpacked > (uint64_t)packed.size * ZLIB_BEST + ZLIB_SLACK)
        return INQ_PACKED_DAMAGED;
    if (packed.unpacked == 0)
        return INQ_PACKED_NONE;
    uint8_t *out = INQ_ARENA_ARRAY(arena, (size_t)packed.unpacked, uint8_t);
    if (!out)
        return INQ_PACKED_MEMORY;
    *bytes_left -= packed.unpacked;
    if (!unpack(&packed, out))
        return INQ_PACKED_DAMAGED;
    *ret_bytes = out;
    *ret_size = (size_t)packed.unpacked;
    return INQ_PACKED_OK;
}

bool inq_image_has_debug_section(const struct inq_image *image, const char *name)
{
    struct packed packed;

    return find(image, name, &packed) == INQ_PACKED_OK;
}

bool inq_image_debug_section_packed(const struct inq_image *image, const char *name,
                                    uint64_t *ret_size)
{
    struct packed packed;

    if (find(image, name, &packed) != INQ_PACKED_OK || packed.method == 0)
        return false;
    *ret_size = packed.unpacked;
    return true;
}

/* ---- xz ------------------------------------------------------------------------------------ */

/* Room for twice as much, up to the limit; false at the limit and without memory. */
static bool grow(uint8_t **buf, size_t *capacity, uint64_t limit, enum inq_packed *ret_why)
{
    uint64_t want = *capacity ? (uint64_t)*capacity * 2 : XZ_FIRST_BYTES;

    if (*capacity >= limit) {
        *ret_why = INQ_PACKED_LIMIT;
        return false;
    }
    if (want > limit)
        want = limit;
    uint8_t *bigger = realloc(*buf, (size_t)want);
    if (!bigger) {
        *ret_why = INQ_PACKED_MEMORY;
        return false;
    }
    *buf = bigger;
    *capacity = (size_t)want;
    return true;
}

enum inq_packed inq_unpack_xz(const uint8_t *bytes, size_t size, uint64_t limit,
                              uint8_t **ret_bytes, size_t *ret_size)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    _cleanup_free_ uint8_t *buf = NULL;
    size_t capacity = 0, made = 0;
    enum inq_packed why = INQ_PACKED_OK;
    lzma_ret result;

    if (lzma_stream_decoder(&stream, XZ_MEMORY, 0) != LZMA_OK)
        return INQ_PACKED_MEMORY;
    stream.next_in = bytes;
    stream.avail_in = size;
    do {
        if (made == capacity && !grow(&buf, &capacity, limit, &why)) {
            lzma_end(&stream);
            return why;
        }
        stream.next_out = buf + made;
        stream.avail_out = capacity - made;
        result = lzma_code(&stream, LZMA_FINISH);
        made = capacity - stream.avail_out;
    } while (result == LZMA_OK); /* without any progress it says LZMA_BUF_ERROR */
    lzma_end(&stream);
    if (result == LZMA_MEMLIMIT_ERROR)
        return INQ_PACKED_LIMIT;
    if (result == LZMA_MEM_ERROR)
        return INQ_PACKED_MEMORY;
    if (result != LZMA_STREAM_END)
        return INQ_PACKED_DAMAGED;
    *ret_bytes = TAKE_PTR(buf);
    *ret_size = made;
    return INQ_PACKED_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "cleanup.h"
#include "cursor.h"
#include "bounds.h"

#define FRAME_MAGIC 0xfd2fb528u
#define SKIPPABLE_MAGIC 0x184d2a50u /* the low four bits are free */
#define SKIPPABLE_MASK 0xfffffff0u

static bool is_skippable(uint32_t magic)
{
    return (magic & SKIPPABLE_MASK) == SKIPPABLE_MAGIC;
}

bool inq_unpack_is_zstd(const uint8_t *bytes, size_t size)
{
    uint32_t magic;

    if (size < sizeof(magic))
        return false;
    magic = inq_load_u32(bytes, false);
    return magic == FRAME_MAGIC || is_skippable(magic);
}

const char *inq_unpack_foreign(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name;
    } known[] = {
        {"\xfd"
         "7zXZ\0",
         6, "xz"},
        {"\x04\x22\x4d\x18", 4, "lz4"},
        {"\x02\x21\x4c\x18", 4, "lz4 (the legacy format)"},
        {"\x1f\x8b", 2, "gzip"},
        {"\x1f\x9d", 2, "compress"},
        {"BZh", 3, "bzip2"},
        {"LZIP\x01", 5, "lzip"},
        {"\x89LZO\0", 5, "lzop"},
        {"\x22\xb5\x2f\xfd", 4, "an old version of zstd"},
        {"\x23\xb5\x2f\xfd", 4, "an old version of zstd"},
        {"\x24\xb5\x2f\xfd", 4, "an old version of zstd"},
        {"\x25\xb5\x2f\xfd", 4, "an old version of zstd"},
        {"\x26\xb5\x2f\xfd", 4, "an old version of zstd"},
        {"\x27\xb5\x2f\xfd", 4, "an old version of zstd"},
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (size >= known[i].size && memcmp(bytes, known[i].magic, known[i].size) == 0)
            return known[i].name;
    return NULL;
}

bool inq_unpack_init(struct inq_unpack *unpack, enum inq_codec codec)
{
    unpack->codec = codec;
    unpack->limit = INQ_MAX_UNPACKED;
    if (codec == INQ_CODEC_NONE)
        return true;
    unpack->zstd = ZSTD_createDCtx();
    if (!unpack->zstd)
        return false;
    return !ZSTD_isError(
        ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, INQ_MAX_ZSTD_WINDOW_LOG));
}

void inq_unpack_deinit(struct inq_unpack *unpack)
{
    ZSTD_freeDCtx(unpack->zstd);
    unpack->zstd = NULL;
    inq_input_deinit(&unpack->input);
}

static void stop(struct inq_unpack *u, enum inq_stop how, const char *why)
{
    u->stop = how;
    u->why = why;
    u->stop_off = inq_input_off(&u->input);
}

/* The input has no more bytes, in the middle of something or not. */
static void stop_at_end(struct inq_unpack *u, enum inq_stop how, const char *why)
{
    stop(u, u->input.error ? INQ_STOP_READ : how, why);
}

/* Up to the begin of the next frame with content. */
static bool begin_frame(struct inq_unpack *u)
{
    static const uint8_t frame_magic[] = {0x28, 0xb5, 0x2f, 0xfd};

    for (;;) {
        size_t n = inq_input_need(&u->input, 8);
        const uint8_t *p = u->input.buffer + u->input.pos;
        uint32_t magic;

        if (n == 0) {
            stop_at_end(u, INQ_STOP_END, NULL);
            return false;
        }
        if (n < 4) {
            bool cut = memcmp(p, frame_magic, n) == 0;

            stop_at_end(u, cut ? INQ_STOP_CUT : INQ_STOP_TRAILING, "it ends in a frame header");
            return false;
        }
        magic = inq_load_u32(p, false);
        if (magic == FRAME_MAGIC) {
            u->in_frame = u->any_frame = true;
            u->flushing = false;
            u->hint = 5; /* the smallest frame header; the decoder says what it wants after that */
            return true;
        }
        if (!is_skippable(magic)) {
            stop(u, u->any_frame ? INQ_STOP_TRAILING : INQ_STOP_FOREIGN, NULL);
            return false;
        }
        if (n < 8 || !inq_input_skip(&u->input, 8 + (uint64_t)inq_load_u32(p + 4, false))) {
            stop_at_end(u, INQ_STOP_CUT, "it ends in a skippable frame");
            return false;
        }
    }
}

static void stop_on_error(struct inq_unpack *u, size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        stop(u, INQ_STOP_WINDOW, "a zstd window larger than 128 MiB");
        return;
    case ZSTD_error_memory_allocation:
        stop(u, INQ_STOP_MEMORY, NULL);
        return;
    case ZSTD_error_checksum_wrong:
        stop(u, INQ_STOP_CUT, "the checksum of a frame is wrong: bytes before it may be damaged");
        return;
    case ZSTD_error_dictionary_wrong:
        stop(u, INQ_STOP_CUT, "it needs a zstd dictionary");
        return;
    default:
        stop(u, INQ_STOP_CUT, ZSTD_getErrorName(code));
        return;
    }
}

/*
 * When a call fails, the decoder does not tell what it had written in that call. So every call gets
 * the bytes of one block at most, and none while there is output left to flush: a damaged block
 * or a wrong checksum then costs nothing of what was decoded before it.
 */
static size_t fill_zstd(struct inq_unpack *u, uint8_t *buf, size_t size)
{
    ZSTD_outBuffer out = {.dst = buf, .size = size};

    while (out.pos < out.size && u->stop == INQ_STOP_NONE) {
        ZSTD_inBuffer in = {0};
        size_t left;

        if (!u->in_frame && !begin_frame(u))
            break;
        if (!u->flushing) {
            size_t want = u->hint < INQ_INPUT_BUFFER_BYTES ? u->hint : INQ_INPUT_BUFFER_BYTES;
            size_t have = inq_input_need(&u->input, want ? want : 1);

            if (have == 0) {
                stop_at_end(u, INQ_STOP_CUT, "the compressed data end in the middle of a frame");
                break;
            }
            in.src = u->input.buffer + u->input.pos;
            in.size = want && want < have ? want : have;
        }
        left = ZSTD_decompressStream(u->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            stop_on_error(u, left);
            break;
        }
        u->input.pos += in.pos;
        u->in_frame = left != 0;
        u->flushing = left != 0 && out.pos == out.size;
        u->hint = left;
    }
    return out.pos;
}

size_t inq_unpack_fill(struct inq_unpack *u, void *buf, size_t size)
{
    uint64_t allowed = u->limit > u->produced ? u->limit - u->produced : 0;
    bool limited = size > allowed;
    size_t want = limited ? (size_t)allowed : size, n = 0;
    uint8_t more;

    if (u->stop != INQ_STOP_NONE || size == 0)
        return 0;
    if (u->codec == INQ_CODEC_ZSTD) {
        n = fill_zstd(u, buf, want);
    } else {
        n = inq_input_take(&u->input, buf, want);
        if (n < want)
            stop_at_end(u, INQ_STOP_END, NULL);
    }
    u->produced += n;
    if (limited && u->stop == INQ_STOP_NONE) {
        /* Exactly as much as is allowed is no bomb: see whether another byte comes. */
        if (u->codec == INQ_CODEC_ZSTD ? fill_zstd(u, &more, 1)
                                       : inq_input_take(&u->input, &more, 1))
            stop(u, INQ_STOP_LIMIT, NULL);
        else if (u->stop == INQ_STOP_NONE)
            stop_at_end(u, INQ_STOP_END, NULL);
    }
    return n;
}

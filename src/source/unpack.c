/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "cleanup.h"
#include "codec.h"
#include "cursor.h"
#include "bounds.h"

#define FRAME_MAGIC 0xfd2fb528u
#define SKIPPABLE_MAGIC 0x184d2a50u /* the low four bits are free */
#define SKIPPABLE_MASK 0xfffffff0u

static bool is_skippable(uint32_t magic)
{
    return (magic & SKIPPABLE_MASK) == SKIPPABLE_MAGIC;
}

enum inq_codec inq_unpack_codec(const uint8_t *bytes, size_t size)
{
    uint32_t magic;

    for (enum inq_codec codec = INQ_CODEC_NONE; codec <= INQ_CODEC_BZIP2; codec++) {
        const struct inq_codec_ops *ops = inq_codec_ops(codec);

        if (ops && size >= ops->magic_size && !memcmp(bytes, ops->magic, ops->magic_size))
            return codec;
    }
    if (size < sizeof(magic))
        return INQ_CODEC_NONE;
    magic = inq_load_u32(bytes, false);
    return magic == FRAME_MAGIC || is_skippable(magic) ? INQ_CODEC_ZSTD : INQ_CODEC_NONE;
}

const char *inq_unpack_foreign(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name;
    } known[] = {
        {"\x02\x21\x4c\x18", 4, "lz4 (the legacy format)"},
        {"\x1f\x9d", 2, "compress"},
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
    unpack->ops = inq_codec_ops(codec);
    if (unpack->ops) {
        unpack->state = unpack->ops->create();
        unpack->in_frame = unpack->any_frame = true;
        return unpack->state != NULL;
    }
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
    if (unpack->state)
        unpack->ops->destroy(unpack->state);
    unpack->state = NULL;
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

/* Another member behind the one that ended? xz pads streams with zeros, tapes anything. */
static bool begin_member(struct inq_unpack *u)
{
    const size_t magic_size = u->ops->magic_size;
    size_t n;

    while ((n = inq_input_need(&u->input, magic_size)) > 0 && u->input.buffer[u->input.pos] == 0)
        u->input.pos++;
    if (n == 0) {
        stop_at_end(u, INQ_STOP_END, NULL);
        return false;
    }
    if (n < magic_size || memcmp(u->input.buffer + u->input.pos, u->ops->magic, magic_size) != 0) {
        stop(u, INQ_STOP_TRAILING, NULL);
        return false;
    }
    if (!u->ops->restart(u->state)) {
        stop(u, INQ_STOP_MEMORY, NULL);
        return false;
    }
    u->in_frame = true;
    return true;
}

static size_t fill_other(struct inq_unpack *u, uint8_t *buf, size_t size)
{
    size_t done = 0;

    while (done < size && u->stop == INQ_STOP_NONE) {
        if (!u->in_frame && !begin_member(u))
            break;
        const size_t have = inq_input_need(&u->input, 1);
        struct inq_codec_step step = {.in = u->input.buffer + u->input.pos,
                                      .in_size = have,
                                      .out = buf + done,
                                      .out_size = size - done};

        u->ops->step(u->state, &step);
        u->input.pos += step.in_used;
        done += step.out_used;
        u->in_frame = !step.ended;
        if (step.no_memory)
            stop(u, INQ_STOP_MEMORY, NULL);
        else if (step.why)
            stop(u, INQ_STOP_CUT, step.why);
        else if (have == 0 && step.out_used == 0 && !step.ended)
            stop_at_end(u, INQ_STOP_CUT, "the compressed data end in the middle");
        else if (step.in_used == 0 && step.out_used == 0 && !step.ended)
            stop(u, INQ_STOP_CUT, "the compressed data lead nowhere");
    }
    return done;
}

static size_t fill_packed(struct inq_unpack *u, uint8_t *buf, size_t size)
{
    return u->ops ? fill_other(u, buf, size) : fill_zstd(u, buf, size);
}

size_t inq_unpack_fill(struct inq_unpack *u, void *buf, size_t size)
{
    uint64_t allowed = u->limit > u->produced ? u->limit - u->produced : 0;
    bool limited = size > allowed;
    size_t want = limited ? (size_t)allowed : size, n = 0;
    uint8_t more;

    if (u->stop != INQ_STOP_NONE || size == 0)
        return 0;
    if (u->codec != INQ_CODEC_NONE) {
        n = fill_packed(u, buf, want);
    } else {
        n = inq_input_take(&u->input, buf, want);
        if (n < want)
            stop_at_end(u, INQ_STOP_END, NULL);
    }
    u->produced += n;
    if (limited && u->stop == INQ_STOP_NONE) {
        /* Exactly as much as is allowed is no bomb: see whether another byte comes. */
        if (u->codec != INQ_CODEC_NONE ? fill_packed(u, &more, 1)
                                       : inq_input_take(&u->input, &more, 1))
            stop(u, INQ_STOP_LIMIT, NULL);
        else if (u->stop == INQ_STOP_NONE)
            stop_at_end(u, INQ_STOP_END, NULL);
    }
    return n;
}

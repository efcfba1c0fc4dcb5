/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <string.h>
#include <sys/mman.h>

#include "bounds.h"
#include "cleanup.h"

#define PAGE 4096u
/* The head grows in such steps; the stream is unpacked into a buffer of the second size. */
#define HEAD_STEP (256u * 1024u)
#define HEAD_FILL (64u * 1024u)
#define PASS_BYTES (128u * 1024u)
/* All-zero pages that nobody asked for are remembered, since it is free, up to so many extents. */
#define MAX_FREE_EXTENTS 131072u

struct inq_error *inq_stream_init(struct inq_stream *stream, enum inq_codec codec)
{
    size_t reserve = INQ_SOURCE_HEAD_BYTES;

    if (!inq_unpack_init(&stream->unpack, codec))
        return &inq_error_oom;
    /* Addresses only: memory follows as the head grows, and views into it never move. */
    for (; reserve >= 4 * HEAD_STEP; reserve /= 2) {
        void *p =
            mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p != MAP_FAILED) {
            stream->head = p;
            stream->head_reserved = reserve;
            return NULL;
        }
    }
    return &inq_error_oom;
}

void inq_stream_deinit(struct inq_stream *stream)
{
    inq_kept_destroy(TAKE_PTR(stream->kept));
    if (stream->head)
        munmap(stream->head, stream->head_reserved);
    stream->head = NULL;
    inq_unpack_deinit(&stream->unpack);
}

struct inq_error *inq_stream_fill_head(struct inq_stream *stream, uint64_t size)
{
    while (stream->head_size < size && stream->head_size < stream->head_reserved &&
           stream->unpack.stop == INQ_STOP_NONE) {
        size_t room = stream->head_committed - stream->head_size;

        if (room == 0) {
            uint8_t *end = stream->head + stream->head_committed;

            if (mmap(end, HEAD_STEP, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
                return &inq_error_oom;
            stream->head_committed += HEAD_STEP;
            continue;
        }
        stream->head_size += inq_unpack_fill(&stream->unpack, stream->head + stream->head_size,
                                             room < HEAD_FILL ? room : HEAD_FILL);
    }
    return stream->unpack.stop == INQ_STOP_MEMORY ? &inq_error_oom : NULL;
}

struct pass {
    struct inq_stream *stream;
    const struct inq_source_plan *plan;
    uint64_t spare_raw; /* raw budget left for pages that are wanted for what is in them */
    uint8_t *raw;       /* the RAW segment that goes by, or NULL before its first byte */
    uint8_t *buffer;    /* PASS_BYTES */
};

/* Copies what is not zero: the memory is zero already, and pages never written cost nothing. */
static bool keep_raw(struct pass *pass, const struct inq_plan_piece *segment, uint64_t off,
                     const uint8_t *bytes, size_t size)
{
    uint8_t *to;

    if (!pass->raw)
        pass->raw = inq_kept_reserve(pass->stream->kept, segment->size);
    if (!pass->raw)
        return false;
    to = pass->raw + (off - segment->off);
    for (size_t done = 0; done < size; done += PAGE) {
        size_t n = size - done < PAGE ? size - done : PAGE;

        if (!inq_bytes_are_zero(bytes + done, n))
            memcpy(to + done, bytes + done, n);
    }
    return inq_kept_add_raw(pass->stream->kept, off, to, size);
}

static bool keep_packed(struct pass *pass, uint8_t priority, uint64_t off, const uint8_t *bytes,
                        size_t size)
{
    for (size_t done = 0; done < size; done += INQ_KEPT_BLOCK_BYTES) {
        size_t n = size - done < INQ_KEPT_BLOCK_BYTES ? size - done : INQ_KEPT_BLOCK_BYTES;

        if (!inq_kept_pack(pass->stream->kept, off + done, bytes + done, n, priority,
                            &pass->stream->dropped_bytes))
            return false;
    }
    return true;
}

/* Bytes that no range wants: page by page the caller may look at them. */
static bool offer_pages(struct pass *pass, uint64_t off, const uint8_t *bytes, size_t size)
{
    struct inq_kept *kept = pass->stream->kept;
    const struct inq_source_plan *plan = pass->plan;

    for (size_t done = 0, n; done < size; done += n) {
        const uint8_t *page = bytes + done;

        n = PAGE - (size_t)((off + done) % PAGE);
        if (n > size - done)
            n = size - done;
        if (inq_bytes_are_zero(page, n)) {
            if (inq_kept_extents(kept) < MAX_FREE_EXTENTS &&
                !inq_kept_add_zeros(kept, off + done, n))
                return false;
            continue;
        }
        if (!plan->want_page || !plan->want_page(plan->context, off + done, page, n))
            continue;
        if (n <= pass->spare_raw) {
            pass->spare_raw -= n;
            if (!inq_kept_copy_raw(kept, off + done, page, n))
                return false;
        } else if (!keep_packed(pass, UINT8_MAX, off + done, page, n)) {
            return false;
        }
    }
    return true;
}

/* Up to the offset `stop`, all of it in `segment` or, when that is NULL, wanted by no range. */
static struct inq_error *pass_by(struct pass *pass, const struct inq_plan_piece *segment,
                                 uint64_t stop)
{
    struct inq_unpack *u = &pass->stream->unpack;

    pass->raw = NULL;
    while (u->produced < stop && u->stop == INQ_STOP_NONE) {
        uint64_t off = u->produced;
        size_t want = PASS_BYTES - (size_t)(off % PAGE); /* so that pages stay in one piece */
        size_t n;
        bool ok;

        if (want > stop - off)
            want = (size_t)(stop - off);
        n = inq_unpack_fill(u, pass->buffer, want);
        if (n == 0)
            break;
        if (!segment)
            ok = offer_pages(pass, off, pass->buffer, n);
        else if (segment->keep == INQ_KEEP_RAW)
            ok = keep_raw(pass, segment, off, pass->buffer, n);
        else
            ok = keep_packed(pass, segment->priority, off, pass->buffer, n);
        if (!ok)
            return &inq_error_oom;
    }
    return u->stop == INQ_STOP_MEMORY ? &inq_error_oom : NULL;
}

static struct inq_error *pass_all(struct pass *pass, const struct inq_segments *segments)
{
    struct inq_unpack *u = &pass->stream->unpack;

    for (size_t i = 0; i < segments->count && u->stop == INQ_STOP_NONE; i++) {
        const struct inq_plan_piece *s = &segments->items[i];

        INQ_TRY(pass_by(pass, NULL, s->off));
        INQ_TRY(pass_by(pass, s, s->off + s->size));
    }
    return pass_by(pass, NULL, UINT64_MAX);
}

struct inq_error *inq_stream_pass(struct inq_stream *stream, const struct inq_source_plan *plan)
{
    struct pass pass = {.stream = stream, .plan = plan};
    _cleanup_free_ uint8_t *buffer = malloc(PASS_BYTES);
    struct inq_segments segments = {0};
    struct inq_error *error;
    uint64_t raw_bytes = 0;

    stream->kept = inq_kept_create(plan->packed_budget_bytes);
    if (!buffer || !stream->kept ||
        !inq_kept_add_raw(stream->kept, 0, stream->head, stream->head_size))
        return &inq_error_oom;
    INQ_TRY(inq_plan_lay_out(plan, stream->head_size, &segments, &raw_bytes));
    if (plan->max_unpacked_bytes > 0 && plan->max_unpacked_bytes < stream->unpack.limit)
        stream->unpack.limit = plan->max_unpacked_bytes;
    pass.buffer = buffer;
    pass.spare_raw = plan->raw_budget_bytes - raw_bytes;
    error = pass_all(&pass, &segments);
    INQ_ARRAY_FREE(&segments);
    return error;
}

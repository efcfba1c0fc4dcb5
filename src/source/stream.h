/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_STREAM_H
#define INQ_SOURCE_STREAM_H

/* A dump that goes by once: its head, which is kept whole, and the pass over the rest. */

#include "plan.h"
#include "kept.h"
#include "unpack.h"

struct inq_stream {
    struct inq_unpack unpack;
    uint8_t
        *head; /* address space for all of INQ_SOURCE_HEAD_BYTES, or less where that is scarce */
    size_t head_size;      /* bytes of the dump in it */
    size_t head_committed; /* bytes with memory behind them */
    size_t head_reserved;
    struct inq_kept *kept; /* from inq_stream_pass() on */
    uint64_t dropped_bytes;
    bool stop_told; /* the gap about how it ended was added */
};

/* The stream's unpack.input must be set up. */
struct inq_error *inq_stream_init(struct inq_stream *stream, enum inq_codec codec);
void inq_stream_deinit(struct inq_stream *stream);

/* Extends the head to `size` bytes as far as the stream and the limit allow. */
struct inq_error *inq_stream_fill_head(struct inq_stream *stream, uint64_t size);
/* Reads the rest, keeping what the plan wants. */
struct inq_error *inq_stream_pass(struct inq_stream *stream, const struct inq_source_plan *plan);

#endif

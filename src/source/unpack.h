/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_UNPACK_H
#define INQ_SOURCE_UNPACK_H

/*
 * The bytes of a streamed dump, one after the other: straight from a pipe, or unpacked.
 *
 * The zstd format is RFC 8878: a file is a row of frames; skippable frames may come anywhere (pzstd
 * begins with one), frames may be empty, and the content size is usually not declared
 * (systemd-coredump streams). A declared size is never believed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "source.h"

/* Why no more bytes come. */
enum inq_stop {
    INQ_STOP_NONE,     /* there may be more */
    INQ_STOP_END,      /* the regular end */
    INQ_STOP_TRAILING, /* the end, followed by bytes that are no zstd frame */
    INQ_STOP_CUT,      /* the compressed data are cut short or damaged */
    INQ_STOP_WINDOW,   /* a frame needs a window over 128 MiB */
    INQ_STOP_FOREIGN,  /* before any frame with content: something else than zstd */
    INQ_STOP_LIMIT,    /* the limit on unpacked bytes */
    INQ_STOP_READ,     /* the operating system could not read; errno in input.error */
    INQ_STOP_MEMORY,
};

struct ZSTD_DCtx_s;
struct inq_codec_ops;

struct inq_unpack {
    struct inq_input input;
    enum inq_codec codec;
    struct ZSTD_DCtx_s *zstd;
    const struct inq_codec_ops *ops; /* of the other codecs: codec.h */
    void *state;                     /* of `ops` */
    bool in_frame;
    bool flushing;     /* the decoder still holds decoded bytes */
    bool any_frame;    /* a frame with content was begun */
    size_t hint;       /* input the decoder wants next */
    uint64_t produced; /* bytes handed out */
    uint64_t limit;    /* of `produced` */
    enum inq_stop stop;
    const char *why;   /* for CUT; static */
    uint64_t stop_off; /* in the stored file */
};

/* Takes a filled-in `input` that stays in place; false without memory. */
bool inq_unpack_init(struct inq_unpack *unpack, enum inq_codec codec);
void inq_unpack_deinit(struct inq_unpack *unpack);

/* Bytes written to buf; fewer than `size` only when `stop` says why. */
size_t inq_unpack_fill(struct inq_unpack *unpack, void *buf, size_t size);

/* How a file that begins so is packed; NONE when it is not, or in a way that is not read. */
enum inq_codec inq_unpack_codec(const uint8_t *bytes, size_t size);
/* The name of a compression that is known but not read, or NULL; static. */
const char *inq_unpack_foreign(const uint8_t *bytes, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_CODEC_H
#define INQ_SOURCE_CODEC_H

/*
 * Inner part of unpack.c: xz, gzip, bzip2 and lz4, by their own libraries, all with one face. They
 * are small and come with libdw anyway; libarchive, which reads them too, would bring twenty more
 * libraries into every worker and triple its start.
 */

#include "source.h"

struct inq_codec_step { /* of one call */
    const uint8_t *in;
    size_t in_size, in_used;
    uint8_t *out;
    size_t out_size, out_used;
    bool ended; /* the member (stream, frame) is complete */
    bool no_memory;
    const char *why; /* damaged, static; NULL: it went well */
};

struct inq_codec_ops {
    const char *name;
    /* What one member begins with; several of them may follow each other. */
    const char *magic;
    size_t magic_size;
    void *(*create)(void);        /* NULL without memory */
    bool (*restart)(void *state); /* for the next member */
    void (*step)(void *state, struct inq_codec_step *step);
    void (*destroy)(void *state);
};

/* NULL for NONE and ZSTD, which unpack.c reads itself. */
const struct inq_codec_ops *inq_codec_ops(enum inq_codec codec);

#endif

/* SPDX-License-Identifier: Apache-2.0 */

#include "core_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"

#define FIRST_STEP (256u * 1024u)

void inq_core_bytes_deinit(struct inq_core_bytes *bytes)
{
    free(bytes->owned);
    *bytes = (struct inq_core_bytes){0};
}

/*
 * Reads until the dump ends. A declared size is not believed before the bytes are there: the buffer
 * doubles with what was read.
 */
static struct inq_error *copy_bytes(struct inq_core_reader *r, uint64_t off, uint64_t size,
                                    struct inq_core_bytes *b)
{
    size_t capacity = 0, got = 0;
    enum inq_read status = INQ_READ_OK;

    while (b->size < size && status == INQ_READ_OK) {
        uint64_t grown = capacity == 0 ? FIRST_STEP : (uint64_t)capacity * 2;
        uint8_t *bytes;

        capacity = (size_t)(grown < size ? grown : size);
        bytes = realloc(b->owned, capacity);
        if (!bytes)
            return &inq_error_oom;
        b->owned = bytes;
        b->bytes = bytes;
        status =
            inq_source_read(r->source, off + b->size, bytes + b->size, capacity - b->size, &got);
        b->size += got;
        if (status == INQ_READ_OK && got == 0)
            break;
    }
    if (status == INQ_READ_FAILED) {
        char where[48];
        snprintf(where, sizeof(where), "offset 0x%" PRIx64, off + b->size);
        inq_gaps_add(r->gaps, INQ_G_READ, where, "the operating system could not read them",
                     "%" PRIu64 " bytes of header and notes", size - b->size);
    }
    return NULL;
}

struct inq_error *inq_core_bytes_get(struct inq_core_reader *reader, uint64_t off, uint64_t size,
                                     struct inq_core_bytes *ret_bytes)
{
    struct inq_core_bytes b = {0};
    struct inq_error *error;

    if (off >= reader->size)
        size = 0;
    else if (size > reader->size - off)
        size = reader->size - off;
    if (size > UINT64_MAX - off)
        size = UINT64_MAX - off;
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2;
    if (size > 0 && !reader->stream) {
        b.bytes = inq_source_view(reader->source, off, (size_t)size);
        b.size = b.bytes ? (size_t)size : 0;
    }
    if (size > 0 && !b.bytes) {
        error = copy_bytes(reader, off, size, &b);
        if (error) {
            inq_core_bytes_deinit(&b);
            return error;
        }
    }
    *ret_bytes = b;
    return NULL;
}

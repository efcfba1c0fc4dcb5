/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_LINE_SOURCE_H
#define INQ_KLOG_LINE_SOURCE_H

/* Lines of a source, one buffer at a time; those that cannot matter are skipped unseen. Private. */

#include "klog.h"
#include "span.h"

struct inq_lines {
    int fd;            /* -1: the bytes are all there */
    char *owned;       /* the buffer of a file */
    const char *bytes; /* owned, or the caller's */
    size_t capacity;
    size_t start, end; /* what is not consumed yet: bytes[start..end), start at a line's begin */
    size_t searched;   /* up to here no anchor begins */
    bool at_end;       /* nothing more can be read */
    bool skipping;     /* the rest of a line that was too long comes first */
    uint64_t number;   /* of the line at `start`, from 1 */
    struct inq_klog_stats stats;
};

struct inq_error *inq_lines_open(struct inq_lines *lines, int fd);
void inq_lines_open_bytes(struct inq_lines *lines, const void *bytes, size_t size);
void inq_lines_close(struct inq_lines *lines);

/*
 * The next line that may hold an event; with `every`, the next line whatsoever. Without its
 * newline; valid until the next call. *ret_more is false at the end.
 */
struct inq_error *inq_lines_next(struct inq_lines *lines, bool every, struct inq_span *ret_line,
                                 uint64_t *ret_number, bool *ret_more);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "line_source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "anchors.h"

#define BUFFER_BYTES (1024u * 1024u) /* a line that does not fit is cut: INQ_KLOG_LINE_MOST */

struct inq_error *inq_lines_open(struct inq_lines *lines, int fd)
{
    *lines = (struct inq_lines){.fd = fd, .capacity = BUFFER_BYTES, .number = 1};
    lines->owned = malloc(BUFFER_BYTES);
    if (!lines->owned)
        return &inq_error_oom;
    lines->bytes = lines->owned;
    return NULL;
}

void inq_lines_open_bytes(struct inq_lines *lines, const void *bytes, size_t size)
{
    *lines = (struct inq_lines){.fd = -1, .bytes = bytes, .end = size, .at_end = true, .number = 1};
    lines->stats.bytes = size;
}

void inq_lines_close(struct inq_lines *lines)
{
    free(lines->owned);
    lines->owned = NULL;
}

static uint64_t count_newlines(const char *bytes, size_t size)
{
    const uint64_t newlines = 0x0a0a0a0a0a0a0a0aull, low = 0x7f7f7f7f7f7f7f7full;
    uint64_t n = 0;
    size_t i = 0;

    for (; size - i >= 8; i += 8) {
        uint64_t word;

        memcpy(&word, bytes + i, sizeof(word));
        word ^= newlines; /* the high bit of a byte of the sum stays 0 where the byte is 0 */
        n += (uint64_t)__builtin_popcountll(~(((word & low) + low) | word | low));
    }
    for (; i < size; i++)
        n += bytes[i] == '\n';
    return n;
}

/* Everything before `to` is done with. */
static void consume(struct inq_lines *l, size_t to)
{
    l->number += count_newlines(l->bytes + l->start, to - l->start);
    l->stats.lines = l->number - 1;
    l->start = to;
    if (l->searched < to)
        l->searched = to;
}

/*
 * Makes room and reads until the buffer is full: a source that gives a few bytes at a time must not
 * make us look at what is there again and again.
 */
static struct inq_error *fill(struct inq_lines *l)
{
    memmove(l->owned, l->owned + l->start, l->end - l->start);
    l->searched -= l->start;
    l->end -= l->start;
    l->start = 0;
    while (l->end < l->capacity) {
        ssize_t n = read(l->fd, l->owned + l->end, l->capacity - l->end);

        if (n < 0 && errno == EINTR)
            return inq_error_create(INQ_E_INTERRUPTED, "interrupted");
        if (n < 0 && errno == EAGAIN) /* nothing there now: that is all */
            n = 0;
        if (n < 0)
            return inq_error_create(INQ_E_IO, "cannot read: %s", strerror(errno));
        if (n == 0) {
            l->at_end = true;
            break;
        }
        l->end += (size_t)n;
        l->stats.bytes += (uint64_t)n;
    }
    return NULL;
}

/* Drops the rest of a line that was cut; true when its end was found. */
static bool skip_rest(struct inq_lines *l)
{
    const char *newline = memchr(l->bytes + l->start, '\n', l->end - l->start);

    l->stats.steps += l->end - l->start;
    if (!newline) {
        l->start = l->searched = l->end; /* no newline in it: the number stays */
        return false;
    }
    consume(l, (size_t)(newline - l->bytes) + 1);
    l->skipping = false;
    return true;
}

/* The line that holds the byte at `at`, when all of it is there. */
static bool line_at(struct inq_lines *l, size_t at, size_t *ret_end)
{
    const char *newline = memrchr(l->bytes + l->start, '\n', at - l->start);

    if (newline)
        consume(l, (size_t)(newline - l->bytes) + 1);
    newline = memchr(l->bytes + at, '\n', l->end - at);
    if (!newline && !l->at_end)
        return false;
    *ret_end = newline ? (size_t)(newline - l->bytes) : l->end;
    return true;
}

static void give(struct inq_lines *l, size_t end, struct inq_span *ret_line, uint64_t *ret_number)
{
    size_t size = end - l->start;

    if (size > INQ_KLOG_LINE_MOST) {
        size = INQ_KLOG_LINE_MOST;
        l->stats.lines_cut++;
    }
    l->stats.steps += size;
    *ret_line = inq_span_of(l->bytes + l->start, size);
    if (size > 0 && ret_line->end[-1] == '\r')
        ret_line->end--;
    *ret_number = l->number;
    if (end < l->end) {
        consume(l, end + 1);
    } else { /* the last one, without a newline */
        l->start = l->searched = end;
        l->stats.lines = l->number++;
    }
}

/* A line that fills the whole buffer: its beginning is looked at, its rest is not. */
static void give_cut(struct inq_lines *l, struct inq_span *ret_line, uint64_t *ret_number)
{
    l->stats.lines_cut++;
    l->stats.steps += INQ_KLOG_LINE_MOST;
    *ret_line = inq_span_of(l->bytes + l->start, INQ_KLOG_LINE_MOST);
    *ret_number = l->number;
    l->start = l->searched = l->end;
    l->skipping = true;
}

/* What can be given from what is there; false when more has to be read first. */
static bool try_next(struct inq_lines *l, bool every, struct inq_span *ret_line,
                     uint64_t *ret_number)
{
    size_t at = l->start, end;

    if (!every) {
        size_t longest = inq_klog_longest_anchor();

        at = inq_klog_find_anchor(l->bytes, l->end, l->searched, &l->stats.steps);
        if (at == l->end) {
            const char *newline = memrchr(l->bytes + l->start, '\n', l->end - l->start);

            if (newline)
                consume(l, (size_t)(newline - l->bytes) + 1);
            if (l->end - l->start >= longest && l->searched < l->end - longest + 1)
                l->searched = l->end - longest + 1;
            return false;
        }
        l->searched = at;
    }
    if (l->start == l->end || !line_at(l, at, &end))
        return false;
    give(l, end, ret_line, ret_number);
    return true;
}

struct inq_error *inq_lines_next(struct inq_lines *lines, bool every, struct inq_span *ret_line,
                                 uint64_t *ret_number, bool *ret_more)
{
    for (;;) {
        if ((!lines->skipping || skip_rest(lines)) &&
            try_next(lines, every, ret_line, ret_number)) {
            *ret_more = true;
            return NULL;
        }
        if (lines->at_end) {
            /* a last line without newline is one, too */
            if (lines->end > lines->start)
                lines->number++;
            lines->start = lines->searched = lines->end;
            lines->stats.lines = lines->number - 1;
            *ret_more = false;
            return NULL;
        }
        if (lines->start == 0 && lines->end == lines->capacity) {
            give_cut(lines, ret_line, ret_number);
            *ret_more = true;
            return NULL;
        }
        INQ_TRY(fill(lines));
    }
}

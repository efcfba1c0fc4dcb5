/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "io.h"
#include "bounds.h"
#include "codec.h"
#include "stream.h"

/* Enough to tell every format apart. */
#define MAGIC_BYTES 16u
/* Where a disk cannot read, this much is lost at least: a page of the kernel's cache. */
#define FAULT_BYTES 4096u

struct inq_source {
    int fd;
    char *name;
    struct inq_gaps *gaps;
    enum inq_codec codec;
    bool is_stream;
    bool is_regular;
    bool unmapped;      /* it is to be read, not mapped */
    bool failed_told;   /* the gap of a plain file's first read error */
    struct stat opened; /* what fstat(2) said at first */
    uint64_t size;      /* of a regular file */
    const uint8_t *map; /* plain file; NULL when it could not be mapped, then it is read */
    struct inq_stream stream;
};

void inq_source_destroy(struct inq_source *source)
{
    if (!source)
        return;
    if (source->map)
        munmap((void *)(uintptr_t)source->map, (size_t)source->size);
    if (source->is_stream)
        inq_stream_deinit(&source->stream);
    if (source->fd >= 0)
        close(source->fd);
    free(source->name);
    free(source);
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISCHR(mode))
        return "a character device";
    if (S_ISBLK(mode))
        return "a block device";
    return "a special file";
}

/* The gap that says how a stream ended, once; nothing when it ended well. */
static void tell_stop(struct inq_source *source)
{
    const struct inq_unpack *u = &source->stream.unpack;
    char where[64], why[128];

    if (source->stream.stop_told || u->stop == INQ_STOP_NONE || u->stop == INQ_STOP_END ||
        u->stop == INQ_STOP_MEMORY)
        return;
    source->stream.stop_told = true;
    snprintf(where, sizeof(where), "offset 0x%" PRIx64 " of the %s", u->stop_off,
             u->codec != INQ_CODEC_NONE ? "compressed file" : "stream");
    switch (u->stop) {
    case INQ_STOP_TRAILING:
        inq_gaps_add(source->gaps, INQ_G_TRAILING, where, "they are not compressed in the same way",
                     "the bytes after the last compressed frame");
        return;
    case INQ_STOP_LIMIT:
        snprintf(why, sizeof(why), "the limit of %" PRIu64 " unpacked bytes", u->limit);
        inq_gaps_add(source->gaps, INQ_G_STREAM_LIMIT, where, why,
                     "the dump from its offset 0x%" PRIx64 " on", u->produced);
        return;
    case INQ_STOP_READ:
        inq_gaps_add(source->gaps, INQ_G_READ, where, strerror(u->input.error),
                     "the dump from its offset 0x%" PRIx64 " on", u->produced);
        return;
    default:
        inq_gaps_add(source->gaps, INQ_G_STREAM_CUT, where, u->why,
                     "the dump from its offset 0x%" PRIx64 " on", u->produced);
        return;
    }
}

/* A stream of which not one byte came out. */
static struct inq_error *nothing_usable(const struct inq_source *source)
{
    const struct inq_unpack *u = &source->stream.unpack;
    const uint8_t *next = u->input.buffer + u->input.pos;
    const struct inq_codec_ops *ops;
    const char *foreign;

    switch (u->stop) {
    case INQ_STOP_READ:
        return inq_error_create(INQ_E_IO, "cannot be read: %s", strerror(u->input.error));
    case INQ_STOP_MEMORY:
        return &inq_error_oom;
    case INQ_STOP_WINDOW:
        return inq_error_create(INQ_E_WINDOW, "needs %s, which is not allowed", u->why);
    case INQ_STOP_CUT:
        return inq_error_create(INQ_E_ZSTD, "damaged %s data before anything usable: %s",
                                u->ops ? u->ops->name : "zstd", u->why);
    case INQ_STOP_FOREIGN:
        foreign = inq_unpack_foreign(next, u->input.end - u->input.pos);
        ops = inq_codec_ops(inq_unpack_codec(next, u->input.end - u->input.pos));
        if (!foreign && ops)
            foreign = ops->name; /* behind a skippable frame, as only lz4 may be */
        if (foreign)
            return inq_error_create(INQ_E_COMPRESSION,
                                    "compressed with %s, which this build does not read", foreign);
        return inq_error_create(INQ_E_ZSTD, "no zstd frame where one should begin");
    default:
        return inq_error_create(INQ_E_EMPTY, "empty file%s",
                                u->codec != INQ_CODEC_NONE ? " (once unpacked)" : "");
    }
}

static struct inq_error *open_stream(struct inq_source *source)
{
    struct inq_stream *stream = &source->stream;
    struct inq_input *input = &stream->unpack.input;
    const char *foreign;
    size_t n;

    source->is_stream = true;
    if (!inq_input_init(input, source->fd, source->is_regular, source->size))
        return &inq_error_oom;
    n = inq_input_need(input, MAGIC_BYTES);
    if (inq_armor_begins(input->buffer, n)) {
        inq_input_unarmor(input);
        n = inq_input_need(input, MAGIC_BYTES);
        if (n == 0)
            return inq_error_create(INQ_E_EMPTY, "an apport report without a core dump");
    }
    source->codec = inq_unpack_codec(input->buffer + input->pos, n);
    foreign = inq_unpack_foreign(input->buffer + input->pos, n);
    if (foreign)
        return inq_error_create(INQ_E_COMPRESSION,
                                "compressed with %s, which this build does not read", foreign);
    INQ_TRY(inq_stream_init(stream, source->codec));
    INQ_TRY(inq_stream_fill_head(stream, 1));
    if (stream->head_size == 0)
        return inq_error_at(nothing_usable(source), stream->unpack.stop_off);
    tell_stop(source);
    return NULL;
}

static struct inq_error *open_regular(struct inq_source *source)
{
    uint8_t magic[MAGIC_BYTES];
    const char *foreign;
    ssize_t n;
    void *map;

    if (source->size == 0)
        return inq_error_create(INQ_E_EMPTY, "empty file");
    n = inq_pread_full(source->fd, magic, sizeof(magic), 0);
    if (n < 0)
        return inq_error_at(inq_error_create(INQ_E_IO, "cannot be read: %s", strerror(errno)), 0);
    foreign = inq_unpack_foreign(magic, (size_t)n);
    if (foreign)
        return inq_error_create(INQ_E_COMPRESSION,
                                "compressed with %s, which this build does not read", foreign);
    if (inq_armor_begins(magic, (size_t)n) ||
        inq_unpack_codec(magic, (size_t)n) != INQ_CODEC_NONE)
        return open_stream(source);

    /* Holes of a sparse file cost nothing until they are touched, and read-ahead would touch them.
     */
    if (source->size > SIZE_MAX || source->unmapped)
        return NULL;
    map = mmap(NULL, (size_t)source->size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, source->fd, 0);
    if (map == MAP_FAILED)
        return NULL; /* larger than the address space, or a file system without mmap: pread */
    madvise(map, (size_t)source->size, MADV_RANDOM);
    source->map = map;
    return NULL;
}

static struct inq_error *open_source(int fd, const char *name, struct inq_gaps *gaps, bool unmapped,
                                     struct inq_source **ret_source)
{
    _cleanup_(inq_source_destroyp) struct inq_source *source = calloc(1, sizeof(*source));
    struct inq_error *error;

    if (!source) {
        close(fd);
        return &inq_error_oom;
    }
    source->fd = fd;
    source->gaps = gaps;
    source->unmapped = unmapped;
    source->name = strdup(name);
    if (!source->name)
        return &inq_error_oom;
    if (fstat(fd, &source->opened) < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot be looked at: %s", strerror(errno)),
                            name);

    source->is_regular = S_ISREG(source->opened.st_mode);
    source->size = source->is_regular ? (uint64_t)source->opened.st_size : 0;
    if (source->is_regular)
        error = open_regular(source);
    else if (S_ISFIFO(source->opened.st_mode) || S_ISSOCK(source->opened.st_mode))
        error = open_stream(source);
    else
        error = inq_error_create(INQ_E_NOT_REGULAR, "not a regular file (%s)",
                                 kind_of(source->opened.st_mode));
    if (error)
        return inq_error_in(error, name);
    *ret_source = TAKE_PTR(source);
    return NULL;
}

struct inq_error *inq_source_open(int fd, const char *name, struct inq_gaps *gaps,
                                  struct inq_source **ret_source)
{
    return open_source(fd, name, gaps, false, ret_source);
}

struct inq_error *inq_source_open_unmapped(int fd, const char *name, struct inq_gaps *gaps,
                                           struct inq_source **ret_source)
{
    return open_source(fd, name, gaps, true, ret_source);
}

/* What comes before the place that cannot be read; *ret_error is 0 or an errno. */
static size_t read_up_to_fault(struct inq_source *source, uint64_t off, uint8_t *buf, size_t size,
                               int *ret_error)
{
    size_t done = 0;

    *ret_error = 0;
    while (done < size) {
        size_t step = FAULT_BYTES - (size_t)((off + done) % FAULT_BYTES);
        ssize_t got;

        if (step > size - done)
            step = size - done;
        got = inq_pread_full(source->fd, buf + done, step, off + done);
        if (got < 0)
            *ret_error = errno;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static void tell_fault(struct inq_source *source, uint64_t off, int error)
{
    char where[48];

    if (source->failed_told)
        return;
    source->failed_told = true;
    snprintf(where, sizeof(where), "offset 0x%" PRIx64, off);
    inq_gaps_add(source->gaps, INQ_G_READ, where, strerror(error),
                 "the bytes there, this being the first place that could not be read");
}

static enum inq_read read_plain(struct inq_source *source, uint64_t off, void *buf, size_t size,
                                size_t *ret_got)
{
    uint64_t left = off < source->size ? source->size - off : 0;
    size_t n = size < left ? size : (size_t)left;
    ssize_t got;
    int error;

    *ret_got = 0;
    if (source->map) {
        memcpy(buf, source->map + (n > 0 ? off : 0), n);
        *ret_got = n;
    } else if (n > 0) {
        got = inq_pread_full(source->fd, buf, n, off);
        *ret_got = got < 0 ? read_up_to_fault(source, off, buf, n, &error) : (size_t)got;
        if (got < 0 && error) {
            tell_fault(source, off + *ret_got, error);
            return INQ_READ_FAILED;
        }
    }
    return *ret_got == size ? INQ_READ_OK : INQ_READ_END;
}

/* Why a stream has nothing at `off`. */
static enum inq_read missing_at(const struct inq_source *source, uint64_t off)
{
    const struct inq_unpack *u = &source->stream.unpack;

    if (u->stop == INQ_STOP_NONE || off < u->produced)
        return INQ_READ_DROPPED;
    return u->stop == INQ_STOP_READ ? INQ_READ_FAILED : INQ_READ_END;
}

/* What of [off, off + size) lies in the head, as far as the stream reaches. */
static size_t head_part(const struct inq_stream *stream, uint64_t off, size_t size)
{
    size_t left = off < stream->head_size ? stream->head_size - (size_t)off : 0;

    return size < left ? size : left;
}

/* Before the pass; out of memory shows as a failed read. */
static bool extend_head(struct inq_source *source, uint64_t off, size_t size)
{
    struct inq_error *error;
    uint64_t stop;

    if (__builtin_add_overflow(off, size, &stop))
        stop = UINT64_MAX;
    /* Nothing at that offset can be kept yet: leave the stream where it is. */
    if (off >= source->stream.head_reserved)
        return true;
    error = inq_stream_fill_head(&source->stream, stop);
    tell_stop(source);
    if (!error)
        return true;
    inq_error_destroy(error);
    return false;
}

enum inq_read inq_source_read(struct inq_source *source, uint64_t off, void *buf, size_t size,
                              size_t *ret_got)
{
    struct inq_stream *stream = &source->stream;
    size_t got;

    if (!source->is_stream)
        return read_plain(source, off, buf, size, ret_got);
    if (stream->kept) {
        if (!inq_kept_read(stream->kept, off, buf, size, &got)) {
            *ret_got = got;
            return INQ_READ_FAILED;
        }
    } else {
        if (!extend_head(source, off, size)) {
            *ret_got = 0;
            return INQ_READ_FAILED;
        }
        got = head_part(stream, off, size);
        if (got > 0)
            memcpy(buf, stream->head + off, got);
    }
    *ret_got = got;
    return got == size ? INQ_READ_OK : missing_at(source, off + got);
}

const void *inq_source_view(struct inq_source *source, uint64_t off, size_t size)
{
    struct inq_stream *stream = &source->stream;

    if (!source->is_stream) {
        if (!source->map || off > source->size || size > source->size - off)
            return NULL;
        return source->map + off;
    }
    if (stream->kept)
        return inq_kept_view(stream->kept, off, size);
    if (!extend_head(source, off, size) || off >= stream->head_size ||
        head_part(stream, off, size) != size)
        return NULL;
    return stream->head + off;
}

struct inq_error *inq_source_stream(struct inq_source *source, const struct inq_source_plan *plan)
{
    struct inq_stream *stream = &source->stream;
    struct inq_error *error;

    if (!source->is_stream || stream->kept)
        return NULL;
    error = inq_stream_pass(stream, plan);
    if (error)
        return inq_error_in(error, source->name);
    tell_stop(source);
    if (stream->dropped_bytes > 0)
        inq_gaps_add(source->gaps, INQ_G_DROPPED, NULL, "the memory set aside for them is full",
                     "%" PRIu64 " bytes of the compressed dump that were worth keeping",
                     stream->dropped_bytes);
    return NULL;
}

struct inq_source_info inq_source_info(const struct inq_source *source)
{
    const struct inq_unpack *u = &source->stream.unpack;
    struct inq_source_info info = {
        .name = source->name,
        .codec = source->codec,
        .stream = source->is_stream,
        .stored_bytes = source->size,
        .present_bytes = source->size,
    };

    if (source->is_stream) {
        info.present_bytes = u->produced;
        info.dropped_bytes = source->stream.dropped_bytes;
        info.ended_early =
            u->stop != INQ_STOP_NONE && u->stop != INQ_STOP_END && u->stop != INQ_STOP_TRAILING;
    }
    return info;
}

void inq_source_check_unchanged(struct inq_source *source, struct inq_gaps *gaps)
{
    const struct stat *before = &source->opened;
    struct stat now;

    if (!source->is_regular || fstat(source->fd, &now) < 0)
        return;
    if (now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
        return;
    inq_gaps_add(gaps, INQ_G_CHANGED, NULL,
                 now.st_size != before->st_size ? "its size is not what it was"
                                                : "its modification time is not what it was",
                 "a reading of the file from one moment");
}

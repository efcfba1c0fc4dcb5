/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_SOURCE_H
#define INQ_SOURCE_SOURCE_H

/*
 * A dump as bytes at offsets, whatever it is stored in.
 *
 * A plain file is mapped and can be read anywhere. Compressed input and pipes are *streams*: they
 * go by once. What is read before inq_source_stream() is kept (headers and notes lie at the front);
 * then the caller says what else it will want, the rest is streamed by, and from then on only what
 * was kept can be read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"
#include "gaps.h"

struct inq_source;

/*
 * How far into a stream can be read before inq_source_stream(): beyond it, reads find the bytes
 * dropped. As much as the notes may take, and what lies before them.
 */
#define INQ_SOURCE_HEAD_BYTES (320u * 1024u * 1024u)

enum inq_codec {
    INQ_CODEC_NONE,
    INQ_CODEC_ZSTD,
    INQ_CODEC_GZIP,
    INQ_CODEC_XZ,
    INQ_CODEC_LZ4,
    INQ_CODEC_BZIP2,
};

enum inq_read {
    INQ_READ_OK,      /* all bytes */
    INQ_READ_END,     /* the dump ends (or is cut) before the last of them */
    INQ_READ_DROPPED, /* they went by in the stream and were not kept */
    INQ_READ_FAILED,  /* the operating system could not read them */
};

/*
 * How a range of a stream is kept. Where both kinds cover a byte, RAW wins; RAW ranges that the raw
 * budget does not reach for are kept PACKED.
 */
enum inq_keep {
    INQ_KEEP_RAW,    /* as it is: small things that are certainly wanted */
    INQ_KEEP_PACKED, /* re-compressed in blocks: the heap, deep stacks */
};

struct inq_keep_range {
    uint64_t off;
    uint64_t size;
    enum inq_keep keep;
    uint8_t priority; /* 0 is kept first when the budget does not reach for all */
};

struct inq_source_plan {
    const struct inq_keep_range *ranges; /* any order; overlaps allowed */
    size_t count;
    uint64_t raw_budget_bytes;    /* memory for INQ_KEEP_RAW */
    uint64_t packed_budget_bytes; /* memory for the compressed blocks */
    /*
     * Called for each 4 KiB page of the stream that is not kept RAW or PACKED, when not NULL: true
     * keeps the page (raw budget, then packed). `page_off` is its offset in the dump. Used to find
     * the dynamic linker's list wherever the process had it allocated. Pages end at multiples of
     * 4 KiB; the first and last piece between two ranges may be smaller. All-zero pages are not
     * offered: they are kept anyway.
     */
    bool (*want_page)(void *context, uint64_t page_off, const uint8_t *page, size_t size);
    void *context;
    uint64_t max_unpacked_bytes; /* stop there: a gap; 0 for INQ_MAX_UNPACKED */
};

/* What is known about the bytes; valid after the stream was read, for plain files at once. */
struct inq_source_info {
    const char *name;  /* as given */
    enum inq_codec codec;
    bool stream;
    bool ended_early;        /* compressed data cut or damaged, read error, unpacked limit */
    uint64_t stored_bytes;   /* size of the file; 0 when unknown (a pipe) */
    uint64_t present_bytes;  /* bytes of the dump itself that were there */
    uint64_t dropped_bytes;  /* wanted by the plan, not kept for lack of budget */
};

/*
 * Takes `fd` (always, also on failure); `name` is copied. Magic bytes decide what it is, never the
 * name. Errors: not a regular file, empty, compression that is not read (lzip, lzop, ... are
 * named), zstd window over 128 MiB. `gaps` may be NULL, else it must outlive the source. A pipe or
 * socket is a stream; other special files are refused.
 *
 * A plain file that is cut short by somebody while it is mapped, or lies on a disk that fails,
 * raises SIGBUS on reading. inq_source_open_unmapped() reads it instead, slower: then the first
 * byte that cannot be read is a gap, and all others are there.
 * System calls after opening: read, pread64, poll, fstat, and those of malloc, mmap and munmap.
 */
struct inq_error *inq_source_open(int fd, const char *name, struct inq_gaps *gaps,
                                  struct inq_source **ret_source);
struct inq_error *inq_source_open_unmapped(int fd, const char *name, struct inq_gaps *gaps,
                                           struct inq_source **ret_source);
void inq_source_destroy(struct inq_source *source); /* takes NULL */
static inline void inq_source_destroyp(struct inq_source **source) { inq_source_destroy(*source); }

/*
 * At most `size` bytes at `off`; *ret_got says how many are valid, from the first on, in every
 * case. Of a stream before inq_source_stream(), everything up to the last byte is read and kept.
 */
enum inq_read inq_source_read(struct inq_source *source, uint64_t off, void *buf, size_t size,
                              size_t *ret_got);

/*
 * A pointer to `size` bytes at `off`, without copying: plain files and raw-kept ranges; NULL when
 * they are not all there in one piece (then read them). Lives as long as the source.
 */
const void *inq_source_view(struct inq_source *source, uint64_t off, size_t size);

/*
 * Streams: reads the rest, keeping what the plan wants. Plain files: nothing to do. Damage in the
 * compressed data, read errors and the limit are gaps, not errors: what came before is kept. To be
 * called once, when the notes have been read. The plan is not needed afterwards.
 */
struct inq_error *inq_source_stream(struct inq_source *source, const struct inq_source_plan *plan);

struct inq_source_info inq_source_info(const struct inq_source *source);

/*
 * To be called when all has been read: a gap when the file's size or modification time is not
 * what it was at opening. Pipes have neither.
 */
void inq_source_check_unchanged(struct inq_source *source, struct inq_gaps *gaps);

#endif

/* SPDX-License-Identifier: Apache-2.0 */

#include "ranges.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cleanup.h"

/* The part [from, to) of a segment, as addresses. */
static struct inq_memory_range piece_of(const struct inq_segment *s, uint64_t from, uint64_t to)
{
    uint64_t skip = from - s->addr, size = to - from;
    uint64_t saved = s->saved_bytes > skip ? s->saved_bytes - skip : 0;
    uint64_t present = s->present_bytes > skip ? s->present_bytes - skip : 0;

    return (struct inq_memory_range){
        .start = from,
        .size = size,
        .off = s->off + skip,
        .saved = saved < size ? saved : size,
        .present = present < size ? present : size,
        .flags = s->flags,
    };
}

static bool already_disjoint(const struct inq_core *core)
{
    for (size_t i = 1; i < core->n_segments; i++) {
        const struct inq_segment *a = &core->segments[i - 1], *b = a + 1;
        if (b->addr < a->addr || b->addr - a->addr < a->size)
            return false;
    }
    return true;
}

struct sweep {
    const struct inq_segment *segments;
    const uint32_t *starts; /* indexes in address order */
    uint32_t *heap; /* of the segments under the sweep line, the first in file order on top */
    size_t heap_count;
    struct inq_memory_range *out;
    uint32_t *owners; /* of each piece in out */
    size_t n_out;
};

static void heap_push(struct sweep *s, uint32_t index)
{
    size_t i = s->heap_count++;

    while (i > 0 && s->heap[(i - 1) / 2] > index) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = index;
}

static void heap_pop(struct sweep *s)
{
    uint32_t last = s->heap[--s->heap_count];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < s->heap_count) {
        if (child + 1 < s->heap_count && s->heap[child + 1] < s->heap[child])
            child++;
        if (s->heap[child] >= last)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
}

static uint64_t end_of(const struct inq_segment *s)
{
    return s->addr + s->size;
}

/* The top owns [from, to); joined to the piece before when that is its own too. */
static void emit(struct sweep *s, uint64_t from, uint64_t to)
{
    uint32_t owner = s->heap[0];
    struct inq_memory_range *last = s->n_out > 0 ? &s->out[s->n_out - 1] : NULL;

    if (last && s->owners[s->n_out - 1] == owner && last->start + last->size == from) {
        *last = piece_of(&s->segments[owner], last->start, to);
        return;
    }
    s->owners[s->n_out] = owner;
    s->out[s->n_out++] = piece_of(&s->segments[owner], from, to);
}

/* Hands out [from, to) to whoever is on top, dropping segments that have ended. */
static uint64_t advance(struct sweep *s, uint64_t from, uint64_t to)
{
    while (from < to && s->heap_count > 0) {
        uint64_t end = end_of(&s->segments[s->heap[0]]), stop;

        if (end <= from) {
            heap_pop(s);
            continue;
        }
        stop = end < to ? end : to;
        emit(s, from, stop);
        from = stop;
    }
    return from;
}

static void sweep_all(struct sweep *s, size_t n)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t start = s->segments[s->starts[i]].addr;
        advance(s, at, start);
        at = start;
        heap_push(s, s->starts[i]);
    }
    advance(s, at, UINT64_MAX);
}

static int by_addr(const void *a, const void *b, void *segments)
{
    const struct inq_segment *base = segments;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (base[i].addr != base[j].addr)
        return base[i].addr < base[j].addr ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* Segments whose pieces do not add up to them. */
static size_t count_losers(const struct sweep *s, size_t n, uint64_t *kept)
{
    size_t losers = 0;

    for (size_t i = 0; i < s->n_out; i++)
        kept[s->owners[i]] += s->out[i].size;
    for (size_t i = 0; i < n; i++)
        losers += kept[i] < s->segments[i].size;
    return losers;
}

static struct inq_error *build_overlapping(const struct inq_core *core,
                                           struct inq_memory_range *out, size_t *ret_count,
                                           size_t *ret_overlaps)
{
    size_t n = core->n_segments;
    _cleanup_free_ uint32_t *starts = calloc(n + 1, sizeof(*starts));
    _cleanup_free_ uint32_t *heap = calloc(n + 1, sizeof(*heap));
    _cleanup_free_ uint32_t *owners = calloc(2 * n + 1, sizeof(*owners));
    _cleanup_free_ uint64_t *kept = calloc(n + 1, sizeof(*kept));
    struct sweep sweep = {
        .segments = core->segments, .starts = starts, .heap = heap, .out = out, .owners = owners};

    if (!starts || !heap || !owners || !kept)
        return &inq_error_oom;
    for (size_t i = 0; i < n; i++)
        starts[i] = (uint32_t)i;
    qsort_r(starts, n, sizeof(*starts), by_addr, core->segments);
    sweep_all(&sweep, n);
    *ret_count = sweep.n_out;
    *ret_overlaps = count_losers(&sweep, n, kept);
    return NULL;
}

/* The part of line `f` that starts at `from` or above and lies below `limit`. False: there is none.
 */
static bool uncovered(const struct inq_map_file *f, uint64_t from, uint64_t limit,
                      struct inq_memory_range *ret_piece)
{
    uint64_t start = f->start > from ? f->start : from, end;

    if (__builtin_add_overflow(f->start, f->size, &end))
        end = UINT64_MAX;
    end = end < limit ? end : limit;
    if (start >= end)
        return false;
    *ret_piece =
        (struct inq_memory_range){.start = start, .size = end - start, .flags = PF_R | PF_X};
    return true;
}

/*
 * The kernel gives every mapping a segment. gdb's generate-core-file leaves those out that are the
 * same in the file, text and constants: they are in NT_FILE alone. That says nothing of their
 * protection, but what was written to is in a segment. Both lists are in address order; `out` has
 * room for what is counted, and is NULL to count.
 */
static size_t merge_file_lines(const struct inq_core *core, const struct inq_memory_range *ranges,
                               size_t n_ranges, struct inq_memory_range *out)
{
    struct inq_memory_range piece;
    uint64_t at = 0; /* below it all is done */
    size_t n = 0, line = 0;

    for (size_t i = 0; i <= n_ranges; i++) {
        uint64_t limit = i < n_ranges ? ranges[i].start : UINT64_MAX;

        while (line < core->n_files && core->files[line].start < limit) {
            if (uncovered(&core->files[line], at, limit, &piece)) {
                if (out)
                    out[n] = piece;
                n++;
                at = piece.start + piece.size;
            }
            if (core->files[line].size > limit - core->files[line].start)
                break; /* goes on behind the range */
            line++;
        }
        if (i == n_ranges)
            break;
        if (out)
            out[n] = ranges[i];
        n++;
        at = ranges[i].start + ranges[i].size;
    }
    return n;
}

static struct inq_error *add_file_lines(const struct inq_core *core,
                                        struct inq_memory_range **ranges, size_t *count)
{
    size_t n = merge_file_lines(core, *ranges, *count, NULL);
    struct inq_memory_range *merged;

    if (n == *count)
        return NULL;
    merged = calloc(n + 1, sizeof(*merged));
    if (!merged)
        return &inq_error_oom;
    *count = merge_file_lines(core, *ranges, *count, merged);
    free(*ranges);
    *ranges = merged;
    return NULL;
}

struct inq_error *inq_memory_ranges_build(const struct inq_core *core,
                                          struct inq_memory_range **ret_ranges, size_t *ret_count,
                                          size_t *ret_overlaps)
{
    size_t n = core->n_segments, count = n, overlaps = 0;
    bool disjoint = already_disjoint(core);
    /* every start and every end opens at most one piece */
    _cleanup_free_ struct inq_memory_range *out = calloc((disjoint ? n : 2 * n) + 1, sizeof(*out));

    if (!out)
        return &inq_error_oom;
    for (size_t i = 0; disjoint && i < n; i++) {
        const struct inq_segment *s = &core->segments[i];
        out[i] = piece_of(s, s->addr, end_of(s));
    }
    if (!disjoint)
        INQ_TRY(build_overlapping(core, out, &count, &overlaps));
    INQ_TRY(add_file_lines(core, &out, &count));
    *ret_ranges = TAKE_PTR(out);
    *ret_count = count;
    *ret_overlaps = overlaps;
    return NULL;
}

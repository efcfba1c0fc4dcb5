/* SPDX-License-Identifier: Apache-2.0 */

/*
 * NT_FILE (fill_files_note() of the kernel's fs/binfmt_elf.c): words count and page_size; count
 * times start, end, offset in pages; then count NUL-terminated names. With core_sort_vma=1 it is
 * not in the order of addresses. gdb's generate-core-file writes offsets in bytes, and 1 for the
 * size of a page.
 */

#include "core_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "bounds.h"

#define MISSING "(missing)"

struct file_lines { /* what was odd, one gap each */
    uint64_t reversed, overlapping, offsets, names;
};

static int by_start(const void *a, const void *b)
{
    const struct inq_map_file *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return x->file_off < y->file_off ? -1 : x->file_off > y->file_off;
}

/* The next name of the copied block, which ends with a NUL of ours. */
static const char *next_name(char **names, const char *end, struct file_lines *odd)
{
    char *name = *names;
    size_t size;

    if (name >= end) {
        odd->names++;
        return MISSING;
    }
    size = strnlen(name, (size_t)(end - name));
    if (name + size == end) { /* the note ends inside it: no telling what is lost */
        odd->names++;
        *names = name + size;
        return MISSING;
    }
    *names = name + size + 1;
    if (size > INQ_MAX_STRING)
        name[INQ_MAX_STRING] = 0;
    return name;
}

static struct inq_error *fill_lines(struct inq_core_reader *r, struct inq_cursor *c,
                                    size_t declared, uint64_t page, struct file_lines *odd)
{
    struct inq_core *core = r->core;
    size_t words = core->elf_class / 8 * 3;
    size_t names_size = inq_cursor_left(c) - declared * words;
    char *names = inq_arena_copy(r->arena, c->bytes + c->pos + declared * words, names_size);
    const char *end = names + names_size;
    size_t count = declared < INQ_MAX_SEGMENTS ? declared : INQ_MAX_SEGMENTS;

    core->files = INQ_ARENA_ARRAY(r->arena, count, struct inq_map_file);
    if (!core->files || !names)
        return &inq_error_oom;
    for (size_t i = 0; i < count; i++) {
        struct inq_map_file line = {0};
        uint64_t stop = 0, pages = 0;

        if (!inq_cursor_word(c, &line.start) || !inq_cursor_word(c, &stop) ||
            !inq_cursor_word(c, &pages))
            break;
        line.path = next_name(&names, end, odd);
        if (stop <= line.start) {
            odd->reversed++;
            continue;
        }
        line.size = stop - line.start;
        if (__builtin_mul_overflow(pages, page, &line.file_off)) {
            odd->offsets++;
            line.file_off = UINT64_MAX / page * page;
        }
        core->files[core->n_files++] = line;
    }
    return NULL;
}

static void sort_lines(struct inq_core *core, struct file_lines *odd)
{
    bool sorted = true;

    for (size_t i = 1; i < core->n_files && sorted; i++)
        sorted = core->files[i - 1].start <= core->files[i].start;
    if (!sorted)
        qsort(core->files, core->n_files, sizeof(core->files[0]), by_start);
    for (size_t i = 1; i < core->n_files; i++)
        odd->overlapping +=
            core->files[i].start - core->files[i - 1].start < core->files[i - 1].size;
}

static void report_odd(struct inq_core_reader *r, const struct file_lines *odd)
{
    static const char where[] = "NT_FILE";

    if (odd->reversed > 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE, where, "they end where or before they start",
                     "dropped %" PRIu64 " line(s)", odd->reversed);
    if (odd->overlapping > 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE, where, NULL, "%" PRIu64 " line(s) overlap others",
                     odd->overlapping);
    if (odd->offsets > 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE, where, "beyond 2^64 bytes",
                     "file offsets of %" PRIu64 " line(s)", odd->offsets);
    if (odd->names > 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE, where, "the note ends before them",
                     "names of %" PRIu64 " line(s)", odd->names);
}

/* What file offsets are counted in: pages, or bytes. */
static uint64_t offset_unit(struct inq_core_reader *r, uint64_t declared)
{
    if (declared == 1 || inq_page_size_fits(declared))
        return declared;
    inq_gaps_add(r->gaps, INQ_G_NOTE, "NT_FILE", "4096 was taken",
                 "a page size of 0x%" PRIx64 " makes no sense", declared);
    return 4096;
}

struct inq_error *inq_core_note_file(struct inq_core_reader *reader, const uint8_t *desc,
                                     size_t size)
{
    struct inq_core *core = reader->core;
    struct inq_cursor c = inq_cursor_init(desc, size, core->big_endian, core->elf_class / 8);
    struct file_lines odd = {0};
    uint64_t count = 0, page = 0, fit;

    if (core->has_file_note)
        return NULL;
    if (!inq_cursor_word(&c, &count) || !inq_cursor_word(&c, &page)) {
        inq_gaps_add(reader->gaps, INQ_G_NOTE, "NT_FILE", "too short", "%zu bytes", size);
        return NULL;
    }
    page = offset_unit(reader, page);
    fit = inq_cursor_left(&c) / (core->elf_class / 8 * 3u);
    if (count > fit) {
        /* also when the note is cut: its names, which stand behind all lines, are gone */
        inq_gaps_add(reader->gaps, INQ_G_NOTE, "NT_FILE", "the note is too small for them",
                     "%" PRIu64 " lines declared, at most %" PRIu64 " fit", count, fit);
        return NULL;
    }
    core->has_file_note = true;
    if (page != 1)
        core->page_bytes = page;
    if (count == 0)
        return NULL;
    INQ_TRY(fill_lines(reader, &c, (size_t)count, page, &odd));
    sort_lines(core, &odd);
    report_odd(reader, &odd);
    return NULL;
}

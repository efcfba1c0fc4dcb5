/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Program headers. The kernel lays a core out as header, program headers, notes, memory, with the
 * first program header the PT_NOTE; so the notes' offset says a second time how many headers there
 * are. That serves when e_phnum is damaged, and for PN_XNUM (65,535 headers and more), where the
 * count stands in section 0, which the kernel writes behind everything else: at the end of a stream
 * it comes too late, and in a cut dump it is gone.
 */

#include "core_reader.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"
#include "bounds.h"

struct phdr {
    uint32_t type, flags;
    uint64_t off, addr, saved, size;
};

static struct phdr load_phdr(const struct inq_core *core, const uint8_t *p)
{
    bool be = core->big_endian;

    if (core->elf_class == 64)
        return (struct phdr){
            .type = inq_load_u32(p, be),
            .flags = inq_load_u32(p + 4, be),
            .off = inq_load_u64(p + 8, be),
            .addr = inq_load_u64(p + 16, be),
            .saved = inq_load_u64(p + 32, be),
            .size = inq_load_u64(p + 40, be),
        };
    return (struct phdr){
        .type = inq_load_u32(p, be),
        .off = inq_load_u32(p + 4, be),
        .addr = inq_load_u32(p + 8, be),
        .saved = inq_load_u32(p + 16, be),
        .size = inq_load_u32(p + 20, be),
        .flags = inq_load_u32(p + 24, be),
    };
}

/* The count by the place of the notes; 0 when the first header is no PT_NOTE right behind a table.
 */
static uint64_t count_by_notes(struct inq_core_reader *r, const struct inq_elf_header *h)
{
    struct inq_core_bytes b = {0};
    struct inq_error *error = inq_core_bytes_get(r, h->phoff, h->phentsize, &b);
    uint64_t count = 0;

    inq_error_destroy(error);
    if (!error && b.size == h->phentsize) {
        struct phdr first = load_phdr(r->core, b.bytes);
        if (first.type == PT_NOTE && first.off > h->phoff &&
            (first.off - h->phoff) % h->phentsize == 0)
            count = (first.off - h->phoff) / h->phentsize;
    }
    inq_core_bytes_deinit(&b);
    return count <= INQ_MAX_SEGMENTS ? count : 0;
}

/* sh_info of section 0: the real count for PN_XNUM. False when it is not there or does not fit. */
static bool count_by_section(struct inq_core_reader *r, const struct inq_elf_header *h,
                             uint64_t *ret_count)
{
    bool is64 = r->core->elf_class == 64;
    uint64_t size = is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    struct inq_core_bytes b = {0};
    struct inq_error *error;
    bool ok = false;

    if (r->stream || h->shoff < h->size || h->shoff > r->size || r->size - h->shoff < size)
        return false;
    error = inq_core_bytes_get(r, h->shoff, size, &b);
    inq_error_destroy(error);
    if (!error && b.size == size) {
        uint32_t info = inq_load_u32(
            b.bytes + (is64 ? offsetof(Elf64_Shdr, sh_info) : offsetof(Elf32_Shdr, sh_info)),
            r->core->big_endian);
        ok = inq_load_u32(b.bytes + 4, r->core->big_endian) == SHT_NULL && info > 0 &&
             info <= (r->size - h->phoff) / h->phentsize;
        if (ok)
            *ret_count = info;
    }
    inq_core_bytes_deinit(&b);
    return ok;
}

/* Do all headers in [from, to) look like segments of memory? */
static bool all_loads(struct inq_core_reader *r, const struct inq_elf_header *h, uint64_t from,
                      uint64_t to)
{
    struct inq_core_bytes b = {0};
    uint64_t bytes = (to - from) * h->phentsize;
    struct inq_error *error = inq_core_bytes_get(r, h->phoff + from * h->phentsize, bytes, &b);
    bool ok = !error && b.size == bytes;

    inq_error_destroy(error);
    for (uint64_t i = 0; ok && i < to - from; i++)
        ok = inq_load_u32(b.bytes + i * h->phentsize, r->core->big_endian) == PT_LOAD;
    inq_core_bytes_deinit(&b);
    return ok;
}

static struct inq_error *count_phdrs(struct inq_core_reader *r, const struct inq_elf_header *h,
                                     uint64_t *ret_count)
{
    uint64_t by_notes = count_by_notes(r, h), declared = h->phnum, count;
    uint64_t at = r->core->elf_class == 64 ? 56 : 44;

    if (declared == PN_XNUM && !count_by_section(r, h, &declared)) {
        if (by_notes == 0)
            return inq_error_at(inq_error_create(INQ_E_HEADER,
                                                 "the number of program headers should be in "
                                                 "section 0, which is not there or lies"),
                                h->shoff);
        declared = by_notes;
        if (!r->stream)
            inq_gaps_add(
                r->gaps, INQ_G_PHDRS, NULL, "section 0 is not there or lies",
                "the number of program headers was taken from the place of the notes: %" PRIu64,
                by_notes);
    }
    count = declared;
    if (by_notes > declared && all_loads(r, h, declared > 0 ? declared : 1, by_notes))
        count = by_notes;
    else if (by_notes > 0 && by_notes < declared && !all_loads(r, h, by_notes, by_notes + 1))
        count = by_notes;
    if (count == 0)
        return inq_error_at(inq_error_create(INQ_E_HEADER, "no program headers"), at);
    if (count != declared)
        inq_gaps_add(r->gaps, INQ_G_PHDRS, NULL, "the notes begin where the table ends",
                     "the header counts %" PRIu64 " program headers, there are %" PRIu64, declared,
                     count);
    r->core->phnum = declared;
    *ret_count = count;
    return NULL;
}

struct odd_segments { /* one gap for all of a kind, however many there are */
    uint64_t wrapped, clipped, first_wrapped, first_clipped;
};

static void add_segment(struct inq_core_reader *r, const struct phdr *p, uint64_t index,
                        struct odd_segments *odd)
{
    struct inq_core *core = r->core;
    uint64_t limit = core->elf_class == 32 ? UINT32_MAX : UINT64_MAX;
    uint64_t end, saved = p->saved;

    if (__builtin_add_overflow(p->addr, p->size, &end) || (p->size > 0 && end - 1 > limit)) {
        if (odd->wrapped++ == 0)
            odd->first_wrapped = index;
        return;
    }
    if (saved > p->size || __builtin_add_overflow(p->off, saved, &end)) {
        if (odd->clipped++ == 0)
            odd->first_clipped = index;
        saved = saved > p->size ? p->size : saved;
        if (__builtin_add_overflow(p->off, saved, &end))
            saved = end = 0;
    }
    if (p->size == 0)
        return;
    core->segments[core->n_segments++] = (struct inq_segment){
        .addr = p->addr,
        .size = p->size,
        .off = p->off,
        .saved_bytes = saved,
        .present_bytes = p->off >= r->size          ? 0
                         : saved < r->size - p->off ? saved
                                                    : r->size - p->off,
        .flags = p->flags & (PF_R | PF_W | PF_X),
    };
    if (saved > 0 && end > core->expected_bytes)
        core->expected_bytes = end;
}

static void report_odd(struct inq_core_reader *r, const struct odd_segments *odd)
{
    char where[48];

    if (odd->wrapped > 0) {
        snprintf(where, sizeof(where), "program header %" PRIu64, odd->first_wrapped);
        inq_gaps_add(r->gaps, INQ_G_SEGMENT, where, "address plus size runs over the end of memory",
                     "dropped %" PRIu64 " segment(s)", odd->wrapped);
    }
    if (odd->clipped > 0) {
        snprintf(where, sizeof(where), "program header %" PRIu64, odd->first_clipped);
        inq_gaps_add(r->gaps, INQ_G_SEGMENT, where, "more bytes in the file than in memory",
                     "clipped %" PRIu64 " segment(s)", odd->clipped);
    }
}

/*
 * A PT_NOTE that is empty or reaches beyond the end of the file has a wrong size, or the file is
 * cut. The memory of the process begins behind the notes, so they end there at the latest.
 */
static uint64_t note_size(const struct inq_core_reader *r, const struct phdr *p,
                          uint64_t first_load)
{
    bool beyond = p->off >= r->size || p->saved > r->size - p->off;
    bool absurd = r->stream && p->saved > INQ_MAX_NOTES_BYTES;
    bool room = first_load != UINT64_MAX && first_load > p->off;

    if (p->saved == 0 && room)
        return first_load - p->off;
    if ((beyond || absurd) && room && first_load - p->off < p->saved)
        return first_load - p->off;
    return p->saved;
}

static void add_note(struct inq_core_reader *r, const struct phdr *p, uint64_t first_load)
{
    struct inq_core *core = r->core;
    uint64_t size = note_size(r, p, first_load), end;
    char where[48];

    if (size != p->saved) {
        snprintf(where, sizeof(where), "offset 0x%" PRIx64, p->off);
        inq_gaps_add(r->gaps, INQ_G_NOTE, where, "they end where memory begins",
                     "%" PRIu64 " bytes of notes are declared, %" PRIu64 " taken", p->saved, size);
    }
    if (__builtin_add_overflow(p->off, size, &end))
        end = p->off, size = UINT64_MAX - p->off;
    core->notes[core->n_notes++] = (struct inq_file_range){p->off, size};
    if (end > core->expected_bytes)
        core->expected_bytes = end;
}

static struct inq_error *read_table(struct inq_core_reader *r, const uint8_t *table, uint64_t count,
                                    uint16_t entry)
{
    struct inq_core *core = r->core;
    struct odd_segments odd = {0};
    uint64_t first_load = UINT64_MAX;
    size_t n_loads = 0, n_notes = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct phdr p = load_phdr(core, table + i * entry);
        n_loads += p.type == PT_LOAD;
        n_notes += p.type == PT_NOTE;
        if (p.type == PT_LOAD && p.saved > 0 && p.off < first_load)
            first_load = p.off;
    }
    core->segments = INQ_ARENA_ARRAY(r->arena, n_loads + 1, struct inq_segment);
    core->notes = INQ_ARENA_ARRAY(r->arena, n_notes + 1, struct inq_file_range);
    if (!core->segments || !core->notes)
        return &inq_error_oom;
    for (uint64_t i = 0; i < count; i++) {
        struct phdr p = load_phdr(core, table + i * entry);
        if (p.type == PT_LOAD)
            add_segment(r, &p, i, &odd);
        else if (p.type == PT_NOTE)
            add_note(r, &p, first_load);
    }
    report_odd(r, &odd);
    return NULL;
}

struct inq_error *inq_core_read_phdrs(struct inq_core_reader *reader,
                                      const struct inq_elf_header *header)
{
    struct inq_core *core = reader->core;
    struct inq_core_bytes b = {0};
    struct inq_error *error;
    uint64_t count = 0, there;

    INQ_TRY(count_phdrs(reader, header, &count));
    if (count > INQ_MAX_SEGMENTS) {
        inq_gaps_add(reader->gaps, INQ_G_PHDRS, NULL, "more than any process can have",
                     "%" PRIu64 " program headers, %u read", count, INQ_MAX_SEGMENTS);
        count = INQ_MAX_SEGMENTS;
    }
    INQ_TRY(inq_core_bytes_get(reader, header->phoff, count * header->phentsize, &b));
    there = b.size / header->phentsize;
    core->expected_bytes = header->phoff + count * header->phentsize;
    core->phdrs = (struct inq_file_range){header->phoff, there * header->phentsize};
    if (there < count)
        inq_gaps_add(reader->gaps, INQ_G_PHDRS, NULL, "program header table beyond end",
                     "%" PRIu64 " of %" PRIu64 " program headers", there, count);
    if (there == 0)
        error = inq_error_at(inq_error_create(INQ_E_HEADER,
                                              "program header table beyond end: "
                                              "none of %" PRIu64 " is there",
                                              count),
                             header->phoff);
    else
        error = read_table(reader, b.bytes, there, header->phentsize);
    inq_core_bytes_deinit(&b);
    return error;
}

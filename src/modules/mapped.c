/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "reader.h"

#define MAX_HEADERS 1024u /* program headers that are looked at */
#define CHUNK_HEADERS 64u /* read at a time */
#define MAX_OTHERS 16u    /* segments of interest besides PT_LOAD */
#define MAX_NOTES_BYTES (64u * 1024u)

/* SPARC v8+ programs say so in their own header, while the core says SPARC. */
static bool machine_fits(uint16_t core, uint16_t file)
{
    return core == file || (core == EM_SPARC && file == EM_SPARC32PLUS) ||
           (core == EM_SPARC32PLUS && file == EM_SPARC);
}

static bool wanted(uint32_t type)
{
    switch (type) {
    case PT_LOAD:
    case PT_DYNAMIC:
    case PT_NOTE:
    case PT_INTERP:
    case PT_PHDR:
    case PT_GNU_EH_FRAME:
        return true;
    default:
        return false;
    }
}

/* Appends the wanted ones of n raw program headers; the array has room for all that are kept. */
static void keep_segments(struct inq_mapped_elf *elf, const uint8_t *raw, unsigned n,
                          unsigned *loads, unsigned *others)
{
    for (unsigned i = 0; i < n; i++) {
        struct inq_elf_segment s =
            inq_elf_segment_parse(&elf->header, raw + (size_t)i * elf->header.phentsize);
        unsigned *count = s.type == PT_LOAD ? loads : others;

        if (!wanted(s.type) || *count == (s.type == PT_LOAD ? INQ_MAX_LOADS : MAX_OTHERS))
            continue;
        (*count)++;
        elf->segments[elf->n_segments++] = s;
    }
}

static bool read_segments(struct inq_reader *reader, struct inq_mapped_elf *elf)
{
    uint8_t raw[CHUNK_HEADERS * INQ_ELF_SEGMENT_BYTES];
    struct inq_elf_segment kept[INQ_MAX_LOADS + MAX_OTHERS];
    const unsigned total = elf->header.phnum < MAX_HEADERS ? elf->header.phnum : MAX_HEADERS;
    unsigned loads = 0, others = 0;

    elf->segments = kept;
    elf->n_segments = 0;
    for (unsigned i = 0; i < total; i += CHUNK_HEADERS) {
        unsigned n = total - i < CHUNK_HEADERS ? total - i : CHUNK_HEADERS;
        uint64_t addr = elf->header_addr + elf->header.phoff + (uint64_t)i * elf->header.phentsize;
        size_t size = (size_t)n * elf->header.phentsize;

        if (inq_memory_read(reader->memory, addr & reader->addr_mask, raw, size, NULL) !=
            INQ_MEMORY_OK)
            return false;
        keep_segments(elf, raw, n, &loads, &others);
    }
    if (loads == 0)
        return false;
    elf->segments = INQ_ARENA_ARRAY(reader->arena, elf->n_segments, struct inq_elf_segment);
    if (!elf->segments)
        return false;
    memcpy(elf->segments, kept, elf->n_segments * sizeof(kept[0]));
    return true;
}

enum inq_mapped inq_mapped_read(struct inq_reader *reader, uint64_t addr,
                                struct inq_mapped_elf *ret_elf)
{
    const struct inq_core *core = reader->core;
    struct inq_mapped_elf elf = {.header_addr = addr};
    uint8_t raw[INQ_ELF_HEADER_BYTES];
    size_t got = 0;

    inq_memory_read(reader->memory, addr, raw, sizeof(raw), &got);
    if (got < SELFMAG)
        return INQ_MAPPED_UNSAVED;
    if (memcmp(raw, ELFMAG, SELFMAG) != 0)
        return INQ_MAPPED_OTHER;
    if (got < sizeof(raw))
        return INQ_MAPPED_UNSAVED;
    if (!inq_elf_header_parse(raw, got, &elf.header) || elf.header.elf_class != core->elf_class ||
        elf.header.big_endian != core->big_endian ||
        !machine_fits(core->machine, elf.header.machine) ||
        (elf.header.type != ET_EXEC && elf.header.type != ET_DYN) || elf.header.phnum == 0)
        return INQ_MAPPED_OTHER;
    if (!read_segments(reader, &elf))
        return INQ_MAPPED_UNSAVED;
    *ret_elf = elf;
    return INQ_MAPPED_ELF;
}

/* ---- build-id ------------------------------------------------------------------------------ */

static size_t notes_at(struct inq_reader *reader, uint64_t addr, const struct inq_elf_segment *s,
                       uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    const size_t size = (size_t)s->file_bytes;
    const bool be = reader->core->big_endian;
    const void *view = inq_memory_view(reader->memory, addr, size);
    _cleanup_free_ void *large = NULL;
    uint8_t small[512];
    void *buf = small;

    if (view)
        return inq_elf_notes_build_id(view, size, s->align, be, ret_id);
    if (size > sizeof(small))
        buf = large = malloc(size);
    if (!buf || inq_memory_read(reader->memory, addr, buf, size, NULL) != INQ_MEMORY_OK)
        return 0;
    return inq_elf_notes_build_id(buf, size, s->align, be, ret_id);
}

/*
 * The notes are read where the process had them, and where that page was not saved, behind the
 * header that was read: the first page of an old-style program is mapped a second time in front of
 * its data, and only that copy is in the dump.
 */
size_t inq_mapped_build_id(struct inq_reader *reader, const struct inq_mapped_elf *elf,
                           uint64_t bias, uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];
        size_t found;

        if (s->type != PT_NOTE || s->file_bytes == 0 || s->file_bytes > MAX_NOTES_BYTES)
            continue;
        found = notes_at(reader, (bias + s->addr) & reader->addr_mask, s, ret_id);
        if (found == 0 && s->off < reader->core->page_bytes &&
            s->file_bytes <= reader->core->page_bytes - s->off)
            found = notes_at(reader, (elf->header_addr + s->off) & reader->addr_mask, s, ret_id);
        if (found > 0)
            return found;
    }
    return 0;
}

/* ---- what else the headers say -------------------------------------------------------------- */

bool inq_mapped_span(const struct inq_reader *reader, const struct inq_mapped_elf *elf,
                     uint64_t bias, uint64_t *ret_start, uint64_t *ret_size)
{
    uint64_t start = UINT64_MAX, end = 0;

    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];
        uint64_t low = (bias + s->addr) & reader->addr_mask;

        if (s->type != PT_LOAD || s->size == 0 || s->size > reader->addr_mask - low)
            continue;
        if (low < start)
            start = low;
        if (low + s->size > end)
            end = low + s->size;
    }
    if (start >= end)
        return false;
    *ret_start = inq_page_down(reader->core, start);
    *ret_size = inq_page_up(reader->core, end) - *ret_start;
    return true;
}

/* The anonymous memory behind the file's data belongs to the module, up to what comes next. */
static void extend_over_bss(struct inq_reader *reader, struct inq_candidate *candidate)
{
    const struct inq_core *core = reader->core;
    struct inq_module *module = &candidate->module;
    uint64_t start, size, end;
    size_t next;

    if (!inq_mapped_span(reader, &candidate->elf, module->load_bias, &start, &size) ||
        start > module->start || start + size <= module->start + module->size)
        return;
    end = start + size;
    next = inq_modules_first_line(core, module->start + module->size);
    if (next < core->n_files && core->files[next].start < end)
        end = core->files[next].start;
    module->size = end - module->start;
}

void inq_mapped_describe(struct inq_reader *reader, struct inq_candidate *candidate)
{
    struct inq_module *module = &candidate->module;
    const struct inq_mapped_elf *elf = &candidate->elf;

    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];
        uint64_t addr = (module->load_bias + s->addr) & reader->addr_mask;

        if (s->type == PT_DYNAMIC && module->dynamic == 0) {
            module->dynamic = addr;
            module->dynamic_size = s->size;
        } else if (s->type == PT_GNU_EH_FRAME && module->eh_frame_hdr == 0) {
            module->eh_frame_hdr = addr;
            module->eh_frame_hdr_size = s->size;
        } else if (s->type == PT_INTERP) {
            candidate->has_interp = true;
        }
    }
    module->build_id_size =
        (uint8_t)inq_mapped_build_id(reader, elf, module->load_bias, module->build_id);
    extend_over_bss(reader, candidate);
}

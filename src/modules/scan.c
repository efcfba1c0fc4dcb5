/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules of dumps without NT_FILE: ELF headers at the starts of segments (where the kernel puts
 * the first page of each mapped file), and the program by AT_PHDR. Also the vdso, which is never in
 * NT_FILE.
 */
#include <elf.h>
#include <string.h>

#include "bounds.h"
#include "reader.h"

/*
 * How many loadable segments have something mapped where this bias puts them, with rights that a
 * segment may have: code executable, what is not writable not written to.
 */
static size_t count_mapped(const struct inq_reader *reader, const struct inq_mapped_elf *elf,
                           uint64_t bias)
{
    struct inq_memory_region region;
    size_t mapped = 0;

    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];

        if (s->type != PT_LOAD ||
            !inq_memory_region_at(reader->memory, (bias + s->addr) & reader->addr_mask, &region))
            continue;
        mapped += 1;
        mapped += (region.flags & PF_X) == (s->flags & PF_X);
        mapped += (s->flags & PF_W) || !(region.flags & PF_W);
    }
    return mapped;
}

/* As in group.c, with the dump's segments in place of NT_FILE's lines. */
static bool best_bias(const struct inq_reader *reader, const struct inq_mapped_elf *elf,
                      uint64_t *ret_bias)
{
    size_t best = 0;

    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];
        uint64_t bias, mapped;

        if (s->type != PT_LOAD || inq_page_down(reader->core, s->off) != 0)
            continue;
        bias = (elf->header_addr - inq_page_down(reader->core, s->addr)) & reader->addr_mask;
        if (elf->header.type == ET_EXEC && bias != 0)
            continue;
        mapped = count_mapped(reader, elf, bias);
        if (mapped > best) {
            best = mapped;
            *ret_bias = bias;
        }
    }
    return best > 0;
}

static struct inq_error *add_elf(struct inq_reader *reader, const struct inq_mapped_elf *elf)
{
    struct inq_candidate *candidate;
    uint64_t bias, start, size;

    if (!best_bias(reader, elf, &bias) || !inq_mapped_span(reader, elf, bias, &start, &size))
        return NULL;
    candidate = inq_reader_add(reader);
    if (!candidate)
        return reader->too_many ? NULL : &inq_error_oom;
    candidate->elf = *elf;
    candidate->module.start = start;
    candidate->module.size = size;
    candidate->module.load_bias = bias;
    candidate->module.has_bias = true;
    candidate->module.is_elf = true;
    candidate->module.name = "";
    inq_mapped_describe(reader, candidate);
    return NULL;
}

/* The program whose first page was not saved: no more than where it lies. */
static struct inq_error *add_program(struct inq_reader *reader)
{
    struct inq_memory_region region;
    struct inq_candidate *candidate;
    uint64_t phdr;

    if (!inq_core_auxv(reader->core, AT_PHDR, &phdr) ||
        !inq_memory_region_at(reader->memory, phdr, &region))
        return NULL;
    for (size_t i = 0; i < reader->candidates.count; i++) {
        const struct inq_module *module = &reader->candidates.items[i].module;

        if (phdr >= module->start && phdr - module->start < module->size)
            return NULL;
    }
    candidate = inq_reader_add(reader);
    if (!candidate)
        return reader->too_many ? NULL : &inq_error_oom;
    candidate->module.start = region.start;
    candidate->module.size = region.size;
    candidate->module.is_elf = true;
    candidate->module.name = "";
    return NULL;
}

struct inq_error *inq_modules_scan(struct inq_reader *reader)
{
    const struct inq_core *core = reader->core;
    uint64_t vdso = 0;

    inq_core_auxv(core, AT_SYSINFO_EHDR, &vdso);
    for (size_t i = 0; i < core->n_segments && !reader->too_many; i++) {
        const struct inq_segment *segment = &core->segments[i];
        struct inq_mapped_elf elf;

        if (segment->present_bytes < INQ_ELF_HEADER_BYTES || segment->addr == vdso ||
            inq_mapped_read(reader, segment->addr, &elf) != INQ_MAPPED_ELF)
            continue;
        INQ_TRY(add_elf(reader, &elf));
    }
    return add_program(reader);
}

struct inq_error *inq_modules_add_vdso(struct inq_reader *reader)
{
    struct inq_memory_region region;
    struct inq_mapped_elf elf;
    struct inq_candidate *candidate;
    struct inq_module *module;
    uint64_t addr;
    bool readable;

    if (!inq_core_auxv(reader->core, AT_SYSINFO_EHDR, &addr) || addr == 0)
        return NULL;
    readable = inq_mapped_read(reader, addr, &elf) == INQ_MAPPED_ELF;
    if (!readable && !inq_memory_region_at(reader->memory, addr, &region))
        return NULL;
    candidate = inq_reader_add(reader);
    if (!candidate)
        return reader->too_many ? NULL : &inq_error_oom;
    module = &candidate->module;
    module->name = "[vdso]";
    module->is_vdso = module->is_elf = true;
    module->start = addr;
    module->size = readable ? reader->core->page_bytes : region.start + region.size - addr;
    if (!readable)
        return NULL;
    candidate->elf = elf;
    module->has_bias = best_bias(reader, &elf, &module->load_bias);
    if (!module->has_bias) { /* the header is there, so its segment is */
        module->load_bias = addr;
        module->has_bias = true;
    }
    inq_mapped_describe(reader, candidate);
    return NULL;
}

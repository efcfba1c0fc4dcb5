/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between two segments of a program or of the dynamic linker, which the kernel maps, there may be
 * pages that belong to neither: mmap() puts there what anybody asks for (the dynamic linker closes
 * such holes in what it maps itself). Code that was generated there is no code of that file.
 */
#include <elf.h>
#include <string.h>

#include "reader.h"

struct hole {
    uint64_t start, end;
};

/* True when a line of NT_FILE shows the module's own file somewhere in there. */
static bool is_of_file(const struct inq_core *core, const struct inq_module *module,
                       const struct hole *hole)
{
    const size_t size = strlen(module->path);

    for (size_t i = inq_modules_first_line(core, hole->start);
         i < core->n_files && core->files[i].start < hole->end; i++)
        if (strncmp(core->files[i].path, module->path, size) == 0)
            return true;
    return false;
}

/* The holes of a module in address order; 0 when its headers are not known, or in no order. */
static size_t find_holes(const struct inq_reader *reader, const struct inq_candidate *candidate,
                         struct hole holes[INQ_MAX_LOADS])
{
    const struct inq_core *core = reader->core;
    const struct inq_module *module = &candidate->module;
    size_t n = 0, loads = 0;
    uint64_t at = 0, last = 0;

    if (!module->has_bias || !module->path || core->n_files == 0)
        return 0;
    for (size_t i = 0; i < candidate->elf.n_segments; i++) {
        const struct inq_elf_segment *s = &candidate->elf.segments[i];
        const uint64_t low = (module->load_bias + s->addr) & reader->addr_mask;
        struct hole hole = {.start = at, .end = inq_page_down(core, low)};

        if (s->type != PT_LOAD || s->size == 0)
            continue;
        if (s->size > reader->addr_mask - low || low < last)
            return 0;
        last = low;
        if (++loads == INQ_MAX_LOADS) /* there may be more */
            return 0;
        if (loads > 1 && hole.start < hole.end && !is_of_file(core, module, &hole))
            holes[n++] = hole;
        if (inq_page_up(core, low + s->size) > at)
            at = inq_page_up(core, low + s->size);
    }
    return n;
}

struct inq_error *inq_modules_cut_holes(struct inq_reader *reader)
{
    struct inq_modules *modules = reader->modules;
    const size_t n = modules->n_pieces;
    const struct inq_module_piece *old = modules->pieces;
    struct hole holes[INQ_MAX_LOADS];
    struct inq_module_piece *items;
    size_t most = n, count = 0;

    for (size_t i = 0; i < reader->candidates.count; i++)
        most += find_holes(reader, &reader->candidates.items[i], holes);
    if (most == n)
        return NULL;
    items = INQ_ARENA_ARRAY(reader->arena, most, struct inq_module_piece);
    if (!items)
        return &inq_error_oom;
    for (size_t i = 0; i < n; i++) {
        const struct inq_candidate *candidate = &reader->candidates.items[old[i].module];
        const size_t n_holes = find_holes(reader, candidate, holes);
        const uint64_t end = old[i].start + old[i].size;
        uint64_t at = old[i].start;

        for (size_t k = 0; k < n_holes && at < end; k++) {
            if (holes[k].end <= at || holes[k].start >= end)
                continue;
            if (holes[k].start > at)
                items[count++] = (struct inq_module_piece){
                    .start = at, .size = holes[k].start - at, .module = old[i].module};
            at = holes[k].end;
        }
        if (at < end)
            items[count++] =
                (struct inq_module_piece){.start = at, .size = end - at, .module = old[i].module};
    }
    modules->pieces = items;
    modules->n_pieces = count;
    return NULL;
}

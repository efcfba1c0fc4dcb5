/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NT_FILE to modules. The note has one line a mapping. Lines of one path are one module, unless the
 * file was loaded twice (dlmopen), and some are none: Rust's backtrace maps its own program whole
 * to read it, sanitizers leave a second copy of the dynamic linker's first page. Programs with text
 * and data on one page of the file have that page mapped twice. So the program headers decide: a
 * load bias is right when the mappings lie where it puts the segments.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "reader.h"
#include "text.h"

#define DELETED " (deleted)"
#define MAX_COPIES 32u /* ELF headers of one path; dlmopen has room for 16 copies */

/* Neighbouring lines of one path. */
struct run {
    const char *path;
    uint64_t hash;
    size_t first, count;
};

struct group { /* all lines of one path */
    const struct inq_map_file **lines;
    bool *taken;
    size_t count;
};

/* One way to read a group: the file loaded at this bias. */
struct placing {
    struct inq_mapped_elf elf;
    uint64_t bias;
    size_t fits; /* lines where it puts a segment */
};

static uint64_t hash_path(const char *path)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */

    for (; *path; path++)
        hash = (hash ^ (uint8_t)*path) * 1099511628211ull;
    return hash;
}

static int compare_runs(const void *a, const void *b)
{
    const struct run *left = a, *right = b;
    int order;

    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    order = strcmp(left->path, right->path);
    if (order != 0)
        return order;
    return left->first < right->first ? -1 : left->first > right->first;
}

/* ---- what a file may be ---------------------------------------------------------------------- */

static bool is_executable(const struct inq_reader *reader, const struct inq_map_file *line)
{
    struct inq_memory_region region;

    return inq_memory_region_at(reader->memory, line->start, &region) && (region.flags & PF_X);
}

/* "libfoo.so", "libfoo.so.1", "foo.cpython-311-x86_64-linux-gnu.so (deleted)" */
static bool named_like_a_library(const char *path)
{
    const char *so = strstr(inq_base_name(path), ".so");

    return so && (so[3] == '\0' || so[3] == '.' || so[3] == ' ');
}

/* Shared memory and JIT code, whatever else may be executable there. */
static bool named_like_memory(const char *path)
{
    static const char *const prefixes[] = {"/memfd:", "/dev/", "/SYSV",      "/anon_hugepage",
                                           "/[",      "[",     "anon_inode:"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(prefixes); i++)
        if (inq_starts_with(path, prefixes[i]))
            return true;
    return false;
}

/* ---- placings -------------------------------------------------------------------------------- */

/* The first line of the group that starts at or behind addr. */
static size_t line_from(const struct group *g, uint64_t addr)
{
    size_t low = 0, high = g->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (g->lines[middle]->start < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* True when this line shows the bytes that a segment at this bias has there. */
static bool line_fits(const struct inq_reader *reader, const struct placing *p,
                      const struct inq_map_file *line)
{
    const struct inq_core *core = reader->core;

    for (size_t i = 0; i < p->elf.n_segments; i++) {
        const struct inq_elf_segment *s = &p->elf.segments[i];
        uint64_t low, high, off;

        if (s->type != PT_LOAD)
            continue;
        low = inq_page_down(core, (p->bias + s->addr) & reader->addr_mask);
        high = inq_page_up(core, (p->bias + s->addr + s->file_bytes) & reader->addr_mask);
        off = inq_page_down(core, s->off);
        if (line->start >= low && line->start < high && line->start - low == line->file_off - off)
            return true;
    }
    return false;
}

/* Counts the lines that fit, or marks them as taken and gives their range. */
static size_t walk_placing(const struct inq_reader *reader, struct group *g,
                           const struct placing *p, bool take, uint64_t *ret_start,
                           uint64_t *ret_end)
{
    uint64_t start, size;
    size_t fits = 0;

    if (!inq_mapped_span(reader, &p->elf, p->bias, &start, &size))
        return 0;
    for (size_t i = line_from(g, start); i < g->count && g->lines[i]->start - start < size; i++) {
        if (g->taken[i] || !line_fits(reader, p, g->lines[i]))
            continue;
        if (take) {
            g->taken[i] = true;
            if (fits == 0)
                *ret_start = g->lines[i]->start;
            if (fits == 0 || g->lines[i]->start + g->lines[i]->size > *ret_end)
                *ret_end = g->lines[i]->start + g->lines[i]->size;
        }
        fits++;
    }
    return fits;
}

/*
 * The best bias for the header at elf->header_addr, a line with file offset 0: each segment that
 * shows the first page of the file could be the one that is mapped there.
 */
static bool place(const struct inq_reader *reader, struct group *g,
                  const struct inq_mapped_elf *elf, struct placing *ret_placing)
{
    bool found = false;

    for (size_t i = 0; i < elf->n_segments; i++) {
        const struct inq_elf_segment *s = &elf->segments[i];
        struct placing p = {.elf = *elf};

        if (s->type != PT_LOAD || inq_page_down(reader->core, s->off) != 0)
            continue;
        p.bias = (elf->header_addr - inq_page_down(reader->core, s->addr)) & reader->addr_mask;
        if (elf->header.type == ET_EXEC && p.bias != 0)
            continue;
        p.fits = walk_placing(reader, g, &p, false, NULL, NULL);
        if (p.fits > 0 && (!found || p.fits > ret_placing->fits)) {
            *ret_placing = p;
            found = true;
        }
    }
    return found;
}

static size_t count_loads(const struct inq_mapped_elf *elf)
{
    size_t loads = 0;

    for (size_t i = 0; i < elf->n_segments; i++)
        loads += elf->segments[i].type == PT_LOAD;
    return loads;
}

static bool taken_is_executable(const struct inq_reader *reader, const struct group *g,
                                uint64_t start, uint64_t end)
{
    for (size_t i = line_from(g, start); i < g->count && g->lines[i]->start < end; i++)
        if (g->taken[i] && is_executable(reader, g->lines[i]))
            return true;
    return false;
}

/* ---- modules --------------------------------------------------------------------------------- */

static struct inq_error *add_module(struct inq_reader *reader, const char *path, uint64_t start,
                                    uint64_t end, const struct placing *p, bool tentative)
{
    struct inq_candidate *candidate = inq_reader_add(reader);
    struct inq_module *module;
    size_t size = strlen(path);

    if (!candidate)
        return reader->too_many ? NULL : &inq_error_oom;
    module = &candidate->module;
    module->deleted = inq_ends_with(path, DELETED);
    if (module->deleted)
        size -= strlen(DELETED);
    module->path = module->deleted ? inq_arena_copy(reader->arena, path, size) : path;
    if (!module->path)
        return &inq_error_oom;
    module->name = inq_base_name(module->path);
    module->start = start;
    module->size = end - start;
    module->is_elf = true;
    candidate->tentative = tentative;
    if (p) {
        candidate->elf = p->elf;
        module->load_bias = p->bias;
        module->has_bias = true;
        inq_mapped_describe(reader, candidate);
    }
    return NULL;
}

static int compare_placings(const void *a, const void *b)
{
    const struct placing *left = a, *right = b;

    if (left->fits != right->fits)
        return left->fits > right->fits ? -1 : 1;
    return left->bias < right->bias ? -1 : left->bias > right->bias;
}

/* With headers to go by. Sets *ret_found when there was at least one module. */
static struct inq_error *group_by_headers(struct inq_reader *reader, struct group *g,
                                          struct placing *placings, size_t n, bool *ret_found)
{
    qsort(placings, n, sizeof(placings[0]), compare_placings);
    for (size_t i = 0; i < n; i++) {
        uint64_t start = 0, end = 0;
        size_t fits = walk_placing(reader, g, &placings[i], true, &start, &end);
        bool firm;

        if (fits == 0) /* another copy of a page of a module that is there already */
            continue;
        firm = fits >= 2 || count_loads(&placings[i].elf) == 1 ||
               taken_is_executable(reader, g, start, end);
        INQ_TRY(add_module(reader, g->lines[0]->path, start, end, &placings[i], !firm));
        *ret_found = true;
    }
    return NULL;
}

/*
 * Without headers: a line with file offset 0 begins a copy when the one before has got beyond its
 * first page.
 */
static struct inq_error *group_by_offsets(struct inq_reader *reader, const struct group *g)
{
    const char *path = g->lines[0]->path;
    bool executable = false, advanced = false;
    uint64_t start = 0, end = 0;

    if (named_like_memory(path))
        return NULL;
    for (size_t i = 0; i <= g->count; i++) {
        const struct inq_map_file *line = i < g->count ? g->lines[i] : NULL;

        if (i > 0 && (!line || (line->file_off == 0 && advanced))) {
            if (executable || named_like_a_library(path))
                INQ_TRY(add_module(reader, path, start, end, NULL, false));
            executable = advanced = false;
            end = 0;
        }
        if (!line)
            break;
        if (end == 0)
            start = line->start;
        if (line->start + line->size > end)
            end = line->start + line->size;
        advanced |= line->file_off > 0;
        executable |= is_executable(reader, line);
    }
    return NULL;
}

static struct inq_error *read_group(struct inq_reader *reader, struct group *g)
{
    struct placing placings[MAX_COPIES];
    size_t n = 0, headers = 0;
    bool other = false, found = false;

    for (size_t i = 0; i < g->count && headers < MAX_COPIES; i++) {
        struct inq_mapped_elf elf;

        if (g->lines[i]->file_off != 0)
            continue;
        headers++;
        switch (inq_mapped_read(reader, g->lines[i]->start, &elf)) {
        case INQ_MAPPED_ELF:
            if (place(reader, g, &elf, &placings[n]))
                n++;
            break;
        case INQ_MAPPED_OTHER:
            other = true; /* a font, an archive: none of its lines is code */
            break;
        case INQ_MAPPED_UNSAVED:
            break;
        }
    }
    INQ_TRY(group_by_headers(reader, g, placings, n, &found));
    if (found || other)
        return NULL;
    return group_by_offsets(reader, g);
}

static struct inq_error *read_groups(struct inq_reader *reader, const struct run *runs, size_t n)
{
    const struct inq_core *core = reader->core;
    _cleanup_free_ const struct inq_map_file **lines = NULL;
    _cleanup_free_ bool *taken = NULL;

    lines = calloc(core->n_files, sizeof(lines[0]));
    taken = calloc(core->n_files, sizeof(taken[0]));
    if (!lines || !taken)
        return &inq_error_oom;
    for (size_t i = 0; i < n;) {
        struct group g = {.lines = lines, .taken = taken};

        for (const char *path = runs[i].path; i < n && strcmp(runs[i].path, path) == 0; i++)
            for (size_t k = 0; k < runs[i].count; k++) {
                lines[g.count] = &core->files[runs[i].first + k];
                taken[g.count++] = false;
            }
        INQ_TRY(read_group(reader, &g));
    }
    return NULL;
}

struct inq_error *inq_modules_group(struct inq_reader *reader)
{
    const struct inq_core *core = reader->core;
    _cleanup_free_ struct run *runs = NULL;
    size_t n = 0;

    if (core->n_files == 0)
        return NULL;
    runs = calloc(core->n_files, sizeof(runs[0]));
    if (!runs)
        return &inq_error_oom;
    for (size_t i = 0; i < core->n_files; i++) {
        const char *path = core->files[i].path;

        if (n > 0 && strcmp(runs[n - 1].path, path) == 0) {
            runs[n - 1].count++;
            continue;
        }
        runs[n++] = (struct run){.path = path, .hash = hash_path(path), .first = i, .count = 1};
    }
    qsort(runs, n, sizeof(runs[0]), compare_runs);
    return read_groups(reader, runs, n);
}

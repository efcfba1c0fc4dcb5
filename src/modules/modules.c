/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

#include <elf.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "reader.h"
#include "text.h"

const char *inq_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

const char *inq_module_where(const struct inq_modules *modules, const struct inq_module *module)
{
    const char *where = inq_arena_printf(modules->arena, "module %s", module->name);

    return where ? where : "module";
}

size_t inq_modules_first_line(const struct inq_core *core, uint64_t addr)
{
    size_t low = 0, high = core->n_files;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (core->files[middle].start < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct inq_candidate *inq_reader_add(struct inq_reader *reader)
{
    struct inq_candidate *candidate;

    if (reader->candidates.count >= INQ_MAX_MODULES) {
        reader->too_many = true;
        return NULL;
    }
    candidate = INQ_ARRAY_PUSH(&reader->candidates);
    if (!candidate)
        return NULL;
    candidate->module.load_order = -1;
    candidate->order = reader->candidates.count;
    return candidate;
}

/* ---- looking up ------------------------------------------------------------------------------ */

size_t inq_modules_locate(const struct inq_modules *modules, uint64_t addr)
{
    size_t low = 0, high = modules->n_pieces;

    while (low < high) { /* the first piece that starts above addr */
        size_t middle = low + (high - low) / 2;

        if (modules->pieces[middle].start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || addr - modules->pieces[low - 1].start >= modules->pieces[low - 1].size)
        return SIZE_MAX;
    return modules->pieces[low - 1].module;
}

struct inq_module *inq_modules_find(const struct inq_modules *modules, uint64_t addr)
{
    size_t index = inq_modules_locate(modules, addr);

    return index != SIZE_MAX ? &modules->items[index] : NULL;
}

struct piece_list {
    struct inq_module_piece *items;
    size_t count;
};

static void add_piece(struct piece_list *list, uint64_t start, uint64_t end, size_t module)
{
    if (start < end)
        list->items[list->count++] =
            (struct inq_module_piece){.start = start, .size = end - start, .module = module};
}

/*
 * Cuts the ranges of n sorted candidates into disjoint pieces: of several modules that cover an
 * address the one that starts last has it. A stack holds the modules that are open at the sweep;
 * every module makes at most two pieces more.
 */
static struct inq_error *build_pieces(struct inq_reader *reader)
{
    const size_t n = reader->candidates.count;
    const struct inq_candidate *items = reader->candidates.items;
    _cleanup_free_ size_t *open = NULL;
    struct piece_list list = {0};
    uint64_t at = 0;
    size_t depth = 0;

    if (n == 0)
        return NULL;
    open = calloc(n, sizeof(*open));
    list.items = INQ_ARENA_ARRAY(reader->arena, 2 * n + 1, struct inq_module_piece);
    if (!open || !list.items)
        return &inq_error_oom;
    for (size_t i = 0; i <= n; i++) {
        const uint64_t next = i < n ? items[i].module.start : UINT64_MAX;

        while (depth > 0) {
            const struct inq_module *top = &items[open[depth - 1]].module;
            uint64_t end = top->start + top->size;

            if (end > next) {
                add_piece(&list, at, next, open[depth - 1]);
                break;
            }
            if (end > at) {
                add_piece(&list, at, end, open[depth - 1]);
                at = end;
            }
            depth--;
        }
        if (i < n)
            open[depth++] = i;
        at = next;
    }
    reader->modules->pieces = list.items;
    reader->modules->n_pieces = list.count;
    return NULL;
}

/* ---- building -------------------------------------------------------------------------------- */

static int compare_candidates(const void *a, const void *b)
{
    const struct inq_candidate *left = a, *right = b;

    if (left->module.start != right->module.start)
        return left->module.start < right->module.start ? -1 : 1;
    if (left->module.size != right->module.size)
        return left->module.size > right->module.size ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* A header that was found twice (the first page mapped again in front of the data) is one module.
 */
static bool same_module(const struct inq_candidate *a, const struct inq_candidate *b)
{
    return a->module.start == b->module.start && a->module.size == b->module.size &&
           a->module.has_bias == b->module.has_bias && a->module.load_bias == b->module.load_bias;
}

/* Sorts, drops doubles and (at the end) what never became certain; then the pieces. */
static struct inq_error *settle(struct inq_reader *reader, bool final)
{
    struct inq_candidate *items = reader->candidates.items;
    size_t kept = 0;

    if (reader->candidates.count > 0)
        qsort(items, reader->candidates.count, sizeof(items[0]), compare_candidates);
    for (size_t i = 0; i < reader->candidates.count; i++) {
        if (final && items[i].tentative)
            continue;
        if (kept > 0 && same_module(&items[kept - 1], &items[i]))
            continue;
        items[kept++] = items[i];
    }
    reader->candidates.count = kept;
    reader->modules->main = SIZE_MAX;
    for (size_t i = 0; i < kept; i++) {
        items[i].module.index = i;
        if (items[i].module.is_main)
            reader->modules->main = i;
    }
    INQ_TRY(build_pieces(reader));
    return inq_modules_cut_holes(reader);
}

/* The program is where AT_PHDR points, or AT_ENTRY when nothing is there. */
static void find_main(struct inq_reader *reader)
{
    static const uint64_t types[] = {AT_PHDR, AT_ENTRY};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(types); i++) {
        uint64_t addr;
        size_t index;

        if (!inq_core_auxv(reader->core, types[i], &addr) || addr == 0)
            continue;
        index = inq_modules_locate(reader->modules, addr);
        if (index == SIZE_MAX || reader->candidates.items[index].module.is_vdso)
            continue;
        reader->candidates.items[index].module.is_main = true;
        reader->candidates.items[index].tentative = false;
        reader->modules->main = index;
        return;
    }
}

/* Without NT_FILE the program's name is the one it was executed by, as the kernel left it. */
static void name_main(struct inq_reader *reader)
{
    struct inq_module *main;
    uint64_t addr;

    if (reader->modules->main == SIZE_MAX)
        return;
    main = &reader->candidates.items[reader->modules->main].module;
    if (main->path)
        return;
    if (inq_core_auxv(reader->core, AT_EXECFN, &addr) && addr != 0)
        main->path = inq_memory_string(reader->memory, addr, INQ_MAX_STRING);
    if (main->path && main->path[0] == '\0')
        main->path = NULL;
    if (main->path)
        main->name = inq_base_name(main->path);
    else if (reader->core->has_prpsinfo && reader->core->prpsinfo.fname[0])
        main->name = reader->core->prpsinfo.fname;
}

static struct inq_error *collect(struct inq_reader *reader)
{
    const struct inq_core *core = reader->core;

    if (core->has_file_note) {
        INQ_TRY(inq_modules_group(reader));
    } else if (core->n_segments > 0) {
        inq_gaps_add(reader->gaps, INQ_G_NO_FILE_NOTE, NULL, NULL,
                     "the files that were mapped: modules come from the dump's memory");
    }
    if (!core->has_file_note || reader->candidates.count == 0)
        INQ_TRY(inq_modules_scan(reader));
    INQ_TRY(inq_modules_add_vdso(reader));
    INQ_TRY(settle(reader, false));
    find_main(reader);
    name_main(reader);
    return NULL;
}

/* Copies the candidates to where they stay. */
static struct inq_error *publish(struct inq_reader *reader)
{
    struct inq_modules *modules = reader->modules;

    INQ_TRY(settle(reader, true));
    modules->items =
        INQ_ARENA_ARRAY(reader->arena, reader->candidates.count + 1, struct inq_module);
    if (!modules->items)
        return &inq_error_oom;
    modules->count = reader->candidates.count;
    for (size_t i = 0; i < modules->count; i++) {
        struct inq_module *module = &modules->items[i];

        *module = reader->candidates.items[i].module;
        if (module->name[0] == '\0' && module->dynamic != 0 && module->has_bias) {
            module->soname = inq_module_soname_in_memory(modules, module);
            module->name = module->soname ? module->soname : "";
        }
        if (module->name[0] == '\0') {
            module->name =
                inq_arena_printf(reader->arena, "[0x%llx]", (unsigned long long)module->start);
            if (!module->name)
                module->name = "[unnamed]";
        }
    }
    if (reader->too_many)
        inq_gaps_add(reader->gaps, INQ_G_MODULES, NULL, NULL, "modules beyond the first %u",
                     INQ_MAX_MODULES);
    return NULL;
}

static struct inq_error *read_all(struct inq_reader *reader,
                                  const struct inq_modules_options *options)
{
    struct inq_modules *modules = reader->modules;
    bool added;

    INQ_TRY(collect(reader));
    INQ_TRY(inq_link_map_read(reader, &added));
    INQ_TRY(publish(reader));
    if (!options->stacks_only)
        return inq_modules_ask_all(modules);
    for (size_t i = 0; i < modules->count; i++) /* asked for while the list was built */
        inq_module_note_absence(modules, &modules->items[i]);
    return NULL;
}

struct inq_error *inq_modules_read(const struct inq_core *core, struct inq_memory *memory,
                                   struct inq_opener *opener,
                                   const struct inq_modules_options *options,
                                   struct inq_arena *arena, struct inq_gaps *gaps,
                                   struct inq_modules **ret_modules)
{
    struct inq_reader reader = {
        .core = core,
        .memory = memory,
        .arena = arena,
        .gaps = gaps,
        .word_bytes = core->cpu ? core->cpu->word_bytes : core->elf_class / 8,
    };
    struct inq_modules *modules = INQ_ARENA_NEW(arena, struct inq_modules);
    struct inq_error *error;

    if (!modules)
        return &inq_error_oom;
    reader.addr_mask = reader.word_bytes == 8 ? UINT64_MAX : UINT32_MAX;
    *modules = (struct inq_modules){.main = SIZE_MAX,
                                    .opener = opener,
                                    .arena = arena,
                                    .gaps = gaps,
                                    .core = core,
                                    .memory = memory,
                                    .has_executable = options->has_executable,
                                    .unmapped = options->unmapped};
    reader.modules = modules;
    error = read_all(&reader, options);
    if (error) { /* files that were mapped before the list was published */
        for (size_t i = 0; !modules->items && i < reader.candidates.count; i++)
            inq_image_close(reader.candidates.items[i].module.image);
        inq_modules_close(modules);
    }
    INQ_ARRAY_FREE(&reader.candidates);
    if (error)
        return error;
    *ret_modules = modules;
    return NULL;
}

void inq_modules_close(struct inq_modules *modules)
{
    if (!modules)
        return;
    for (size_t i = 0; modules->items && i < modules->count; i++) {
        inq_image_close(modules->items[i].image);
        inq_image_close(modules->items[i].debug_image);
        inq_image_close(modules->items[i].mini_image);
        inq_image_close(modules->items[i].alt_image);
        modules->items[i].image = modules->items[i].debug_image = NULL;
        modules->items[i].mini_image = modules->items[i].alt_image = NULL;
    }
}

/* ---- symbols --------------------------------------------------------------------------------- */

/* Debian 11's libc.so.6 is the file libc-2.31.so: any of the names will do. */
static bool fits_prefix(const struct inq_module *module, const char *prefix)
{
    return !prefix || (module->soname && inq_starts_with(module->soname, prefix)) ||
           (module->link_name && inq_starts_with(inq_base_name(module->link_name), prefix)) ||
           inq_starts_with(module->name, prefix);
}

static bool symbol_in(struct inq_modules *modules, struct inq_module *module, const char *symbol,
                      uint64_t *ret_addr)
{
    struct inq_symbol found;

    inq_module_need_file(modules, module);
    if (!module->image || !module->has_bias ||
        !inq_image_find_symbol(module->image, symbol, &found))
        return false;
    *ret_addr = module->load_bias + found.addr;
    if (modules->core->elf_class == 32)
        *ret_addr &= UINT32_MAX;
    return true;
}

bool inq_modules_symbol(struct inq_modules *modules, const char *soname_prefix, const char *symbol,
                        uint64_t *ret_addr, struct inq_module **ret_module)
{
    bool looked = false;

    for (size_t i = 0; i < modules->count; i++) {
        struct inq_module *module = &modules->items[i];

        if (module->is_vdso || !fits_prefix(module, soname_prefix))
            continue;
        looked = true;
        if (symbol_in(modules, module, symbol, ret_addr)) {
            if (ret_module)
                *ret_module = module;
            return true;
        }
    }
    if (looked || modules->main == SIZE_MAX || modules->link_map_addr != 0)
        return false;
    if (!symbol_in(modules, &modules->items[modules->main], symbol, ret_addr))
        return false;
    if (ret_module)
        *ret_module = &modules->items[modules->main];
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The main search list of glibc's ld.so: what every look-up goes through first. The program's own
 * libraries stand there, and behind them whatever was loaded RTLD_GLOBAL. It hangs on _rtld_global
 * (struct rtld_global in sysdeps/generic/ldsodefs.h), whose beginning is the same in every glibc
 * since 2.26:
 *
 *     link_map *_ns_loaded; unsigned _ns_nloaded; struct r_scope_elem *_ns_main_searchlist; ...
 *     struct r_scope_elem { link_map **r_list; unsigned r_nlist; }
 *
 * The symbol is GLIBC_PRIVATE. So nothing is believed before it agrees with the list that r_debug
 * leads to; and the structure is found by that agreement alone when there is no symbol.
 */

#include <stdlib.h>

#include "bounds.h"
#include "cleanup.h"
#include "graph.h"

#define MAX_SCANNED (1u << 20) /* bytes of ld.so's data; it has some 8 KiB */
#define MOST_ENTRIES_MORE 8u   /* of the linker's count, beyond those that are known (the vdso) */

struct entry {
    uint64_t link_map;
    size_t module;
};

struct scope {
    struct inq_graph *graph;
    struct inq_memory *memory;
    size_t word;
    struct entry *entries; /* by address of the link_map */
    size_t n_entries;
    size_t n_main;   /* entries of the first namespace */
    uint64_t global; /* address of struct rtld_global */
    uint64_t *list;  /* of the search list, when found */
    size_t n_list;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->link_map < y->link_map ? -1 : x->link_map > y->link_map;
}

static size_t module_of(const struct scope *s, uint64_t link_map)
{
    const struct entry key = {link_map, 0};
    const struct entry *found =
        s->n_entries == 0 ? NULL
                          : bsearch(&key, s->entries, s->n_entries, sizeof(key), compare_entries);

    return found ? found->module : SIZE_MAX;
}

static bool collect_entries(struct scope *s)
{
    struct inq_graph *graph = s->graph;

    s->entries = calloc(graph->count + 1, sizeof(*s->entries));
    if (!s->entries)
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        const struct inq_module *m = &graph->modules->items[i];

        if (m->link_map == 0)
            continue;
        s->entries[s->n_entries++] = (struct entry){m->link_map, i};
        s->n_main += m->link_space == 0;
    }
    if (s->n_entries > 0)
        qsort(s->entries, s->n_entries, sizeof(s->entries[0]), compare_entries);
    return true;
}

/* Is struct rtld_global at addr? Leaves the search list in `list` then. */
static bool is_rtld_global(struct scope *s, uint64_t addr)
{
    struct inq_memory *memory = s->memory;
    uint64_t first, scope, list, entry;
    uint32_t loaded, n;

    if (!inq_memory_word(memory, addr, &first) || first != s->graph->modules->link_map_addr ||
        !inq_memory_u32(memory, addr + s->word, &loaded) || loaded < s->n_main ||
        loaded - s->n_main > MOST_ENTRIES_MORE ||
        !inq_memory_word(memory, addr + 2 * s->word, &scope) ||
        !inq_memory_word(memory, scope, &list) || !inq_memory_u32(memory, scope + s->word, &n) ||
        n == 0 || n > loaded)
        return false;
    free(s->list);
    s->n_list = 0;
    s->list = calloc(n, sizeof(*s->list));
    if (!s->list)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!inq_memory_word(memory, list + i * s->word, &entry) ||
            module_of(s, entry) == SIZE_MAX || (i == 0 && entry != first))
            return false;
        s->list[s->n_list++] = entry;
    }
    s->global = addr;
    return true;
}

/* By its symbol; else wherever in the linker's writable memory it makes sense. */
static bool find_rtld_global(struct scope *s, size_t linker)
{
    struct inq_graph *graph = s->graph;
    const struct inq_module *m = &graph->modules->items[linker];
    const struct inq_wanted wanted = {.name = "_rtld_global",
                                      .hash = inq_gnu_hash("_rtld_global"),
                                      .steps_left = &graph->steps_left};
    const uint64_t size = m->size < MAX_SCANNED ? m->size : MAX_SCANNED;
    struct inq_sym symbol;
    uint64_t value;

    if (inq_dynamic_find_at(&graph->dynamic[linker], &wanted, 0, &symbol, NULL) ||
        inq_dynamic_find(&graph->dynamic[linker], &wanted, &symbol, NULL))
        if (is_rtld_global(s, m->load_bias + symbol.value))
            return true;
    for (uint64_t at = 0; at + 3 * s->word <= size; at += s->word)
        if (inq_memory_word(s->memory, m->start + at, &value) &&
            value == graph->modules->link_map_addr && is_rtld_global(s, m->start + at))
            return true;
    return false;
}

static bool take_list(struct scope *s)
{
    struct inq_graph *graph = s->graph;

    graph->global = INQ_ARENA_ARRAY(graph->arena, graph->words, uint64_t);
    if (!graph->global)
        return false;
    for (size_t i = 0; i < s->n_list; i++)
        inq_set_add(graph->global, module_of(s, s->list[i]));
    return true;
}

static void set_scopes(struct inq_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        struct inq_bound_module *b = &graph->bound[i];

        if (!b->loaded || b->space < 0)
            continue;
        if (b->space == 0 && inq_set_has(graph->main, i))
            b->scope = INQ_SCOPE_MAIN;
        else if (graph->global)
            b->scope =
                b->space == 0 && inq_set_has(graph->global, i) ? INQ_SCOPE_GLOBAL : INQ_SCOPE_LOCAL;
    }
}

static int compare_modules(const void *a, const void *b)
{
    const struct inq_module *const *x = a, *const *y = b;

    return (*x)->load_order < (*y)->load_order ? -1 : (*x)->load_order > (*y)->load_order;
}

static bool count_unloaded(const struct scope *s, struct inq_bindings *bindings)
{
    struct inq_graph *graph = s->graph;
    _cleanup_free_ const struct inq_module **list = calloc(graph->count + 1, sizeof(*list));
    _cleanup_free_ size_t *order = calloc(graph->count + 1, sizeof(*order));
    size_t n = 0;

    if (!list || !order)
        return false;
    for (size_t i = 0; i < graph->count; i++)
        if (graph->bound[i].loaded && graph->bound[i].space == 0 && !graph->bound[i].is_linker)
            list[n++] = &graph->modules->items[i];
    if (n > 0)
        qsort(list, n, sizeof(*list), compare_modules);
    for (size_t i = 0; i < n; i++)
        order[i] = list[i]->index;
    bindings->has_unloaded =
        inq_scope_count_unloaded(graph, order, n, s->global, &bindings->n_unloaded);
    return true;
}

struct inq_error *inq_scope_read(struct inq_graph *graph, struct inq_bindings *bindings)
{
    struct scope s = {.graph = graph,
                      .memory = graph->modules->memory,
                      .word = graph->modules->core->elf_class / 8u};
    size_t linker = SIZE_MAX;
    bool found = false, failed = !collect_entries(&s);

    for (size_t i = 0; i < graph->count && linker == SIZE_MAX; i++)
        if (graph->bound[i].is_linker)
            linker = i;
    if (!failed && linker != SIZE_MAX)
        found = find_rtld_global(&s, linker);
    if (found)
        failed |= !take_list(&s) || !count_unloaded(&s, bindings);
    else
        bindings->no_scope = "the dynamic linker is not glibc's, or its search list is not in the "
                             "dump";
    if (!failed)
        set_scopes(graph);
    free(s.entries);
    free(s.list);
    return failed ? &inq_error_oom : NULL;
}

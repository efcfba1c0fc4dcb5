/* SPDX-License-Identifier: Apache-2.0 */
#include "bindings.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "graph.h"
#include "private.h"
#include "relocs.h"

const char *inq_scope_name(enum inq_scope scope)
{
    static const char *const names[] = {
        [INQ_SCOPE_MAIN] = "main", [INQ_SCOPE_GLOBAL] = "global", [INQ_SCOPE_LOCAL] = "local"};

    return (size_t)scope < INQ_ARRAY_SIZE(names) ? names[scope] : NULL;
}

/* The module that r_debug lies in, or that AT_BASE names. */
static size_t linker_of(const struct inq_modules *modules)
{
    const struct inq_module *m = inq_modules_find(modules, modules->r_debug_addr);
    uint64_t base;

    if ((!m || m->is_main) && inq_core_auxv(modules->core, AT_BASE, &base) && base != 0)
        m = inq_modules_find(modules, base);
    return m && !m->is_main ? m->index : SIZE_MAX;
}

static void describe_modules(struct inq_bindings *b, const struct inq_modules *modules)
{
    const size_t linker = linker_of(modules);

    for (size_t i = 0; i < b->count; i++) {
        const struct inq_module *m = &modules->items[i];
        struct inq_bound_module *bound = &b->modules[i];

        bound->loaded = m->is_elf && !m->is_vdso && m->load_order >= 0;
        bound->space = bound->loaded ? m->link_space : -1;
        bound->is_linker = bound->loaded && i == linker;
        if (bound->loaded && bound->space >= (int)b->n_spaces)
            b->n_spaces = (unsigned)bound->space + 1;
    }
}

/* NULL when slots can be judged. */
static const char *why_none(const struct inq_graph *graph)
{
    const struct inq_modules *modules = graph->modules;
    const struct inq_core *core = modules->core;

    if (modules->link_map_addr == 0)
        return "there is no list of the dynamic linker: a static program, or it is not in the dump";
    if (!inq_slot_types(core->machine, core->elf_class) ||
        (core->machine == EM_PPC64 && core->big_endian))
        return "the relocations of this CPU are not known";
    if (modules->main == SIZE_MAX || !graph->bound[modules->main].loaded)
        return "the program itself is not in the dynamic linker's list";
    if (!graph->dynamic[modules->main].read)
        return graph->dynamic[modules->main].unread;
    return NULL;
}

static struct inq_error *read_all(struct inq_graph *graph, struct inq_bindings *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->modules[i].loaded)
            INQ_TRY(
                inq_dynamic_read(&graph->tables, &graph->modules->items[i], &graph->dynamic[i]));
    b->none = why_none(graph);
    if (b->none) {
        b->no_scope = b->none;
        return NULL;
    }
    INQ_TRY(inq_graph_build(graph));
    INQ_TRY(inq_graph_find_main(graph));
    INQ_TRY(inq_scope_read(graph, b));
    return inq_judge_all(graph, b);
}

struct inq_error *inq_bindings_read(struct inq_modules *modules, struct inq_arena *arena,
                                    struct inq_bindings **ret_bindings)
{
    struct inq_bindings_all *all = INQ_ARENA_NEW(arena, struct inq_bindings_all);
    struct inq_graph *graph;

    if (!all)
        return &inq_error_oom;
    graph = &all->graph;
    all->bindings.count = modules->count;
    all->bindings.modules = INQ_ARENA_ARRAY(arena, modules->count + 1, struct inq_bound_module);
    *graph = (struct inq_graph){
        .modules = modules,
        .arena = arena,
        .tables = {modules, INQ_MAX_TABLES_COPIED},
        .dynamic = INQ_ARENA_ARRAY(arena, modules->count + 1, struct inq_dynamic),
        .bound = all->bindings.modules,
        .count = modules->count,
        .words = modules->count / 64 + 1,
        .steps_left = INQ_MAX_LOOKUP_STEPS,
        .edges_left = INQ_MAX_LOOKUP_STEPS,
    };
    if (!graph->dynamic || !all->bindings.modules)
        return &inq_error_oom;
    describe_modules(&all->bindings, modules);
    INQ_TRY(read_all(graph, &all->bindings));
    *ret_bindings = &all->bindings;
    return NULL;
}

bool inq_bindings_export(const struct inq_bindings *bindings, size_t module, const char *name,
                         struct inq_export *ret_export)
{
    const struct inq_graph *graph = inq_bindings_graph(bindings);
    uint64_t steps = INQ_MAX_EXPORT_STEPS;
    const struct inq_wanted wanted = {
        .name = name, .hash = inq_gnu_hash(name), .steps_left = &steps};
    const struct inq_dynamic *d;
    struct inq_sym symbol;

    if (module >= bindings->count || !bindings->modules[module].loaded)
        return false;
    d = &graph->dynamic[module];
    if (!d->read || !inq_dynamic_may_define(d, wanted.hash) ||
        !inq_dynamic_find(d, &wanted, &symbol, NULL))
        return false;
    *ret_export =
        (struct inq_export){.addr = graph->modules->items[module].load_bias + symbol.value,
                            .size = symbol.size,
                            .strong = symbol.bind == STB_GLOBAL,
                            .is_function = symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC};
    if (!d->is64)
        ret_export->addr &= UINT32_MAX;
    return true;
}

bool inq_bindings_together(const struct inq_bindings *bindings, size_t a, size_t b)
{
    const uint64_t *set =
        bindings->none ? NULL : inq_graph_together(inq_bindings_graph(bindings), a);

    return !set || inq_set_has(set, b);
}

bool inq_bindings_needs(const struct inq_bindings *bindings, size_t module, size_t what)
{
    const struct inq_closure *closure =
        bindings->none || module >= bindings->count
            ? NULL
            : inq_graph_closure(inq_bindings_graph(bindings), module);

    for (size_t i = 0; closure && i < closure->count; i++)
        if (closure->order[i] == what)
            return true;
    return false;
}

size_t inq_bindings_of(const struct inq_bindings *bindings, size_t from, size_t *ret_first)
{
    size_t low = 0, high = bindings->n_foreign, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bindings->foreign[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < bindings->n_foreign && bindings->foreign[end].from == from;)
        end++;
    *ret_first = low;
    return end - low;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bounds.h"
#include "cleanup.h"

#define MAX_RUNPATH_ENTRIES 64u

/* ---- paths ---------------------------------------------------------------------------------- */

char *inq_path_normalize(struct inq_arena *arena, const char *path, size_t size)
{
    char *out = INQ_ARENA_ARRAY(arena, size + 2, char);
    size_t at = 0, n = 0;

    if (!out)
        return NULL;
    while (at < size) {
        size_t part;

        while (at < size && path[at] == '/')
            at++;
        for (part = 0; at + part < size && path[at + part] != '/';)
            part++;
        if (part == 2 && path[at] == '.' && path[at + 1] == '.') {
            while (n > 0 && out[--n] != '/')
                ;
        } else if (part > 0 && !(part == 1 && path[at] == '.')) {
            out[n++] = '/';
            memcpy(out + n, path + at, part);
            n += part;
        }
        at += part;
    }
    if (n == 0)
        out[n++] = '/';
    out[n] = '\0';
    return out;
}

static const char *directory_of(struct inq_arena *arena, const char *path)
{
    const char *slash = path && path[0] == '/' ? strrchr(path, '/') : NULL;

    return slash ? inq_path_normalize(arena, path, (size_t)(slash - path)) : NULL;
}

const char *inq_runpath_entry(const struct inq_graph *graph, size_t module, size_t i)
{
    static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
    const char *p = graph->dynamic[module].runpath, *end, *origin = NULL;
    struct inq_arena *arena = graph->arena;
    char *joined;
    size_t skip = 0;

    if (!p || i >= MAX_RUNPATH_ENTRIES)
        return NULL;
    for (; i > 0; i--) {
        p = strchr(p, ':');
        if (!p)
            return NULL;
        p++;
    }
    end = strchrnul(p, ':');
    for (size_t k = 0; k < INQ_ARRAY_SIZE(origins) && !skip; k++)
        if (!strncmp(p, origins[k], strlen(origins[k])))
            skip = strlen(origins[k]);
    if (skip)
        origin = directory_of(arena, graph->modules->items[module].path);
    p += skip;
    if ((skip && (!origin || (p < end && *p != '/'))) || (!skip && (p == end || *p != '/')) ||
        memchr(p, '$', (size_t)(end - p)) || end - p > (ptrdiff_t)INQ_MAX_STRING)
        return "";
    joined = inq_arena_printf(arena, "%s%.*s", origin ? origin : "", (int)(end - p), p);
    return joined ? inq_path_normalize(arena, joined, strlen(joined)) : NULL;
}

/* ---- names ---------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct inq_graph_name *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->module < y->module ? -1 : x->module > y->module;
}

static const char *base_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static void add_name(struct inq_graph *graph, size_t module, const char *name, uint8_t rank)
{
    if (name && *name)
        graph->names[graph->n_names++] =
            (struct inq_graph_name){inq_gnu_hash(name), rank, module, name};
}

static bool collect_names(struct inq_graph *graph)
{
    graph->names = INQ_ARENA_ARRAY(graph->arena, graph->count * 4 + 1, struct inq_graph_name);
    if (!graph->names)
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        const struct inq_module *m = &graph->modules->items[i];
        const struct inq_dynamic *d = &graph->dynamic[i];

        if (!graph->bound[i].loaded)
            continue;
        add_name(graph, i, d->read && d->soname ? d->soname : m->soname, 0);
        add_name(graph, i, m->link_name, 1);
        add_name(graph, i, base_of(m->link_name), 1);
        add_name(graph, i, base_of(m->path), 2);
    }
    if (graph->n_names > 0)
        qsort(graph->names, graph->n_names, sizeof(graph->names[0]), compare_names);
    return true;
}

static size_t first_name(const struct inq_graph *graph, uint32_t hash)
{
    size_t low = 0, high = graph->n_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (graph->names[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- DT_NEEDED ------------------------------------------------------------------------------ */

#define MAX_CANDIDATES 16u

struct candidates {
    size_t items[MAX_CANDIDATES];
    size_t count;
};

/* The modules of `from`'s namespace that go by a name: of the best rank that has any. */
static void find_candidates(const struct inq_graph *graph, size_t from, const char *name,
                            struct candidates *c)
{
    const uint32_t hash = inq_gnu_hash(name);
    uint8_t rank = 0;

    c->count = 0;
    for (size_t i = first_name(graph, hash); i < graph->n_names && graph->names[i].hash == hash;
         i++) {
        const struct inq_graph_name *n = &graph->names[i];
        const struct inq_bound_module *b = &graph->bound[n->module];

        if ((b->space != graph->bound[from].space && !b->is_linker) || strcmp(n->name, name) != 0)
            continue;
        if (c->count > 0 && n->rank != rank)
            return;
        rank = n->rank;
        if (c->count < MAX_CANDIDATES && (c->count == 0 || c->items[c->count - 1] != n->module))
            c->items[c->count++] = n->module;
    }
}

/*
 * Several copies under one soname: the one in a folder of the RUNPATH. When none is, or several
 * are, all stay: each of them may be meant, and none is held against another.
 */
static void choose_by_runpath(const struct inq_graph *graph, size_t from, struct candidates *c)
{
    for (size_t i = 0; c->count > 1; i++) {
        const char *folder = inq_runpath_entry(graph, from, i);
        size_t found = SIZE_MAX;

        if (!folder)
            return;
        for (size_t k = 0; *folder && k < c->count; k++) {
            const struct inq_module *m = &graph->modules->items[c->items[k]];
            const char *of_path = directory_of(graph->arena, m->path);
            const char *of_link = directory_of(graph->arena, m->link_name);

            if ((of_path && !strcmp(of_path, folder)) || (of_link && !strcmp(of_link, folder)))
                found = c->items[k];
        }
        if (found != SIZE_MAX) {
            c->items[0] = found;
            c->count = 1;
        }
    }
}

static bool resolve(struct inq_graph *graph, size_t from)
{
    const struct inq_dynamic *d = &graph->dynamic[from];
    struct inq_bound_module *b = &graph->bound[from];
    INQ_ARRAY(size_t) needs = {0};
    struct candidates c;
    size_t *items;

    for (size_t i = 0; i < d->n_needed; i++) {
        find_candidates(graph, from, d->needed[i], &c);
        if (c.count > 1)
            choose_by_runpath(graph, from, &c);
        if (c.count == 0)
            b->needs_unknown = true;
        for (size_t k = 0; k < c.count; k++) {
            size_t *slot = INQ_ARRAY_PUSH(&needs);

            if (!slot) {
                INQ_ARRAY_FREE(&needs);
                return false;
            }
            *slot = c.items[k];
        }
    }
    items = INQ_ARENA_ARRAY(graph->arena, needs.count + 1, size_t);
    if (items && needs.count > 0)
        memcpy(items, needs.items, needs.count * sizeof(items[0]));
    b->needs = items;
    b->n_needs = needs.count;
    INQ_ARRAY_FREE(&needs);
    return items != NULL;
}

struct inq_error *inq_graph_build(struct inq_graph *graph)
{
    graph->closures = INQ_ARENA_ARRAY(graph->arena, graph->count + 1, struct inq_closure);
    graph->together = INQ_ARENA_ARRAY(graph->arena, graph->count + 1, uint64_t *);
    if (!graph->closures || !graph->together || !collect_names(graph))
        return &inq_error_oom;
    for (size_t i = 0; i < graph->count; i++)
        if (graph->bound[i].loaded && graph->dynamic[i].read && !resolve(graph, i))
            return &inq_error_oom;
    return NULL;
}

/* ---- closures ------------------------------------------------------------------------------- */

const struct inq_closure *inq_graph_closure(struct inq_graph *graph, size_t module)
{
    struct inq_closure *closure = &graph->closures[module];
    _cleanup_free_ uint32_t *order = NULL;
    _cleanup_free_ uint64_t *seen = NULL;
    size_t n = 0;

    if (closure->order)
        return closure;
    order = calloc(graph->count, sizeof(*order));
    seen = calloc(graph->words, sizeof(*seen));
    if (!order || !seen)
        return NULL;
    order[n++] = (uint32_t)module;
    inq_set_add(seen, module);
    for (size_t at = 0; at < n; at++) {
        const struct inq_bound_module *b = &graph->bound[order[at]];

        closure->incomplete |= b->needs_unknown || !graph->dynamic[order[at]].read;
        for (size_t i = 0; i < b->n_needs; i++) {
            if (graph->edges_left == 0) {
                closure->incomplete = true;
                break;
            }
            graph->edges_left--;
            if (inq_set_has(seen, b->needs[i]))
                continue;
            inq_set_add(seen, b->needs[i]);
            order[n++] = (uint32_t)b->needs[i];
        }
    }
    closure->order = INQ_ARENA_ARRAY(graph->arena, n, uint32_t);
    if (!closure->order)
        return NULL;
    memcpy(closure->order, order, n * sizeof(*order));
    closure->count = n;
    return closure;
}

const uint64_t *inq_graph_together(struct inq_graph *graph, size_t module)
{
    uint64_t *set = graph->together[module];

    if (set)
        return set;
    set = INQ_ARENA_ARRAY(graph->arena, graph->words, uint64_t);
    if (!set)
        return NULL;
    for (size_t root = 0; root < graph->count; root++) {
        const struct inq_closure *closure;
        bool has = false;

        if (!graph->bound[root].loaded)
            continue;
        closure = inq_graph_closure(graph, root);
        if (!closure)
            return NULL;
        if (graph->edges_left <
            closure->count) { /* no map is like this: nothing is held against it */
            memset(set, 0xff, graph->words * sizeof(*set));
            break;
        }
        graph->edges_left -= closure->count;
        for (size_t i = 0; i < closure->count && !has; i++)
            has = closure->order[i] == module;
        for (size_t i = 0; has && i < closure->count; i++)
            inq_set_add(set, closure->order[i]);
    }
    graph->together[module] = set;
    return set;
}

/* ---- what the program began with ---------------------------------------------------------------
 */

static bool add_closure(struct inq_graph *graph, size_t module)
{
    const struct inq_closure *closure = inq_graph_closure(graph, module);

    for (size_t i = 0; closure && i < closure->count; i++)
        inq_set_add(graph->main, closure->order[i]);
    return closure != NULL;
}

static int compare_orders(const void *a, const void *b)
{
    const struct inq_module *const *x = a, *const *y = b;

    return (*x)->load_order < (*y)->load_order ? -1 : (*x)->load_order > (*y)->load_order;
}

/*
 * Preloaded libraries stand right behind the program in the list, before the first that it needs
 * (dl_main() of glibc, and musl's __dls3()).
 */
static bool find_preloaded(struct inq_graph *graph)
{
    const size_t main = graph->modules->main;
    const struct inq_bound_module *program = &graph->bound[main];
    _cleanup_free_ const struct inq_module **list = calloc(graph->count + 1, sizeof(*list));
    size_t n = 0, end;

    if (!list)
        return false;
    if (program->n_needs == 0 || program->needs_unknown)
        return true;
    for (size_t i = 0; i < graph->count; i++)
        if (graph->bound[i].loaded && graph->bound[i].space == 0 && i != main)
            list[n++] = &graph->modules->items[i];
    if (n > 0)
        qsort(list, n, sizeof(*list), compare_orders);
    for (end = 0; end < n && list[end]->index != program->needs[0];)
        end++;
    for (size_t i = 0; end < n && i < end; i++) {
        if (graph->bound[list[i]->index].is_linker)
            continue;
        graph->bound[list[i]->index].preloaded = true;
        if (!add_closure(graph, list[i]->index))
            return false;
    }
    return true;
}

struct inq_error *inq_graph_find_main(struct inq_graph *graph)
{
    graph->main = INQ_ARENA_ARRAY(graph->arena, graph->words, uint64_t);
    if (!graph->main || !add_closure(graph, graph->modules->main) || !find_preloaded(graph))
        return &inq_error_oom;
    return NULL;
}

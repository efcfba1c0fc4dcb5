/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What there should be one of: the allocator that a module uses, and runtimes that keep the state
 * of the whole process. These are known by the functions that they export, which everybody that
 * uses them must spell alike.
 */

#include "runtime_copies.h"

#include <string.h>

#include "array.h"
#include "cleanup.h"

#define MAX_PROVIDERS 64u
#define MAX_MIXES 64u

struct provider {
    size_t module, name; /* index into names */
};

/* Exported functions by some names: who has them, and where. */
struct providers {
    struct provider items[MAX_PROVIDERS];
    uint64_t addrs[MAX_PROVIDERS];
    size_t count;
};

static void find_providers(const struct inq_bindings *b, const char *const *names, size_t n,
                           struct providers *p)
{
    for (size_t m = 0; m < b->count; m++) {
        if (!b->modules[m].loaded || b->modules[m].is_linker)
            continue;
        for (size_t i = 0; i < n && p->count < MAX_PROVIDERS; i++) {
            struct inq_export found;

            if (!inq_bindings_export(b, m, names[i], &found) || found.addr == 0)
                continue;
            p->items[p->count] = (struct provider){m, i};
            p->addrs[p->count++] = found.addr;
        }
    }
}

/* ---- allocators ---------------------------------------------------------------------- */

static const char *const heap_functions[] = {
    "malloc", "calloc", "memalign", "aligned_alloc", "posix_memalign", "free", "realloc",
};
#define FIRST_RELEASE 5u

static bool differ(const struct providers *p)
{
    for (size_t i = 1; i < p->count; i++)
        if (p->items[i].module != p->items[0].module)
            return true;
    return false;
}

/*
 * Did this module hand the releaser what it failed on? Libc is on the stack of every abort(): what
 * counts is who called it.
 */
static bool on_path(const struct inq_bindings *b, const struct inq_crash_path *path, size_t from,
                    size_t releaser)
{
    for (size_t i = 0; i < path->count; i++) {
        const size_t module = path->frames[i].module;

        if (module == from && from != releaser)
            return i == 0 || path->frames[i - 1].module == releaser;
        if (module == releaser)
            continue;
        if (module == SIZE_MAX || b->modules[module].scope != INQ_SCOPE_MAIN)
            return false;
    }
    return false;
}

/* Is it an allocator itself? How it and the one below it divide their work is their own affair. */
static bool is_allocator(const struct providers *p, size_t module)
{
    bool allocates = false, releases = false;

    for (size_t i = 0; i < p->count; i++) {
        allocates |= p->items[i].module == module && p->items[i].name < FIRST_RELEASE;
        releases |= p->items[i].module == module && p->items[i].name >= FIRST_RELEASE;
    }
    return allocates && releases;
}

static json_t *mix_json(const struct inq_bindings *b, const struct inq_crash_path *path,
                        size_t from, const struct provider *a, const struct provider *r,
                        struct inq_json_writer *w)
{
    json_t *o = json_object();

    inq_json_put_int(w, o, "from", (int64_t)from);
    inq_json_put_text(w, o, "allocates", heap_functions[a->name]);
    inq_json_put_int(w, o, "allocator", (int64_t)a->module);
    inq_json_put_text(w, o, "releases", heap_functions[r->name]);
    inq_json_put_int(w, o, "releaser", (int64_t)r->module);
    inq_json_put_bool(w, o, "on_crash_path", on_path(b, path, from, r->module));
    return o;
}

struct inq_error *inq_allocator_mixes(const struct inq_bindings *b,
                                      const struct inq_crash_path *path, json_t *list,
                                      struct inq_json_writer *w)
{
    struct providers p = {0};
    struct inq_held *held;
    size_t n, end;

    find_providers(b, heap_functions, INQ_ARRAY_SIZE(heap_functions), &p);
    if (!differ(&p))
        return NULL;
    INQ_TRY(inq_bindings_holders(b, p.addrs, p.count, &held, &n));
    for (size_t i = 0; i < n && json_array_size(list) < MAX_MIXES; i = end) {
        const struct provider *allocates = NULL, *releases = NULL;

        for (end = i; end < n && held[end].from == held[i].from; end++) {
            const struct provider *x = &p.items[held[end].which];
            const struct provider **which = x->name < FIRST_RELEASE ? &allocates : &releases;

            if (!*which)
                *which = x;
        }
        if (allocates && releases && allocates->module != releases->module &&
            !is_allocator(&p, held[i].from))
            inq_json_push(w, list, mix_json(b, path, held[i].from, allocates, releases, w));
    }
    return NULL;
}

/* ---- runtimes ------------------------------------------------------------------------ */

static const struct kind {
    const char *kind;
    const char *state;        /* whoever exports it holds the runtime */
    const char *functions[5]; /* that users call */
} kinds[] = {
    {"python",
     "_PyRuntime",
     {"PyErr_SetString", "PyModule_Create2", "PyType_Ready", "PyErr_Occurred", "PyArg_ParseTuple"}},
    {"openmp",
     "omp_set_num_threads",
     {"omp_get_max_threads", "omp_get_num_threads", "omp_get_thread_num", "GOMP_parallel",
      "__kmpc_fork_call"}},
};

static struct inq_error *list_used(const struct inq_bindings *b, const struct kind *kind,
                                   const size_t *holders, size_t n_holders, json_t *used,
                                   struct inq_json_writer *w)
{
    struct providers p = {0};
    struct inq_held *held;
    size_t n;

    find_providers(b, kind->functions, INQ_ARRAY_SIZE(kind->functions), &p);
    INQ_TRY(inq_bindings_holders(b, p.addrs, p.count, &held, &n));
    for (size_t i = 0; i < n_holders; i++)
        for (size_t k = 0; k < n; k++)
            if (p.items[held[k].which].module == holders[i] && held[k].from != holders[i]) {
                inq_json_push(w, used, json_integer((json_int_t)holders[i]));
                break;
            }
    return NULL;
}

struct inq_error *inq_runtime_copies(const struct inq_bindings *b, json_t *list,
                                     struct inq_json_writer *w)
{
    for (size_t k = 0; k < INQ_ARRAY_SIZE(kinds); k++) {
        size_t holders[MAX_PROVIDERS], n = 0;
        struct providers p = {0};
        json_t *object, *modules, *used;

        find_providers(b, &kinds[k].state, 1, &p);
        for (size_t i = 0; i < p.count; i++)
            if (n == 0 || holders[n - 1] != p.items[i].module)
                holders[n++] = p.items[i].module;
        if (n < 2)
            continue;
        object = json_object();
        modules = json_array();
        used = json_array();
        inq_json_put_text(w, object, "kind", kinds[k].kind);
        for (size_t i = 0; i < n; i++)
            inq_json_push(w, modules, json_integer((json_int_t)holders[i]));
        inq_json_put(w, object, "modules", modules);
        struct inq_error *error = list_used(b, &kinds[k], holders, n, used, w);
        inq_json_put(w, object, "used", used);
        inq_json_push(w, list, object);
        INQ_TRY(error);
    }
    return NULL;
}

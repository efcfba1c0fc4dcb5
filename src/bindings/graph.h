/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BINDINGS_GRAPH_H
#define INQ_BINDINGS_GRAPH_H

/*
 * Who needs whom: DT_NEEDED entries as modules, and the closures in which the dynamic linker looks
 * symbols up (breadth first, gABI chapter 5, "Shared Object Dependencies"). Private to the layer.
 */

#include "bindings.h"
#include "dynamic.h"

struct inq_graph_name { /* a name that a module can be asked for by */
    uint32_t hash;
    uint8_t rank; /* 0 soname, 1 the linker's name for it, 2 name of the file */
    size_t module;
    const char *name;
};

struct inq_closure {
    uint32_t *order; /* modules in the order of the search; NULL: not worked out yet */
    size_t count;
    bool incomplete; /* something in it is unread, or needs what is not in the list */
};

struct inq_graph {
    struct inq_modules *modules;
    struct inq_arena *arena;
    struct inq_tables tables;
    struct inq_dynamic *dynamic;    /* by module */
    struct inq_bound_module *bound; /* likewise */
    size_t count, words;            /* of a set of modules */
    struct inq_graph_name *names;   /* sorted by hash, then rank, then load order */
    size_t n_names;
    struct inq_closure *closures; /* by module; inq_graph_closure() fills them */
    uint64_t **together;          /* by module: all that some root loaded with it */
    uint64_t *main;               /* set: the program's closure and the preloaded ones' */
    uint64_t *contested;          /* set: those of main that others have as well */
    uint64_t *global;             /* set: the main search list; NULL when not known */
    uint64_t steps_left;          /* entries of foreign tables that may still be looked at */
    uint64_t edges_left;          /* likewise of walks over the graph */
};

static inline bool inq_set_has(const uint64_t *set, size_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}
static inline void inq_set_add(uint64_t *set, size_t i)
{
    set[i / 64] |= (uint64_t)1 << (i % 64);
}

/* Resolves DT_NEEDED of all modules that could be read. */
struct inq_error *inq_graph_build(struct inq_graph *graph);
/* NULL without memory. */
const struct inq_closure *inq_graph_closure(struct inq_graph *graph, size_t module);
/* All modules that lie in one closure with this one; NULL without memory. */
const uint64_t *inq_graph_together(struct inq_graph *graph, size_t module);
/* Fills in `main` and who was preloaded. The program must have been read. */
struct inq_error *inq_graph_find_main(struct inq_graph *graph);

/* Fills in `contested`; false without memory. contested.c. */
bool inq_graph_find_contested(struct inq_graph *graph);

/* "/a/b/../c" → "/a/c", by the text alone; NULL without memory. */
char *inq_path_normalize(struct inq_arena *arena, const char *path, size_t size);
/*
 * Entry number i of the module's RUNPATH with $ORIGIN filled in, normalized; NULL at the end, and
 * "" for one that cannot be used (relative, other variables).
 */
const char *inq_runpath_entry(const struct inq_graph *graph, size_t module, size_t i);

/* ---- scope.c: the main search list ---------------------------------------------------------- */

struct inq_error *inq_scope_read(struct inq_graph *graph, struct inq_bindings *bindings);

/*
 * How many libraries were unloaded again. `order`: modules of the first namespace in the order of
 * loading, without the linker and the vdso; `global`: address of struct rtld_global. False when the
 * counter is not found.
 */
bool inq_scope_count_unloaded(struct inq_graph *graph, const size_t *order, size_t n,
                              uint64_t global, uint64_t *ret_unloaded);

/* ---- judge.c -------------------------------------------------------------------------------- */

struct inq_error *inq_judge_all(struct inq_graph *graph, struct inq_bindings *bindings);

#endif

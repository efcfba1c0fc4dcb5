/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One verdict a slot. A claim ("this slot is foreign") needs all of these:
 *
 *   1. the word points into a loaded module of the same namespace, at exactly the definition that
 *      this module exports under the slot's name: a word that was overwritten, or written by the
 *      program itself, is not held against anybody;
 *   2. the module's own closure is known completely and has a definition, in another module;
 *   3. the owner is not among what the program itself began with, whose symbols everybody gets;
 *   4. no module in the process loaded both together: their order explains the rest;
 *   5. where the main search list is known, the owner is in it: how else would it be found?
 *   6. it is not one of the functions that programs replace on purpose.
 */

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bounds.h"
#include "cleanup.h"
#include "graph.h"
#include "relocs.h"

/* Of the table that remembers owners of pages: so many for each module, powers of two. */
#define OWNERS_A_MODULE 16u
#define LEAST_OWNERS 64u
#define MOST_OWNERS 4096u
#define NOBODY UINT32_MAX /* no module of the closure defines it */
#define UNCERTAIN (UINT32_MAX - 1)

struct known {         /* per symbol of the module at hand */
    uint32_t round;    /* of the module that it counts for */
    uint32_t expected; /* module, NOBODY or UNCERTAIN */
};

struct owner {
    uint64_t start, size;
    size_t module;
};

struct judge {
    struct inq_graph *graph;
    struct inq_bindings *bindings;
    const struct inq_slot_types *types;
    uint64_t mask;
    struct known *known;
    size_t n_known;
    uint32_t round;
    struct owner *owners;
    size_t n_owners;
    const uint8_t *window; /* bytes of the segment that the last slot was in */
    uint64_t window_addr, window_size;
    struct { /* the last question about the order of a search */
        size_t from, expected, actual;
        bool explained;
    } order;
    INQ_ARRAY(struct inq_binding) foreign;
    INQ_ARRAY(struct inq_scope_pair) in_scope;
    bool failed;

    /* of the module at hand */
    size_t from;
    const struct inq_dynamic *d;
    struct inq_bound_module *b;
    const struct inq_closure *closure;
};

/* ---- memory --------------------------------------------------------------------------------- */

static bool read_slot(struct judge *j, uint64_t addr, uint64_t *ret_value)
{
    struct inq_memory *memory = j->graph->modules->memory;
    const size_t word = j->d->is64 ? 8 : 4;
    struct inq_memory_region region;
    uint64_t into = addr - j->window_addr;

    if (into >= j->window_size || j->window_size - into < word) {
        j->window_size = 0;
        if (inq_memory_region_at(memory, addr, &region) && region.saved_bytes > 0) {
            j->window = inq_memory_view(memory, region.start, (size_t)region.saved_bytes);
            j->window_addr = region.start;
            j->window_size = j->window ? region.saved_bytes : 0;
        }
        into = addr - j->window_addr;
        if (into >= j->window_size || j->window_size - into < word)
            return inq_memory_word(memory, addr, ret_value);
    }
    *ret_value = word == 8 ? inq_load_u64(j->window + into, j->d->big_endian)
                           : inq_load_u32(j->window + into, j->d->big_endian);
    return true;
}

/* The module whose range an address is in; SIZE_MAX without. */
static size_t owner_of(struct judge *j, uint64_t addr)
{
    struct owner *o = &j->owners[(addr >> 12) & (j->n_owners - 1)];
    const struct inq_module *m;

    if (addr - o->start < o->size)
        return o->module;
    m = inq_modules_find(j->graph->modules, addr);
    if (!m)
        return SIZE_MAX;
    *o = (struct owner){addr & ~(uint64_t)4095, 4096, m->index};
    /* where modules meet inside a page, that page is looked up each time */
    if (inq_modules_find(j->graph->modules, o->start) != m ||
        inq_modules_find(j->graph->modules, o->start + 4095) != m)
        o->size = 0;
    return m->index;
}

/* ---- what should be there ----------------------------------------------------------------------
 */

static struct inq_wanted wanted_of(struct judge *j, size_t symbol, const struct inq_sym *s)
{
    struct inq_wanted wanted = {
        .name = s->name, .hash = inq_gnu_hash(s->name), .steps_left = &j->graph->steps_left};

    wanted.version = inq_dynamic_version(j->d, symbol, &wanted.version_hash);
    if (!wanted.version)
        wanted.version_hash = 0;
    return wanted;
}

/* The first definition in the order of the search. */
static uint32_t search_closure(struct judge *j, const struct inq_wanted *wanted,
                               struct inq_sym *ret_symbol, size_t *ret_index)
{
    for (size_t i = 0; i < j->closure->count; i++) {
        const struct inq_dynamic *d = &j->graph->dynamic[j->closure->order[i]];

        if (!d->read)
            return UNCERTAIN;
        if (inq_dynamic_may_define(d, wanted->hash) &&
            inq_dynamic_find(d, wanted, ret_symbol, ret_index))
            return j->closure->order[i];
    }
    return j->closure->incomplete || j->graph->steps_left == 0 ? UNCERTAIN : NOBODY;
}

static uint32_t expected_of(struct judge *j, size_t symbol)
{
    struct known *known = &j->known[symbol];
    struct inq_wanted wanted;
    struct inq_sym s, found;

    if (known->round == j->round)
        return known->expected;
    known->round = j->round;
    known->expected = UNCERTAIN;
    if (inq_dynamic_symbol(j->d, symbol, &s) && s.name[0] != '\0') {
        wanted = wanted_of(j, symbol, &s);
        known->expected = search_closure(j, &wanted, &found, NULL);
    }
    return known->expected;
}

/* ---- what programs replace on purpose ------------------------------------------------ */

static bool is_replaceable(const char *name)
{
    static const char *const functions[] = {
        "malloc",       "free",           "calloc",        "realloc",
        "memalign",     "valloc",         "pvalloc",       "cfree",
        "reallocarray", "posix_memalign", "aligned_alloc", "malloc_usable_size",
        "mallopt",      "mallinfo",       "mallinfo2",     "malloc_trim",
        "malloc_stats",
    };

    /* operators new and delete: C++ ABI, "Operator Encodings"; [replacement.functions] */
    if (name[0] == '_' && name[1] == 'Z' && (name[2] == 'n' || name[2] == 'd') &&
        (name[3] == 'w' || name[3] == 'a' || name[3] == 'l'))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(functions); i++)
        if (!strcmp(name, functions[i]))
            return true;
    return false;
}

/* ---- a slot that is bound elsewhere -------------------------------------------------- */

/*
 * REWRITTEN: a word of data that the dynamic linker filled in and the program has changed since, as
 * it may: a pointer in a static object. It is bound to nobody any more. Entries of the GOT are not
 * the program's to change.
 */
enum verdict { FINE, FOREIGN, IN_SCOPE, UNDECIDED, REWRITTEN };

static enum inq_binding_kind kind_of(const struct inq_sym *s)
{
    return s->type == STT_FUNC || s->type == STT_GNU_IFUNC ? INQ_BINDING_FUNCTION
                                                           : INQ_BINDING_DATA;
}

static void keep(struct judge *j, const struct inq_binding *binding)
{
    struct inq_binding *item;

    if (j->foreign.count >= INQ_MAX_FOREIGN_LISTED) {
        j->bindings->foreign_cut = true;
        return;
    }
    item = INQ_ARRAY_PUSH(&j->foreign);
    if (item)
        *item = *binding;
    else
        j->failed = true;
}

static void keep_in_scope(struct judge *j, size_t expected, size_t actual)
{
    struct inq_scope_pair *last =
        j->in_scope.count > 0 ? &j->in_scope.items[j->in_scope.count - 1] : NULL;

    if (last && last->expected == expected && last->actual == actual) {
        last->slots++;
        return;
    }
    last = j->in_scope.count < INQ_MAX_FOREIGN_LISTED ? INQ_ARRAY_PUSH(&j->in_scope) : NULL;
    j->failed |= !last && j->in_scope.count < INQ_MAX_FOREIGN_LISTED;
    if (last)
        *last = (struct inq_scope_pair){expected, actual, 1};
}

/*
 * Does the order in which some loaded module searches its libraries lead to `actual` before
 * `expected`? If none does, what was loaded for everybody has come first, though the two have also
 * been loaded together (a soname that was captured can bring that about).
 */
static bool is_explained(struct judge *j, size_t expected, size_t actual)
{
    struct inq_graph *graph = j->graph;

    for (size_t root = 0; root < graph->count; root++) {
        const struct inq_closure *closure;
        size_t from = SIZE_MAX, first = SIZE_MAX;

        if (!graph->bound[root].loaded)
            continue;
        closure = inq_graph_closure(graph, root);
        if (!closure || graph->edges_left < closure->count)
            return true;
        graph->edges_left -= closure->count;
        for (size_t i = 0; i < closure->count; i++) {
            if (closure->order[i] == j->from)
                from = i;
            if (first == SIZE_MAX && (closure->order[i] == actual || closure->order[i] == expected))
                first = closure->order[i];
        }
        if (from != SIZE_MAX && (first == actual || closure->incomplete))
            return true;
    }
    return false;
}

/* The same for a slot; the last answer is kept, since slots of a kind stand together. */
static bool is_displaced(struct judge *j, size_t expected, size_t actual)
{
    if (!j->graph->global || !inq_set_has(j->graph->global, actual))
        return false;
    if (j->order.from != j->from || j->order.expected != expected || j->order.actual != actual) {
        j->order.from = j->from;
        j->order.expected = expected;
        j->order.actual = actual;
        j->order.explained = is_explained(j, expected, actual);
    }
    return !j->order.explained;
}

/*
 * An inline function is weak wherever it is; where the other library has it as an ordinary one, the
 * two were not made of the same source.
 */
static bool is_mixed(const char *name, const struct inq_sym *a, const struct inq_sym *b)
{
    return name[0] == '_' && name[1] == 'Z' && a->type == STT_FUNC && b->type == STT_FUNC &&
           ((a->bind == STB_GLOBAL && b->bind == STB_WEAK) ||
            (a->bind == STB_WEAK && b->bind == STB_GLOBAL));
}

static enum verdict judge_elsewhere(struct judge *j, const struct inq_slot *slot, uint64_t target,
                                    size_t actual)
{
    const struct inq_graph *graph = j->graph;
    const struct inq_dynamic *a = &graph->dynamic[actual];
    struct inq_sym symbol, here, there;
    size_t here_index = 0, there_index = 0;
    struct inq_wanted wanted;
    const uint64_t *together;
    uint32_t expected, hash;
    bool defines, strong, in_scope;

    if (!graph->bound[actual].loaded || graph->bound[actual].space != j->b->space)
        return UNDECIDED;
    if (!inq_dynamic_symbol(j->d, slot->symbol, &symbol) || !a->read)
        return UNDECIDED;
    wanted = wanted_of(j, slot->symbol, &symbol);
    defines = inq_dynamic_find_at(a, &wanted,
                                  (target - graph->modules->items[actual].load_bias) & j->mask,
                                  &here, &here_index);
    if (!defines && slot->kind == INQ_SLOT_ABS)
        return REWRITTEN;
    expected = search_closure(j, &wanted, &there, &there_index);
    if (!defines || expected >= UNCERTAIN || inq_set_has(graph->main, expected))
        return UNDECIDED;
    together = inq_graph_together(j->graph, j->from);
    if (!together) {
        j->failed = true;
        return UNDECIDED;
    }
    strong = there.bind == STB_GLOBAL && here.bind == STB_GLOBAL;
    in_scope = inq_set_has(together, actual);
    if (in_scope || is_replaceable(symbol.name)) {
        keep_in_scope(j, expected, actual);
        if (!in_scope || !strong || is_replaceable(symbol.name) ||
            !is_displaced(j, expected, actual))
            return IN_SCOPE;
    } else if (j->closure->incomplete || (graph->global && !inq_set_has(graph->global, actual) &&
                                          here.bind != STB_GNU_UNIQUE)) {
        /* unique ones are one for the whole process, whoever came first (do_lookup_unique()) */
        return UNDECIDED;
    }
    keep(j,
         &(struct inq_binding){
             .from = j->from,
             .expected = expected,
             .actual = actual,
             .symbol = symbol.name,
             .slot = slot->addr,
             .target = target,
             .expected_target = (graph->modules->items[expected].load_bias + there.value) & j->mask,
             .size_expected = there.size,
             .size_actual = here.size,
             .version_expected = inq_dynamic_version(&graph->dynamic[expected], there_index, &hash),
             .version_actual = inq_dynamic_version(a, here_index, &hash),
             .kind = kind_of(&there),
             .strong = strong,
             .mixed = is_mixed(symbol.name, &there, &here),
             .displaced = in_scope,
         });
    if (in_scope)
        return IN_SCOPE;
    if (strong)
        j->b->strong++;
    else
        j->b->vague++;
    return FOREIGN;
}

/*
 * A slot that leads to one of the program's own libraries, though the module has brought another
 * one. Kept, and not counted: everybody gets those first.
 */
static void note_by_program(struct judge *j, const struct inq_slot *slot, uint64_t target,
                            size_t actual)
{
    const struct inq_graph *graph = j->graph;
    const struct inq_dynamic *a = &graph->dynamic[actual];
    struct inq_sym symbol, here, there;
    size_t here_index = 0, there_index = 0;
    struct inq_wanted wanted;
    uint32_t expected = expected_of(j, slot->symbol), hash;

    if (expected >= UNCERTAIN || expected == actual || inq_set_has(graph->main, expected) ||
        j->closure->incomplete || !slot->has_addend ||
        !inq_dynamic_symbol(j->d, slot->symbol, &symbol) || is_replaceable(symbol.name))
        return;
    wanted = wanted_of(j, slot->symbol, &symbol);
    if (!inq_dynamic_find_at(a, &wanted,
                             (target - graph->modules->items[actual].load_bias) & j->mask, &here,
                             &here_index) ||
        search_closure(j, &wanted, &there, &there_index) != expected || here.bind != STB_GLOBAL ||
        there.bind != STB_GLOBAL)
        return;
    keep(j,
         &(struct inq_binding){
             .from = j->from,
             .expected = expected,
             .actual = actual,
             .symbol = symbol.name,
             .slot = slot->addr,
             .target = target,
             .expected_target = (graph->modules->items[expected].load_bias + there.value) & j->mask,
             .size_expected = there.size,
             .size_actual = here.size,
             .version_expected = inq_dynamic_version(&graph->dynamic[expected], there_index, &hash),
             .version_actual = inq_dynamic_version(a, here_index, &hash),
             .kind = kind_of(&there),
             .strong = true,
             .by_program = true,
         });
}

/* ---- one slot ------------------------------------------------------------------------ */

static bool is_undefined(const struct judge *j, size_t symbol)
{
    struct inq_sym s;

    return inq_dynamic_symbol(j->d, symbol, &s) && s.section == SHN_UNDEF;
}

static void count(struct judge *j, enum verdict verdict, size_t owner)
{
    if (verdict == REWRITTEN)
        return;
    if (verdict == UNDECIDED) {
        j->b->undecided++;
        return;
    }
    j->b->judged++;
    j->b->in_scope += verdict == IN_SCOPE;
    if (owner != SIZE_MAX)
        j->bindings->modules[owner].bound_here++;
}

static void judge_slot(struct judge *j, const struct inq_slot *slot)
{
    uint64_t value, target;
    uint32_t expected;
    size_t owner;

    j->b->slots++;
    if (slot->symbol >= j->d->n_symbols || !read_slot(j, slot->addr & j->mask, &value)) {
        count(j, UNDECIDED, SIZE_MAX);
        return;
    }
    target = (value - slot->addend) & j->mask;
    if (target == 0) { /* an undefined weak symbol */
        count(j, FINE, SIZE_MAX);
        return;
    }
    owner = owner_of(j, target);
    if (owner == SIZE_MAX) {
        count(j, slot->kind == INQ_SLOT_ABS ? REWRITTEN : UNDECIDED, SIZE_MAX);
    } else if (owner == j->from) {
        if (slot->kind == INQ_SLOT_JUMP && is_undefined(j, slot->symbol))
            j->b->lazy++;
        else
            count(j, FINE, owner);
    } else if (j->graph->modules->items[owner].is_vdso) {
        count(j, FINE, SIZE_MAX); /* what an indirect function of libc chose: time(), ... */
    } else if ((j->b->space == 0 && inq_set_has(j->graph->main, owner)) ||
               j->bindings->modules[owner].is_linker) {
        if (inq_set_has(j->graph->contested, owner))
            note_by_program(j, slot, target, owner);
        count(j, FINE, owner);
    } else {
        expected = expected_of(j, slot->symbol);
        if (expected == NOBODY || expected == owner)
            count(j, FINE, owner);
        else if (!slot->has_addend)
            count(j, UNDECIDED, SIZE_MAX);
        else
            count(j, judge_elsewhere(j, slot, target, owner), owner);
    }
}

/* ---- all ----------------------------------------------------------------------------- */

static bool make_room(struct judge *j, size_t n)
{
    struct known *known;

    if (n <= j->n_known)
        return true;
    known = calloc(n, sizeof(*known));
    if (!known)
        return false;
    free(j->known);
    j->known = known;
    j->n_known = n;
    return true;
}

static const char *why_unread(const struct judge *j, size_t module)
{
    const struct inq_bound_module *b = &j->bindings->modules[module];
    const struct inq_dynamic *d = &j->graph->dynamic[module];

    if (!d->read)
        return d->unread ? d->unread : "its tables are not in the dump";
    if (b->space < 0)
        return "it is in none of the dynamic linker's lists";
    return NULL;
}

static bool judge_module(struct judge *j, size_t module)
{
    struct inq_slot_cursor cursor = {0};
    struct inq_slot slot;

    j->from = module;
    j->d = &j->graph->dynamic[module];
    j->b = &j->bindings->modules[module];
    j->b->unread = why_unread(j, module);
    if (j->b->unread)
        return true;
    j->closure = inq_graph_closure(j->graph, module);
    if (!j->closure || !make_room(j, j->d->n_symbols))
        return false;
    j->round++;
    j->b->read = true;
    while (inq_slot_next(&j->graph->tables, j->d, j->types, &cursor, &slot))
        judge_slot(j, &slot);
    if (cursor.damaged) {
        j->b->read = false;
        j->b->unread = "a table of its relocations is not there, or is cut";
    }
    return !j->failed;
}

static void sum_up(struct inq_bindings *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct inq_bound_module *b = &all->modules[i];

        all->n_read += b->read;
        all->n_unread += b->loaded && !b->read && !b->is_linker;
        all->slots += b->slots;
        all->judged += b->judged;
        all->lazy += b->lazy;
        all->undecided += b->undecided;
        all->strong += b->strong;
        all->vague += b->vague;
        all->in_scope += b->in_scope;
    }
}

static struct inq_error *publish(struct judge *j)
{
    struct inq_bindings *all = j->bindings;

    all->foreign = INQ_ARENA_ARRAY(j->graph->arena, j->foreign.count + 1, struct inq_binding);
    if (!all->foreign)
        return &inq_error_oom;
    if (j->foreign.count > 0)
        memcpy(all->foreign, j->foreign.items, j->foreign.count * sizeof(all->foreign[0]));
    all->n_foreign = j->foreign.count;
    all->in_scope_pairs =
        INQ_ARENA_ARRAY(j->graph->arena, j->in_scope.count + 1, struct inq_scope_pair);
    if (!all->in_scope_pairs)
        return &inq_error_oom;
    if (j->in_scope.count > 0)
        memcpy(all->in_scope_pairs, j->in_scope.items,
               j->in_scope.count * sizeof(all->in_scope_pairs[0]));
    all->n_in_scope_pairs = j->in_scope.count;
    sum_up(all);
    return NULL;
}

static bool make_owners(struct judge *j)
{
    j->n_owners = LEAST_OWNERS;
    while (j->n_owners < MOST_OWNERS && j->n_owners / OWNERS_A_MODULE < j->graph->count)
        j->n_owners *= 2;
    j->owners = calloc(j->n_owners, sizeof(*j->owners));
    return j->owners != NULL;
}

struct inq_error *inq_judge_all(struct inq_graph *graph, struct inq_bindings *bindings)
{
    const struct inq_core *core = graph->modules->core;
    _cleanup_free_ struct judge *j = calloc(1, sizeof(*j));
    struct inq_error *error = NULL;

    if (!j)
        return &inq_error_oom;
    j->graph = graph;
    j->bindings = bindings;
    j->types = inq_slot_types(core->machine, core->elf_class);
    j->mask = core->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    j->order.from = SIZE_MAX;
    if (!make_owners(j) || !inq_graph_find_contested(graph))
        error = &inq_error_oom;
    for (size_t i = 0; i < graph->count && !error; i++)
        if (bindings->modules[i].loaded && !bindings->modules[i].is_linker && !judge_module(j, i))
            error = &inq_error_oom;
    if (!error)
        error = publish(j);
    free(j->owners);
    free(j->known);
    INQ_ARRAY_FREE(&j->foreign);
    INQ_ARRAY_FREE(&j->in_scope);
    return error;
}

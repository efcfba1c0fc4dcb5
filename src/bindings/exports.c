/* SPDX-License-Identifier: Apache-2.0 */

/* What modules export, and what two of them both do. */

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bounds.h"
#include "cleanup.h"
#include "private.h"
#include "relocs.h"

#define MOST_SHARING 16u      /* modules that export one name */
#define MAX_EXPORTS 16000000u /* of all modules together */
#define RADIX_BITS 11u

struct name { /* an exported name */
    uint32_t hash;
    uint32_t module;
};

struct collector {
    const struct inq_dynamic *d;
    INQ_ARRAY(struct name) names;
    uint32_t module;
    bool failed;
};

static bool is_strong(const struct inq_sym *s)
{
    return s->section != SHN_UNDEF && s->section != SHN_ABS && s->bind == STB_GLOBAL &&
           (s->type == STT_FUNC || s->type == STT_OBJECT || s->type == STT_GNU_IFUNC ||
            s->type == STT_TLS) &&
           (s->visibility == STV_DEFAULT || s->visibility == STV_PROTECTED);
}

static bool collect(void *context, uint32_t hash, size_t index)
{
    struct collector *c = context;
    struct inq_sym symbol;
    struct name *name;

    if (!inq_dynamic_symbol(c->d, index, &symbol) || !is_strong(&symbol))
        return true;
    name = c->names.count < MAX_EXPORTS ? INQ_ARRAY_PUSH(&c->names) : NULL;
    if (!name) {
        c->failed = c->names.count < MAX_EXPORTS;
        return false;
    }
    *name = (struct name){hash, c->module};
    return true;
}

/* By hash; stable, so that modules stay in order. */
static bool sort_names(struct name **names, size_t n)
{
    const size_t buckets = (size_t)1 << RADIX_BITS;
    _cleanup_free_ size_t *starts = calloc(buckets, sizeof(*starts));
    struct name *from = *names, *to = calloc(n + 1, sizeof(*to)), *swap;

    if (!starts || !to) {
        free(to);
        return false;
    }
    for (unsigned shift = 0; shift < 32; shift += RADIX_BITS) {
        size_t sum = 0;

        memset(starts, 0, buckets * sizeof(*starts));
        for (size_t i = 0; i < n; i++)
            starts[(from[i].hash >> shift) % buckets]++;
        for (size_t i = 0; i < buckets; i++) {
            size_t count = starts[i];

            starts[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[starts[(from[i].hash >> shift) % buckets]++] = from[i];
        swap = from;
        from = to;
        to = swap;
    }
    free(to);
    *names = from;
    return true;
}

struct pairing {
    const struct inq_bindings *bindings;
    uint32_t *common; /* matrix: [a * n + b], a < b */
    uint32_t *own;    /* names by module */
    size_t n;
};

static void count_group(struct pairing *p, const struct name *group, size_t n)
{
    for (size_t i = 0; n <= MOST_SHARING && i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            if (group[i].module != group[k].module &&
                p->bindings->modules[group[i].module].space ==
                    p->bindings->modules[group[k].module].space)
                p->common[group[i].module * p->n + group[k].module]++;
}

static struct inq_error *list_pairs(struct pairing *p, uint32_t least, struct inq_arena *arena,
                                    struct inq_common **ret_pairs, size_t *ret_count)
{
    struct inq_common *pairs;
    size_t count = 0;

    for (size_t i = 0; i < p->n * p->n; i++)
        count += p->common[i] >= least;
    pairs = INQ_ARENA_ARRAY(arena, count + 1, struct inq_common);
    if (!pairs)
        return &inq_error_oom;
    count = 0;
    for (size_t a = 0; a < p->n; a++)
        for (size_t b = a + 1; b < p->n; b++)
            if (p->common[a * p->n + b] >= least)
                pairs[count++] =
                    (struct inq_common){a, b, p->common[a * p->n + b], p->own[a], p->own[b]};
    *ret_pairs = pairs;
    *ret_count = count;
    return NULL;
}

/* Has it as many names as a pair must have in common? No symbol is exported that is not in its
 * table. */
static bool may_pair(const struct inq_graph *graph, size_t module, uint32_t least)
{
    return graph->bound[module].loaded && !graph->bound[module].is_linker &&
           graph->dynamic[module].read && graph->dynamic[module].n_symbols >= least;
}

static struct inq_error *pair_up(const struct inq_graph *graph, struct pairing *p, uint32_t least,
                                 struct collector *c)
{
    size_t candidates = 0;

    for (size_t i = 0; i < graph->count && candidates < 2; i++)
        candidates += may_pair(graph, i, least);
    for (size_t i = 0; i < graph->count && candidates == 2; i++) {
        const size_t before = c->names.count;

        if (!may_pair(graph, i, least))
            continue;
        c->d = &graph->dynamic[i];
        c->module = (uint32_t)i;
        inq_dynamic_exports(c->d, collect, c);
        p->own[i] = (uint32_t)(c->names.count - before);
    }
    if (c->names.count == 0 && !c->failed)
        return NULL;
    if (c->failed || !sort_names(&c->names.items, c->names.count))
        return &inq_error_oom;
    for (size_t i = 0, end; i < c->names.count; i = end) {
        for (end = i + 1;
             end < c->names.count && c->names.items[end].hash == c->names.items[i].hash;)
            end++;
        count_group(p, c->names.items + i, end - i);
    }
    return NULL;
}

struct inq_error *inq_bindings_pairs(const struct inq_bindings *bindings, uint32_t least,
                                     struct inq_common **ret_pairs, size_t *ret_count)
{
    const struct inq_graph *graph = inq_bindings_graph(bindings);
    struct pairing p = {.bindings = bindings, .n = bindings->count};
    struct collector c = {0};
    struct inq_error *error = NULL;

    *ret_count = 0;
    *ret_pairs = NULL;
    if (bindings->none || p.n == 0 || p.n > INQ_MAX_MODULES)
        return NULL;
    p.common = calloc(p.n * p.n, sizeof(*p.common));
    p.own = calloc(p.n, sizeof(*p.own));
    if (!p.common || !p.own)
        error = &inq_error_oom;
    if (!error)
        error = pair_up(graph, &p, least, &c);
    if (!error)
        error = list_pairs(&p, least, graph->arena, ret_pairs, ret_count);
    free(p.common);
    free(p.own);
    INQ_ARRAY_FREE(&c.names);
    return error;
}

/* ---- one pair ----------------------------------------------------------------------------------
 */

struct comparison {
    const struct inq_dynamic *a, *b;
    uint64_t steps_left;
    uint32_t strong, common;
};

static bool compare(void *context, uint32_t hash, size_t index)
{
    struct comparison *c = context;
    struct inq_sym symbol, other;

    (void)hash;
    if (!inq_dynamic_symbol(c->a, index, &symbol) || !is_strong(&symbol))
        return true;
    c->strong++;
    if (!c->b)
        return true;
    const struct inq_wanted wanted = {
        .name = symbol.name, .hash = inq_gnu_hash(symbol.name), .steps_left = &c->steps_left};
    c->common += inq_dynamic_may_define(c->b, wanted.hash) &&
                 inq_dynamic_find(c->b, &wanted, &other, NULL) && other.bind == STB_GLOBAL;
    return true;
}

struct inq_common inq_bindings_common(const struct inq_bindings *bindings, size_t a, size_t b)
{
    const struct inq_graph *graph = inq_bindings_graph(bindings);
    struct comparison ab = {
        .a = &graph->dynamic[a], .b = &graph->dynamic[b], .steps_left = INQ_MAX_LOOKUP_STEPS / 64};
    struct comparison ba = {.a = &graph->dynamic[b]};

    inq_dynamic_exports(ab.a, compare, &ab);
    inq_dynamic_exports(ba.a, compare, &ba);
    return (struct inq_common){a, b, ab.common, ab.strong, ba.strong};
}

/* ---- who holds an address ------------------------------------------------------------ */

struct inq_error *inq_bindings_holders(const struct inq_bindings *bindings, const uint64_t *targets,
                                       size_t n, struct inq_held **ret_held, size_t *ret_count)
{
    struct inq_graph *graph = inq_bindings_graph(bindings);
    const struct inq_core *core = graph->modules->core;
    const struct inq_slot_types *types = inq_slot_types(core->machine, core->elf_class);
    INQ_ARRAY(struct inq_held) held = {0};
    struct inq_held *item;
    bool failed = false;

    for (size_t m = 0; types && !bindings->none && m < bindings->count && !failed; m++) {
        struct inq_slot_cursor cursor = {0};
        struct inq_slot slot;
        uint64_t value;

        if (!bindings->modules[m].read)
            continue;
        while (!failed &&
               inq_slot_next(&graph->tables, &graph->dynamic[m], types, &cursor, &slot)) {
            if (!inq_memory_word(graph->modules->memory, slot.addr, &value))
                continue;
            for (size_t i = 0; i < n; i++) {
                if (value != targets[i])
                    continue;
                item = held.count < INQ_MAX_FOREIGN_LISTED ? INQ_ARRAY_PUSH(&held) : NULL;
                failed = !item && held.count < INQ_MAX_FOREIGN_LISTED;
                if (item)
                    *item = (struct inq_held){m, i, slot.addr};
            }
        }
    }
    item = INQ_ARENA_ARRAY(graph->arena, held.count + 1, struct inq_held);
    if (item && held.count > 0)
        memcpy(item, held.items, held.count * sizeof(*item));
    *ret_held = item;
    *ret_count = held.count;
    INQ_ARRAY_FREE(&held);
    return failed || !item ? &inq_error_oom : NULL;
}

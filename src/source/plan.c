/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdlib.h>

#include "cleanup.h"

/* Kinds of range, best first: RAW with priority 0..255, then PACKED with priority 0..255. */
#define KINDS 512u

struct edge {
    uint64_t at;
    uint16_t kind;
    bool opens;
};

static int compare_edges(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* How many ranges of each kind cover the point of the sweep, with a bit for each kind that does. */
struct cover {
    size_t counts[KINDS];
    uint64_t bits[KINDS / 64];
};

static void cover_add(struct cover *c, unsigned kind, bool opens)
{
    if (opens && c->counts[kind]++ == 0)
        c->bits[kind / 64] |= 1ull << (kind % 64);
    if (!opens && --c->counts[kind] == 0)
        c->bits[kind / 64] &= ~(1ull << (kind % 64));
}

/* The best kind, or KINDS when nothing covers this point. */
static unsigned cover_best(const struct cover *c)
{
    for (unsigned i = 0; i < KINDS / 64; i++)
        if (c->bits[i])
            return i * 64 + (unsigned)__builtin_ctzll(c->bits[i]);
    return KINDS;
}

static bool push(struct inq_segments *segments, struct inq_plan_piece s)
{
    struct inq_plan_piece *last = segments->count ? &segments->items[segments->count - 1] : NULL;

    if (last && last->off + last->size == s.off && last->keep == s.keep &&
        last->priority == s.priority) {
        last->size += s.size;
        return true;
    }
    last = INQ_ARRAY_PUSH(segments);
    if (!last)
        return false;
    *last = s;
    return true;
}

static bool sweep(const struct edge *edges, size_t count, struct inq_segments *segments)
{
    struct cover cover = {0};

    for (size_t i = 0; i < count;) {
        uint64_t at = edges[i].at;
        unsigned kind;

        for (; i < count && edges[i].at == at; i++)
            cover_add(&cover, edges[i].kind, edges[i].opens);
        kind = cover_best(&cover);
        if (kind == KINDS || i == count)
            continue;
        if (!push(segments,
                  (struct inq_plan_piece){.off = at,
                                          .size = edges[i].at - at,
                                          .keep = kind < 256 ? INQ_KEEP_RAW : INQ_KEEP_PACKED,
                                          .priority = (uint8_t)(kind % 256)}))
            return false;
    }
    return true;
}

static int compare_priority(const void *a, const void *b)
{
    const struct inq_plan_piece *x = *(struct inq_plan_piece *const *)a;
    const struct inq_plan_piece *y = *(struct inq_plan_piece *const *)b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return (x->off > y->off) - (x->off < y->off);
}

/* RAW segments by priority, first fit; the others become PACKED. */
static bool spend_raw_budget(struct inq_segments *segments, uint64_t budget, uint64_t *ret_raw)
{
    _cleanup_free_ struct inq_plan_piece **raw = NULL;
    uint64_t used = 0;
    size_t n = 0;

    raw = calloc(segments->count + 1, sizeof(struct inq_plan_piece *));
    if (!raw)
        return false;
    for (size_t i = 0; i < segments->count; i++)
        if (segments->items[i].keep == INQ_KEEP_RAW)
            raw[n++] = &segments->items[i];
    qsort(raw, n, sizeof(struct inq_plan_piece *), compare_priority);
    for (size_t i = 0; i < n; i++) {
        if (raw[i]->size <= budget - used)
            used += raw[i]->size;
        else
            raw[i]->keep = INQ_KEEP_PACKED;
    }
    *ret_raw = used;
    return true;
}

/* RAW neighbours become one, whatever their priority, so that a view can cross their border. */
static void join_raw(struct inq_segments *segments)
{
    size_t n = 0;

    for (size_t i = 0; i < segments->count; i++) {
        struct inq_plan_piece s = segments->items[i];
        struct inq_plan_piece *last = n ? &segments->items[n - 1] : NULL;

        if (last && s.keep == last->keep && last->off + last->size == s.off &&
            (s.keep == INQ_KEEP_RAW || s.priority == last->priority))
            last->size += s.size;
        else
            segments->items[n++] = s;
    }
    segments->count = n;
}

struct inq_error *inq_plan_lay_out(const struct inq_source_plan *plan, uint64_t from,
                                   struct inq_segments *ret_segments, uint64_t *ret_raw_bytes)
{
    _cleanup_free_ struct edge *edges = NULL;
    struct inq_segments segments = {0};
    size_t n = 0, edge_count;
    uint64_t raw_bytes = 0;

    if (__builtin_mul_overflow(plan->count, (size_t)2, &edge_count))
        return &inq_error_oom;
    edges = calloc(edge_count + 1, sizeof(*edges));
    if (!edges)
        return &inq_error_oom;
    for (size_t i = 0; i < plan->count; i++) {
        const struct inq_keep_range *r = &plan->ranges[i];
        uint64_t stop, start = r->off < from ? from : r->off;
        unsigned kind = (r->keep == INQ_KEEP_RAW ? 0 : 256u) + r->priority;

        if (__builtin_add_overflow(r->off, r->size, &stop))
            stop = UINT64_MAX;
        if (stop <= start)
            continue;
        edges[n++] = (struct edge){.at = start, .kind = (uint16_t)kind, .opens = true};
        edges[n++] = (struct edge){.at = stop, .kind = (uint16_t)kind, .opens = false};
    }
    qsort(edges, n, sizeof(*edges), compare_edges);
    if (!sweep(edges, n, &segments) ||
        !spend_raw_budget(&segments, plan->raw_budget_bytes, &raw_bytes)) {
        INQ_ARRAY_FREE(&segments);
        return &inq_error_oom;
    }
    join_raw(&segments);
    *ret_segments = segments;
    *ret_raw_bytes = raw_bytes;
    return NULL;
}

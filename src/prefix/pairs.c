/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* An open-addressing table of counts by pair. */
struct table {
    struct inq_pair *slots; /* common 0: free */
    size_t capacity, used;  /* capacity is a power of two */
    bool cut;
};

static size_t slot_of(const struct table *t, uint32_t a, uint32_t b)
{
    uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ull;
    size_t i = (size_t)(h >> 20) & (t->capacity - 1);

    while (t->slots[i].common > 0 && (t->slots[i].a != a || t->slots[i].b != b))
        i = (i + 1) & (t->capacity - 1);
    return i;
}

static bool table_grow(struct table *t)
{
    const struct table old = *t;

    t->capacity = old.capacity ? 2 * old.capacity : 1024;
    t->slots = calloc(t->capacity, sizeof(*t->slots));
    if (!t->slots) {
        *t = old;
        return false;
    }
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].common > 0)
            t->slots[slot_of(t, old.slots[i].a, old.slots[i].b)] = old.slots[i];
    free(old.slots);
    return true;
}

static bool count_pair(struct table *t, uint32_t a, uint32_t b, bool confusable)
{
    size_t i;

    if (2 * t->used >= t->capacity && !table_grow(t))
        return false;
    i = slot_of(t, a, b);
    if (t->slots[i].common == 0) {
        if (t->used == INQ_MAX_PAIRS) {
            t->cut = true;
            return true;
        }
        t->used++;
        t->slots[i].a = a;
        t->slots[i].b = b;
    }
    t->slots[i].common++;
    t->slots[i].confusable += confusable;
    return true;
}

static int compare_exports(const void *a, const void *b)
{
    const struct inq_export *x = a, *y = b;

    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return x->version < y->version ? -1 : x->version > y->version;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct inq_pair *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

/* The definitions of one name: those of one file stand together. */
struct sharer {
    uint32_t file;
    size_t first, count;
};

static bool can_be_taken(const struct inq_export *a, size_t n_a, const struct inq_export *b,
                         size_t n_b)
{
    for (size_t i = 0; i < n_a && i < 16; i++)
        for (size_t k = 0; k < n_b && k < 16; k++)
            if (a[i].version == b[k].version || a[i].version == 0 || b[k].version == 0)
                return true;
    return false;
}

static bool count_name(struct table *t, const struct inq_export *items, size_t n)
{
    struct sharer sharers[INQ_MAX_SHARERS];
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (count > 0 && sharers[count - 1].file == items[i].file) {
            sharers[count - 1].count++;
            continue;
        }
        if (count == INQ_MAX_SHARERS)
            return true;
        sharers[count++] = (struct sharer){items[i].file, i, 1};
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (!count_pair(t, sharers[i].file, sharers[k].file,
                            can_be_taken(items + sharers[i].first, sharers[i].count,
                                         items + sharers[k].first, sharers[k].count)))
                return false;
    return true;
}

struct inq_error *inq_pairs_find(struct inq_exports *exports, struct inq_pairs *ret_pairs)
{
    struct inq_export *items = exports->items.items;
    const size_t n = exports->items.count;
    struct table t = {0};
    bool ok = true;
    size_t kept = 0;

    if (n > 0)
        qsort(items, n, sizeof(*items), compare_exports);
    for (size_t i = 0, k; ok && i < n; i = k) {
        for (k = i + 1; k < n && items[k].name == items[i].name;)
            k++;
        if (items[k - 1].file != items[i].file)
            ok = count_name(&t, items + i, k - i);
    }
    if (!ok) {
        free(t.slots);
        return &inq_error_oom;
    }
    for (size_t i = 0; i < t.capacity; i++)
        if (t.slots[i].common > 0)
            t.slots[kept++] = t.slots[i];
    if (kept > 0)
        qsort(t.slots, kept, sizeof(*t.slots), compare_pairs);
    *ret_pairs = (struct inq_pairs){.items = t.slots, .count = kept, .cut = t.cut};
    return NULL;
}

void inq_pairs_deinit(struct inq_pairs *pairs)
{
    free(pairs->items);
    *pairs = (struct inq_pairs){0};
}

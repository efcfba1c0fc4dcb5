/* SPDX-License-Identifier: Apache-2.0 */

#include "backing.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64u

static bool grow(struct inq_backing *backing, struct inq_arena *arena)
{
    size_t capacity = backing->capacity ? backing->capacity * 2 : FIRST_CAPACITY;
    struct inq_backing_range *items = INQ_ARENA_ARRAY(arena, capacity, struct inq_backing_range);

    if (!items)
        return false;
    if (backing->count > 0)
        memcpy(items, backing->items, backing->count * sizeof(*items));
    backing->items = items;
    backing->capacity = capacity;
    return true;
}

bool inq_backing_add(struct inq_backing *backing, struct inq_arena *arena, uint64_t addr,
                     const void *bytes, size_t size)
{
    if (size == 0)
        return true;
    if (backing->count == backing->capacity && !grow(backing, arena))
        return false;
    backing->items[backing->count] = (struct inq_backing_range){addr, size, bytes, backing->count};
    backing->count++;
    backing->sorted = false;
    return true;
}

static int by_addr(const void *a, const void *b)
{
    const struct inq_backing_range *x = a, *y = b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts, and cuts from each range what the ranges before it cover already. */
static void sort_ranges(struct inq_backing *backing)
{
    struct inq_backing_range *ranges = backing->items;
    size_t n = 0;

    if (backing->count > 0)
        qsort(ranges, backing->count, sizeof(*ranges), by_addr);
    for (size_t i = 0; i < backing->count; i++) {
        struct inq_backing_range range = ranges[i];
        if (n > 0 && range.addr - ranges[n - 1].addr < ranges[n - 1].size) {
            uint64_t cut = ranges[n - 1].addr + ranges[n - 1].size - range.addr;
            if (cut >= range.size)
                continue;
            range.addr += cut;
            range.bytes += cut;
            range.size -= cut;
        }
        ranges[n++] = range;
    }
    backing->count = n;
    backing->sorted = true;
}

const struct inq_backing_range *inq_backing_find(struct inq_backing *backing, uint64_t addr)
{
    size_t low = 0, high;

    if (!backing->sorted)
        sort_ranges(backing);
    high = backing->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (backing->items[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || addr - backing->items[low - 1].addr >= backing->items[low - 1].size)
        return NULL;
    return &backing->items[low - 1];
}

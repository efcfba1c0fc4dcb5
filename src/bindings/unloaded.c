/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Libraries that came and went: ld.so counts in _dl_load_adds what it ever loaded, and numbers each
 * in its l_serial. Both lie where no symbol leads, and move with the version; so the place of the
 * one is believed only when the numbers at some place of the other agree with it: rising in the
 * order of loading, and below the count.
 */

#include "graph.h"

#define N_NAMESPACES 16u /* DL_NNS */
#define LINK_MAP_BYTES 1400u
#define BEHIND_COUNT 256u /* bytes between _dl_nns and _dl_load_adds, at most */
#define MOST_LOADED 10000000u
#define LEAST_NUMBERED 3u /* fewer numbers agree by chance */

struct counter {
    struct inq_graph *graph;
    struct inq_memory *memory;
    const size_t *order; /* modules in the order of loading, without the linker */
    size_t n;
};

/* Do the words at `offset` of the link maps number them, all below `most`? */
static bool numbers_at(const struct counter *c, uint64_t offset, uint64_t most)
{
    uint64_t last = 0, serial;

    for (size_t i = 0; i < c->n; i++) {
        const struct inq_module *m = &c->graph->modules->items[c->order[i]];

        if (!inq_memory_u64(c->memory, m->link_map + offset, &serial) || serial >= most ||
            (i == 0 ? serial != 0 : serial <= last))
            return false;
        last = serial;
    }
    return true;
}

static bool is_counter(const struct counter *c, uint64_t value)
{
    for (uint64_t offset = 64; offset < LINK_MAP_BYTES; offset += 8)
        if (numbers_at(c, offset, value))
            return true;
    return false;
}

/* Loaded now, in all namespaces; 0 when the array is not one. */
static uint64_t count_loaded(const struct counter *c, uint64_t global, uint64_t stride)
{
    uint64_t namespaces, sum = 0;
    uint32_t loaded;

    if (!inq_memory_u64(c->memory, global + N_NAMESPACES * stride, &namespaces) ||
        namespaces == 0 || namespaces > N_NAMESPACES)
        return 0;
    for (uint64_t i = 0; i < namespaces; i++) {
        if (!inq_memory_u32(c->memory, global + i * stride + 8, &loaded) || loaded > MOST_LOADED)
            return 0;
        sum += loaded;
    }
    return sum;
}

bool inq_scope_count_unloaded(struct inq_graph *graph, const size_t *order, size_t n,
                              uint64_t global, uint64_t *ret_unloaded)
{
    /* struct link_namespaces: glibc 2.43, up to 2.31, since 2.32 */
    static const uint64_t strides[] = {112, 144, 152, 160};
    const struct counter c = {graph, graph->modules->memory, order, n};

    if (n < LEAST_NUMBERED || graph->modules->core->elf_class != 64)
        return false;
    for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
        const uint64_t behind = global + N_NAMESPACES * strides[i] + 8;
        const uint64_t loaded = count_loaded(&c, global, strides[i]);
        uint64_t value;

        if (loaded < n)
            continue;
        for (uint64_t at = behind; at < behind + BEHIND_COUNT; at += 8)
            if (inq_memory_u64(c.memory, at, &value) && value >= loaded && value < MOST_LOADED &&
                is_counter(&c, value)) {
                *ret_unloaded = value - loaded;
                return true;
            }
    }
    return false;
}

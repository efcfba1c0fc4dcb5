/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_ELFCORE_LINK_MAP_PAGES_H
#define INQ_ELFCORE_LINK_MAP_PAGES_H

/*
 * Finds the dynamic linker's list in pages that go by. ld.so allocates a struct link_map for each
 * library with the process's own malloc, so they lie anywhere in its heaps. One is known by its
 * first words, {l_addr, l_name, l_ld, l_next, l_prev} (link.h): the load base of a module, and two
 * words further a pointer into the same module. The linker's search lists are arrays of pointers to
 * them, from the same heap: what stands in them together is known by pointers, side by side, to
 * link_maps that went by before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "array.h"
#include "core.h"

struct inq_module_range {
    uint64_t start, end;
};

struct inq_link_map_pages {
    const struct inq_core *core;
    const struct inq_segment *const *by_addr; /* sorted; to find where a pointer's page will come */
    size_t n_segments;
    INQ_ARRAY(struct inq_module_range) modules; /* in address order */
    uint64_t *wanted; /* hash set of page offsets that a kept page points to; 0 is free */
    size_t n_wanted;
    uint64_t *seen; /* hash set of the addresses of link_maps; 0 is free */
    size_t n_seen, n_looked_up;
    uint64_t first_seen, last_seen; /* lowest and highest of them */
    size_t segment;                 /* index into by_addr that the last page was in */
};

/* Modules are to be added in the order of their addresses. False without memory. */
bool inq_link_map_pages_add(struct inq_link_map_pages *pages, uint64_t start, uint64_t end);
void inq_link_map_pages_deinit(struct inq_link_map_pages *pages);

/*
 * want_page of struct inq_source_plan: true for a page with the beginning of a link_map, one that
 * an earlier one points to, and one that begins like the message of abort().
 */
bool inq_link_map_pages_want(void *context, uint64_t page_off, const uint8_t *page, size_t size);

#endif

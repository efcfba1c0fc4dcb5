/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_MEMORY_PAGE_H
#define INQ_DETECTORS_MEMORY_PAGE_H

/* One page of the process next to the file it was mapped from. */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

enum inq_page_state { INQ_PAGE_UNKNOWN, INQ_PAGE_SAME, INQ_PAGE_DIFFERS };

struct inq_page {
    enum inq_page_state state;
    const char *why;                 /* of unknown; static */
    uint64_t start;                  /* of the page, in the process */
    uint64_t size;                   /* bytes that were compared */
    uint64_t bytes, bits;            /* how many differ */
    uint64_t first;                  /* address of the first that does */
    uint8_t memory, file;            /* what is there, and what the file has */
    const struct inq_module *module; /* NULL without */
    bool written_by_design;          /* its segment is writable in the file: relocations, data */
};

/*
 * The page at addr, if the dump itself holds it, compared with the verified file of its module. The
 * kernel saves text only with coredump_filter's bit 2 (or 3) set, or when the process wrote to it
 * (mprotect(), ptrace: fs/coredump.c, vma_dump_size()).
 */
void inq_page_compare(const struct inq_dump *dump, uint64_t addr, struct inq_page *ret_page);

/*
 * The process had this page to itself, with something in it: anonymous and not all zero, or
 * different from the file. Then it was in memory, unless it was swapped out.
 */
bool inq_page_is_own(const struct inq_dump *dump, uint64_t addr);

#endif

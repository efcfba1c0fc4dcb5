/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PREFIX_PAIRS_H
#define INQ_PREFIX_PAIRS_H

/* Which files export the same names: one sort of all names, no file is compared with another. */

#include "exports.h"

#define INQ_MAX_SHARERS 64u      /* a name that more files have says nothing about any two */
#define INQ_MAX_PAIRS (1u << 20) /* pairs of files that are counted */

struct inq_pair {
    uint32_t a, b;       /* a < b */
    uint32_t common;     /* names that both have */
    uint32_t confusable; /* of those, the ones in versions that can be taken for each other */
};

struct inq_pairs {
    struct inq_pair *items; /* sorted by a, then b */
    size_t count;
    bool cut; /* there are more than INQ_MAX_PAIRS */
};

/*
 * Two definitions can be taken for each other when their versions are equal, or one has none: "If
 * there is no version information, accept the symbol" (glibc, check_match() in elf/dl-lookup.c).
 * Sorts the exports.
 */
struct inq_error *inq_pairs_find(struct inq_exports *exports, struct inq_pairs *ret_pairs);
void inq_pairs_deinit(struct inq_pairs *pairs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_GAPS_H
#define INQ_BASE_GAPS_H

/*
 * The gap list: what could not be looked at. Gaps are not errors; every stage appends to the one
 * list of the analysis and the report shows them. The list is bounded (INQ_MAX_GAPS): what comes
 * after is counted, and many gaps of one code are folded by the report.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "codes.h"

struct inq_gap {
    enum inq_code code;
    const char *where; /* "thread 71", "module libfoo.so", "offset 0x1f40": raw bytes possible */
    const char *what;  /* what is missing */
    const char *why;   /* and why; may be NULL */
};

struct inq_gaps {
    struct inq_arena *arena; /* owns the texts; set before use */
    struct inq_gap *items;
    size_t count, capacity;
    uint64_t dropped; /* beyond the limit, or without memory: then the arena has failed, too */
};

void inq_gaps_init(struct inq_gaps *gaps, struct inq_arena *arena);
void inq_gaps_deinit(struct inq_gaps *gaps);

/*
 * Appends one; the texts are copied. `why` and `where` may be NULL. `what` is printf-style.
 * Takes a NULL list, so that a stage can be run without one.
 */
void inq_gaps_add(struct inq_gaps *gaps, enum inq_code code, const char *where, const char *why,
                  const char *what, ...) __attribute__((format(printf, 5, 6)));

#endif

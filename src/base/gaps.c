/* SPDX-License-Identifier: Apache-2.0 */
#include "gaps.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "cleanup.h"
#include "bounds.h"

void inq_gaps_init(struct inq_gaps *gaps, struct inq_arena *arena)
{
    *gaps = (struct inq_gaps){.arena = arena};
}

void inq_gaps_deinit(struct inq_gaps *gaps)
{
    free(gaps->items);
    *gaps = (struct inq_gaps){0};
}

void inq_gaps_add(struct inq_gaps *gaps, enum inq_code code, const char *where, const char *why,
                  const char *what, ...)
{
    _cleanup_free_ char *text = NULL;
    struct inq_gap gap = {.code = code};
    struct inq_gap *slot;
    va_list args;
    int n;

    if (!gaps)
        return;
    if (gaps->count >= INQ_MAX_GAPS) {
        gaps->dropped++;
        return;
    }
    va_start(args, what);
    n = vasprintf(&text, what, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
        inq_arena_set_failed(gaps->arena);
        gaps->dropped++;
        return;
    }
    gap.what = inq_arena_copy(gaps->arena, text, (size_t)n);
    gap.where = where ? inq_arena_strdup(gaps->arena, where) : NULL;
    gap.why = why ? inq_arena_strdup(gaps->arena, why) : NULL;
    if (!gap.what || (where && !gap.where) || (why && !gap.why) ||
        !inq_array_grow((void **)&gaps->items, gaps->count, &gaps->capacity, sizeof(gap))) {
        inq_arena_set_failed(gaps->arena);
        gaps->dropped++;
        return;
    }
    slot = &gaps->items[gaps->count++];
    *slot = gap;
}

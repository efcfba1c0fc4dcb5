/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_ARENA_H
#define INQ_BASE_ARENA_H

/*
 * One analysis owns one arena: everything it hands out lives until inq_arena_destroy().
 * All functions return NULL when there is no memory; sizes are multiplied with overflow checks.
 */

#include <stdbool.h>
#include <stddef.h>

struct inq_arena;

struct inq_arena *inq_arena_create(void);
void inq_arena_destroy(struct inq_arena *arena); /* takes NULL */
static inline void inq_arena_destroyp(struct inq_arena **arena) { inq_arena_destroy(*arena); }

/*
 * Whether the analysis that owns the arena ran out of memory anywhere: an allocation of the arena
 * failed, or somebody told it so. What is only left out then (a name, a reason, a gap) would make a
 * report that looks whole and is not: the analysis ends with INQ_E_MEMORY instead.
 */
bool inq_arena_failed(const struct inq_arena *arena);
/* For memory that is not the arena's own. */
void inq_arena_set_failed(struct inq_arena *arena);

/* Zeroed, aligned for any object. */
void *inq_arena_alloc(struct inq_arena *arena, size_t count, size_t size);
#define INQ_ARENA_NEW(arena, type) ((type *)inq_arena_alloc((arena), 1, sizeof(type)))
#define INQ_ARENA_ARRAY(arena, count, type) \
    ((type *)inq_arena_alloc((arena), (count), sizeof(type)))

/* A NUL-terminated copy of `size` bytes (which may hold NULs themselves). */
char *inq_arena_copy(struct inq_arena *arena, const void *bytes, size_t size);
char *inq_arena_strdup(struct inq_arena *arena, const char *text);
char *inq_arena_printf(struct inq_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

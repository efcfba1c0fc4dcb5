/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* Blocks double up to this size; an object of a quarter of it or more gets a block of its own. */
#define FIRST_BLOCK 4096u
#define MAX_BLOCK (256u * 1024u)

/*
 * A sanitizer sees nothing of what happens inside one block: builds with one give every object a
 * block of its own, of exactly its size.
 */
#if defined(__SANITIZE_ADDRESS__)
#define ONE_OBJECT_A_BLOCK true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_OBJECT_A_BLOCK true
#endif
#endif
#ifndef ONE_OBJECT_A_BLOCK
#define ONE_OBJECT_A_BLOCK false
#endif

struct block {
    struct block *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

struct inq_arena {
    struct block *blocks; /* the first is the one that is filled */
    size_t next_size;
    bool failed;
};

struct inq_arena *inq_arena_create(void)
{
    struct inq_arena *arena = calloc(1, sizeof(*arena));

    if (arena)
        arena->next_size = FIRST_BLOCK;
    return arena;
}

void inq_arena_destroy(struct inq_arena *arena)
{
    if (!arena)
        return;
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
}

bool inq_arena_failed(const struct inq_arena *arena)
{
    return arena->failed;
}

void inq_arena_set_failed(struct inq_arena *arena)
{
    arena->failed = true;
}

/*
 * A block that is filled is zeroed as it is handed out: the heap's calloc() would touch every page
 * of it at once, and most blocks end half empty.
 */
static struct block *block_create(size_t size, bool zeroed)
{
    struct block *b;
    size_t total;

    if (__builtin_add_overflow(size, sizeof(*b), &total))
        return NULL;
    b = zeroed ? calloc(1, total) : malloc(total);
    if (b) {
        b->next = NULL;
        b->size = size;
        b->used = 0;
    }
    return b;
}

static void *hand_out(struct block *b, size_t size)
{
    void *p = b->data + b->used;

    b->used += size;
    return memset(p, 0, size);
}

static void *alloc(struct inq_arena *arena, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct block *b = arena->blocks;
    size_t total;

    if (__builtin_mul_overflow(count, size, &total) || total > (size_t)PTRDIFF_MAX - align)
        return NULL;
    if (!ONE_OBJECT_A_BLOCK)
        total = total == 0 ? align : (total + align - 1) / align * align;

    if (!ONE_OBJECT_A_BLOCK && b && b->size - b->used >= total)
        return hand_out(b, total);
    if (ONE_OBJECT_A_BLOCK || total >= MAX_BLOCK / 4) {
        struct block *own = block_create(total, true);

        if (!own)
            return NULL;
        own->used = total;
        if (b) {
            own->next = b->next;
            b->next = own;
        } else {
            arena->blocks = own;
        }
        return own->data;
    }
    while (arena->next_size < total)
        arena->next_size *= 2;
    b = block_create(arena->next_size, false);
    if (!b)
        return NULL;
    if (arena->next_size < MAX_BLOCK)
        arena->next_size *= 2;
    b->next = arena->blocks;
    arena->blocks = b;
    return hand_out(b, total);
}

void *inq_arena_alloc(struct inq_arena *arena, size_t count, size_t size)
{
    void *p = alloc(arena, count, size);

    arena->failed |= p == NULL;
    return p;
}

char *inq_arena_copy(struct inq_arena *arena, const void *bytes, size_t size)
{
    char *copy;

    if (size == SIZE_MAX)
        return NULL;
    copy = inq_arena_alloc(arena, size + 1, 1);
    if (copy && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *inq_arena_strdup(struct inq_arena *arena, const char *text)
{
    return inq_arena_copy(arena, text, strlen(text));
}

char *inq_arena_printf(struct inq_arena *arena, const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
        arena->failed = true;
        return NULL;
    }
    return inq_arena_copy(arena, text, (size_t)n);
}

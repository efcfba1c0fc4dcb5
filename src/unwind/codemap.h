/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_CODEMAP_H
#define INQ_UNWIND_CODEMAP_H

/*
 * What the unwinder asks about the dead process: words of memory (many of them close together), and
 * what lies at a code address. Both answers are remembered in small direct-mapped tables, so that a
 * recursion of 100,000 frames costs a few look-ups.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "memory.h"
#include "modules.h"
#include "stacks.h"

#define INQ_CODEMAP_PAGE_BYTES 4096u
#define INQ_CODEMAP_PAGES 64u
#define INQ_CODEMAP_PLACES 256u

struct inq_codemap_page {
    uint64_t addr;        /* a multiple of the page size */
    const uint8_t *bytes; /* NULL: the slot is free */
    uint8_t *copy;        /* room for a page that cannot be viewed in one piece */
};

/* One address where a thread stands or would return to. */
struct inq_place {
    uint64_t addr;
    struct inq_module *module; /* NULL: in none */
    bool used;
    bool mapped;     /* the dump has a segment for it */
    bool executable; /* and that may be executed */
    bool trampoline; /* the instructions that a signal handler returns to: rt_sigreturn */
    bool vsyscall;   /* the fixed page of the kernel at the top of the address space */
};

struct inq_codemap {
    struct inq_memory *memory;
    struct inq_modules *modules;
    struct inq_arena *arena;
    struct inq_codemap_page pages[INQ_CODEMAP_PAGES];
    struct inq_place places[INQ_CODEMAP_PLACES];
};

/* Everything must outlive it. Nothing to release: copies live in the arena. */
void inq_codemap_init(struct inq_codemap *code, struct inq_memory *memory,
                      struct inq_modules *modules, struct inq_arena *arena);

/* Eight bytes, at any alignment; the status is inq_memory_read()'s. */
enum inq_memory_status inq_codemap_u64(struct inq_codemap *code, uint64_t addr,
                                       uint64_t *ret_value);
/* 1, 2, 4 or 8 bytes in the byte order of the dead process, zero-extended. */
enum inq_memory_status inq_codemap_uint(struct inq_codemap *code, uint64_t addr, size_t size,
                                        bool big_endian, uint64_t *ret_value);
/* Exactly `size` bytes, or false. */
bool inq_codemap_read(struct inq_codemap *code, uint64_t addr, void *buf, size_t size);

struct inq_place inq_codemap_place(struct inq_codemap *code, uint64_t addr);

enum inq_after_call {
    INQ_AFTER_CALL_NO,
    INQ_AFTER_CALL_UNREADABLE, /* executable, but the bytes before it are not here */
    INQ_AFTER_CALL_YES,
};
/* Whether the instruction before `addr` is a call: e8, ff /2 with any operand (x86-64). */
enum inq_after_call inq_codemap_after_call(struct inq_codemap *code, uint64_t addr);

/* The same on bytes alone: `bytes` are the `size` <= 8 ones before the address. */
bool inq_codemap_ends_with_call(const uint8_t *bytes, size_t size);

#endif

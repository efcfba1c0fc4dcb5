/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_PTHREAD_BLOCK_H
#define INQ_DETECTORS_PTHREAD_BLOCK_H

/*
 * Where a thread's stack lies, by the thread control block of its C library. The layout of struct
 * pthread is nobody's interface and moves between versions: the fields are found by what must hold
 * between them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

struct inq_pthread_layout { /* of this process's glibc; zeroes where its libc does not tell */
    uint32_t size;          /* sizeof(struct pthread) */
    uint32_t tid_off;       /* of the thread id */
    uint32_t list_off;      /* of its place in a list of stacks: {next, previous} */
    uint32_t cancel_off;    /* of the word that says that the thread is ending */
};

/*
 * What glibc exports for libthread_db: `_thread_db_sizeof_pthread`, `_thread_db_pthread_tid` and
 * its like (nptl_db/ db_info.c), in libc's .dynsym since 2.34, local symbols of libpthread before.
 * A static program that kept its symbols has them too.
 */
struct inq_pthread_layout inq_pthread_layout(const struct inq_dump *dump);

struct inq_pthread_block {
    uint64_t start, size; /* of the memory the stack was made from, the guard included */
    uint64_t guard_bytes; /* at its low end, by the library's own word */
    bool is_musl;
};

/*
 * x86-64 and x32: reads at fs_base. glibc: the one triple (stackblock, stackblock_size, guardsize)
 * with the block around the control block itself; musl: {map_base, map_size, stack, stack_size,
 * guard_size}, which determine each other. False when there is none (main threads have none), when
 * there are several, when the block is not mapped, or when the control block belongs to another
 * thread (a raw clone() shares its parent's).
 */
bool inq_pthread_block_find(const struct inq_dump *dump, const struct inq_pthread_layout *layout,
                            const struct inq_core_thread *thread,
                            struct inq_pthread_block *ret_block);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_TLS_BLOCKS_H
#define INQ_DETECTORS_TLS_BLOCKS_H

/*
 * The thread-local memory of one thread, by the dynamic thread vector of its C library: the second
 * word of the control block (ELF TLS variant II). glibc: {value, to_free} a module, the number of
 * modules one entry before the first; musl: the number, then one word a module.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

#define INQ_MAX_TLS_BLOCKS 512u

struct inq_tls_block {    /* of one module, or of several that lie together */
    uint64_t start, size; /* at most what may be it: it can be shorter */
};

struct inq_tls_blocks {
    struct inq_tls_block items[INQ_MAX_TLS_BLOCKS];
    size_t count;
};

/*
 * x86-64 alone: other CPUs keep the thread pointer where no note holds it. False, with a reason,
 * when the vector cannot be read; *ret_why is static.
 */
bool inq_tls_blocks_find(const struct inq_dump *dump, const struct inq_core_thread *thread,
                         struct inq_tls_blocks *ret_blocks, const char **ret_why);

#endif

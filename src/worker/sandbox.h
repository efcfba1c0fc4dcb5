/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_WORKER_SANDBOX_H
#define INQ_WORKER_SANDBOX_H

/* What a worker gives up before it reads the first byte of a dump. */

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct inq_sandbox {
    bool rlimits, no_new_privs, seccomp;
    int landlock_abi; /* 0 when not active */
    uint32_t uid;     /* the worker runs as */
};

struct inq_sandbox_options {
    bool enabled;  /* --no-sandbox: nothing but the limits */
    bool required; /* --require-sandbox: a layer that is missing is an error */
    uint64_t data_bytes;    /* RLIMIT_DATA */
    uint32_t cpu_seconds;   /* RLIMIT_CPU */
    bool allow_files;       /* the stock unwinder (--engine ucd) opens files by itself: no seccomp
                               on open, said so in the report */
};

/*
 * Makes the system call filter for the inq_sandbox_enter() of this process and of those that it
 * forks; nothing is given up yet. Without it, or when it fails, inq_sandbox_enter() makes its own.
 */
void inq_sandbox_prepare(const struct inq_sandbox_options *options);

struct inq_error *inq_sandbox_enter(const struct inq_sandbox_options *options,
                                    struct inq_sandbox *ret_active);

#endif

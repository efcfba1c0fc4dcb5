/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_REAL_CORE_H
#define TESTS_REAL_CORE_H

/* A core of this very test program, written by the running kernel. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define REAL_CORE_THREADS 3

struct real_core {
    uint8_t *bytes;
    size_t size;
    pid_t pid;
};

/* To be called first in main(): when this is the program that is to crash, it does not return. */
void real_core_maybe_crash(int argc, char **argv);

/*
 * Runs /proc/self/exe so that it starts REAL_CORE_THREADS - 1 threads and calls abort(), and reads
 * the core. False when none appeared; *ret_why says why. To be freed with free(bytes).
 */
bool real_core_make(struct real_core *ret_core, const char **ret_why);

#endif

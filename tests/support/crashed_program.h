/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CRASHED_PROGRAM_H
#define TESTS_CRASHED_PROGRAM_H

/* Programs that crash for real, for unit tests of the layers above `modules`. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "modules.h"

/* A program that crashed for real, and what is read from its core (or from a changed copy of it).
 */
struct crash {
    char dir[64];
    char core_path[128];
    uint8_t *bytes; /* the core, to be changed by tests; `pristine` is what it was */
    uint8_t *pristine;
    size_t size;

    struct inq_arena *arena;
    struct inq_gaps gaps;
    struct inq_source *source;
    struct inq_core *core;
    struct inq_memory *memory;
    struct inq_modules *modules;
};

/* Makes crash->dir; skips the test when the kernel writes no core here. */
void crash_prepare(struct crash *crash);
/* Runs a program in that folder, which must die of a signal, and reads its core. */
void crash_run(struct crash *crash, char *const argv[]);
void crash_remove(struct crash *crash);
/* Reads crash->bytes; false when nothing useful is left in them. */
bool crash_open(struct crash *crash);
struct inq_error *crash_modules(struct crash *crash, struct inq_opener *opener, bool stacks_only);
void crash_close(struct crash *crash);
/* Where the dump holds the byte at an address of the process; SIZE_MAX when it was not saved. */
size_t crash_offset(const struct crash *crash, uint64_t addr);

size_t count_gaps(const struct inq_gaps *gaps, enum inq_code code);
/* The n-th module with that name; NULL without. */
struct inq_module *module_named(const struct inq_modules *modules, const char *name, size_t n);

#endif

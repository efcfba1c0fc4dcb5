/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_UNWIND_H
#define INQ_TESTS_UNWIND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena.h"
#include "core.h"
#include "gaps.h"
#include "memory.h"
#include "modules.h"
#include "stacks.h"

/* A core that a program of ours left, and what inquest makes of it. */
struct crash {
    char dir[64]; /* "" until something crashed */
    char core_path[512];
    char program[512];
    struct inq_arena *arena;
    struct inq_gaps gaps;
    struct inq_source *source;
    struct inq_core *core;
    struct inq_memory *memory;
    struct inq_file_policy policy; /* to be set before crash_read() */
    struct inq_opener opener;
    struct inq_modules *modules;
    struct inq_stacks *stacks;
};

/* Runs a program of the build folder to its end; skips the test where no core comes of it. */
void crash_run(struct crash *crash, const char *program, const char *how, const char *number);
/* Reads the core (again) up to its modules, with the files that the policy allows. */
void crash_read(struct crash *crash);
/* Puts a file of this machine below the crash's folder, as a root for --sysroot would have it. */
void crash_install(const struct crash *crash, const char *from, const char *as);
/* A core of the collection beside the repository; skips the test where there is none. */
void crash_shared(struct crash *crash, const char *core, const char *executable,
                  const char *sysroot);
/* Stacks and names. */
void crash_walk(struct crash *crash);
/* All three. */
void crash_now(struct crash *crash, const char *program, const char *how, const char *number);
void crash_close(struct crash *crash); /* forgets what was read; the files stay */
void crash_clean(struct crash *crash); /* the files too */

/* The functions of a stack, "?" for nameless ones, "<signal>", one space between. */
const char *crash_functions(const struct crash *crash, const struct inq_stack *stack);
/* How many frames were found otherwise than by scanning, or with its help. */
size_t crash_certain_frames(const struct inq_stack *stack);
/* Those behind them are in this order among `truth`, functions with one space between and behind.
 */
void crash_assert_scanned(const struct crash *crash, const struct inq_stack *stack,
                          const char *truth);
bool crash_has_gap(const struct crash *crash, enum inq_code code);

/* Another unwinder's pcs of one thread (as it looks them up: minus one for return addresses). */
struct dwfl_stack {
    uint32_t tid;
    uint64_t *lookups;
    size_t count;
};
/* Walks all threads of the core with libdwfl; to be freed with dwfl_stacks_free(). */
struct dwfl_stack *dwfl_stacks_walk(const struct crash *crash, size_t *ret_count);
void dwfl_stacks_free(struct dwfl_stack *stacks, size_t count);

extern const struct CMUnitTest pieces_tests[], real_tests[], hostile_tests[];
extern const size_t n_pieces_tests, n_real_tests, n_hostile_tests;
extern const struct CMUnitTest any_cpu_tests[], signal_frame_tests[];
extern const size_t n_any_cpu_tests, n_signal_frame_tests;
extern const struct CMUnitTest demangle_tests[], dwarf_tests[];
extern const size_t n_demangle_tests, n_dwarf_tests;

#endif

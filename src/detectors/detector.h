/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_DETECTOR_H
#define INQ_DETECTORS_DETECTOR_H

/*
 * One question, one file. A detector looks at the dump and sets facts; it draws no conclusion
 * (that is the signatures' work). To add one: a file here, its line in the table of detectors.c,
 * its facts in evidence/fact_table.c, a test.
 */

#include "arena.h"
#include "core.h"
#include "evidence.h"
#include "gaps.h"
#include "memory.h"
#include "modules.h"
#include "source.h"
#include "stacks.h"

struct inq_fault_origin; /* real_fault.h */
struct inq_bindings;     /* bindings.h */

struct inq_dump { /* everything below the waist, for one dump */
    struct inq_source *source;
    struct inq_core *core;
    struct inq_memory *memory;
    struct inq_modules *modules;
    struct inq_stacks *stacks;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_fault_origin *origin; /* of a view by inq_real_fault(); NULL: the dump as it is */
    bool all_owners;  /* owners of every module, not only of those that may matter */
    bool stacks_only; /* --stacks: record threads and the modules they are in, nothing more */
    struct inq_thread_stacks *thread_stacks; /* NULL until inq_thread_stacks() was asked */
    const struct inq_bindings *bindings;     /* NULL until inq_dump_bindings() was asked */
};

struct inq_detector {
    const char *id;
    const char *doc; /* the question, one line */
    struct inq_error *(*run)(struct inq_dump *dump, struct inq_evidence *evidence);
    bool of_fault; /* it is given the dump as it was at the real fault: real_fault.h */
};

/*
 * Who is bound to whom; worked out at the first call and kept in the dump. Errors: no memory.
 */
struct inq_error *inq_dump_bindings(struct inq_dump *dump,
                                    const struct inq_bindings **ret_bindings);

/* Runs all, in table order. One that fails becomes a gap, and its facts become unknown. */
void inq_detectors_run(struct inq_dump *dump, struct inq_evidence *evidence);

/* The stages' own results as evidence (core, process, signal, threads, modules): record.c. */
struct inq_error *inq_record(struct inq_dump *dump, struct inq_evidence *evidence);

/*
 * The thread that crashed and its stack, as the detectors see them; NULLs when the dump does not
 * tell.
 */
const struct inq_core_thread *inq_crashed_thread(const struct inq_dump *dump);
const struct inq_stack *inq_crashed_stack(const struct inq_dump *dump);

#endif

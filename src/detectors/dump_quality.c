/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the dump lacks, and why: cut short (the file ends early) or filtered (left out when it was
 * written). /proc/PID/coredump_filter leaves out what comes from files by default; private writable
 * memory that no file names is left out when somebody chose so, but also where the process never
 * wrote to it (untouched .bss, a heap reserved ahead): the kernel saves no pages that are not
 * there. So a missing piece proves no filter; a missing stack does, and nothing of this kind being
 * there.
 */

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

#include "crash.h"
#include "detectors.h"

static bool is_private(const struct inq_core *core, const struct inq_segment *segment)
{
    return (segment->flags & (PF_R | PF_W)) == (PF_R | PF_W) &&
           !inq_core_file_at(core, segment->addr);
}

/* *ret_left_out: bytes of private memory that were not written; whether any were. */
static bool saw_private_memory(const struct inq_core *core, uint64_t *ret_left_out)
{
    bool any = false;

    *ret_left_out = 0;
    for (size_t i = 0; i < core->n_segments; i++) {
        const struct inq_segment *segment = &core->segments[i];
        if (!is_private(core, segment))
            continue;
        any |= segment->saved_bytes > 0;
        *ret_left_out += segment->size - segment->saved_bytes;
    }
    return any;
}

/* A stack pointer in a guard is an overflow: nobody could write there, and nothing is missing. */
static bool stack_is_missing(const struct inq_dump *dump, const struct inq_core_thread *thread)
{
    struct inq_memory_region region;
    uint64_t sp = inq_core_sp(dump->core, thread), word;

    return thread->has_registers && !inq_memory_word(dump->memory, sp, &word) &&
           inq_memory_region_at(dump->memory, sp, &region) && (region.flags & PF_W);
}

/* One gap for all of them: a filter takes the stacks of every thread alike. How many. */
static size_t note_stacks(struct inq_dump *dump)
{
    const struct inq_core *core = dump->core;
    size_t missing = 0, first = 0;
    char where[48];

    /* of a file that ends early it is said already, and no filter did it */
    if (!core->cpu || core->cpu->sp < 0 || !core->complete)
        return 0;
    for (size_t i = 0; i < core->n_threads; i++)
        if (stack_is_missing(dump, &core->threads[i]))
            first = missing++ == 0 ? i : first;
    if (missing == 0)
        return 0;
    snprintf(where, sizeof(where), "thread %" PRIu32, core->threads[first].tid);
    if (missing == 1)
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, where, NULL, "its stack is not in the dump");
    else
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, where, NULL,
                     "its stack and those of %zu other threads are not in the dump", missing - 1);
    return missing;
}

struct inq_error *inq_detect_dump_quality(struct inq_dump *dump, struct inq_evidence *evidence)
{
    uint64_t left_out;
    bool any = saw_private_memory(dump->core, &left_out);
    size_t stacks = note_stacks(dump);
    bool filtered = left_out > 0 && (!any || stacks > 0);

    inq_evidence_set_int(evidence, "core.unsaved_writable_bytes",
                         (int64_t)inq_memory_unsaved_writable_bytes(dump->memory));
    inq_evidence_set_bool(evidence, "core.filtered", filtered);
    if (filtered)
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, NULL,
                     "coredump_filter of the process, MADV_DONTDUMP, or the program that stored "
                     "the dump",
                     "%" PRIu64 " bytes of private memory were left out", left_out);
    return NULL;
}

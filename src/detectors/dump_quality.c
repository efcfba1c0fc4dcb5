/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the dump lacks, and why: cut short (the file ends early) or filtered (left out when it was
 * written). /proc/PID/coredump_filter leaves out what comes from files by default; private writable
 * memory that no file names is left out only when somebody chose so.
 */

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

#include "crash.h"
#include "detectors.h"

static bool is_left_out(const struct inq_core *core, const struct inq_segment *segment)
{
    return (segment->flags & (PF_R | PF_W)) == (PF_R | PF_W) &&
           segment->saved_bytes < segment->size && !inq_core_file_at(core, segment->addr);
}

static void note_filtered(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    uint64_t left_out = 0;

    for (size_t i = 0; i < core->n_segments; i++)
        if (is_left_out(core, &core->segments[i]))
            left_out += core->segments[i].size - core->segments[i].saved_bytes;
    inq_evidence_set_int(evidence, "core.unsaved_writable_bytes",
                         (int64_t)inq_memory_unsaved_writable_bytes(dump->memory));
    inq_evidence_set_bool(evidence, "core.filtered", left_out > 0);
    if (left_out > 0)
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, NULL,
                     "coredump_filter of the process, MADV_DONTDUMP, or the program that stored "
                     "the dump",
                     "%" PRIu64 " bytes of private memory were left out", left_out);
}

static bool stack_is_saved(const struct inq_dump *dump, const struct inq_core_thread *thread)
{
    uint64_t word;

    return inq_memory_word(dump->memory, inq_core_sp(dump->core, thread), &word);
}

/* One gap for all of them: a filter takes the stacks of every thread alike. */
static void note_stacks(struct inq_dump *dump)
{
    const struct inq_core *core = dump->core;
    size_t missing = 0, last = 0;
    char where[48];

    if (!core->cpu || core->cpu->sp < 0)
        return;
    for (size_t i = 0; i < core->n_threads; i++) {
        struct inq_memory_region region;
        uint64_t sp = inq_core_sp(core, &core->threads[i]);
        if (!core->threads[i].has_registers || stack_is_saved(dump, &core->threads[i]) ||
            !inq_memory_region_at(dump->memory, sp, &region))
            continue;
        last = missing++ == 0 ? i : last;
    }
    if (missing == 0)
        return;
    snprintf(where, sizeof(where), "thread %" PRIu32, core->threads[last].tid);
    if (missing == 1)
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, where, NULL, "its stack is not in the dump");
    else
        inq_gaps_add(dump->gaps, INQ_G_FILTERED, where, NULL,
                     "its stack and those of %zu other threads are not in the dump", missing - 1);
}

struct inq_error *inq_detect_dump_quality(struct inq_dump *dump, struct inq_evidence *evidence)
{
    note_filtered(dump, evidence);
    note_stacks(dump);
    return NULL;
}

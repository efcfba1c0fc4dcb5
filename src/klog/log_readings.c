/* SPDX-License-Identifier: Apache-2.0 */

/* What the log as a whole says for or against: never more than plausible. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "readings.h"

/* So many times the same instruction at the same address is no accident of a memory cell. */
#define SAME_LEAST 5u

__attribute__((format(printf, 4, 5))) static bool
read_as(json_t *list, const char *id, const char *grade, const char *format, ...)
{
    char line[1024]; /* our own words and numbers */
    json_t *reading;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    reading = json_pack("{s:s, s:s, s:s}", "id", id, "grade", grade, "text", line);
    return reading && json_array_append_new(list, reading) == 0;
}

static bool read_oom(json_t *list, const struct inq_klog_counts *counts)
{
    uint64_t faults = counts->kinds[INQ_KLOG_FAULT], kills = counts->kinds[INQ_KLOG_OOM_KILL];

    if (faults == 0)
        return true;
    if (kills == 0)
        return read_as(
            list, "oom-killer", "refuted",
            "No process in this log was ended by the OOM killer: each of the %" PRIu64
            " met a fault, and no OOM record is here. That excludes the OOM killer, "
            "not a failed malloc (NULL, ENOMEM), nor a limit (ulimit -v, max_map_count).",
            faults);
    return read_as(list, "oom-killer", "context",
                   "%" PRIu64 " killed for lack of memory, besides the %" PRIu64
                   " faults, which it did not cause itself: a malloc that failed then may have.",
                   kills, faults);
}

static bool read_bound(json_t *list, const struct inq_klog_group *group)
{
    struct inq_klog_verdict v;

    inq_klog_judge_group(group, &v);
    if (v.judgement != INQ_KLOG_JUDGE_SCHEDULING)
        return true;
    return read_as(
        list, "bound-to-cores", "refuted",
        "\"The crash belongs to certain cores\": the same crash was met on %zu cores and %zu "
        "processors (%" PRIu64 " of %" PRIu64 " lines on the most frequent core). A thread "
        "that is bound does not move; which cores are busy is the scheduler's choice.",
        v.cores, group->places.count, v.on_it, v.lines);
}

static bool read_random(json_t *list, const struct inq_klog_group *group)
{
    struct inq_klog_verdict v;

    inq_klog_judge_group(group, &v);
    if (group->count < SAME_LEAST || !group->same_address ||
        v.judgement != INQ_KLOG_JUDGE_SCHEDULING)
        return true;
    return read_as(
        list, "random-hardware", "refuted",
        "\"Random errors of the memory or a CPU\": the crash with %" PRIu64
        " lines has the same address each time, on several cores and in %zu program%s. (A "
        "file's page that is damaged in the page cache would repeat itself, too, until "
        "the next boot.)",
        group->count, group->n_programs, group->n_programs == 1 ? "" : "s");
}

static bool read_judgement(json_t *list, const struct inq_klog_verdict *v)
{
    char core[48];

    if (v->judgement != INQ_KLOG_JUDGE_HARDWARE)
        return true;
    if (v->core >= 0)
        snprintf(core, sizeof(core), "core %" PRId64 " (CPU %u)", v->core, v->cpu);
    else
        snprintf(core, sizeof(core), "CPU %u", v->cpu);
    return read_as(
        list, "bad-core", "plausible",
        "%zu different crashes in %" PRIu64 " of %" PRIu64 " lines were on %s: code that has "
        "nothing in common fails there and hardly elsewhere. Unless all of it is bound to "
        "that core (taskset, cpuset), suspect the CPU: take the core offline and see.",
        v->crashes_on_it, v->on_it, v->lines, core);
}

static bool read_several(json_t *list, size_t n_faults)
{
    return n_faults < 2 ||
           read_as(list, "one-cause", "inconclusive",
                   "%zu different crashes: what explains one explains the others only when that is "
                   "shown for each.",
                   n_faults);
}

static bool read_suspects(json_t *list, const struct inq_klog_counts *counts, uint64_t init_deaths)
{
    uint64_t kernel = counts->kinds[INQ_KLOG_KERNEL] - init_deaths,
             hardware =
                 counts->kinds[INQ_KLOG_HARDWARE] + counts->kinds[INQ_KLOG_MEMORY_FAILURE_KILL];

    if (kernel > 0 &&
        !read_as(list, "kernel-suspect", "plausible",
                 "%" PRIu64 " record%s of the kernel's own trouble (oops, BUG, UBSAN, lockup): the "
                 "kernel or its hardware is a suspect for itself; a crashing user process does not "
                 "explain it, and it may not explain the crashes.",
                 kernel, kernel == 1 ? "" : "s"))
        return false;
    return hardware == 0 ||
           read_as(list, "hardware-suspect", "plausible",
                   "%" PRIu64
                   " record%s of failing hardware (machine check, memory, disk): crashes of "
                   "any kind may be its consequence.",
                   hardware, hardware == 1 ? "" : "s");
}

bool inq_klog_add_readings(json_t *list, struct inq_klog_groups *groups,
                           const struct inq_klog_verdict *verdict)
{
    const struct inq_klog_counts counts = inq_klog_groups_counts(groups);
    const struct inq_klog_group *const *sorted;
    const struct inq_klog_group *most = NULL;
    size_t n, n_faults = 0;
    uint64_t init_deaths = 0;

    sorted = inq_klog_groups_sorted(groups, &n);
    if (!sorted)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (inq_klog_is_init_death(&sorted[i]->first))
            init_deaths += sorted[i]->count;
        if (sorted[i]->first.kind != INQ_KLOG_FAULT)
            continue;
        n_faults++;
        if (!most)
            most = sorted[i];
    }
    return read_oom(list, &counts) &&
           (!most || (read_bound(list, most) && read_random(list, most))) &&
           read_judgement(list, verdict) && read_several(list, n_faults) &&
           read_suspects(list, &counts, init_deaths);
}

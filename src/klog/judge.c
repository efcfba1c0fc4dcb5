/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the processors of a log show. The kernel prints "likely on CPU" to help find faulty ones
 * (arch/x86/mm/fault.c); it says "likely" since the thread may have moved on. Schedulers prefer
 * cores (turbo, warm caches), so a few cores for one crash mean nothing. Different crashes, in code
 * that has nothing in common, on the same core: that a defect one makes.
 */

#include <string.h>

#include "cleanup.h"
#include "klog_groups.h"

/* Of those different crashes, how many have to share a core before it is a suspect. */
#define CRASHES_ON_ONE 4u
/* And how many elsewhere may not: one in eight. */
#define ELSEWHERE 8u

const char *inq_klog_judgement_name(enum inq_klog_judgement judgement)
{
    static const char *const names[] = {
        [INQ_KLOG_JUDGE_NONE] = "no-cpu",           [INQ_KLOG_JUDGE_TOO_FEW] = "too-few",
        [INQ_KLOG_JUDGE_SCHEDULING] = "scheduling", [INQ_KLOG_JUDGE_ONE_CORE] = "one-core",
        [INQ_KLOG_JUDGE_HOSTS] = "several-hosts",   [INQ_KLOG_JUDGE_HARDWARE] = "hardware",
        [INQ_KLOG_JUDGE_SPREAD] = "spread",
    };

    return names[judgement];
}

/* A core is told by its socket and number; where a line has no core, the processor is one. */
static bool same_core(const struct inq_klog_place *a, const struct inq_klog_place *b)
{
    if (a->core < 0 || b->core < 0)
        return a->cpu == b->cpu;
    return a->core == b->core && (a->socket == b->socket || a->socket < 0 || b->socket < 0);
}

/* The core with the most lines. At most INQ_KLOG_PLACES_MOST squared steps, once a group. */
static void busiest(const struct inq_klog_places *places, struct inq_klog_verdict *v)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct inq_klog_place *first = &places->items[i];
        uint64_t lines = 0;
        bool known = false;

        for (size_t k = 0; k < i && !known; k++)
            known = same_core(&places->items[k], first);
        for (size_t k = i; !known && k < places->count; k++)
            if (same_core(first, &places->items[k]))
                lines += places->items[k].count;
        if (known)
            continue;
        v->cores++;
        v->lines += lines;
        if (lines > v->on_it) {
            v->on_it = lines;
            v->core = first->core;
            v->socket = first->socket;
            v->cpu = first->cpu;
        }
    }
}

static bool is_on(const struct inq_klog_group *group, const struct inq_klog_place *core)
{
    for (size_t i = 0; i < group->places.count; i++)
        if (same_core(&group->places.items[i], core))
            return true;
    return false;
}

static struct inq_klog_verdict begin(void)
{
    return (struct inq_klog_verdict){.core = -1, .socket = -1, .grade = "inconclusive"};
}

void inq_klog_judge_group(const struct inq_klog_group *group, struct inq_klog_verdict *ret_verdict)
{
    struct inq_klog_verdict v = begin();

    busiest(&group->places, &v);
    v.crashes = v.lines > 0;
    v.crashes_on_it = v.crashes;
    if (v.lines == 0)
        v.judgement = INQ_KLOG_JUDGE_NONE;
    else if (group->several_hosts)
        v.judgement = INQ_KLOG_JUDGE_HOSTS;
    else if (v.lines < INQ_KLOG_JUDGE_LEAST)
        v.judgement = INQ_KLOG_JUDGE_TOO_FEW;
    else
        v.judgement = v.cores == 1 ? INQ_KLOG_JUDGE_ONE_CORE : INQ_KLOG_JUDGE_SCHEDULING;
    *ret_verdict = v;
}

static size_t groups_with_cpu(const struct inq_klog_group *const *groups, size_t n,
                              const struct inq_klog_place *core)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        if (groups[i]->first.kind == INQ_KLOG_FAULT && groups[i]->with_cpu > 0 &&
            (!core || is_on(groups[i], core)))
            found++;
    return found;
}

static bool several_hosts(const struct inq_klog_group *const *groups, size_t n)
{
    const char *host = "";

    for (size_t i = 0; i < n; i++) {
        if (groups[i]->first.kind != INQ_KLOG_FAULT || groups[i]->host[0] == '\0')
            continue;
        if (groups[i]->several_hosts || (*host && strcmp(host, groups[i]->host) != 0))
            return true;
        host = groups[i]->host;
    }
    return false;
}

/* One crash that was met on several cores: it is not the core. */
static bool one_moves(const struct inq_klog_group *const *groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct inq_klog_verdict v;

        if (groups[i]->first.kind != INQ_KLOG_FAULT)
            continue;
        inq_klog_judge_group(groups[i], &v);
        if (v.judgement == INQ_KLOG_JUDGE_SCHEDULING)
            return true;
    }
    return false;
}

struct inq_error *inq_klog_judge(struct inq_klog_groups *groups,
                                 struct inq_klog_verdict *ret_verdict)
{
    _cleanup_(inq_klog_places_deinit) struct inq_klog_places places = {0};
    struct inq_klog_verdict v = begin();
    size_t n;
    const struct inq_klog_group *const *sorted = inq_klog_groups_sorted(groups, &n);

    if (!sorted)
        return &inq_error_oom;
    INQ_TRY(inq_klog_groups_places(groups, &places));
    busiest(&places, &v);
    const struct inq_klog_place core = {.cpu = v.cpu, .core = v.core, .socket = v.socket};
    v.crashes = groups_with_cpu(sorted, n, NULL);
    v.crashes_on_it = v.lines ? groups_with_cpu(sorted, n, &core) : 0;
    if (v.lines == 0)
        v.judgement = INQ_KLOG_JUDGE_NONE;
    else if (several_hosts(sorted, n))
        v.judgement = INQ_KLOG_JUDGE_HOSTS;
    else if (v.lines < INQ_KLOG_JUDGE_LEAST)
        v.judgement = INQ_KLOG_JUDGE_TOO_FEW;
    else if (v.crashes_on_it >= CRASHES_ON_ONE && (v.lines - v.on_it) * ELSEWHERE <= v.lines &&
             (v.cores > 1 || v.cpu > 0)) /* a machine with one processor has no other */
        v.judgement = INQ_KLOG_JUDGE_HARDWARE;
    else if (v.cores == 1)
        v.judgement = INQ_KLOG_JUDGE_ONE_CORE;
    else
        v.judgement = one_moves(sorted, n) ? INQ_KLOG_JUDGE_SCHEDULING : INQ_KLOG_JUDGE_SPREAD;
    if (v.judgement == INQ_KLOG_JUDGE_HARDWARE)
        v.grade = "plausible";
    *ret_verdict = v;
    return NULL;
}

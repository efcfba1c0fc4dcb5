/* SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "verdict.h"

static const char *text_at(const json_t *report, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(report, path, NULL, NULL);

    return value.known == INQ_KNOWN ? json_string_value(value.value) : NULL;
}

/* Times are "2024-03-01T12:00:00Z": they compare as text. */
static void widen(json_t *group, const char *when)
{
    const char *first = json_string_value(json_object_get(group, "first"));
    const char *last = json_string_value(json_object_get(group, "last"));

    if (!when)
        return;
    if (!first || strcmp(when, first) < 0)
        json_object_set_new(group, "first", json_string(when));
    if (!last || strcmp(when, last) > 0)
        json_object_set_new(group, "last", json_string(when));
}

static void add_program(json_t *group, const char *name)
{
    json_t *programs = json_object_get(group, "programs");
    const json_t *have;
    size_t i;

    if (!name)
        return;
    json_array_foreach (programs, i, have) {
        if (!strcmp(json_string_value(have), name))
            return;
    }
    if (json_array_size(programs) < INQ_GROUP_PROGRAMS)
        json_array_append_new(programs, json_string(name));
    else
        json_object_set_new(group, "programs_more", json_true());
}

/* The best answer of any of the group's crashes stands for it. */
static void add_answer(json_t *group, const json_t *report)
{
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    const char *grade = json_string_value(json_object_get(best, "grade"));
    const char *have = json_string_value(json_object_get(group, "grade"));

    if (!grade || inq_grade_rank(grade) < inq_grade_rank("plausible") ||
        (have && inq_grade_rank(grade) <= inq_grade_rank(have)))
        return;
    json_object_set_new(group, "grade", json_string(grade));
    json_object_set(group, "answer", json_object_get(best, "title"));
    json_object_set(group, "signature", json_object_get(best, "signature"));
}

#define MOST_TOLD_APART 4096

/* Counts `name` in the map `key`. */
static void tally(json_t *group, const char *key, const char *name)
{
    json_t *map = json_object_get(group, key);

    if (!name)
        return;
    if (!map) {
        map = json_object();
        json_object_set_new(group, key, map);
    }
    json_t *have = json_object_get(map, name);
    if (have)
        json_integer_set(have, json_integer_value(have) + 1);
    else if (json_object_size(map) < MOST_TOLD_APART)
        json_object_set_new(map, name, json_integer(1));
}

/* By the file's name (%C), or the kernel's line. */
static void tally_cpu(json_t *group, const json_t *report)
{
    struct inq_fact_value cpu = inq_evidence_get(report, "name_facts.cpu", NULL, NULL);
    char name[24];

    if (cpu.known != INQ_KNOWN)
        cpu = inq_evidence_get(report, "kernel_log[0].cpu", NULL, NULL);
    if (cpu.known != INQ_KNOWN || !json_is_integer(cpu.value))
        return;
    snprintf(name, sizeof(name), "%lld", (long long)json_integer_value(cpu.value));
    tally(group, "cpus", name);
}

static const char *key_of(const json_t *report, const char *by)
{
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);

    if (!by || !strcmp(by, "bug"))
        return text_at(report, "group.bug");
    if (!strcmp(by, "exact"))
        return text_at(report, "group.exact");
    if (!strcmp(by, "program"))
        return text_at(report, "process.comm");
    if (!strcmp(by, "host"))
        return text_at(report, "process.hostname");
    return json_string_value(json_object_get(best, "signature"));
}

/* The release that runs: the build-id of the program. */
static const char *build_of(const json_t *report)
{
    return text_at(report, "process.build_id");
}

bool inq_groups_add(json_t *groups, const json_t *report, const char *by)
{
    const char *key = key_of(report, by);
    const bool by_bug = !by || !strcmp(by, "bug") || !strcmp(by, "exact");
    json_t *group = key ? json_object_get(groups, key) : NULL;

    if (!key)
        return true;
    if (!group) {
        group = json_pack("{s:s, s:s?, s:i, s:[]}", "bug", key, "title",
                          by_bug ? text_at(report, "group.title") : key, "count", 0, "programs");
        if (!group || json_object_set_new(groups, key, group))
            return false;
    }
    json_integer_set(json_object_get(group, "count"),
                     json_integer_value(json_object_get(group, "count")) + 1);
    widen(group, text_at(report, "process.crashed_at"));
    add_program(group, text_at(report, "process.comm"));
    tally(group, "hosts", text_at(report, "process.hostname"));
    tally(group, "builds", build_of(report));
    tally_cpu(group, report);
    add_answer(group, report);
    if (text_at(report, "group.seen.known_issue"))
        json_object_set_new(group, "known_issue",
                            json_string(text_at(report, "group.seen.known_issue")));
    return true;
}

static int by_count(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    json_int_t n = json_integer_value(json_object_get(left, "count"));
    json_int_t m = json_integer_value(json_object_get(right, "count"));

    if (n != m)
        return n > m ? -1 : 1;
    return strcmp(json_string_value(json_object_get(left, "bug")),
                  json_string_value(json_object_get(right, "bug")));
}

json_t *inq_groups_sorted(const json_t *groups)
{
    size_t n = json_object_size(groups), i = 0;
    _cleanup_free_ json_t **items = calloc(n + 1, sizeof(*items));
    json_t *list = json_array();

    if (!items || !list) {
        json_decref(list);
        return NULL;
    }
    for (void *at = json_object_iter((json_t *)groups); at && i < n;
         at = json_object_iter_next((json_t *)groups, at))
        items[i++] = json_object_iter_value(at);
    qsort(items, i, sizeof(*items), by_count);
    for (size_t k = 0; k < i; k++) {
        if (json_array_append(list, items[k])) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

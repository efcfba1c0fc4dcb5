/* SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"

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

bool inq_groups_add(json_t *groups, const json_t *report)
{
    const char *bug = text_at(report, "group.bug");
    json_t *group = bug ? json_object_get(groups, bug) : NULL;

    if (!bug)
        return true;
    if (!group) {
        group = json_pack("{s:s, s:s?, s:i, s:[]}", "bug", bug, "title",
                          text_at(report, "group.title"), "count", 0, "programs");
        if (!group || json_object_set_new(groups, bug, group))
            return false;
    }
    json_integer_set(json_object_get(group, "count"),
                     json_integer_value(json_object_get(group, "count")) + 1);
    widen(group, text_at(report, "process.crashed_at"));
    add_program(group, text_at(report, "process.comm"));
    add_answer(group, report);
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

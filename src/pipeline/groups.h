/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_GROUPS_H
#define INQ_PIPELINE_GROUPS_H

/* Crashes of one scan counted by group.bug. */

#include <jansson.h>
#include <stdbool.h>

#define INQ_GROUP_PROGRAMS                                                                         \
    16u /* names listed a group; `programs_more` tells that there are others */

/*
 * `groups` is a JSON object of ours, key → group. `by`: "bug" (NULL), "exact", "program",
 * "signature" or "host". Reports without such a fact are left out.
 */
bool inq_groups_add(json_t *groups, const json_t *report, const char *by);

/*
 * The array for inq_report_groups(), most frequent first, then by key: {title, bug, count, first,
 * last, programs[], programs_more, answer, signature, grade, hosts, builds{}, cpus{},
 * known_issue}. New reference, NULL without memory.
 */
json_t *inq_groups_sorted(const json_t *groups);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_VERDICT_VERDICT_H
#define INQ_VERDICT_VERDICT_H

/* From matches to an answer: grades, rivals, ranking, and the key a crash is grouped by. */

#include <jansson.h>

#include "error.h"
#include "evidence.h"
#include "rules.h"

/*
 * Sets `verdicts` in the document, best first. Grades are computed: pattern only → plausible; rivals
 * excluded → strong; proof holds → proven; contradicted → refuted; `grade: context` → context; a pattern
 * whose conditions are partly unknown and nowhere false → inconclusive. A sent signal and a dump
 * that is cut short come before any claim about memory.
 */
struct inq_error *inq_verdicts_judge(const struct inq_rules *rules, struct inq_evidence *evidence);

/*
 * Sets `group`: {algorithm: "v1", exact, bug, title, frames[]}. grouping.md of the design: no raw addresses, no
 * scanned frames, leading libc and allocator frames skipped, cycles collapsed.
 */
struct inq_error *inq_group_key(struct inq_evidence *evidence);

/* "proven" is greater than "strong" ...; -1 for an unknown word. */
int inq_grade_rank(const char *grade);

#endif

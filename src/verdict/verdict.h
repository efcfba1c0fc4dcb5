/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_VERDICT_VERDICT_H
#define INQ_VERDICT_VERDICT_H

/* From matches to an answer: grades, rivals, ranking, and the key a crash is grouped by. */

#include <jansson.h>

#include "error.h"
#include "evidence.h"
#include "rules.h"

/*
 * Sets `verdicts` in the document, best first. Grades are computed: pattern only → plausible;
 * rivals excluded → strong; proof holds → proven; contradicted → refuted; `grade: context` →
 * context; a pattern that is partly unknown and nowhere false → inconclusive. A dump that ends
 * early takes a grade from what rests on memory. The exact rules: docs/signatures-format.md.
 */
struct inq_error *inq_verdicts_judge(const struct inq_rules *rules, struct inq_evidence *evidence);

/*
 * Sets `group`: {algorithm: "v1", exact, bug, title, frames[]}. No raw addresses, no scanned
 * frames; leading frames of libc and allocators are skipped, cycles folded. Sets nothing when
 * neither the signal nor a stack is known.
 */
struct inq_error *inq_group_key(struct inq_evidence *evidence);

/* "proven" is greater than "strong" ...; -1 for an unknown word. */
int inq_grade_rank(const char *grade);

#endif

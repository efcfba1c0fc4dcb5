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
 * early takes a grade from what rests on memory. The exact rules: docs/signatures-format.md. What
 * an earlier judgement left in the document is replaced. Sets `signatures`, too: what was asked.
 */
struct inq_error *inq_verdicts_judge(const struct inq_rules *rules, struct inq_evidence *evidence);

/*
 * Why a signature fits or does not, line by line: {format: "inquest-explanation", version, id,
 * title, file, line, when: yes|no|unknown, lines[{section: when|unless|strong|proof|against, text,
 * truth, seen, effect, lines[{text, yes, unknown, of}]}], rivals[{id, read, state:
 * excluded|refuted|fits|unknown|not loaded}]}. `document` is judged already or not: its verdicts
 * are not looked at. New reference, NULL without memory.
 */
json_t *inq_verdict_explain(const struct inq_rules *rules, const struct inq_rule *rule,
                            const json_t *document);

/*
 * A file of evidence for a signature: a report, or {"synthetic": true, "expect": {"grade", "rank"},
 * "report": {…}}, that it must fit, must not fit, or must leave open.
 */
enum inq_case_kind { INQ_CASE_MATCH, INQ_CASE_NOMATCH, INQ_CASE_UNKNOWN };
struct inq_case_result {
    char *problem; /* what is not as the file says; NULL when all is; to be freed */
    bool synthetic;
};
/* Judges the report with these rules. The error is for files that are no reports. */
struct inq_error *inq_case_check(const struct inq_rules *rules, const char *id,
                                 enum inq_case_kind kind, const char *bytes, size_t size,
                                 const char *name, struct inq_case_result *ret_result);

/*
 * Sets `group`: {algorithm: "v1", exact, bug, title, frames[]}. No raw addresses, no scanned
 * frames; leading frames of libc and allocators are skipped, cycles folded. Sets nothing when
 * neither the signal nor a stack is known.
 */
struct inq_error *inq_group_key(struct inq_evidence *evidence);

/* "proven" is greater than "strong" ...; -1 for an unknown word. */
int inq_grade_rank(const char *grade);

#endif

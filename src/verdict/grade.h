/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_VERDICT_GRADE_H
#define INQ_VERDICT_GRADE_H

/* Private to the layer: what stands between the matches and the list of verdicts. */

#include "rules.h"
#include "verdict.h"

/* In the order of inq_grade_rank(). */
enum inq_grade {
    INQ_GRADE_REFUTED,
    INQ_GRADE_INCONCLUSIVE,
    INQ_GRADE_CONTEXT,
    INQ_GRADE_PLAUSIBLE,
    INQ_GRADE_STRONG,
    INQ_GRADE_PROVEN,
};
const char *inq_grade_name(enum inq_grade grade);

/* One rule that is not false. */
struct inq_candidate {
    const struct inq_rule *rule;
    struct inq_match *match; /* owned */
    enum inq_grade grade;
    bool is_rival_of_answer; /* a verdict that is strong or better names it as its rival */
    bool lowered_by_cut;     /* one grade lower because the dump is not whole */
    bool capped_unseen;      /* plausible at most: no real crash has shown the signature */
    bool capped_external;    /* context at most: another process sent the signal */
    const struct inq_rule *explained_by; /* the verdict this is a symptom of; NULL: none */
    unsigned depth;                      /* 0: no symptom; else how far down the chain */
};

/* What every rule came to, for rivals; parallel to rules->items. */
struct inq_rule_state {
    enum inq_truth when;
    bool refuted;
};

struct inq_judgement {
    const struct inq_rules *rules;
    const json_t *document;
    struct inq_evaluator *evaluator;
    struct inq_rule_state *states;
    struct inq_candidate *candidates;
    size_t n_candidates;
    size_t n_left_out; /* inconclusive ones over the limit */
    bool truncated;    /* the dump ends early */
    bool filtered;     /* writable memory was left out on purpose */
    bool external;     /* another process sent the signal: nothing failed in this one */
};

/* Is the rival out of the race: its pattern does not hold, or something refutes it? */
bool inq_rival_is_excluded(const struct inq_judgement *judgement, const char *id);
/* NULL when it is not among the rules. */
const struct inq_rule_state *inq_rule_state(const struct inq_judgement *judgement, const char *id);
/* Sets the grade of every candidate; the states must be complete. */
void inq_grade_all(struct inq_judgement *judgement);
static inline bool inq_grade_is_answer(enum inq_grade grade)
{
    return grade >= INQ_GRADE_PLAUSIBLE;
}

/* Drops inconclusive candidates that would not help anybody, marks symptoms, sorts best first. */
struct inq_error *inq_rank_all(struct inq_judgement *judgement);

/* One entry of verdicts[]; NULL without memory. */
json_t *inq_verdict_json(const struct inq_judgement *judgement,
                         const struct inq_candidate *candidate, size_t rank);

/* A finding in words ("the signal is SIGSEGV"), to be freed; NULL without memory. */
char *inq_finding_text(const struct inq_finding *finding);

#endif

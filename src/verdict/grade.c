/* SPDX-License-Identifier: Apache-2.0 */
#include "grade.h"

#include <string.h>

#include "cleanup.h"
#include "text.h"

static const char *const names[] = {"refuted",   "inconclusive", "context",
                                    "plausible", "strong",       "proven"};

const char *inq_grade_name(enum inq_grade grade)
{
    return names[grade];
}

int inq_grade_rank(const char *grade)
{
    for (size_t i = 0; grade && i < INQ_ARRAY_SIZE(names); i++)
        if (strcmp(grade, names[i]) == 0)
            return (int)i;
    return -1;
}

const struct inq_rule_state *inq_rule_state(const struct inq_judgement *judgement, const char *id)
{
    const struct inq_rule *rule = inq_rules_find(judgement->rules, id);
    return rule ? &judgement->states[rule - judgement->rules->items] : NULL;
}

bool inq_rival_is_excluded(const struct inq_judgement *judgement, const char *id)
{
    const struct inq_rule_state *state = inq_rule_state(judgement, id);
    return state && (state->when == INQ_NO || state->refuted);
}

static bool rivals_are_excluded(const struct inq_judgement *judgement, const struct inq_rule *rule)
{
    for (size_t i = 0; i < rule->n_rivals; i++)
        if (!inq_rival_is_excluded(judgement, rule->rivals[i]))
            return false;
    return rule->n_rivals > 0;
}

static bool proof_is_contradicted(const struct inq_match *match)
{
    return match->n_proof > 0 && match->proven == INQ_NO;
}

/* Did any refuting line come to this? */
static bool refuter_is(const struct inq_match *match, enum inq_truth truth)
{
    for (size_t i = 0; i < match->rule->n_against; i++)
        if (match->rule->against[i].refutes && match->against[i] == truth)
            return true;
    return false;
}

static bool is_lowered(const struct inq_match *match)
{
    for (size_t i = 0; i < match->rule->n_against; i++)
        if (!match->rule->against[i].refutes && match->against[i] == INQ_YES)
            return true;
    return false;
}

static enum inq_grade lower(enum inq_grade grade)
{
    return grade > INQ_GRADE_PLAUSIBLE ? (enum inq_grade)(grade - 1) : grade;
}

/*
 * Facts that come from the memory of the process. What comes from the notes (signal, registers, the
 * list of files) stands at the front of the file, where a cut does not reach it.
 */
static bool is_from_memory(const char *fact)
{
    static const char *const memory[] = {"crashed.", "frame[", "frames",     "threads",
                                         "thread.",  "abort.", "heap.",      "python.",
                                         "jvm.",     "state.", "collisions", "environment"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(memory); i++)
        if (inq_starts_with(fact, memory[i]))
            return true;
    return false;
}

static bool rests_on_memory(const struct inq_match *match)
{
    for (size_t i = 0; i < match->n_findings; i++)
        if (is_from_memory(match->findings[i].fact))
            return true;
    return false;
}

static enum inq_grade grade_match(const struct inq_judgement *judgement,
                                  const struct inq_match *match)
{
    if (match->rule->context)
        return match->when == INQ_YES ? INQ_GRADE_CONTEXT : INQ_GRADE_INCONCLUSIVE;
    if (match->when == INQ_MAYBE)
        return INQ_GRADE_INCONCLUSIVE;
    if (refuter_is(match, INQ_YES))
        return INQ_GRADE_REFUTED;

    bool open_refuter = refuter_is(match, INQ_MAYBE);
    enum inq_grade grade = INQ_GRADE_PLAUSIBLE;
    if (match->proven == INQ_YES)
        grade = open_refuter ? INQ_GRADE_STRONG : INQ_GRADE_PROVEN;
    else if (!open_refuter && !proof_is_contradicted(match) &&
             rivals_are_excluded(judgement, match->rule))
        grade = INQ_GRADE_STRONG;
    return is_lowered(match) ? lower(grade) : grade;
}

void inq_grade_all(struct inq_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n_candidates; i++) {
        struct inq_candidate *candidate = &judgement->candidates[i];
        candidate->grade = grade_match(judgement, candidate->match);
        /* Memory that was left out on purpose takes nothing from what was seen; a dump that ends
         * early may have lost the rest of it. */
        bool cut =
            judgement->truncated || (judgement->filtered && candidate->grade == INQ_GRADE_STRONG);
        if (cut && candidate->grade > INQ_GRADE_PLAUSIBLE && rests_on_memory(candidate->match)) {
            candidate->grade = lower(candidate->grade);
            candidate->lowered_by_cut = true;
        }
    }
}

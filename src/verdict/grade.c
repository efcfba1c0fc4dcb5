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
        if (!inq_rival_is_excluded(judgement, rule->rivals[i].id))
            return false;
    return true;
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
static void note_memory(void *from_memory, const struct inq_fact *fact)
{
    static const char *const memory[] = {"threads", "abort.",   "heap.",      "python.",    "jvm.",
                                         "state.",  "bindings", "collisions", "environment"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(memory); i++)
        if (inq_starts_with(fact->path, memory[i]))
            *(bool *)from_memory = true;
}

static void note_sender(void *asks, const struct inq_fact *fact)
{
    if (inq_starts_with(fact->path, "signal.sent_by") ||
        inq_starts_with(fact->path, "signal.sender"))
        *(bool *)asks = true;
}

static bool rests_on_memory(const struct inq_match *match)
{
    bool memory = false;
    for (size_t i = 0; i < match->n_findings; i++)
        inq_condition_facts(match->findings[i].condition, note_memory, &memory);
    return memory;
}

/* Is the signature about signals that were sent? */
static bool is_about_senders(const struct inq_rule *rule)
{
    bool asks = false;
    for (size_t i = 0; i < rule->when.count; i++)
        inq_condition_facts(rule->when.items[i], note_sender, &asks);
    return asks;
}

static bool is_strong(const struct inq_judgement *judgement, const struct inq_match *match)
{
    if (!rivals_are_excluded(judgement, match->rule))
        return false;
    /* Without lines of its own only the rivals can make it strong. */
    return match->n_strong > 0 ? match->strong == INQ_YES
                               : match->rule->n_rivals > 0 && !proof_is_contradicted(match);
}

static enum inq_grade grade_match(const struct inq_judgement *judgement,
                                  const struct inq_match *match)
{
    if (match->when == INQ_MAYBE)
        return INQ_GRADE_INCONCLUSIVE;
    if (refuter_is(match, INQ_YES))
        return INQ_GRADE_REFUTED;

    bool open_refuter = refuter_is(match, INQ_MAYBE);
    enum inq_grade grade = INQ_GRADE_PLAUSIBLE;
    if (match->proven == INQ_YES)
        grade = open_refuter ? INQ_GRADE_STRONG : INQ_GRADE_PROVEN;
    else if (match->rule->context && match->strong != INQ_YES)
        return INQ_GRADE_CONTEXT;
    else if (!open_refuter && is_strong(judgement, match))
        grade = INQ_GRADE_STRONG;
    else if (match->rule->context)
        return INQ_GRADE_CONTEXT;
    return is_lowered(match) ? lower(grade) : grade;
}

/* What the crash as a whole takes from a grade. The order is that of what comes first. */
static void cap(const struct inq_judgement *judgement, struct inq_candidate *candidate)
{
    /* Memory that was left out on purpose takes nothing from what was seen; a dump that ends
     * early may have lost the rest of it. */
    bool cut =
        judgement->truncated || (judgement->filtered && candidate->grade == INQ_GRADE_STRONG);
    if (cut && candidate->grade > INQ_GRADE_PLAUSIBLE && rests_on_memory(candidate->match)) {
        candidate->grade = lower(candidate->grade);
        candidate->lowered_by_cut = true;
    }
    if (judgement->external && inq_grade_is_answer(candidate->grade) &&
        !is_about_senders(candidate->rule)) {
        candidate->grade = INQ_GRADE_CONTEXT;
        candidate->capped_external = true;
    }
    if (!candidate->rule->seen_real && candidate->grade > INQ_GRADE_PLAUSIBLE) {
        candidate->grade = INQ_GRADE_PLAUSIBLE;
        candidate->capped_unseen = true;
    }
}

void inq_grade_all(struct inq_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n_candidates; i++) {
        struct inq_candidate *candidate = &judgement->candidates[i];
        candidate->grade = grade_match(judgement, candidate->match);
        cap(judgement, candidate);
    }
}

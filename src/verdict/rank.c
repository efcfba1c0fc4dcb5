/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "grade.h"

/* Of what might be, a reader wants a few; limits[] says how many more there were. */
#define MAX_INCONCLUSIVE 5u
/* Chains of symptoms are short; a cycle of rules that explain each other must end somewhere. */
#define MAX_DEPTH 8u

static struct inq_candidate *find_candidate(struct inq_judgement *judgement, const char *id)
{
    const struct inq_rule *rule = inq_rules_find(judgement->rules, id);
    size_t low = 0, high = judgement->n_candidates;
    /* Candidates are still in the order of the rules. */
    while (rule && low < high) {
        size_t middle = low + (high - low) / 2;
        const struct inq_rule *at = judgement->candidates[middle].rule;
        if (at == rule)
            return &judgement->candidates[middle];
        if (at < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ------------------------------------------------------------------ inconclusive candidates */

static bool is_strong_answer(struct inq_judgement *judgement, const char *id)
{
    const struct inq_candidate *other = find_candidate(judgement, id);
    return other && other->grade >= INQ_GRADE_STRONG;
}

/* Would it explain or replace what is known well? */
static bool names_an_answer(struct inq_judgement *judgement, const struct inq_rule *rule)
{
    for (size_t i = 0; i < rule->n_explains; i++)
        if (is_strong_answer(judgement, rule->explains[i]))
            return true;
    for (size_t i = 0; i < rule->n_rivals; i++)
        if (is_strong_answer(judgement, rule->rivals[i].id))
            return true;
    return false;
}

static void mark_rivals_of_answers(struct inq_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n_candidates; i++) {
        const struct inq_candidate *answer = &judgement->candidates[i];
        for (size_t r = 0; answer->grade >= INQ_GRADE_STRONG && r < answer->rule->n_rivals; r++) {
            struct inq_candidate *rival = find_candidate(judgement, answer->rule->rivals[r].id);
            if (rival)
                rival->is_rival_of_answer = true;
        }
    }
}

static void note_readable(void *readable, const struct inq_fact *fact)
{
    *(bool *)readable = *(bool *)readable || fact->source;
}

/*
 * Something must already fit, and something that this version could have read must be missing:
 * else every rule about a part of the process that we do not look at yet would stand in every
 * report.
 */
static bool is_within_reach(const struct inq_match *match)
{
    bool fits = false, readable = false;
    for (size_t i = 0; i < match->n_when + match->n_unless; i++) {
        const struct inq_finding *finding = &match->findings[i];
        fits = fits || (i < match->n_when && finding->truth == INQ_YES);
        if (finding->truth == INQ_MAYBE)
            inq_condition_facts(finding->condition, note_readable, &readable);
    }
    return fits && readable;
}

static int heaviest_first(const void *a, const void *b)
{
    const struct inq_candidate *one = *(struct inq_candidate *const *)a;
    const struct inq_candidate *two = *(struct inq_candidate *const *)b;
    if (one->rule->weight != two->rule->weight)
        return one->rule->weight < two->rule->weight ? 1 : -1;
    return strcmp(one->rule->id, two->rule->id);
}

static void drop(struct inq_candidate *candidate)
{
    inq_match_destroy(candidate->match);
    candidate->match = NULL;
}

static void remove_dropped(struct inq_judgement *judgement)
{
    size_t kept = 0;
    for (size_t i = 0; i < judgement->n_candidates; i++)
        if (judgement->candidates[i].match)
            judgement->candidates[kept++] = judgement->candidates[i];
    judgement->n_candidates = kept;
}

static bool deserves_mention(struct inq_judgement *judgement, const struct inq_candidate *candidate,
                             bool has_strong)
{
    const struct inq_rule *rule = candidate->rule;
    if (rule->context || !is_within_reach(candidate->match))
        return false;
    /* With an answer at hand only what could explain or replace it is of interest. */
    return !has_strong || names_an_answer(judgement, rule) || candidate->is_rival_of_answer;
}

/* False without memory. */
static bool thin_out(struct inq_judgement *judgement)
{
    bool has_strong = false;
    mark_rivals_of_answers(judgement);
    for (size_t i = 0; i < judgement->n_candidates; i++)
        has_strong = has_strong || judgement->candidates[i].grade >= INQ_GRADE_STRONG;

    struct inq_candidate **open = NULL;
    size_t n_open = 0;
    open = calloc(judgement->n_candidates + 1, sizeof(struct inq_candidate *));
    if (!open)
        return false;
    for (size_t i = 0; i < judgement->n_candidates; i++) {
        struct inq_candidate *candidate = &judgement->candidates[i];
        if (candidate->grade != INQ_GRADE_INCONCLUSIVE)
            continue;
        if (deserves_mention(judgement, candidate, has_strong))
            open[n_open++] = candidate;
        else
            drop(candidate);
    }
    if (n_open > MAX_INCONCLUSIVE) {
        qsort(open, n_open, sizeof(struct inq_candidate *), heaviest_first);
        for (size_t i = MAX_INCONCLUSIVE; i < n_open; i++)
            drop(open[i]);
        judgement->n_left_out = n_open - MAX_INCONCLUSIVE;
    }
    free(open);
    remove_dropped(judgement);
    return true;
}

/* ---------------------------------------------------------------------------------- symptoms */

/* A guess does not turn something better known into its symptom. */
static bool may_explain(const struct inq_candidate *cause, const struct inq_candidate *symptom)
{
    return inq_grade_is_answer(cause->grade) && inq_grade_is_answer(symptom->grade) &&
           cause != symptom && (cause->grade >= INQ_GRADE_STRONG || cause->grade >= symptom->grade);
}

/* Two rules that explain each other explain nothing: the first one found stays the cause. */
static bool is_below(struct inq_judgement *judgement, const struct inq_candidate *cause,
                     const struct inq_candidate *symptom)
{
    for (unsigned step = 0; cause && cause->explained_by && step < MAX_DEPTH; step++) {
        if (cause->explained_by == symptom->rule)
            return true;
        cause = find_candidate(judgement, cause->explained_by->id);
    }
    return false;
}

static void mark_symptoms(struct inq_judgement *judgement)
{
    bool changed = true;
    for (unsigned pass = 0; changed && pass < MAX_DEPTH; pass++) {
        changed = false;
        for (size_t i = 0; i < judgement->n_candidates; i++) {
            const struct inq_candidate *cause = &judgement->candidates[i];
            for (size_t e = 0; e < cause->rule->n_explains; e++) {
                struct inq_candidate *symptom = find_candidate(judgement, cause->rule->explains[e]);
                if (!symptom || !may_explain(cause, symptom) || symptom->depth > cause->depth ||
                    is_below(judgement, cause, symptom))
                    continue;
                symptom->depth = cause->depth + 1;
                symptom->explained_by = cause->rule;
                changed = true;
            }
        }
    }
    /* A guess that something better explains is true of the crash and no answer to it. */
    for (size_t i = 0; i < judgement->n_candidates; i++)
        if (judgement->candidates[i].depth > 0 &&
            judgement->candidates[i].grade == INQ_GRADE_PLAUSIBLE)
            judgement->candidates[i].grade = INQ_GRADE_CONTEXT;
}

/* ------------------------------------------------------------------------------------ order */

/* Answers, then what might be, then context, then what is refuted. */
static int class_of(const struct inq_candidate *candidate, bool context_first)
{
    switch (candidate->grade) {
    case INQ_GRADE_INCONCLUSIVE:
        return 2;
    case INQ_GRADE_CONTEXT:
        return context_first ? 1 : 3;
    case INQ_GRADE_REFUTED:
        return 4;
    default:
        return 0;
    }
}

static int best_first(const void *a, const void *b, void *context_first)
{
    const struct inq_candidate *one = a, *two = b;
    int order = class_of(one, *(bool *)context_first) - class_of(two, *(bool *)context_first);
    if (order == 0)
        order = (one->depth > two->depth) - (one->depth < two->depth);
    if (order == 0)
        order = (int)two->grade - (int)one->grade;
    if (order == 0)
        order = (one->rule->weight < two->rule->weight) - (one->rule->weight > two->rule->weight);
    if (order == 0) /* the more it asks for, the more specific it is */
        order = (one->rule->when.count < two->rule->when.count) -
                (one->rule->when.count > two->rule->when.count);
    return order ? order : strcmp(one->rule->id, two->rule->id);
}

struct inq_error *inq_rank_all(struct inq_judgement *judgement)
{
    if (!thin_out(judgement))
        return &inq_error_oom;
    mark_symptoms(judgement);
    /* When even the notes are cut, that the dump is cut is the most that can be said. */
    struct inq_fact_value notes =
        inq_evidence_get(judgement->document, "core.notes_cut", NULL, NULL);
    bool context_first = notes.known == INQ_KNOWN && json_is_true(notes.value);
    if (judgement->n_candidates > 0)
        qsort_r(judgement->candidates, judgement->n_candidates, sizeof(*judgement->candidates),
                best_first, &context_first);
    return NULL;
}

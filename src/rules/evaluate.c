/* SPDX-License-Identifier: Apache-2.0 */

/* A rule over a document: its sections together, and for which element of its first quantifier. */

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evaluator.h"
#include "kleene.h"

/*
 * How many elements of the first quantifier are followed through the rest of a rule: its other
 * quantifiers run once for each, and the two lists together must stay linear.
 */
#define MAX_CANDIDATES 256u

/* What the rest of the rule comes to for one element (or for none, without a quantifier). */
struct outcome {
    enum inq_truth when, strong, proven;
    bool refuted, lowered;
};

static bool better(const struct outcome *a, const struct outcome *b)
{
    if ((a->when == INQ_YES) != (b->when == INQ_YES))
        return a->when == INQ_YES;
    if (a->refuted != b->refuted)
        return !a->refuted;
    if ((a->proven == INQ_YES) != (b->proven == INQ_YES))
        return a->proven == INQ_YES;
    if ((a->strong == INQ_YES) != (b->strong == INQ_YES))
        return a->strong == INQ_YES;
    return !a->lowered && b->lowered;
}

/* `when` without the binder, and no `unless`. */
static enum inq_truth test_pattern(struct inq_run *run, const struct inq_fact_scope *scope)
{
    const struct inq_rule *rule = run->rule;
    enum inq_truth truth = INQ_YES;
    for (size_t i = 0; i < rule->when.count && truth != INQ_NO; i++)
        if (rule->when.items[i] != rule->binder)
            truth = inq_truth_and(truth, inq_run_test(run, rule->when.items[i], scope));
    for (size_t i = 0; i < rule->unless.count && truth != INQ_NO; i++)
        truth =
            inq_truth_and(truth, inq_truth_not(inq_run_test(run, rule->unless.items[i], scope)));
    return truth;
}

static void test_counter_evidence(struct inq_run *run, const struct inq_fact_scope *scope,
                                  struct outcome *outcome)
{
    for (size_t i = 0; i < run->rule->n_against; i++) {
        const struct inq_against *against = &run->rule->against[i];
        if (inq_run_test_all(run, &against->when, scope) != INQ_YES)
            continue;
        outcome->refuted = outcome->refuted || against->refutes;
        outcome->lowered = outcome->lowered || !against->refutes;
    }
}

static enum inq_truth test_section(struct inq_run *run, const struct inq_conditions *section,
                                   const struct inq_fact_scope *scope)
{
    return section->count > 0 ? inq_run_test_all(run, section, scope) : INQ_NO;
}

static void test_rest(struct inq_run *run, const struct inq_fact_scope *scope,
                      struct outcome *outcome)
{
    outcome->strong = test_section(run, &run->rule->strong, scope);
    outcome->proven = test_section(run, &run->rule->proof, scope);
    test_counter_evidence(run, scope, outcome);
}

/* The best element for the first quantifier, as far as it has been gone through. */
struct choice {
    struct inq_run *run;
    struct outcome best;
    struct inq_fact_scope scope;
    size_t candidates;
    bool have, too_many;
};

static bool consider(void *context, const json_t *element, enum inq_truth truth)
{
    struct choice *choice = context;
    struct inq_fact_scope none = {.count = 0}, scope = {.count = 0};
    struct outcome outcome = {.when = INQ_NO};
    if (truth == INQ_NO)
        return true;
    if (choice->candidates++ >= MAX_CANDIDATES) {
        choice->too_many = true;
        return false;
    }
    inq_run_bind(choice->run, choice->run->rule->binder, element, &none, &scope);
    outcome.when = inq_truth_and(truth, test_pattern(choice->run, &scope));
    if (outcome.when == INQ_NO)
        return true;
    if (outcome.when == INQ_YES)
        test_rest(choice->run, &scope, &outcome);
    if (choice->have && !better(&outcome, &choice->best))
        return true;
    choice->have = true;
    choice->best = outcome;
    choice->scope = scope;
    return true;
}

/* Lines that ask nothing about the binder's element: false for one, false for all. */
static bool is_excluded_anyhow(struct inq_run *run)
{
    const struct inq_rule *rule = run->rule;
    struct inq_fact_scope none = {.count = 0}, nobody = {.count = 0};
    inq_run_bind(run, rule->binder, NULL, &none, &nobody); /* levels are counted from there */
    for (size_t i = 0; i < rule->when.count; i++)
        if (rule->when.items[i] != rule->binder && rule->when.items[i]->uses == 0 &&
            inq_run_test(run, rule->when.items[i], &nobody) == INQ_NO)
            return true;
    for (size_t i = 0; i < rule->unless.count; i++)
        if (rule->unless.items[i]->uses == 0 &&
            inq_run_test(run, rule->unless.items[i], &nobody) == INQ_YES)
            return true;
    return false;
}

static void evaluate_bound(struct inq_run *run, struct outcome *ret_outcome,
                           struct inq_fact_scope *ret_scope)
{
    const struct inq_fact_scope none = {.count = 0};
    struct choice choice = {.run = run};
    struct outcome outcome = {.when = INQ_NO};
    struct inq_list_result list = inq_run_each(run, run->rule->binder, &none, consider, &choice);
    if (choice.have) {
        *ret_outcome = choice.best;
        *ret_scope = choice.scope;
        return;
    }
    inq_run_bind(run, run->rule->binder, NULL, &none, ret_scope);
    /* No element fits. Where the list is not known, or not whole, one might. */
    if (list.truth == INQ_MAYBE || choice.too_many)
        outcome.when = inq_truth_and(INQ_MAYBE, test_pattern(run, ret_scope));
    *ret_outcome = outcome;
}

static void evaluate(struct inq_run *run, struct outcome *ret_outcome,
                     struct inq_fact_scope *ret_scope)
{
    struct outcome outcome = {.when = INQ_NO};
    struct inq_fact_scope scope = {.count = 0};
    if (run->rule->binder) {
        if (!is_excluded_anyhow(run))
            evaluate_bound(run, &outcome, &scope);
        else
            inq_run_bind(run, run->rule->binder, NULL, &scope, ret_scope);
    } else {
        outcome.when = test_pattern(run, &scope);
        if (outcome.when == INQ_YES)
            test_rest(run, &scope, &outcome);
    }
    if (outcome.when != INQ_NO || !run->rule->binder)
        *ret_scope = scope;
    *ret_outcome = outcome;
}

/* ----------------------------------------------------------------------------------- the record */

static bool find_section(struct inq_run *run, const struct inq_conditions *section,
                         const struct inq_fact_scope *scope, struct inq_match *match)
{
    for (size_t i = 0; i < section->count; i++) {
        struct inq_finding *finding = &match->findings[match->n_findings];
        bool bound = section->items[i] == run->rule->binder && scope->count > 0;
        bool done = bound ? inq_run_find_bound(run, section->items[i], scope, finding)
                          : inq_run_find(run, section->items[i], scope, finding);
        if (!done)
            return false;
        match->n_findings++;
    }
    return true;
}

static bool find_against(struct inq_run *run, const struct inq_fact_scope *scope,
                         struct inq_match *match)
{
    for (size_t i = 0; i < run->rule->n_against; i++) {
        const struct inq_conditions *lines = &run->rule->against[i].when;
        match->against[i] = inq_run_test_all(run, lines, scope);
        for (size_t k = 0; k < lines->count; k++) {
            struct inq_finding *finding = &match->against_findings[match->n_against_findings];
            if (!inq_run_find(run, lines->items[k], scope, finding))
                return false;
            finding->item = i;
            match->n_against_findings++;
        }
    }
    return true;
}

/* What the first `any` of a section has found, for templates. */
static void bind_section(struct inq_run *run, const struct inq_conditions *section,
                         const struct inq_fact_scope *scope, struct inq_fact_scope *names)
{
    const struct inq_condition *any = inq_first_any(section);
    struct inq_list_result result;
    if (!any)
        return;
    result = inq_run_list(run, any, scope);
    inq_run_bind(run, any, result.truth == INQ_YES ? result.element : NULL, scope, names);
}

static struct inq_match *record(struct inq_run *run, const struct outcome *outcome,
                                const struct inq_fact_scope *scope)
{
    const struct inq_rule *rule = run->rule;
    struct inq_match *match = calloc(1, sizeof(*match));
    size_t lines = rule->conditions + 1; /* no section has more than the rule */
    if (!match)
        return NULL;
    match->rule = rule;
    match->n_when = rule->when.count;
    match->n_unless = rule->unless.count;
    match->n_strong = rule->strong.count;
    match->n_proof = rule->proof.count;
    match->findings = calloc(lines, sizeof(*match->findings));
    match->against_findings = calloc(lines, sizeof(*match->against_findings));
    match->against = calloc(rule->n_against + 1, sizeof(*match->against));
    match->scope = *scope;
    if (!match->findings || !match->against || !match->against_findings ||
        !find_section(run, &rule->when, scope, match) ||
        !find_section(run, &rule->unless, scope, match) ||
        !find_section(run, &rule->strong, scope, match) ||
        !find_section(run, &rule->proof, scope, match) || !find_against(run, scope, match)) {
        inq_match_destroy(match);
        return NULL;
    }
    match->when = outcome->when;
    match->strong = test_section(run, &rule->strong, scope);
    match->proven = test_section(run, &rule->proof, scope);
    bind_section(run, &rule->strong, scope, &match->scope);
    bind_section(run, &rule->proof, scope, &match->scope);
    return match;
}

static void run_init(struct inq_run *run, struct inq_evaluator *evaluator,
                     const struct inq_rule *rule, bool explain)
{
    run->explain = explain;
    run->evaluator = evaluator;
    run->rule = rule;
    memset(run->known, INQ_NOT_ASKED,
           rule->conditions < sizeof(run->known) ? rule->conditions : sizeof(run->known));
}

bool inq_evaluator_run(struct inq_evaluator *evaluator, const struct inq_rule *rule, bool explain,
                       struct inq_match **ret_match)
{
    struct inq_run run;
    struct outcome outcome;
    struct inq_fact_scope scope = {.count = 0};
    run_init(&run, evaluator, rule, explain);
    evaluate(&run, &outcome, &scope);
    if (outcome.when == INQ_NO && !explain) {
        *ret_match = NULL;
        return true;
    }
    struct inq_match *match = record(&run, &outcome, &scope);
    if (!match)
        return false;
    *ret_match = match;
    return true;
}

struct inq_match *inq_rule_evaluate(const struct inq_rule *rule, const json_t *document)
{
    _cleanup_(inq_evaluator_destroyp) struct inq_evaluator *evaluator =
        inq_evaluator_create(document);
    struct inq_match *match = NULL;
    if (!evaluator || !inq_evaluator_run(evaluator, rule, true, &match))
        return NULL;
    return match;
}

void inq_match_destroy(struct inq_match *match)
{
    if (!match)
        return;
    if (match->findings)
        inq_findings_destroy(match->findings, match->n_findings);
    if (match->against_findings)
        inq_findings_destroy(match->against_findings, match->n_against_findings);
    free(match->findings);
    free(match->against_findings);
    free(match->against);
    free(match);
}

bool inq_rule_part_holds(const struct inq_conditions *conditions, const json_t *document,
                         const struct inq_match *match, bool *ret_holds)
{
    struct inq_run run;
    if (conditions->count == 0) {
        *ret_holds = true;
        return true;
    }
    _cleanup_(inq_evaluator_destroyp) struct inq_evaluator *evaluator =
        inq_evaluator_create(document);
    if (!evaluator)
        return false;
    run_init(&run, evaluator, match->rule, false);
    bool holds = inq_run_test_all(&run, conditions, &match->scope) == INQ_YES;
    if (evaluator->failed)
        return false;
    *ret_holds = holds;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "grade.h"

static void judgement_deinit(struct inq_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n_candidates; i++)
        inq_match_destroy(judgement->candidates[i].match);
    free(judgement->candidates);
    free(judgement->states);
}

static bool has_refuter_that_holds(const struct inq_match *match)
{
    for (size_t i = 0; i < match->rule->n_against; i++)
        if (match->rule->against[i].refutes && match->against[i] == INQ_YES)
            return true;
    return false;
}

static struct inq_error *evaluate_all(struct inq_judgement *judgement)
{
    const struct inq_rules *rules = judgement->rules;
    judgement->states = calloc(rules->count + 1, sizeof(*judgement->states));
    judgement->candidates = calloc(rules->count + 1, sizeof(*judgement->candidates));
    if (!judgement->states || !judgement->candidates)
        return &inq_error_oom;
    for (size_t i = 0; i < rules->count; i++) {
        struct inq_match *match = inq_rule_evaluate(&rules->items[i], judgement->document);
        if (!match)
            return &inq_error_oom;
        judgement->states[i].when = match->when;
        judgement->states[i].refuted = has_refuter_that_holds(match);
        if (match->when == INQ_NO) {
            inq_match_destroy(match);
            continue;
        }
        judgement->candidates[judgement->n_candidates++] =
            (struct inq_candidate){.rule = &rules->items[i], .match = match};
    }
    return NULL;
}

static bool fact_is(const json_t *document, const char *path, bool value)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN && json_is_boolean(fact.value) &&
           json_is_true(fact.value) == value;
}

static struct inq_error *write_verdicts(const struct inq_judgement *judgement,
                                        struct inq_evidence *evidence)
{
    json_t *list = json_array();
    for (size_t i = 0; i < judgement->n_candidates; i++) {
        json_t *verdict = inq_verdict_json(judgement, &judgement->candidates[i], i + 1);
        if (!list || !verdict || json_array_append_new(list, verdict) != 0) {
            if (!list)
                json_decref(verdict);
            json_decref(list);
            return &inq_error_oom;
        }
    }
    inq_evidence_set(evidence, "verdicts", list);
    if (judgement->n_left_out > 0) {
        char *text = NULL;
        if (asprintf(&text, "%zu more inconclusive signatures are not listed",
                     judgement->n_left_out) < 0)
            return &inq_error_oom;
        inq_evidence_append(evidence, "limits", json_string(text));
        free(text);
    }
    return evidence->failed ? &inq_error_oom : NULL;
}

struct inq_error *inq_verdicts_judge(const struct inq_rules *rules, struct inq_evidence *evidence)
{
    _cleanup_(judgement_deinit) struct inq_judgement judgement = {
        .rules = rules,
        .document = evidence->document,
        .truncated = fact_is(evidence->document, "core.complete", false),
        .filtered = fact_is(evidence->document, "core.filtered", true),
    };
    INQ_TRY(evaluate_all(&judgement));
    inq_grade_all(&judgement);
    inq_rank_all(&judgement);
    return write_verdicts(&judgement, evidence);
}

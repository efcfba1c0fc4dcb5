/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "grade.h"
#include "text.h"

static void judgement_deinit(struct inq_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n_candidates; i++)
        inq_match_destroy(judgement->candidates[i].match);
    free(judgement->candidates);
    free(judgement->states);
    inq_evaluator_destroy(judgement->evaluator);
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
    judgement->evaluator = inq_evaluator_create(judgement->document);
    if (!judgement->states || !judgement->candidates || !judgement->evaluator)
        return &inq_error_oom;
    for (size_t i = 0; i < rules->count; i++) {
        struct inq_match *match = NULL;
        if (!inq_evaluator_run(judgement->evaluator, &rules->items[i], false, &match))
            return &inq_error_oom;
        if (!match)
            continue; /* states[i].when is INQ_NO */
        judgement->states[i].when = match->when;
        judgement->states[i].refuted = has_refuter_that_holds(match);
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

/* "other" and "init": a process other than the one that died. */
static bool is_sent_from_outside(const json_t *document)
{
    struct inq_fact_value fact = inq_evidence_get(document, "signal.sent_by", NULL, NULL);
    const char *by = fact.known == INQ_KNOWN ? json_string_value(fact.value) : NULL;
    return by && (strcmp(by, "other") == 0 || strcmp(by, "init") == 0);
}

static const char left_out[] = " more inconclusive signatures are not listed";

/* An earlier judgement's line among the limits. */
static void forget_limits(struct inq_evidence *evidence)
{
    json_t *limits = json_object_get(evidence->document, "limits");
    for (size_t i = json_array_size(limits); i > 0; i--) {
        const char *text = json_string_value(json_array_get(limits, i - 1));
        if (text && inq_ends_with(text, left_out))
            json_array_remove(limits, i - 1);
    }
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
    forget_limits(evidence);
    if (judgement->n_left_out > 0) {
        char *text = NULL;
        if (asprintf(&text, "%zu%s", judgement->n_left_out, left_out) < 0)
            return &inq_error_oom;
        inq_evidence_append(evidence, "limits", json_string(text));
        free(text);
    }
    return evidence->failed ? &inq_error_oom : NULL;
}

/* What was asked, and what the user's files changed about it: a reader must be able to tell. */
static void write_signatures(const struct inq_rules *rules, struct inq_evidence *evidence)
{
    size_t own = 0;
    for (size_t i = 0; i < rules->count; i++)
        own += !rules->items[i].shipped;
    inq_evidence_set(evidence, "signatures", json_object());
    inq_evidence_set_int(evidence, "signatures.loaded", (int64_t)rules->count);
    inq_evidence_set_int(evidence, "signatures.own", (int64_t)own);
    inq_evidence_set_int(evidence, "signatures.refused", (int64_t)json_array_size(rules->refused));
    if (json_array_size(rules->changes) > 0)
        inq_evidence_set(evidence, "signatures.changed", json_deep_copy(rules->changes));
}

struct inq_error *inq_verdicts_judge(const struct inq_rules *rules, struct inq_evidence *evidence)
{
    _cleanup_(judgement_deinit) struct inq_judgement judgement = {
        .rules = rules,
        .document = evidence->document,
        .truncated = fact_is(evidence->document, "core.complete", false),
        .filtered = fact_is(evidence->document, "core.filtered", true),
        .external = is_sent_from_outside(evidence->document),
    };
    INQ_TRY(evaluate_all(&judgement));
    inq_grade_all(&judgement);
    INQ_TRY(inq_rank_all(&judgement));
    INQ_TRY(write_verdicts(&judgement, evidence));
    write_signatures(rules, evidence);
    return evidence->failed ? &inq_error_oom : NULL;
}

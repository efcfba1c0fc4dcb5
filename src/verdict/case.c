/* SPDX-License-Identifier: Apache-2.0 */

/* Evidence files: what a signature must make of a report. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"
#include "verdict.h"

static const char *const truths[] = {
    [INQ_NO] = "does not fit", [INQ_YES] = "fits", [INQ_MAYBE] = "stays open"};

static const json_t *verdict_of(const json_t *document, const char *id)
{
    size_t i;
    json_t *verdict;
    json_array_foreach (json_object_get(document, "verdicts"), i, verdict) {
        const char *signature = json_string_value(json_object_get(verdict, "signature"));
        if (signature && strcmp(signature, id) == 0)
            return verdict;
    }
    return NULL;
}

static const char *grade_of(const json_t *verdict)
{
    const char *grade = json_string_value(json_object_get(verdict, "grade"));
    return grade ? grade : "not listed";
}

/* The first line that is to blame: what did not hold, or is not known. */
static char *reason(const struct inq_match *match)
{
    for (size_t i = 0; i < match->n_when + match->n_unless; i++) {
        const struct inq_finding *finding = &match->findings[i];
        bool unless = i >= match->n_when;
        if (finding->truth != (unless ? INQ_NO : INQ_YES))
            return inq_format("; %s%s: %s", unless ? "unless " : "", finding->text, finding->seen);
    }
    return strdup("");
}

/* Grade and place among the verdicts, where the file says which. */
static char *check_expectation(const json_t *expect, const json_t *document, const char *id)
{
    const json_t *verdict = verdict_of(document, id);
    const json_t *rank = json_object_get(expect, "rank");
    const char *grade = json_string_value(json_object_get(expect, "grade"));
    if (grade && strcmp(grade, grade_of(verdict)) != 0)
        return inq_format("its grade is %s, not %s", grade_of(verdict), grade);
    json_int_t have = json_integer_value(json_object_get(verdict, "rank"));
    if (json_is_integer(rank) && json_integer_value(rank) != have) {
        const json_t *first = json_array_get(json_object_get(document, "verdicts"), 0);
        const char *answer = json_string_value(json_object_get(first, "signature"));
        return inq_format("its rank is %" JSON_INTEGER_FORMAT ", not %" JSON_INTEGER_FORMAT
                          "; first is %s",
                          have, json_integer_value(rank), answer ? answer : "nothing");
    }
    return NULL;
}

/* What the grade must be like, whatever the file says of it. */
static char *check_grade(enum inq_case_kind kind, const json_t *document, const char *id)
{
    const json_t *verdict = verdict_of(document, id);
    int rank = inq_grade_rank(json_string_value(json_object_get(verdict, "grade")));
    bool good = kind == INQ_CASE_NOMATCH   ? rank < 0
                : kind == INQ_CASE_UNKNOWN ? rank <= inq_grade_rank("inconclusive")
                                           : true;
    return good ? NULL : inq_format("it is listed as %s", grade_of(verdict));
}

static struct inq_error *judge(const struct inq_rules *rules, const struct inq_rule *rule,
                               enum inq_case_kind kind, const json_t *expect,
                               struct inq_evidence *evidence, char **ret_problem)
{
    static const enum inq_truth wanted[] = {
        [INQ_CASE_MATCH] = INQ_YES, [INQ_CASE_NOMATCH] = INQ_NO, [INQ_CASE_UNKNOWN] = INQ_MAYBE};
    INQ_TRY(inq_group_key(evidence));
    INQ_TRY(inq_verdicts_judge(rules, evidence));
    struct inq_match *match = inq_rule_evaluate(rule, evidence->document);
    if (!match)
        return &inq_error_oom;
    char *problem = NULL;
    if (match->when != wanted[kind]) {
        _cleanup_free_ char *why = reason(match);
        problem = inq_format("it %s%s", truths[match->when], why ? why : "");
    }
    inq_match_destroy(match);
    if (!problem)
        problem = check_grade(kind, evidence->document, rule->id);
    if (!problem)
        problem = check_expectation(expect, evidence->document, rule->id);
    *ret_problem = problem;
    return NULL;
}

struct inq_error *inq_case_check(const struct inq_rules *rules, const char *id,
                                 enum inq_case_kind kind, const char *bytes, size_t size,
                                 const char *name, struct inq_case_result *ret_result)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    struct inq_case_result result = {.problem = NULL};
    const struct inq_rule *rule = inq_rules_find(rules, id);
    json_error_t where;
    /* The wrapper is ours; the report in it gets the whole check below. */
    json_t *file = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &where);
    const json_t *report = json_object_get(file, "report");
    if (!rule) {
        json_decref(file);
        return inq_error_create(INQ_E_RULES_NONE, "there is no signature %s", id);
    }
    _cleanup_free_ char *text = json_is_object(report) ? json_dumps(report, 0) : NULL;
    struct inq_error *error =
        inq_evidence_parse(text ? text : bytes, text ? strlen(text) : size, name, &evidence);
    if (!error)
        error =
            judge(rules, rule, kind, json_object_get(file, "expect"), evidence, &result.problem);
    /* A report that was made from a dump says which dump it was. */
    result.synthetic =
        json_is_true(json_object_get(file, "synthetic")) || error ||
        inq_evidence_get(evidence->document, "core.identity", NULL, NULL).known != INQ_KNOWN;
    json_decref(file);
    if (!error)
        *ret_result = result;
    return error;
}

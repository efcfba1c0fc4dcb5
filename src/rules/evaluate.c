/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "condition.h"
#include "kleene.h"
#include "text.h"

/* A quantifier's state while it runs: what does not change from element to element is asked once.
 */
struct scope {
    const json_t *document;
    const char *element_name;
    const json_t *element;
};

static enum inq_truth truth_of(bool holds)
{
    return holds ? INQ_YES : INQ_NO;
}

/* -------------------------------------------------------------------------- one comparison */

/* -1, 0, 1; false when the value in the document is not of the fact's type. */
static bool order(const struct inq_condition *condition, const struct inq_literal *literal,
                  const json_t *value, int *ret_order)
{
    uint64_t address = 0;
    switch (condition->type) {
    case INQ_FACT_INT:
        if (!json_is_integer(value))
            return false;
        *ret_order = (json_integer_value(value) > literal->as.number) -
                     (json_integer_value(value) < literal->as.number);
        return true;
    case INQ_FACT_REAL:
        if (!json_is_number(value))
            return false;
        *ret_order = (json_number_value(value) > literal->as.real) -
                     (json_number_value(value) < literal->as.real);
        return true;
    case INQ_FACT_ADDR:
        if (!inq_json_addr_value(value, &address))
            return false;
        *ret_order = (address > literal->as.address) - (address < literal->as.address);
        return true;
    case INQ_FACT_BOOL:
        if (!json_is_boolean(value))
            return false;
        *ret_order = json_is_true(value) != literal->as.boolean;
        return true;
    default:
        if (!json_is_string(value))
            return false;
        *ret_order = strcmp(json_string_value(value), literal->text) != 0;
        return true;
    }
}

static enum inq_truth is_one_of(const struct inq_condition *condition, const json_t *value)
{
    for (size_t i = 0; i < condition->n_literals; i++) {
        int result = 0;
        if (!order(condition, &condition->literals[i], value, &result))
            return INQ_MAYBE;
        if (result == 0)
            return INQ_YES;
    }
    return INQ_NO;
}

static enum inq_truth compare(const struct inq_condition *condition, const json_t *value)
{
    if (condition->op == INQ_OP_EXISTS)
        return INQ_YES;
    if (condition->op == INQ_OP_NOT_EXISTS)
        return INQ_NO;
    if (condition->op == INQ_OP_IN)
        return is_one_of(condition, value);
    if (condition->op == INQ_OP_LIKE)
        return json_is_string(value)
                   ? truth_of(inq_glob_match(condition->literals[0].text, json_string_value(value)))
                   : INQ_MAYBE;
    int result = 0;
    if (!order(condition, &condition->literals[0], value, &result))
        return INQ_MAYBE;
    switch (condition->op) {
    case INQ_OP_IS:
        return truth_of(result == 0);
    case INQ_OP_IS_NOT:
        return truth_of(result != 0);
    case INQ_OP_LESS:
        return truth_of(result < 0);
    case INQ_OP_LESS_EQUAL:
        return truth_of(result <= 0);
    case INQ_OP_GREATER:
        return truth_of(result > 0);
    default:
        return truth_of(result >= 0);
    }
}

/* A fact that was looked for and is not there: it is nothing, so it is none of the values either.
 */
static enum inq_truth compare_none(const struct inq_condition *condition)
{
    return truth_of(condition->op == INQ_OP_NOT_EXISTS || condition->op == INQ_OP_IS_NOT);
}

static enum inq_truth compare_fact(const struct inq_condition *condition,
                                   const struct inq_fact_value *fact)
{
    if (fact->known == INQ_KNOWN)
        return compare(condition, fact->value);
    return fact->known == INQ_NONE ? compare_none(condition) : INQ_MAYBE;
}

static struct inq_fact_value look_up(const struct inq_condition *condition,
                                     const struct scope *scope)
{
    return inq_evidence_get(scope->document, condition->path, scope->element_name, scope->element);
}

/* ----------------------------------------------------------------------------- quantifiers */

static bool is_true(const json_t *document, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN && json_is_true(fact.value);
}

static bool has_gap(const json_t *document, enum inq_code code)
{
    size_t index;
    json_t *gap;
    json_array_foreach (json_object_get(document, "gaps"), index, gap) {
        const char *name = json_string_value(json_object_get(gap, "code"));
        if (name && strcmp(name, inq_code_name(code)) == 0)
            return true;
    }
    return false;
}

/* Why the list may be longer in truth than in the document; NULL when it is whole. */
static const char *list_is_cut(const json_t *document, const char *list, size_t size)
{
    if (strcmp(list, "frames") == 0 || strcmp(list, "crashed.frames") == 0) {
        if (is_true(document, "crashed.truncated"))
            return "frames in the middle of the stack were left out";
        struct inq_fact_value complete = inq_evidence_get(document, "crashed.complete", NULL, NULL);
        if (complete.known != INQ_KNOWN || !json_is_true(complete.value))
            return "the stack could not be followed to its end";
        return NULL;
    }
    bool notes_cut = is_true(document, "core.notes_cut");
    if (strcmp(list, "threads") == 0) {
        json_int_t total = json_integer_value(json_object_get(document, "threads_total"));
        if (notes_cut)
            return "the dump ends inside its notes: threads may be missing";
        return total > 0 && (uint64_t)total > size ? "more threads than are listed" : NULL;
    }
    if (strcmp(list, "modules") == 0) {
        if (notes_cut)
            return "the dump ends inside its notes: modules may be missing";
        return has_gap(document, INQ_G_MODULES) ? "more modules than are listed" : NULL;
    }
    return NULL;
}

#define NOT_ASKED (-1)

/* One condition on one element; `fixed` remembers answers that are the same for every element. */
static enum inq_truth test_element(const struct inq_condition *condition, const struct scope *scope,
                                   signed char *fixed)
{
    if (condition->member) {
        const json_t *value = json_object_get(scope->element, condition->member);
        if (value && !json_is_null(value))
            return compare(condition, value);
        /* Why it is missing depends on the fact's path, not on which element this is. */
    } else if (condition->of_element) {
        struct inq_fact_value fact = look_up(condition, scope);
        return compare_fact(condition, &fact);
    }
    if (*fixed == NOT_ASKED) {
        struct inq_fact_value fact = look_up(condition, scope);
        *fixed = (signed char)compare_fact(condition, &fact);
    }
    return (enum inq_truth) * fixed;
}

struct any_result {
    enum inq_truth truth;
    const json_t *element; /* the first that fits, or else the first that may */
    size_t looked_at;
    const char *why; /* for INQ_MAYBE */
};

static struct any_result test_any(const struct inq_condition *condition, const json_t *document)
{
    struct any_result result = {.truth = INQ_NO};
    struct inq_fact_value list = inq_evidence_get(document, condition->path, NULL, NULL);
    if (list.known == INQ_UNKNOWN) {
        result.truth = INQ_MAYBE;
        result.why = list.why;
        return result;
    }
    signed char fixed[INQ_RULES_CONDITIONS];
    memset(fixed, NOT_ASKED, sizeof(fixed));
    size_t index;
    json_t *element;
    json_array_foreach (list.value, index, element) {
        struct scope scope = {document, condition->element, element};
        enum inq_truth all = INQ_YES;
        for (size_t i = 0; i < condition->inner.count && all != INQ_NO; i++)
            all = inq_truth_and(all, test_element(condition->inner.items[i], &scope, &fixed[i]));
        result.looked_at++;
        if (all == INQ_NO)
            continue;
        if (all == INQ_YES || !result.element)
            result.element = element;
        result.truth = all;
        if (all == INQ_YES)
            return result;
        result.why = "something about it is not known";
    }
    if (result.truth == INQ_NO) {
        result.why = list_is_cut(document, condition->path, json_array_size(list.value));
        if (result.why)
            result.truth = INQ_MAYBE;
    } else {
        result.truth = INQ_MAYBE;
    }
    return result;
}

/* "module libfoo.so", "frame #3 bar", for people. */
static char *element_text(const char *name, const json_t *element)
{
    static const char *const keys[] = {"function", "name", "why", "family", "code"};
    static const char *const numbers[] = {"tid", "index"};
    char *text = NULL;
    int done = -1;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++) {
        const char *value = json_string_value(json_object_get(element, keys[i]));
        if (!value)
            continue;
        done = strcmp(keys[i], "why") == 0 ? asprintf(&text, "%.2000s", value)
                                           : asprintf(&text, "%s %.200s", name, value);
        return done < 0 ? NULL : text;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(numbers); i++) {
        const json_t *value = json_object_get(element, numbers[i]);
        if (!json_is_integer(value))
            continue;
        done = asprintf(&text, "%s %lld", name, (long long)json_integer_value(value));
        return done < 0 ? NULL : text;
    }
    return strdup(name);
}

static char *any_seen(const struct inq_condition *condition, const struct any_result *result)
{
    char *text = NULL;
    if (result->truth == INQ_YES)
        return element_text(condition->element, result->element);
    if (result->truth == INQ_NO) {
        int done = asprintf(&text, "none of %zu", result->looked_at);
        return done < 0 ? NULL : text;
    }
    _cleanup_free_ char *element =
        result->element ? element_text(condition->element, result->element) : NULL;
    int done = element ? asprintf(&text, "%s: %s", element, result->why)
                       : asprintf(&text, "%s", result->why);
    return done < 0 ? NULL : text;
}

/* ---------------------------------------------------------------------------------- a rule */

static char *fact_seen(const struct inq_fact_value *fact)
{
    if (fact->known == INQ_KNOWN)
        return inq_value_text(fact->value);
    return strdup(fact->known == INQ_NONE ? "none" : fact->why);
}

/* False without memory. */
static bool find(const struct inq_condition *condition, const json_t *document,
                 struct inq_match *match, struct inq_finding *ret_finding)
{
    struct inq_finding finding = {.text = condition->text, .fact = condition->path};
    if (condition->kind == INQ_CONDITION_ANY) {
        struct any_result result = test_any(condition, document);
        finding.truth = result.truth;
        finding.seen = any_seen(condition, &result);
        /* Templates mean the first quantifier's element. */
        if (result.truth == INQ_YES && !match->element_name) {
            match->element_name = condition->element;
            match->element = result.element;
        }
    } else {
        struct inq_fact_value fact = inq_evidence_get(document, condition->path, NULL, NULL);
        finding.truth = compare_fact(condition, &fact);
        finding.seen = fact_seen(&fact);
    }
    if (!finding.seen)
        return false;
    *ret_finding = finding;
    return true;
}

static bool find_all(const struct inq_conditions *conditions, const json_t *document,
                     struct inq_match *match)
{
    for (size_t i = 0; i < conditions->count; i++) {
        struct inq_finding *finding = &match->findings[match->n_findings];
        if (!find(conditions->items[i], document, match, finding))
            return false;
        match->n_findings++;
    }
    return true;
}

/* All of them, without a record; for counter-evidence. */
static enum inq_truth test_all(const struct inq_conditions *conditions, const json_t *document)
{
    enum inq_truth truth = INQ_YES;
    for (size_t i = 0; i < conditions->count && truth != INQ_NO; i++) {
        const struct inq_condition *condition = conditions->items[i];
        enum inq_truth one = INQ_MAYBE;
        if (condition->kind == INQ_CONDITION_ANY) {
            one = test_any(condition, document).truth;
        } else {
            struct inq_fact_value fact = inq_evidence_get(document, condition->path, NULL, NULL);
            one = compare_fact(condition, &fact);
        }
        truth = inq_truth_and(truth, one);
    }
    return truth;
}

static void conclude(struct inq_match *match)
{
    const struct inq_finding *finding = match->findings;
    match->when = INQ_YES;
    for (size_t i = 0; i < match->n_when; i++)
        match->when = inq_truth_and(match->when, (finding++)->truth);
    for (size_t i = 0; i < match->n_unless; i++)
        match->when = inq_truth_and(match->when, inq_truth_not((finding++)->truth));
    match->proven = match->n_proof > 0 ? INQ_YES : INQ_NO;
    for (size_t i = 0; i < match->n_proof; i++)
        match->proven = inq_truth_and(match->proven, (finding++)->truth);
}

struct inq_match *inq_rule_evaluate(const struct inq_rule *rule, const json_t *document)
{
    struct inq_match *match = calloc(1, sizeof(*match));
    if (!match)
        return NULL;
    match->rule = rule;
    match->n_when = rule->when.count;
    match->n_unless = rule->unless.count;
    match->n_proof = rule->proof.count;
    size_t lines = match->n_when + match->n_unless + match->n_proof;
    match->findings = calloc(lines + 1, sizeof(*match->findings));
    match->against = calloc(rule->n_against + 1, sizeof(*match->against));
    if (!match->findings || !match->against || !find_all(&rule->when, document, match) ||
        !find_all(&rule->unless, document, match) || !find_all(&rule->proof, document, match)) {
        inq_match_destroy(match);
        return NULL;
    }
    for (size_t i = 0; i < rule->n_against; i++)
        match->against[i] = test_all(&rule->against[i].when, document);
    conclude(match);
    return match;
}

void inq_match_destroy(struct inq_match *match)
{
    if (!match)
        return;
    for (size_t i = 0; match->findings && i < match->n_findings; i++)
        free(match->findings[i].seen);
    free(match->findings);
    free(match->against);
    free(match);
}

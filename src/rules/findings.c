/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions with what was seen, in words for people. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evaluator.h"
#include "text.h"

/* "module libfoo.so", "frame bar", "thread 17", for people. */
static char *element_text(const char *name, const json_t *element)
{
    static const char *const keys[] = {"function", "name",   "family", "symbol",
                                       "code",     "soname", "kind"};
    static const char *const numbers[] = {"tid", "index"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++) {
        const char *value = json_string_value(json_object_get(element, keys[i]));
        if (value)
            return inq_format("%s %.200s", name, value);
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(numbers); i++) {
        const json_t *value = json_object_get(element, numbers[i]);
        if (json_is_integer(value))
            return inq_format("%s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
    }
    return inq_format("%s", name);
}

static char *count_text(const struct inq_list_result *result)
{
    const char *why = result->why ? result->why : "";
    const char *colon = result->why ? ": " : "";
    if (result->low == result->high)
        return inq_format("%" PRIu64 "%s%s", result->low, colon, why);
    if (result->high == UINT64_MAX)
        return inq_format("%" PRIu64 " or more%s%s", result->low, colon, why);
    return inq_format("%" PRIu64 " to %" PRIu64 "%s%s", result->low, result->high, colon, why);
}

static char *list_text(const struct inq_condition *condition, const struct inq_list_result *result)
{
    _cleanup_free_ char *element =
        result->element ? element_text(condition->element, result->element) : NULL;
    if (condition->kind == INQ_CONDITION_COUNT)
        return count_text(result);
    if (result->truth == INQ_MAYBE)
        return element ? inq_format("%s: %s", element, result->why) : inq_format("%s", result->why);
    if (condition->kind == INQ_CONDITION_ANY)
        return result->truth == INQ_YES ? TAKE_PTR(element)
                                        : inq_format("none of %zu", result->looked_at);
    if (result->truth == INQ_YES)
        return inq_format("all %zu", result->looked_at);
    return element ? inq_format("not %s", element) : inq_format("there are none");
}

static char *fact_text(const struct inq_run *run, const char *path, const struct inq_fact *fact,
                       const struct inq_fact_scope *scope)
{
    const json_t *document = run->evaluator->document;
    struct inq_fact_value value = inq_evidence_get_in(document, path, scope);
    if (value.known == INQ_KNOWN)
        return inq_fact_text(document, fact, value.value);
    return strdup(value.known == INQ_NONE ? "none" : value.why);
}

/* The value, and beside it the one on the right when that is a fact too. */
static char *compare_text(const struct inq_run *run, const struct inq_condition *condition,
                          const struct inq_fact_scope *scope)
{
    char *left = fact_text(run, condition->path, condition->fact, scope);
    if (!condition->right || !left)
        return left;
    _cleanup_free_ char *mine = left;
    _cleanup_free_ char *right = fact_text(run, condition->right, condition->right_fact, scope);
    return right ? inq_format("%s; {%s} is %s", mine, condition->right, right) : NULL;
}

/* The line that decides, with what was seen there. */
static char *either_text(struct inq_run *run, const struct inq_condition *condition,
                         const struct inq_fact_scope *scope, enum inq_truth truth)
{
    for (size_t i = 0; i < condition->inner.count && truth != INQ_NO; i++) {
        const struct inq_condition *line = condition->inner.items[i];
        struct inq_finding finding;
        if (inq_run_test(run, line, scope) != truth)
            continue;
        if (!inq_run_find(run, line, scope, &finding))
            return NULL;
        char *text = inq_format("%s: %s", finding.text, finding.seen);
        inq_findings_destroy(&finding, 1);
        return text;
    }
    return inq_format("none of %zu", condition->inner.count);
}

struct line_tally {
    json_int_t yes, unknown, of;
};

static bool tally_line(void *context, const json_t *element, enum inq_truth truth)
{
    struct line_tally *tally = context;
    (void)element;
    tally->yes += truth == INQ_YES;
    tally->unknown += truth == INQ_MAYBE;
    tally->of++;
    return true;
}

/* Which line it is that no element fits. */
static bool add_lines(struct inq_run *run, const struct inq_condition *condition,
                      const struct inq_fact_scope *scope, struct inq_finding *finding)
{
    if (!run->explain || !condition->element || condition->inner.count == 0)
        return true;
    finding->lines = json_array();
    for (size_t i = 0; i < condition->inner.count; i++) {
        struct inq_condition one = *condition;
        struct line_tally tally = {.of = 0};
        one.inner = (struct inq_conditions){.items = &condition->inner.items[i], .count = 1};
        (void)inq_run_each(run, &one, scope, tally_line, &tally);
        if (json_array_append_new(finding->lines,
                                  json_pack("{s:s, s:I, s:I, s:I}", "text",
                                            one.inner.items[0]->text, "yes", tally.yes, "unknown",
                                            tally.unknown, "of", tally.of)) != 0)
            return false;
    }
    return true;
}

/* The rule's own words: with what the quantifier has found. */
static bool add_words(struct inq_run *run, const struct inq_condition *condition,
                      const struct inq_fact_scope *scope, const json_t *element,
                      struct inq_finding *finding)
{
    struct inq_fact_scope names = *scope;
    if (!condition->says || finding->truth != INQ_YES)
        return true;
    if (condition->kind == INQ_CONDITION_ANY)
        inq_run_bind(run, condition, element, scope, &names);
    finding->says = inq_render_in(condition->says, run->evaluator->document, &names);
    return finding->says != NULL;
}

bool inq_run_find_bound(struct inq_run *run, const struct inq_condition *condition,
                        const struct inq_fact_scope *scope, struct inq_finding *ret_finding)
{
    const struct inq_fact_scope none = {.count = 0};
    struct inq_fact_scope own = {.items = {scope->items[0]}, .count = 1};
    const json_t *element = scope->items[0].value;
    struct inq_finding finding = {
        .condition = condition, .text = condition->text, .fact = condition->path};
    if (!element)
        return inq_run_find(run, condition, &none, ret_finding);
    finding.truth = inq_run_test_all(run, &condition->inner, &own);
    finding.seen = element_text(condition->element, element);
    if (!finding.seen || !add_words(run, condition, &none, element, &finding) ||
        !add_lines(run, condition, &none, &finding)) {
        inq_findings_destroy(&finding, 1);
        return false;
    }
    *ret_finding = finding;
    return true;
}

/* Nesting is bounded by that of the file. */
bool inq_run_find(struct inq_run *run, const struct inq_condition *condition,
                  const struct inq_fact_scope *scope, struct inq_finding *ret_finding)
{
    struct inq_finding finding = {
        .condition = condition, .text = condition->text, .fact = condition->path};
    const json_t *element = NULL;
    finding.truth = inq_run_test(run, condition, scope);
    if (condition->kind == INQ_CONDITION_COMPARE) {
        finding.seen = compare_text(run, condition, scope);
    } else if (condition->kind == INQ_CONDITION_EITHER) {
        finding.fact = condition->inner.items[0]->path;
        finding.seen = either_text(run, condition, scope, finding.truth);
    } else {
        struct inq_list_result result = inq_run_list(run, condition, scope);
        finding.seen = list_text(condition, &result);
        element = result.element;
    }
    if (!finding.seen || !add_words(run, condition, scope, element, &finding) ||
        !add_lines(run, condition, scope, &finding)) {
        inq_findings_destroy(&finding, 1);
        return false;
    }
    *ret_finding = finding;
    return true;
}

void inq_findings_destroy(struct inq_finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(findings[i].seen);
        free(findings[i].says);
        json_decref(findings[i].lines);
    }
}

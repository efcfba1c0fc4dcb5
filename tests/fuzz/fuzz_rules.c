/* SPDX-License-Identifier: Apache-2.0 */

/* A signature file: read, checked, evaluated over some reports, judged and rendered. */

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fuzz.h"
#include "rule_read.h"
#include "verdict.h"

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct inq_rule *)a)->id, ((const struct inq_rule *)b)->id);
}

static void render(const char *text, const json_t *document, const struct inq_match *match)
{
    char *rendered = text ? inq_rule_render(text, document, match) : NULL;

    FUZZ_CHECK(!text || rendered, "a template is filled in");
    free(rendered);
}

static void evaluate(const struct inq_rule *rule, const json_t *document)
{
    struct inq_match *match = inq_rule_evaluate(rule, document);

    FUZZ_CHECK(match, "a rule is evaluated");
    char *cause = inq_rule_cause(document, match);
    FUZZ_CHECK(cause, "a cause is told");
    free(cause);
    for (size_t i = 0; i < rule->n_rivals; i++)
        render(rule->rivals[i].read, document, match);
    for (size_t i = 0; i < rule->n_fixes; i++) {
        render(rule->fixes[i].text, document, match);
        for (size_t k = 0; k < rule->fixes[i].n_commands; k++)
            render(rule->fixes[i].commands[k], document, match);
    }
    inq_match_destroy(match);
}

static void judge(struct inq_rules *rules, const struct inq_evidence *report)
{
    struct inq_evidence copy = {.document = json_deep_copy(report->document)};

    FUZZ_CHECK(copy.document, "memory");
    json_object_del(copy.document, "verdicts");
    for (size_t i = 0; i < rules->count; i++)
        evaluate(&rules->items[i], copy.document);
    FUZZ_CHECK(!inq_verdicts_judge(rules, &copy) && !copy.failed, "verdicts are made");
    fuzz_check_document(copy.document);
    json_decref(copy.document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    struct inq_rule_source source = {.arena = arena, .file = "fuzz.yaml"};
    struct inq_evidence *const *reports;
    struct inq_rule *items = NULL;
    size_t count = 0;

    FUZZ_CHECK(arena, "memory");
    struct inq_error *error = inq_rules_read(&source, (const char *)data, size, &items, &count);
    if (error) {
        FUZZ_CHECK(error->code == INQ_E_RULE, "a bad file is a bad file");
        fuzz_check_error(error);
        return 0;
    }
    size_t kept = 0; /* what is disabled is no rule */
    for (size_t i = 0; i < count; i++)
        if (items[i].change != INQ_RULE_DISABLES)
            items[kept++] = items[i];
    count = kept;
    if (count > 0)
        qsort(items, count, sizeof(*items), compare_ids);
    struct inq_rules rules = {.items = items, .count = count, .arena = arena};
    size_t n = fuzz_reports(&reports);
    for (size_t i = 0; i < n; i++)
        judge(&rules, reports[i]);
    return 0;
}

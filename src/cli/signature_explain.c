/* SPDX-License-Identifier: Apache-2.0 */

/* inquest signatures explain ID REPORT: why a signature fits a report, or does not. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "signatures.h"

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* "  yes      signal.name is SIGSEGV: SIGSEGV" */
static void put_line(struct inq_text *out, const json_t *line)
{
    const json_t *lines = json_object_get(line, "lines"), *inner;
    const char *effect = text_at(line, "effect");
    size_t i;

    inq_text_printf(out, "  %-8s ", text_at(line, "truth"));
    inq_text_append_escaped_string(out, text_at(line, "text"));
    inq_text_append(out, "\n           ");
    inq_text_append_escaped_string(out, text_at(line, "seen"));
    if (effect)
        inq_text_printf(out, " (%s)", effect);
    inq_text_append(out, "\n");
    json_array_foreach (lines, i, inner) {
        json_int_t unknown = json_integer_value(json_object_get(inner, "unknown"));

        inq_text_printf(out, "           %lld of %lld",
                        (long long)json_integer_value(json_object_get(inner, "yes")),
                        (long long)json_integer_value(json_object_get(inner, "of")));
        if (unknown > 0)
            inq_text_printf(out, ", %lld not known", (long long)unknown);
        inq_text_append(out, ": ");
        inq_text_append_escaped_string(out, text_at(inner, "text"));
        inq_text_append(out, "\n");
    }
}

static void put_sections(struct inq_text *out, const json_t *explanation)
{
    static const struct {
        const char *section, *heading;
    } sections[] = {
        {"when", "when: all of these are needed"},
        {"unless", "unless: none of these may hold"},
        {"strong", "strong: all of these make it strong, when no rival is left"},
        {"proof", "proof: all of these make it proven"},
        {"against", "against: what speaks against it"},
    };
    const json_t *lines = json_object_get(explanation, "lines"), *line;
    size_t i;

    for (size_t s = 0; s < INQ_ARRAY_SIZE(sections); s++) {
        bool first = true;

        json_array_foreach (lines, i, line) {
            if (strcmp(text_at(line, "section"), sections[s].section) != 0)
                continue;
            if (first)
                inq_text_printf(out, "\n%s\n", sections[s].heading);
            first = false;
            put_line(out, line);
        }
    }
}

static void put_rivals(struct inq_text *out, const json_t *explanation)
{
    const json_t *rivals = json_object_get(explanation, "rivals"), *rival;
    size_t i;

    if (json_array_size(rivals) > 0)
        inq_text_append(out, "\nrivals: what else gives this picture\n");
    json_array_foreach (rivals, i, rival) {
        inq_text_printf(out, "  %-10s ", text_at(rival, "state"));
        inq_text_append_escaped_string(out, text_at(rival, "id"));
        if (text_at(rival, "read")) {
            inq_text_append(out, "; to decide: ");
            inq_text_append_escaped_string(out, text_at(rival, "read"));
        }
        inq_text_append(out, "\n");
    }
}

static void put_verdict(struct inq_text *out, const json_t *explanation)
{
    const json_t *verdict = json_object_get(explanation, "verdict");
    const json_t *against = json_object_get(verdict, "against"), *text;
    const char *when = text_at(explanation, "when");
    size_t i;

    if (!verdict) {
        inq_text_printf(out, "\nIt %s%s.\n",
                        !strcmp(when, "no") ? "does not fit" : "stays open, and is not listed",
                        !strcmp(when, "no") ? ": it is no verdict" : "");
        return;
    }
    inq_text_printf(out, "\nIts grade is %s, and its rank %lld.\n", text_at(verdict, "grade"),
                    (long long)json_integer_value(json_object_get(verdict, "rank")));
    json_array_foreach (against, i, text) {
        inq_text_append(out, "  - ");
        inq_text_append_escaped_string(out, json_string_value(text));
        inq_text_append(out, "\n");
    }
}

static void print_text(struct cli *cli, const json_t *explanation)
{
    struct inq_text text = {0};

    inq_text_append_escaped_string(&text, text_at(explanation, "id"));
    inq_text_append(&text, ": ");
    inq_text_append_escaped_string(&text, text_at(explanation, "title"));
    inq_text_append(&text, "\n");
    inq_text_append_escaped_string(&text, text_at(explanation, "file"));
    inq_text_printf(&text, ":%lld\n",
                    (long long)json_integer_value(json_object_get(explanation, "line")));
    put_sections(&text, explanation);
    put_rivals(&text, explanation);
    put_verdict(&text, explanation);
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

/* A report, or the file of evidence that has one in it. */
static struct inq_error *read_evidence(const char *path, struct inq_evidence **ret_evidence)
{
    _cleanup_free_ char *bytes = NULL;
    _cleanup_free_ char *inner = NULL;
    json_error_t where;
    size_t size = 0;

    INQ_TRY(cli_read_report(path, &bytes, &size));
    json_t *file = json_loadb(bytes, size, 0, &where);
    const json_t *report = json_object_get(file, "report");
    if (json_is_object(report))
        inner = json_dumps(report, 0);
    json_decref(file);
    struct inq_error *error =
        inq_evidence_parse(inner ? inner : bytes, inner ? strlen(inner) : size, path, ret_evidence);
    if (!error || error->code == INQ_E_MEMORY)
        return error;
    /* From a worker it would be the worker's failure; this file was named by a person. */
    _cleanup_(inq_error_destroyp) struct inq_error *owned = error;
    return inq_error_in(inq_error_create(INQ_E_CONFIG, "%s", owned->message), path);
}

/* The verdict as it would stand in a report made now. */
static const json_t *verdict_of(const json_t *document, const char *id)
{
    const json_t *verdicts = json_object_get(document, "verdicts"), *verdict;
    size_t i;

    json_array_foreach (verdicts, i, verdict) {
        const char *signature = text_at(verdict, "signature");

        if (signature && !strcmp(signature, id))
            return verdict;
    }
    return NULL;
}

static struct inq_error *explain(struct cli *cli, const struct inq_rules *rules,
                                 const struct inq_rule *rule, const char *path)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    const json_t *verdict;
    json_t *explanation;

    INQ_TRY(read_evidence(path, &evidence));
    INQ_TRY(inq_pipeline_rejudge(evidence, rules));
    explanation = inq_verdict_explain(rules, rule, evidence->document);
    if (!explanation)
        return &inq_error_oom;
    verdict = verdict_of(evidence->document, rule->id);
    if (verdict)
        json_object_set(explanation, "verdict", (json_t *)verdict);
    if (cli->options.json)
        cli_print_json(cli, explanation, true);
    else
        print_text(cli, explanation);
    json_decref(explanation);
    return NULL;
}

int cli_signatures_explain(struct cli *cli)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = NULL;
    const struct inq_rule *rule;
    struct inq_error *error;

    if (cli->n_args != 3) {
        cli_message(cli, "signatures explain: name an ID and a REPORT (of inquest triage --json)");
        return CLI_EXIT_USAGE;
    }
    error = cli_load_rules(cli, true, &rules);
    if (error)
        return cli_fail(cli, error);
    cli_tell_refused(cli, rules);
    rule = cli_find_signature(cli, rules, cli->args[1]);
    if (!rule)
        return CLI_EXIT_USAGE;
    error = explain(cli, rules, rule, cli->args[2]);
    return error ? cli_fail(cli, error) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * rejudge: today's signatures over the evidence of old crashes. The cores stay closed, and may long
 * be gone.
 */

#include <string.h>

#include "cleanup.h"
#include "cli.h"

struct rejudging {
    struct cli *cli;
    const struct inq_rules *rules;
    struct inq_error *error;
    uint64_t judged, changed;
};

static const char *first_of(const json_t *report, const char *key)
{
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    const char *text = json_string_value(json_object_get(best, key));

    return text ? text : "-";
}

static void tell_change(struct cli *cli, const char *uid, const json_t *before, const json_t *after)
{
    struct inq_text text = {0};

    inq_text_printf(&text, "%s  ", uid);
    inq_text_append_escaped_string(&text, first_of(before, "signature"));
    inq_text_append(&text, " (");
    inq_text_append_escaped_string(&text, first_of(before, "grade"));
    inq_text_append(&text, ") is now ");
    inq_text_append_escaped_string(&text, first_of(after, "signature"));
    inq_text_append(&text, " (");
    inq_text_append_escaped_string(&text, first_of(after, "grade"));
    inq_text_append(&text, ")\n");
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

static struct inq_error *judge(struct rejudging *r, const char *uid, const json_t *before)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;

    INQ_TRY(inq_evidence_create(&evidence));
    json_decref(evidence->document);
    evidence->document = json_deep_copy(before);
    if (!evidence->document)
        return &inq_error_oom;
    INQ_TRY(inq_pipeline_rejudge(evidence, r->rules));
    r->judged++;
    const json_t *after = evidence->document;
    if (strcmp(first_of(before, "signature"), first_of(after, "signature")) != 0 ||
        strcmp(first_of(before, "grade"), first_of(after, "grade")) != 0) {
        r->changed++;
        if (!r->cli->options.quiet)
            tell_change(r->cli, uid, before, after);
    }
    if (r->cli->options.dry_run)
        return NULL;
    json_t *row = inq_records_row(after);
    struct inq_error *error =
        row ? inq_store_replace(r->cli->store, uid, after, row) : &inq_error_oom;
    json_decref(row);
    if (!error || error == &inq_error_oom || error->code != INQ_E_STORE_NONE)
        return error;
    inq_error_destroy(error); /* purged a moment ago */
    return NULL;
}

static bool judge_row(void *context, const char *uid, json_t *row)
{
    struct rejudging *r = context;

    if (!json_object_get(row, "error"))
        r->error = judge(r, uid, row);
    return !r->error && !inq_pipeline_interrupted();
}

static struct inq_error *rejudge_all(struct rejudging *r)
{
    struct cli *cli = r->cli;
    struct inq_error *error;

    INQ_TRY(cli_need_store(cli, cli->options.dry_run ? INQ_STORE_READ : INQ_STORE_WRITE));
    error = inq_store_each(cli->store, &cli->options.filter, true, judge_row, r);
    return error ? error : r->error;
}

int cli_rejudge(struct cli *cli)
{
    struct rejudging r = {.cli = cli};
    struct inq_rules *rules = NULL;
    struct inq_text text = {0};

    if (cli->n_args > 0) {
        cli_message(cli, "rejudge: what is \"%s\"?", cli->args[0]);
        return CLI_EXIT_USAGE;
    }
    struct inq_error *error = cli_load_rules(cli, true, &rules);
    if (!error) {
        r.rules = rules;
        error = rejudge_all(&r);
    }
    cli_close_store(cli);
    inq_rules_destroy(rules);
    if (error)
        return cli_fail(cli, error);
    inq_text_printf(&text, "%llu crash%s judged again, %llu with another answer%s\n",
                    (unsigned long long)r.judged, r.judged == 1 ? "" : "es",
                    (unsigned long long)r.changed,
                    cli->options.dry_run ? " (nothing was kept)" : "");
    cli_print(cli, &text);
    inq_text_deinit(&text);
    return inq_pipeline_interrupted() ? CLI_EXIT_SIGNAL + inq_pipeline_interrupted() : 0;
}

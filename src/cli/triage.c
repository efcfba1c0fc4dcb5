/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "known_issues.h"

/* 6 > 5 > 3 > 4 > 1 > 0: a core that gave nothing weighs more than one that gave part. */
#define PAGE_COLUMNS 100u

static int graver(int a, int b)
{
    static const int order[] = {6, 5, 3, 4, 1};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return 0;
}

/* "FILE: message (offset 0x40) [INQ-032]" */
static void tell_error(struct cli *cli, const json_t *error, const char *path)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_t *offset = json_object_get(error, "offset");

    if (json_is_integer(offset))
        cli_message(cli, "%s: %s (offset 0x%llx) [%s]", path, message ? message : "not analysable",
                    (unsigned long long)json_integer_value(offset), code ? code : "?");
    else
        cli_message(cli, "%s: %s [%s]", path, message ? message : "not analysable",
                    code ? code : "?");
}

static void print_report(struct cli *cli, const json_t *report, const char *path, bool first)
{
    const json_t *error = json_object_get(report, "error");
    struct inq_style style = cli_style(cli);
    struct inq_text text = {0};

    if (json_is_object(error))
        tell_error(cli, error, path);
    if (cli->options.json) {
        cli_print_json(cli, report, cli->n_args == 1);
    } else if (!json_is_object(error)) {
        if (!first)
            inq_text_append(&text, "\n");
        /* in a file or a ticket the prose should still be lines, not paragraphs of one line */
        if (style.width == 0)
            style.width = PAGE_COLUMNS;
        inq_report_text(report, &style, &text);
        cli_print(cli, &text);
        inq_text_deinit(&text);
    }
    cli_flush(cli);
}

static int triage_all(struct cli *cli)
{
    int gravest = 0;
    bool first = true;

    for (size_t i = 0; i < cli->n_args && !inq_pipeline_interrupted(); i++) {
        json_t *report = NULL;
        int exit_code = 0;
        struct inq_error *error =
            inq_pipeline_triage(cli->args[i], &cli->options.job, &report, &exit_code);

        if (error)
            return cli_fail(cli, error);
        if (!inq_pipeline_interrupted()) {
            print_report(cli, report, cli->args[i], first);
            first = first && exit_code == 3;
            gravest = graver(gravest, exit_code);
        }
        json_decref(report);
    }
    return inq_pipeline_interrupted() ? CLI_EXIT_SIGNAL + inq_pipeline_interrupted() : gravest;
}

int cli_triage(struct cli *cli)
{
    struct inq_known_issues issues = {0};
    struct inq_rules *rules = NULL;
    struct inq_error *error;
    int exit_code;

    if (cli->n_args == 0) {
        cli_message(cli, "triage: name a core, or - for standard input");
        return CLI_EXIT_USAGE;
    }
    for (size_t i = 0; i < cli->n_args; i++) {
        if (!strcmp(cli->args[i], "-") && cli->options.klog && !strcmp(cli->options.klog, "-")) {
            cli_message(cli, "triage: the core and the kernel log cannot both be standard input");
            return CLI_EXIT_USAGE;
        }
    }
    if (!cli->options.job.stacks_only) {
        error = cli_load_rules(cli, false, &rules);
        if (error)
            return cli_fail(cli, error);
    }
    error = cli_load_klog(cli);
    if (error) {
        inq_rules_destroy(rules);
        return cli_fail(cli, error);
    }
    cli_prepare_job(cli, rules);
    if (cli->options.known_issues) {
        error = inq_known_issues_read(cli->options.known_issues, &issues);
        if (error) {
            inq_rules_destroy(rules);
            return cli_fail(cli, error);
        }
        cli->options.job.issues = &issues;
    }
    cli_put_off_store(cli);
    exit_code = triage_all(cli);
    inq_known_issues_deinit(&issues);
    if (cli->records.failed && exit_code < CLI_EXIT_SIGNAL)
        exit_code = CLI_EXIT_IO;
    cli_close_store(cli);
    inq_rules_destroy(rules);
    return exit_code;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "cleanup.h"
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

/*
 * Reading a hundred signatures and the kernel's log takes as long as reading a small core: it is
 * done on the side, while the worker reads. Nobody else touches these until they are joined.
 */
struct preparation {
    struct cli *cli;
    struct inq_rules *rules;
    struct inq_kernel_log *log;
    struct inq_error *error;
    pthread_t thread;
    bool running;
};

static void *prepare(void *context)
{
    struct preparation *p = context;

    if (!p->cli->options.job.stacks_only)
        p->error = cli_load_rules(p->cli, false, &p->rules);
    if (!p->error)
        p->error = cli_load_klog(p->cli, &p->log);
    return NULL;
}

static void begin_preparation(struct preparation *p)
{
    p->running = pthread_create(&p->thread, NULL, prepare, p) == 0;
    if (!p->running)
        prepare(p);
}

static void end_preparation(void *context)
{
    struct preparation *p = context;

    if (p->running)
        pthread_join(p->thread, NULL);
    p->running = false;
    p->cli->options.job.rules = p->rules;
    if (p->log)
        cli_use_klog(p->cli, TAKE_PTR(p->log));
}

/* Without signatures or log nothing is worth printing. */
static int triage_all(struct cli *cli, struct preparation *preparation)
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
        end_preparation(preparation); /* where no worker was asked, nobody did so yet */
        if (preparation->error) {
            json_decref(report);
            break;
        }
        if (!inq_pipeline_interrupted()) {
            print_report(cli, report, cli->args[i], first);
            first = first && exit_code == 3;
            gravest = graver(gravest, exit_code);
        }
        json_decref(report);
    }
    return inq_pipeline_interrupted() ? CLI_EXIT_SIGNAL + inq_pipeline_interrupted() : gravest;
}

static bool arguments_fit(struct cli *cli)
{
    if (cli->n_args == 0) {
        cli_message(cli, "triage: name a core, or - for standard input");
        return false;
    }
    for (size_t i = 0; i < cli->n_args; i++) {
        if (!strcmp(cli->args[i], "-") && cli->options.klog && !strcmp(cli->options.klog, "-")) {
            cli_message(cli, "triage: the core and the kernel log cannot both be standard input");
            return false;
        }
    }
    return true;
}

int cli_triage(struct cli *cli)
{
    struct preparation preparation = {.cli = cli};
    struct inq_known_issues issues = {0};
    int exit_code;

    if (!arguments_fit(cli))
        return CLI_EXIT_USAGE;
    if (cli->options.known_issues) {
        struct inq_error *error = inq_known_issues_read(cli->options.known_issues, &issues);
        if (error)
            return cli_fail(cli, error);
        cli->options.job.issues = &issues;
    }
    cli_prepare_job(cli, NULL);
    cli->options.job.complete = end_preparation;
    cli->options.job.complete_context = &preparation;
    begin_preparation(&preparation);
    cli_put_off_store(cli);
    exit_code = triage_all(cli, &preparation);
    end_preparation(&preparation); /* where no worker was ever asked */
    if (preparation.error)
        exit_code = cli_fail(cli, preparation.error);
    inq_known_issues_deinit(&issues);
    if (cli->records.failed && exit_code < CLI_EXIT_SIGNAL)
        exit_code = CLI_EXIT_IO;
    cli_close_store(cli);
    inq_rules_destroy(preparation.rules);
    return exit_code;
}

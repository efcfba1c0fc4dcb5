/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "pattern.h"
#include "scan_extras.h"

/* {"format": "inquest-skipped", ...}: not a report, and nobody can take it for one. */
static void print_skipped_json(struct cli *cli, const struct inq_scan_row *row)
{
    json_t *line = json_pack("{s:s, s:i, s:b}", "format", "inquest-skipped", "version", 1,
                             "deferred", row->deferred);

    if (line) {
        inq_json_set_foreign(line, "path", row->path);
        inq_json_set_foreign(line, "reason", row->skipped);
        cli_print_json(cli, line, false);
        json_decref(line);
    } else {
        cli->pending.failed = true;
    }
}

static void print_row(void *context, const struct inq_scan_row *row)
{
    struct cli_scan *scan = context;
    struct cli *cli = scan->cli;
    const struct cli_options *o = &cli->options;
    struct inq_text text = {0};
    const bool was_shown = cli_scan_was_shown(scan, row);

    if (was_shown) {
        /* when it came, or when it first failed */
    } else if (row->skipped) {
        if (o->only_new) {
            /* somebody's mail: crashes and nothing else */
        } else if (o->json) {
            print_skipped_json(cli, row);
        } else if (o->verbose || (row->deferred && !o->quiet)) {
            inq_text_append(&text, row->deferred ? "deferred  " : "skipped  ");
            inq_text_append_escaped_string(&text, row->path);
            inq_text_append(&text, ": ");
            inq_text_append_escaped_string(&text, row->skipped);
            inq_text_append(&text, "\n");
            cli_print(cli, &text);
        }
    } else if (o->json) {
        cli_print_json(cli, row->report, false);
    } else if (!o->markdown || strcmp(o->markdown, "-") != 0) {
        const struct inq_style style = cli_style(cli);

        inq_report_line(row->report, &style, &text);
        inq_text_append(&text, "\n");
        cli_print(cli, &text);
    }
    inq_text_deinit(&text);
    if (!row->skipped && !(was_shown && scan->watching)) {
        cli_scan_note(scan, row);
        cli_flush(cli); /* somebody may be watching */
    }
}

static bool is_wanted(void *context, const json_t *report)
{
    return cli_scan_wanted(context, report);
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    const struct cli_scan *scan = context;

    cli_progress(scan->cli, done, total);
}

static void count_words(struct inq_text *text, uint64_t n, const char *one, const char *many)
{
    inq_text_printf(text, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static void print_summary(struct cli *cli, const struct inq_scan_result *result)
{
    const struct inq_style style = cli_style(cli);
    const size_t groups = json_array_size(result->groups);
    struct inq_text text = {0};

    if (groups > 0) {
        inq_text_append(&text, "\n");
        inq_report_groups(result->groups, &style, &text);
        inq_text_append(&text, "\n");
    }
    if (!cli->options.quiet) {
        count_words(&text, result->files, "file", "files");
        inq_text_append(&text, ": ");
        count_words(&text, result->crashes, "crash", "crashes");
        if (groups > 0) {
            inq_text_append(&text, " in ");
            count_words(&text, groups, "group", "groups");
        }
        if (result->known > 0)
            inq_text_printf(&text, " (%llu known from earlier scans)",
                            (unsigned long long)result->known);
        if (result->partial > 0)
            inq_text_printf(&text, " (%llu partial)", (unsigned long long)result->partial);
        if (result->copies > 0)
            inq_text_printf(&text, ", %llu more %s", (unsigned long long)result->copies,
                            result->copies == 1 ? "copy" : "copies");
        if (result->failed > 0)
            inq_text_printf(&text, ", %llu not analysable", (unsigned long long)result->failed);
        if (result->unwanted > 0)
            inq_text_printf(&text, ", %llu left out", (unsigned long long)result->unwanted);
        if (result->skipped > 0) {
            inq_text_append(&text, ", ");
            count_words(&text, result->skipped, "other file", "other files");
        }
        inq_text_append(&text, "\n");
    }
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

/* {"format": "inquest-kernel-log", ...}: a death that left no core among those that were read. */
static void print_line_json(struct cli *cli, const json_t *row)
{
    json_t *line = json_pack("{s:s, s:i}", "format", "inquest-kernel-log", "version", 1);

    if (line && json_object_update_missing(line, (json_t *)row) == 0)
        cli_print_json(cli, line, false);
    else
        cli->pending.failed = true;
    json_decref(line);
}

/* Crashes that the kernel's log has and no core was there for. */
static struct inq_error *print_without_core(struct cli *cli)
{
    const struct inq_kernel_log *log = cli->options.kernel_log;
    const struct inq_style style = cli_style(cli);
    struct inq_text text = {0};
    json_t *left = NULL;
    const json_t *row;
    size_t i;

    if (!log || !inq_kernel_log_concerns(log))
        return NULL;
    INQ_TRY(inq_kernel_log_left(log, &left));
    if (cli->options.json) {
        json_array_foreach (left, i, row)
            print_line_json(cli, row);
    } else if (json_array_size(left) > 0) {
        inq_text_append(&text, "\n");
        inq_report_without_core(left, &style, &text);
        cli_print(cli, &text);
    }
    inq_text_deinit(&text);
    json_decref(left);
    return NULL;
}

/*
 * Where the kernel puts cores: the directory part of its pattern, "." for a relative one. NULL
 * after a message when it pipes them to a program.
 */
static char *default_path(struct cli *cli)
{
    _cleanup_free_ char *pattern = inq_pattern_of_kernel();
    const char *slash;

    if (!pattern) {
        cli_message(cli, "scan: /proc/sys/kernel/core_pattern cannot be read: name a PATH");
        return NULL;
    }
    if (*pattern == '|') {
        cli_message(
            cli, "scan: the kernel pipes cores to a program (core_pattern is %s): name a PATH%s",
            pattern,
            strstr(pattern, "systemd-coredump") ? ", such as /var/lib/systemd/coredump" : "");
        return NULL;
    }
    slash = strrchr(pattern, '/');
    if (!slash)
        return strdup(".");
    if (memchr(pattern, '%', (size_t)(slash - pattern))) {
        cli_message(cli,
                    "scan: the kernel spreads cores over directories (core_pattern is %s): "
                    "name a PATH",
                    pattern);
        return NULL;
    }
    return strndup(pattern, slash == pattern ? 1 : (size_t)(slash - pattern));
}

static bool is_quiet_about(const struct cli_scan *scan)
{
    const struct cli_options *o = &scan->cli->options;

    return o->json || scan->watching || (o->only_new && scan->rows == 0) ||
           (o->markdown && !strcmp(o->markdown, "-"));
}

/* Everything that is told once, when all rows are out. Returns the exit code. */
static int conclude(struct cli_scan *scan, struct inq_scan_result *result)
{
    struct cli *cli = scan->cli;
    const struct cli_options *o = &cli->options;
    int exit_code = result->exit_code;

    if (!is_quiet_about(scan))
        print_summary(cli, result);
    if (o->advice && !is_quiet_about(scan))
        cli_scan_print_advice(scan);
    struct inq_error *error = cli_scan_write_markdown(scan, result->groups);
    if (error)
        return cli_fail(cli, error);
    if (o->only_new && scan->rows == 0 && exit_code < 5)
        exit_code = 0;
    if (scan->fail_on > 0 && exit_code != 6 && exit_code != 5)
        exit_code = CLI_EXIT_FOUND;
    return exit_code;
}

static int scan_paths(struct cli_scan *scan, const char *const *paths, size_t n)
{
    struct cli *cli = scan->cli;
    struct inq_scan_result result = {0};
    struct inq_scan_options options = {
        .job = cli->options.job,
        .jobs = cli->options.jobs,
        .recursive = !cli->options.flat,
        .young = cli->options.young,
        .full_reports = cli->options.json,
        .group_by = cli->options.group_by,
        .wanted = is_wanted,
        .row = print_row,
        .progress = show_progress,
        .context = scan,
    };
    struct inq_error *error;

    options.job.issues = &scan->issues;
    error = inq_pipeline_scan(paths, n, &options, &result);
    if (error)
        return cli_fail(cli, error);
    if (!inq_pipeline_interrupted() && !scan->watching && !cli->options.only_new &&
        !cli->options.quiet)
        error = print_without_core(cli);
    int exit_code = inq_pipeline_interrupted() ? result.exit_code : conclude(scan, &result);
    json_decref(result.groups);
    if (error)
        return cli_fail(cli, error);
    if (exit_code != CLI_EXIT_IO || !cli->options.markdown)
        cli_scan_mark_shown(scan);
    return exit_code;
}

static int scan_and_watch(struct cli_scan *scan, const char *const *paths, size_t n)
{
    int exit_code = scan_paths(scan, paths, n);

    return scan->cli->options.watch && !inq_pipeline_interrupted() && !scan->cli->records.failed &&
                   !scan->cli->write_failed
               ? cli_scan_watch(scan, paths, n, scan_paths)
               : exit_code;
}

static bool options_fit(struct cli *cli)
{
    const struct cli_options *o = &cli->options;

    if ((o->only_new || o->watch) && (o->no_store || o->job.stacks_only)) {
        cli_message(cli, "--%s needs the crash database", o->only_new ? "new" : "watch");
        return false;
    }
    return true;
}

static struct inq_error *prepare_scan(struct cli_scan *scan)
{
    struct cli *cli = scan->cli;

    if (cli->options.advice && !(scan->kept = json_object()))
        return &inq_error_oom;
    if (cli->options.known_issues)
        INQ_TRY(inq_known_issues_read(cli->options.known_issues, &scan->issues));
    INQ_TRY(cli_open_store(cli));
    if ((cli->options.only_new || cli->options.watch) && !cli->store)
        return inq_error_create(INQ_E_STORE, "--%s needs the crash database: name one with --db",
                                cli->options.only_new ? "new" : "watch");
    return NULL;
}

int cli_scan(struct cli *cli)
{
    struct cli_scan scan = {.cli = cli};
    _cleanup_free_ char *path = NULL;
    struct inq_kernel_log *log = NULL;
    struct inq_rules *rules = NULL;
    struct inq_error *error = NULL;
    int exit_code;

    if (!options_fit(cli))
        return CLI_EXIT_USAGE;
    for (size_t i = 0; i < cli->n_args; i++) {
        if (!strcmp(cli->args[i], "-")) {
            cli_message(cli, "scan reads files: for a core on standard input use inquest triage -");
            return CLI_EXIT_USAGE;
        }
    }
    if (cli->n_args == 0) {
        path = default_path(cli);
        if (!path)
            return CLI_EXIT_USAGE;
    }
    if (!cli->options.job.stacks_only)
        error = cli_load_rules(cli, false, &rules);
    if (error)
        return cli_fail(cli, error);
    error = cli_load_klog(cli, &log);
    if (error) {
        inq_rules_destroy(rules);
        return cli_fail(cli, error);
    }
    cli_use_klog(cli, log);
    cli_prepare_job(cli, rules);
    error = prepare_scan(&scan);
    if (error)
        exit_code = cli_fail(cli, error);
    else
        exit_code = path ? scan_and_watch(&scan, (const char *const *)&path, 1)
                         : scan_and_watch(&scan, cli->args, cli->n_args);
    cli_scan_deinit(&scan);
    cli_close_store(cli);
    inq_rules_destroy(rules);
    return exit_code;
}

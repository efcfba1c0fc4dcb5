/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

#define PAGE_COLUMNS 100u

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void tell_error(struct cli *cli, const json_t *error, const char *path)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));

    cli_message(cli, "%s: %s [%s]", path, message ? message : "not analysable", code ? code : "?");
}

static void print_report(struct cli *cli, const json_t *report, const char *path, bool prefix)
{
    const json_t *error = json_object_get(report, "error");
    struct inq_style style = cli_style(cli);
    struct inq_text text = {0};

    if (json_is_object(error))
        tell_error(cli, error, path);
    if (cli->options.json) {
        cli_print_json(cli, report, true);
    } else if (!json_is_object(error)) {
        if (style.width == 0)
            style.width = PAGE_COLUMNS;
        if (prefix)
            inq_report_pairs(report, &style, cli->options.all, &text);
        else
            inq_report_libs(report, &style, cli->options.all, &text);
        cli_print(cli, &text);
        inq_text_deinit(&text);
    }
    cli_flush(cli);
}

/*
 * 1 is a conflicting pair: in a core, slots that are bound across. That the report has gaps is no
 * conflict; where nothing could be said about bindings it is not "done" either.
 */
static int core_exit(const json_t *report, int exit_code)
{
    if (exit_code > 1)
        return exit_code;
    if (inq_report_has_crossing(report))
        return 1;
    return json_is_array(json_object_get(report, "collisions")) ? 0 : exit_code;
}

static int look(struct cli *cli, const char *path)
{
    const bool prefix = is_directory(path);
    json_t *report = NULL;
    int exit_code = 0;
    struct inq_error *error =
        prefix ? inq_pipeline_prefix(path, &cli->options.job, &report, &exit_code)
               : inq_pipeline_triage(path, &cli->options.job, &report, &exit_code);

    if (error)
        return cli_fail(cli, error);
    if (!inq_pipeline_interrupted()) {
        print_report(cli, report, path, prefix);
        if (!prefix)
            exit_code = core_exit(report, exit_code);
    }
    json_decref(report);
    return inq_pipeline_interrupted() ? CLI_EXIT_SIGNAL + inq_pipeline_interrupted() : exit_code;
}

int cli_libs(struct cli *cli)
{
    struct inq_rules *rules = NULL;
    struct inq_error *error;
    int exit_code;

    if (cli->n_args != 1) {
        cli_message(cli, "libs: name one core, or the folder of an environment");
        return CLI_EXIT_USAGE;
    }
    if (strspn(cli->args[0], "0123456789") == strlen(cli->args[0]) && cli->args[0][0] &&
        !is_directory(cli->args[0])) {
        struct stat st;

        if (stat(cli->args[0], &st) != 0) {
            cli_message(cli,
                        "libs: a running process: not in this version; name a core or a folder");
            return CLI_EXIT_USAGE;
        }
    }
    error = cli_load_rules(cli, false, &rules);
    if (error)
        return cli_fail(cli, error);
    cli_prepare_job(cli, rules);
    cli->options.job.all_owners = true;
    exit_code = look(cli, cli->args[0]);
    inq_rules_destroy(rules);
    return exit_code;
}

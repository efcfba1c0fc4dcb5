/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "doctor.h"
#include "doctor_trial.h"

#define PAGE_COLUMNS 100u
#define WORD_COLUMNS 9u

static const char *const state_colors[] = {"\033[32m", "\033[36m", "\033[35m", "\033[1;31m"};

/* "  why:     words", wrapped; takes foreign bytes. */
static void put_prose(struct inq_text *text, const char *lead, const char *words, unsigned width)
{
    _cleanup_free_ char *escaped = inq_escape(words);
    const size_t indent = strlen(lead);
    size_t column = indent;

    if (!escaped) {
        text->failed = true;
        return;
    }
    inq_text_append(text, lead);
    for (const char *at = escaped; *at;) {
        const size_t size = strcspn(at, " ");
        _cleanup_free_ char *word = strndup(at, size);
        const size_t columns = word ? inq_text_width(word) : 0;

        if (column > indent && column + 1 + columns > width) {
            inq_text_append(text, "\n");
            for (size_t i = 0; i < indent; i++)
                inq_text_append(text, " ");
            column = indent;
        } else if (column > indent) {
            inq_text_append(text, " ");
            column++;
        }
        inq_text_append_bytes(text, at, size);
        column += columns;
        at += size;
        at += strspn(at, " ");
    }
    inq_text_append(text, "\n");
}

static void put_checkup(struct cli *cli, const struct inq_checkup *checkup)
{
    const struct inq_style style = cli_style(cli);
    const unsigned width = style.width ? style.width : PAGE_COLUMNS;
    const char *state = inq_checkup_state_name(checkup->state);
    const bool brief = checkup->state == INQ_CHECKUP_OK && !cli->options.verbose;
    struct inq_text text = {0};

    if (style.color)
        inq_text_append(&text, state_colors[checkup->state]);
    inq_text_append(&text, state);
    if (style.color)
        inq_text_append(&text, "\033[0m");
    for (size_t i = strlen(state); i < WORD_COLUMNS; i++)
        inq_text_append(&text, " ");
    inq_text_printf(&text, "%s: %s\n", checkup->id, checkup->title);
    if (!brief) {
        if (checkup->why.bytes)
            put_prose(&text, "         ", checkup->why.bytes, width);
        if (checkup->looked_at.bytes)
            put_prose(&text, "         seen: ", checkup->looked_at.bytes, width);
        for (size_t i = 0; checkup->state != INQ_CHECKUP_OK && i < checkup->commands.count; i++) {
            inq_text_append(&text, i == 0 ? "         mend: " : "               ");
            inq_text_append_escaped_string(&text, checkup->commands.items[i]);
            inq_text_append(&text, "\n");
        }
    }
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

static size_t count_state(const struct inq_checkups *checkups, enum inq_checkup_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < checkups->list.count; i++)
        n += checkups->list.items[i].state == state;
    return n;
}

static void put_summary(struct cli *cli, const struct inq_checkups *checkups)
{
    const size_t mend = count_state(checkups, INQ_CHECKUP_MEND);
    const size_t unknown = count_state(checkups, INQ_CHECKUP_UNKNOWN);
    const size_t advice = count_state(checkups, INQ_CHECKUP_ADVICE);
    struct inq_text text = {0};

    if (mend > 0)
        inq_text_printf(&text, "\n%zu to mend", mend);
    else
        inq_text_printf(&text, "\nNothing to mend%s", unknown ? " in what could be looked at" : "");
    if (advice > 0)
        inq_text_printf(&text, ", %zu that could be better", advice);
    if (unknown > 0)
        inq_text_printf(&text, ", %zu not known", unknown);
    inq_text_printf(&text, ", %zu in order%s.\n", count_state(checkups, INQ_CHECKUP_OK),
                    cli->options.verbose ? "" : " (-v shows what was seen)");
    if (!cli->options.quiet)
        cli_print(cli, &text);
    inq_text_deinit(&text);
}

/* The gravest first, and by id among equals. */
static void put_page(struct cli *cli, const struct inq_checkups *checkups)
{
    for (int state = INQ_CHECKUP_MEND; state >= INQ_CHECKUP_OK; state--)
        for (size_t i = 0; i < checkups->list.count; i++)
            if (checkups->list.items[i].state == (enum inq_checkup_state)state)
                put_checkup(cli, &checkups->list.items[i]);
    put_summary(cli, checkups);
}

static json_t *checkup_json(const struct inq_checkup *checkup)
{
    json_t *object = json_pack("{s:s, s:s, s:s}", "id", checkup->id, "title", checkup->title,
                               "verdict", inq_checkup_state_name(checkup->state));
    json_t *commands = json_array();

    if (!object || !commands) {
        json_decref(object);
        json_decref(commands);
        return NULL;
    }
    inq_json_set_foreign(object, "looked_at", checkup->looked_at.bytes);
    inq_json_set_foreign(object, "why", checkup->why.bytes);
    for (size_t i = 0; i < checkup->commands.count; i++) {
        bool lossy;
        _cleanup_free_ char *command = inq_utf8_from_bytes(
            checkup->commands.items[i], strlen(checkup->commands.items[i]), &lossy);

        json_array_append_new(commands, command ? json_string(command) : NULL);
    }
    json_object_set_new(object, "commands", commands);
    return object;
}

static void put_json(struct cli *cli, const struct inq_checkups *checkups)
{
    const uint64_t losses = inq_text_losses();
    json_t *checks = json_array(), *document;

    for (size_t i = 0; i < checkups->list.count; i++)
        json_array_append_new(checks, checkup_json(&checkups->list.items[i]));
    document = json_pack("{s:s, s:i, s:o, s:{s:I, s:I, s:I, s:I}}", "format", "inquest-doctor",
                         "version", 1, "checks", checks, "summary", "mend",
                         (json_int_t)count_state(checkups, INQ_CHECKUP_MEND), "unknown",
                         (json_int_t)count_state(checkups, INQ_CHECKUP_UNKNOWN), "advice",
                         (json_int_t)count_state(checkups, INQ_CHECKUP_ADVICE), "ok",
                         (json_int_t)count_state(checkups, INQ_CHECKUP_OK));
    if (!document || json_array_size(json_object_get(document, "checks")) != checkups->list.count ||
        inq_text_losses() != losses)
        cli->pending.failed = true;
    else
        cli_print_json(cli, document, true);
    json_decref(document);
}

static int run_trial(struct cli *cli, struct inq_checkups *checkups)
{
    struct inq_rules *rules = NULL;
    struct inq_error *error = cli_load_rules(cli, false, &rules);

    if (!error) {
        cli_prepare_job(cli, rules);
        error = cli_doctor_trial(cli, checkups);
    }
    inq_rules_destroy(rules);
    return error ? cli_fail(cli, error) : 0;
}

int cli_doctor(struct cli *cli)
{
    _cleanup_(inq_checkups_deinit) struct inq_checkups checkups = {0};
    const struct cli_options *o = &cli->options;
    const struct inq_doctor_options options = {.sysroot = o->job.policy.sysroot,
                                               .pid = (pid_t)o->pid,
                                               .unit = o->unit,
                                               .debuginfod_urls = secure_getenv("DEBUGINFOD_URLS")};
    struct inq_error *error;
    int exit_code = 0;

    if (cli->n_args > 0) {
        cli_message(cli, "doctor takes no arguments: see inquest doctor --help");
        return CLI_EXIT_USAGE;
    }
    if (o->trial && (o->job.policy.sysroot || o->pid || o->unit)) {
        cli_message(cli, "--try crashes a process of this shell: it goes with none of --sysroot, "
                         "--pid and --unit");
        return CLI_EXIT_USAGE;
    }
    if (o->pid && o->unit) {
        cli_message(cli, "--pid and --unit exclude each other");
        return CLI_EXIT_USAGE;
    }
    error = inq_doctor_examine(&options, &checkups);
    if (error)
        return cli_fail(cli, error);
    if (o->trial)
        exit_code = run_trial(cli, &checkups);
    if (exit_code)
        return exit_code;
    if (inq_pipeline_interrupted())
        return CLI_EXIT_SIGNAL + inq_pipeline_interrupted();
    if (o->json)
        put_json(cli, &checkups);
    else
        put_page(cli, &checkups);
    return count_state(&checkups, INQ_CHECKUP_MEND) > 0 ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* groups, show, history, purge: questions to the crash database, and forgetting. */

#include <string.h>

#include "cleanup.h"
#include "cli.h"

struct listing { /* of rows */
    struct cli *cli;
    uint64_t count;
    bool newest_first;
};

static void print_text(struct cli *cli, struct inq_text *text)
{
    cli_print(cli, text);
    inq_text_deinit(text);
}

static bool no_arguments(struct cli *cli, size_t most)
{
    if (cli->n_args <= most)
        return true;
    cli_message(cli, "%s: what is \"%s\"?", cli->command->name, cli->args[most]);
    return false;
}

/* Opens the database and does the rest; closes it. */
static int with_store(struct cli *cli, enum inq_store_mode mode,
                      struct inq_error *(*work)(struct cli *cli))
{
    struct inq_error *error = cli_need_store(cli, mode);

    if (!error)
        error = work(cli);
    cli_close_store(cli);
    return error ? cli_fail(cli, error) : 0;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct inq_error *list_groups(struct cli *cli)
{
    const struct inq_style style = cli_style(cli);
    struct inq_text text = {0};
    json_t *groups = NULL;

    INQ_TRY(inq_store_groups(cli->store, &cli->options.filter, &groups));
    if (cli->options.json) {
        json_t *document = json_pack("{s:s, s:i, s:o}", "format", "inquest-groups", "version", 1,
                                     "groups", groups);
        cli_print_json(cli, document, true);
        json_decref(document);
        return NULL;
    }
    if (json_array_size(groups) == 0)
        inq_text_append(&text, "no crashes\n");
    else
        inq_report_groups(groups, &style, &text);
    json_decref(groups);
    print_text(cli, &text);
    return NULL;
}

int cli_groups(struct cli *cli)
{
    return no_arguments(cli, 0) ? with_store(cli, INQ_STORE_READ, list_groups) : CLI_EXIT_USAGE;
}

/* ---- show, history -----------------------------------------------------------------------------
 */

static bool print_row(void *context, const char *uid, json_t *row)
{
    struct listing *listing = context;
    struct cli *cli = listing->cli;
    const struct inq_style style = cli_style(cli);
    struct inq_text text = {0};

    listing->count++;
    if (cli->options.json) {
        json_object_set_new(row, "uid", json_string(uid));
        cli_print_json(cli, row, false);
        return true;
    }
    inq_text_printf(&text, "%s  ", uid);
    inq_report_line(row, &style, &text);
    inq_text_append(&text, "\n");
    print_text(cli, &text);
    return !cli->write_failed;
}

static struct inq_error *list_history(struct cli *cli)
{
    struct listing listing = {.cli = cli};
    struct inq_text text = {0};

    INQ_TRY(inq_store_each(cli->store, &cli->options.filter, false, print_row, &listing));
    if (listing.count == 0 && !cli->options.json && !cli->options.quiet) {
        inq_text_append(&text, "no crashes\n");
        print_text(cli, &text);
    }
    return NULL;
}

int cli_history(struct cli *cli)
{
    return no_arguments(cli, 0) ? with_store(cli, INQ_STORE_READ, list_history) : CLI_EXIT_USAGE;
}

static struct inq_error *show_group(struct cli *cli, json_t *group)
{
    const struct inq_style style = cli_style(cli);
    const struct inq_store_filter filter = {.group =
                                                json_string_value(json_object_get(group, "bug"))};
    struct listing listing = {.cli = cli};
    struct inq_text text = {0};
    json_t *groups = json_pack("[O]", group);

    inq_report_groups(groups, &style, &text);
    inq_text_append(&text, "\n");
    json_decref(groups);
    print_text(cli, &text);
    return inq_store_each(cli->store, &filter, false, print_row, &listing);
}

static struct inq_error *show_one(struct cli *cli)
{
    struct inq_style style = cli_style(cli);
    struct inq_error *error = NULL;
    struct inq_text text = {0};
    json_t *document;

    INQ_TRY(inq_store_show(cli->store, cli->args[0], &document));
    if (cli->options.json) {
        cli_print_json(cli, document, true);
    } else if (json_object_get(document, "bug")) {
        error = show_group(cli, document);
    } else {
        style.width = style.width ? style.width : 100;
        inq_report_text(document, &style, &text);
        print_text(cli, &text);
    }
    json_decref(document);
    return error;
}

int cli_show(struct cli *cli)
{
    if (cli->n_args == 0) {
        cli_message(cli, "show: name a crash or a group by (the beginning of) its id");
        return CLI_EXIT_USAGE;
    }
    return no_arguments(cli, 1) ? with_store(cli, INQ_STORE_READ, show_one) : CLI_EXIT_USAGE;
}

/* ---- purge
 * --------------------------------------------------------------------------------------- */

static struct inq_error *purge(struct cli *cli)
{
    const bool dry = cli->options.dry_run;
    struct inq_text text = {0};
    uint64_t count;

    INQ_TRY(inq_store_purge(cli->store, &cli->options.filter, dry, &count));
    inq_text_printf(&text, "%llu crash%s %s; no core was touched\n", (unsigned long long)count,
                    count == 1 ? "" : "es", dry ? "would be forgotten" : "forgotten");
    print_text(cli, &text);
    return NULL;
}

int cli_purge(struct cli *cli)
{
    const struct inq_store_filter *filter = &cli->options.filter;

    if (!no_arguments(cli, 0))
        return CLI_EXIT_USAGE;
    if (!filter->since && !filter->until && !filter->program && !filter->group) {
        cli_message(cli, "purge: say which: --until 90d, --program NAME, --group ID; --dry-run "
                         "only counts");
        return CLI_EXIT_USAGE;
    }
    return with_store(cli, cli->options.dry_run ? INQ_STORE_READ : INQ_STORE_WRITE, purge);
}

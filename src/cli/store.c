/* SPDX-License-Identifier: Apache-2.0 */

/* Which crash database, and what its failures mean to a command. */

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"

static void tell_failure(void *context, struct inq_error *error)
{
    struct cli *cli = context;

    cli_message(cli, "%s", inq_error_line(error));
    cli_message(cli, "the work goes on; nothing more is kept in the crash database");
    inq_error_destroy(error);
}

/* What --db or INQUEST_DB says: a file, or "none". NULL: the default. */
static const char *choice(const struct cli *cli)
{
    const char *variable = secure_getenv("INQUEST_DB");

    if (cli->options.db)
        return cli->options.db;
    return variable && *variable ? variable : NULL;
}

/* To be freed; NULL for none. */
static char *chosen_path(const struct cli *cli)
{
    const char *chosen = choice(cli);

    if (!chosen)
        return inq_store_default_path();
    return strcmp(chosen, "none") ? strdup(chosen) : NULL;
}

static bool is_chosen(const struct cli *cli)
{
    return choice(cli) != NULL;
}

static struct inq_error *open_store(struct cli *cli)
{
    _cleanup_free_ char *path = chosen_path(cli);
    if (!path)
        return NULL;
    struct inq_error *error = inq_store_open(
        path, cli->records.asks_only ? INQ_STORE_READ : INQ_STORE_WRITE, &cli->store);
    if (error && error->code == INQ_E_STORE && !is_chosen(cli)) {
        if (cli->options.verbose)
            cli_message(cli, "no crash database: %s", inq_error_line(error));
        inq_error_destroy(error);
        return NULL;
    }
    if (error && !is_chosen(cli)) {
        tell_failure(cli, error);
        cli->records.failed = true;
        return NULL;
    }
    if (error)
        return error;
    cli->setting = inq_records_setting(&cli->options.job);
    if (!cli->setting)
        return &inq_error_oom;
    cli->records.store = cli->store;
    cli->records.setting = cli->setting;
    return NULL;
}

static bool prepare(struct cli *cli)
{
    if (cli->options.no_store || cli->options.job.stacks_only)
        return false;
    cli->records =
        (struct inq_records){.again = cli->options.again, .tell = tell_failure, .context = cli};
    cli->options.job.records = &cli->records;
    return true;
}

struct inq_error *cli_open_store(struct cli *cli)
{
    return prepare(cli) ? open_store(cli) : NULL;
}

static void open_later(struct inq_records *records)
{
    struct cli *cli = records->context;
    struct inq_error *error = open_store(cli);

    if (error) {
        tell_failure(cli, error);
        records->failed = true;
    }
}

void cli_put_off_store(struct cli *cli)
{
    if (prepare(cli)) {
        cli->records.asks_only = !is_chosen(cli);
        cli->records.open = open_later;
    }
}

void cli_close_store(struct cli *cli)
{
    const uint64_t unread = inq_store_unread(cli->store);

    if (unread > 0)
        cli_message(cli, "%llu stored report%s not of this release's form: passed over",
                    (unsigned long long)unread, unread == 1 ? " is" : "s are");
    inq_store_close(TAKE_PTR(cli->store));
    free(TAKE_PTR(cli->setting));
}

struct inq_error *cli_need_store(struct cli *cli, enum inq_store_mode mode)
{
    _cleanup_free_ char *path = chosen_path(cli);

    if (!path)
        return inq_error_create(INQ_E_STORE, "there is no crash database: name one with --db");
    return inq_store_open(path, mode, &cli->store);
}

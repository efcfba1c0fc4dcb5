/* SPDX-License-Identifier: Apache-2.0 */

/* export, import: the crash database as lines of JSON, one whole report each. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "cli.h"

/* Lines in one transaction: a file that is cut short keeps what came before. */
#define BATCH 256
/* A worker's answer has no more. */
#define MAX_LINE INQ_MAX_WORKER_OUTPUT

static bool export_row(void *context, const char *uid, json_t *row)
{
    struct cli *cli = context;

    json_object_set_new(row, "uid", json_string(uid));
    cli_print_json(cli, row, false);
    return !cli->write_failed;
}

int cli_export(struct cli *cli)
{
    struct inq_error *error;

    if (cli->n_args > 0) {
        cli_message(cli, "export writes to standard output; to a file with > FILE");
        return CLI_EXIT_USAGE;
    }
    error = cli_need_store(cli, INQ_STORE_READ);
    if (!error)
        error = inq_store_each(cli->store, &cli->options.filter, true, export_row, cli);
    cli_close_store(cli);
    return error ? cli_fail(cli, error) : 0;
}

struct import {
    struct cli *cli;
    const char *name;
    uint64_t line, kept, refused;
};

/* One line: a report of some inquest, checked like a worker's. */
static struct inq_error *import_line(struct import *import, const char *bytes, size_t size)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    char uid[INQ_STORE_UID_SIZE];
    struct inq_error *error = inq_evidence_parse(bytes, size, import->name, &evidence);

    if (error && error->code != INQ_E_MEMORY) {
        cli_message(import->cli, "%s:%llu: %s", import->name, (unsigned long long)import->line,
                    error->message);
        inq_error_destroy(error);
        import->refused++;
        return NULL;
    }
    if (error)
        return error;
    json_t *row = inq_records_row(evidence->document);
    error = row ? inq_store_record(import->cli->store, 0, evidence->document, row,
                                   inq_report_exit_code(evidence->document), uid)
                : &inq_error_oom;
    json_decref(row);
    import->kept += !error && uid[0];
    import->refused += !error && !uid[0];
    return error;
}

/*
 * Reads a line without its end. False at the end of the file. A line beyond MAX_LINE is read to its
 * end and thrown away: *ret_long.
 */
static bool read_line(FILE *stream, struct inq_text *line, bool *ret_long)
{
    char piece[8192];

    line->size = 0;
    *ret_long = false;
    for (bool any = false;; any = true) {
        if (!fgets_unlocked(piece, sizeof(piece), stream))
            return any;
        size_t n = strlen(piece); /* a NUL byte cuts the piece: no JSON has one */
        const bool end = n == 0 || piece[n - 1] == '\n';

        if (line->size + n > MAX_LINE)
            *ret_long = true;
        else
            inq_text_append_bytes(line, piece, n);
        if (end || line->failed)
            return true;
    }
}

static struct inq_error *import_next(struct import *import, const struct inq_text *line,
                                     bool too_long)
{
    if (line->failed)
        return &inq_error_oom;
    if (too_long) {
        cli_message(import->cli, "%s:%llu: a line of more than %llu MiB is no report", import->name,
                    (unsigned long long)import->line, (unsigned long long)(MAX_LINE / INQ_MIB));
        import->refused++;
        return NULL;
    }
    return line->size > 0 && line->bytes[0] != '\n' ? import_line(import, line->bytes, line->size)
                                                    : NULL;
}

static struct inq_error *import_stream(struct import *import, FILE *stream)
{
    _cleanup_(inq_text_deinit) struct inq_text line = {0};
    bool too_long;

    while (!inq_pipeline_interrupted() && read_line(stream, &line, &too_long)) {
        import->line++;
        if (import->line % BATCH == 1)
            INQ_TRY(inq_store_begin(import->cli->store));
        INQ_TRY(import_next(import, &line, too_long));
        if (import->line % BATCH == 0)
            INQ_TRY(inq_store_commit(import->cli->store));
    }
    if (ferror(stream))
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot be read: %s", strerror(errno)),
                            import->name);
    return import->line % BATCH ? inq_store_commit(import->cli->store) : NULL;
}

static struct inq_error *import_file(struct import *import)
{
    if (!strcmp(import->name, "-"))
        return import_stream(import, stdin);
    _cleanup_fclose_ FILE *stream = fopen(import->name, "re");
    if (!stream)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot open: %s", strerror(errno)),
                            import->name);
    return import_stream(import, stream);
}

int cli_import(struct cli *cli)
{
    struct import import = {.cli = cli};
    struct inq_text text = {0};
    struct inq_error *error;

    if (cli->n_args == 0) {
        cli_message(cli, "import: name a file that inquest export wrote, or - for standard input");
        return CLI_EXIT_USAGE;
    }
    error = cli_need_store(cli, INQ_STORE_WRITE);
    for (size_t i = 0; i < cli->n_args && !error; i++) {
        import.name = cli->args[i];
        import.line = 0;
        error = import_file(&import);
    }
    cli_close_store(cli);
    if (error)
        return cli_fail(cli, error);
    inq_text_printf(&text, "%llu crash%s kept\n", (unsigned long long)import.kept,
                    import.kept == 1 ? "" : "es");
    cli_print(cli, &text);
    inq_text_deinit(&text);
    return import.refused ? 1 : 0;
}

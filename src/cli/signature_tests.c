/* SPDX-License-Identifier: Apache-2.0 */

/* inquest signatures test DIR: evidence files, as tests/rules has them. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "signatures.h"

static const char *const kinds[] = {
    [INQ_CASE_MATCH] = "match", [INQ_CASE_NOMATCH] = "nomatch", [INQ_CASE_UNKNOWN] = "unknown"};

struct test {
    struct cli *cli;
    const struct inq_rules *rules;
    json_t *results;
    size_t signatures, files, failed;
    bool has_real; /* of this signature: a real crash that it fits */
    size_t of_kind[INQ_ARRAY_SIZE(kinds)];
};

static int is_json(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && inq_ends_with(entry->d_name, ".json");
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Byte order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* A line for a person, or an entry of the document; `problem` NULL: good. */
static void tell(struct test *test, const char *id, const char *path, const char *problem)
{
    struct cli *cli = test->cli;
    struct inq_text text = {0};
    json_t *entry;

    test->failed += problem != NULL;
    if (cli->options.json) {
        entry = json_pack("{s:s, s:b}", "signature", id, "ok", problem == NULL);
        inq_json_set_foreign(entry, "file", path);
        if (problem)
            inq_json_set_foreign(entry, "problem", problem);
        json_array_append_new(test->results, entry);
        return;
    }
    if (!problem && !cli->options.verbose)
        return;
    inq_text_append(&text, problem ? "FAIL  " : "ok    ");
    inq_text_append_escaped_string(&text, path);
    if (problem) {
        inq_text_append(&text, "\n      ");
        inq_text_append_escaped_string(&text, problem);
    }
    inq_text_append(&text, "\n");
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

static struct inq_error *test_file(struct test *test, const char *id, enum inq_case_kind kind,
                                   const char *path)
{
    _cleanup_free_ char *bytes = NULL;
    struct inq_case_result result = {.problem = NULL};
    size_t size = 0;
    struct inq_error *error = cli_read_report(path, &bytes, &size);

    test->files++;
    test->of_kind[kind]++;
    if (!error)
        error = inq_case_check(test->rules, id, kind, bytes, size, path, &result);
    if (error && error->code == INQ_E_MEMORY)
        return error;
    tell(test, id, path, error ? error->message : result.problem);
    if (!error && !result.problem && !result.synthetic && kind == INQ_CASE_MATCH)
        test->has_real = true;
    inq_error_destroy(error);
    free(result.problem);
    return NULL;
}

/* "match-with-two-copies.json" → match; false for other files. */
static bool kind_of_name(const char *name, enum inq_case_kind *ret_kind)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(kinds); i++)
        if (inq_starts_with(name, kinds[i])) {
            *ret_kind = (enum inq_case_kind)i;
            return true;
        }
    return false;
}

/* The files of one folder. `kind` NULL: by the beginning of their names. */
static struct inq_error *test_folder(struct test *test, const char *id, const char *folder,
                                     const enum inq_case_kind *kind)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_json, by_name);
    struct inq_error *error = NULL;

    for (int i = 0; i < count && !error; i++) {
        _cleanup_free_ char *path = NULL;
        enum inq_case_kind own = INQ_CASE_MATCH;

        if (!kind && !kind_of_name(entries[i]->d_name, &own))
            continue;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
            path = NULL;
            error = &inq_error_oom;
            break;
        }
        error = test_file(test, id, kind ? *kind : own, path);
    }
    free_entries(entries, count);
    return error;
}

/* `seen: real` must be true of a rule that is tested here; the shipped ones have a test of theirs.
 */
static void check_mark(struct test *test, const char *id, const char *folder)
{
    const struct inq_rule *rule = inq_rules_find(test->rules, id);

    if (rule && !rule->shipped && rule->seen_real && !test->has_real)
        tell(test, id, folder,
             "it says \"seen: real\", and none of its match files is the report of a real crash");
    else if (rule && !rule->shipped && !rule->seen_real && test->has_real &&
             !test->cli->options.quiet)
        cli_message(test->cli, "%s: a real crash fits it: \"seen: real\" would lift its limit", id);
}

static struct inq_error *test_signature(struct test *test, const char *id, const char *folder)
{
    const size_t before = test->files;

    test->has_real = false;
    memset(test->of_kind, 0, sizeof(test->of_kind));
    INQ_TRY(test_folder(test, id, folder, NULL));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(kinds); i++) {
        const enum inq_case_kind kind = (enum inq_case_kind)i;
        _cleanup_free_ char *inner = NULL;

        if (asprintf(&inner, "%s/%s", folder, kinds[i]) < 0) {
            inner = NULL;
            return &inq_error_oom;
        }
        INQ_TRY(test_folder(test, id, inner, &kind));
    }
    if (test->files == before)
        return NULL;
    test->signatures++;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(kinds); i++)
        if (test->of_kind[i] == 0 && !test->cli->options.quiet)
            cli_message(test->cli, "%s: it has no %s file", id, kinds[i]);
    check_mark(test, id, folder);
    return NULL;
}

static struct inq_error *test_all(struct test *test, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_visible, by_name);
    struct inq_error *error = NULL;

    if (count < 0)
        return inq_error_in(inq_error_create(INQ_E_CONFIG, "%s", strerror(errno)), directory);
    for (int i = 0; i < count && !error; i++) {
        _cleanup_free_ char *folder = NULL;

        if (asprintf(&folder, "%s/%s", directory, entries[i]->d_name) < 0) {
            folder = NULL;
            error = &inq_error_oom;
            break;
        }
        if (cli_is_directory(folder))
            error = test_signature(test, entries[i]->d_name, folder);
    }
    free_entries(entries, count);
    return error;
}

static void print_summary(struct test *test)
{
    struct inq_text text = {0};
    json_t *document;

    if (test->cli->options.json) {
        document = json_pack("{s:s, s:i, s:I, s:I, s:I, s:O}", "format", "inquest-signature-test",
                             "version", 1, "signatures", (json_int_t)test->signatures, "files",
                             (json_int_t)test->files, "failed", (json_int_t)test->failed, "results",
                             test->results);
        cli_print_json(test->cli, document, true);
        json_decref(document);
        return;
    }
    if (!test->cli->options.quiet)
        inq_text_printf(&text, "%zu signature%s, %zu file%s, %zu failure%s\n", test->signatures,
                        test->signatures == 1 ? "" : "s", test->files, test->files == 1 ? "" : "s",
                        test->failed, test->failed == 1 ? "" : "s");
    cli_print(test->cli, &text);
    inq_text_deinit(&text);
}

/* Signatures that lie beside their evidence are tested with it. */
static bool has_rules(const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_visible, NULL);
    bool found = false;

    for (int i = 0; i < count; i++)
        found = found || inq_ends_with(entries[i]->d_name, ".yaml");
    free_entries(entries, count);
    return found;
}

int cli_signatures_test(struct cli *cli)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = NULL;
    struct test test = {.cli = cli};
    struct inq_error *error;

    if (cli->n_args != 2) {
        cli_message(cli, "signatures test: name one DIR, with evidence files in DIR/ID");
        return CLI_EXIT_USAGE;
    }
    if (has_rules(cli->args[1]) && !cli_add_signatures(cli, cli->args[1]))
        return cli_fail(cli, &inq_error_oom);
    error = cli_load_rules(cli, true, &rules);
    if (error)
        return cli_fail(cli, error);
    test.rules = rules;
    test.results = json_array();
    cli_tell_refused(cli, rules);
    error = test_all(&test, cli->args[1]);
    if (!error && test.files == 0)
        error = inq_error_in(inq_error_create(INQ_E_CONFIG, "there are no files like DIR/ID/"
                                                            "match*.json, nomatch*.json or "
                                                            "unknown*.json"),
                             cli->args[1]);
    if (!error)
        print_summary(&test);
    json_decref(test.results);
    if (error)
        return cli_fail(cli, error);
    return test.failed > 0 || json_array_size(rules->refused) > 0 ? 1 : 0;
}

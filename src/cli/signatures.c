/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "signatures.h"

/* Files that were refused are named, whatever else is asked. */
void cli_tell_refused(struct cli *cli, const struct inq_rules *rules)
{
    const json_t *item;
    size_t i;

    json_array_foreach (rules->refused, i, item) {
        const char *file = json_string_value(json_object_get(item, "file"));
        const char *message = json_string_value(json_object_get(item, "message"));

        cli_message(cli, "%s:%lld:%lld: %s", file ? file : "?",
                    (long long)json_integer_value(json_object_get(item, "line")),
                    (long long)json_integer_value(json_object_get(item, "column")),
                    message ? message : "refused");
    }
}

static const char *origin_of(const struct inq_rule *rule)
{
    if (rule->change == INQ_RULE_OVERRIDES)
        return "override";
    return rule->shipped ? "shipped" : "own";
}

static json_t *rule_json(const struct inq_rule *rule)
{
    json_t *object = json_object();

    if (!object)
        return NULL;
    inq_json_set_foreign(object, "id", rule->id);
    inq_json_set_foreign(object, "title", rule->title);
    inq_json_set_foreign(object, "file", rule->file);
    json_object_set_new(object, "line", json_integer((json_int_t)rule->line));
    json_object_set_new(object, "origin", json_string(origin_of(rule)));
    json_object_set_new(object, "seen", json_string(rule->seen_real ? "real" : "synthetic"));
    if (rule->change == INQ_RULE_OVERRIDES)
        inq_json_set_foreign(object, "override", rule->reason);
    return object;
}

static int list_json(struct cli *cli, const struct inq_rules *rules)
{
    json_t *items = json_array();
    json_t *document =
        json_pack("{s:s, s:i, s:o?, s:O?, s:O?}", "format", "inquest-signatures", "version", 1,
                  "signatures", items, "changed", rules->changes, "refused", rules->refused);
    bool ok = document != NULL;

    for (size_t i = 0; ok && i < rules->count; i++)
        ok = json_array_append_new(items, rule_json(&rules->items[i])) == 0;
    if (ok)
        cli_print_json(cli, document, true);
    json_decref(document);
    return ok ? 0 : cli_fail(cli, &inq_error_oom);
}

/* What a reader must know who compares two reports: whose rules these are. */
static void put_origin(struct inq_text *text, const struct inq_rule *rule, bool verbose)
{
    if (!rule->seen_real)
        inq_text_append(text, "    plausible at most: no real crash has shown it yet\n");
    if (!verbose && rule->shipped)
        return;
    if (rule->change == INQ_RULE_OVERRIDES) {
        inq_text_append(text, "    in the place of another one: ");
        inq_text_append_escaped_string(text, rule->reason);
        inq_text_append(text, "\n");
    }
    inq_text_printf(text, "    %s: ", rule->shipped ? "shipped" : "your own");
    inq_text_append_escaped_string(text, rule->file);
    inq_text_printf(text, ":%u\n", rule->line);
}

static void put_disabled(struct inq_text *text, const struct inq_rules *rules)
{
    const json_t *change;
    size_t i;

    json_array_foreach (rules->changes, i, change) {
        if (strcmp(json_string_value(json_object_get(change, "change")), "disable") != 0)
            continue;
        inq_text_append_escaped_string(text, json_string_value(json_object_get(change, "id")));
        inq_text_append(text, " is disabled: ");
        inq_text_append_escaped_string(text, json_string_value(json_object_get(change, "reason")));
        inq_text_append(text, "\n    ");
        inq_text_append_escaped_string(text, json_string_value(json_object_get(change, "file")));
        inq_text_printf(text, ":%lld\n",
                        (long long)json_integer_value(json_object_get(change, "line")));
    }
}

static int list_text(struct cli *cli, const struct inq_rules *rules)
{
    struct inq_text text = {0};
    size_t widest = 0;

    for (size_t i = 0; i < rules->count; i++)
        if (inq_text_width(rules->items[i].id) > widest)
            widest = inq_text_width(rules->items[i].id);
    for (size_t i = 0; i < rules->count; i++) {
        const struct inq_rule *rule = &rules->items[i];

        inq_text_append_escaped_string(&text, rule->id);
        for (size_t pad = inq_text_width(rule->id); pad < widest + 2; pad++)
            inq_text_append(&text, " ");
        inq_text_append_escaped_string(&text, rule->title);
        inq_text_append(&text, "\n");
        put_origin(&text, rule, cli->options.verbose);
    }
    put_disabled(&text, rules);
    cli_print(cli, &text);
    inq_text_deinit(&text);
    return 0;
}

static int list(struct cli *cli)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = NULL;
    struct inq_error *error = cli_load_rules(cli, true, &rules);
    int exit_code;

    if (error)
        return cli_fail(cli, error);
    exit_code = cli->options.json ? list_json(cli, rules) : list_text(cli, rules);
    cli_tell_refused(cli, rules);
    return exit_code ? exit_code : json_array_size(rules->refused) ? 1 : 0;
}

/* A signature as it stands in its file: from its line to the next item of the same list. */
static struct inq_error *print_source(struct cli *cli, const struct inq_rule *rule)
{
    _cleanup_fclose_ FILE *file = fopen(rule->file, "re");
    _cleanup_free_ char *line = NULL;
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    size_t capacity = 0, indent = 0, kept = 0;
    ssize_t size;

    if (!file)
        return inq_error_in(inq_error_create(INQ_E_IO, "%s", strerror(errno)), rule->file);
    inq_text_append(&text, "# ");
    inq_text_append_escaped_string(&text, rule->file);
    inq_text_printf(&text, ":%u\n", rule->line);
    for (unsigned number = 1; (size = getline(&line, &capacity, file)) >= 0; number++) {
        size_t spaces = strspn(line, " ");

        if (number < rule->line)
            continue;
        if (number == rule->line)
            indent = spaces;
        else if (spaces <= indent && line[spaces] != '\n' && line[spaces] != '#')
            break;
        if (size > 0 && line[size - 1] == '\n')
            size--;
        inq_text_append_escaped(&text, line, (size_t)size);
        inq_text_append(&text, "\n");
        if ((size_t)size > spaces && line[spaces] != '#')
            kept = text.size; /* what lies between this signature and the next is neither's */
    }
    if (kept > 0 && kept < text.size) {
        text.size = kept;
        text.bytes[kept] = '\0';
    }
    cli_print(cli, &text);
    return NULL;
}

static const char *why_disabled(const struct inq_rules *rules, const char *id)
{
    const json_t *change;
    size_t i;

    json_array_foreach (rules->changes, i, change) {
        if (!strcmp(json_string_value(json_object_get(change, "id")), id) &&
            !strcmp(json_string_value(json_object_get(change, "change")), "disable"))
            return json_string_value(json_object_get(change, "reason"));
    }
    return NULL;
}

const struct inq_rule *cli_find_signature(struct cli *cli, const struct inq_rules *rules,
                                          const char *id)
{
    const struct inq_rule *rule = inq_rules_find(rules, id);
    const char *disabled = rule ? NULL : why_disabled(rules, id), *near;

    if (rule)
        return rule;
    if (disabled) {
        cli_message(cli, "the signature %s is disabled: %s", id, disabled);
        return NULL;
    }
    _cleanup_free_ const char **names = calloc(rules->count + 1, sizeof(*names));
    for (size_t i = 0; names && i < rules->count; i++)
        names[i] = rules->items[i].id;
    near = names ? cli_suggest(id, names, rules->count) : NULL;
    cli_message(cli, "there is no signature %s%s%s%s", id, near ? ": did you mean " : "",
                near ? near : "", near ? "?" : "");
    return NULL;
}

static int show(struct cli *cli)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = NULL;
    const struct inq_rule *rule;
    struct inq_error *error;
    json_t *object;

    if (cli->n_args != 2) {
        cli_message(cli, "signatures show: name one ID, of inquest signatures list");
        return CLI_EXIT_USAGE;
    }
    error = cli_load_rules(cli, true, &rules);
    if (error)
        return cli_fail(cli, error);
    rule = cli_find_signature(cli, rules, cli->args[1]);
    if (!rule)
        return CLI_EXIT_USAGE;
    if (!cli->options.json) {
        error = print_source(cli, rule);
        return error ? cli_fail(cli, error) : 0;
    }
    object = rule_json(rule);
    if (!object)
        return cli_fail(cli, &inq_error_oom);
    inq_json_set_foreign(object, "cause", rule->cause[0].text);
    cli_print_json(cli, object, true);
    json_decref(object);
    return 0;
}

static int check(struct cli *cli)
{
    int exit_code = 0;

    if (cli->n_args < 2) {
        cli_message(cli, "signatures check: name the FILEs to check");
        return CLI_EXIT_USAGE;
    }
    for (size_t i = 1; i < cli->n_args; i++) {
        _cleanup_(inq_error_destroyp) struct inq_error *error = inq_rules_check_file(cli->args[i]);
        struct inq_text text = {0};

        if (error) {
            /* The message begins with FILE:LINE:COLUMN when it is about what the file says. */
            if (inq_starts_with(error->message, cli->args[i]))
                cli_message(cli, "%s", error->message);
            else
                cli_message(cli, "%s: %s", cli->args[i], error->message);
            if (exit_code != CLI_EXIT_IO)
                exit_code = inq_code_exit(error->code);
            continue;
        }
        if (cli->options.quiet)
            continue;
        inq_text_append_escaped_string(&text, cli->args[i]);
        inq_text_append(&text, ": good\n");
        cli_print(cli, &text);
        inq_text_deinit(&text);
    }
    return exit_code;
}

int cli_signatures(struct cli *cli)
{
    const char *what = cli->n_args ? cli->args[0] : "list";

    if (!strcmp(what, "list") && cli->n_args <= 1)
        return list(cli);
    if (!strcmp(what, "show"))
        return show(cli);
    if (!strcmp(what, "check"))
        return check(cli);
    if (!strcmp(what, "test"))
        return cli_signatures_test(cli);
    if (!strcmp(what, "explain"))
        return cli_signatures_explain(cli);
    cli_message(cli, "signatures: say list, show ID, check FILE..., test DIR or explain ID REPORT");
    return CLI_EXIT_USAGE;
}

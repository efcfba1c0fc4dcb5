/* SPDX-License-Identifier: Apache-2.0 */

/* The keys of a rule. */

#include "rule_read.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "rule_reader.h"

/* ------------------------------------------------------------------------------------ keys */

static struct inq_error *read_id(struct inq_rule_reader *reader, const struct inq_node *node)
{
    INQ_TRY(inq_reader_want_text(reader, node, "id"));
    if (strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789-") != node->size ||
        node->text[0] == '-' || node->size > 64)
        return inq_node_error(reader->source, node, 0,
                              "an id is made of a-z, 0-9 and -, at most 64 of them");
    reader->rule->id = node->text;
    return NULL;
}

static struct inq_error *read_title(struct inq_rule_reader *reader, const struct inq_node *node)
{
    INQ_TRY(inq_reader_want_text(reader, node, "title"));
    reader->rule->title = node->text;
    return NULL;
}

static struct inq_error *read_reason(struct inq_rule_reader *reader, const struct inq_node *node,
                                     const char *key)
{
    INQ_TRY(inq_reader_want_text(reader, node, key));
    reader->rule->reason = node->text;
    return NULL;
}

static struct inq_error *read_override(struct inq_rule_reader *reader, const struct inq_node *node)
{
    INQ_TRY(read_reason(reader, node, "override"));
    reader->rule->change = INQ_RULE_OVERRIDES;
    return NULL;
}

static struct inq_error *read_seen(struct inq_rule_reader *reader, const struct inq_node *node)
{
    if (!inq_node_is(node, "real") && !inq_node_is(node, "synthetic"))
        return inq_node_error(reader->source, node, 0,
                              "\"seen\" is real (a real crash has shown it) or synthetic");
    reader->rule->seen_real = inq_node_is(node, "real");
    return NULL;
}

static struct inq_error *read_when(struct inq_rule_reader *reader, const struct inq_node *node)
{
    INQ_TRY(inq_reader_when(reader, node));
    if (reader->rule->when.count == 0)
        return inq_node_error(reader->source, node, 0, "\"when\" needs at least one condition");
    return NULL;
}

static struct inq_error *read_unless(struct inq_rule_reader *reader, const struct inq_node *node)
{
    return inq_reader_conditions(reader, &reader->scope, node, "unless", &reader->rule->unless);
}

static struct inq_error *read_strong(struct inq_rule_reader *reader, const struct inq_node *node)
{
    return inq_reader_conditions(reader, &reader->scope, node, "strong", &reader->rule->strong);
}

static struct inq_error *read_proof(struct inq_rule_reader *reader, const struct inq_node *node)
{
    return inq_reader_conditions(reader, &reader->scope, node, "proof", &reader->rule->proof);
}

/* What templates may name, once all conditions are read. */
static void collect_names(struct inq_rule_reader *reader)
{
    reader->texts = reader->scope;
    inq_scope_add(&reader->texts, inq_first_any(&reader->rule->strong));
    inq_scope_add(&reader->texts, inq_first_any(&reader->rule->proof));
}

static struct inq_error *read_template(struct inq_rule_reader *reader, const struct inq_node *node,
                                       const char *key, const char **ret_text)
{
    INQ_TRY(inq_reader_want_text(reader, node, key));
    INQ_TRY(inq_template_check(reader->source, node, &reader->texts, false));
    *ret_text = node->text;
    return NULL;
}

static struct inq_error *read_against_map(struct inq_rule_reader *reader,
                                          const struct inq_node *map, struct inq_against *against)
{
    const struct inq_node *seen[3] = {NULL};
    static const char *const keys[3] = {"when", "text", "effect"};
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        size_t which = 0;
        while (which < 3 && !inq_node_is(key, keys[which]))
            which++;
        if (which == 3)
            return inq_node_error(reader->source, key, 0,
                                  "unknown key: \"against\" knows when, text and effect");
        if (seen[which])
            return inq_node_error(reader->source, key, 0, "\"%s\" is given twice", keys[which]);
        seen[which] = key->next;
    }
    if (!seen[0])
        return inq_node_error(reader->source, map, 0, "\"against\" needs a \"when\"");
    INQ_TRY(inq_reader_conditions(reader, &reader->scope, seen[0], "when", &against->when));
    if (against->when.count == 0)
        return inq_node_error(reader->source, seen[0], 0, "\"when\" needs at least one condition");
    if (seen[1])
        INQ_TRY(read_template(reader, seen[1], "text", &against->text));
    if (seen[2] && !inq_node_is(seen[2], "refutes") && !inq_node_is(seen[2], "lowers"))
        return inq_node_error(reader->source, seen[2], 0, "\"effect\" is refutes or lowers");
    against->refutes = seen[2] && inq_node_is(seen[2], "refutes");
    return NULL;
}

static struct inq_error *read_against(struct inq_rule_reader *reader, const struct inq_node *list)
{
    INQ_TRY(inq_reader_want(reader, list, INQ_NODE_LIST, "against", "a list"));
    struct inq_against *items =
        INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, struct inq_against);
    if (!items)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next, count++) {
        bool quantifier = node->kind == INQ_NODE_MAP && node->count > 0 &&
                          node->first->kind == INQ_NODE_TEXT &&
                          (strchr(node->first->text, ' ') || inq_node_is(node->first, "either"));
        if (node->kind == INQ_NODE_MAP && !quantifier) {
            INQ_TRY(read_against_map(reader, node, &items[count]));
            continue;
        }
        INQ_TRY(inq_reader_condition(reader, &reader->scope, node, &items[count].when));
    }
    reader->rule->against = items;
    reader->rule->n_against = count;
    return NULL;
}

static struct inq_error *read_texts(struct inq_rule_reader *reader, const struct inq_node *list,
                                    const char *key, const char *const **ret_items,
                                    size_t *ret_count)
{
    INQ_TRY(inq_reader_want(reader, list, INQ_NODE_LIST, key, "a list of texts"));
    const char **items = INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, const char *);
    if (!items)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next) {
        INQ_TRY(inq_reader_want_text(reader, node, key));
        items[count++] = node->text;
    }
    *ret_items = items;
    *ret_count = count;
    return NULL;
}

static struct inq_error *read_rival(struct inq_rule_reader *reader, const struct inq_node *node,
                                    struct inq_rival *rival)
{
    if (node->kind != INQ_NODE_MAP) {
        INQ_TRY(inq_reader_want_text(reader, node, "rivals"));
        rival->id = node->text;
        return NULL;
    }
    for (const struct inq_node *key = node->first; key; key = key->next->next) {
        if (inq_node_is(key, "id") && !rival->id) {
            INQ_TRY(inq_reader_want_text(reader, key->next, "id"));
            rival->id = key->next->text;
        } else if (inq_node_is(key, "read") && !rival->read) {
            INQ_TRY(read_template(reader, key->next, "read", &rival->read));
        } else {
            return inq_node_error(reader->source, key, 0, "a rival knows id and read, each once");
        }
    }
    return rival->id ? NULL : inq_node_error(reader->source, node, 0, "a rival needs an \"id\"");
}

static struct inq_error *read_rivals(struct inq_rule_reader *reader, const struct inq_node *list)
{
    INQ_TRY(inq_reader_want(reader, list, INQ_NODE_LIST, "rivals", "a list of texts"));
    struct inq_rival *items =
        INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, struct inq_rival);
    if (!items)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next)
        INQ_TRY(read_rival(reader, node, &items[count++]));
    reader->rule->rivals = items;
    reader->rule->n_rivals = count;
    return NULL;
}

static struct inq_error *read_explains(struct inq_rule_reader *reader, const struct inq_node *node)
{
    return read_texts(reader, node, "explains", &reader->rule->explains, &reader->rule->n_explains);
}

static struct inq_error *read_see(struct inq_rule_reader *reader, const struct inq_node *node)
{
    return read_texts(reader, node, "see", &reader->rule->see, &reader->rule->n_see);
}

/* A text, or a map of `when` and `text`; `when` may name what templates may. */
static struct inq_error *read_part(struct inq_rule_reader *reader, const struct inq_node *node,
                                   struct inq_part *part)
{
    if (node->kind != INQ_NODE_MAP)
        return read_template(reader, node, "cause", &part->text);
    for (const struct inq_node *key = node->first; key; key = key->next->next) {
        if (inq_node_is(key, "text") && !part->text)
            INQ_TRY(read_template(reader, key->next, "text", &part->text));
        else if (inq_node_is(key, "when") && part->when.count == 0)
            INQ_TRY(inq_reader_conditions(reader, &reader->texts, key->next, "when", &part->when));
        else
            return inq_node_error(reader->source, key, 0,
                                  "a part of \"cause\" knows when and text, each once");
    }
    return part->text
               ? NULL
               : inq_node_error(reader->source, node, 0, "a part of \"cause\" needs a \"text\"");
}

static struct inq_error *read_cause(struct inq_rule_reader *reader, const struct inq_node *node)
{
    size_t room = node->kind == INQ_NODE_LIST ? node->count : 1, count = 0;
    struct inq_part *parts = INQ_ARENA_ARRAY(reader->source->arena, room + 1, struct inq_part);
    if (!parts)
        return &inq_error_oom;
    if (node->kind == INQ_NODE_LIST) {
        for (const struct inq_node *one = node->first; one; one = one->next)
            INQ_TRY(read_part(reader, one, &parts[count++]));
        if (count == 0)
            return inq_node_error(reader->source, node, 0, "\"cause\" is empty");
    } else {
        INQ_TRY(read_template(reader, node, "cause", &parts[count++].text));
    }
    reader->rule->cause = parts;
    reader->rule->n_cause = count;
    return NULL;
}

static struct inq_error *read_commands(struct inq_rule_reader *reader, const struct inq_node *list,
                                       struct inq_fix *fix)
{
    INQ_TRY(read_texts(reader, list, "commands", &fix->commands, &fix->n_commands));
    for (const struct inq_node *one = list->first; one; one = one->next)
        INQ_TRY(inq_template_check(reader->source, one, &reader->texts, true));
    return NULL;
}

static struct inq_error *read_fix_map(struct inq_rule_reader *reader, const struct inq_node *map,
                                      struct inq_fix *fix)
{
    bool has_commands = false;
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        if (inq_node_is(key, "text") && !fix->text) {
            INQ_TRY(read_template(reader, key->next, "text", &fix->text));
        } else if (inq_node_is(key, "commands") && !has_commands) {
            has_commands = true;
            INQ_TRY(read_commands(reader, key->next, fix));
        } else if (inq_node_is(key, "when") && fix->when.count == 0) {
            INQ_TRY(inq_reader_conditions(reader, &reader->texts, key->next, "when", &fix->when));
        } else {
            return inq_node_error(reader->source, key, 0,
                                  "\"fix\" knows when, text and commands, each once");
        }
    }
    if (!fix->text)
        return inq_node_error(reader->source, map, 0, "\"fix\" needs a \"text\"");
    return NULL;
}

static struct inq_error *read_fix(struct inq_rule_reader *reader, const struct inq_node *list)
{
    INQ_TRY(inq_reader_want(reader, list, INQ_NODE_LIST, "fix", "a list"));
    struct inq_fix *fixes = INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, struct inq_fix);
    if (!fixes)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next, count++) {
        if (node->kind == INQ_NODE_MAP)
            INQ_TRY(read_fix_map(reader, node, &fixes[count]));
        else
            INQ_TRY(read_template(reader, node, "fix", &fixes[count].text));
    }
    reader->rule->fixes = fixes;
    reader->rule->n_fixes = count;
    return NULL;
}

static struct inq_error *read_weight(struct inq_rule_reader *reader, const struct inq_node *node)
{
    INQ_TRY(inq_reader_want_text(reader, node, "weight"));
    char *end = NULL;
    long weight = node->size < 8 ? strtol(node->text, &end, 10) : 0;
    if (!end || *end || end == node->text || weight < -1000 || weight > 1000)
        return inq_node_error(reader->source, node, 0,
                              "\"weight\" is a whole number from -1000 to 1000");
    reader->rule->weight = (int)weight;
    return NULL;
}

static struct inq_error *read_grade(struct inq_rule_reader *reader, const struct inq_node *node)
{
    if (!inq_node_is(node, "context"))
        return inq_node_error(reader->source, node, 0,
                              "grades are computed: only \"grade: context\" can be given");
    reader->rule->context = true;
    return NULL;
}

/* Conditions come first: what they find has names that templates may use. */
static const struct rule_key {
    const char *name;
    bool required;
    struct inq_error *(*read)(struct inq_rule_reader *reader, const struct inq_node *node);
} rule_keys[] = {
    {"id", true, read_id},
    {"title", true, read_title},
    {"override", false, read_override},
    {"seen", false, read_seen},
    {"when", true, read_when},
    {"unless", false, read_unless},
    {"strong", false, read_strong},
    {"proof", false, read_proof},
    {"cause", true, read_cause},
    {"against", false, read_against},
    {"rivals", false, read_rivals},
    {"explains", false, read_explains},
    {"fix", false, read_fix},
    {"see", false, read_see},
    {"weight", false, read_weight},
    {"grade", false, read_grade},
};
#define N_KEYS INQ_ARRAY_SIZE(rule_keys)

/* ----------------------------------------------------------------------------------- rules */

static const char *key_suggestion(struct inq_rule_source *source, const char *key)
{
    const char *names[N_KEYS + 2];
    for (size_t i = 0; i < N_KEYS; i++)
        names[i] = rule_keys[i].name;
    names[N_KEYS] = "disable";
    names[N_KEYS + 1] = "reason";
    return inq_did_you_mean(source, key, names, N_KEYS + 2);
}

static size_t key_index(const char *name)
{
    size_t which = 0;
    while (which < N_KEYS && strcmp(rule_keys[which].name, name) != 0)
        which++;
    return which;
}

/* Sorts the map's values by key into `values`. */
static struct inq_error *collect_keys(struct inq_rule_reader *reader, const struct inq_node *map,
                                      const struct inq_node **values)
{
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        bool text = key->kind == INQ_NODE_TEXT;
        size_t which = text ? key_index(key->text) : N_KEYS;
        if (which == N_KEYS)
            return inq_node_error(reader->source, key, 0, "unknown key \"%.100s\"%s",
                                  text ? key->text : "(not a text)",
                                  text ? key_suggestion(reader->source, key->text) : "");
        if (values[which])
            return inq_node_error(reader->source, key, 0, "the key \"%s\" is given twice",
                                  rule_keys[which].name);
        values[which] = key->next;
    }
    for (size_t i = 0; i < N_KEYS; i++)
        if (rule_keys[i].required && !values[i])
            return inq_node_error(reader->source, map, 0, "the rule has no \"%s\"",
                                  rule_keys[i].name);
    return NULL;
}

/* {disable: ID, reason: TEXT} */
static struct inq_error *read_disable(struct inq_rule_reader *reader, const struct inq_node *map)
{
    struct inq_rule *rule = reader->rule;
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        if (inq_node_is(key, "disable") && !rule->id)
            INQ_TRY(read_id(reader, key->next));
        else if (inq_node_is(key, "reason") && !rule->reason)
            INQ_TRY(read_reason(reader, key->next, "reason"));
        else
            return inq_node_error(reader->source, key, 0,
                                  "what is disabled has only disable and reason, each once");
    }
    if (!rule->reason)
        return inq_node_error(reader->source, map, 0, "\"disable\" needs a \"reason\"");
    rule->change = INQ_RULE_DISABLES;
    return NULL;
}

static bool is_disable(const struct inq_node *map)
{
    for (const struct inq_node *key = map->first; key; key = key->next->next)
        if (inq_node_is(key, "disable"))
            return true;
    return false;
}

static struct inq_error *read_rule(struct inq_rule_source *source, const struct inq_node *map,
                                   struct inq_rule *rule)
{
    struct inq_rule_reader reader = {.source = source, .rule = rule};
    const struct inq_node *values[N_KEYS] = {NULL};
    const size_t first_text = key_index("cause");
    if (map->kind != INQ_NODE_MAP)
        return inq_node_error(source, map, 0, "a rule is expected: a map with id, title, when …");
    rule->file = source->file;
    rule->line = map->line;
    if (is_disable(map))
        return read_disable(&reader, map);
    INQ_TRY(collect_keys(&reader, map, values));
    for (size_t i = 0; i < N_KEYS; i++) {
        if (i == first_text)
            collect_names(&reader);
        if (values[i])
            INQ_TRY(rule_keys[i].read(&reader, values[i]));
    }
    rule->conditions = reader.conditions;
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    const struct inq_rule *one = a, *two = b;
    int order = strcmp(one->id, two->id);
    return order ? order : (one->line > two->line) - (one->line < two->line);
}

struct inq_error *inq_rules_read(struct inq_rule_source *source, const char *bytes, size_t size,
                                 struct inq_rule **ret_rules, size_t *ret_count)
{
    const struct inq_node *root = NULL;
    INQ_TRY(inq_yaml_read(source, bytes, size, &root));
    if (!root || root->kind != INQ_NODE_LIST)
        return inq_rule_source_error(source, root ? root->line : 1, root ? root->column : 1,
                                     "a signature file is a list of rules, each beginning with "
                                     "\"- id: \"");
    if (root->count > INQ_RULES_PER_FILE)
        return inq_node_error(source, root, 0, "more than %u rules in one file",
                              INQ_RULES_PER_FILE);
    struct inq_rule *rules = INQ_ARENA_ARRAY(source->arena, root->count + 1, struct inq_rule);
    if (!rules)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = root->first; node; node = node->next)
        INQ_TRY(read_rule(source, node, &rules[count++]));

    qsort(rules, count, sizeof(*rules), compare_ids);
    for (size_t i = 1; i < count; i++)
        if (strcmp(rules[i - 1].id, rules[i].id) == 0)
            return inq_rule_source_error(source, rules[i].line, 1,
                                         "the id \"%s\" is used twice: first in line %u",
                                         rules[i].id, rules[i - 1].line);
    *ret_rules = rules;
    *ret_count = count;
    return NULL;
}

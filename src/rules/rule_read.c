/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_read.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "condition.h"

struct reader {
    struct inq_rule_source *source;
    struct inq_rule *rule;
    size_t conditions;   /* of this rule, so far */
    const char *element; /* what the templates may name: the first quantifier's element */
};

static struct inq_error *want(struct reader *reader, const struct inq_node *node,
                              enum inq_node_kind kind, const char *key, const char *what)
{
    if (node->kind == kind)
        return NULL;
    return inq_node_error(reader->source, node, 0, "\"%s\" takes %s", key, what);
}

static struct inq_error *want_text(struct reader *reader, const struct inq_node *node,
                                   const char *key)
{
    INQ_TRY(want(reader, node, INQ_NODE_TEXT, key, "a text"));
    if (node->size == 0)
        return inq_node_error(reader->source, node, 0, "\"%s\" is empty", key);
    return NULL;
}

static bool node_is(const struct inq_node *node, const char *text)
{
    return node->kind == INQ_NODE_TEXT && strcmp(node->text, text) == 0;
}

/* ------------------------------------------------------------------------------ conditions */

static struct inq_error *one_more(struct reader *reader, const struct inq_node *node)
{
    if (reader->conditions++ < INQ_RULES_CONDITIONS)
        return NULL;
    return inq_node_error(reader->source, node, 0, "more than %u conditions in one rule",
                          INQ_RULES_CONDITIONS);
}

static struct inq_error *new_items(struct reader *reader, size_t count,
                                   const struct inq_condition ***ret_items,
                                   struct inq_condition **ret_pool)
{
    /* The limit on conditions is checked as they are read: no more than that are needed. */
    size_t room = count < INQ_RULES_CONDITIONS ? count : INQ_RULES_CONDITIONS;
    *ret_items = INQ_ARENA_ARRAY(reader->source->arena, room + 1, const struct inq_condition *);
    *ret_pool = INQ_ARENA_ARRAY(reader->source->arena, room + 1, struct inq_condition);
    return *ret_items && *ret_pool ? NULL : &inq_error_oom;
}

/* The lines inside a quantifier. */
static struct inq_error *read_inner(struct reader *reader, const struct inq_node *list,
                                    const char *element, struct inq_conditions *ret_inner)
{
    const struct inq_condition **items = NULL;
    struct inq_condition *pool = NULL;
    size_t count = 0;
    INQ_TRY(new_items(reader, list->count, &items, &pool));
    for (const struct inq_node *node = list->first; node; node = node->next) {
        if (node->kind == INQ_NODE_MAP)
            return inq_node_error(reader->source, node, 0,
                                  "a quantifier inside a quantifier is not supported yet");
        INQ_TRY(want_text(reader, node, "any"));
        INQ_TRY(one_more(reader, node));
        INQ_TRY(inq_condition_parse(reader->source, node, element, &pool[count]));
        items[count] = &pool[count];
        count++;
    }
    *ret_inner = (struct inq_conditions){.items = items, .count = count};
    return NULL;
}

/* `any modules: [...]`. `all` and `count` have their place here and are refused until they work. */
static struct inq_error *read_quantifier(struct reader *reader, const struct inq_node *map,
                                         struct inq_condition *ret_condition)
{
    const struct inq_node *key = map->first, *value = key ? key->next : NULL;
    if (map->count != 2 || key->kind != INQ_NODE_TEXT)
        return inq_node_error(reader->source, map, 0,
                              "a condition is a text, or one quantifier: any LIST: [conditions]");
    size_t word = strcspn(key->text, " ");
    const char *list = key->text + word + strspn(key->text + word, " ");
    bool later = (word == 3 && strncmp(key->text, "all", 3) == 0) ||
                 (word == 5 && strncmp(key->text, "count", 5) == 0);
    if (later)
        return inq_node_error(reader->source, key, 0,
                              "the quantifier \"%.5s\" is not supported yet, only \"any\"",
                              word == 3 ? "all" : "count");
    if (word != 3 || strncmp(key->text, "any", 3) != 0)
        return inq_node_error(
            reader->source, key, 0,
            "not a quantifier: any LIST is expected (a condition that holds \": \" "
            "must stand in single quotes as a whole)");
    const char *element = inq_fact_element(list);
    if (!element)
        return inq_node_error(reader->source, key, (size_t)(list - key->text),
                              "\"%.100s\" is no list that a quantifier can run over", list);
    INQ_TRY(want(reader, value, INQ_NODE_LIST, "any", "a list of conditions"));
    if (value->count == 0)
        return inq_node_error(reader->source, value, 0, "a quantifier without conditions");
    struct inq_condition condition = {
        .kind = INQ_CONDITION_ANY, .text = key->text, .path = list, .element = element};
    INQ_TRY(read_inner(reader, value, element, &condition.inner));
    *ret_condition = condition;
    return NULL;
}

static struct inq_error *read_condition(struct reader *reader, const struct inq_node *node,
                                        struct inq_condition *ret_condition)
{
    INQ_TRY(one_more(reader, node));
    if (node->kind == INQ_NODE_MAP)
        return read_quantifier(reader, node, ret_condition);
    if (node->kind == INQ_NODE_LIST)
        return inq_node_error(reader->source, node, 0, "a condition is expected, not a list");
    return inq_condition_parse(reader->source, node, NULL, ret_condition);
}

static struct inq_error *read_conditions(struct reader *reader, const struct inq_node *list,
                                         const char *key, struct inq_conditions *ret_conditions)
{
    INQ_TRY(want(reader, list, INQ_NODE_LIST, key, "a list of conditions"));
    const struct inq_condition **items = NULL;
    struct inq_condition *pool = NULL;
    size_t count = 0;
    INQ_TRY(new_items(reader, list->count, &items, &pool));
    for (const struct inq_node *node = list->first; node; node = node->next) {
        INQ_TRY(read_condition(reader, node, &pool[count]));
        items[count] = &pool[count];
        count++;
    }
    *ret_conditions = (struct inq_conditions){.items = items, .count = count};
    return NULL;
}

/* ------------------------------------------------------------------------------------ keys */

static struct inq_error *read_id(struct reader *reader, const struct inq_node *node)
{
    INQ_TRY(want_text(reader, node, "id"));
    if (strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789-") != node->size ||
        node->text[0] == '-' || node->size > 64)
        return inq_node_error(reader->source, node, 0,
                              "an id is made of a-z, 0-9 and -, at most 64 of them");
    reader->rule->id = node->text;
    return NULL;
}

static struct inq_error *read_title(struct reader *reader, const struct inq_node *node)
{
    INQ_TRY(want_text(reader, node, "title"));
    reader->rule->title = node->text;
    return NULL;
}

static struct inq_error *read_when(struct reader *reader, const struct inq_node *node)
{
    INQ_TRY(read_conditions(reader, node, "when", &reader->rule->when));
    if (reader->rule->when.count == 0)
        return inq_node_error(reader->source, node, 0, "\"when\" needs at least one condition");
    return NULL;
}

static struct inq_error *read_unless(struct reader *reader, const struct inq_node *node)
{
    return read_conditions(reader, node, "unless", &reader->rule->unless);
}

static struct inq_error *read_proof(struct reader *reader, const struct inq_node *node)
{
    return read_conditions(reader, node, "proof", &reader->rule->proof);
}

static struct inq_error *read_against_map(struct reader *reader, const struct inq_node *map,
                                          struct inq_against *against)
{
    const struct inq_node *seen[3] = {NULL};
    static const char *const keys[3] = {"when", "text", "effect"};
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        size_t which = 0;
        while (which < 3 && !node_is(key, keys[which]))
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
    INQ_TRY(read_conditions(reader, seen[0], "when", &against->when));
    if (against->when.count == 0)
        return inq_node_error(reader->source, seen[0], 0, "\"when\" needs at least one condition");
    if (seen[1]) {
        INQ_TRY(want_text(reader, seen[1], "text"));
        against->text = seen[1]->text;
    }
    if (seen[2] && !node_is(seen[2], "refutes") && !node_is(seen[2], "lowers"))
        return inq_node_error(reader->source, seen[2], 0, "\"effect\" is refutes or lowers");
    against->refutes = seen[2] && node_is(seen[2], "refutes");
    return NULL;
}

static struct inq_error *read_against(struct reader *reader, const struct inq_node *list)
{
    INQ_TRY(want(reader, list, INQ_NODE_LIST, "against", "a list"));
    struct inq_against *items =
        INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, struct inq_against);
    if (!items)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next, count++) {
        bool quantifier = node->kind == INQ_NODE_MAP && node->count == 2 &&
                          node->first->kind == INQ_NODE_TEXT && strchr(node->first->text, ' ');
        if (node->kind == INQ_NODE_MAP && !quantifier) {
            INQ_TRY(read_against_map(reader, node, &items[count]));
            continue;
        }
        const struct inq_condition **one = NULL;
        struct inq_condition *pool = NULL;
        INQ_TRY(new_items(reader, 1, &one, &pool));
        INQ_TRY(read_condition(reader, node, pool));
        one[0] = pool;
        items[count].when = (struct inq_conditions){.items = one, .count = 1};
    }
    reader->rule->against = items;
    reader->rule->n_against = count;
    return NULL;
}

static struct inq_error *read_texts(struct reader *reader, const struct inq_node *list,
                                    const char *key, const char *const **ret_items,
                                    size_t *ret_count)
{
    INQ_TRY(want(reader, list, INQ_NODE_LIST, key, "a list of texts"));
    const char **items = INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, const char *);
    if (!items)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next) {
        INQ_TRY(want_text(reader, node, key));
        items[count++] = node->text;
    }
    *ret_items = items;
    *ret_count = count;
    return NULL;
}

static struct inq_error *read_rivals(struct reader *reader, const struct inq_node *node)
{
    return read_texts(reader, node, "rivals", &reader->rule->rivals, &reader->rule->n_rivals);
}

static struct inq_error *read_explains(struct reader *reader, const struct inq_node *node)
{
    return read_texts(reader, node, "explains", &reader->rule->explains, &reader->rule->n_explains);
}

static struct inq_error *read_see(struct reader *reader, const struct inq_node *node)
{
    return read_texts(reader, node, "see", &reader->rule->see, &reader->rule->n_see);
}

static struct inq_error *read_cause(struct reader *reader, const struct inq_node *node)
{
    INQ_TRY(want_text(reader, node, "cause"));
    reader->rule->cause = node->text;
    return NULL;
}

static struct inq_error *read_fix_map(struct reader *reader, const struct inq_node *map,
                                      struct inq_fix *fix)
{
    bool has_commands = false;
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        if (node_is(key, "text") && !fix->text) {
            INQ_TRY(want_text(reader, key->next, "text"));
            fix->text = key->next->text;
        } else if (node_is(key, "commands") && !has_commands) {
            has_commands = true;
            INQ_TRY(read_texts(reader, key->next, "commands", &fix->commands, &fix->n_commands));
        } else {
            return inq_node_error(reader->source, key, 0,
                                  "\"fix\" knows text and commands, each once");
        }
    }
    if (!fix->text)
        return inq_node_error(reader->source, map, 0, "\"fix\" needs a \"text\"");
    return NULL;
}

static struct inq_error *read_fix(struct reader *reader, const struct inq_node *list)
{
    INQ_TRY(want(reader, list, INQ_NODE_LIST, "fix", "a list"));
    struct inq_fix *fixes = INQ_ARENA_ARRAY(reader->source->arena, list->count + 1, struct inq_fix);
    if (!fixes)
        return &inq_error_oom;
    size_t count = 0;
    for (const struct inq_node *node = list->first; node; node = node->next, count++) {
        if (node->kind == INQ_NODE_MAP) {
            INQ_TRY(read_fix_map(reader, node, &fixes[count]));
        } else {
            INQ_TRY(want_text(reader, node, "fix"));
            fixes[count].text = node->text;
        }
    }
    reader->rule->fixes = fixes;
    reader->rule->n_fixes = count;
    return NULL;
}

static struct inq_error *read_weight(struct reader *reader, const struct inq_node *node)
{
    INQ_TRY(want_text(reader, node, "weight"));
    char *end = NULL;
    long weight = node->size < 8 ? strtol(node->text, &end, 10) : 0;
    if (!end || *end || end == node->text || weight < -1000 || weight > 1000)
        return inq_node_error(reader->source, node, 0,
                              "\"weight\" is a whole number from -1000 to 1000");
    reader->rule->weight = (int)weight;
    return NULL;
}

static struct inq_error *read_grade(struct reader *reader, const struct inq_node *node)
{
    if (!node_is(node, "context"))
        return inq_node_error(reader->source, node, 0,
                              "grades are computed: only \"grade: context\" can be given");
    reader->rule->context = true;
    return NULL;
}

/* Templates come after the conditions, whose quantifier they may name. */
static const struct rule_key {
    const char *name;
    bool required;
    struct inq_error *(*read)(struct reader *reader, const struct inq_node *node);
} rule_keys[] = {
    {"id", true, read_id},          {"title", true, read_title},
    {"when", true, read_when},      {"unless", false, read_unless},
    {"proof", false, read_proof},   {"against", false, read_against},
    {"rivals", false, read_rivals}, {"explains", false, read_explains},
    {"cause", true, read_cause},    {"fix", false, read_fix},
    {"see", false, read_see},       {"weight", false, read_weight},
    {"grade", false, read_grade},
};
#define N_KEYS INQ_ARRAY_SIZE(rule_keys)

/* ----------------------------------------------------------------------------------- rules */

static const char *first_element(const struct inq_conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->items[i]->kind == INQ_CONDITION_ANY)
            return conditions->items[i]->element;
    return NULL;
}

static struct inq_error *check_against_texts(struct reader *reader, const struct inq_node *list)
{
    for (const struct inq_node *node = list ? list->first : NULL; node; node = node->next) {
        if (node->kind != INQ_NODE_MAP)
            continue;
        for (const struct inq_node *key = node->first; key; key = key->next->next)
            if (node_is(key, "text"))
                INQ_TRY(inq_template_check(reader->source, key->next, reader->element, false));
    }
    return NULL;
}

static struct inq_error *check_fix_texts(struct reader *reader, const struct inq_node *list)
{
    for (const struct inq_node *node = list ? list->first : NULL; node; node = node->next) {
        if (node->kind == INQ_NODE_TEXT) {
            INQ_TRY(inq_template_check(reader->source, node, reader->element, false));
            continue;
        }
        for (const struct inq_node *key = node->first; key; key = key->next->next) {
            if (node_is(key, "text"))
                INQ_TRY(inq_template_check(reader->source, key->next, reader->element, false));
            else
                for (const struct inq_node *one = key->next->first; one; one = one->next)
                    INQ_TRY(inq_template_check(reader->source, one, reader->element, true));
        }
    }
    return NULL;
}

static size_t key_index(const char *name)
{
    size_t which = 0;
    while (which < N_KEYS && strcmp(rule_keys[which].name, name) != 0)
        which++;
    return which;
}

/* Sorts the map's values by key into `values`. */
static struct inq_error *collect_keys(struct reader *reader, const struct inq_node *map,
                                      const struct inq_node **values)
{
    for (const struct inq_node *key = map->first; key; key = key->next->next) {
        size_t which = key->kind == INQ_NODE_TEXT ? key_index(key->text) : N_KEYS;
        if (which == N_KEYS)
            return inq_node_error(reader->source, key, 0, "unknown key \"%.100s\"",
                                  key->kind == INQ_NODE_TEXT ? key->text : "(not a text)");
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

static struct inq_error *read_rule(struct inq_rule_source *source, const struct inq_node *map,
                                   struct inq_rule *rule)
{
    struct reader reader = {.source = source, .rule = rule};
    const struct inq_node *values[N_KEYS] = {NULL};
    if (map->kind != INQ_NODE_MAP)
        return inq_node_error(source, map, 0, "a rule is expected: a map with id, title, when …");
    INQ_TRY(collect_keys(&reader, map, values));
    rule->file = source->file;
    rule->line = map->line;
    for (size_t i = 0; i < N_KEYS; i++)
        if (values[i])
            INQ_TRY(rule_keys[i].read(&reader, values[i]));

    reader.element = first_element(&rule->when);
    if (!reader.element)
        reader.element = first_element(&rule->proof);
    INQ_TRY(inq_template_check(source, values[key_index("cause")], reader.element, false));
    INQ_TRY(check_against_texts(&reader, values[key_index("against")]));
    return check_fix_texts(&reader, values[key_index("fix")]);
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

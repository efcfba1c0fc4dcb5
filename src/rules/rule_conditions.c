/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of conditions, and the lines within quantifiers. */

#include <string.h>

#include "rule_reader.h"

struct inq_error *inq_reader_want(struct inq_rule_reader *reader, const struct inq_node *node,
                                  enum inq_node_kind kind, const char *key, const char *what)
{
    if (node->kind == kind)
        return NULL;
    return inq_node_error(reader->source, node, 0, "\"%s\" takes %s", key, what);
}

struct inq_error *inq_reader_want_text(struct inq_rule_reader *reader, const struct inq_node *node,
                                       const char *key)
{
    INQ_TRY(inq_reader_want(reader, node, INQ_NODE_TEXT, key, "a text"));
    if (node->size == 0)
        return inq_node_error(reader->source, node, 0, "\"%s\" is empty", key);
    return NULL;
}

/* Each condition of a rule, inner ones too, has a number: what was found is remembered by it. */
static struct inq_error *next_slot(struct inq_rule_reader *reader, const struct inq_node *node,
                                   unsigned *ret_slot)
{
    if (reader->conditions >= INQ_RULES_CONDITIONS)
        return inq_node_error(reader->source, node, 0, "more than %u conditions in one rule",
                              INQ_RULES_CONDITIONS);
    *ret_slot = reader->conditions++;
    return NULL;
}

static struct inq_error *new_items(struct inq_rule_reader *reader, size_t count,
                                   const struct inq_condition ***ret_items,
                                   struct inq_condition **ret_pool)
{
    /* The limit on conditions is checked as they are read: no more than that are needed. */
    size_t room = count < INQ_RULES_CONDITIONS ? count : INQ_RULES_CONDITIONS;
    *ret_items = INQ_ARENA_ARRAY(reader->source->arena, room + 1, const struct inq_condition *);
    *ret_pool = INQ_ARENA_ARRAY(reader->source->arena, room + 1, struct inq_condition);
    return *ret_items && *ret_pool ? NULL : &inq_error_oom;
}

static struct inq_error *read_one(struct inq_rule_reader *reader,
                                  const struct inq_fact_scope *scope, const struct inq_node *node,
                                  bool nested, struct inq_condition *condition);

/* The lines inside a quantifier or `either`. */
static struct inq_error *read_inner(struct inq_rule_reader *reader,
                                    const struct inq_fact_scope *scope, const struct inq_node *list,
                                    bool nested, struct inq_conditions *ret_inner)
{
    const struct inq_condition **items = NULL;
    struct inq_condition *pool = NULL;
    size_t count = 0;
    INQ_TRY(new_items(reader, list->count, &items, &pool));
    for (const struct inq_node *node = list->first; node; node = node->next) {
        INQ_TRY(read_one(reader, scope, node, nested, &pool[count]));
        items[count] = &pool[count];
        count++;
    }
    *ret_inner = (struct inq_conditions){.items = items, .count = count};
    return NULL;
}

static struct inq_error *read_says(struct inq_rule_reader *reader,
                                   const struct inq_fact_scope *scope, const struct inq_node *node,
                                   struct inq_condition *condition)
{
    struct inq_fact_scope named = *scope;
    if (condition->kind == INQ_CONDITION_ANY)
        inq_scope_add(&named, condition);
    INQ_TRY(inq_reader_want_text(reader, node, "says"));
    INQ_TRY(inq_template_check(reader->source, node, &named, false));
    condition->says = node->text;
    return NULL;
}

/* {any LIST: [...]}, and perhaps `says` beside it. */
static struct inq_error *read_compound(struct inq_rule_reader *reader,
                                       const struct inq_fact_scope *scope,
                                       const struct inq_node *map, bool nested,
                                       struct inq_condition *condition)
{
    const struct inq_node *key = map->first, *says = NULL;
    if (key && inq_node_is(key, "says")) { /* whichever comes first */
        says = key->next;
        key = says->next;
    } else if (map->count == 4 && inq_node_is(key->next->next, "says")) {
        says = key->next->next->next;
    }
    if (!key || key->kind != INQ_NODE_TEXT || map->count != (says ? 4 : 2))
        return inq_node_error(reader->source, map, 0,
                              "a condition is a text, or one quantifier: any LIST: [conditions]");
    const struct inq_node *value = key->next;
    struct inq_fact_scope inner = *scope;
    unsigned slot = condition->slot;
    INQ_TRY(inq_quantifier_parse(reader->source, key, scope, nested, condition));
    condition->slot = slot;
    if (condition->element)
        inner.items[inner.count++] =
            (struct inq_element){.name = condition->element, .list = condition->fact};
    INQ_TRY(inq_reader_want(reader, value, INQ_NODE_LIST, key->text, "a list of conditions"));
    if (value->count == 0)
        return inq_node_error(reader->source, value, 0, "a quantifier without conditions");
    INQ_TRY(read_inner(reader, &inner, value, nested || condition->element, &condition->inner));
    for (size_t i = 0; i < condition->inner.count; i++)
        condition->uses |= condition->inner.items[i]->uses;
    if (condition->element)
        condition->uses &= (1u << scope->count) - 1u;
    return says ? read_says(reader, scope, says, condition) : NULL;
}

/* Nesting is bounded by the tree's. */
static struct inq_error *read_one(struct inq_rule_reader *reader,
                                  const struct inq_fact_scope *scope, const struct inq_node *node,
                                  bool nested, struct inq_condition *condition)
{
    unsigned slot = 0;
    INQ_TRY(next_slot(reader, node, &slot));
    condition->slot = slot;
    if (node->kind == INQ_NODE_MAP)
        return read_compound(reader, scope, node, nested, condition);
    if (node->kind == INQ_NODE_LIST)
        return inq_node_error(reader->source, node, 0, "a condition is expected, not a list");
    INQ_TRY(inq_condition_parse(reader->source, node, scope, nested, condition));
    condition->slot = slot;
    return NULL;
}

static bool is_any(const struct inq_node *node)
{
    for (const struct inq_node *key = node->kind == INQ_NODE_MAP ? node->first : NULL; key;
         key = key->next->next)
        if (key->kind == INQ_NODE_TEXT && strncmp(key->text, "any ", 4) == 0)
            return true;
    return false;
}

static struct inq_error *read_list(struct inq_rule_reader *reader,
                                   const struct inq_fact_scope *scope, const struct inq_node *list,
                                   const char *key, bool binds,
                                   struct inq_conditions *ret_conditions)
{
    INQ_TRY(inq_reader_want(reader, list, INQ_NODE_LIST, key, "a list of conditions"));
    const struct inq_condition **items = NULL;
    struct inq_condition *pool = NULL;
    size_t count = 0, first = list->count;
    INQ_TRY(new_items(reader, list->count, &items, &pool));
    const struct inq_node *node = list->first;
    for (size_t i = 0; binds && node && first == list->count; node = node->next, i++)
        if (is_any(node) && i < INQ_RULES_CONDITIONS) {
            INQ_TRY(read_one(reader, scope, node, false, &pool[i]));
            reader->rule->binder = &pool[i];
            inq_scope_add(&reader->scope, &pool[i]);
            first = i;
        }
    for (node = list->first; node; node = node->next) {
        if (count != first)
            INQ_TRY(read_one(reader, scope, node, false, &pool[count]));
        items[count] = &pool[count];
        count++;
    }
    *ret_conditions = (struct inq_conditions){.items = items, .count = count};
    return NULL;
}

struct inq_error *inq_reader_conditions(struct inq_rule_reader *reader,
                                        const struct inq_fact_scope *scope,
                                        const struct inq_node *list, const char *key,
                                        struct inq_conditions *ret_conditions)
{
    return read_list(reader, scope, list, key, false, ret_conditions);
}

struct inq_error *inq_reader_when(struct inq_rule_reader *reader, const struct inq_node *list)
{
    return read_list(reader, &reader->scope, list, "when", true, &reader->rule->when);
}

struct inq_error *inq_reader_condition(struct inq_rule_reader *reader,
                                       const struct inq_fact_scope *scope,
                                       const struct inq_node *node,
                                       struct inq_conditions *ret_conditions)
{
    const struct inq_condition **items = NULL;
    struct inq_condition *pool = NULL;
    INQ_TRY(new_items(reader, 1, &items, &pool));
    INQ_TRY(read_one(reader, scope, node, false, pool));
    items[0] = pool;
    *ret_conditions = (struct inq_conditions){.items = items, .count = 1};
    return NULL;
}

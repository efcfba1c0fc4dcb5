/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_RULE_READER_H
#define INQ_RULES_RULE_READER_H

/* One rule while it is being read. Private to the layer. */

#include "condition.h"
#include "rule_source.h"
#include "rules.h"

struct inq_rule_reader {
    struct inq_rule_source *source;
    struct inq_rule *rule;
    unsigned conditions; /* of this rule, so far */
    struct inq_fact_scope
        scope; /* what conditions may name: what the first `any` of `when` finds */
    struct inq_fact_scope
        texts; /* what templates may name: that, and the same of `strong` and `proof` */
};

struct inq_error *inq_reader_want(struct inq_rule_reader *reader, const struct inq_node *node,
                                  enum inq_node_kind kind, const char *key, const char *what);
struct inq_error *inq_reader_want_text(struct inq_rule_reader *reader, const struct inq_node *node,
                                       const char *key);
static inline bool inq_node_is(const struct inq_node *node, const char *text)
{
    return node->kind == INQ_NODE_TEXT && strcmp(node->text, text) == 0;
}

/* A list of conditions, which may be empty. */
struct inq_error *inq_reader_conditions(struct inq_rule_reader *reader,
                                        const struct inq_fact_scope *scope,
                                        const struct inq_node *list, const char *key,
                                        struct inq_conditions *ret_conditions);
/* The same for `when`: its first `any` is read first, since the other lines may name its element.
 */
struct inq_error *inq_reader_when(struct inq_rule_reader *reader, const struct inq_node *list);
/* One condition as a list of one. */
struct inq_error *inq_reader_condition(struct inq_rule_reader *reader,
                                       const struct inq_fact_scope *scope,
                                       const struct inq_node *node,
                                       struct inq_conditions *ret_conditions);

#endif

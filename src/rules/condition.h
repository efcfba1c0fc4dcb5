/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_CONDITION_H
#define INQ_RULES_CONDITION_H

/* One line of a rule, parsed and checked against the fact dictionary. */

#include <stdint.h>

#include "facts.h"
#include "rule_source.h"
#include "rules.h"

enum inq_condition_kind {
    INQ_CONDITION_COMPARE, /* FACT OPERATOR VALUE */
    INQ_CONDITION_ANY,     /* any LIST: [conditions on one element] */
    INQ_CONDITION_ALL,     /* all LIST: [...] */
    INQ_CONDITION_COUNT,   /* count LIST OPERATOR NUMBER: [...] */
    INQ_CONDITION_EITHER,  /* either: [conditions, one of which is enough] */
};

enum inq_operator {
    INQ_OP_IS,
    INQ_OP_IS_NOT,
    INQ_OP_IN,
    INQ_OP_NOT_IN,
    INQ_OP_LIKE, /* one pattern or several */
    INQ_OP_NOT_LIKE,
    INQ_OP_HAS, /* a list of texts: one like the pattern; of numbers: one equal */
    INQ_OP_LESS,
    INQ_OP_LESS_EQUAL,
    INQ_OP_GREATER,
    INQ_OP_GREATER_EQUAL,
    INQ_OP_EXISTS,
    INQ_OP_NOT_EXISTS,
};

/* A value on the right of an operator, in the type of the fact on the left. */
struct inq_literal {
    const char *text; /* as written, without quotes */
    union {
        int64_t number;   /* INQ_FACT_INT */
        uint64_t address; /* INQ_FACT_ADDR */
        double real;      /* INQ_FACT_REAL */
        bool boolean;     /* INQ_FACT_BOOL */
    } as;
};

struct inq_condition {
    enum inq_condition_kind kind;
    const char *text; /* as written */
    const char *path; /* the fact, or the list of a quantifier; "" for `either` */
    const struct inq_fact *fact;
    enum inq_fact_type type;
    enum inq_operator op;
    const struct inq_literal *literals;
    size_t n_literals;
    const char *right; /* the fact in braces on the right; NULL: literals */
    const struct inq_fact *right_fact;
    unsigned slot;  /* its number within the rule, below INQ_RULES_CONDITIONS */
    unsigned uses;  /* a bit for each element around it that it asks about; 0: the same for all */
    unsigned level; /* whose `member` is */
    const char *member; /* the element's own key when the path is ELEMENT.KEY; else NULL */

    const char *element; /* quantifier: the name its conditions use */
    const char *says;    /* template: the line in the rule's own words; NULL */
    uint64_t limit;      /* count: the number on the right */
    struct inq_conditions inner;
};

/*
 * Parses a text node into *ret_condition. `scope` is what the quantifiers around it name. A bare
 * "count LIST OPERATOR NUMBER" is a condition too.
 */
struct inq_error *inq_condition_parse(struct inq_rule_source *source, const struct inq_node *node,
                                      const struct inq_fact_scope *scope, bool nested,
                                      struct inq_condition *ret_condition);
/*
 * Parses what stands before the colon of a quantifier: "any LIST", "all LIST", "count LIST OPERATOR
 * NUMBER", "either". `nested`: inside another one, where only the element's own lists may be run
 * over: lists of the document would be gone through once for each element.
 */
struct inq_error *inq_quantifier_parse(struct inq_rule_source *source, const struct inq_node *node,
                                       const struct inq_fact_scope *scope, bool nested,
                                       struct inq_condition *ret_condition);

/*
 * Checks a template: every {fact} must be in the dictionary (`scope` as above) and every brace
 * closed. In `commands`, which people paste into a shell, facts whose text the dead process chose
 * are refused.
 */
struct inq_error *inq_template_check(struct inq_rule_source *source, const struct inq_node *node,
                                     const struct inq_fact_scope *scope, bool command);
/*
 * suggestion.c: "; did you mean \"signal.name\"?" for a name that is none, in the source's arena;
 * "" when nothing is near, or without memory. Of any names; of facts as a rule writes them; of
 * lists; of "read|write|execute".
 */
const char *inq_did_you_mean(struct inq_rule_source *source, const char *word,
                             const char *const *names, size_t n);
const char *inq_fact_suggestion(struct inq_rule_source *source, const char *path,
                                const struct inq_fact_scope *scope);
const char *inq_list_suggestion(struct inq_rule_source *source, const char *word);
const char *inq_word_suggestion(struct inq_rule_source *source, const char *word,
                                const char *values);

/*
 * Adds what `condition` names: its element, and that of the first `any` within it, and so on. The
 * values are not set. An element that has no room, or whose name is there, is left out.
 */
void inq_scope_add(struct inq_fact_scope *scope, const struct inq_condition *condition);
/* The first `any` of the conditions; NULL without. */
const struct inq_condition *inq_first_any(const struct inq_conditions *conditions);

/* A fact's value as people read it; NULL without memory. To be freed. */
char *inq_value_text(const json_t *value);
/* The same for the value of a known fact: modules by name, not by number. */
char *inq_fact_text(const json_t *document, const struct inq_fact *fact, const json_t *value);

#endif

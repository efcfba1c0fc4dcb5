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
};

enum inq_operator {
    INQ_OP_IS,
    INQ_OP_IS_NOT,
    INQ_OP_IN,
    INQ_OP_LIKE,
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
    const char *path; /* the fact, or the list of a quantifier */
    enum inq_fact_type type;
    enum inq_operator op;
    const struct inq_literal *literals;
    size_t n_literals;
    bool of_element; /* the path begins with the name of the element of the quantifier around it */
    const char *member; /* the element's own key when the path is ELEMENT.KEY; else NULL */

    const char *element; /* quantifier: the name its conditions use */
    struct inq_conditions inner;
};

/* Parses a text node into *ret_condition. `element` is the name a quantifier around it gives, or
 * NULL. */
struct inq_error *inq_condition_parse(struct inq_rule_source *source, const struct inq_node *node,
                                      const char *element, struct inq_condition *ret_condition);

/*
 * Checks a template: every {fact} must be in the dictionary (`element` as above) and every brace
 * closed. In `commands`, which people paste into a shell, facts whose text the dead process chose
 * are refused.
 */
struct inq_error *inq_template_check(struct inq_rule_source *source, const struct inq_node *node,
                                     const char *element, bool command);

/* A fact's value as people read it; NULL without memory. To be freed. */
char *inq_value_text(const json_t *value);

#endif

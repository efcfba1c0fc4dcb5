/* SPDX-License-Identifier: Apache-2.0 */

/* One value against one condition. */

#include <string.h>

#include "evaluator.h"
#include "text.h"

static enum inq_truth truth_of(bool holds)
{
    return holds ? INQ_YES : INQ_NO;
}

/* -1, 0, 1; false when the value in the document is not of the fact's type. */
static bool order_literal(const struct inq_condition *condition, const struct inq_literal *literal,
                          const json_t *value, int *ret_order)
{
    uint64_t address = 0;
    switch (condition->type) {
    case INQ_FACT_INT:
    case INQ_FACT_NUMBERS:
        if (!json_is_integer(value))
            return false;
        *ret_order = (json_integer_value(value) > literal->as.number) -
                     (json_integer_value(value) < literal->as.number);
        return true;
    case INQ_FACT_REAL:
        if (!json_is_number(value))
            return false;
        *ret_order = (json_number_value(value) > literal->as.real) -
                     (json_number_value(value) < literal->as.real);
        return true;
    case INQ_FACT_ADDR:
        if (!inq_json_addr_value(value, &address))
            return false;
        *ret_order = (address > literal->as.address) - (address < literal->as.address);
        return true;
    case INQ_FACT_BOOL:
        if (!json_is_boolean(value))
            return false;
        *ret_order = json_is_true(value) != literal->as.boolean;
        return true;
    default:
        if (!json_is_string(value))
            return false;
        *ret_order = strcmp(json_string_value(value), literal->text) != 0;
        return true;
    }
}

/* A number or an address, with its sign apart: both compare with each other. */
static bool number_of(const json_t *value, bool *ret_negative, uint64_t *ret_value)
{
    *ret_negative = false;
    if (json_is_integer(value)) {
        *ret_negative = json_integer_value(value) < 0;
        *ret_value = (uint64_t)json_integer_value(value);
        return true;
    }
    return inq_json_addr_value(value, ret_value);
}

static bool order_values(enum inq_fact_type type, const json_t *a, const json_t *b, int *ret_order)
{
    bool a_negative = false, b_negative = false;
    uint64_t one = 0, two = 0;
    switch (type) {
    case INQ_FACT_INT:
    case INQ_FACT_ADDR:
    case INQ_FACT_NUMBERS:
        if (!number_of(a, &a_negative, &one) || !number_of(b, &b_negative, &two))
            return false;
        /* of two negative ones the greater has the greater two's complement */
        *ret_order = a_negative != b_negative ? (a_negative ? -1 : 1) : (one > two) - (one < two);
        return true;
    case INQ_FACT_REAL:
        if (!json_is_number(a) || !json_is_number(b))
            return false;
        *ret_order = (json_number_value(a) > json_number_value(b)) -
                     (json_number_value(a) < json_number_value(b));
        return true;
    case INQ_FACT_BOOL:
        if (!json_is_boolean(a) || !json_is_boolean(b))
            return false;
        *ret_order = json_is_true(a) != json_is_true(b);
        return true;
    default:
        if (!json_is_string(a) || !json_is_string(b))
            return false;
        *ret_order = strcmp(json_string_value(a), json_string_value(b)) != 0;
        return true;
    }
}

static enum inq_truth by_order(enum inq_operator op, int order)
{
    switch (op) {
    case INQ_OP_IS:
        return truth_of(order == 0);
    case INQ_OP_IS_NOT:
        return truth_of(order != 0);
    case INQ_OP_LESS:
        return truth_of(order < 0);
    case INQ_OP_LESS_EQUAL:
        return truth_of(order <= 0);
    case INQ_OP_GREATER:
        return truth_of(order > 0);
    default:
        return truth_of(order >= 0);
    }
}

static enum inq_truth is_one_of(const struct inq_condition *condition, const json_t *value)
{
    for (size_t i = 0; i < condition->n_literals; i++) {
        int result = 0;
        if (!order_literal(condition, &condition->literals[i], value, &result))
            return INQ_MAYBE;
        if (result == 0)
            return INQ_YES;
    }
    return INQ_NO;
}

static enum inq_truth is_like(const struct inq_condition *condition, const json_t *value)
{
    if (!json_is_string(value))
        return INQ_MAYBE;
    for (size_t i = 0; i < condition->n_literals; i++)
        if (inq_glob_match(condition->literals[i].text, json_string_value(value)))
            return INQ_YES;
    return INQ_NO;
}

/* A list: of texts one that is like the pattern, of numbers one that is equal. */
static enum inq_truth has(const struct inq_condition *condition, const json_t *list,
                          const struct inq_fact_value *right)
{
    size_t i;
    json_t *value;
    if (!json_is_array(list))
        return INQ_MAYBE;
    json_array_foreach (list, i, value) {
        int order = 1;
        bool fits = false;
        if (right)
            fits = order_values(condition->type, value, right->value, &order) && order == 0;
        else if (condition->type == INQ_FACT_TEXTS)
            fits = json_is_string(value) &&
                   inq_glob_match(condition->literals[0].text, json_string_value(value));
        else
            fits = order_literal(condition, &condition->literals[0], value, &order) && order == 0;
        if (fits)
            return INQ_YES;
    }
    return INQ_NO;
}

static enum inq_truth negate(enum inq_truth truth)
{
    return truth == INQ_MAYBE ? INQ_MAYBE : truth == INQ_YES ? INQ_NO : INQ_YES;
}

/* With a fact on the right that is not there: nothing is equal to nothing. */
static enum inq_truth right_missing(const struct inq_condition *condition,
                                    const struct inq_fact_value *right)
{
    if (right->known == INQ_UNKNOWN)
        return INQ_MAYBE;
    return truth_of(condition->op == INQ_OP_IS_NOT);
}

enum inq_truth inq_compare(const struct inq_condition *condition, const json_t *value,
                           const struct inq_fact_value *right)
{
    int order = 0;
    if (right && right->known != INQ_KNOWN)
        return right_missing(condition, right);
    switch (condition->op) {
    case INQ_OP_EXISTS:
        return INQ_YES;
    case INQ_OP_NOT_EXISTS:
        return INQ_NO;
    case INQ_OP_IN:
        return is_one_of(condition, value);
    case INQ_OP_NOT_IN:
        return negate(is_one_of(condition, value));
    case INQ_OP_LIKE:
        return is_like(condition, value);
    case INQ_OP_NOT_LIKE:
        return negate(is_like(condition, value));
    case INQ_OP_HAS:
        return has(condition, value, right);
    default:
        if (right ? !order_values(condition->type, value, right->value, &order)
                  : !order_literal(condition, &condition->literals[0], value, &order))
            return INQ_MAYBE;
        return by_order(condition->op, order);
    }
}

/*
 * A fact that was looked for and is not there: it is nothing, so it is none of the values either.
 * Of two facts that both are nothing no difference is known.
 */
static enum inq_truth compare_none(const struct inq_condition *condition,
                                   const struct inq_fact_value *right)
{
    if (right && right->known == INQ_UNKNOWN)
        return INQ_MAYBE;
    if (right && right->known == INQ_NONE)
        return INQ_NO;
    return truth_of(condition->op == INQ_OP_NOT_EXISTS || condition->op == INQ_OP_IS_NOT ||
                    condition->op == INQ_OP_NOT_IN || condition->op == INQ_OP_NOT_LIKE);
}

enum inq_truth inq_compare_fact(const struct inq_condition *condition,
                                const struct inq_fact_value *fact,
                                const struct inq_fact_value *right)
{
    if (fact->known == INQ_KNOWN)
        return inq_compare(condition, fact->value, right);
    return fact->known == INQ_NONE ? compare_none(condition, right) : INQ_MAYBE;
}

enum inq_truth inq_compare_count(const struct inq_condition *condition, uint64_t low, uint64_t high)
{
    uint64_t limit = condition->limit;
    int order_low = (low > limit) - (low < limit), order_high = (high > limit) - (high < limit);
    enum inq_truth at_low = by_order(condition->op, order_low);
    enum inq_truth at_high = by_order(condition->op, order_high);
    /* is and is not: the limit may lie between the two */
    bool crosses = order_low < 0 && order_high > 0;
    if (at_low != at_high ||
        (crosses && (condition->op == INQ_OP_IS || condition->op == INQ_OP_IS_NOT)))
        return INQ_MAYBE;
    return at_low;
}

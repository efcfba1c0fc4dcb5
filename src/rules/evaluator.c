/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions over a document: quantifiers, and what is kept from rule to rule. */

#include "evaluator.h"

#include <stdlib.h>
#include <string.h>

#include "kleene.h"

/* ---------------------------------------------------------------------------------- columns */

#define COLUMNS 512u          /* slots of the hash; half of them are used at most */
#define MAX_CELLS (4u << 20u) /* values in all columns together: 32 MiB */
#define LEAST_ELEMENTS 8u     /* shorter lists are as quickly asked */
#define KEPT 128u             /* answers that are kept */

struct inq_column {
    const json_t *list;
    const char *member;
    const json_t **values;
};

/* Many rules ask for the same few facts of the whole document: signal.name, abort.text. */
struct inq_answer_kept {
    const struct inq_fact *fact;
    struct inq_fact_value value;
};

struct inq_evaluator *inq_evaluator_create(const json_t *document)
{
    struct inq_evaluator *evaluator = calloc(1, sizeof(*evaluator));
    if (!evaluator)
        return NULL;
    evaluator->document = document;
    evaluator->columns = calloc(COLUMNS, sizeof(*evaluator->columns));
    evaluator->kept = calloc(KEPT, sizeof(*evaluator->kept));
    if (!evaluator->columns || !evaluator->kept) {
        free(evaluator->columns);
        free(evaluator->kept);
        free(evaluator);
        return NULL;
    }
    return evaluator;
}

void inq_evaluator_destroy(struct inq_evaluator *evaluator)
{
    if (!evaluator)
        return;
    for (size_t i = 0; i < COLUMNS; i++)
        free(evaluator->columns[i].values);
    free(evaluator->columns);
    free(evaluator->kept);
    free(evaluator);
}

static size_t hash_column(const json_t *list, const char *member)
{
    uint64_t hash = (uint64_t)(uintptr_t)list * 0x9e3779b97f4a7c15u;
    for (; *member; member++)
        hash = (hash ^ (uint8_t)*member) * 0x100000001b3u;
    return (size_t)(hash >> 32) % COLUMNS;
}

static bool fill_column(struct inq_column *column, const json_t *list, const char *member)
{
    size_t size = json_array_size(list);
    column->values = calloc(size, sizeof(*column->values));
    if (!column->values)
        return false;
    for (size_t i = 0; i < size; i++) {
        const json_t *value = json_object_get(json_array_get(list, i), member);
        column->values[i] = json_is_null(value) ? NULL : value;
    }
    column->list = list;
    column->member = member;
    return true;
}

const json_t *const *inq_evaluator_column(struct inq_evaluator *evaluator, const json_t *list,
                                          const char *member)
{
    size_t size = json_array_size(list);
    size_t slot = hash_column(list, member);
    if (size < LEAST_ELEMENTS)
        return NULL;
    for (; evaluator->columns[slot].list; slot = (slot + 1) % COLUMNS)
        if (evaluator->columns[slot].list == list &&
            strcmp(evaluator->columns[slot].member, member) == 0)
            return evaluator->columns[slot].values;
    if (evaluator->n_columns >= COLUMNS / 2 || size > MAX_CELLS - evaluator->n_cells)
        return NULL;
    if (!fill_column(&evaluator->columns[slot], list, member))
        return NULL;
    evaluator->n_columns++;
    evaluator->n_cells += size;
    return evaluator->columns[slot].values;
}

/* ------------------------------------------------------------------------------- one condition */

static struct inq_fact_value look_up(const struct inq_run *run, const char *path,
                                     const struct inq_fact_scope *scope)
{
    return inq_evidence_get_in(run->evaluator->document, path, scope);
}

/* Does the condition ask for a fact as the dictionary names it, of no element and no other fact? */
static bool is_keepable(const struct inq_condition *condition)
{
    return condition->uses == 0 && condition->fact && !condition->right &&
           !strcmp(condition->path, condition->fact->path);
}

static struct inq_fact_value look_up_kept(const struct inq_run *run,
                                          const struct inq_condition *condition,
                                          const struct inq_fact_scope *scope)
{
    struct inq_answer_kept *kept =
        &run->evaluator->kept[(uintptr_t)condition->fact / sizeof(*condition->fact) % KEPT];

    if (!is_keepable(condition))
        return look_up(run, condition->path, scope);
    if (kept->fact != condition->fact) {
        kept->value = look_up(run, condition->path, scope);
        kept->fact = condition->fact;
    }
    return kept->value;
}

/* Looked up by its path, with what stands on the right. */
static enum inq_truth compare_by_path(const struct inq_run *run,
                                      const struct inq_condition *condition,
                                      const struct inq_fact_scope *scope)
{
    struct inq_fact_value right, fact = look_up_kept(run, condition, scope);
    if (!condition->right)
        return inq_compare_fact(condition, &fact, NULL);
    right = look_up(run, condition->right, scope);
    return inq_compare_fact(condition, &fact, &right);
}

/*
 * ELEMENT.KEY without a value: why it is missing depends on the fact's path, not on which element
 * this is, and is found out once.
 */
static enum inq_truth test_missing(struct inq_run *run, const struct inq_condition *condition,
                                   const struct inq_fact_scope *scope)
{
    signed char *known = &run->known[condition->slot];
    if (condition->right)
        return compare_by_path(run, condition, scope);
    if (*known == INQ_NOT_ASKED)
        *known = (signed char)compare_by_path(run, condition, scope);
    return (enum inq_truth) * known;
}

static enum inq_truth test_value(struct inq_run *run, const struct inq_condition *condition,
                                 const struct inq_fact_scope *scope, const json_t *value)
{
    struct inq_fact_value right;
    if (!value)
        return test_missing(run, condition, scope);
    if (!condition->right)
        return inq_compare(condition, value, NULL);
    right = look_up(run, condition->right, scope);
    return inq_compare(condition, value, &right);
}

static enum inq_truth test_compare(struct inq_run *run, const struct inq_condition *condition,
                                   const struct inq_fact_scope *scope)
{
    if (!condition->member)
        return compare_by_path(run, condition, scope);
    const json_t *element = scope->items[condition->level].value;
    if (!element)
        return INQ_MAYBE;
    const json_t *value = json_object_get(element, condition->member);
    return test_value(run, condition, scope, json_is_null(value) ? NULL : value);
}

static enum inq_truth test_either(struct inq_run *run, const struct inq_condition *condition,
                                  const struct inq_fact_scope *scope)
{
    enum inq_truth truth = INQ_NO;
    for (size_t i = 0; i < condition->inner.count && truth != INQ_YES; i++)
        truth = inq_truth_or(truth, inq_run_test(run, condition->inner.items[i], scope));
    return truth;
}

/* Nesting is bounded by that of the file (INQ_RULES_NESTING). */
enum inq_truth inq_run_test(struct inq_run *run, const struct inq_condition *condition,
                            const struct inq_fact_scope *scope)
{
    signed char *known = &run->known[condition->slot];
    enum inq_truth truth;
    if (condition->uses == 0 && *known != INQ_NOT_ASKED)
        return (enum inq_truth) * known;
    switch (condition->kind) {
    case INQ_CONDITION_COMPARE:
        truth = test_compare(run, condition, scope);
        break;
    case INQ_CONDITION_EITHER:
        truth = test_either(run, condition, scope);
        break;
    default:
        truth = inq_run_list(run, condition, scope).truth;
        break;
    }
    if (condition->uses == 0)
        *known = (signed char)truth;
    return truth;
}

enum inq_truth inq_run_test_all(struct inq_run *run, const struct inq_conditions *conditions,
                                const struct inq_fact_scope *scope)
{
    enum inq_truth truth = INQ_YES;
    for (size_t i = 0; i < conditions->count && truth != INQ_NO; i++)
        truth = inq_truth_and(truth, inq_run_test(run, conditions->items[i], scope));
    return truth;
}

/* ------------------------------------------------------------------------------------- lists */

#define LINES_WITH_COLUMNS 16u

/* A list while it is gone through. */
struct walk {
    struct inq_run *run;
    const struct inq_condition *condition;
    const json_t *list;
    struct inq_fact_scope scope;                      /* the element is its last */
    const json_t *const *columns[LINES_WITH_COLUMNS]; /* of the first lines; NULL: none */
};

static void find_columns(struct walk *walk)
{
    const struct inq_conditions *inner = &walk->condition->inner;
    if (walk->condition->type != INQ_FACT_LIST)
        return;
    for (size_t i = 0; i < inner->count && i < LINES_WITH_COLUMNS; i++) {
        const struct inq_condition *line = inner->items[i];
        if (line->kind == INQ_CONDITION_COMPARE && line->member &&
            line->level == walk->scope.count - 1)
            walk->columns[i] = inq_evaluator_column(walk->run->evaluator, walk->list, line->member);
    }
}

static enum inq_truth test_element(struct walk *walk, size_t index)
{
    const struct inq_conditions *inner = &walk->condition->inner;
    enum inq_truth truth = INQ_YES;
    for (size_t i = 0; i < inner->count && truth != INQ_NO; i++) {
        const struct inq_condition *line = inner->items[i];
        enum inq_truth one;
        if (i < LINES_WITH_COLUMNS && walk->columns[i])
            one = test_value(walk->run, line, &walk->scope, walk->columns[i][index]);
        else
            one = inq_run_test(walk->run, line, &walk->scope);
        truth = inq_truth_and(truth, one);
    }
    return truth;
}

struct inq_list_result inq_run_each(
    struct inq_run *run, const struct inq_condition *condition, const struct inq_fact_scope *scope,
    bool (*visit)(void *context, const json_t *element, enum inq_truth truth), void *context)
{
    struct inq_list_result result = {.truth = INQ_NO};
    struct inq_fact_value list = look_up_kept(run, condition, scope);
    if (list.known == INQ_UNKNOWN) {
        result.truth = INQ_MAYBE;
        result.why = list.why;
        result.high = UINT64_MAX;
        return result;
    }
    struct walk walk = {.run = run, .condition = condition, .list = list.value, .scope = *scope};
    const size_t size = json_array_size(list.value);
    struct inq_element *element = &walk.scope.items[walk.scope.count++];
    *element = (struct inq_element){.name = condition->element, .list = condition->fact};
    find_columns(&walk);
    for (size_t i = 0; i < size; i++) {
        element->value =
            inq_evidence_element(run->evaluator->document, condition->fact, list.value, i);
        enum inq_truth truth = test_element(&walk, i);
        result.looked_at++;
        if (!visit(context, element->value, truth))
            return result;
    }
    uint64_t missing = 0;
    result.why = inq_list_is_cut(run->evaluator->document, condition, scope, size, &missing);
    result.high = result.why ? missing : 0;
    if (result.why)
        result.truth = INQ_MAYBE;
    return result;
}

/* What an element does to each quantifier. */
struct tally {
    enum inq_condition_kind kind;
    const json_t *decides, *open; /* the first that settles it; the first that is not known */
    uint64_t yes, maybe;
};

static bool count_element(void *context, const json_t *element, enum inq_truth truth)
{
    struct tally *tally = context;
    enum inq_truth settles = tally->kind == INQ_CONDITION_ALL ? INQ_NO : INQ_YES;
    tally->yes += truth == INQ_YES;
    tally->maybe += truth == INQ_MAYBE;
    if (truth == INQ_MAYBE && !tally->open)
        tally->open = element;
    if (truth == settles && !tally->decides)
        tally->decides = element;
    return tally->kind == INQ_CONDITION_COUNT || truth != settles;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void conclude(const struct inq_condition *condition, const struct tally *tally,
                     struct inq_list_result *result)
{
    const bool unknown = result->truth == INQ_MAYBE; /* the list is, or it is cut */
    const uint64_t missing = result->high;
    static const char open[] = "something about it is not known";
    result->low = tally->yes;
    /* Without lines every element counts, also one that is only known to be there. */
    if (condition->inner.count == 0 && missing != UINT64_MAX)
        result->low = add_capped(tally->yes, missing);
    result->high = add_capped(tally->yes, add_capped(tally->maybe, missing));
    result->element = tally->decides ? tally->decides : tally->open;
    if (tally->open && !tally->decides)
        result->why = open;
    switch (condition->kind) {
    case INQ_CONDITION_ANY:
        result->truth = tally->decides ? INQ_YES : tally->open || unknown ? INQ_MAYBE : INQ_NO;
        break;
    case INQ_CONDITION_ALL:
        /* Of an empty list nothing can be said that would support a verdict. */
        result->truth = tally->decides           ? INQ_NO
                        : tally->open || unknown ? INQ_MAYBE
                        : result->looked_at == 0 ? INQ_NO
                                                 : INQ_YES;
        break;
    default:
        result->truth = inq_compare_count(condition, result->low, result->high);
        if (tally->open)
            result->why = open;
        break;
    }
}

struct inq_list_result inq_run_list(struct inq_run *run, const struct inq_condition *condition,
                                    const struct inq_fact_scope *scope)
{
    struct tally tally = {.kind = condition->kind};
    struct inq_list_result result = inq_run_each(run, condition, scope, count_element, &tally);
    conclude(condition, &tally, &result);
    return result;
}

void inq_run_bind(struct inq_run *run, const struct inq_condition *condition, const json_t *element,
                  const struct inq_fact_scope *scope, struct inq_fact_scope *names)
{
    struct inq_fact_scope at = *scope;
    /* In the order and within the limits of inq_scope_add(). */
    while (condition && names->count < INQ_SCOPE_DEPTH) {
        struct inq_element one = {
            .name = condition->element, .list = condition->fact, .value = element};
        for (size_t i = 0; i < names->count; i++)
            if (strcmp(names->items[i].name, one.name) == 0)
                return;
        names->items[names->count++] = one;
        at.items[at.count++] = one;
        condition = inq_first_any(&condition->inner);
        if (condition)
            element = element ? inq_run_list(run, condition, &at).element : NULL;
    }
}

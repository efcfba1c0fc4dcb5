/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_EVALUATOR_H
#define INQ_RULES_EVALUATOR_H

/* Testing conditions over one document. Private to the layer. */

#include "condition.h"

/* A value against a condition that is no quantifier; `right` is the fact on its right, if any. */
enum inq_truth inq_compare(const struct inq_condition *condition, const json_t *value,
                           const struct inq_fact_value *right);
/* The same for a fact that may be none or unknown. */
enum inq_truth inq_compare_fact(const struct inq_condition *condition,
                                const struct inq_fact_value *fact,
                                const struct inq_fact_value *right);
/* Does every number from low to high compare so with the condition's limit, none, or some? */
enum inq_truth inq_compare_count(const struct inq_condition *condition, uint64_t low,
                                 uint64_t high);

/*
 * Why a list may be longer in truth than in the document; NULL when it is whole. *ret_missing is
 * how many are missing, UINT64_MAX when nobody knows.
 */
const char *inq_list_is_cut(const json_t *document, const struct inq_condition *condition,
                            const struct inq_fact_scope *scope, size_t size, uint64_t *ret_missing);

/* The values of one member of every element of a list, so that 10,000 rules need not look it up. */
struct inq_column;

struct inq_evaluator {
    const json_t *document;
    struct inq_column *columns; /* an open hash */
    size_t n_columns, n_cells;
    struct inq_answer_kept
        *kept;   /* facts that were asked for before, by their place in the table */
    bool failed; /* no memory: the truth that was found must not be used */
};
/* NULL when there are too many already: then the elements are asked one by one. */
const json_t *const *inq_evaluator_column(struct inq_evaluator *evaluator, const json_t *list,
                                          const char *member);

/* One rule being evaluated: what is the same for every element is asked once. */
struct inq_run {
    struct inq_evaluator *evaluator;
    const struct inq_rule *rule;
    bool explain;                            /* findings tell about the lines of quantifiers, too */
    signed char known[INQ_RULES_CONDITIONS]; /* by slot; INQ_NOT_ASKED */
};
#define INQ_NOT_ASKED (-1)

struct inq_list_result {
    enum inq_truth truth;
    const json_t *element; /* any: the first that fits, or else the first that may; all: the first
                              that does not, or else the first that may not */
    size_t looked_at;
    uint64_t low, high; /* how many fit: at least, at most (UINT64_MAX: nobody knows) */
    const char *why;    /* for INQ_MAYBE */
};

enum inq_truth inq_run_test(struct inq_run *run, const struct inq_condition *condition,
                            const struct inq_fact_scope *scope);
/* All of them; no conditions: yes. */
enum inq_truth inq_run_test_all(struct inq_run *run, const struct inq_conditions *conditions,
                                const struct inq_fact_scope *scope);
/* A quantifier over a list, with what decided. */
struct inq_list_result inq_run_list(struct inq_run *run, const struct inq_condition *condition,
                                    const struct inq_fact_scope *scope);
/*
 * Calls `visit` for each element of the quantifier's list that its lines do not exclude, until it
 * returns false. What it returns is about the list as a whole; `element` is not set.
 */
struct inq_list_result inq_run_each(
    struct inq_run *run, const struct inq_condition *condition, const struct inq_fact_scope *scope,
    bool (*visit)(void *context, const json_t *element, enum inq_truth truth), void *context);
/*
 * Adds to `names` what inq_scope_add() adds for `condition`, with the elements that fit: `element`
 * for its own, NULL for none. `scope` is what stands around the condition.
 */
void inq_run_bind(struct inq_run *run, const struct inq_condition *condition, const json_t *element,
                  const struct inq_fact_scope *scope, struct inq_fact_scope *names);

/* findings.c: a condition with what was seen. False without memory. */
bool inq_run_find(struct inq_run *run, const struct inq_condition *condition,
                  const struct inq_fact_scope *scope, struct inq_finding *ret_finding);
/* The same for the quantifier that gives `scope` its first element: about that element. */
bool inq_run_find_bound(struct inq_run *run, const struct inq_condition *condition,
                        const struct inq_fact_scope *scope, struct inq_finding *ret_finding);
void inq_findings_destroy(struct inq_finding *findings, size_t count);

/* A template filled in with what a scope names. To be freed; NULL without memory. */
char *inq_render_in(const char *text, const json_t *document, const struct inq_fact_scope *scope);

#endif

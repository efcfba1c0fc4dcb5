/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_RULES_H
#define INQ_RULES_RULES_H

/*
 * Signatures: YAML files of rules over facts. The language is in docs/signatures-format.md:
 * conditions, `when`, `unless`, `proof`, `against`, `rivals`, `explains`; three-valued.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "error.h"
#include "evidence.h"

enum inq_truth { INQ_NO, INQ_YES, INQ_MAYBE /* unknown */ };

struct inq_condition; /* one parsed line */

struct inq_conditions {
    const struct inq_condition *const *items;
    size_t count;
};

struct inq_against { /* counter-evidence */
    struct inq_conditions when;
    const char *text; /* template, NULL: the condition's own words */
    bool refutes;     /* else it lowers the grade by one */
};

struct inq_fix {
    const char *text;            /* template */
    const char *const *commands; /* templates */
    size_t n_commands;
};

struct inq_rule {
    const char *id, *title;
    const char *file; /* where it comes from */
    unsigned line;
    int weight; /* rank within one grade: the more specific the higher; default 0 */
    bool context; /* `grade: context`: true, but never a cause by itself */
    struct inq_conditions when, unless, proof;
    const struct inq_against *against;
    size_t n_against;
    const char *const *rivals, *const *explains, *const *see;
    size_t n_rivals, n_explains, n_see;
    const char *cause; /* template */
    const struct inq_fix *fixes;
    size_t n_fixes;
};

struct inq_rules {
    const struct inq_rule *items; /* sorted by id */
    size_t count;
    struct inq_arena *arena;
    json_t *refused; /* [{file, line, column, message}]: files that were not loaded */
    size_t files_loaded;
    uint64_t fingerprint; /* of the bytes of all of them: other signatures, other answers */
};

/*
 * Loads the shipped directory and then user directories, in order. A file with an error is refused
 * whole; the others load (rules->refused). Fails only when the shipped directory cannot be read.
 */
struct inq_error *inq_rules_load(const char *const *directories, size_t n,
                                 struct inq_rules **ret_rules);
void inq_rules_destroy(struct inq_rules *rules); /* takes NULL */
static inline void inq_rules_destroyp(struct inq_rules **rules) { inq_rules_destroy(*rules); }
/*
 * Checks one file: NULL when it is good, else the first error, whose message begins with
 * "FILE:LINE:COLUMN: ".
 */
struct inq_error *inq_rules_check_file(const char *path);
const struct inq_rule *inq_rules_find(const struct inq_rules *rules, const char *id);

/* A condition as it is written, and the fact or list it asks about. */
const char *inq_condition_text(const struct inq_condition *condition);
const char *inq_condition_fact(const struct inq_condition *condition);

/* One condition's result, with what was seen. */
struct inq_finding {
    enum inq_truth truth;
    const char *text; /* the condition as written */
    const char *fact; /* its path */
    char *seen;       /* the value, or why it is unknown; owned */
};

struct inq_match {
    const struct inq_rule *rule;
    enum inq_truth when;   /* of all `when` and `unless` lines together */
    enum inq_truth proven; /* INQ_NO when there is no proof section */
    const json_t *element; /* what a quantifier matched, for templates; NULL without */
    const char *element_name;
    struct inq_finding *findings; /* when, unless, proof lines in order */
    size_t n_findings;
    size_t n_when, n_unless, n_proof;
    enum inq_truth *against; /* one per rule->against */
};

/* Evaluates one rule over a document. NULL without memory. */
struct inq_match *inq_rule_evaluate(const struct inq_rule *rule, const json_t *document);
void inq_match_destroy(struct inq_match *match);

/* A template with its facts filled in; unknown ones as "(unknown)". To be freed. */
char *inq_rule_render(const char *text, const json_t *document, const struct inq_match *match);

#endif

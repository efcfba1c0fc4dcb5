/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_RULES_H
#define INQ_RULES_RULES_H

/*
 * Signatures: YAML files of rules over facts. The language is in docs/signatures-format.md:
 * conditions, quantifiers over lists, `when`, `unless`, `strong`, `proof`, `against`, `rivals`,
 * `explains`; three-valued.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "error.h"
#include "evidence.h"
#include "facts.h"

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

struct inq_part {               /* of a cause */
    struct inq_conditions when; /* said only when all hold; none: always */
    const char *text;           /* template */
};

struct inq_fix {
    struct inq_conditions when;  /* as above */
    const char *text;            /* template */
    const char *const *commands; /* templates */
    size_t n_commands;
};

struct inq_rival {
    const char *id;
    const char *read; /* template: the one read that would decide; NULL: by the rival's own lines */
};

enum inq_rule_change {
    INQ_RULE_ADDS,
    INQ_RULE_OVERRIDES, /* takes the place of the rule that had the id */
    INQ_RULE_DISABLES,  /* is no rule: only id, reason, file and line are set */
};

struct inq_rule {
    const char *id, *title;
    const char *file; /* where it comes from */
    unsigned line;
    bool shipped; /* it comes with inquest, not from the user */
    enum inq_rule_change change;
    const char *reason; /* of an override or of what was disabled */
    int weight;         /* rank within one grade: the more specific the higher; default 0 */
    bool context;       /* `grade: context`: true, but never a cause without its proof */
    bool seen_real;     /* `seen: real`: it has matched the dump of a real crash */
    struct inq_conditions when, unless, strong, proof;
    const struct inq_against *against;
    size_t n_against;
    const struct inq_rival *rivals;
    const char *const *explains, *const *see;
    size_t n_rivals, n_explains, n_see;
    const struct inq_part *cause;
    size_t n_cause;
    const struct inq_fix *fixes;
    size_t n_fixes;
    /*
     * The first `any` of `when`: the other lines may ask about the element that it finds. NULL
     * without.
     */
    const struct inq_condition *binder;
    unsigned conditions; /* how many conditions it has in all, inner ones counted */
};

struct inq_rules {
    const struct inq_rule *items; /* sorted by id */
    size_t count;
    struct inq_arena *arena;
    json_t *refused; /* [{file, line, column, message}]: files that were not loaded */
    json_t *changes; /* [{id, change: override|disable, reason, file, line}] by user's files */
    size_t files_loaded;
    uint64_t fingerprint; /* of the bytes of all of them: other signatures, other answers */
};

struct inq_rules_place {
    const char *directory;
    bool shipped;  /* comes with inquest: whose owner may be anybody */
    bool required; /* that it cannot be read is an error, not a refusal */
};

/*
 * Loads the shipped directory and then user directories, in order. A file with an error is refused
 * whole; the others load (rules->refused). Fails only when the shipped directory cannot be read.
 */
struct inq_error *inq_rules_load(const char *const *directories, size_t n,
                                 struct inq_rules **ret_rules);
/*
 * The same from places of any kind, in order. A file may override or disable what an earlier place
 * has. As root, a file of a place that is not shipped must belong to root.
 */
struct inq_error *inq_rules_load_places(const struct inq_rules_place *places, size_t n,
                                        struct inq_rules **ret_rules);
void inq_rules_destroy(struct inq_rules *rules); /* takes NULL */
static inline void inq_rules_destroyp(struct inq_rules **rules)
{
    inq_rules_destroy(*rules);
}
/*
 * Checks one file: NULL when it is good, else the first error, whose message begins with
 * "FILE:LINE:COLUMN: ".
 */
struct inq_error *inq_rules_check_file(const char *path);
const struct inq_rule *inq_rules_find(const struct inq_rules *rules, const char *id);

/* A condition as it is written, and the fact or list it asks about. */
const char *inq_condition_text(const struct inq_condition *condition);
const char *inq_condition_fact(const struct inq_condition *condition);
/* Is it any, all, count or either: lines within a line? */
bool inq_condition_is_compound(const struct inq_condition *condition);
/* Calls `visit` with every fact that the condition asks about, inner ones too, as it is written. */
void inq_condition_facts(const struct inq_condition *condition,
                         void (*visit)(void *context, const struct inq_fact *fact), void *context);

/* One condition's result, with what was seen. */
struct inq_finding {
    enum inq_truth truth;
    const struct inq_condition *condition;
    const char *text; /* the condition as written */
    const char *fact; /* its path */
    char *seen;       /* the value, or why it is unknown; owned */
    char *says;       /* the rule's own words for it, when it holds; owned, may be NULL */
    size_t item;      /* of counter-evidence: which */
    json_t *lines;    /* with `explain`, of a quantifier: for how many elements each of its lines
                         holds: [{text, yes, unknown, of}]; owned */
};

struct inq_match {
    const struct inq_rule *rule;
    enum inq_truth when;          /* of all `when` and `unless` lines together */
    enum inq_truth strong;        /* INQ_NO when there is no such section */
    enum inq_truth proven;        /* INQ_NO when there is no proof section */
    struct inq_fact_scope scope;  /* what the quantifiers matched, for templates */
    struct inq_finding *findings; /* when, unless, strong, proof lines in order */
    size_t n_findings;
    size_t n_when, n_unless, n_strong, n_proof;
    enum inq_truth *against;              /* one per rule->against */
    struct inq_finding *against_findings; /* their lines */
    size_t n_against_findings;
};

/*
 * Evaluates rules over one document. It keeps what the rules ask for again and again; the document
 * must not change meanwhile. NULL without memory.
 */
struct inq_evaluator;
struct inq_evaluator *inq_evaluator_create(const json_t *document);
void inq_evaluator_destroy(struct inq_evaluator *evaluator); /* takes NULL */
static inline void inq_evaluator_destroyp(struct inq_evaluator **e)
{
    inq_evaluator_destroy(*e);
}
/*
 * One rule. *ret_match is NULL when its `when` does not hold, unless `explain` asks for the reasons
 * all the same. False without memory.
 */
bool inq_evaluator_run(struct inq_evaluator *evaluator, const struct inq_rule *rule, bool explain,
                       struct inq_match **ret_match);

/* One rule alone, with the reasons. NULL without memory. */
struct inq_match *inq_rule_evaluate(const struct inq_rule *rule, const json_t *document);
void inq_match_destroy(struct inq_match *match);

/* A template with its facts filled in; unknown ones as "(unknown)". To be freed. */
char *inq_rule_render(const char *text, const json_t *document, const struct inq_match *match);
/* Do these conditions hold for what the match has found? None: yes. False without memory. */
bool inq_rule_part_holds(const struct inq_conditions *conditions, const json_t *document,
                         const struct inq_match *match, bool *ret_holds);
/* The parts of the cause that hold, one after the other. To be freed; NULL without memory. */
char *inq_rule_cause(const json_t *document, const struct inq_match *match);

#endif

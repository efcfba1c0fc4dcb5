/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_FACTS_H
#define INQ_EVIDENCE_FACTS_H

/*
 * The fact dictionary: every path that the report can hold, once. docs/facts.md, docs/report.md and
 * the JSON Schema are generated from it, the check of a signature refuses paths that are not in it,
 * and what a worker sends is checked against it.
 */

#include <stdbool.h>
#include <stddef.h>

enum inq_fact_type {
    INQ_FACT_OBJECT,
    INQ_FACT_LIST,  /* of objects: its members are "name[].member" */
    INQ_FACT_TEXTS, /* a list of strings */
    INQ_FACT_NUMBERS, /* a list of integers */
    INQ_FACT_TEXT,
    INQ_FACT_WORD,  /* one of `values` */
    INQ_FACT_INT,
    INQ_FACT_REAL,
    INQ_FACT_BOOL,
    INQ_FACT_ADDR,  /* a hex string */
    INQ_FACT_MAP,   /* an object with free keys and text or address values */
};

/*
 * The unit of a whole number, or of each in a list, that is an index into modules[]: a path may go
 * on through it ("frame[0].module.owner.package"), and a template shows the module's path.
 */
#define INQ_FACT_OF_MODULE "index into modules[]"

struct inq_fact {
    const char *path; /* "signal.name", "threads[].frames[].pc" */
    enum inq_fact_type type;
    const char *unit;   /* "bytes", "ms", NULL */
    const char *values; /* for INQ_FACT_WORD: "read|write|execute" */
    const char *source; /* who sets it: a stage or a detector's id; NULL: nobody yet → unknown */
    const char *doc;    /* one line */
};

/* Sorted in document order (the order of keys in the report). */
const struct inq_fact *inq_facts(size_t *ret_count);
/*
 * Makes the dictionary's index, which the first look-up would: for a process that others are forked
 * from, so that not each of them makes its own.
 */
void inq_facts_warm_up(void);
/*
 * What the quantifiers around a condition are at, the outermost first. `list` is the fact of the
 * list that the element is of; `value` is the element, or NULL where none is known (or only the
 * dictionary is asked).
 */
#define INQ_SCOPE_DEPTH 4u
struct inq_fact_scope {
    struct inq_element {
        const char *name;
        const struct inq_fact *list;
        const struct json_t *value;
    } items[INQ_SCOPE_DEPTH];
    size_t count;
};

/*
 * By path as a signature writes it: "signal.name", "crashed.stack.overflow", "frame[1].function",
 * "frame[0].module.family" (through an index into modules[]), or, inside a quantifier,
 * "module.name". NULL when there is no such fact.
 */
const struct inq_fact *inq_fact_find_in(const char *path, const struct inq_fact_scope *scope);
/* The same inside at most one quantifier, over the first list whose elements have that name. */
const struct inq_fact *inq_fact_find(const char *path, const char *element);
/*
 * The name of an element of a list that a quantifier can run over ("modules" → "module"); NULL for
 * other facts. Lists of objects, and of indexes into modules[], whose elements are those modules.
 */
const char *inq_fact_element_of(const struct inq_fact *list);
const char *inq_fact_element(const char *list); /* by path */
/* Whether the fact is an index into modules[], or a list of them. */
bool inq_fact_is_module(const struct inq_fact *fact);

#endif

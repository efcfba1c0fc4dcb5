/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_FACT_TABLE_H
#define INQ_EVIDENCE_FACT_TABLE_H

/*
 * The dictionary as a tree, for code that walks a document and the dictionary side by side. Built
 * once a process, without allocation, and constant afterwards. Private to the layer and its tests.
 */

#include <stddef.h>

#include "facts.h"

/* A node is the index of a fact, or one of these. */
#define INQ_FACT_NODE_ROOT (-1)
#define INQ_FACT_NODE_NONE (-2)

extern const struct inq_fact inq_fact_table[];
extern const size_t inq_fact_table_count;

/*
 * The member `key` of an object, or of the elements of a list; INQ_FACT_NODE_NONE without. The
 * values of a map are its member "*".
 */
int inq_fact_node_member(int parent, const char *key, size_t key_size);
/*
 * The same, where the member before it was the node `before` (any value without one): documents are
 * mostly written in the dictionary's order, and then it is the next one.
 */
int inq_fact_node_member_after(int parent, int before, const char *key, size_t key_size);
/* The fact of a node; NULL for the root and for none. */
const struct inq_fact *inq_fact_node_fact(int node);
/* INQ_FACT_NODE_ROOT for members of the document itself. */
int inq_fact_node_parent(int node);

/* One step of a path: "name", "name[3]", "name[]". */
struct inq_path_step {
    const char *key;
    size_t key_size;
    bool indexed; /* "[3]" */
    size_t index;
};
/*
 * Takes the next step off *path (NULL at its end). False when it is not well formed: an empty name,
 * a bracket without a number that fits.
 */
bool inq_path_next(const char **path, struct inq_path_step *ret_step);
/* The node that members of a list's elements hang on; for indexes into modules[], of modules. */
int inq_fact_node_of_list(const struct inq_fact *list);
/* The first list whose elements have this name; NULL when there is none. */
const struct inq_fact *inq_fact_list_of_element(const char *element);
bool inq_path_step_is(const struct inq_path_step *step, const char *key);

#endif

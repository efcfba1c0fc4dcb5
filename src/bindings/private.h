/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BINDINGS_PRIVATE_H
#define INQ_BINDINGS_PRIVATE_H

/* What a struct inq_bindings stands in: the tables that later questions need again. */

#include "graph.h"

#define INQ_MAX_EXPORT_STEPS 65536u /* of one look-up by name */

struct inq_bindings_all {
    struct inq_bindings bindings; /* first */
    struct inq_graph graph;
};

static inline struct inq_graph *inq_bindings_graph(const struct inq_bindings *bindings)
{
    union {
        const struct inq_bindings *from;
        struct inq_bindings_all *to;
    } all = {bindings};

    return &all.to->graph;
}

#endif

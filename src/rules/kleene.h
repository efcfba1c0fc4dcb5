/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_KLEENE_H
#define INQ_RULES_KLEENE_H

/* Kleene's strong three-valued logic: unknown stays unknown unless the other side settles it. */

#include "rules.h"

static inline enum inq_truth inq_truth_and(enum inq_truth a, enum inq_truth b)
{
    if (a == INQ_NO || b == INQ_NO)
        return INQ_NO;
    return a == INQ_MAYBE || b == INQ_MAYBE ? INQ_MAYBE : INQ_YES;
}

static inline enum inq_truth inq_truth_or(enum inq_truth a, enum inq_truth b)
{
    if (a == INQ_YES || b == INQ_YES)
        return INQ_YES;
    return a == INQ_MAYBE || b == INQ_MAYBE ? INQ_MAYBE : INQ_NO;
}

static inline enum inq_truth inq_truth_not(enum inq_truth a)
{
    if (a == INQ_MAYBE)
        return INQ_MAYBE;
    return a == INQ_YES ? INQ_NO : INQ_YES;
}

#endif

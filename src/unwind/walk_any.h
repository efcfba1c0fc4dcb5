/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_WALK_ANY_H
#define INQ_UNWIND_WALK_ANY_H

/* The walk of walk.h for the CPUs other than x86-64: CFI by libdw, then the ABI's frame records. */

#include <stdbool.h>

#include "chain.h"
#include "core.h"
#include "engine_dwfl.h"
#include "walk.h"

struct inq_any_walker {
    struct inq_walker *common; /* its code, arena, frames, entry and limits */
    struct inq_dwfl *dwfl;
    struct inq_chain_reader chain;
};

/* As inq_walk_thread(). */
bool inq_walk_any_thread(struct inq_any_walker *walker, const struct inq_core_thread *thread,
                         struct inq_stack *stack);

#endif

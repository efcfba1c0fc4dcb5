/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_EH_INDEX_H
#define INQ_UNWIND_EH_INDEX_H

#include <stdint.h>

#include "arena.h"
#include "eh_table.h"
#include "modules.h"

/*
 * An index over all FDEs of the module's `.eh_frame` section, sorted by function, in the arena; one
 * linear pass. NULL when there is none, or without memory. Format: LSB core, "The .eh_frame
 * section".
 */
struct inq_eh_entry *inq_eh_index_read(const struct inq_module *module, struct inq_arena *arena,
                                       uint64_t *ret_count);

#endif

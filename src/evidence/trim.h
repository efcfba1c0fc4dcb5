/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_TRIM_H
#define INQ_EVIDENCE_TRIM_H

/* Private to the layer and its tests. */

#include <stddef.h>

#include "evidence.h"

/*
 * The document as compact JSON of at most `limit` bytes. What does not fit is left out in steps,
 * the least telling first: middle frames of the other threads, of the crashing one, registers,
 * modules and threads at the end of their lists. Each step is in `gaps` (INQ_G_TRIMMED) and
 * `limits`. NULL without memory, or when even the rest does not fit. To be freed.
 */
char *inq_trim_dump(struct inq_evidence *evidence, size_t limit);

#endif

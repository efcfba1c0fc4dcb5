/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_SIZE_TEXT_H
#define INQ_DETECTORS_SIZE_TEXT_H

#include <stdint.h>

#include "arena.h"

/* "48 bytes", "256 KiB", "16 MiB", "527.9 KiB": at most one digit behind the point. NULL without
 * memory. */
const char *inq_size_text(struct inq_arena *arena, uint64_t bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_ENGINE_UCD_H
#define INQ_UNWIND_ENGINE_UCD_H

/*
 * libunwind-coredump's own reader of cores, as it comes: kept selectable so that a bench can show
 * the difference. It reads the file by itself, opens what the core names, and dies on some damaged
 * cores: never the default, and only inside the sandbox.
 */

#include "codemap.h"
#include "error.h"
#include "frames.h"
#include "stacks.h"

struct inq_ucd;

/* `core_fd` is an uncompressed core in a regular file; it stays the caller's. */
struct inq_error *inq_ucd_create(int core_fd, struct inq_ucd **ret_ucd);
void inq_ucd_destroy(struct inq_ucd *ucd); /* takes NULL */
static inline void inq_ucd_destroyp(struct inq_ucd **ucd)
{
    inq_ucd_destroy(*ucd);
}

/* Thread number i of its own list; the same order as ours. False without memory. */
bool inq_ucd_walk(struct inq_ucd *ucd, size_t i, struct inq_codemap *code,
                  struct inq_frames *frames, struct inq_arena *arena, struct inq_stack *stack);

#endif

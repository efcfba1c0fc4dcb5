/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_WALK_H
#define INQ_UNWIND_WALK_H

/*
 * From the registers of a thread to its outermost frame, one honest step after the other:
 *
 * - a signal frame gives the registers that the kernel saved in it;
 * - at an address where nothing can run, the caller is the word at the stack pointer, when it is a
 *   return address: that is what a call through a bad pointer leaves;
 * - call frame information;
 * - what the code itself does to the stack on its way to a `ret` (epilogue.h);
 * - the frame pointer, where the code has no CFI (JIT), when everything about it is plausible;
 * - words on the stack that can only be return addresses (scan.h).
 *
 * Whatever else comes up ends the walk, with a reason.
 */

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "codemap.h"
#include "core.h"
#include "engine.h"
#include "engine_dwfl.h"
#include "frames.h"
#include "stacks.h"

struct inq_walker {
    struct inq_codemap *code;
    struct inq_cfi *cfi;
    struct inq_dwfl *dwfl; /* for what cfi has no information about */
    bool prefer_dwfl;      /* --engine dwfl: cfi is not asked */
    struct inq_arena *arena;
    bool has_entry;
    uint64_t entry;            /* AT_ENTRY: where the kernel started the program */
    struct inq_frames *frames; /* room for one thread, used again and again */
    uint64_t frames_left;      /* of the core's limits */
    uint64_t cfi_steps_left;
    uint64_t epilogue_left;   /* instructions to read for it */
    uint64_t scan_words_left; /* of the stacks of all threads but the crashing one */
    bool limit_reached;
};

/*
 * Walks one thread, whose registers are known. Sets all of *stack but the names. False without
 * memory.
 */
bool inq_walk_thread(struct inq_walker *walker, const struct inq_registers *registers,
                     struct inq_stack *stack);

/* Frame 0 alone: for CPUs whose stacks are not followed, and for threads beyond the limit. */
bool inq_walk_first(struct inq_codemap *code, struct inq_arena *arena, uint64_t pc, uint64_t sp,
                    struct inq_stack *stack);

#endif

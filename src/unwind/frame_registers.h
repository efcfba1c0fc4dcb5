/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_FRAME_REGISTERS_H
#define INQ_UNWIND_FRAME_REGISTERS_H

/* The registers that a frame further out had, as far as call frame information restores them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "core.h"
#include "engine.h"
#include "memory.h"
#include "modules.h"
#include "stacks.h"

struct inq_frame_registers {
    struct inq_registers registers;
    /* by the table of call frame information, 0 when it has none; the end is that or a bit more */
    uint64_t function_start, function_end;
};

/* A thread's registers in its core, as far as the core has them. x86-64 alone. */
struct inq_registers inq_thread_registers(const struct inq_core *core,
                                          const struct inq_core_thread *thread);

/*
 * Steps again from the thread's registers (or those in a signal frame) to the frame at place `at`
 * of the stack's list. x86-64 alone. False when a step on the way is not by call frame information,
 * or does not lead to the frames that the stack has.
 */
bool inq_frame_registers(const struct inq_core *core, struct inq_memory *memory,
                         struct inq_modules *modules, struct inq_arena *arena,
                         const struct inq_stack *stack, size_t at,
                         struct inq_frame_registers *ret_registers);

#endif

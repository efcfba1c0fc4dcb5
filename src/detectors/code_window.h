/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CODE_WINDOW_H
#define INQ_DETECTORS_CODE_WINDOW_H

/*
 * The instructions of one function of x86-64 code from its beginning to a call, and what can be
 * said about the way from one of them to the call: who writes to a register, whether another way
 * leads in between, whether memory is written to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code_probe.h"
#include "engine.h"

struct inq_code_branch {
    uint64_t from, to;
};

struct inq_code_step { /* one instruction */
    uint64_t addr, next;
    uint32_t writes; /* bit n: general register n, in Zydis' order (rax is 0) */
    bool stores;     /* to memory, the stack of push and call not counted */
    bool pushes, calls;
    bool jumps; /* control never goes on behind it */
};

struct inq_code_window {
    struct inq_code_step *items; /* in the order of addresses, the call last */
    size_t count, capacity;
    struct inq_code_branch *branches; /* of the whole function, those with a fixed target */
    size_t n_branches, branch_capacity;
    bool jumps_about;  /* it has a jump whose target is not part of the instruction */
    bool rbp_is_frame; /* rbp is a copy of the stack pointer */
};

/*
 * Of the function [start, end), up to the call that ends at `call_end`. False when an instruction
 * is not here or not understood, when they do not meet the call, or without memory. To be released
 * in any case.
 */
bool inq_code_window_read(const struct inq_dump *dump, uint64_t start, uint64_t call_end,
                          uint64_t end, struct inq_code_window *ret_window);
void inq_code_window_release(struct inq_code_window *window);

/* An instruction from place `from` on, before the call, writes to the register. */
bool inq_code_window_writes(const struct inq_code_window *window, size_t from, ZydisRegister reg);
/* The last one before place `before` that does. */
bool inq_code_window_writer(const struct inq_code_window *window, size_t before, ZydisRegister reg,
                            size_t *ret_place);
/*
 * Who comes to the call has come by the instruction at place `from` (SIZE_MAX: by the function's
 * entry), and after it by those in between only. Else false with a reason (static).
 */
bool inq_code_window_is_straight(const struct inq_code_window *window, size_t from,
                                 const char **ret_why);
/*
 * Nothing writes to [addr, addr + size) between the address `since` and the call. `registers` are
 * those at the call.
 */
bool inq_code_window_keeps(const struct inq_dump *dump, const struct inq_code_window *window,
                           uint64_t since, uint64_t addr, unsigned size,
                           const struct inq_registers *registers);
#define INQ_MOST_STORES 16u
struct inq_code_stores {
    struct {
        uint64_t addr, size;
    } items[INQ_MOST_STORES];
    size_t count;
};

/*
 * Where instructions between the address `since` and the call write to, the function's own frame
 * not counted: added to `stores` (NULL: not asked). False when one of them may write anywhere.
 */
bool inq_code_window_stores(const struct inq_dump *dump, const struct inq_code_window *window,
                            uint64_t since, const struct inq_registers *registers,
                            struct inq_code_stores *stores);

/* A register that functions preserve, as call frame information restores it; false for others. */
bool inq_code_preserved(const struct inq_registers *registers, ZydisRegister reg,
                        uint64_t *ret_value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CODE_PROBE_H
#define INQ_DETECTORS_CODE_PROBE_H

/*
 * What can be read off a few instructions of x86-64 code without running it: functions that only
 * hand something out, the place where a function keeps its first argument, constants that are
 * loaded before a call. Whatever is not understood is "no".
 */

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

struct inq_opcode {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    uint64_t addr, next; /* of the instruction, and of the one behind it */
};

/* The instruction at addr; false on other CPUs, and when its bytes are not here. */
bool inq_code_at(const struct inq_dump *dump, uint64_t addr, struct inq_opcode *ret_code);

/* Explicit operand i is memory at rip + something: its address. */
bool inq_code_rip_operand(const struct inq_opcode *code, size_t i, uint64_t *ret_addr);

/*
 * What the function at addr returns when it is called with `argument`: for functions that hand out
 * a word of what the argument points to, or a constant; thunks that adjust it first are followed.
 */
bool inq_code_returns(const struct inq_dump *dump, uint64_t addr, uint64_t argument,
                      uint64_t *ret_value);

struct inq_kept_argument {
    bool in_register;
    ZydisRegister reg; /* the 64-bit one */
    int64_t offset;    /* else: from the stack pointer at the entry of the function */
};

/*
 * Where a function that lies at [start, end) keeps its first argument for as long as it runs: the
 * register that survives calls, or the place on its stack, that it was copied to at the entry, and
 * that nothing else writes to.
 */
bool inq_code_keeps_argument(const struct inq_dump *dump, uint64_t start, uint64_t end,
                             struct inq_kept_argument *ret_kept);

/* No instruction from start on writes to the register of the first argument before `call_end`. */
bool inq_code_passes_argument(const struct inq_dump *dump, uint64_t start, uint64_t call_end);

/* The call that ends at `addr` goes to `function`, directly or through a slot of a table (PLT). */
bool inq_code_calls(const struct inq_dump *dump, uint64_t addr, uint64_t function);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_EPILOGUE_H
#define INQ_UNWIND_EPILOGUE_H

/*
 * The caller of code without call frame information (x86-64): hand-written kernels of BLAS, codecs
 * and ciphers. Wherever a function stands, it returns by undoing what it did to the stack, so its
 * instructions are read from the program counter on to the next `ret`, and what they do to the
 * stack pointer and to the callee-saved registers (psABI, 3.2.1) is done here on paper: push, pop,
 * add, sub, lea, mov, leave. Of a branch that may be taken the other way is followed. Whatever else
 * changes the stack pointer ends it: no answer is better than a wrong one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codemap.h"
#include "engine.h"

/*
 * `callee` stands before the instruction at its rip (it failed, or a call returns to it). False
 * when no `ret` is found within *budget instructions, of which those that were read are taken away,
 * or when what it would return to is not behind a call.
 */
bool inq_epilogue_caller(struct inq_codemap *code, const struct inq_registers *callee,
                         uint64_t *budget, struct inq_registers *ret_caller);

#endif

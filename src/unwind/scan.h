/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_SCAN_H
#define INQ_UNWIND_SCAN_H

/*
 * The last resort (x86-64): words on the stack that can be return addresses. A stack is full of old
 * ones, so looking like one is not enough: the call before it must lead to the function of the
 * frame below, or the call frame information of what it leads to must in turn find a call of just
 * that function. A wrong name is worse than none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codemap.h"
#include "engine.h"

struct inq_scan {
    struct inq_codemap *code;
    struct inq_cfi *cfi;
    uint64_t words_left; /* to look at: a budget across calls */
};

/*
 * The next frame above `callee`, whose rip need not be code. *ret_caller has rip and rsp, and rbp
 * where the call frame information proves it.
 */
bool inq_scan_caller(struct inq_scan *scan, const struct inq_registers *callee,
                     struct inq_registers *ret_caller);

/*
 * Whether the word at the stack pointer is a return address of a call of just the function that the
 * thread stands in: then nothing lies between them.
 */
bool inq_scan_top_is_caller(struct inq_scan *scan, const struct inq_registers *callee);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_CHAIN_H
#define INQ_UNWIND_CHAIN_H

/*
 * The caller by the frame records that a CPU's ABI prescribes, where code has no call frame
 * information: for the CPUs other than x86-64.
 */

#include <stdbool.h>

#include "codemap.h"
#include "core.h"
#include "cpu_unwind.h"
#include "regs.h"

struct inq_chain_reader {
    struct inq_codemap *code;
    const struct inq_core *core;
    const struct inq_cpu_unwind *unwind;
};

enum inq_chain_result {
    INQ_CHAIN_OK,
    INQ_CHAIN_END,  /* the record says that there is no caller */
    INQ_CHAIN_LOST, /* there is no record that makes sense */
};

/*
 * `exact`: the thread stands at its pc, which may be in a function that has not saved its return
 * address, or never will. Whether *ret_caller is plausible (code, above the callee) is the caller's
 * to check.
 */
enum inq_chain_result inq_chain_step(const struct inq_chain_reader *reader,
                                     const struct inq_regs *callee, bool exact,
                                     struct inq_regs *ret_caller);

/* As inq_codemap_after_call(), on the CPU of the dump. */
enum inq_after_call inq_chain_after_call(const struct inq_chain_reader *reader, uint64_t pc);

/*
 * The return address that a call to an address where nothing can run has left; false when what
 * stands there is none. *ret_caller has the registers of the caller.
 */
bool inq_chain_bad_call(const struct inq_chain_reader *reader, const struct inq_regs *callee,
                        struct inq_regs *ret_caller);

#endif

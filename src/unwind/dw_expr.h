/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_DW_EXPR_H
#define INQ_UNWIND_DW_EXPR_H

/*
 * Evaluates the expressions of call frame information as libdw hands them out (DWARF 5, 2.5). Every
 * CPU, word size and byte order; no loop runs for ever.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "codemap.h"
#include "cpu.h"
#include "regs.h"

enum inq_dw_result {
    INQ_DW_OK,
    INQ_DW_INVALID,  /* no expression that makes sense here */
    INQ_DW_REGISTER, /* needs a register that is lost */
    INQ_DW_MEMORY,   /* needs memory that is not there: fail_addr, fail_status */
    INQ_DW_ENDLESS,
};

struct inq_dw_expr {
    struct inq_codemap *code;
    const struct inq_cpu *cpu;
    bool big_endian;
    const struct inq_regs *regs; /* of the callee */
    bool has_cfa;                /* cfa counts, for DW_OP_call_frame_cfa */
    uint64_t cfa;
    uint64_t bias;      /* of the module, for DW_OP_addr */
    uint64_t *ops_left; /* across many expressions */
    uint64_t fail_addr; /* of the last INQ_DW_MEMORY */
    enum inq_memory_status fail_status;
};

/* What the expression leaves on the stack: an address, say a CFA. */
enum inq_dw_result inq_dw_value(struct inq_dw_expr *expr, const Dwarf_Op *ops, size_t count,
                                uint64_t *ret_value);

/* The value at the location that it describes: in memory, in a register, or computed. */
enum inq_dw_result inq_dw_location(struct inq_dw_expr *expr, const Dwarf_Op *ops, size_t count,
                                   uint64_t *ret_value);

#endif

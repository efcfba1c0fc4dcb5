/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_CPU_UNWIND_H
#define INQ_UNWIND_CPU_UNWIND_H

/*
 * What following a stack needs to know about a CPU besides its registers' names: their DWARF
 * numbers (each psABI's table), where a return address stands, and what a call looks like.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu.h"
#include "regs.h"

/* How a caller is found without call frame information. */
enum inq_chain {
    INQ_CHAIN_NONE,
    INQ_CHAIN_X86,     /* fp: {saved fp, return address} */
    INQ_CHAIN_AARCH64, /* fp: {saved fp, lr} */
    INQ_CHAIN_ARM,     /* fp - word: {saved fp, lr}, A32 code of gcc */
    INQ_CHAIN_RISCV,   /* fp - 2 words: {saved fp, ra} */
    INQ_CHAIN_PPC,   /* sp: back chain; the LR save word is one (ppc) or two words into the caller's
                        frame */
    INQ_CHAIN_S390,  /* sp: back chain, when compiled so; r14 is saved in this frame's caller */
    INQ_CHAIN_SPARC, /* the register window that the kernel spilled at the stack pointer */
};

struct inq_cpu_unwind {
    const char *name; /* struct inq_cpu's */
    enum inq_chain chain;
    const char
        *link; /* the register that holds a return address after a call; NULL: on the stack */
    uint64_t pc_mask;      /* bits of a return address that are the address */
    uint8_t return_offset; /* from what is saved to where the callee returns (sparc: 8) */
    uint8_t pc_alignment;
    uint8_t sp_alignment;
    uint16_t sp_bias; /* sparc64's stack pointer points this far below the stack */
};

/* NULL for a CPU whose stacks are not followed. */
const struct inq_cpu_unwind *inq_cpu_unwind_find(const struct inq_cpu *cpu);

/* Index in the CPU's table of a register by its DWARF number, -1 when the dump does not hold it. */
int inq_cpu_dwarf_register(const struct inq_cpu *cpu, unsigned int dwarf_number);

/*
 * Whether the instruction that ends at the end of `bytes` is a call, for the CPUs other than
 * x86-64. `size` is up to 8; too few bytes for the longest call are no call.
 */
bool inq_cpu_ends_with_call(const struct inq_cpu *cpu, bool big_endian, const uint8_t *bytes,
                            size_t size);

#endif

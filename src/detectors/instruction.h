/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_INSTRUCTION_H
#define INQ_DETECTORS_INSTRUCTION_H

/*
 * One machine instruction with the registers it met: what it is called, which memory it touches and
 * how, and where it goes on. The decoders (decode.h) fill it; which of its operands a fault was at
 * is fault_site.h's question.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INQ_MAX_OPERANDS 4u
#define INQ_MAX_OPERAND_REGISTERS 4u
#define INQ_MAX_INSTRUCTION_BYTES 15u

/* How an instruction uses a place. A read that is followed by a write of the same place asks for
 * the right to write at once (measured for all of x86's; LR/SC and LDXR/STXR are two instructions).
 */
#define INQ_READS 1u
#define INQ_WRITES 2u

struct inq_operand_register {
    const char *name; /* as the core's register table spells it; static */
    uint64_t value;   /* whole register */
};

struct inq_operand {
    char text[80];       /* as the assembler writes it: "0x8(%rdi)", "[x0, #8]", "0(r29)" */
    unsigned use;        /* INQ_READS, INQ_WRITES; 0 for a branch target in a register */
    bool has_address;    /* address, reach and size count */
    uint64_t address;    /* where the access begins, bases of segments included */
    uint64_t size;       /* bytes; 0 when the instruction alone does not tell */
    uint64_t reach;      /* bytes from address that this one access can touch; at least 1 */
    uint64_t low, span;  /* all that the rest of a repeated instruction touches, this access
                            included; span 0 when it is not repeated */
    const char *unknown; /* why there is no address; static, NULL when there is one */
    const char *base;    /* register the address starts from; NULL without; static */
    const char *index;   /* register that is added; NULL without; static */
    uint64_t base_value; /* of the part of the register that is used */
    uint64_t index_value;
    struct inq_operand_register registers[INQ_MAX_OPERAND_REGISTERS];
    size_t n_registers;
    uint32_t alignment; /* bytes that address must be a multiple of; 1 when it need not be */
    bool on_stack;      /* x86: through rsp or rbp, for which a bad address is a stack fault */
};

enum inq_branch {
    INQ_BRANCH_NONE,     /* or one whose target is part of the instruction */
    INQ_BRANCH_REGISTER, /* operands[0] is the register; target holds its value */
    INQ_BRANCH_MEMORY,   /* the word at operands[0] is the target */
};

struct inq_instruction {
    uint64_t address;
    uint8_t bytes[INQ_MAX_INSTRUCTION_BYTES];
    size_t size;     /* of the instruction, bytes */
    char text[160];  /* disassembled, printable ASCII */
    const char *isa; /* x86: the extension it belongs to ("AVX512F_512"); NULL without; static */
    struct inq_operand operands[INQ_MAX_OPERANDS]; /* memory, in the order it is touched */
    size_t n_operands;
    enum inq_branch branch;
    uint64_t target; /* for INQ_BRANCH_REGISTER */
    bool returns;    /* near: `ret` */
    bool privileged; /* a program may not run it */
    bool undefined;  /* made to fail: ud2, udf */
    bool breakpoint; /* made to stop: int3, brk, ebreak, trap */
    bool is_x87, is_vector;
    bool divides;       /* integer division; operands[0] is the divisor, in memory or a register */
    bool divisor_known; /* it is a register: divisor is its value */
    uint64_t divisor;
};

#endif

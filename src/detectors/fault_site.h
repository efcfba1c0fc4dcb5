/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_FAULT_SITE_H
#define INQ_DETECTORS_FAULT_SITE_H

/*
 * Which instruction failed, at which of its operands, and what it tried there: siginfo, registers,
 * the bytes at the program counter and the map of memory held against each other. Nothing is
 * guessed: an operand is named when it is the only one that the address of the fault can belong to,
 * and an address is worked out only from an operand that cannot be used.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"
#include "instruction.h"

enum inq_access { INQ_ACCESS_UNKNOWN, INQ_ACCESS_READ, INQ_ACCESS_WRITE, INQ_ACCESS_EXECUTE };
const char *inq_access_name(enum inq_access access); /* "read"; NULL for unknown */

/* What was wrong, where neither the signal nor the address says it. */
enum inq_reason {
    INQ_REASON_NONE, /* or not certain */
    INQ_REASON_NON_CANONICAL,
    INQ_REASON_MISALIGNED,
    INQ_REASON_PRIVILEGED,
    INQ_REASON_UNDEFINED,
    INQ_REASON_DIVIDE_BY_ZERO,
    INQ_REASON_QUOTIENT_OVERFLOW,
    INQ_REASON_BREAKPOINT,
    INQ_REASON_UNDELIVERABLE, /* a page fault whose signal found no room for its frame */
    INQ_REASON_UNSUPPORTED,   /* the CPU did not offer the instruction's extension */
    INQ_REASON_PROTECTION_KEY,
    INQ_REASON_SHADOW_STACK, /* a return to where no call had been */
    INQ_REASON_UNEXPLAINED,  /* no use of the instruction: another signal had no room, likely */
    INQ_REASON_VSYSCALL,     /* the kernel refused a jump into its vsyscall page */
};
const char *inq_reason_name(enum inq_reason reason); /* "non-canonical"; NULL for none */

struct inq_fault_site {
    bool is_fault; /* by siginfo; without siginfo, because the instruction cannot have worked */
    bool has_pc;   /* pc counts */
    uint64_t pc;   /* where the instruction is: int3 is reported behind it */
    bool has_instruction;       /* instruction counts: it could be read and decoded */
    size_t n_bytes;             /* how many bytes at pc are in instruction.bytes, decoded or not */
    const char *no_instruction; /* why not; NULL when it could */
    struct inq_instruction instruction;

    const struct inq_operand *operand; /* of instruction; NULL when not known */
    const char *no_operand;            /* why; NULL when the instruction has none to look for */
    enum inq_access access;
    const char *no_access; /* why it is unknown */
    enum inq_reason reason;

    bool has_address; /* address counts: si_addr, or worked out from the operand */
    uint64_t address;
    const char *no_address; /* why not, where the signal has one that cannot be it; else NULL */
    bool worked_out; /* from the operand or the program counter, siginfo being silent */
    bool has_target; /* target counts */
    uint64_t target; /* where a call, jump or return wanted to go on */
};

/* `site` points into itself: do not copy it. */
void inq_fault_site(const struct inq_dump *dump, struct inq_fault_site *site);

/*
 * Would the CPU refuse such a use of [addr, addr + size)? True only when the dump shows it: nothing
 * is mapped there, or without the right that is needed. *ret_addr is the first byte that is
 * refused. False where the list of mappings has holes.
 */
bool inq_access_is_refused(const struct inq_dump *dump, uint64_t addr, uint64_t size,
                           enum inq_access access, uint64_t *ret_addr);

#endif

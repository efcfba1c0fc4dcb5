/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_ENGINE_H
#define INQ_UNWIND_ENGINE_H

/*
 * One step by call frame information: the registers of a function in, those of its caller out.
 *
 * libunwind evaluates the CFI, through our accessors; it never decides. Where its own idea would be
 * a guess (it follows rbp silently when there is no CFI), a step fails here, and the walker
 * decides.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codemap.h"
#include "error.h"

/* x86-64 registers by their DWARF numbers (psABI, figure 3.36), which are libunwind's as well. */
enum inq_x86_64 {
    INQ_RAX,
    INQ_RDX,
    INQ_RCX,
    INQ_RBX,
    INQ_RSI,
    INQ_RDI,
    INQ_RBP,
    INQ_RSP,
    INQ_R8,
    INQ_R9,
    INQ_R10,
    INQ_R11,
    INQ_R12,
    INQ_R13,
    INQ_R14,
    INQ_R15,
    INQ_RIP,
    INQ_X86_64_REGISTERS,
};

struct inq_registers {
    uint64_t value[INQ_X86_64_REGISTERS];
    uint32_t known; /* bit n: value[n] is what it was */
};

static inline bool inq_register_known(const struct inq_registers *registers, unsigned int n)
{
    return (registers->known >> n & 1) != 0;
}
static inline void inq_register_set(struct inq_registers *registers, unsigned int n, uint64_t value)
{
    registers->value[n] = value;
    registers->known |= 1u << n;
}

struct inq_cfi;

enum inq_cfi_result {
    INQ_CFI_OK,
    INQ_CFI_OUTERMOST, /* the CFI says that there is no caller */
    INQ_CFI_NO_INFO,   /* no CFI covers the address */
    INQ_CFI_INVALID,   /* there is some, and it makes no sense */
    INQ_CFI_LOST,      /* it was followed to memory that is not there, or to no address */
};

/* `code` must outlive it. Errors: no memory. */
struct inq_error *inq_cfi_create(struct inq_codemap *code, struct inq_arena *arena,
                                 struct inq_cfi **ret_cfi);
void inq_cfi_destroy(struct inq_cfi *cfi); /* takes NULL */
static inline void inq_cfi_destroyp(struct inq_cfi **cfi)
{
    inq_cfi_destroy(*cfi);
}

/*
 * `lookup` is the address whose CFI counts: the pc itself where a thread was interrupted, the byte
 * before it where it is a return address. Registers that the CFI does not mention keep their value.
 * *ret_caller is set for INQ_CFI_OK alone.
 */
enum inq_cfi_result inq_cfi_step(struct inq_cfi *cfi, const struct inq_registers *callee,
                                 uint64_t lookup, struct inq_registers *ret_caller);

/*
 * Where the last function that begins at or below addr begins, by the table of call frame
 * information; false without one. *ret_end (NULL: not asked): its end by its own description, 0
 * when that does not tell; addr may lie beyond it.
 */
bool inq_cfi_function(struct inq_cfi *cfi, uint64_t addr, uint64_t *ret_start,
                      uint64_t *ret_end);

/* Why the last step was neither OK nor OUTERMOST: printable, in the arena; NULL without memory. */
const char *inq_cfi_reason(const struct inq_cfi *cfi);

#endif

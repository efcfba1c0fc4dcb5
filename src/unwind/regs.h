/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_REGS_H
#define INQ_UNWIND_REGS_H

/* The registers of one frame, on any CPU: in the order of the CPU's table (elfcore/cpu.h). */

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

struct inq_regs {
    uint64_t value[INQ_MAX_REGISTERS]; /* zero-extended */
    uint64_t known;                    /* bit n: value[n] is what it was */
};

static inline bool inq_regs_known(const struct inq_regs *regs, int n)
{
    return n >= 0 && n < (int)INQ_MAX_REGISTERS && (regs->known >> n & 1) != 0;
}
static inline void inq_regs_set(struct inq_regs *regs, int n, uint64_t value)
{
    regs->value[n] = value;
    regs->known |= (uint64_t)1 << n;
}
static inline void inq_regs_forget(struct inq_regs *regs, int n)
{
    regs->known &= ~((uint64_t)1 << n);
}

#endif

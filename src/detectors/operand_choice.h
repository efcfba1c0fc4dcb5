/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_OPERAND_CHOICE_H
#define INQ_DETECTORS_OPERAND_CHOICE_H

/* Which operand of an instruction was it? Private to fault_site.c. */

#include "fault_site.h"

/*
 * The operand that a fault at `addr` belongs to; NULL with a reason in *ret_why when there is none,
 * or more than one. `code` and the map of the dump decide between a read and a write of one page.
 */
const struct inq_operand *inq_operand_by_address(const struct inq_dump *dump,
                                                 const struct inq_instruction *instruction,
                                                 uint64_t addr, const char **ret_why);
/* The first operand that the dump shows to be refused, in the order they are touched; NULL: none.
 */
const struct inq_operand *inq_operand_refused(const struct inq_dump *dump,
                                              const struct inq_instruction *instruction,
                                              uint64_t *ret_addr);
/*
 * x86-64: the one operand with a non-canonical address, through the stack's registers or not.
 * *ret_count is how many have one; NULL unless it is 1.
 */
const struct inq_operand *inq_operand_noncanonical(const struct inq_instruction *instruction,
                                                   bool on_stack, size_t *ret_count);

/* INQ_ACCESS_WRITE when the operand is written, even if it is read first. */
enum inq_access inq_operand_access(const struct inq_operand *operand);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_ERROR_CODE_H
#define INQ_EVIDENCE_ERROR_CODE_H

/*
 * fault.error_code: the number that an x86 CPU gives with an exception. No core dump holds it. It
 * comes from a signal frame, from the kernel's log, or it is inferred, in this order of trust.
 */

#include <stdbool.h>

#include "evidence.h"

/* Of a page fault: asm/trap_pf.h. */
#define INQ_PF_PROT 1u
#define INQ_PF_WRITE 2u
#define INQ_PF_USER 4u
#define INQ_PF_RESERVED 8u
#define INQ_PF_INSTR 16u
#define INQ_PF_KEY 32u
#define INQ_PF_SHADOW 64u
#define INQ_PF_SGX 0x8000u

/* The CPU's own numbers as the kernel put them into a signal frame. `trap`: fault.trap's word. */
void inq_error_code_set_from_frame(struct inq_evidence *evidence, const char *trap, uint32_t value);
/* What follows from the rest. `known`: value counts; else only the bits in `certain` do. */
void inq_error_code_set_inferred(struct inq_evidence *evidence, const char *trap, bool known,
                                 uint32_t value, uint32_t certain);
/*
 * From a line of the kernel's log that belongs to this crash (it has the same ip and sp): takes the
 * place of what was inferred, not of what a signal frame says. `trap` is the line's exception
 * ("page-fault" for a "segfault at" line, "general-protection", "invalid-opcode" ...), NULL when
 * the line does not tell; it is set where fault.trap is not known yet.
 */
void inq_error_code_set_from_log(struct inq_evidence *evidence, const char *trap, uint32_t value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_INSN_X86_TEXT_H
#define INQ_INSN_X86_TEXT_H

/*
 * x86 instructions as gdb and objdump print them (AT&T syntax): Zydis' own AT&T style prints Intel
 * names with suffixes that no assembler takes ("vmovapsz", "movzxb").
 */

#include <Zydis/Zydis.h>
#include <stddef.h>
#include <stdint.h>

/* "movl $0x0,(%rax)". `address` is the instruction's own: targets of branches are absolute. */
void inq_x86_text(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands,
                  uint64_t address, char *buf, size_t size);
/* One memory operand: "%fs:0x8(%rax,%rbx,4)", `extra` added to its displacement. */
void inq_x86_operand_text(const ZydisDecodedOperand *operand, int64_t extra, char *buf,
                          size_t size);

#endif

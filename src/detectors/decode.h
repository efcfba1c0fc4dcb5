/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_DECODE_H
#define INQ_DETECTORS_DECODE_H

/*
 * Decoders, one a CPU. Each takes the bytes at an address and the registers before the instruction
 * ran, and touches nothing else: no memory of the dead process is read here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "instruction.h"

enum inq_decoded {
    INQ_DECODED,
    INQ_DECODED_CUT,      /* the bytes end inside the instruction */
    INQ_DECODED_UNKNOWN,  /* these bytes are no instruction that the decoder has in its tables */
    INQ_DECODED_MODE,     /* the thread ran code of another width than the dump's registers */
    INQ_DECODED_NO_TABLE, /* there is no decoder for this CPU */
};

struct inq_decode_input {
    const struct inq_core *core;          /* CPU, byte order */
    const struct inq_core_thread *thread; /* registers before the instruction */
    uint64_t address;
    const uint8_t *bytes;
    size_t size; /* how many are there: INQ_MAX_INSTRUCTION_BYTES are always enough */
};

/* Fills *ret_instruction only for INQ_DECODED. */
enum inq_decoded inq_decode(const struct inq_decode_input *input,
                            struct inq_instruction *ret_instruction);

/* x86-64, x32 and i386, by Zydis. */
enum inq_decoded inq_decode_x86(const struct inq_decode_input *input,
                                struct inq_instruction *ret_instruction);
/* Loads and stores of A64 without SVE, MTE and structures: Arm ARM (DDI 0487), chapter C4. */
enum inq_decoded inq_decode_aarch64(const struct inq_decode_input *input,
                                    struct inq_instruction *ret_instruction);
/* Loads and stores in D, DS and X form: Power ISA 3.0, book I, chapters 3 and 4. */
enum inq_decoded inq_decode_ppc(const struct inq_decode_input *input,
                                struct inq_instruction *ret_instruction);
/* Loads, stores and atomics of RV64GC: the RISC-V instruction set manual, volume I. */
enum inq_decoded inq_decode_riscv(const struct inq_decode_input *input,
                                  struct inq_instruction *ret_instruction);

/* Helpers of the decoders. */

/* Adds a register to an operand and gives its value; false (and nothing added) when there is none.
 */
bool inq_operand_use_register(struct inq_operand *operand, const struct inq_decode_input *input,
                              const char *name, uint64_t *ret_value, const char **ret_name);
/* One more memory operand of `size` bytes (0: not known), still without address; NULL when full. */
struct inq_operand *inq_instruction_add(struct inq_instruction *instruction, unsigned use,
                                        uint64_t size);
/* A unit of code, 2 or 4 bytes. The bytes must be there. */
uint32_t inq_code_unit(const uint8_t *bytes, size_t size, bool big_endian);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_DETECTORS_DECODE_TABLE_H
#define INQ_TESTS_DETECTORS_DECODE_TABLE_H

/* Rows of bytes and what a decoder must make of them. */

#include <stddef.h>
#include <stdint.h>

#include "decode.h"

struct decode_operand {
    const char *text; /* NULL ends the list */
    unsigned use;
    uint64_t address; /* DECODE_NOWHERE: none can be given */
    uint64_t size;
};
#define DECODE_NOWHERE UINT64_C(0xdeaddeaddeaddead)

struct decode_row {
    const char *hex, *text; /* text NULL: not decoded */
    struct decode_operand operands[INQ_MAX_OPERANDS];
};

/* A thread of one CPU, all registers 0. */
struct decode_cpu {
    struct inq_core core;
    struct inq_core_thread thread;
};
void decode_cpu_init(struct decode_cpu *cpu, uint16_t machine, uint8_t elf_class, bool big_endian);
void decode_cpu_set(struct decode_cpu *cpu, const char *name, uint64_t value);

/* Decodes bytes given in hex at 0x401000; INQ_DECODED or why not. */
enum inq_decoded decode_hex(const struct decode_cpu *cpu, const char *hex,
                            struct inq_instruction *ret_instruction);
void decode_check_rows(const struct decode_cpu *cpu, const struct decode_row *rows, size_t count);

#endif

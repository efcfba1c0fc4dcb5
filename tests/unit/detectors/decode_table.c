/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void decode_cpu_init(struct decode_cpu *cpu, uint16_t machine, uint8_t elf_class, bool big_endian)
{
    *cpu = (struct decode_cpu){.core = {.machine = machine,
                                        .elf_class = elf_class,
                                        .big_endian = big_endian,
                                        .cpu = inq_cpu_find(machine, elf_class, big_endian)},
                               .thread = {.has_registers = true}};
    assert_non_null(cpu->core.cpu);
}

void decode_cpu_set(struct decode_cpu *cpu, const char *name, uint64_t value)
{
    int index = inq_cpu_register(cpu->core.cpu, name);

    assert_true(index >= 0);
    cpu->thread.registers[index] = value;
}

enum inq_decoded decode_hex(const struct decode_cpu *cpu, const char *hex,
                            struct inq_instruction *ret_instruction)
{
    uint8_t bytes[INQ_MAX_INSTRUCTION_BYTES];
    size_t size = strlen(hex) / 2;
    unsigned byte;

    assert_true(size <= sizeof(bytes));
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    const struct inq_decode_input input = {.core = &cpu->core,
                                           .thread = &cpu->thread,
                                           .address = 0x401000,
                                           .bytes = bytes,
                                           .size = size};
    return inq_decode(&input, ret_instruction);
}

static void check_operand(const struct decode_row *row, const struct inq_operand *operand,
                          const struct decode_operand *want)
{
    bool has_address = want->address != DECODE_NOWHERE;

    if (strcmp(operand->text, want->text) != 0)
        fail_msg("%s: operand %s, want %s", row->hex, operand->text, want->text);
    if (operand->use != want->use || operand->size != want->size ||
        operand->has_address != has_address || (has_address && operand->address != want->address) ||
        (operand->unknown != NULL) == has_address)
        fail_msg("%s %s: use %u, size %ju, address 0x%jx (%s)", row->hex, operand->text,
                 operand->use, (uintmax_t)operand->size, (uintmax_t)operand->address,
                 operand->unknown ? operand->unknown : "known");
}

void decode_check_rows(const struct decode_cpu *cpu, const struct decode_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct decode_row *row = &rows[i];
        struct inq_instruction instruction;
        enum inq_decoded decoded = decode_hex(cpu, row->hex, &instruction);
        size_t n = 0;

        if ((decoded == INQ_DECODED) != (row->text != NULL))
            fail_msg("%s: decoded is %d", row->hex, (int)decoded);
        if (!row->text)
            continue;
        if (strcmp(instruction.text, row->text) != 0)
            fail_msg("%s is %s, want %s", row->hex, instruction.text, row->text);
        assert_int_equal(instruction.size, strlen(row->hex) / 2);
        while (n < INQ_MAX_OPERANDS && row->operands[n].text)
            n++;
        if (n != instruction.n_operands)
            fail_msg("%s: %zu operands, want %zu", row->hex, instruction.n_operands, n);
        for (size_t k = 0; k < n; k++)
            check_operand(row, &instruction.operands[k], &row->operands[k]);
    }
}

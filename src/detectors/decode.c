/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <elf.h>

enum inq_decoded inq_decode(const struct inq_decode_input *input,
                            struct inq_instruction *ret_instruction)
{
    switch (input->core->machine) {
    case EM_386:
    case EM_X86_64:
        return inq_decode_x86(input, ret_instruction);
    case EM_AARCH64:
        return inq_decode_aarch64(input, ret_instruction);
    case EM_PPC:
    case EM_PPC64:
        return inq_decode_ppc(input, ret_instruction);
    case EM_RISCV:
        return input->core->elf_class == 64 ? inq_decode_riscv(input, ret_instruction)
                                            : INQ_DECODED_NO_TABLE;
    default:
        return INQ_DECODED_NO_TABLE;
    }
}

bool inq_operand_use_register(struct inq_operand *operand, const struct inq_decode_input *input,
                              const char *name, uint64_t *ret_value, const char **ret_name)
{
    const struct inq_cpu *cpu = input->core->cpu;
    int index = cpu && input->thread->has_registers ? inq_cpu_register(cpu, name) : -1;

    if (index < 0)
        return false;
    *ret_value = input->thread->registers[index];
    *ret_name = cpu->register_names[index];
    for (size_t i = 0; i < operand->n_registers; i++)
        if (operand->registers[i].name == *ret_name)
            return true;
    if (operand->n_registers < INQ_MAX_OPERAND_REGISTERS)
        operand->registers[operand->n_registers++] =
            (struct inq_operand_register){*ret_name, *ret_value};
    return true;
}

struct inq_operand *inq_instruction_add(struct inq_instruction *instruction, unsigned use,
                                        uint64_t size)
{
    if (instruction->n_operands == INQ_MAX_OPERANDS)
        return NULL;
    struct inq_operand *operand = &instruction->operands[instruction->n_operands++];
    *operand = (struct inq_operand){
        .use = use, .size = size, .reach = size > 0 ? size : 1, .alignment = 1};
    return operand;
}

uint32_t inq_code_unit(const uint8_t *bytes, size_t size, bool big_endian)
{
    uint32_t unit = 0;

    for (size_t i = 0; i < size; i++)
        unit = unit << 8 | bytes[big_endian ? i : size - 1 - i];
    return unit;
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "cpu.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "cpu_tables.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

/* The byte order that Linux runs these in; 'b' for both. */
static char byte_order_of(uint16_t machine)
{
    switch (machine) {
    case EM_386:
    case EM_X86_64:
    case EM_RISCV:
        return '<';
    case EM_S390:
    case EM_68K:
    case EM_SPARCV9:
        return '>';
    default:
        return 'b';
    }
}

const struct inq_cpu *inq_cpu_find(uint16_t machine, uint8_t elf_class, bool big_endian)
{
    char order = byte_order_of(machine);

    if (order != 'b' && (order == '>') != big_endian)
        return NULL;
    return inq_cpu_table_find(machine, elf_class, big_endian);
}

/* CPUs without a table: a name is all that can be said. */
static const struct {
    uint16_t machine;
    const char *name;
} other_machines[] = {
    {EM_SPARC, "sparc"},
    {EM_MIPS, "mips"},
    {EM_PARISC, "parisc"},
    {EM_SPARC32PLUS, "sparc32plus"},
    {EM_SH, "sh"},
    {EM_IA_64, "ia64"},
    {EM_ALPHA, "alpha"},
    {0x9026, "alpha"},
    {EM_XTENSA, "xtensa"},
    {EM_OPENRISC, "openrisc"},
    {195, "arcv2"},
    {EM_MICROBLAZE, "microblaze"},
    {EM_CSKY, "csky"},
    {EM_LOONGARCH, "loongarch"},
    {EM_ALTERA_NIOS2, "nios2"},
    {EM_QDSP6, "hexagon"},
    {EM_386, "i386"},
    {EM_X86_64, "x86_64"},
    {EM_ARM, "arm"},
    {EM_AARCH64, "aarch64"},
    {EM_RISCV, "riscv"},
    {EM_PPC, "ppc"},
    {EM_PPC64, "ppc64"},
    {EM_S390, "s390"},
    {EM_SPARCV9, "sparc64"},
    {EM_68K, "m68k"},
};

const char *inq_machine_name(uint16_t machine, uint8_t elf_class, bool big_endian, char buf[32])
{
    const struct inq_cpu *cpu = inq_cpu_find(machine, elf_class, big_endian);

    if (cpu)
        return cpu->name;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(other_machines); i++) {
        if (other_machines[i].machine == machine)
            return other_machines[i].name;
    }
    snprintf(buf, 32, "machine %u", (unsigned)machine);
    return buf;
}

int inq_cpu_register(const struct inq_cpu *cpu, const char *name)
{
    for (int i = 0; i < (int)cpu->n_registers; i++) {
        if (strcmp(cpu->register_names[i], name) == 0)
            return i;
    }
    return -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_ELFCORE_CPU_H
#define INQ_ELFCORE_CPU_H

/*
 * One table per CPU: where NT_PRSTATUS keeps things and what the registers are called.
 * Source: the kernel's struct elf_prstatus and each arch's elf_gregset_t (asm/elf.h, asm/ptrace.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INQ_MAX_REGISTERS 48u

struct inq_cpu {
    const char *name;       /* "x86_64", "i386", "x32", "aarch64", "arm", "riscv64", "ppc", "ppc64",
                               "ppc64le", "s390", "s390x", "sparc64", "m68k", ... */
    uint16_t machine;       /* e_machine */
    uint8_t elf_class;      /* 32 or 64: class of the core file */
    uint8_t word_bytes;     /* of a pointer in the dead process: 4 for x32 */
    uint8_t register_bytes; /* of one slot in pr_reg */
    uint16_t pid_off, reg_off;         /* in NT_PRSTATUS, bytes; cursig is u16 at 12 everywhere */
    const char *const *register_names; /* in pr_reg order */
    uint8_t n_registers;
    int8_t pc, sp, fp;      /* indexes into the registers, -1 when there is none */
    uint8_t pc_adjust_mask; /* bits to clear in a pc: 1 on arm (Thumb) and s390's high bit is not
                               here */
    bool unwinds;           /* the unwinder supports it */
};

/* NULL for a machine without a table. */
const struct inq_cpu *inq_cpu_find(uint16_t machine, uint8_t elf_class, bool big_endian);
/* "EM_68K" and such for any e_machine: "x86_64", or "machine 4711"; buf is filled when needed. */
const char *inq_machine_name(uint16_t machine, uint8_t elf_class, bool big_endian, char buf[32]);

/* Index of a register by name, -1 when there is none. */
int inq_cpu_register(const struct inq_cpu *cpu, const char *name);

#endif

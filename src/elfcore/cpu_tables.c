/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Register order is that of each kernel's ELF_CORE_COPY_REGS or pt_regs regset, which is what the
 * kernel copies to NT_PRSTATUS's pr_reg. The fields before pr_reg are the same everywhere; what
 * moves them is the size of `long` (sigpend, sighold and eight time words) and, on m68k, that
 * nothing is aligned to more than two bytes.
 */

#include "cpu_tables.h"

#include <elf.h>

#include "cleanup.h"

#define PID_64 32
#define REG_64 112
#define PID_32 24
#define REG_32 72
#define PID_M68K 22
#define REG_M68K 70

/* x86: struct user_regs_struct of asm/user_64.h and asm/user_32.h */
static const char *const x86_64_names[] = {
    "r15",    "r14", "r13", "r12",     "rbp",     "rbx", "r11",      "r10", "r9",
    "r8",     "rax", "rcx", "rdx",     "rsi",     "rdi", "orig_rax", "rip", "cs",
    "eflags", "rsp", "ss",  "fs_base", "gs_base", "ds",  "es",       "fs",  "gs",
};
static const char *const i386_names[] = {
    "ebx", "ecx", "edx",      "esi", "edi", "ebp",    "eax", "ds", "es",
    "fs",  "gs",  "orig_eax", "eip", "cs",  "eflags", "esp", "ss",
};
/* arm: asm/ptrace.h, uregs[18]; arm64: struct user_pt_regs */
static const char *const arm_names[] = {
    "r0", "r1",  "r2",  "r3",  "r4", "r5", "r6", "r7",   "r8",
    "r9", "r10", "r11", "r12", "sp", "lr", "pc", "cpsr", "orig_r0",
};
static const char *const aarch64_names[] = {
    "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",     "x10", "x11",
    "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",    "x22", "x23",
    "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "pstate",
};
/* riscv: struct user_regs_struct of asm/ptrace.h */
static const char *const riscv_names[] = {
    "pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
/* powerpc: struct pt_regs; ELF_NGREG is 48, the last four are not used. Word 39 is MQ on 32-bit. */
#define PPC_NAMES(softe)                                                                           \
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14", \
        "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", \
        "r28", "r29", "r30", "r31", "nip", "msr", "orig_r3", "ctr", "lr", "xer", "cr", softe,      \
        "trap", "dar", "dsisr", "result"
static const char *const ppc_names[] = {PPC_NAMES("mq")};
static const char *const ppc64_names[] = {PPC_NAMES("softe")};
/*
 * s390: s390_regs of asm/ptrace.h: PSW mask and address, sixteen general registers, then the access
 * registers, which are 32 bits wide in both: on s390x two of them share a slot, so they stop here.
 */
static const char *const s390_names[] = {
    "pswm", "pswa", "r0",  "r1",  "r2",  "r3",  "r4",  "r5",  "r6",  "r7",  "r8",      "r9",
    "r10",  "r11",  "r12", "r13", "r14", "r15", "a0",  "a1",  "a2",  "a3",  "a4",      "a5",
    "a6",   "a7",   "a8",  "a9",  "a10", "a11", "a12", "a13", "a14", "a15", "orig_r2",
};
/* sparc64: ELF_CORE_COPY_REGS of asm/elf_64.h: globals, outs, locals and ins of the window, then
 * state */
static const char *const sparc64_names[] = {
    "g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "o0",     "o1", "o2",  "o3",
    "o4", "o5", "sp", "o7", "l0", "l1", "l2", "l3", "l4",     "l5", "l6",  "l7",
    "i0", "i1", "i2", "i3", "i4", "i5", "fp", "i7", "tstate", "pc", "npc", "y",
};
/* m68k: ELF_CORE_COPY_REGS of asm/elf.h: the switch stack's registers stand between the others */
static const char *const m68k_names[] = {
    "d1", "d2", "d3", "d4", "d5", "d6", "d7",      "a0", "a1", "a2",
    "a3", "a4", "a5", "fp", "d0", "sp", "orig_d0", "sr", "pc", "format_vector",
};

#define REGISTERS(array, count) .register_names = (array), .n_registers = (count)
#define ALL(array) REGISTERS(array, (uint8_t)INQ_ARRAY_SIZE(array))
#define CORE_64                                                                                    \
    .elf_class = 64, .word_bytes = 8, .register_bytes = 8, .pid_off = PID_64, .reg_off = REG_64
#define CORE_32                                                                                    \
    .elf_class = 32, .word_bytes = 4, .register_bytes = 4, .pid_off = PID_32, .reg_off = REG_32

static const struct inq_cpu cpus[] = {
    {.name = "x86_64",
     .machine = EM_X86_64,
     CORE_64,
     ALL(x86_64_names),
     .pc = 16,
     .sp = 19,
     .fp = 4,
     .unwinds = true},
    /* x32: 64-bit registers behind the 32-bit head of compat_elf_prstatus */
    {.name = "x32",
     .machine = EM_X86_64,
     .elf_class = 32,
     .word_bytes = 4,
     .register_bytes = 8,
     .pid_off = PID_32,
     .reg_off = REG_32,
     ALL(x86_64_names),
     .pc = 16,
     .sp = 19,
     .fp = 4,
     .unwinds = true},
    {.name = "i386",
     .machine = EM_386,
     CORE_32,
     ALL(i386_names),
     .pc = 12,
     .sp = 15,
     .fp = 5,
     .unwinds = true},
    {.name = "aarch64",
     .machine = EM_AARCH64,
     CORE_64,
     ALL(aarch64_names),
     .pc = 32,
     .sp = 31,
     .fp = 29,
     .unwinds = true},
    {.name = "arm",
     .machine = EM_ARM,
     CORE_32,
     ALL(arm_names),
     .pc = 15,
     .sp = 13,
     .fp = 11,
     .pc_adjust_mask = 1,
     .unwinds = true},
    {.name = "riscv64",
     .machine = EM_RISCV,
     CORE_64,
     ALL(riscv_names),
     .pc = 0,
     .sp = 2,
     .fp = 8,
     .unwinds = true},
    {.name = "ppc",
     .machine = EM_PPC,
     CORE_32,
     ALL(ppc_names),
     .pc = 32,
     .sp = 1,
     .fp = 31,
     .unwinds = true},
    {.name = "ppc64",
     .machine = EM_PPC64,
     CORE_64,
     ALL(ppc64_names),
     .pc = 32,
     .sp = 1,
     .fp = 31,
     .unwinds = true},
    {.name = "s390",
     .machine = EM_S390,
     CORE_32,
     ALL(s390_names),
     .pc = 1,
     .sp = 17,
     .fp = 13,
     .unwinds = true},
    {.name = "s390x",
     .machine = EM_S390,
     CORE_64,
     REGISTERS(s390_names, 18),
     .pc = 1,
     .sp = 17,
     .fp = 13,
     .unwinds = true},
    {.name = "sparc64",
     .machine = EM_SPARCV9,
     CORE_64,
     ALL(sparc64_names),
     .pc = 33,
     .sp = 14,
     .fp = 30,
     .unwinds = true},
    {.name = "m68k",
     .machine = EM_68K,
     .elf_class = 32,
     .word_bytes = 4,
     .register_bytes = 4,
     .pid_off = PID_M68K,
     .reg_off = REG_M68K,
     ALL(m68k_names),
     .pc = 18,
     .sp = 15,
     .fp = 13},
};

/* The same layout under another name when the words lie the other way round. */
static const struct inq_cpu ppc64le = {.name = "ppc64le",
                                       .machine = EM_PPC64,
                                       CORE_64,
                                       ALL(ppc64_names),
                                       .pc = 32,
                                       .sp = 1,
                                       .fp = 31,
                                       .unwinds = true};

const struct inq_cpu *inq_cpu_table_find(uint16_t machine, uint8_t elf_class, bool big_endian)
{
    if (machine == EM_PPC64 && elf_class == 64 && !big_endian)
        return &ppc64le;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cpus); i++) {
        if (cpus[i].machine == machine && cpus[i].elf_class == elf_class)
            return &cpus[i];
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_unwind.h"

#include <elf.h>
#include <string.h>

#include "cleanup.h"
#include "codemap.h"
#include "cursor.h"

#define ALL_64 UINT64_MAX
#define ALL_32 UINT32_MAX

static const struct inq_cpu_unwind cpus[] = {
    {.name = "x86_64",
     .chain = INQ_CHAIN_X86,
     .pc_mask = ALL_64,
     .pc_alignment = 1,
     .sp_alignment = 8},
    {.name = "x32",
     .chain = INQ_CHAIN_X86,
     .pc_mask = ALL_32,
     .pc_alignment = 1,
     .sp_alignment = 8},
    {.name = "i386",
     .chain = INQ_CHAIN_X86,
     .pc_mask = ALL_32,
     .pc_alignment = 1,
     .sp_alignment = 4},
    {.name = "aarch64",
     .chain = INQ_CHAIN_AARCH64,
     .link = "x30",
     .pc_mask = ALL_64,
     .pc_alignment = 4,
     .sp_alignment = 16},
    /* bit 0 tells Thumb code from ARM code */
    {.name = "arm",
     .chain = INQ_CHAIN_ARM,
     .link = "lr",
     .pc_mask = ALL_32 - 1,
     .pc_alignment = 2,
     .sp_alignment = 4},
    {.name = "riscv64",
     .chain = INQ_CHAIN_RISCV,
     .link = "ra",
     .pc_mask = ALL_64,
     .pc_alignment = 2,
     .sp_alignment = 8},
    {.name = "ppc",
     .chain = INQ_CHAIN_PPC,
     .link = "lr",
     .pc_mask = ALL_32,
     .pc_alignment = 4,
     .sp_alignment = 4},
    {.name = "ppc64",
     .chain = INQ_CHAIN_PPC,
     .link = "lr",
     .pc_mask = ALL_64,
     .pc_alignment = 4,
     .sp_alignment = 8},
    {.name = "ppc64le",
     .chain = INQ_CHAIN_PPC,
     .link = "lr",
     .pc_mask = ALL_64,
     .pc_alignment = 4,
     .sp_alignment = 8},
    /* bit 31 is the addressing mode */
    {.name = "s390",
     .chain = INQ_CHAIN_S390,
     .link = "r14",
     .pc_mask = INT32_MAX,
     .pc_alignment = 2,
     .sp_alignment = 4},
    {.name = "s390x",
     .chain = INQ_CHAIN_S390,
     .link = "r14",
     .pc_mask = ALL_64,
     .pc_alignment = 2,
     .sp_alignment = 8},
    /* a call leaves its own address; behind it is one more instruction, the delay slot */
    {.name = "sparc64",
     .chain = INQ_CHAIN_SPARC,
     .link = "o7",
     .pc_mask = ALL_64,
     .return_offset = 8,
     .pc_alignment = 4,
     .sp_alignment = 1,
     .sp_bias = 2047},
};

const struct inq_cpu_unwind *inq_cpu_unwind_find(const struct inq_cpu *cpu)
{
    for (size_t i = 0; cpu && i < INQ_ARRAY_SIZE(cpus); i++) {
        if (strcmp(cpus[i].name, cpu->name) == 0)
            return &cpus[i];
    }
    return NULL;
}

/* psABI of i386, figure 2.14: not the order of the encoding, as people expect. */
static const char *const i386_dwarf[] = {"eax", "ecx", "edx", "ebx", "esp",
                                         "ebp", "esi", "edi", "eip", "eflags"};
static const char *const x86_64_dwarf[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                           "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                           "r12", "r13", "r14", "r15", "rip"};

static int by_name(const struct inq_cpu *cpu, const char *const *names, size_t count,
                   unsigned int number)
{
    return number < count ? inq_cpu_register(cpu, names[number]) : -1;
}

static int ppc_register(const struct inq_cpu *cpu, unsigned int number)
{
    if (number < 32)
        return (int)number;
    switch (number) {
    case 65:
    case 108: /* the 32-bit ABI's own number, in .debug_frame of some compilers */
        return inq_cpu_register(cpu, "lr");
    case 66:
    case 109:
        return inq_cpu_register(cpu, "ctr");
    case 64:
        return inq_cpu_register(cpu, "cr");
    default:
        return -1;
    }
}

static int s390_register(const struct inq_cpu *cpu, unsigned int number)
{
    if (number < 16)
        return (int)number + inq_cpu_register(cpu, "r0");
    if (number == 64)
        return inq_cpu_register(cpu, "pswm");
    return number == 65 ? inq_cpu_register(cpu, "pswa") : -1;
}

int inq_cpu_dwarf_register(const struct inq_cpu *cpu, unsigned int dwarf_number)
{
    switch (cpu->machine) {
    case EM_X86_64:
        return by_name(cpu, x86_64_dwarf, INQ_ARRAY_SIZE(x86_64_dwarf), dwarf_number);
    case EM_386:
        return by_name(cpu, i386_dwarf, INQ_ARRAY_SIZE(i386_dwarf), dwarf_number);
    case EM_AARCH64: /* x0 … x30, sp */
        return dwarf_number < 32 ? (int)dwarf_number : -1;
    case EM_ARM:
        return dwarf_number < 16 ? (int)dwarf_number : -1;
    case EM_RISCV: /* x1 … x31; where x0 would stand, the dump has the pc */
        return dwarf_number >= 1 && dwarf_number < 32 ? (int)dwarf_number : -1;
    case EM_PPC:
    case EM_PPC64:
        return ppc_register(cpu, dwarf_number);
    case EM_S390:
        return s390_register(cpu, dwarf_number);
    case EM_SPARCV9:
        return dwarf_number < 32 ? (int)dwarf_number : -1;
    default:
        return -1;
    }
}

static uint32_t code_unit(const uint8_t *bytes, size_t size, bool big_endian)
{
    return size == 2 ? inq_load_u16(bytes, big_endian) : inq_load_u32(bytes, big_endian);
}

/* bl, blr, and blraa and its kin, which check a signature first (Arm ARM, C4.1.67). */
static bool is_aarch64_call(uint32_t code)
{
    return (code & 0xfc000000) == 0x94000000 || (code & 0xfffffc1f) == 0xd63f0000 ||
           (code & 0xfefff800) == 0xd63f0800;
}

/* bl and blx of both instruction sets. */
static bool is_arm_call(const uint8_t *end, size_t size, bool big_endian)
{
    uint32_t code = code_unit(end - 4, 4, big_endian);
    uint32_t first = code_unit(end - 4, 2, big_endian), second = code_unit(end - 2, 2, big_endian);
    (void)size;

    return (code & 0x0f000000) == 0x0b000000 || (code & 0xfe000000) == 0xfa000000 ||
           (code & 0x0ffffff0) == 0x012fff30 ||
           ((first & 0xf800) == 0xf000 && (second & 0xc000) == 0xc000) ||
           (second & 0xff87) == 0x4780;
}

/* jal and jalr with ra as the link register, and c.jalr. */
static bool is_riscv_call(const uint8_t *end)
{
    uint32_t code = inq_load_u32(end - 4, false), half = inq_load_u16(end - 2, false);

    return (code & 0xfff) == 0x0ef || (code & 0x7fff) == 0x00e7 ||
           ((half & 0xf07f) == 0x9002 && (half & 0x0f80) != 0);
}

/* Branches with the link bit: bl, bcl, bctrl, blrl (Power ISA, book I, 2.4). */
static bool is_ppc_call(uint32_t code)
{
    uint32_t op = code >> 26;
    return (code & 1) != 0 && (op == 18 || op == 16 ||
                               (op == 19 && ((code & 0x7fe) == 0x420 || (code & 0x7fe) == 0x20)));
}

/* brasl, bras and basr with r14 (Principles of Operation, chapter 7). */
static bool is_s390_call(const uint8_t *end, size_t size)
{
    return (size >= 6 && end[-6] == 0xc0 && end[-5] == 0xe5) ||
           (end[-4] == 0xa7 && end[-3] == 0xe5) ||
           (end[-2] == 0x0d && (end[-1] & 0xf0) == 0xe0 && (end[-1] & 0x0f) != 0) ||
           (end[-4] == 0x4d && (end[-3] & 0xf0) == 0xe0);
}

/* call, and jmpl that links to o7; the delay slot lies behind it. */
static bool is_sparc_call(uint32_t code)
{
    return code >> 30 == 1 || (code & 0xfff80000) == 0x9fc00000;
}

bool inq_cpu_ends_with_call(const struct inq_cpu *cpu, bool big_endian, const uint8_t *bytes,
                            size_t size)
{
    const uint8_t *end = bytes + size;

    if (cpu->machine == EM_386 || cpu->machine == EM_X86_64)
        return inq_codemap_ends_with_call(bytes, size);
    if (size < 4)
        return false;
    switch (cpu->machine) {
    case EM_AARCH64: /* instructions are little-endian on a big-endian machine as well */
        return is_aarch64_call(code_unit(end - 4, 4, false));
    case EM_ARM:
        return is_arm_call(end, size, big_endian);
    case EM_RISCV:
        return is_riscv_call(end);
    case EM_PPC:
        return is_ppc_call(code_unit(end - 4, 4, big_endian));
    case EM_PPC64:
        /* the linker puts a load of the TOC pointer, or a nop, behind the call: that is after the
         * return address */
        return is_ppc_call(code_unit(end - 4, 4, big_endian));
    case EM_S390:
        return is_s390_call(end, size);
    case EM_SPARCV9:
        return size >= 8 && is_sparc_call(code_unit(end - 8, 4, big_endian));
    default:
        return false;
    }
}

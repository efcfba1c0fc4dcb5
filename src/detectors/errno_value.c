/* SPDX-License-Identifier: Apache-2.0 */

/*
 * errno of the crashing thread. It is a thread-local variable of the C library, at the place that
 * the library's own __errno_location() works out (LSB, libc interfaces): the thread pointer (%fs:0,
 * ELF TLS variant II) and an offset, which is a number in the code or a word of the GOT (a
 * R_X86_64_TPOFF64 that the linker has filled in). These few instructions are read, not run, so no
 * version's layout has to be known. x86-64 alone.
 */

#include <elf.h>
#include <string.h>

#include "code_probe.h"
#include "crash.h"
#include "detectors.h"
#include "frame_search.h"

#define MOST_INSTRUCTIONS 6u
#define MOST_ERRNO 4095u /* MAX_ERRNO of the kernel */

/* A value of rax in the making. */
struct sum {
    const struct inq_dump *dump;
    uint64_t self; /* what %fs:0 holds: the thread pointer */
    uint64_t rax;
    bool known;
};

static bool is_rax(const ZydisDecodedOperand *operand)
{
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == ZYDIS_REGISTER_RAX;
}

/* The second operand: %fs:0, a word at rip + something, a number; `lea` takes an address. */
static bool read_source(const struct sum *sum, const struct inq_opcode *code, uint64_t *ret_value)
{
    const ZydisDecodedOperand *operand = &code->operands[1];
    uint64_t addr;

    if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        *ret_value = operand->imm.is_signed ? (uint64_t)operand->imm.value.s : operand->imm.value.u;
        return true;
    }
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->size != 64)
        return false;
    if (inq_code_rip_operand(code, 1, &addr))
        return operand->mem.segment != ZYDIS_REGISTER_FS &&
               inq_memory_u64(sum->dump->memory, addr, ret_value);
    *ret_value = sum->self;
    return operand->mem.segment == ZYDIS_REGISTER_FS && operand->mem.base == ZYDIS_REGISTER_NONE &&
           operand->mem.index == ZYDIS_REGISTER_NONE && operand->mem.disp.value == 0;
}

static bool step(struct sum *sum, const struct inq_opcode *code)
{
    const ZydisDecodedOperand *from = &code->operands[1];
    uint64_t value;

    if (code->instruction.mnemonic == ZYDIS_MNEMONIC_ENDBR64 ||
        code->instruction.mnemonic == ZYDIS_MNEMONIC_NOP)
        return true;
    if (code->instruction.operand_count_visible != 2 || !is_rax(&code->operands[0]))
        return false;
    if (code->instruction.mnemonic == ZYDIS_MNEMONIC_LEA) {
        sum->rax += (uint64_t)from->mem.disp.value;
        return sum->known && from->mem.base == ZYDIS_REGISTER_RAX &&
               from->mem.index == ZYDIS_REGISTER_NONE;
    }
    if (!read_source(sum, code, &value))
        return false;
    if (code->instruction.mnemonic == ZYDIS_MNEMONIC_MOV)
        sum->rax = value;
    else if (code->instruction.mnemonic == ZYDIS_MNEMONIC_ADD && sum->known)
        sum->rax += value;
    else if (code->instruction.mnemonic == ZYDIS_MNEMONIC_SUB && sum->known)
        sum->rax -= value;
    else
        return false;
    sum->known = true;
    return true;
}

/* What the function returns; false when it does anything that is not understood. */
static bool returns(struct sum *sum, uint64_t function)
{
    struct inq_opcode code;

    for (unsigned i = 0; i < MOST_INSTRUCTIONS; i++, function = code.next) {
        if (!inq_code_at(sum->dump, function, &code))
            return false;
        if (code.instruction.mnemonic == ZYDIS_MNEMONIC_RET)
            return sum->known;
        if (!step(sum, &code))
            return false;
    }
    return false;
}

/* dlmopen() and chroots of plugins bring a second one; whose errno counts is not known then. */
static bool has_two_libcs(const struct inq_dump *dump)
{
    size_t count = 0;

    for (size_t i = 0; i < dump->modules->count; i++)
        count += inq_module_is_libc(&dump->modules->items[i]) ? 1 : 0;
    return count > 1;
}

/* A static program, also one that relocates itself (static-pie). */
static bool is_alone(const struct inq_dump *dump)
{
    size_t count = 0;

    for (size_t i = 0; i < dump->modules->count; i++)
        count += dump->modules->items[i].is_vdso ? 0 : 1;
    return count == 1;
}

static const char *find(struct inq_dump *dump, int32_t *ret_errno)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    struct sum sum = {.dump = dump};
    uint64_t function, fs_base;
    uint32_t value;

    if (dump->core->machine != EM_X86_64 || dump->core->elf_class != 64)
        return "where it lies is known for x86-64 alone";
    if (!thread || !inq_core_register(dump->core, thread, "fs_base", &fs_base) || fs_base == 0)
        return "the thread pointer is not in the dump";
    if (has_two_libcs(dump))
        return "the process has two C libraries, each with an errno of its own";
    if (!inq_modules_symbol(dump->modules, "libc", "__errno_location", &function, NULL) &&
        !inq_modules_symbol(dump->modules, "ld-musl", "__errno_location", &function, NULL) &&
        !(is_alone(dump) &&
          inq_modules_symbol(dump->modules, NULL, "__errno_location", &function, NULL)))
        return "the C library's __errno_location() was not found: its file is not here, or it has "
               "no symbols";
    if (!inq_memory_u64(dump->memory, fs_base, &sum.self) || sum.self != fs_base)
        return "the thread's control block is not in the dump";
    if (!returns(&sum, function))
        return "the code of __errno_location() is not in the dump, or is not understood";
    if (!inq_memory_u32(dump->memory, sum.rax, &value))
        return "the thread's local variables are not in the dump";
    if (value > MOST_ERRNO)
        return "what stands at its place is no error number";
    *ret_errno = (int32_t)value;
    return NULL;
}

struct inq_error *inq_detect_errno(struct inq_dump *dump, struct inq_evidence *evidence)
{
    int32_t value;
    const char *why = find(dump, &value), *text;

    if (why) {
        inq_evidence_set_unknown(evidence, "state.errno", "%s", why);
        inq_evidence_set_unknown(evidence, "state.errno_name", "%s", why);
        return evidence->failed ? &inq_error_oom : NULL;
    }
    inq_evidence_set_int(evidence, "state.errno", value);
    text = value > 0 ? strerrorname_np(value) : NULL;
    if (text)
        inq_evidence_set_text(evidence, "state.errno_name", text);
    return evidence->failed ? &inq_error_oom : NULL;
}

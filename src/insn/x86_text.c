/* SPDX-License-Identifier: Apache-2.0 */
#include "x86_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

struct out { /* cut at the end, always terminated */
    char *bytes;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(out->bytes + out->used, out->size - out->used, format, arguments);
    va_end(arguments);
    if (n > 0)
        out->used += (size_t)n < out->size - out->used ? (size_t)n : out->size - out->used - 1;
}

static void put_signed(struct out *out, int64_t value)
{
    if (value < 0)
        put(out, "-0x%" PRIx64, -(uint64_t)value);
    else
        put(out, "0x%" PRIx64, (uint64_t)value);
}

static void put_memory(struct out *out, const ZydisDecodedOperandMem *mem, int64_t extra)
{
    bool has_base = mem->base != ZYDIS_REGISTER_NONE;
    bool has_index = mem->index != ZYDIS_REGISTER_NONE;
    int64_t disp =
        (int64_t)((uint64_t)(mem->disp.has_displacement ? mem->disp.value : 0) + (uint64_t)extra);

    if (mem->segment == ZYDIS_REGISTER_FS || mem->segment == ZYDIS_REGISTER_GS)
        put(out, "%%%s:", ZydisRegisterGetString(mem->segment));
    if (!has_base && !has_index)
        put(out, "0x%" PRIx64, (uint64_t)disp);
    else if (disp != 0 || mem->disp.has_displacement)
        put_signed(out, disp);
    if (!has_base && !has_index)
        return;
    put(out, "(");
    if (has_base)
        put(out, "%%%s", ZydisRegisterGetString(mem->base));
    if (has_index)
        put(out, ",%%%s,%u", ZydisRegisterGetString(mem->index), mem->scale ? mem->scale : 1);
    put(out, ")");
}

void inq_x86_operand_text(const ZydisDecodedOperand *operand, int64_t extra, char *buf, size_t size)
{
    struct out out = {buf, size, 0};

    buf[0] = '\0';
    put_memory(&out, &operand->mem, extra);
}

/* Names that AT&T syntax spells in its own way; those with operand sizes in them are made. */
static const struct {
    ZydisMnemonic mnemonic;
    const char *name;
} names[] = {
    {ZYDIS_MNEMONIC_CBW, "cbtw"},      {ZYDIS_MNEMONIC_CWDE, "cwtl"},
    {ZYDIS_MNEMONIC_CDQE, "cltq"},     {ZYDIS_MNEMONIC_CWD, "cwtd"},
    {ZYDIS_MNEMONIC_CDQ, "cltd"},      {ZYDIS_MNEMONIC_CQO, "cqto"},
    {ZYDIS_MNEMONIC_MOVSXD, "movslq"}, {ZYDIS_MNEMONIC_PUSHFQ, "pushf"},
    {ZYDIS_MNEMONIC_POPFQ, "popf"},
};

static char size_letter(unsigned bits)
{
    return bits == 8 ? 'b' : bits == 16 ? 'w' : bits == 32 ? 'l' : bits == 64 ? 'q' : '\0';
}

/* The operand in memory that is written out; NULL without. */
static const ZydisDecodedOperand *visible_memory(const ZydisDecodedInstruction *instruction,
                                                 const ZydisDecodedOperand *operands)
{
    for (size_t i = 0; i < instruction->operand_count_visible; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return &operands[i];
    return NULL;
}

static bool is_shift(const ZydisDecodedInstruction *instruction)
{
    return instruction->meta.category == ZYDIS_CATEGORY_SHIFT ||
           instruction->meta.category == ZYDIS_CATEGORY_ROTATE;
}

/* Does a register that is written out tell the size already? %cl as a count does not. */
static bool register_tells_size(const ZydisDecodedInstruction *instruction,
                                const ZydisDecodedOperand *operands, unsigned bits)
{
    for (size_t i = 0; i < instruction->operand_count_visible; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER && operands[i].size == bits &&
            !(i > 0 && is_shift(instruction)))
            return true;
    return false;
}

static bool is_plain_integer(const ZydisDecodedInstruction *instruction)
{
    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_STRINGOP:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_PREFETCH:
        return false;
    default:
        break;
    }
    return instruction->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
           instruction->meta.exception_class == ZYDIS_EXCEPTION_CLASS_NONE &&
           (instruction->meta.isa_ext == ZYDIS_ISA_EXT_BASE ||
            instruction->meta.isa_ext == ZYDIS_ISA_EXT_LONGMODE) &&
           instruction->mnemonic != ZYDIS_MNEMONIC_CMPXCHG16B &&
           instruction->mnemonic != ZYDIS_MNEMONIC_CMPXCHG8B &&
           instruction->mnemonic != ZYDIS_MNEMONIC_LEA;
}

/* The x87's letters differ: s, l and t for numbers with a fraction, s, l and ll for whole ones. */
static const char *x87_suffix(const ZydisDecodedOperand *memory)
{
    switch (memory->element_type) {
    case ZYDIS_ELEMENT_TYPE_FLOAT32:
        return "s";
    case ZYDIS_ELEMENT_TYPE_FLOAT64:
        return "l";
    case ZYDIS_ELEMENT_TYPE_FLOAT80:
        return "t";
    case ZYDIS_ELEMENT_TYPE_INT:
        return memory->size == 16 ? "s" : memory->size == 32 ? "l" : memory->size == 64 ? "ll" : "";
    default:
        return "";
    }
}

/* Conditions have two names each; objdump's are the ones with fewer negations. */
static const char *condition_suffix(ZydisInstructionCategory category, const char *name,
                                    size_t *ret_stem)
{
    static const char *const pairs[][2] = {{"nbe", "a"}, {"nle", "g"}, {"nb", "ae"},
                                           {"nl", "ge"}, {"nz", "ne"}, {"z", "e"}};
    size_t stem = category == ZYDIS_CATEGORY_COND_BR ? 1
                  : category == ZYDIS_CATEGORY_SETCC ? 3
                  : category == ZYDIS_CATEGORY_CMOV  ? 4
                                                     : 0;

    for (size_t i = 0; stem > 0 && i < INQ_ARRAY_SIZE(pairs); i++)
        if (strlen(name) > stem && !strcmp(name + stem, pairs[i][0])) {
            *ret_stem = stem;
            return pairs[i][1];
        }
    return NULL;
}

static void put_mnemonic(struct out *out, const ZydisDecodedInstruction *instruction,
                         const ZydisDecodedOperand *operands)
{
    const ZydisDecodedOperand *memory = visible_memory(instruction, operands);
    ZydisMnemonic mnemonic = instruction->mnemonic;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (names[i].mnemonic == mnemonic) {
            put(out, "%s", names[i].name);
            return;
        }
    if (mnemonic == ZYDIS_MNEMONIC_MOVZX || mnemonic == ZYDIS_MNEMONIC_MOVSX) {
        put(out, "%s%c%c", mnemonic == ZYDIS_MNEMONIC_MOVZX ? "movz" : "movs",
            size_letter(operands[1].size), size_letter(operands[0].size));
        return;
    }
    const char *name = ZydisMnemonicGetString(mnemonic);
    size_t stem = 0;
    const char *condition = condition_suffix(instruction->meta.category, name, &stem);
    if (condition)
        put(out, "%.*s%s", (int)stem, name, condition);
    else
        put(out, "%s", name);
    if (!memory)
        return;
    if (instruction->meta.isa_ext == ZYDIS_ISA_EXT_X87)
        put(out, "%s", x87_suffix(memory));
    else if (is_plain_integer(instruction) && size_letter(memory->size) &&
             !register_tells_size(instruction, operands, memory->size))
        put(out, "%c", size_letter(memory->size));
    else if (instruction->meta.category == ZYDIS_CATEGORY_CONVERT &&
             memory->element_type == ZYDIS_ELEMENT_TYPE_INT && memory->element_count == 1)
        put(out, "%c", size_letter(memory->size));
}

/* AVX-512: the mask register and zeroing behind the destination, {1to8} behind a repeated word. */
static void put_decorations(struct out *out, const ZydisDecodedInstruction *instruction,
                            const ZydisDecodedOperand *operand, bool destination)
{
    static const char *const broadcasts[] = {
        [ZYDIS_BROADCAST_MODE_1_TO_2] = "{1to2}",   [ZYDIS_BROADCAST_MODE_1_TO_4] = "{1to4}",
        [ZYDIS_BROADCAST_MODE_1_TO_8] = "{1to8}",   [ZYDIS_BROADCAST_MODE_1_TO_16] = "{1to16}",
        [ZYDIS_BROADCAST_MODE_1_TO_32] = "{1to32}",
    };
    if (instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
        return;
    if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && !instruction->avx.broadcast.is_static &&
        instruction->avx.broadcast.mode < INQ_ARRAY_SIZE(broadcasts) &&
        broadcasts[instruction->avx.broadcast.mode])
        put(out, "%s", broadcasts[instruction->avx.broadcast.mode]);
    if (!destination || instruction->avx.mask.reg == ZYDIS_REGISTER_NONE ||
        instruction->avx.mask.reg == ZYDIS_REGISTER_K0)
        return;
    put(out, "{%%%s}", ZydisRegisterGetString(instruction->avx.mask.reg));
    bool to_mask = operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
                   ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_MASK;
    if (instruction->avx.mask.mode == ZYDIS_MASK_MODE_ZEROING && !to_mask)
        put(out, "{z}");
}

static void put_immediate(struct out *out, const ZydisDecodedInstruction *instruction,
                          const ZydisDecodedOperand *operand, uint64_t address)
{
    uint64_t value = operand->imm.value.u;
    unsigned bits = operand->imm.is_signed ? instruction->operand_width : 64;

    if (operand->imm.is_relative) {
        uint64_t target = address + instruction->length + value;
        put(out, "0x%" PRIx64,
            instruction->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 ? target : (uint32_t)target);
        return;
    }
    if (bits > 0 && bits < 64)
        value &= (UINT64_C(1) << bits) - 1;
    put(out, "$0x%" PRIx64, value);
}

static void put_operand(struct out *out, const ZydisDecodedInstruction *instruction,
                        const ZydisDecodedOperand *operand, uint64_t address)
{
    bool branch = instruction->meta.category == ZYDIS_CATEGORY_CALL ||
                  instruction->meta.category == ZYDIS_CATEGORY_UNCOND_BR;

    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        if (operand->reg.value >= ZYDIS_REGISTER_ST0 && operand->reg.value <= ZYDIS_REGISTER_ST7)
            put(out, "%%st(%d)", operand->reg.value - ZYDIS_REGISTER_ST0);
        else
            put(out, "%s%%%s", branch ? "*" : "", ZydisRegisterGetString(operand->reg.value));
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        put(out, "%s", branch ? "*" : "");
        put_memory(out, &operand->mem, 0);
        break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        put_immediate(out, instruction, operand, address);
        break;
    default:
        put(out, "$0x%x,$0x%x", operand->ptr.segment, operand->ptr.offset);
    }
}

/*
 * movs, stos, lods, scas and cmps: their operands are implied, but gdb writes them out. False for
 * all others.
 */
static bool put_string_operation(struct out *out, const ZydisDecodedInstruction *instruction,
                                 const ZydisDecodedOperand *operands)
{
    static const char *const stems[] = {"movs", "cmps", "stos", "lods", "scas"};
    const ZydisDecodedOperand *memory[2] = {NULL, NULL}; /* through rdi, through rsi */
    const char *name = ZydisMnemonicGetString(instruction->mnemonic), *accumulator;
    size_t kind = 0;

    while (kind < INQ_ARRAY_SIZE(stems) && strncmp(name, stems[kind], 4) != 0)
        kind++;
    if (instruction->meta.category != ZYDIS_CATEGORY_STRINGOP || kind == INQ_ARRAY_SIZE(stems))
        return false;
    for (size_t i = 0; i < instruction->operand_count; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            memory[operands[i].mem.segment != ZYDIS_REGISTER_ES] = &operands[i];
    const ZydisDecodedOperand *any = memory[0] ? memory[0] : memory[1];
    if (!any || (kind < 2 && (!memory[0] || !memory[1])))
        return false;
    accumulator = any->size == 8    ? "%al"
                  : any->size == 16 ? "%ax"
                  : any->size == 32 ? "%eax"
                                    : "%rax";
    const char *from = ZydisRegisterGetString(memory[1] ? memory[1]->mem.base : ZYDIS_REGISTER_SI);
    const char *to = ZydisRegisterGetString(memory[0] ? memory[0]->mem.base : ZYDIS_REGISTER_DI);
    const char *segment =
        ZydisRegisterGetString(memory[1] ? memory[1]->mem.segment : ZYDIS_REGISTER_DS);
    if (kind == 0)
        put(out, "movs%c %%%s:(%%%s),%%es:(%%%s)", size_letter(any->size), segment, from, to);
    else if (kind == 1)
        put(out, "cmps%c %%es:(%%%s),%%%s:(%%%s)", size_letter(any->size), to, segment, from);
    else if (kind == 2)
        put(out, "stos %s,%%es:(%%%s)", accumulator, to);
    else if (kind == 3)
        put(out, "lods %%%s:(%%%s),%s", segment, from, accumulator);
    else
        put(out, "scas %%es:(%%%s),%s", to, accumulator);
    return true;
}

void inq_x86_text(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands,
                  uint64_t address, char *buf, size_t size)
{
    struct out out = {buf, size, 0};

    buf[0] = '\0';
    if (instruction->attributes & ZYDIS_ATTRIB_HAS_LOCK)
        put(&out, "lock ");
    if (instruction->attributes & ZYDIS_ATTRIB_HAS_REP)
        put(&out, "rep ");
    if (instruction->attributes & ZYDIS_ATTRIB_HAS_REPE)
        put(&out, "repz ");
    if (instruction->attributes & ZYDIS_ATTRIB_HAS_REPNE)
        put(&out, "repnz ");
    if (put_string_operation(&out, instruction, operands))
        return;
    put_mnemonic(&out, instruction, operands);
    size_t count = instruction->operand_count_visible;
    const char *separator = " ";
    for (size_t i = 0; i < count; i++) { /* AT&T: the target last, but for enter */
        size_t k = instruction->mnemonic == ZYDIS_MNEMONIC_ENTER ? i : count - 1 - i;
        if (operands[k].encoding == ZYDIS_OPERAND_ENCODING_MASK)
            continue; /* it is written behind the target */
        put(&out, "%s", separator);
        separator = ",";
        put_operand(&out, instruction, &operands[k], address);
        put_decorations(&out, instruction, &operands[k], k == 0);
    }
}

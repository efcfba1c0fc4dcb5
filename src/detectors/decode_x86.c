/* SPDX-License-Identifier: Apache-2.0 */

/*
 * x86 by Zydis. What Zydis leaves to its user and is done here: the bases of %fs and %gs, the place
 * that push and call really write (below the stack pointer; Zydis gives the stack pointer itself),
 * the address of `pop mem` through rsp (counted after the pop), bit offsets in registers (bts
 * %rax,mem), what a repeated string instruction has still before it, and operands that touch no
 * memory (nop, prefetch).
 */

#include <Zydis/Zydis.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "decode.h"
#include "x86_text.h"

/* Selectors of Linux: asm/segment.h of the kernel, GDT entries with privilege level 3. */
#define CS_64 0x33u
#define CS_32_ON_64 0x23u
#define CS_32 0x73u
#define DATA_ON_64 0x2bu
#define DATA_ON_32 0x7bu

/* XSAVE's area is as large as the CPU says; with the tiles of AMX 11 KB. */
#define XSAVE_MOST 16384u

struct x86 {
    const struct inq_decode_input *input;
    struct inq_instruction *out;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    bool long_registers; /* the dump's registers are 64 bits wide */
    bool long_mode;      /* and so was the code */
};

static uint64_t low_bits(uint64_t value, unsigned bits)
{
    return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

/* Bits 8 to 15 for %ah and its like; all other parts of a register begin at bit 0. */
static unsigned shift_of(ZydisRegister reg)
{
    return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH ? 8 : 0;
}

/* The value of a register as the instruction sees it; false for one that the dump does not hold. */
static bool use_register(const struct x86 *x, struct inq_operand *operand, ZydisRegister reg,
                         uint64_t *ret_value, const char **ret_name)
{
    ZydisMachineMode mode =
        x->long_registers ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32;
    const char *name = ZydisRegisterGetString(ZydisRegisterGetLargestEnclosing(mode, reg));
    uint64_t whole;

    if (!name || !inq_operand_use_register(operand, x->input, name, &whole, ret_name))
        return false;
    *ret_value = low_bits(whole >> shift_of(reg), ZydisRegisterGetWidth(mode, reg));
    return true;
}

static bool is_flat(uint64_t selector)
{
    uint64_t value = selector & 0xffff;
    return value == DATA_ON_64 || value == DATA_ON_32 || value == CS_32_ON_64 || value == CS_32;
}

/* The base of the segment an operand goes through; false when the dump does not tell it. */
static bool segment_base(const struct x86 *x, struct inq_operand *operand, ZydisRegister segment,
                         uint64_t *ret_base)
{
    const char *name = ZydisRegisterGetString(segment);
    bool own_base = segment == ZYDIS_REGISTER_FS || segment == ZYDIS_REGISTER_GS;
    uint64_t selector;
    struct inq_operand unused = {0};

    *ret_base = 0;
    if (x->long_registers && own_base) {
        const char *base = segment == ZYDIS_REGISTER_FS ? "fs_base" : "gs_base", *found;
        return inq_operand_use_register(operand, x->input, base, ret_base, &found);
    }
    if (x->long_mode || segment == ZYDIS_REGISTER_NONE)
        return true; /* the CPU takes no notice of the others */
    return name && inq_operand_use_register(&unused, x->input, name, &selector, &name) &&
           is_flat(selector);
}

/* bts %rax,mem and its like go as far from mem as the bit number says. */
static int64_t bit_offset(const struct x86 *x, const ZydisDecodedOperand *memory,
                          struct inq_operand *operand)
{
    const ZydisDecodedOperand *bit = &x->operands[1];
    const char *name;
    uint64_t value;

    if (x->instruction.meta.category != ZYDIS_CATEGORY_BITBYTE || memory != &x->operands[0] ||
        bit->type != ZYDIS_OPERAND_TYPE_REGISTER || memory->size < 16 ||
        !use_register(x, operand, bit->reg.value, &value, &name))
        return 0;
    int64_t number = memory->size == 64   ? (int64_t)value
                     : memory->size == 32 ? (int32_t)value
                                          : (int16_t)value;
    int64_t words = number / memory->size - (number % memory->size < 0);
    return words * (memory->size / 8);
}

static bool is_hidden(const ZydisDecodedOperand *operand)
{
    return operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
}

/* What an implicit stack operand or `pop mem` is away from the address Zydis gives. */
static int64_t stack_offset(const struct x86 *x, const ZydisDecodedOperand *memory)
{
    if (memory->mem.base != (x->long_mode ? ZYDIS_REGISTER_RSP : ZYDIS_REGISTER_ESP))
        return 0;
    if (is_hidden(memory) && (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        return -(int64_t)(memory->size / 8);
    if (!is_hidden(memory) && x->instruction.mnemonic == ZYDIS_MNEMONIC_POP)
        return memory->size / 8;
    return 0;
}

/* Adds base, index and displacement up; false when a part of it is not in the dump. */
static bool add_up(const struct x86 *x, const ZydisDecodedOperand *memory, int64_t extra,
                   struct inq_operand *operand)
{
    const ZydisDecodedOperandMem *mem = &memory->mem;
    uint64_t sum = (uint64_t)(mem->disp.has_displacement ? mem->disp.value : 0) + (uint64_t)extra;
    uint64_t base = 0;

    if (mem->type == ZYDIS_MEMOP_TYPE_VSIB)
        operand->unknown = "the index is a vector register";
    if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP) {
        sum += x->input->address + x->instruction.length;
    } else if (mem->base != ZYDIS_REGISTER_NONE) {
        if (!use_register(x, operand, mem->base, &operand->base_value, &operand->base))
            return false;
        sum += operand->base_value;
    }
    if (mem->index != ZYDIS_REGISTER_NONE && mem->type != ZYDIS_MEMOP_TYPE_VSIB) {
        if (!use_register(x, operand, mem->index, &operand->index_value, &operand->index))
            return false;
        sum += operand->index_value * (mem->scale ? mem->scale : 1);
    }
    if (!segment_base(x, operand, mem->segment, &base)) {
        operand->unknown = "the base of the segment is not in the dump";
        return false;
    }
    sum = low_bits(sum, x->instruction.address_width) + base;
    operand->address = x->long_mode ? sum : low_bits(sum, 32);
    return operand->unknown == NULL;
}

/* The rest of what `rep movs` and its like will touch. */
static void set_span(const struct x86 *x, struct inq_operand *operand)
{
    static const char *const names[] = {"rcx", "ecx"}, *const flags = "eflags";
    struct inq_operand unused = {0};
    const char *name;
    uint64_t count, eflags, bytes;

    if (!(x->instruction.attributes &
          (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) ||
        !operand->has_address || operand->size == 0 ||
        !inq_operand_use_register(&unused, x->input, names[!x->long_registers], &count, &name) ||
        !inq_operand_use_register(&unused, x->input, flags, &eflags, &name))
        return;
    count = low_bits(count, x->instruction.address_width);
    if (count == 0 || __builtin_mul_overflow(count, operand->size, &bytes))
        return;
    operand->low = eflags & 0x400 ? operand->address + operand->size - bytes : operand->address;
    operand->span = bytes;
}

static bool needs_16_by_name(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CMPXCHG16B:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
        return true;
    default:
        return false;
    }
}

/* SSE with 16 bytes of memory that need not be aligned, of those whose class says otherwise. */
static bool is_unaligned_sse(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
        return true;
    default:
        return false;
    }
}

/*
 * Intel SDM, volume 2, 2.4 "AVX and SSE instruction exception classification" and 2.7 for EVEX:
 * class 1 is aligned whatever the encoding; classes 2 and 4 want 16 bytes aligned in their SSE
 * encoding.
 */
static uint32_t alignment_of(const ZydisDecodedInstruction *instruction,
                             const ZydisDecodedOperand *memory)
{
    uint32_t bytes = memory->size / 8u;

    if (needs_16_by_name(instruction->mnemonic))
        return 16;
    if (instruction->meta.category == ZYDIS_CATEGORY_XSAVE ||
        instruction->meta.category == ZYDIS_CATEGORY_XSAVEOPT)
        return 64;
    if (bytes != 16 && bytes != 32 && bytes != 64)
        return 1;
    switch (instruction->meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_SSE1:
    case ZYDIS_EXCEPTION_CLASS_AVX1:
    case ZYDIS_EXCEPTION_CLASS_E1:
    case ZYDIS_EXCEPTION_CLASS_E1NF:
        return bytes;
    case ZYDIS_EXCEPTION_CLASS_SSE2:
    case ZYDIS_EXCEPTION_CLASS_SSE4:
        return bytes == 16 && !is_unaligned_sse(instruction->mnemonic) ? 16 : 1;
    default:
        return 1;
    }
}

static unsigned use_of(const ZydisDecodedOperand *memory)
{
    unsigned use = 0;

    if (memory->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        use |= INQ_READS;
    if (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        use |= INQ_WRITES;
    return use;
}

static void add_memory(struct x86 *x, const ZydisDecodedOperand *memory)
{
    int64_t moved = stack_offset(x, memory);
    struct inq_operand *operand = inq_instruction_add(x->out, use_of(memory), memory->size / 8u);

    if (!operand)
        return;
    inq_x86_operand_text(memory, is_hidden(memory) ? moved : 0, operand->text,
                         sizeof(operand->text));
    if (x->instruction.meta.category == ZYDIS_CATEGORY_XSAVE ||
        x->instruction.meta.category == ZYDIS_CATEGORY_XSAVEOPT) {
        operand->size = 0;
        operand->reach = XSAVE_MOST;
    }
    operand->alignment = alignment_of(&x->instruction, memory);
    operand->on_stack = memory->mem.segment == ZYDIS_REGISTER_SS;
    operand->has_address = add_up(x, memory, moved + bit_offset(x, memory, operand), operand);
    if (x->instruction.meta.isa_ext == ZYDIS_ISA_EXT_AMX_TILE && memory->size == 0) {
        operand->has_address = false; /* rows far apart */
        operand->unknown = "a tile is many places in memory";
    }
    if (!operand->has_address && !operand->unknown)
        operand->unknown = "a register of the operand is not in the dump";
    set_span(x, operand);
}

static bool touches_nothing(const ZydisDecodedInstruction *instruction)
{
    return instruction->meta.category == ZYDIS_CATEGORY_NOP ||
           instruction->meta.category == ZYDIS_CATEGORY_WIDENOP ||
           instruction->meta.category == ZYDIS_CATEGORY_PREFETCH ||
           instruction->mnemonic == ZYDIS_MNEMONIC_CLDEMOTE;
}

static void add_operands(struct x86 *x)
{
    if (touches_nothing(&x->instruction))
        return;
    for (size_t pass = 0; pass < 2; pass++) /* what is read is read before anything is written */
        for (size_t i = 0; i < x->instruction.operand_count; i++) {
            const ZydisDecodedOperand *operand = &x->operands[i];
            bool memory = operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
                          (operand->mem.type == ZYDIS_MEMOP_TYPE_MEM ||
                           operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB);
            bool reads = use_of(operand) & INQ_READS;
            if (memory && use_of(operand) != 0 && reads == (pass == 0))
                add_memory(x, operand);
        }
}

/* A register that counts as an operand, in front of those in memory; false when it is not known. */
static bool add_register(struct x86 *x, ZydisRegister reg, uint64_t *ret_value)
{
    struct inq_operand operand = {.alignment = 1, .reach = 1, .unknown = "it is a register"};
    const char *name;

    if (!use_register(x, &operand, reg, ret_value, &name))
        return false;
    snprintf(operand.text, sizeof(operand.text), "%%%s", ZydisRegisterGetString(reg));
    if (x->out->n_operands == INQ_MAX_OPERANDS)
        x->out->n_operands--;
    memmove(&x->out->operands[1], &x->out->operands[0],
            x->out->n_operands * sizeof(x->out->operands[0]));
    x->out->operands[0] = operand;
    x->out->n_operands++;
    return true;
}

/* Near calls and jumps through a register or memory, and returns. Far ones load a segment too. */
static void set_branch(struct x86 *x)
{
    const ZydisDecodedOperand *first = &x->operands[0];
    ZydisMnemonic mnemonic = x->instruction.mnemonic;
    bool jumps = mnemonic == ZYDIS_MNEMONIC_CALL || mnemonic == ZYDIS_MNEMONIC_JMP;
    bool memory =
        mnemonic == ZYDIS_MNEMONIC_RET || (jumps && first->type == ZYDIS_OPERAND_TYPE_MEMORY);

    if (x->instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return;
    x->out->returns = mnemonic == ZYDIS_MNEMONIC_RET;
    if (memory && x->out->n_operands > 0)
        x->out->branch = INQ_BRANCH_MEMORY;
    else if (jumps && first->type == ZYDIS_OPERAND_TYPE_REGISTER &&
             add_register(x, first->reg.value, &x->out->target))
        x->out->branch = INQ_BRANCH_REGISTER;
}

static void set_division(struct x86 *x)
{
    const ZydisDecodedOperand *divisor = &x->operands[0];

    if (x->instruction.mnemonic != ZYDIS_MNEMONIC_DIV &&
        x->instruction.mnemonic != ZYDIS_MNEMONIC_IDIV)
        return;
    if (divisor->type == ZYDIS_OPERAND_TYPE_MEMORY)
        x->out->divides = x->out->n_operands > 0;
    else if (divisor->type == ZYDIS_OPERAND_TYPE_REGISTER)
        x->out->divides = x->out->divisor_known =
            add_register(x, divisor->reg.value, &x->out->divisor);
}

/* Ring 0 alone, or with I/O privilege, which no ordinary program has; or a gate that is not open.
 */
static bool is_privileged(const struct x86 *x)
{
    switch (x->instruction.mnemonic) {
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
        return true;
    case ZYDIS_MNEMONIC_INT:
        return x->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
               x->operands[0].imm.value.u != 3 && x->operands[0].imm.value.u != 4 &&
               x->operands[0].imm.value.u != 0x80;
    default:
        return x->instruction.meta.category == ZYDIS_CATEGORY_IOSTRINGOP ||
               (x->instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED);
    }
}

/* The mode the code ran in; false when the dump's registers do not fit it. */
static bool machine_mode(struct x86 *x, ZydisMachineMode *ret_mode)
{
    struct inq_operand unused = {0};
    const char *name;
    uint64_t cs = 0;
    bool has_cs = inq_operand_use_register(&unused, x->input, "cs", &cs, &name);

    cs &= 0xffff;
    x->long_registers = x->input->core->machine == EM_X86_64; /* x32 too: it runs 64-bit code */
    if (!x->long_registers && has_cs && cs == CS_64)
        return false; /* a 32-bit process that jumped into 64-bit code: half of its registers */
    x->long_mode = x->long_registers && !(has_cs && cs == CS_32_ON_64);
    *ret_mode = x->long_mode ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32;
    return true;
}

static enum inq_decoded decode(struct x86 *x)
{
    const struct inq_decode_input *input = x->input;
    ZydisMachineMode mode;
    ZydisDecoder decoder;
    size_t size = input->size < INQ_MAX_INSTRUCTION_BYTES ? input->size : INQ_MAX_INSTRUCTION_BYTES;

    if (!machine_mode(x, &mode))
        return INQ_DECODED_MODE;
    if (ZYAN_FAILED(ZydisDecoderInit(&decoder, mode,
                                     x->long_mode ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32)))
        return INQ_DECODED_UNKNOWN;
    ZyanStatus status = size == 0 ? ZYDIS_STATUS_NO_MORE_DATA
                                  : ZydisDecoderDecodeFull(&decoder, input->bytes, size,
                                                           &x->instruction, x->operands);
    if (status == ZYDIS_STATUS_NO_MORE_DATA && size < INQ_MAX_INSTRUCTION_BYTES)
        return INQ_DECODED_CUT;
    return ZYAN_SUCCESS(status) ? INQ_DECODED : INQ_DECODED_UNKNOWN;
}

enum inq_decoded inq_decode_x86(const struct inq_decode_input *input,
                                struct inq_instruction *ret_instruction)
{
    struct inq_instruction out = {.address = input->address};
    struct x86 x = {.input = input, .out = &out};
    enum inq_decoded decoded = decode(&x);

    if (decoded != INQ_DECODED)
        return decoded;
    out.size = x.instruction.length;
    memcpy(out.bytes, input->bytes, out.size);
    inq_x86_text(&x.instruction, x.operands, input->address, out.text, sizeof(out.text));
    if (x.instruction.meta.isa_ext != ZYDIS_ISA_EXT_BASE &&
        x.instruction.meta.isa_ext != ZYDIS_ISA_EXT_LONGMODE)
        out.isa = ZydisISASetGetString(x.instruction.meta.isa_set);
    out.privileged = is_privileged(&x);
    out.undefined = x.instruction.mnemonic == ZYDIS_MNEMONIC_UD0 ||
                    x.instruction.mnemonic == ZYDIS_MNEMONIC_UD1 ||
                    x.instruction.mnemonic == ZYDIS_MNEMONIC_UD2;
    out.breakpoint =
        x.instruction.mnemonic == ZYDIS_MNEMONIC_INT3 ||
        x.instruction.mnemonic == ZYDIS_MNEMONIC_INT1 ||
        (x.instruction.mnemonic == ZYDIS_MNEMONIC_INT && x.operands[0].imm.value.u == 3);
    out.is_x87 = x.instruction.meta.isa_ext == ZYDIS_ISA_EXT_X87;
    out.is_vector = x.instruction.meta.exception_class != ZYDIS_EXCEPTION_CLASS_NONE;
    add_operands(&x);
    set_branch(&x);
    set_division(&x);
    *ret_instruction = out;
    return INQ_DECODED;
}

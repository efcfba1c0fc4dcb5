/* SPDX-License-Identifier: Apache-2.0 */
#include "code_probe.h"

#include <elf.h>

#define MOST_STEPS 12u
#define MOST_INSTRUCTIONS 2048u

bool inq_code_at(const struct inq_dump *dump, uint64_t addr, struct inq_opcode *ret_code)
{
    uint8_t bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
    ZydisDecoder decoder;
    size_t got = 0;

    if (dump->core->machine != EM_X86_64 || dump->core->elf_class != 64)
        return false;
    inq_memory_read(dump->memory, addr, bytes, sizeof(bytes), &got);
    if (got == 0 ||
        ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
        ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, got, &ret_code->instruction,
                                           ret_code->operands)))
        return false;
    ret_code->addr = addr;
    return !__builtin_add_overflow(addr, ret_code->instruction.length, &ret_code->next);
}

bool inq_code_rip_operand(const struct inq_opcode *code, size_t i, uint64_t *ret_addr)
{
    const ZydisDecodedOperand *operand = &code->operands[i];

    if (i >= code->instruction.operand_count_visible ||
        operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.base != ZYDIS_REGISTER_RIP ||
        operand->mem.index != ZYDIS_REGISTER_NONE)
        return false;
    *ret_addr = code->next + (uint64_t)operand->mem.disp.value;
    return true;
}

static bool is_register(const ZydisDecodedOperand *operand, ZydisRegister reg)
{
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == reg;
}

static ZydisRegister whole(ZydisRegister reg)
{
    return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

/* ---- functions that hand something out ------------------------------------------------------- */

struct state { /* of the two registers that such functions use */
    bool has_rax, has_rdi;
    uint64_t rax, rdi;
};

static bool *slot_of(struct state *state, ZydisRegister reg, uint64_t **ret_value)
{
    if (reg == ZYDIS_REGISTER_RAX) {
        *ret_value = &state->rax;
        return &state->has_rax;
    }
    *ret_value = &state->rdi;
    return reg == ZYDIS_REGISTER_RDI ? &state->has_rdi : NULL;
}

static bool address_of(const struct inq_opcode *code, struct state *state, size_t i,
                       uint64_t *ret_addr)
{
    const ZydisDecodedOperand *operand = &code->operands[i];
    uint64_t *base;

    if (inq_code_rip_operand(code, i, ret_addr))
        return true;
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.index != ZYDIS_REGISTER_NONE ||
        operand->mem.segment == ZYDIS_REGISTER_FS || operand->mem.segment == ZYDIS_REGISTER_GS)
        return false;
    bool *known = slot_of(state, operand->mem.base, &base);
    if (!known || !*known)
        return false;
    *ret_addr = *base + (uint64_t)operand->mem.disp.value;
    return true;
}

/* mov, lea, add, sub into one of the two registers; false for anything else. */
static bool compute(const struct inq_dump *dump, const struct inq_opcode *code, struct state *state)
{
    const ZydisDecodedOperand *to = &code->operands[0], *from = &code->operands[1];
    uint64_t *target, *source, addr;

    if (code->instruction.operand_count_visible < 2 || to->type != ZYDIS_OPERAND_TYPE_REGISTER)
        return false;
    bool *known = slot_of(state, to->reg.value, &target);
    if (!known)
        return false;
    switch (code->instruction.mnemonic) {
    case ZYDIS_MNEMONIC_LEA:
        *known = address_of(code, state, 1, target);
        return *known;
    case ZYDIS_MNEMONIC_MOV:
        if (from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            const bool *has = slot_of(state, from->reg.value, &source);
            if (!has || !*has)
                return false;
            *target = *source;
        } else if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            *target = from->imm.value.u;
        } else if (!address_of(code, state, 1, &addr) ||
                   !inq_memory_u64(dump->memory, addr, target)) {
            return false;
        }
        *known = true;
        return true;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        if (!*known || from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        *target += code->instruction.mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.u
                                                                    : -from->imm.value.u;
        return true;
    default:
        return false;
    }
}

bool inq_code_returns(const struct inq_dump *dump, uint64_t addr, uint64_t argument,
                      uint64_t *ret_value)
{
    struct state state = {.has_rdi = true, .rdi = argument};
    struct inq_opcode code;

    for (unsigned step = 0; step < MOST_STEPS; step++) {
        if (!inq_code_at(dump, addr, &code))
            return false;
        addr = code.next;
        switch (code.instruction.mnemonic) {
        case ZYDIS_MNEMONIC_ENDBR64:
        case ZYDIS_MNEMONIC_NOP:
            break;
        case ZYDIS_MNEMONIC_JMP:
            if (code.operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
                return false;
            addr = code.next + code.operands[0].imm.value.u;
            break;
        case ZYDIS_MNEMONIC_RET:
            *ret_value = state.rax;
            return state.has_rax;
        default:
            if (!compute(dump, &code, &state))
                return false;
        }
    }
    return false;
}

/* ---- the first argument of a function ----------------------------------------------------------
 */

static bool survives_calls(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_RBX || reg == ZYDIS_REGISTER_RBP ||
           (reg >= ZYDIS_REGISTER_R12 && reg <= ZYDIS_REGISTER_R15);
}

static bool writes_register(const struct inq_opcode *code, ZydisRegister reg)
{
    for (size_t i = 0; i < code->instruction.operand_count; i++) {
        const ZydisDecodedOperand *operand = &code->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
            whole(operand->reg.value) == reg)
            return true;
    }
    return false;
}

static bool writes_stack_at(const struct inq_opcode *code, int64_t disp)
{
    for (size_t i = 0; i < code->instruction.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &code->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
            operand->mem.base == ZYDIS_REGISTER_RSP && operand->mem.disp.value == disp)
            return true;
    }
    return false;
}

/* How far the entry's stack pointer is above the one after this instruction. */
static bool follow_sp(const struct inq_opcode *code, int64_t *depth)
{
    const ZydisDecodedOperand *from = &code->operands[1];

    if (code->instruction.mnemonic == ZYDIS_MNEMONIC_PUSH) {
        *depth += 8;
        return true;
    }
    if (!writes_register(code, ZYDIS_REGISTER_RSP))
        return true;
    if (code->instruction.mnemonic != ZYDIS_MNEMONIC_SUB ||
        from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return false;
    *depth += from->imm.value.s;
    return true;
}

static bool is_copy(const struct inq_opcode *code)
{
    return code->instruction.mnemonic == ZYDIS_MNEMONIC_MOV &&
           (is_register(&code->operands[1], ZYDIS_REGISTER_EDI) ||
            is_register(&code->operands[1], ZYDIS_REGISTER_RDI));
}

/* The entry: up to the first copy of the argument. *ret_next: what follows it. */
static bool find_copy(const struct inq_dump *dump, uint64_t start, uint64_t end,
                      struct inq_kept_argument *ret_kept, int64_t *ret_disp, uint64_t *ret_next)
{
    int64_t depth = 0;
    struct inq_opcode code;

    for (uint64_t at = start; at < end; at = code.next) {
        if (!inq_code_at(dump, at, &code) ||
            code.instruction.meta.category == ZYDIS_CATEGORY_CALL ||
            code.instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
            writes_register(&code, ZYDIS_REGISTER_RDI) || !follow_sp(&code, &depth))
            return false;
        if (!is_copy(&code))
            continue;
        const ZydisDecodedOperand *to = &code.operands[0];
        *ret_next = code.next;
        if (to->type == ZYDIS_OPERAND_TYPE_REGISTER && survives_calls(whole(to->reg.value))) {
            *ret_kept =
                (struct inq_kept_argument){.in_register = true, .reg = whole(to->reg.value)};
            return true;
        }
        if (to->type == ZYDIS_OPERAND_TYPE_MEMORY && to->mem.base == ZYDIS_REGISTER_RSP &&
            to->mem.index == ZYDIS_REGISTER_NONE) {
            *ret_disp = to->mem.disp.value;
            *ret_kept = (struct inq_kept_argument){.offset = *ret_disp - depth};
            /* a slot is known by its distance only once the frame is complete */
            return depth > 0;
        }
    }
    return false;
}

bool inq_code_keeps_argument(const struct inq_dump *dump, uint64_t start, uint64_t end,
                             struct inq_kept_argument *ret_kept)
{
    struct inq_kept_argument kept;
    int64_t disp = 0;
    uint64_t at;
    struct inq_opcode code;

    if (!find_copy(dump, start, end, &kept, &disp, &at))
        return false;
    for (unsigned i = 0; at < end; at = code.next, i++) {
        if (i >= MOST_INSTRUCTIONS || !inq_code_at(dump, at, &code))
            return false;
        if (code.instruction.mnemonic == ZYDIS_MNEMONIC_POP) /* the caller's, at the end */
            continue;
        if (kept.in_register ? writes_register(&code, kept.reg) : writes_stack_at(&code, disp))
            return false;
    }
    *ret_kept = kept;
    return true;
}

bool inq_code_passes_argument(const struct inq_dump *dump, uint64_t start, uint64_t call_end)
{
    struct inq_opcode code;

    for (uint64_t at = start; at < call_end; at = code.next) {
        if (!inq_code_at(dump, at, &code) || writes_register(&code, ZYDIS_REGISTER_RDI))
            return false;
        if (code.next == call_end)
            return code.instruction.meta.category == ZYDIS_CATEGORY_CALL;
        if (code.instruction.meta.category == ZYDIS_CATEGORY_CALL)
            return false;
    }
    return false;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

bool inq_code_calls(const struct inq_dump *dump, uint64_t addr, uint64_t function)
{
    static const uint8_t lengths[] = {5, 6, 7}; /* call rel32; call *slot(%rip), with a prefix */
    struct inq_opcode code;
    uint64_t slot, target;

    for (size_t i = 0; i < sizeof(lengths); i++) {
        if (!inq_code_at(dump, addr - lengths[i], &code) || code.next != addr ||
            code.instruction.meta.category != ZYDIS_CATEGORY_CALL)
            continue;
        if (inq_code_rip_operand(&code, 0, &slot))
            return inq_memory_u64(dump->memory, slot, &target) && target == function;
        if (code.operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        target = code.next + code.operands[0].imm.value.u;
        if (target == function)
            return true;
        if (inq_code_at(dump, target, &code) && code.instruction.mnemonic == ZYDIS_MNEMONIC_ENDBR64)
            inq_code_at(dump, code.next, &code);
        return code.instruction.mnemonic == ZYDIS_MNEMONIC_JMP &&
               inq_code_rip_operand(&code, 0, &slot) &&
               inq_memory_u64(dump->memory, slot, &target) && target == function;
    }
    return false;
}

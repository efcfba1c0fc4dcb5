/* SPDX-License-Identifier: Apache-2.0 */
#include "code_window.h"

#include <stdlib.h>

#include "array.h"
#include "cleanup.h"

#define MOST_CODE 65536u /* bytes of a function */
#define MOST_PUSHED 4096u

/* psABI, figure 3.4: what a function need not preserve; rax, rcx, rdx, rsi, rdi, r8 to r11. */
#define CLOBBERED 0x0fc7u

static unsigned number_of(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15
               ? (unsigned)(whole - ZYDIS_REGISTER_RAX)
               : 31;
}

static struct inq_code_step step_of(const struct inq_opcode *code)
{
    const ZydisInstructionCategory category = code->instruction.meta.category;
    struct inq_code_step step = {.addr = code->addr, .next = code->next};

    step.pushes = code->instruction.mnemonic == ZYDIS_MNEMONIC_PUSH;
    step.jumps = category == ZYDIS_CATEGORY_UNCOND_BR || category == ZYDIS_CATEGORY_RET;
    step.calls = category == ZYDIS_CATEGORY_CALL;
    if (step.calls)
        step.writes = CLOBBERED;
    for (size_t i = 0; i < code->instruction.operand_count; i++) {
        const ZydisDecodedOperand *operand = &code->operands[i];
        if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            continue;
        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER && number_of(operand->reg.value) < 16)
            step.writes |= 1u << number_of(operand->reg.value);
        step.stores |= operand->type == ZYDIS_OPERAND_TYPE_MEMORY && !step.pushes && !step.calls;
    }
    return step;
}

/* A jump inside of the function, or one that nobody knows the target of. */
static bool note_branch(struct inq_code_window *window, const struct inq_opcode *code)
{
    uint64_t slot;

    if (code->instruction.meta.category != ZYDIS_CATEGORY_COND_BR &&
        code->instruction.meta.category != ZYDIS_CATEGORY_UNCOND_BR)
        return true;
    if (code->operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        window->jumps_about |= !inq_code_rip_operand(code, 0, &slot); /* a call at the end */
        return true;
    }
    if (!inq_array_grow((void **)&window->branches, window->n_branches, &window->branch_capacity,
                        sizeof(*window->branches)))
        return false;
    window->branches[window->n_branches++] = (struct inq_code_branch){
        .from = code->addr, .to = code->next + code->operands[0].imm.value.u};
    return true;
}

static bool is_frame_pointer(const struct inq_opcode *code)
{
    return code->instruction.mnemonic == ZYDIS_MNEMONIC_MOV &&
           code->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           code->operands[0].reg.value == ZYDIS_REGISTER_RBP &&
           code->operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           code->operands[1].reg.value == ZYDIS_REGISTER_RSP;
}

bool inq_code_window_read(const struct inq_dump *dump, uint64_t start, uint64_t call_end,
                          uint64_t end, struct inq_code_window *ret_window)
{
    struct inq_code_window *window = ret_window;
    struct inq_opcode code;
    bool met = false;

    if (call_end <= start || end < call_end || end - start > MOST_CODE)
        return false;
    for (uint64_t at = start; at < end; at = code.next) {
        if (!inq_code_at(dump, at, &code) || !note_branch(window, &code))
            return false;
        if (at >= call_end)
            continue;
        if (!inq_array_grow((void **)&window->items, window->count, &window->capacity,
                            sizeof(*window->items)))
            return false;
        window->items[window->count++] = step_of(&code);
        window->rbp_is_frame |= is_frame_pointer(&code);
        met |= code.next == call_end && code.instruction.meta.category == ZYDIS_CATEGORY_CALL;
    }
    return met;
}

void inq_code_window_release(struct inq_code_window *window)
{
    free(window->items);
    free(window->branches);
    *window = (struct inq_code_window){0};
}

/* ---- registers ------------------------------------------------------------------------------- */

bool inq_code_window_writes(const struct inq_code_window *window, size_t from, ZydisRegister reg)
{
    for (size_t i = from; i + 1 < window->count; i++)
        if (window->items[i].writes >> number_of(reg) & 1)
            return true;
    return false;
}

bool inq_code_window_writer(const struct inq_code_window *window, size_t before, ZydisRegister reg,
                            size_t *ret_place)
{
    while (before-- > 0)
        if (window->items[before].writes >> number_of(reg) & 1) {
            *ret_place = before;
            return true;
        }
    return false;
}

bool inq_code_preserved(const struct inq_registers *registers, ZydisRegister reg,
                        uint64_t *ret_value)
{
    static const ZydisRegister preserved[] = {
        ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RBP, ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_R12,
        ZYDIS_REGISTER_R13, ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15};
    static const uint8_t dwarf[] = {INQ_RBX, INQ_RBP, INQ_RSP, INQ_R12, INQ_R13, INQ_R14, INQ_R15};

    for (size_t i = 0; i < sizeof(dwarf); i++)
        if (preserved[i] == reg && inq_register_known(registers, dwarf[i])) {
            *ret_value = registers->value[dwarf[i]];
            return true;
        }
    return false;
}

/* ---- ways ------------------------------------------------------------------------------------ */

bool inq_code_window_is_straight(const struct inq_code_window *window, size_t from,
                                 const char **ret_why)
{
    const bool entry = from == SIZE_MAX;
    const uint64_t call = window->items[window->count - 1].addr;
    const uint64_t first = window->items[entry ? 0 : from].addr;

    *ret_why = "its caller jumps by a table, so that the way to the call is not known";
    if (window->jumps_about)
        return false;
    *ret_why = "more than one way leads to the call";
    for (size_t i = 0; i < window->n_branches; i++) {
        const struct inq_code_branch *branch = &window->branches[i];
        bool into = branch->to <= call && (entry ? branch->to >= first : branch->to > first);
        if (into && (branch->from < first || branch->from >= call))
            return false;
    }
    for (size_t i = from; !entry && i < window->count; i++)
        if (window->items[i].jumps)
            return false;
    return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static const ZydisDecodedOperand *stored(const struct inq_opcode *code)
{
    for (size_t i = 0; i < code->instruction.operand_count; i++)
        if (code->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (code->operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            return &code->operands[i];
    return NULL;
}

/* Where an instruction writes to; false when that is not certain. */
static bool store_range(const struct inq_dump *dump, const struct inq_code_window *window,
                        size_t place, const struct inq_registers *registers, uint64_t *ret_addr,
                        uint64_t *ret_size)
{
    struct inq_opcode code;
    uint64_t base;

    if (!inq_code_at(dump, window->items[place].addr, &code))
        return false;
    const ZydisDecodedOperand *to = stored(&code);
    if (!to || to->size == 0 || to->mem.index != ZYDIS_REGISTER_NONE ||
        to->mem.segment == ZYDIS_REGISTER_FS || to->mem.segment == ZYDIS_REGISTER_GS ||
        (code.instruction.attributes &
         (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)))
        return false;
    *ret_size = (to->size + 7u) / 8u;
    if (to->mem.base == ZYDIS_REGISTER_RIP) {
        *ret_addr = code.next + (uint64_t)to->mem.disp.value;
        return true;
    }
    if (inq_code_window_writes(window, place, to->mem.base) ||
        !inq_code_preserved(registers, to->mem.base, &base))
        return false;
    *ret_addr = base + (uint64_t)to->mem.disp.value;
    return true;
}

bool inq_code_window_keeps(const struct inq_dump *dump, const struct inq_code_window *window,
                           uint64_t since, uint64_t addr, unsigned size,
                           const struct inq_registers *registers)
{
    uint64_t sp = 0, to, bytes;
    bool has_sp = inq_code_preserved(registers, ZYDIS_REGISTER_RSP, &sp);

    for (size_t i = 0; i + 1 < window->count; i++) {
        const struct inq_code_step *step = &window->items[i];
        if (step->addr < since)
            continue;
        if (step->pushes && (!has_sp || addr - sp < MOST_PUSHED))
            return false;
        if (!step->stores)
            continue;
        if (!store_range(dump, window, i, registers, &to, &bytes) || to - addr < size ||
            addr - to < bytes)
            return false;
    }
    return true;
}

static bool is_own_frame(const struct inq_dump *dump, const struct inq_code_window *window,
                         size_t place)
{
    struct inq_opcode code;

    if (!inq_code_at(dump, window->items[place].addr, &code))
        return false;
    const ZydisDecodedOperand *to = stored(&code);
    return to && to->mem.index == ZYDIS_REGISTER_NONE &&
           (to->mem.base == ZYDIS_REGISTER_RSP ||
            (to->mem.base == ZYDIS_REGISTER_RBP && window->rbp_is_frame));
}

bool inq_code_window_stores(const struct inq_dump *dump, const struct inq_code_window *window,
                            uint64_t since, const struct inq_registers *registers,
                            struct inq_code_stores *stores)
{
    uint64_t addr, size;

    for (size_t i = 0; i + 1 < window->count; i++) {
        const struct inq_code_step *step = &window->items[i];
        if (step->addr >= since && step->calls)
            return false; /* a call, which may write to anything */
        if (!step->stores || step->addr < since || is_own_frame(dump, window, i))
            continue;
        if (!store_range(dump, window, i, registers, &addr, &size))
            return false;
        if (!stores)
            continue;
        if (stores->count >= INQ_MOST_STORES)
            return false;
        stores->items[stores->count].addr = addr;
        stores->items[stores->count++].size = size;
    }
    return true;
}

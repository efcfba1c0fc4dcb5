/* SPDX-License-Identifier: Apache-2.0 */
#include "call_argument.h"

#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "code_probe.h"
#include "code_window.h"
#include "engine.h"
#include "frame_registers.h"
#include "frame_search.h"

#define MOST_HOPS 6u
#define MOST_STEPS INQ_MOST_ARGUMENT_LOADS /* additions and loads that lead to the value */
#define MOST_FRAMES 8u                     /* that hand their argument on */

/* ---- where a call leads ---------------------------------------------------------------------- */

/* The call that ends at `end`: its target, or false for one through a register. */
static bool call_target(const struct inq_dump *dump, uint64_t end, uint64_t *ret_target)
{
    static const uint8_t lengths[] = {5, 6, 7};
    struct inq_opcode code;
    uint64_t slot;

    for (size_t i = 0; i < sizeof(lengths); i++) {
        if (end < lengths[i] || !inq_code_at(dump, end - lengths[i], &code) || code.next != end ||
            code.instruction.meta.category != ZYDIS_CATEGORY_CALL)
            continue;
        if (inq_code_rip_operand(&code, 0, &slot))
            return inq_memory_u64(dump->memory, slot, ret_target);
        if (code.operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        *ret_target = code.next + code.operands[0].imm.value.u;
        return true;
    }
    return false;
}

/* Where a function that does nothing but jump leads; false for others. */
static bool jumps_on(const struct inq_dump *dump, uint64_t addr, uint64_t *ret_target)
{
    struct inq_opcode code;
    uint64_t slot;

    for (unsigned i = 0; i < 3; i++, addr = code.next) {
        if (!inq_code_at(dump, addr, &code))
            return false;
        if (code.instruction.mnemonic == ZYDIS_MNEMONIC_JMP) {
            if (inq_code_rip_operand(&code, 0, &slot))
                return inq_memory_u64(dump->memory, slot, ret_target);
            *ret_target = code.next + code.operands[0].imm.value.u;
            return code.operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
        }
        if (code.instruction.mnemonic != ZYDIS_MNEMONIC_ENDBR64 &&
            code.instruction.mnemonic != ZYDIS_MNEMONIC_NOP)
            return false;
    }
    return false;
}

static const char *find_name(const char *const *names, const char *name)
{
    for (; name && *names; names++)
        if (!strcmp(*names, name))
            return *names;
    return NULL;
}

/* The inner frame of a call through a register: what it runs is what was called. */
static const char *callee_name(const struct inq_stack *stack, size_t at, const char *const *names)
{
    while (at-- > 0)
        if (!stack->frames[at].inlined)
            return find_name(names, stack->frames[at].function);
    return NULL;
}

size_t inq_call_find(struct inq_dump *dump, const struct inq_stack *stack, const char *const *names,
                     const char **ret_function)
{
    for (size_t i = 1; stack && i < stack->n_frames; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        const char *name = NULL;
        uint64_t target;

        if (frame->inlined || !frame->pc_is_return)
            continue;
        if (!inq_frame_is_sure(frame))
            break;
        bool direct = call_target(dump, frame->pc, &target);
        for (unsigned hop = 0; direct && hop < MOST_HOPS && !name; hop++) {
            struct inq_symbol_at symbol = inq_symbol_at(dump->modules, target);
            name = symbol.offset == 0 ? find_name(names, symbol.function) : NULL;
            if (!name && !jumps_on(dump, target, &target))
                break;
        }
        if (!name)
            name = callee_name(stack, i, names);
        if (name) {
            *ret_function = name;
            return i;
        }
    }
    return INQ_NO_FRAME;
}

bool inq_call_leads_to(struct inq_dump *dump, uint64_t end, bool (*wanted)(const char *function))
{
    uint64_t target;
    bool direct = call_target(dump, end, &target);

    for (unsigned hop = 0; direct && hop < MOST_HOPS; hop++) {
        struct inq_symbol_at symbol = inq_symbol_at(dump->modules, target);

        if (symbol.offset == 0 && symbol.function && wanted(symbol.function))
            return true;
        direct = jumps_on(dump, target, &target);
    }
    return false;
}

/* ---- one function ---------------------------------------------------------------------------- */

/* What an instruction of 32 bits leaves of the upper half: nothing, or copies of the sign. */
enum narrow { WHOLE, ZERO_EXTENDED, SIGN_EXTENDED };

/* The value: start at `base`, then for each step add, load where it says so, and narrow. */
struct trace {
    struct inq_dump *dump;
    ZydisRegister base; /* NONE: `constant` */
    uint64_t constant;
    struct {
        int64_t add;
        unsigned width; /* bytes to load; 0: none */
        enum narrow narrow;
        uint64_t since;  /* end of the instruction that loaded */
        bool here;       /* it is part of the function that is looked at now */
        bool dirty;      /* a function further in may have written there since */
    } steps[MOST_STEPS]; /* the last one first */
    size_t n_steps;
    /* of the functions further in, which handed the argument on */
    struct inq_code_stores stores;
    bool may_store_anywhere;
    const char *why;
};

static bool give_up(struct trace *t, const char *why)
{
    t->why = why;
    return false;
}

static bool push(struct trace *t, int64_t add, unsigned width, uint64_t since)
{
    if (t->n_steps >= MOST_STEPS)
        return give_up(t, "the way to the argument is too long");
    t->steps[t->n_steps].add = add;
    t->steps[t->n_steps].width = width;
    t->steps[t->n_steps].since = since;
    t->steps[t->n_steps].narrow = WHOLE;
    t->steps[t->n_steps].here = true;
    t->steps[t->n_steps++].dirty = t->may_store_anywhere;
    return true;
}

/* base + displacement, with nothing else. */
static bool take_address(struct trace *t, const struct inq_opcode *code, unsigned width)
{
    const ZydisDecodedOperand *from = &code->operands[1];
    uint64_t addr;

    if (inq_code_rip_operand(code, 1, &addr)) {
        t->base = ZYDIS_REGISTER_NONE;
        t->constant = addr;
        return push(t, 0, width, code->next);
    }
    if (from->mem.index != ZYDIS_REGISTER_NONE || from->mem.base == ZYDIS_REGISTER_NONE ||
        from->mem.segment == ZYDIS_REGISTER_FS || from->mem.segment == ZYDIS_REGISTER_GS ||
        code->instruction.address_width != 64)
        return give_up(t, "its address was worked out with an index");
    t->base = from->mem.base;
    return push(t, from->mem.disp.value, width, code->next);
}

/* Of the step that was pushed last. */
static bool narrow(struct trace *t, enum narrow how)
{
    t->steps[t->n_steps - 1].narrow = how;
    return true;
}

static ZydisRegister whole_register(ZydisRegister reg)
{
    return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

/* Instructions that compute with ints: false without a reason when it is none of them. */
static bool undo_int(struct trace *t, const struct inq_opcode *code, bool *ret_done)
{
    const ZydisDecodedOperand *to = &code->operands[0], *from = &code->operands[1];
    const ZydisMnemonic mnemonic = code->instruction.mnemonic;

    *ret_done = true;
    if (mnemonic == ZYDIS_MNEMONIC_CDQE) {
        t->base = ZYDIS_REGISTER_RAX;
        return push(t, 0, 0, code->next) && narrow(t, SIGN_EXTENDED);
    }
    if (mnemonic == ZYDIS_MNEMONIC_MOVSXD && to->size == 64 && from->size == 32) {
        if (from->type == ZYDIS_OPERAND_TYPE_MEMORY)
            return take_address(t, code, 4) && narrow(t, SIGN_EXTENDED);
        t->base = whole_register(from->reg.value);
        return push(t, 0, 0, code->next) && narrow(t, SIGN_EXTENDED);
    }
    if (to->type == ZYDIS_OPERAND_TYPE_REGISTER && to->size == 32) {
        if (mnemonic == ZYDIS_MNEMONIC_MOV && from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            t->base = whole_register(from->reg.value);
            return push(t, 0, 0, code->next) && narrow(t, ZERO_EXTENDED);
        }
        if (mnemonic == ZYDIS_MNEMONIC_LEA)
            return take_address(t, code, 0) && narrow(t, ZERO_EXTENDED);
        if ((mnemonic == ZYDIS_MNEMONIC_ADD || mnemonic == ZYDIS_MNEMONIC_SUB) &&
            from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return push(t, mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.s : -from->imm.value.s,
                        0, code->next) &&
                   narrow(t, ZERO_EXTENDED);
    }
    *ret_done = false;
    return false;
}

/* Goes back over an instruction that writes to the base. */
static bool undo(struct trace *t, const struct inq_opcode *code)
{
    const ZydisDecodedOperand *to = &code->operands[0], *from = &code->operands[1];
    const ZydisMnemonic mnemonic = code->instruction.mnemonic;
    const bool zero = mnemonic == ZYDIS_MNEMONIC_XOR && from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
                      from->reg.value == to->reg.value;

    if (code->instruction.meta.category == ZYDIS_CATEGORY_CALL)
        return give_up(t, "it was made by a function that was called before");
    bool done, understood = undo_int(t, code, &done);
    if (done)
        return understood;
    if (to->type != ZYDIS_OPERAND_TYPE_REGISTER || (to->size != 64 && to->size != 32))
        return give_up(t, "the instruction that made it is not understood");
    if (zero || (mnemonic == ZYDIS_MNEMONIC_MOV && from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)) {
        uint64_t value = zero ? 0 : from->imm.value.u;
        t->base = ZYDIS_REGISTER_NONE;
        t->constant = to->size == 32 ? (uint32_t)value : value;
        return true;
    }
    if (mnemonic == ZYDIS_MNEMONIC_MOV && from->type == ZYDIS_OPERAND_TYPE_MEMORY)
        return take_address(t, code, to->size / 8u);
    if (to->size != 64)
        return give_up(t, "the instruction that made it is not understood");
    if (mnemonic == ZYDIS_MNEMONIC_MOV && from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        t->base = from->reg.value;
        return true;
    }
    if (mnemonic == ZYDIS_MNEMONIC_LEA)
        return take_address(t, code, 0);
    if ((mnemonic == ZYDIS_MNEMONIC_ADD || mnemonic == ZYDIS_MNEMONIC_SUB) &&
        from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return push(t, mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.s : -from->imm.value.s, 0,
                    code->next);
    return give_up(t, "the instruction that made it is not understood");
}

/* ---- the value ------------------------------------------------------------------------------- */

static uint64_t narrowed(uint64_t value, enum narrow how)
{
    if (how == WHOLE)
        return value;
    return how == ZERO_EXTENDED ? (uint32_t)value : (uint64_t)(int64_t)(int32_t)(uint32_t)value;
}

static bool load(struct inq_dump *dump, uint64_t addr, unsigned width, uint64_t *ret_value)
{
    uint32_t half;

    if (width == 8)
        return inq_memory_u64(dump->memory, addr, ret_value);
    if (width != 4 || !inq_memory_u32(dump->memory, addr, &half))
        return false;
    *ret_value = half;
    return true;
}

static void describe(struct trace *t, const char *base, struct inq_call_argument *found)
{
    size_t last = t->n_steps - 1;

    if (t->base == ZYDIS_REGISTER_NONE)
        found->from = t->n_steps == 0 || t->steps[last].width == 0 ? "a constant" : "a variable";
    else if (t->n_steps == 0)
        found->from = base;
    else if (t->n_steps == 1 && t->steps[0].add < 0)
        found->from = inq_arena_printf(t->dump->arena, "-0x%" PRIx64 "(%s)",
                                       (uint64_t)0 - (uint64_t)t->steps[0].add, base);
    else if (t->n_steps == 1)
        found->from =
            inq_arena_printf(t->dump->arena, "0x%" PRIx64 "(%s)", (uint64_t)t->steps[0].add, base);
    else
        found->from = inq_arena_printf(t->dump->arena, "what %s leads to", base);
}

static bool was_stored_to(const struct trace *t, uint64_t addr, unsigned size)
{
    for (size_t i = 0; i < t->stores.count; i++)
        if (t->stores.items[i].addr - addr < size ||
            addr - t->stores.items[i].addr < t->stores.items[i].size)
            return true;
    return false;
}

/* Adds and loads; what was loaded must not have been written to since. */
static bool evaluate(struct trace *t, const struct inq_code_window *window, uint64_t value,
                     const struct inq_registers *registers, struct inq_call_argument *found)
{
    for (size_t i = t->n_steps; i-- > 0;) {
        value += (uint64_t)t->steps[i].add;
        if (t->steps[i].width == 0) {
            value = narrowed(value, t->steps[i].narrow);
            continue;
        }
        found->loads[found->n_loads++] = value;
        if (t->steps[i].dirty || was_stored_to(t, value, t->steps[i].width) ||
            (t->steps[i].here && !inq_code_window_keeps(t->dump, window, t->steps[i].since, value,
                                                        t->steps[i].width, registers)))
            return give_up(t, "the place it was read from may have been written to since");
        if (!load(t->dump, value, t->steps[i].width, &value))
            return give_up(t, "the place it was read from is not in the dump");
        value = narrowed(value, t->steps[i].narrow);
    }
    found->value = value;
    return true;
}

/* On to the caller: what was looked at is further in from now on. */
static void hand_on(struct trace *t, const struct inq_code_window *window,
                    const struct inq_registers *registers)
{
    for (size_t i = 0; i < t->n_steps; i++) {
        t->steps[i].dirty |=
            t->steps[i].here && t->steps[i].width != 0 &&
            !inq_code_window_stores(t->dump, window, t->steps[i].since, registers, NULL);
        t->steps[i].here = false;
    }
    t->may_store_anywhere |= !inq_code_window_stores(t->dump, window, 0, registers, &t->stores);
}

enum answer { FOUND, LOST, HANDED_ON };

/* Goes back from the call until the base is a register whose value is known there. */
static enum answer trace_function(struct trace *t, const struct inq_code_window *window,
                                  const struct inq_registers *registers, uint64_t *ret_base)
{
    size_t at = window->count - 1; /* the call */

    for (;;) {
        struct inq_opcode code;

        if (t->base == ZYDIS_REGISTER_NONE) {
            *ret_base = t->constant;
            break;
        }
        if (!inq_code_window_writes(window, at, t->base) &&
            inq_code_preserved(registers, t->base, ret_base))
            break;
        if (!inq_code_window_writer(window, at, t->base, &at))
            return inq_code_window_is_straight(window, SIZE_MAX, &t->why) ? HANDED_ON : LOST;
        if (!inq_code_at(t->dump, window->items[at].addr, &code) || !undo(t, &code))
            return LOST;
    }
    return inq_code_window_is_straight(window, at, &t->why) ? FOUND : LOST;
}

/* The frame that waits for the one at `at`, and whether it called just that function. */
static size_t caller_of(struct inq_dump *dump, const struct inq_stack *stack, size_t at,
                        uint64_t function)
{
    uint64_t target;

    for (size_t i = at + 1; i < stack->n_frames; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        if (frame->inlined)
            continue;
        if (!frame->pc_is_return || frame->index != stack->frames[at].index + 1 ||
            !call_target(dump, frame->pc, &target))
            return INQ_NO_FRAME;
        for (unsigned hop = 0; hop < MOST_HOPS; hop++) {
            if (target == function)
                return i;
            if (!jumps_on(dump, target, &target))
                break;
        }
        return INQ_NO_FRAME;
    }
    return INQ_NO_FRAME;
}

bool inq_call_argument(struct inq_dump *dump, const struct inq_stack *stack, size_t at,
                       struct inq_call_argument *ret_argument, const char **ret_why)
{
    return inq_call_nth_argument(dump, stack, at, 0, ret_argument, ret_why);
}

bool inq_call_nth_argument(struct inq_dump *dump, const struct inq_stack *stack, size_t at,
                           unsigned nth, struct inq_call_argument *ret_argument,
                           const char **ret_why)
{
    static const ZydisRegister registers[] = {ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI,
                                              ZYDIS_REGISTER_RDX};
    struct trace t = {.dump = dump, .base = registers[nth < 3 ? nth : 2]};

    for (unsigned level = 0; level < MOST_FRAMES; level++) {
        _cleanup_(inq_code_window_release) struct inq_code_window window = {0};
        struct inq_call_argument found = {.frame = stack->frames[at].index};
        struct inq_frame_registers frame;
        uint64_t base;

        *ret_why = "the registers of its caller are not known for certain";
        if (!inq_frame_registers(dump->core, dump->memory, dump->modules, dump->arena, stack, at,
                                 &frame))
            return false;
        *ret_why = "the code of its caller could not be read as a whole";
        if (frame.function_start == 0 ||
            !inq_code_window_read(dump, frame.function_start, stack->frames[at].pc,
                                  frame.function_end, &window))
            return false;
        enum answer answer = trace_function(&t, &window, &frame.registers, &base);
        if (answer == FOUND && evaluate(&t, &window, base, &frame.registers, &found)) {
            describe(&t, ZydisRegisterGetString(t.base), &found);
            *ret_argument = found;
            return found.from != NULL;
        }
        *ret_why = t.why;
        if (answer != HANDED_ON)
            return false;
        *ret_why = "its caller has it from a caller of its own that is not known for certain";
        hand_on(&t, &window, &frame.registers);
        at = caller_of(dump, stack, at, frame.function_start);
        if (at == INQ_NO_FRAME)
            return false;
    }
    *ret_why = "it was handed on by too many functions";
    return false;
}

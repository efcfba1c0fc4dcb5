/* SPDX-License-Identifier: Apache-2.0 */
#include "epilogue.h"

#include <Zydis/Zydis.h>

/* The longest instruction of the architecture. */
#define MAX_INSTRUCTION 15u
/* A kernel of BLAS that is unrolled has some thousands. */
#define MAX_INSTRUCTIONS 8192u
/* What is pushed between the program counter and the `ret`. */
#define MAX_PUSHED 32u
/* No function's frame is larger than the stacks that we follow. */
#define MAX_FRAME_BYTES (UINT64_C(64) << 20)

struct pushed {
    uint64_t addr, value;
    bool known;
};

struct epilogue {
    struct inq_codemap *code;
    uint64_t top; /* the stack pointer at the beginning: below it nothing was written yet */
    struct inq_registers now;
    struct pushed pushed[MAX_PUSHED];
    size_t n_pushed;
    bool was_call; /* the instruction before was one */
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* DWARF number of a register or of the one that it is a part of; -1: none of ours. */
static int number_of(ZydisRegister reg)
{
    static const uint8_t numbers[] = {INQ_RAX, INQ_RCX, INQ_RDX, INQ_RBX, INQ_RSP, INQ_RBP,
                                      INQ_RSI, INQ_RDI, INQ_R8,  INQ_R9,  INQ_R10, INQ_R11,
                                      INQ_R12, INQ_R13, INQ_R14, INQ_R15};
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
        return -1;
    return numbers[whole - ZYDIS_REGISTER_RAX];
}

static uint64_t sp_of(const struct epilogue *e)
{
    return e->now.value[INQ_RSP];
}

static void forget(struct epilogue *e, int number)
{
    if (number >= 0)
        e->now.known &= ~(1u << (unsigned int)number);
}

static void set(struct epilogue *e, int number, bool known, uint64_t value)
{
    if (number < 0)
        return;
    if (known)
        inq_register_set(&e->now, (unsigned int)number, value);
    else
        forget(e, number);
}

/* A word of the frame: what is pushed on the way, or what the dump has. */
static bool read_word(struct epilogue *e, uint64_t addr, uint64_t *ret_value)
{
    for (size_t i = e->n_pushed; i > 0; i--)
        if (e->pushed[i - 1].addr == addr) {
            *ret_value = e->pushed[i - 1].value;
            return e->pushed[i - 1].known;
        }
    return addr >= e->top && inq_codemap_u64(e->code, addr, ret_value) == INQ_MEMORY_OK;
}

static bool move_sp(struct epilogue *e, uint64_t sp)
{
    /* stacks grow down, and a frame ends above where it stands */
    if (sp % 8 != 0 || sp + MAX_FRAME_BYTES < e->top || sp > e->top + MAX_FRAME_BYTES)
        return false;
    inq_register_set(&e->now, INQ_RSP, sp);
    return true;
}

static bool push(struct epilogue *e)
{
    const ZydisDecodedOperand *o = &e->operands[0];
    int number = o->type == ZYDIS_OPERAND_TYPE_REGISTER ? number_of(o->reg.value) : -1;

    if (e->n_pushed == MAX_PUSHED || e->instruction.operand_width != 64 ||
        !move_sp(e, sp_of(e) - 8))
        return false;
    e->pushed[e->n_pushed++] =
        (struct pushed){.addr = sp_of(e),
                        .known = number >= 0 && inq_register_known(&e->now, (unsigned int)number),
                        .value = number >= 0 ? e->now.value[number] : 0};
    return true;
}

static bool pop_into(struct epilogue *e, int number)
{
    uint64_t value = 0;
    bool known = read_word(e, sp_of(e), &value);

    if (number == INQ_RSP || !move_sp(e, sp_of(e) + 8))
        return false;
    set(e, number, known, value);
    return true;
}

/* The address of an operand in memory whose base is a register that is known; no index. */
static bool address_of(const struct epilogue *e, const ZydisDecodedOperand *o, uint64_t *ret_addr)
{
    int base = number_of(o->mem.base);

    if (o->mem.index != ZYDIS_REGISTER_NONE || base < 0 ||
        !inq_register_known(&e->now, (unsigned int)base) || o->mem.segment == ZYDIS_REGISTER_FS ||
        o->mem.segment == ZYDIS_REGISTER_GS)
        return false;
    *ret_addr =
        e->now.value[base] + (uint64_t)(o->mem.disp.has_displacement ? o->mem.disp.value : 0);
    return true;
}

/* `mov` and `lea` with a whole register as their target; all else forgets what it writes. */
static bool assign(struct epilogue *e)
{
    const ZydisDecodedOperand *to = &e->operands[0], *from = &e->operands[1];
    int target = number_of(to->reg.value), source;
    uint64_t value = 0;
    bool known = false;

    if (to->size == 64 && from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        source = number_of(from->reg.value);
        known = source >= 0 && inq_register_known(&e->now, (unsigned int)source);
        value = known ? e->now.value[source] : 0;
    } else if (to->size == 64 && from->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        known = address_of(e, from, &value);
        if (known && e->instruction.mnemonic == ZYDIS_MNEMONIC_MOV)
            known = read_word(e, value, &value);
    }
    if (target == INQ_RSP)
        return known && move_sp(e, value);
    set(e, target, known, value);
    return true;
}

/* Everything else: what it writes is known no longer, and the stack pointer must stay. */
static bool forget_written(struct epilogue *e)
{
    for (size_t i = 0; i < e->instruction.operand_count; i++) {
        const ZydisDecodedOperand *o = &e->operands[i];

        if (o->type != ZYDIS_OPERAND_TYPE_REGISTER ||
            !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            continue;
        if (number_of(o->reg.value) == INQ_RSP)
            return false;
        forget(e, number_of(o->reg.value));
    }
    return true;
}

/* A function that is called may change all but rbx, rbp and r12 to r15. */
static void forget_volatile(struct epilogue *e)
{
    static const int numbers[] = {INQ_RAX, INQ_RCX, INQ_RDX, INQ_RSI, INQ_RDI,
                                  INQ_R8,  INQ_R9,  INQ_R10, INQ_R11};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        forget(e, numbers[i]);
}

static bool is_sp(const ZydisDecodedOperand *o)
{
    return o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_RSP;
}

static bool add_to_sp(struct epilogue *e, bool subtract)
{
    const ZydisDecodedOperand *by = &e->operands[1];

    if (by->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return false;
    return move_sp(e, subtract ? sp_of(e) - by->imm.value.u : sp_of(e) + by->imm.value.u);
}

static bool leave(struct epilogue *e)
{
    return inq_register_known(&e->now, INQ_RBP) && move_sp(e, e->now.value[INQ_RBP]) &&
           pop_into(e, INQ_RBP);
}

/* One instruction that goes on to the next; false when nothing sure can be said behind it. */
static bool apply(struct epilogue *e)
{
    switch (e->instruction.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
        return push(e);
    case ZYDIS_MNEMONIC_POP:
        return e->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER && e->operands[0].size == 64 &&
               pop_into(e, number_of(e->operands[0].reg.value));
    case ZYDIS_MNEMONIC_LEAVE:
        return leave(e);
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        return is_sp(&e->operands[0]) ? add_to_sp(e, e->instruction.mnemonic == ZYDIS_MNEMONIC_SUB)
                                      : forget_written(e);
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_LEA:
        return e->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                       number_of(e->operands[0].reg.value) >= 0
                   ? assign(e)
                   : true;
    case ZYDIS_MNEMONIC_CALL:
        forget_volatile(e);
        return true;
    case ZYDIS_MNEMONIC_NOP: /* padding behind a call that does not return */
        return !e->was_call;
    case ZYDIS_MNEMONIC_ENDBR64: /* another function begins */
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_HLT:
        return false;
    default:
        return forget_written(e);
    }
}

static bool decode(struct epilogue *e, const ZydisDecoder *decoder)
{
    uint8_t bytes[MAX_INSTRUCTION];
    size_t size = sizeof(bytes);

    /* close before the end of a mapping there are fewer */
    while (size > 0 && !inq_codemap_read(e->code, e->now.value[INQ_RIP], bytes, size))
        size--;
    return size > 0 &&
           ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, size, &e->instruction, e->operands));
}

static bool is_jump(const struct epilogue *e)
{
    return e->instruction.mnemonic == ZYDIS_MNEMONIC_JMP;
}

static bool follow_jump(struct epilogue *e)
{
    const ZydisDecodedOperand *o = &e->operands[0];
    const uint64_t next = e->now.value[INQ_RIP] + e->instruction.length;

    if (o->type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !o->imm.is_relative)
        return false;
    inq_register_set(&e->now, INQ_RIP, next + o->imm.value.u);
    return true;
}

static bool take_return(struct epilogue *e, struct inq_registers *ret_caller)
{
    const ZydisDecodedOperand *o = &e->operands[0];
    const uint64_t extra =
        o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? o->imm.value.u & UINT64_C(0xffff) : 0;
    uint64_t pc;

    if (sp_of(e) < e->top || !read_word(e, sp_of(e), &pc) ||
        inq_codemap_after_call(e->code, pc) != INQ_AFTER_CALL_YES ||
        !move_sp(e, sp_of(e) + 8 + extra))
        return false;
    forget_volatile(e);
    inq_register_set(&e->now, INQ_RIP, pc);
    *ret_caller = e->now;
    return true;
}

bool inq_epilogue_caller(struct inq_codemap *code, const struct inq_registers *callee,
                         uint64_t *budget, struct inq_registers *ret_caller)
{
    struct epilogue e = {.code = code, .top = callee->value[INQ_RSP], .now = *callee};
    ZydisDecoder decoder;

    if (e.top % 8 != 0 || e.top < MAX_FRAME_BYTES || e.top > UINT64_MAX - MAX_FRAME_BYTES ||
        !ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return false;
    for (unsigned int i = 0; i<MAX_INSTRUCTIONS && * budget> 0; i++) {
        --*budget;
        if (!decode(&e, &decoder))
            return false;
        if (e.instruction.mnemonic == ZYDIS_MNEMONIC_RET)
            return take_return(&e, ret_caller);
        if (is_jump(&e)) {
            if (!follow_jump(&e))
                return false;
        } else if (apply(&e)) {
            inq_register_set(&e.now, INQ_RIP, e.now.value[INQ_RIP] + e.instruction.length);
        } else {
            return false;
        }
        e.was_call = e.instruction.mnemonic == ZYDIS_MNEMONIC_CALL;
    }
    return false;
}

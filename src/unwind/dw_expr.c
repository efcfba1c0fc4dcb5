/* SPDX-License-Identifier: Apache-2.0 */
#include "dw_expr.h"

#include <dwarf.h>

#include "cpu_unwind.h"

#define STACK_WORDS 64u

struct machine {
    struct inq_dw_expr *expr;
    uint64_t stack[STACK_WORDS];
    size_t depth;
};

static bool push(struct machine *m, uint64_t value)
{
    if (m->depth == STACK_WORDS)
        return false;
    if (m->expr->cpu->register_bytes == 4)
        value &= UINT32_MAX;
    m->stack[m->depth++] = value;
    return true;
}

static bool pop(struct machine *m, uint64_t *ret_value)
{
    if (m->depth == 0)
        return false;
    *ret_value = m->stack[--m->depth];
    return true;
}

static int64_t as_signed(const struct machine *m, uint64_t value)
{
    return m->expr->cpu->register_bytes == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static enum inq_dw_result ok_if(bool ok)
{
    return ok ? INQ_DW_OK : INQ_DW_INVALID;
}

static enum inq_dw_result read_register(struct machine *m, uint64_t number, uint64_t *ret_value)
{
    int index = number < 1024 ? inq_cpu_dwarf_register(m->expr->cpu, (unsigned int)number) : -1;

    if (!inq_regs_known(m->expr->regs, index))
        return INQ_DW_REGISTER;
    *ret_value = m->expr->regs->value[index];
    return INQ_DW_OK;
}

static enum inq_dw_result read_memory(struct machine *m, uint64_t addr, size_t size,
                                      uint64_t *ret_value)
{
    struct inq_dw_expr *expr = m->expr;

    if (expr->cpu->word_bytes == 4)
        addr &= UINT32_MAX;
    enum inq_memory_status status =
        inq_codemap_uint(expr->code, addr, size, expr->big_endian, ret_value);
    if (status == INQ_MEMORY_OK)
        return INQ_DW_OK;
    expr->fail_addr = addr;
    expr->fail_status = status;
    return INQ_DW_MEMORY;
}

static enum inq_dw_result push_register(struct machine *m, uint64_t number, uint64_t offset)
{
    uint64_t value;
    enum inq_dw_result result = read_register(m, number, &value);

    return result == INQ_DW_OK ? ok_if(push(m, value + offset)) : result;
}

static enum inq_dw_result deref(struct machine *m, uint64_t size)
{
    uint64_t addr, value;

    if ((size != 1 && size != 2 && size != 4 && size != 8) || !pop(m, &addr))
        return INQ_DW_INVALID;
    enum inq_dw_result result = read_memory(m, addr, (size_t)size, &value);
    return result == INQ_DW_OK ? ok_if(push(m, value)) : result;
}

static enum inq_dw_result unary(struct machine *m, uint8_t atom, uint64_t operand)
{
    uint64_t a;

    if (!pop(m, &a))
        return INQ_DW_INVALID;
    switch (atom) {
    case DW_OP_abs:
        return ok_if(push(m, as_signed(m, a) < 0 ? 0 - a : a));
    case DW_OP_neg:
        return ok_if(push(m, 0 - a));
    case DW_OP_not:
        return ok_if(push(m, ~a));
    default: /* DW_OP_plus_uconst */
        return ok_if(push(m, a + operand));
    }
}

static bool compare(const struct machine *m, uint8_t atom, uint64_t a, uint64_t b)
{
    int64_t left = as_signed(m, a), right = as_signed(m, b);

    switch (atom) {
    case DW_OP_eq:
        return left == right;
    case DW_OP_ne:
        return left != right;
    case DW_OP_ge:
        return left >= right;
    case DW_OP_gt:
        return left > right;
    case DW_OP_le:
        return left <= right;
    default: /* DW_OP_lt */
        return left < right;
    }
}

static uint64_t shift(const struct machine *m, uint8_t atom, uint64_t a, uint64_t b)
{
    unsigned int bits = m->expr->cpu->register_bytes * 8u;

    if (atom == DW_OP_shra) {
        int64_t value = as_signed(m, a);
        return (uint64_t)(value >> (b < bits ? b : bits - 1));
    }
    if (b >= bits)
        return 0;
    return atom == DW_OP_shl ? a << b : a >> b;
}

static enum inq_dw_result divide(struct machine *m, uint8_t atom, uint64_t a, uint64_t b)
{
    if (b == 0)
        return INQ_DW_INVALID;
    if (atom == DW_OP_mod)
        return ok_if(push(m, a % b));
    int64_t left = as_signed(m, a), right = as_signed(m, b);
    return ok_if(push(m, right == -1 ? 0 - a : (uint64_t)(left / right)));
}

static enum inq_dw_result binary(struct machine *m, uint8_t atom)
{
    uint64_t a, b;

    if (!pop(m, &b) || !pop(m, &a))
        return INQ_DW_INVALID;
    switch (atom) {
    case DW_OP_and:
        return ok_if(push(m, a & b));
    case DW_OP_or:
        return ok_if(push(m, a | b));
    case DW_OP_xor:
        return ok_if(push(m, a ^ b));
    case DW_OP_plus:
        return ok_if(push(m, a + b));
    case DW_OP_minus:
        return ok_if(push(m, a - b));
    case DW_OP_mul:
        return ok_if(push(m, a * b));
    case DW_OP_div:
    case DW_OP_mod:
        return divide(m, atom, a, b);
    case DW_OP_shl:
    case DW_OP_shr:
    case DW_OP_shra:
        return ok_if(push(m, shift(m, atom, a, b)));
    default:
        return ok_if(push(m, compare(m, atom, a, b)));
    }
}

/* Number `n` from the top. */
static enum inq_dw_result pick(struct machine *m, uint64_t n)
{
    return ok_if(n < m->depth && push(m, m->stack[m->depth - 1 - (size_t)n]));
}

static enum inq_dw_result shuffle(struct machine *m, uint8_t atom)
{
    uint64_t a, b, c;

    if (atom == DW_OP_drop)
        return ok_if(pop(m, &a));
    if (!pop(m, &a) || !pop(m, &b))
        return INQ_DW_INVALID;
    if (atom == DW_OP_swap)
        return ok_if(push(m, a) && push(m, b));
    return ok_if(pop(m, &c) && push(m, a) && push(m, c) && push(m, b)); /* DW_OP_rot */
}

/* Everything but branches and what ends a location. */
static enum inq_dw_result run_one(struct machine *m, const Dwarf_Op *op)
{
    uint8_t atom = op->atom;

    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
        return ok_if(push(m, (uint64_t)(atom - DW_OP_lit0)));
    if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
        return push_register(m, (uint64_t)(atom - DW_OP_breg0), op->number);
    if (atom >= DW_OP_eq && atom <= DW_OP_ne)
        return binary(m, atom);
    switch (atom) {
    case DW_OP_nop:
        return INQ_DW_OK;
    case DW_OP_addr:
        return ok_if(push(m, op->number + m->expr->bias));
    case DW_OP_bregx:
        return push_register(m, op->number, op->number2);
    case DW_OP_call_frame_cfa:
        return ok_if(m->expr->has_cfa && push(m, m->expr->cfa));
    case DW_OP_dup:
        return pick(m, 0);
    case DW_OP_over:
        return pick(m, 1);
    case DW_OP_pick:
        return pick(m, op->number);
    case DW_OP_drop:
    case DW_OP_swap:
    case DW_OP_rot:
        return shuffle(m, atom);
    case DW_OP_deref:
        return deref(m, m->expr->cpu->word_bytes);
    case DW_OP_deref_size:
        return deref(m, op->number);
    case DW_OP_abs:
    case DW_OP_neg:
    case DW_OP_not:
    case DW_OP_plus_uconst:
        return unary(m, atom, op->number);
    default:
        if (atom >= DW_OP_const1u && atom <= DW_OP_consts) /* libdw has extended their signs */
            return ok_if(push(m, op->number));
        if (atom >= DW_OP_and && atom <= DW_OP_xor)
            return binary(m, atom);
        return INQ_DW_INVALID;
    }
}

/* Where a branch at `op` goes: the operation at that offset, or the end of all. */
static bool branch_target(const Dwarf_Op *ops, size_t count, const Dwarf_Op *op, size_t *ret_index)
{
    uint64_t target = op->offset + 3 + (uint64_t)(int64_t)(int16_t)(uint16_t)op->number;
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ops[middle].offset < target)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return low < count ? ops[low].offset == target : target > ops[count - 1].offset;
}

/* Runs [0, count); branches included. */
static enum inq_dw_result run(struct machine *m, const Dwarf_Op *ops, size_t count)
{
    size_t i = 0;

    while (i < count) {
        const Dwarf_Op *op = &ops[i];
        if (*m->expr->ops_left == 0)
            return INQ_DW_ENDLESS;
        (*m->expr->ops_left)--;

        if (op->atom == DW_OP_skip || op->atom == DW_OP_bra) {
            uint64_t condition = 1;
            if (op->atom == DW_OP_bra && !pop(m, &condition))
                return INQ_DW_INVALID;
            if (condition == 0)
                i++;
            else if (!branch_target(ops, count, op, &i))
                return INQ_DW_INVALID;
            continue;
        }
        enum inq_dw_result result = run_one(m, op);
        if (result != INQ_DW_OK)
            return result;
        i++;
    }
    return INQ_DW_OK;
}

enum inq_dw_result inq_dw_value(struct inq_dw_expr *expr, const Dwarf_Op *ops, size_t count,
                                uint64_t *ret_value)
{
    struct machine m = {.expr = expr};
    enum inq_dw_result result = count > 0 ? run(&m, ops, count) : INQ_DW_INVALID;

    if (result == INQ_DW_OK)
        result = ok_if(pop(&m, ret_value));
    return result;
}

enum inq_dw_result inq_dw_location(struct inq_dw_expr *expr, const Dwarf_Op *ops, size_t count,
                                   uint64_t *ret_value)
{
    struct machine m = {.expr = expr};

    if (count == 0)
        return INQ_DW_INVALID;
    const Dwarf_Op *last = &ops[count - 1];
    if (count == 1 && last->atom >= DW_OP_reg0 && last->atom <= DW_OP_reg31)
        return read_register(&m, (uint64_t)(last->atom - DW_OP_reg0), ret_value);
    if (count == 1 && last->atom == DW_OP_regx)
        return read_register(&m, last->number, ret_value);

    bool computed = last->atom == DW_OP_stack_value;
    uint64_t value;
    enum inq_dw_result result = inq_dw_value(expr, ops, count - computed, &value);
    if (result == INQ_DW_OK && !computed)
        /* A register is saved whole, wherever pointers are shorter than it (x32). */
        return read_memory(&m, value, expr->cpu->register_bytes, ret_value);
    if (result == INQ_DW_OK)
        *ret_value = value;
    return result;
}

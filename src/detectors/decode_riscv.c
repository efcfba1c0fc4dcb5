/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "decode.h"

/* ABI names by number, as the core's register table has them; x0 is always zero. */
static const char *const names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
static const char *const float_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

struct access {
    char name[20];
    unsigned use;
    unsigned base, data; /* register numbers */
    int source;          /* second register of an atomic; -1 without */
    int32_t offset;
    uint8_t size;
    bool floating, atomic;
};

static uint32_t bits(uint32_t code, unsigned high, unsigned low)
{
    return (code >> low) & ((2u << (high - low)) - 1);
}

static int32_t sign_extend(uint32_t value, unsigned width)
{
    uint32_t sign = 1u << (width - 1);
    return (int32_t)((value ^ sign) - sign);
}

/* opcode 0x03, 0x07, 0x23, 0x27; width in funct3 */
static bool decode_plain(uint32_t code, struct access *a)
{
    static const char *const loads[8] = {"lb", "lh", "lw", "ld", "lbu", "lhu", "lwu", NULL};
    static const char *const stores[8] = {"sb", "sh", "sw", "sd", NULL, NULL, NULL, NULL};
    static const char *const float_loads[8] = {NULL, "flh", "flw", "fld", "flq", NULL, NULL, NULL};
    static const char *const float_stores[8] = {NULL, "fsh", "fsw", "fsd", "fsq", NULL, NULL, NULL};
    uint32_t opcode = bits(code, 6, 0), width = bits(code, 14, 12);
    bool store = opcode & 0x20;

    a->floating = opcode & 0x04;
    const char *name = (store ? (a->floating ? float_stores : stores)
                              : (a->floating ? float_loads : loads))[width];
    if (name)
        snprintf(a->name, sizeof(a->name), "%s", name);
    a->use = store ? INQ_WRITES : INQ_READS;
    a->base = bits(code, 19, 15);
    a->data = store ? bits(code, 24, 20) : bits(code, 11, 7);
    a->offset =
        sign_extend(store ? bits(code, 31, 25) << 5 | bits(code, 11, 7) : bits(code, 31, 20), 12);
    a->size = (uint8_t)(1u << (a->floating ? width : width & 3));
    return name != NULL;
}

/* The A extension: the address is the register alone. */
static bool decode_atomic(uint32_t code, struct access *a)
{
    static const struct {
        uint8_t funct5;
        const char *name;
    } table[] = {
        {0x02, "lr"},     {0x03, "sc"},      {0x01, "amoswap"}, {0x00, "amoadd"},
        {0x04, "amoxor"}, {0x0c, "amoand"},  {0x08, "amoor"},   {0x10, "amomin"},
        {0x14, "amomax"}, {0x18, "amominu"}, {0x1c, "amomaxu"},
    };
    static const char *const orders[] = {"", ".rl", ".aq", ".aqrl"};
    uint32_t width = bits(code, 14, 12), funct5 = bits(code, 31, 27);

    for (size_t i = 0; i < INQ_ARRAY_SIZE(table) && (width == 2 || width == 3); i++) {
        if (table[i].funct5 != funct5 || (funct5 == 0x02 && bits(code, 24, 20) != 0))
            continue;
        snprintf(a->name, sizeof(a->name), "%s.%c%s", table[i].name, width == 2 ? 'w' : 'd',
                 orders[bits(code, 26, 25)]);
        a->use = funct5 == 0x02 ? INQ_READS : funct5 == 0x03 ? INQ_WRITES : INQ_READS | INQ_WRITES;
        a->base = bits(code, 19, 15);
        a->data = bits(code, 11, 7);
        a->source = funct5 == 0x02 ? -1 : (int)bits(code, 24, 20);
        a->atomic = true;
        a->size = (uint8_t)(1u << width);
        return true;
    }
    return false;
}

/* Quadrants 0 and 2 of the C extension; the names are those of the instructions they stand for. */
static bool decode_compressed(uint32_t code, struct access *a)
{
    uint32_t quadrant = bits(code, 1, 0), kind = bits(code, 15, 13);
    uint32_t twice_offset = bits(code, 6, 5) << 6 | bits(code, 12, 10) << 3;
    uint32_t word_offset = bits(code, 5, 5) << 6 | bits(code, 12, 10) << 3 | bits(code, 6, 6) << 2;
    bool store = kind >= 5, word = kind == 2 || kind == 6;
    static const char *const forms[8] = {NULL, "fld", "lw", "ld", NULL, "fsd", "sw", "sd"};

    if (!forms[kind] || (quadrant != 0 && quadrant != 2))
        return false;
    snprintf(a->name, sizeof(a->name), "%s", forms[kind]);
    a->use = store ? INQ_WRITES : INQ_READS;
    a->floating = kind == 1 || kind == 5;
    a->size = word ? 4 : 8;
    if (quadrant == 0) {
        a->base = 8 + bits(code, 9, 7);
        a->data = 8 + bits(code, 4, 2);
        a->offset = (int32_t)(word ? word_offset : twice_offset);
        return true;
    }
    a->base = 2;
    if (store) {
        a->data = bits(code, 6, 2);
        a->offset = (int32_t)(word ? bits(code, 8, 7) << 6 | bits(code, 12, 9) << 2
                                   : bits(code, 9, 7) << 6 | bits(code, 12, 10) << 3);
        return true;
    }
    a->data = bits(code, 11, 7);
    a->offset =
        (int32_t)(bits(code, 12, 12) << 5 | (word ? bits(code, 3, 2) << 6 | bits(code, 6, 4) << 2
                                                  : bits(code, 4, 2) << 6 | bits(code, 6, 5) << 3));
    return a->floating || a->data != 0; /* c.lwsp and c.ldsp into x0 are reserved */
}

static bool decode_word(uint32_t code, struct access *a, struct inq_instruction *out)
{
    switch (bits(code, 6, 0)) {
    case 0x03:
    case 0x07:
    case 0x23:
    case 0x27:
        return decode_plain(code, a);
    case 0x2f:
        return decode_atomic(code, a);
    case 0x73:
        if (code == 0x00100073)
            snprintf(out->text, sizeof(out->text), "ebreak");
        return code == 0x00100073;
    default:
        return false;
    }
}

static void set_operand(const struct inq_decode_input *input, const struct access *a,
                        struct inq_instruction *out)
{
    struct inq_operand *operand = inq_instruction_add(out, a->use, a->size);
    const char *data = (a->floating ? float_names : names)[a->data];

    if (a->atomic)
        snprintf(operand->text, sizeof(operand->text), "(%s)", names[a->base]);
    else
        snprintf(operand->text, sizeof(operand->text), "%" PRId32 "(%s)", a->offset,
                 names[a->base]);
    snprintf(out->text, sizeof(out->text), "%s %s,%s%s%s", a->name, data,
             a->source >= 0 ? names[a->source] : "", a->source >= 0 ? "," : "", operand->text);
    if (a->base == 0 || inq_operand_use_register(operand, input, names[a->base],
                                                 &operand->base_value, &operand->base))
        operand->has_address = true;
    else
        operand->unknown = "a register of the operand is not in the dump";
    operand->address = operand->base_value + (uint64_t)(int64_t)a->offset;
}

enum inq_decoded inq_decode_riscv(const struct inq_decode_input *input,
                                  struct inq_instruction *ret_instruction)
{
    struct inq_instruction out = {.address = input->address};
    struct access a = {.source = -1};
    uint32_t code;
    bool known;

    if (input->size < 2)
        return INQ_DECODED_CUT;
    code = inq_code_unit(input->bytes, 2, false);
    out.size = (code & 3) == 3 ? 4 : 2;
    if ((code & 0x1f) == 0x1f)
        return INQ_DECODED_UNKNOWN; /* longer than 32 bits */
    if (input->size < out.size)
        return INQ_DECODED_CUT;
    if (out.size == 4) {
        code = inq_code_unit(input->bytes, 4, false);
        known = decode_word(code, &a, &out);
    } else if (code == 0x9002) {
        known = snprintf(out.text, sizeof(out.text), "ebreak") > 0;
    } else {
        known = decode_compressed(code, &a);
    }
    if (!known)
        return INQ_DECODED_UNKNOWN;
    memcpy(out.bytes, input->bytes, out.size);
    out.breakpoint = a.use == 0;
    if (a.use != 0)
        set_operand(input, &a, &out);
    *ret_instruction = out;
    return INQ_DECODED;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loads and stores of A64 by the encoding tables of the Arm Architecture Reference Manual (C4.1,
 * "Loads and Stores"): one function a group. Structures (ld1…), tags (MTE), copies (MOPS), SVE and
 * SME are left alone. A64 code is little-endian on every machine.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "decode.h"

enum mode { OFFSET, PRE, POST, LITERAL, INDEXED };

struct access {
    char name[16];
    unsigned use;
    unsigned n_data;
    unsigned data[2];
    char data_file[2]; /* w, x, b, h, s, d, q */
    int status;        /* Ws of a store-exclusive; -1 without */
    unsigned base;     /* 31 is sp */
    enum mode mode;
    int64_t offset;
    unsigned index, shift; /* INDEXED */
    unsigned extend;       /* option field: 2 uxtw, 3 lsl, 6 sxtw, 7 sxtx */
    bool shifts;           /* S bit: the shift is written even when it is 0 */
    unsigned size;
    const char *isa; /* extension, NULL without; static */
};

static uint32_t bits(uint32_t code, unsigned high, unsigned low)
{
    return (code >> low) & ((2u << (high - low)) - 1);
}

static int64_t sign_extend(uint32_t value, unsigned width)
{
    uint32_t sign = 1u << (width - 1);
    return (int32_t)((value ^ sign) - sign);
}

static void set_name(struct access *a, const char *text, const char *suffix)
{
    snprintf(a->name, sizeof(a->name), "%s%s", text, suffix);
}

static void set_data(struct access *a, size_t i, unsigned number, char file)
{
    a->data[i] = number;
    a->data_file[i] = file;
    if (a->n_data <= i)
        a->n_data = (unsigned)i + 1;
}

static const char vector_files[] = "bhsdq";
static const char *const plain_suffixes[] = {"b", "h", "", ""};

/* size 001000 o2 L o1 Rs o0 Rt2 Rn Rt: exclusives, ordered accesses, compare-and-swap */
static bool decode_exclusive(uint32_t code, struct access *a)
{
    uint32_t size = bits(code, 31, 30), o2 = bits(code, 23, 23), load = bits(code, 22, 22);
    uint32_t o1 = bits(code, 21, 21), o0 = bits(code, 15, 15);
    unsigned rs = bits(code, 20, 16), rt2 = bits(code, 14, 10), rt = bits(code, 4, 0);
    char file = size == 3 ? 'x' : 'w';
    const char *suffix = plain_suffixes[size];

    a->size = 1u << size;
    if (o2 && o1) { /* cas, casa, casl, casal */
        static const char *const names[2][2] = {{"cas", "casl"}, {"casa", "casal"}};
        if (rt2 != 31)
            return false;
        set_name(a, names[load][o0], suffix);
        set_data(a, 0, rs, file);
        set_data(a, 1, rt, file);
        a->use = INQ_READS | INQ_WRITES;
        return true;
    }
    if (o1) { /* pairs: stxp, stlxp, ldxp, ldaxp; size 0x: casp */
        if (size < 2)
            return false;
        set_name(a, load ? (o0 ? "ldaxp" : "ldxp") : (o0 ? "stlxp" : "stxp"), "");
        a->size *= 2;
        set_data(a, 1, rt2, file);
    } else if (o2) {
        set_name(a, load ? (o0 ? "ldar" : "ldlar") : (o0 ? "stlr" : "stllr"), suffix);
    } else {
        set_name(a, load ? (o0 ? "ldaxr" : "ldxr") : (o0 ? "stlxr" : "stxr"), suffix);
    }
    set_data(a, 0, rt, file);
    a->use = load ? INQ_READS : INQ_WRITES;
    if (!load && !o2)
        a->status = (int)rs;
    return true;
}

/* opc 011 V 00 imm19 Rt */
static bool decode_literal(uint32_t code, struct access *a)
{
    uint32_t opc = bits(code, 31, 30);
    bool vector = bits(code, 26, 26);

    if (opc == 3) /* prfm, and nothing with V */
        return false;
    set_name(a, !vector && opc == 2 ? "ldrsw" : "ldr", "");
    set_data(a, 0, bits(code, 4, 0), vector ? "sdq"[opc] : opc == 0 ? 'w' : 'x');
    a->use = INQ_READS;
    a->size = vector ? 4u << opc : opc == 1 ? 8 : 4;
    a->mode = LITERAL;
    a->offset = sign_extend(bits(code, 23, 5), 19) * 4;
    return true;
}

/* opc 101 V mode L imm7 Rt2 Rn Rt */
static bool decode_pair(uint32_t code, struct access *a)
{
    static const enum mode modes[] = {OFFSET, POST, OFFSET, PRE};
    uint32_t opc = bits(code, 31, 30), kind = bits(code, 24, 23), load = bits(code, 22, 22);
    bool vector = bits(code, 26, 26), word = !vector && opc == 1;

    if (opc == 3 || (word && (kind == 0 || !load))) /* stgp among them */
        return false;
    set_name(a, load ? (kind == 0 ? "ldnp" : "ldp") : (kind == 0 ? "stnp" : "stp"),
             word ? "sw" : "");
    char file = vector ? "sdq"[opc] : opc == 0 ? 'w' : 'x';
    unsigned scale = vector ? 2 + opc : opc == 2 ? 3 : 2;
    set_data(a, 0, bits(code, 4, 0), file);
    set_data(a, 1, bits(code, 14, 10), file);
    a->use = load ? INQ_READS : INQ_WRITES;
    a->size = 2u << scale;
    a->mode = modes[kind];
    a->offset = sign_extend(bits(code, 21, 15), 7) * (1 << scale);
    return true;
}

/* The name and register of size, V and opc, which three groups share; `stem` is "r", "ur" or "tr".
 */
static bool name_single(uint32_t code, const char *stem, struct access *a)
{
    uint32_t size = bits(code, 31, 30), opc = bits(code, 23, 22);
    bool vector = bits(code, 26, 26);
    unsigned scale = size, rt = bits(code, 4, 0);
    char text[8];

    if (vector) {
        scale += (opc & 2) * 2;
        if (scale > 4)
            return false;
        snprintf(text, sizeof(text), "%s%s", opc & 1 ? "ld" : "st", stem);
        set_name(a, text, "");
        set_data(a, 0, rt, vector_files[scale]);
        a->use = opc & 1 ? INQ_READS : INQ_WRITES;
    } else if (opc < 2) {
        snprintf(text, sizeof(text), "%s%s", opc ? "ld" : "st", stem);
        set_name(a, text, plain_suffixes[size]);
        set_data(a, 0, rt, size == 3 ? 'x' : 'w');
        a->use = opc ? INQ_READS : INQ_WRITES;
    } else { /* with sign; prfm is size 3, opc 2 */
        static const char *const signs[] = {"sb", "sh", "sw"};
        if (size == 3 || (size == 2 && opc == 3))
            return false;
        snprintf(text, sizeof(text), "ld%s", stem);
        set_name(a, text, signs[size]);
        set_data(a, 0, rt, opc == 2 ? 'x' : 'w');
        a->use = INQ_READS;
    }
    a->size = 1u << scale;
    return true;
}

/* size 111 V 01 opc imm12 Rn Rt */
static bool decode_unsigned(uint32_t code, struct access *a)
{
    if (!name_single(code, "r", a))
        return false;
    a->offset = (int64_t)bits(code, 21, 10) * a->size;
    return true;
}

/* size 111 V 00 opc 0 imm9 mode Rn Rt: unscaled, after, unprivileged, before */
static bool decode_imm9(uint32_t code, struct access *a)
{
    static const char *const stems[] = {"ur", "r", "tr", "r"};
    static const enum mode modes[] = {OFFSET, POST, OFFSET, PRE};
    uint32_t kind = bits(code, 11, 10);

    if (!name_single(code, stems[kind], a) || (kind == 2 && bits(code, 26, 26)))
        return false;
    a->mode = modes[kind];
    a->offset = sign_extend(bits(code, 20, 12), 9);
    return true;
}

/* size 111 V 00 opc 1 Rm option S 10 Rn Rt */
static bool decode_indexed(uint32_t code, struct access *a)
{
    unsigned scale = 0;

    if (!name_single(code, "r", a))
        return false;
    a->extend = bits(code, 15, 13);
    if (!(a->extend & 2))
        return false;
    while (1u << scale < a->size)
        scale++;
    a->mode = INDEXED;
    a->index = bits(code, 20, 16);
    a->shifts = bits(code, 12, 12);
    a->shift = a->shifts ? scale : 0;
    return true;
}

/* size 111 V 00 A R 1 Rs o3 opc 00 Rn Rt: read, compute, write; and ldapr */
static bool decode_atomic(uint32_t code, struct access *a)
{
    static const char *const names[] = {"ldadd",  "ldclr",  "ldeor",  "ldset",
                                        "ldsmax", "ldsmin", "ldumax", "ldumin"};
    static const char *const orders[] = {"", "l", "a", "al"};
    uint32_t size = bits(code, 31, 30), order = bits(code, 23, 22), opc = bits(code, 14, 12);
    unsigned rs = bits(code, 20, 16), rt = bits(code, 4, 0);
    char file = size == 3 ? 'x' : 'w', text[12];

    if (bits(code, 26, 26))
        return false;
    a->size = 1u << size;
    if (bits(code, 15, 15)) {
        if (opc == 4 && order == 2 && rs == 31) {
            set_name(a, "ldapr", plain_suffixes[size]);
            set_data(a, 0, rt, file);
            a->use = INQ_READS;
            return true;
        }
        if (opc != 0)
            return false;
        snprintf(text, sizeof(text), "swp%s", orders[order]);
    } else if (rt == 31 && order < 2) { /* nobody wants the old value: stadd and its like */
        snprintf(text, sizeof(text), "st%s%s", names[opc] + 2, orders[order]);
    } else {
        snprintf(text, sizeof(text), "%s%s", names[opc], orders[order]);
    }
    set_name(a, text, plain_suffixes[size]);
    set_data(a, 0, rs, file);
    if (text[0] != 's' || text[1] != 't')
        set_data(a, 1, rt, file);
    a->use = INQ_READS | INQ_WRITES;
    a->isa = "LSE";
    return true;
}

/* size 011001 opc 0 imm9 00 Rn Rt: ldapur and stlur */
static bool decode_ordered(uint32_t code, struct access *a)
{
    uint32_t size = bits(code, 31, 30), opc = bits(code, 23, 22);
    static const char *const suffixes[4][4] = {
        {"b", "b", "sb", "sb"}, {"h", "h", "sh", "sh"}, {"", "", "sw", NULL}, {"", "", NULL, NULL}};

    if (bits(code, 21, 21) || bits(code, 11, 10) || !suffixes[size][opc])
        return false;
    set_name(a, opc == 0 ? "stlur" : "ldapur", suffixes[size][opc]);
    set_data(a, 0, bits(code, 4, 0), size == 3 || opc == 2 ? 'x' : 'w');
    a->use = opc == 0 ? INQ_WRITES : INQ_READS;
    a->size = 1u << size;
    a->offset = sign_extend(bits(code, 20, 12), 9);
    return true;
}

static bool decode_single(uint32_t code, struct access *a)
{
    if (bits(code, 24, 24))
        return decode_unsigned(code, a);
    if (!bits(code, 21, 21))
        return decode_imm9(code, a);
    if (bits(code, 11, 10) == 2)
        return decode_indexed(code, a);
    return bits(code, 11, 10) == 0 && decode_atomic(code, a);
}

static bool decode_access(uint32_t code, struct access *a)
{
    *a = (struct access){.status = -1, .base = bits(code, 9, 5)};
    if (bits(code, 29, 24) == 0x08)
        return decode_exclusive(code, a);
    if (bits(code, 29, 24) == 0x19)
        return decode_ordered(code, a);
    if (bits(code, 29, 27) == 3 && bits(code, 25, 24) == 0)
        return decode_literal(code, a);
    if (bits(code, 29, 27) == 5 && bits(code, 25, 25) == 0)
        return decode_pair(code, a);
    return bits(code, 29, 27) == 7 && bits(code, 25, 25) == 0 && decode_single(code, a);
}

/* "x5"; register 31 is sp as a base and zero as data or index. */
static const char *register_text(char file, unsigned number, bool is_base, char buf[16])
{
    if (number == 31 && (file == 'x' || file == 'w'))
        snprintf(buf, 16, "%s", is_base ? "sp" : file == 'x' ? "xzr" : "wzr");
    else
        snprintf(buf, 16, "%c%u", file, number);
    return buf;
}

static void put_operand_text(const struct access *a, uint64_t pc, char *buf, size_t size)
{
    static const char *const extends[] = {"", "", "uxtw", "lsl", "", "", "sxtw", "sxtx"};
    char base[16], index[16], shift[16] = "";

    register_text('x', a->base, true, base);
    switch (a->mode) {
    case LITERAL:
        snprintf(buf, size, "0x%" PRIx64, pc + (uint64_t)a->offset);
        break;
    case INDEXED:
        register_text(a->extend & 1 ? 'x' : 'w', a->index, false, index);
        if (a->shifts)
            snprintf(shift, sizeof(shift), " #%u", a->shift);
        if (a->extend == 3 && !a->shifts)
            snprintf(buf, size, "[%s, %s]", base, index);
        else
            snprintf(buf, size, "[%s, %s, %s%s]", base, index, extends[a->extend], shift);
        break;
    case PRE:
        snprintf(buf, size, "[%s, #%" PRId64 "]!", base, a->offset);
        break;
    case POST:
        snprintf(buf, size, "[%s], #%" PRId64, base, a->offset);
        break;
    default:
        if (a->offset == 0)
            snprintf(buf, size, "[%s]", base);
        else
            snprintf(buf, size, "[%s, #%" PRId64 "]", base, a->offset);
    }
}

static void put_text(const struct access *a, const char *operand, char *buf, size_t size)
{
    char data[48] = "", name[16];
    size_t used = 0;

    if (a->status >= 0)
        used += (size_t)snprintf(data, sizeof(data), "%s, ",
                                 register_text('w', (unsigned)a->status, false, name));
    for (size_t i = 0; i < a->n_data && used < sizeof(data); i++)
        used += (size_t)snprintf(data + used, sizeof(data) - used, "%s, ",
                                 register_text(a->data_file[i], a->data[i], false, name));
    snprintf(buf, size, "%s %s%s", a->name, data, operand);
}

static uint64_t extended(uint64_t value, unsigned extend)
{
    return extend == 2 ? (uint32_t)value : extend == 6 ? (uint64_t)(int64_t)(int32_t)value : value;
}

static bool set_address(const struct inq_decode_input *input, const struct access *a,
                        struct inq_operand *operand)
{
    char name[16];
    uint64_t index;

    if (a->mode == LITERAL) {
        operand->address = input->address + (uint64_t)a->offset;
        return true;
    }
    if (!inq_operand_use_register(operand, input, register_text('x', a->base, true, name),
                                  &operand->base_value, &operand->base))
        return false;
    operand->address = operand->base_value;
    if (a->mode == INDEXED && a->index != 31) {
        register_text('x', a->index, false, name);
        if (!inq_operand_use_register(operand, input, name, &index, &operand->index))
            return false;
        operand->index_value = extended(index, a->extend);
        operand->address += operand->index_value << a->shift;
    } else if (a->mode != POST) { /* there the register moves afterwards */
        operand->address += (uint64_t)a->offset;
    }
    return true;
}

/* Instructions that fail on purpose. */
static bool decode_exception(uint32_t code, struct inq_instruction *out)
{
    if ((code & 0xffe0001f) == 0xd4200000)
        snprintf(out->text, sizeof(out->text), "brk #0x%" PRIx32, bits(code, 20, 5));
    else if (code >> 16 == 0)
        snprintf(out->text, sizeof(out->text), "udf #%" PRIu32, code);
    out->undefined = code >> 16 == 0;
    out->breakpoint = out->text[0] != '\0' && !out->undefined;
    return out->text[0] != '\0';
}

enum inq_decoded inq_decode_aarch64(const struct inq_decode_input *input,
                                    struct inq_instruction *ret_instruction)
{
    struct inq_instruction out = {.address = input->address, .size = 4};
    struct access a;

    if (input->size < 4)
        return INQ_DECODED_CUT;
    uint32_t code = inq_code_unit(input->bytes, 4, false);
    memcpy(out.bytes, input->bytes, 4);
    if (!decode_exception(code, &out)) {
        if (!decode_access(code, &a))
            return INQ_DECODED_UNKNOWN;
        struct inq_operand *operand = inq_instruction_add(&out, a.use, a.size);
        out.isa = a.isa;
        put_operand_text(&a, input->address, operand->text, sizeof(operand->text));
        put_text(&a, operand->text, out.text, sizeof(out.text));
        operand->has_address = set_address(input, &a, operand);
        if (!operand->has_address)
            operand->unknown = "a register of the operand is not in the dump";
    }
    *ret_instruction = out;
    return INQ_DECODED;
}

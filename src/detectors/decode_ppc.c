/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "decode.h"

/* What a form does besides a plain load. */
#define STORES 1u
#define UPDATES 2u   /* the address goes back to RA, which must not be r0 */
#define FLOATS 4u    /* data in f0…f31 */
#define VECTOR 8u    /* data in v0…v31, the address is cut to a multiple of the size */
#define VSX 16u      /* data in vs0…vs63 */
#define MULTIPLE 32u /* registers RT…r31 */
#define LINE 64u     /* a cache line, whose size is not known here */

struct form {
    const char *name;
    uint8_t size;
    uint8_t flags;
};

/* Opcodes 32 to 55: D form. */
static const struct form d_forms[] = {
    {"lwz", 4, 0},
    {"lwzu", 4, UPDATES},
    {"lbz", 1, 0},
    {"lbzu", 1, UPDATES},
    {"stw", 4, STORES},
    {"stwu", 4, STORES | UPDATES},
    {"stb", 1, STORES},
    {"stbu", 1, STORES | UPDATES},
    {"lhz", 2, 0},
    {"lhzu", 2, UPDATES},
    {"lha", 2, 0},
    {"lhau", 2, UPDATES},
    {"sth", 2, STORES},
    {"sthu", 2, STORES | UPDATES},
    {"lmw", 4, MULTIPLE},
    {"stmw", 4, STORES | MULTIPLE},
    {"lfs", 4, FLOATS},
    {"lfsu", 4, FLOATS | UPDATES},
    {"lfd", 8, FLOATS},
    {"lfdu", 8, FLOATS | UPDATES},
    {"stfs", 4, FLOATS | STORES},
    {"stfsu", 4, FLOATS | STORES | UPDATES},
    {"stfd", 8, FLOATS | STORES},
    {"stfdu", 8, FLOATS | STORES | UPDATES},
};

/* Opcode 31: X form, by the ten bits of its second opcode. */
static const struct {
    uint16_t second;
    struct form form;
} x_forms[] = {
    {7, {"lvebx", 1, VECTOR}},
    {20, {"lwarx", 4, 0}},
    {21, {"ldx", 8, 0}},
    {23, {"lwzx", 4, 0}},
    {39, {"lvehx", 2, VECTOR}},
    {52, {"lbarx", 1, 0}},
    {53, {"ldux", 8, UPDATES}},
    {55, {"lwzux", 4, UPDATES}},
    {71, {"lvewx", 4, VECTOR}},
    {84, {"ldarx", 8, 0}},
    {87, {"lbzx", 1, 0}},
    {103, {"lvx", 16, VECTOR}},
    {116, {"lharx", 2, 0}},
    {119, {"lbzux", 1, UPDATES}},
    {135, {"stvebx", 1, VECTOR | STORES}},
    {149, {"stdx", 8, STORES}},
    {150, {"stwcx.", 4, STORES}},
    {151, {"stwx", 4, STORES}},
    {167, {"stvehx", 2, VECTOR | STORES}},
    {181, {"stdux", 8, STORES | UPDATES}},
    {183, {"stwux", 4, STORES | UPDATES}},
    {199, {"stvewx", 4, VECTOR | STORES}},
    {214, {"stdcx.", 8, STORES}},
    {215, {"stbx", 1, STORES}},
    {231, {"stvx", 16, VECTOR | STORES}},
    {247, {"stbux", 1, STORES | UPDATES}},
    {279, {"lhzx", 2, 0}},
    {311, {"lhzux", 2, UPDATES}},
    {332, {"lxvdsx", 8, VSX}},
    {341, {"lwax", 4, 0}},
    {343, {"lhax", 2, 0}},
    {359, {"lvxl", 16, VECTOR}},
    {373, {"lwaux", 4, UPDATES}},
    {375, {"lhaux", 2, UPDATES}},
    {407, {"sthx", 2, STORES}},
    {439, {"sthux", 2, STORES | UPDATES}},
    {487, {"stvxl", 16, VECTOR | STORES}},
    {532, {"ldbrx", 8, 0}},
    {534, {"lwbrx", 4, 0}},
    {535, {"lfsx", 4, FLOATS}},
    {567, {"lfsux", 4, FLOATS | UPDATES}},
    {588, {"lxsdx", 8, VSX}},
    {599, {"lfdx", 8, FLOATS}},
    {631, {"lfdux", 8, FLOATS | UPDATES}},
    {660, {"stdbrx", 8, STORES}},
    {662, {"stwbrx", 4, STORES}},
    {663, {"stfsx", 4, FLOATS | STORES}},
    {694, {"stbcx.", 1, STORES}},
    {695, {"stfsux", 4, FLOATS | STORES | UPDATES}},
    {716, {"stxsdx", 8, VSX | STORES}},
    {726, {"sthcx.", 2, STORES}},
    {727, {"stfdx", 8, FLOATS | STORES}},
    {759, {"stfdux", 8, FLOATS | STORES | UPDATES}},
    {780, {"lxvw4x", 16, VSX}},
    {790, {"lhbrx", 2, 0}},
    {844, {"lxvd2x", 16, VSX}},
    {908, {"stxvw4x", 16, VSX | STORES}},
    {918, {"sthbrx", 2, STORES}},
    {972, {"stxvd2x", 16, VSX | STORES}},
    {1014, {"dcbz", 0, STORES | LINE}},
};

struct access {
    struct form form;
    bool indexed; /* RA + RB, else RA + offset */
    bool hint;    /* the EH bit of a load and reserve */
    unsigned rt, ra, rb;
    int32_t offset;
};

static bool find_x_form(uint32_t code, struct access *a)
{
    uint32_t second = (code >> 1) & 0x3ff;
    bool conditional; /* the forms that end in a dot have the last bit set, others have not */

    for (size_t i = 0; i < INQ_ARRAY_SIZE(x_forms); i++) {
        if (x_forms[i].second != second)
            continue;
        a->form = x_forms[i].form;
        a->indexed = true;
        conditional = strchr(a->form.name, '.') != NULL;
        if (a->form.flags & VSX) { /* there it is the register number's highest bit */
            a->rt += (code & 1) * 32;
            return true;
        }
        if (strstr(a->form.name, "arx")) { /* there it is a hint */
            a->hint = code & 1;
            return true;
        }
        return (code & 1) == conditional && !((a->form.flags & LINE) && a->rt != 0);
    }
    return false;
}

/* DS form: the two lowest bits are part of the opcode. DQ form: lxv and stxv, three of them. */
static bool find_ds_form(uint32_t code, uint32_t opcode, struct access *a)
{
    static const struct form loads[] = {{"ld", 8, 0}, {"ldu", 8, UPDATES}, {"lwa", 4, 0}};
    static const struct form stores[] = {{"std", 8, STORES}, {"stdu", 8, STORES | UPDATES}};
    uint32_t second = code & 3;

    a->offset = (int16_t)(code & 0xfffc);
    if (opcode == 58 && second < INQ_ARRAY_SIZE(loads)) {
        a->form = loads[second];
        return true;
    }
    if (opcode == 62 && second < INQ_ARRAY_SIZE(stores)) {
        a->form = stores[second];
        return true;
    }
    if (opcode != 61 || (code & 3) != 1)
        return false;
    a->form = code & 4 ? (struct form){"stxv", 16, VSX | STORES} : (struct form){"lxv", 16, VSX};
    a->rt += (code >> 3 & 1) * 32;
    a->offset = (int16_t)(code & 0xfff0);
    return true;
}

static bool find_any_form(uint32_t code, struct access *a)
{
    uint32_t opcode = code >> 26;

    *a = (struct access){.rt = code >> 21 & 31, .ra = code >> 16 & 31, .rb = code >> 11 & 31};
    a->offset = (int16_t)(code & 0xffff);
    if (opcode >= 32 && opcode < 32 + INQ_ARRAY_SIZE(d_forms)) {
        a->form = d_forms[opcode - 32];
        return true;
    }
    return opcode == 31 ? find_x_form(code, a) : find_ds_form(code, opcode, a);
}

/* Forms that the architecture calls invalid are left alone. */
static bool find_form(uint32_t code, struct access *a)
{
    bool loads_whole;

    if (!find_any_form(code, a))
        return false;
    loads_whole = !(a->form.flags & (STORES | FLOATS));
    return !(a->form.flags & UPDATES) || (a->ra != 0 && !(loads_whole && a->ra == a->rt));
}

static bool add_register(struct inq_operand *operand, const struct inq_decode_input *input,
                         unsigned number, uint64_t *ret_value, const char **ret_name)
{
    char name[16];

    snprintf(name, sizeof(name), "r%u", number);
    return inq_operand_use_register(operand, input, name, ret_value, ret_name);
}

/* RA is zero, not r0, as the first part of an address. */
static bool set_address(const struct inq_decode_input *input, const struct access *a,
                        struct inq_operand *operand)
{
    bool wide = input->core->cpu && input->core->cpu->word_bytes == 8;
    uint64_t address = a->indexed ? 0 : (uint64_t)(int64_t)a->offset;

    if (a->ra != 0 && !add_register(operand, input, a->ra, &operand->base_value, &operand->base))
        return false;
    address += operand->base_value;
    if (a->indexed && !add_register(operand, input, a->rb, &operand->index_value, &operand->index))
        return false;
    address += operand->index_value;
    if (a->form.flags & VECTOR)
        address &= ~(uint64_t)(a->form.size - 1u);
    operand->address = wide ? address : (uint32_t)address;
    return true;
}

static void set_texts(const struct access *a, struct inq_operand *operand,
                      struct inq_instruction *out)
{
    const char *file = a->form.flags & FLOATS   ? "f"
                       : a->form.flags & VECTOR ? "v"
                       : a->form.flags & VSX    ? "vs"
                                                : "r";
    char base[16] = "0", data[16] = "";

    if (a->ra != 0)
        snprintf(base, sizeof(base), "r%u", a->ra);
    if (a->indexed)
        snprintf(operand->text, sizeof(operand->text), "%s,r%u", base, a->rb);
    else
        snprintf(operand->text, sizeof(operand->text), "%" PRId32 "(%s)", a->offset, base);
    if (!(a->form.flags & LINE))
        snprintf(data, sizeof(data), "%s%u,", file, a->rt);
    snprintf(out->text, sizeof(out->text), "%s %s%s%s", a->form.name, data, operand->text,
             a->hint ? ",1" : "");
}

enum inq_decoded inq_decode_ppc(const struct inq_decode_input *input,
                                struct inq_instruction *ret_instruction)
{
    struct inq_instruction out = {.address = input->address, .size = 4};
    struct access a;

    if (input->size < 4)
        return INQ_DECODED_CUT;
    uint32_t code = inq_code_unit(input->bytes, 4, input->core->big_endian);
    memcpy(out.bytes, input->bytes, 4);
    if (code == 0x7fe00008) {
        snprintf(out.text, sizeof(out.text), "trap");
        out.breakpoint = true;
        *ret_instruction = out;
        return INQ_DECODED;
    }
    if (!find_form(code, &a))
        return INQ_DECODED_UNKNOWN;
    struct inq_operand *operand =
        inq_instruction_add(&out, a.form.flags & STORES ? INQ_WRITES : INQ_READS,
                            a.form.flags & MULTIPLE ? 4u * (32u - a.rt) : a.form.size);
    operand->has_address = set_address(input, &a, operand);
    if (!operand->has_address)
        operand->unknown = "a register of the operand is not in the dump";
    if (a.form.flags & LINE) {
        operand->has_address = false;
        operand->unknown = "the size of this CPU's cache lines is not in the dump";
    }
    set_texts(&a, operand, &out);
    *ret_instruction = out;
    return INQ_DECODED;
}

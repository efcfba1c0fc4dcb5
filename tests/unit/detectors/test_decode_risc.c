/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "decode_table.h"
#include "detectors_tests.h"
#include "dump.h"

#define R INQ_READS
#define W INQ_WRITES
#define RW (INQ_READS | INQ_WRITES)
#define NONE                                                                                       \
    {                                                                                              \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }

/* The texts are what binutils 2.40 prints for these words. */
static const struct decode_row aarch64_rows[] = {
    {"410840f9", "ldr x1, [x2, #16]", {{"[x2, #16]", R, 0x2010, 8}}},
    {"410000b9", "str w1, [x2]", {{"[x2]", W, 0x2000, 4}}},
    {"41004039", "ldrb w1, [x2]", {{"[x2]", R, 0x2000, 1}}},
    {"41008039", "ldrsb x1, [x2]", {{"[x2]", R, 0x2000, 1}}},
    {"41f05ff8", "ldur x1, [x2, #-1]", {{"[x2, #-1]", R, 0x1fff, 8}}},
    {"418c1ff8", "str x1, [x2, #-8]!", {{"[x2, #-8]!", W, 0x1ff8, 8}}},
    {"418440f8", "ldr x1, [x2], #8", {{"[x2], #8", R, 0x2000, 8}}},
    {"417863f8", "ldr x1, [x2, x3, lsl #3]", {{"[x2, x3, lsl #3]", R, 0x2000 - 8 * 8, 8}}},
    {"416863b8", "ldr w1, [x2, x3]", {{"[x2, x3]", R, 0x1ff8, 4}}},
    {"414863b8", "ldr w1, [x2, w3, uxtw]", {{"[x2, w3, uxtw]", R, 0x2000 + 0xfffffff8ull, 4}}},
    {"41d823b8", "str w1, [x2, w3, sxtw #2]", {{"[x2, w3, sxtw #2]", W, 0x2000 - 32, 4}}},
    {"ff8300f8", "stur xzr, [sp, #8]", {{"[sp, #8]", W, 0x7008, 8}}},
    {"fd7bbfa9", "stp x29, x30, [sp, #-16]!", {{"[sp, #-16]!", W, 0x6ff0, 16}}},
    {"fd7bc1a8", "ldp x29, x30, [sp], #16", {{"[sp], #16", R, 0x7000, 16}}},
    {"400441ad", "ldp q0, q1, [x2, #32]", {{"[x2, #32]", R, 0x2020, 32}}},
    {"40044168", NULL, NONE},
    {"40044169", "ldpsw x0, x1, [x2, #8]", {{"[x2, #8]", R, 0x2008, 8}}},
    {"41008058", "ldr x1, 0x301008", {{"0x301008", R, 0x301008, 8}}},
    {"4000803d", "str q0, [x2]", {{"[x2]", W, 0x2000, 16}}},
    {"41fc5fc8", "ldaxr x1, [x2]", {{"[x2]", R, 0x2000, 8}}},
    {"417c0388", "stxr w3, w1, [x2]", {{"[x2]", W, 0x2000, 4}}},
    {"41fcdf88", "ldar w1, [x2]", {{"[x2]", R, 0x2000, 4}}},
    {"417ce388", "casa w3, w1, [x2]", {{"[x2]", RW, 0x2000, 4}}},
    {"4100e3b8", "ldaddal w3, w1, [x2]", {{"[x2]", RW, 0x2000, 4}}},
    {"5f0023b8", "stadd w3, [x2]", {{"[x2]", RW, 0x2000, 4}}},
    {"4180e3f8", "swpal x3, x1, [x2]", {{"[x2]", RW, 0x2000, 8}}},
    {"41c0bff8", "ldapr x1, [x2]", {{"[x2]", R, 0x2000, 8}}},
    {"410080f9", NULL, NONE}, /* prfm */
    {"4100400c", NULL, NONE}, /* ld4 */
    {"200020d4", "brk #0x1", NONE},
    {"00000000", "udf #0", NONE},
    {"1f2003d5", NULL, NONE}, /* nop: no load or store */
};

static void test_aarch64(void **state)
{
    struct inq_instruction instruction;
    struct decode_cpu cpu;
    (void)state;

    decode_cpu_init(&cpu, EM_AARCH64, 64, false);
    decode_cpu_set(&cpu, "x2", 0x2000);
    decode_cpu_set(&cpu, "x3", (uint64_t)-8);
    decode_cpu_set(&cpu, "sp", 0x7000);
    decode_check_rows(&cpu, aarch64_rows, INQ_ARRAY_SIZE(aarch64_rows));
    assert_int_equal(decode_hex(&cpu, "410840", &instruction), INQ_DECODED_CUT);
    assert_int_equal(decode_hex(&cpu, "00000000", &instruction), INQ_DECODED);
    assert_true(instruction.undefined);
}

/* Big-endian words. r29 is 0x29000, r30 0x10, r1 0x1000. */
static const struct decode_row ppc_rows[] = {
    {"893d0000", "lbz r9,0(r29)", {{"0(r29)", R, 0x29000, 1}}},
    {"913dfff8", "stw r9,-8(r29)", {{"-8(r29)", W, 0x28ff8, 4}}},
    {"9421ffe0", "stwu r1,-32(r1)", {{"-32(r1)", W, 0xfe0, 4}}},
    {"80001234", "lwz r0,4660(0)", {{"4660(0)", R, 0x1234, 4}}},
    {"bfc10008", "stmw r30,8(r1)", {{"8(r1)", W, 0x1008, 8}}},
    {"c83d0010", "lfd f1,16(r29)", {{"16(r29)", R, 0x29010, 8}}},
    {"7d3df0ae", "lbzx r9,r29,r30", {{"r29,r30", R, 0x29010, 1}}},
    {"7d20f0ae", "lbzx r9,0,r30", {{"0,r30", R, 0x10, 1}}},
    {"7c00f7ec", "dcbz 0,r30", {{"0,r30", W, DECODE_NOWHERE, 0}}},
    {"8d290001", NULL, NONE}, /* lbzu r9,1(r9): loads what it updates */
    {"38210010", NULL, NONE}, /* addi */
    {"7fe00008", "trap", NONE},
};

static const struct decode_row ppc64_rows[] = {
    {"e93dfff0", "ld r9,-16(r29)", {{"-16(r29)", R, 0x100028ff0ull, 8}}},
    {"f93d0008", "std r9,8(r29)", {{"8(r29)", W, 0x100029008ull, 8}}},
    {"e93d0009", "ldu r9,8(r29)", {{"8(r29)", R, 0x100029008ull, 8}}},
    {"e93d000a", "lwa r9,8(r29)", {{"8(r29)", R, 0x100029008ull, 4}}},
    {"7c3df0ce", "lvx v1,r29,r30", {{"r29,r30", R, 0x100029010ull, 16}}},
    {"7d20f0a8", "ldarx r9,0,r30", {{"0,r30", R, 0x18, 8}}},
    {"7d20f1ad", "stdcx. r9,0,r30", {{"0,r30", W, 0x18, 8}}},
    {"7c3df699", "lxvd2x vs33,r29,r30", {{"r29,r30", R, 0x100029018ull, 16}}},
    {"f43d0019", "lxv vs33,16(r29)", {{"16(r29)", R, 0x100029010ull, 16}}},
};

static void test_ppc(void **state)
{
    struct inq_instruction instruction;
    struct decode_cpu cpu;
    (void)state;

    decode_cpu_init(&cpu, EM_PPC, 32, true);
    decode_cpu_set(&cpu, "r29", 0x29000);
    decode_cpu_set(&cpu, "r30", 0x10);
    decode_cpu_set(&cpu, "r1", 0x1000);
    decode_check_rows(&cpu, ppc_rows, INQ_ARRAY_SIZE(ppc_rows));
    decode_cpu_set(&cpu, "r1", 0x10); /* 32 bits wrap */
    assert_int_equal(decode_hex(&cpu, "9421ffe0", &instruction), INQ_DECODED);
    assert_int_equal(instruction.operands[0].address, 0xfffffff0);

    decode_cpu_init(&cpu, EM_PPC64, 64, true);
    decode_cpu_set(&cpu, "r29", 0x100029000);
    decode_cpu_set(&cpu, "r30", 0x18); /* vectors are cut to sixteen bytes */
    decode_check_rows(&cpu, ppc64_rows, INQ_ARRAY_SIZE(ppc64_rows));
    decode_cpu_init(&cpu, EM_PPC64, 64, false);
    assert_int_equal(decode_hex(&cpu, "f0ff3de9", &instruction), INQ_DECODED);
    assert_string_equal(instruction.text, "ld r9,-16(r29)");
}

static const struct decode_row riscv_rows[] = {
    {"9c43", "lw a5,0(a5)", {{"0(a5)", R, 0x5000, 4}}},
    {"03358100", "ld a0,8(sp)", {{"8(sp)", R, 0x7008, 8}}},
    {"233c11fe", "sd ra,-8(sp)", {{"-8(sp)", W, 0x6ff8, 8}}},
    {"83c70700", "lbu a5,0(a5)", {{"0(a5)", R, 0x5000, 1}}},
    {"83230000", "lw t2,0(zero)", {{"0(zero)", R, 0, 4}}},
    {"07b50501", "fld fa0,16(a1)", {{"16(a1)", R, 0x1010, 8}}},
    {"27a2a500", "fsw fa0,4(a1)", {{"4(a1)", W, 0x1004, 4}}},
    {"2f25b606", "amoadd.w.aqrl a0,a1,(a2)", {{"(a2)", RW, 0x2000, 4}}},
    {"2fb50510", "lr.d a0,(a1)", {{"(a1)", R, 0x1000, 8}}},
    {"2f25b618", "sc.w a0,a1,(a2)", {{"(a2)", W, 0x2000, 4}}},
    {"a260", "ld ra,8(sp)", {{"8(sp)", R, 0x7008, 8}}},
    {"22e8", "sd s0,16(sp)", {{"16(sp)", W, 0x7010, 8}}},
    {"5cc1", "sw a5,4(a0)", {{"4(a0)", W, 4, 4}}},
    {"0290", "ebreak", NONE},
    {"73001000", "ebreak", NONE},
    {"13000000", NULL, NONE},
    {"0000", NULL, NONE},
    {"1f00", NULL, NONE}, /* longer than 32 bits */
};

static void test_riscv(void **state)
{
    struct inq_instruction instruction;
    struct decode_cpu cpu;
    (void)state;

    decode_cpu_init(&cpu, EM_RISCV, 64, false);
    decode_cpu_set(&cpu, "sp", 0x7000);
    decode_cpu_set(&cpu, "a1", 0x1000);
    decode_cpu_set(&cpu, "a2", 0x2000);
    decode_cpu_set(&cpu, "a5", 0x5000);
    decode_check_rows(&cpu, riscv_rows, INQ_ARRAY_SIZE(riscv_rows));
    assert_int_equal(decode_hex(&cpu, "0335", &instruction), INQ_DECODED_CUT);
    assert_int_equal(decode_hex(&cpu, "03", &instruction), INQ_DECODED_CUT);
}

static void test_other_cpus(void **state)
{
    static const struct {
        uint16_t machine;
        uint8_t elf_class;
        bool big_endian;
    } cpus[] = {
        {EM_S390, 64, true}, {EM_ARM, 32, false}, {EM_SPARCV9, 64, true}, {EM_68K, 32, true}};
    struct inq_instruction instruction;
    (void)state;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(cpus); i++) {
        struct decode_cpu cpu;
        decode_cpu_init(&cpu, cpus[i].machine, cpus[i].elf_class, cpus[i].big_endian);
        assert_int_equal(decode_hex(&cpu, "00000000", &instruction), INQ_DECODED_NO_TABLE);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void check_sane(const struct inq_instruction *in, size_t size)
{
    assert_in_range(in->size, 1, size);
    assert_in_range(strlen(in->text), 1, sizeof(in->text) - 1);
    for (const char *c = in->text; *c; c++)
        assert_in_range(*c, ' ', '~');
    assert_in_range(in->n_operands, 0, INQ_MAX_OPERANDS);
    for (size_t i = 0; i < in->n_operands; i++) {
        const struct inq_operand *operand = &in->operands[i];
        assert_in_range(strlen(operand->text), 1, sizeof(operand->text) - 1);
        assert_in_range(operand->n_registers, 0, INQ_MAX_OPERAND_REGISTERS);
        assert_true(operand->reach > 0 && operand->alignment > 0);
        assert_true(operand->has_address == (operand->unknown == NULL));
    }
}

/* A million instructions that nobody wrote: nothing is read beyond the bytes given. */
static void test_random_bytes(void **state)
{
    static const struct {
        uint16_t machine;
        uint8_t elf_class;
        bool big_endian;
        unsigned rounds;
    } cpus[] = {{EM_X86_64, 64, false, 300000},  {EM_386, 32, false, 200000},
                {EM_AARCH64, 64, false, 200000}, {EM_PPC, 32, true, 100000},
                {EM_PPC64, 64, false, 100000},   {EM_RISCV, 64, false, 100000}};
    uint64_t seed = 88172645463325252ull;
    (void)state;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(cpus); i++) {
        struct decode_cpu cpu;
        size_t decoded = 0;
        decode_cpu_init(&cpu, cpus[i].machine, cpus[i].elf_class, cpus[i].big_endian);
        for (size_t r = 0; r < INQ_MAX_REGISTERS; r++)
            cpu.thread.registers[r] = next_random(&seed);
        if (cpus[i].machine == EM_386)
            decode_cpu_set(&cpu, "cs", 0x23);
        for (unsigned k = 0; k < cpus[i].rounds; k++) {
            size_t size = next_random(&seed) % (INQ_MAX_INSTRUCTION_BYTES + 1);
            uint8_t *bytes = malloc(size > 0 ? size : 1); /* an edge for the sanitizer */
            struct inq_instruction in;
            for (size_t b = 0; b < size; b++)
                bytes[b] = (uint8_t)next_random(&seed);
            const struct inq_decode_input input = {.core = &cpu.core,
                                                   .thread = &cpu.thread,
                                                   .address = next_random(&seed),
                                                   .bytes = bytes,
                                                   .size = size};
            if (inq_decode(&input, &in) == INQ_DECODED) {
                check_sane(&in, size);
                decoded++;
            }
            free(bytes);
        }
        assert_true(decoded > cpus[i].rounds / 50);
    }
}

int decode_risc_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aarch64),      cmocka_unit_test(test_ppc),
        cmocka_unit_test(test_riscv),        cmocka_unit_test(test_other_cpus),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests_name("decode-risc", tests, NULL, NULL);
}

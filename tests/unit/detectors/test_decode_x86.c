/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "cleanup.h"
#include "decode_table.h"
#include "detectors_tests.h"
#include "dump.h"

#define R INQ_READS
#define W INQ_WRITES
#define RW (INQ_READS | INQ_WRITES)

#define RAX 0x11110000ull
#define RBX 0x22220000ull
#define RCX 3ull
#define RSP 0x7ffe0000ull
#define RBP 0x7ffd0000ull
#define RSI 0x66660000ull
#define RDI 0x77770000ull
#define FS 0x7f0000000000ull
#define GS 0x7e0000000000ull

static void init_64(struct decode_cpu *cpu)
{
    decode_cpu_init(cpu, EM_X86_64, 64, false);
    decode_cpu_set(cpu, "rax", RAX);
    decode_cpu_set(cpu, "rbx", RBX);
    decode_cpu_set(cpu, "rcx", RCX);
    decode_cpu_set(cpu, "rsp", RSP);
    decode_cpu_set(cpu, "rbp", RBP);
    decode_cpu_set(cpu, "rsi", RSI);
    decode_cpu_set(cpu, "rdi", RDI);
    decode_cpu_set(cpu, "r13", 0xffffffffffffff00ull);
    decode_cpu_set(cpu, "fs_base", FS);
    decode_cpu_set(cpu, "gs_base", GS);
    decode_cpu_set(cpu, "cs", 0x33);
}

static const struct decode_row rows_64[] = {
    {"c70000000000", "movl $0x0,(%rax)", {{"(%rax)", W, RAX, 4}}},
    {"8b4c9810", "mov 0x10(%rax,%rbx,4),%ecx", {{"0x10(%rax,%rbx,4)", R, RAX + 4 * RBX + 16, 4}}},
    {"488b4d08", "mov 0x8(%rbp),%rcx", {{"0x8(%rbp)", R, RBP + 8, 8}}},
    {"488b0510000000", "mov 0x10(%rip),%rax", {{"0x10(%rip)", R, 0x401017, 8}}},
    {"8b04cd00000000", "mov 0x0(,%rcx,8),%eax", {{"0x0(,%rcx,8)", R, 24, 4}}},
    {"8b042534120000", "mov 0x1234,%eax", {{"0x1234", R, 0x1234, 4}}},
    {"498b450a", "mov 0xa(%r13),%rax", {{"0xa(%r13)", R, 0xffffffffffffff0aull, 8}}},
    {"0fb64701", "movzbl 0x1(%rdi),%eax", {{"0x1(%rdi)", R, RDI + 1, 1}}},
    {"4863d2", "movslq %edx,%rdx", {{NULL}}},
    {"488d4008", "lea 0x8(%rax),%rax", {{NULL}}},
    {"0f1f4000", "nop %eax,0x0(%rax)", {{NULL}}},
    {"0f1803", "prefetchnta (%rbx)", {{NULL}}},
    /* read and written at once: one access that asks for the right to write */
    {"ff00", "incl (%rax)", {{"(%rax)", RW, RAX, 4}}},
    {"f00fb10b", "lock cmpxchg %ecx,(%rbx)", {{"(%rbx)", RW, RBX, 4}}},
    {"f048010b", "lock add %rcx,(%rbx)", {{"(%rbx)", RW, RBX, 8}}},
    {"480fc70e", "cmpxchg16b (%rsi)", {{"(%rsi)", RW, RSI, 16}}},
    /* the stack: below the pointer for what pushes */
    {"50", "push %rax", {{"-0x8(%rsp)", W, RSP - 8, 8}}},
    {"6650", "push %ax", {{"-0x2(%rsp)", W, RSP - 2, 2}}},
    {"58", "pop %rax", {{"(%rsp)", R, RSP, 8}}},
    {"e800000000", "call 0x401005", {{"-0x8(%rsp)", W, RSP - 8, 8}}},
    {"c3", "ret", {{"(%rsp)", R, RSP, 8}}},
    {"c9", "leave", {{"(%rbp)", R, RBP, 8}}},
    {"c8100000", "enter $0x10,$0x0", {{"-0x8(%rsp)", W, RSP - 8, 8}}},
    {"9c", "pushf", {{"-0x8(%rsp)", W, RSP - 8, 8}}},
    /* pop's address is counted after the pop, push's before the push */
    {"8f442408", "pop 0x8(%rsp)", {{"(%rsp)", R, RSP, 8}, {"0x8(%rsp)", W, RSP + 16, 8}}},
    {"ff742408", "push 0x8(%rsp)", {{"0x8(%rsp)", R, RSP + 8, 8}, {"-0x8(%rsp)", W, RSP - 8, 8}}},
    /* branches: the place the target comes from first */
    {"ff5318", "call *0x18(%rbx)", {{"0x18(%rbx)", R, RBX + 24, 8}, {"-0x8(%rsp)", W, RSP - 8, 8}}},
    {"ffd0", "call *%rax", {{"%rax", 0, DECODE_NOWHERE, 0}, {"-0x8(%rsp)", W, RSP - 8, 8}}},
    {"ff2500100000", "jmp *0x1000(%rip)", {{"0x1000(%rip)", R, 0x402006, 8}}},
    /* segments */
    {"648b042528000000", "mov %fs:0x28,%eax", {{"%fs:0x28", R, FS + 0x28, 4}}},
    {"65488b4308", "mov %gs:0x8(%rbx),%rax", {{"%gs:0x8(%rbx)", R, GS + RBX + 8, 8}}},
    {"64678b00", "mov %fs:(%eax),%eax", {{"%fs:(%eax)", R, FS + RAX, 4}}},
    /* strings */
    {"a4", "movsb %ds:(%rsi),%es:(%rdi)", {{"(%rsi)", R, RSI, 1}, {"(%rdi)", W, RDI, 1}}},
    {"f348ab", "rep stos %rax,%es:(%rdi)", {{"(%rdi)", W, RDI, 8}}},
    {"f3a5", "rep movsl %ds:(%rsi),%es:(%rdi)", {{"(%rsi)", R, RSI, 4}, {"(%rdi)", W, RDI, 4}}},
    {"f2ae", "repnz scas %es:(%rdi),%al", {{"(%rdi)", R, RDI, 1}}},
    {"d7", "xlat", {{"(%rbx)", R, RBX, 1}}},
    /* a bit number reaches beyond the word */
    {"480fab08", "bts %rcx,(%rax)", {{"(%rax)", RW, RAX, 8}}},
    {"0fba2805", "btsl $0x5,(%rax)", {{"(%rax)", RW, RAX, 4}}},
    /* SSE, AVX, x87 */
    {"0f284308", "movaps 0x8(%rbx),%xmm0", {{"0x8(%rbx)", R, RBX + 8, 16}}},
    {"c5fe6f00", "vmovdqu (%rax),%ymm0", {{"(%rax)", R, RAX, 32}}},
    {"62f17c482900", "vmovaps %zmm0,(%rax)", {{"(%rax)", W, RAX, 64}}},
    {"f20f2a00", "cvtsi2sdl (%rax),%xmm0", {{"(%rax)", R, RAX, 4}}},
    {"dd00", "fldl (%rax)", {{"(%rax)", R, RAX, 8}}},
    {"c4e275901c93",
     "vpgatherdd %ymm1,(%rbx,%ymm2,4),%ymm3",
     {{"(%rbx,%ymm2,4)", R, DECODE_NOWHERE, 4}}},
    {"480fae20", "xsave64 (%rax)", {{"(%rax)", RW, RAX, 0}}},
    {"f4", "hlt", {{NULL}}},
    {"0f0b", "ud2", {{NULL}}},
    {"cc", "int3", {{NULL}}},
    {"ff", NULL, {{NULL}}},
    {"06", NULL, {{NULL}}}, /* not in 64-bit code */
};

static void test_64_bit(void **state)
{
    struct decode_cpu cpu;
    (void)state;

    init_64(&cpu);
    decode_check_rows(&cpu, rows_64, INQ_ARRAY_SIZE(rows_64));
    /* bit -1 is in the word before, bit 64 in the one behind */
    decode_cpu_set(&cpu, "rcx", UINT64_MAX);
    decode_check_rows(
        &cpu, &(struct decode_row){"480fab08", "bts %rcx,(%rax)", {{"(%rax)", RW, RAX - 8, 8}}}, 1);
    decode_cpu_set(&cpu, "rcx", 64);
    decode_check_rows(
        &cpu, &(struct decode_row){"480fab08", "bts %rcx,(%rax)", {{"(%rax)", RW, RAX + 8, 8}}}, 1);
}

static void test_32_bit(void **state)
{
    static const struct decode_row rows[] = {
        {"8b00", "mov (%eax),%eax", {{"(%eax)", R, 0x11110000, 4}}},
        {"06", "push %es", {{"-0x4(%esp)", W, 0xfffefffc, 4}}},
        {"60", "pushad", {{"-0x20(%esp)", W, 0xfffeffe0, 32}}},
        {"ff20", "jmp *(%eax)", {{"(%eax)", R, 0x11110000, 4}}},
        /* 32 bits wrap */
        {"8b44040c", "mov 0xc(%esp,%eax,1),%eax", {{"0xc(%esp,%eax,1)", R, 0x1110000c, 4}}},
        /* the base of %gs is in no register of a 32-bit dump */
        {"65a118000000", "mov %gs:0x18,%eax", {{"%gs:0x18", R, DECODE_NOWHERE, 4}}},
        {"678b07", "mov (%bx),%eax", {{"(%bx)", R, 0x8765, 4}}},
    };
    struct decode_cpu cpu;
    struct inq_instruction instruction;
    (void)state;

    decode_cpu_init(&cpu, EM_386, 32, false);
    decode_cpu_set(&cpu, "eax", 0x11110000);
    decode_cpu_set(&cpu, "ebx", 0x12348765);
    decode_cpu_set(&cpu, "esp", 0xffff0000);
    decode_cpu_set(&cpu, "cs", 0x73);
    decode_cpu_set(&cpu, "ds", 0x7b);
    decode_cpu_set(&cpu, "es", 0x7b);
    decode_cpu_set(&cpu, "ss", 0x7b);
    decode_cpu_set(&cpu, "gs", 0x33);
    decode_check_rows(&cpu, rows, INQ_ARRAY_SIZE(rows));
    /* a data segment that the program made: where it starts is not in the dump */
    decode_cpu_set(&cpu, "ds", 0x0f);
    assert_int_equal(decode_hex(&cpu, "8b00", &instruction), INQ_DECODED);
    assert_false(instruction.operands[0].has_address);
    /* 64-bit code, half of whose registers were not saved */
    decode_cpu_set(&cpu, "cs", 0x33);
    assert_int_equal(decode_hex(&cpu, "8b00", &instruction), INQ_DECODED_MODE);
}

/* x32 is 64-bit code; 32-bit code in a 64-bit process has its own selector. */
static void test_mixed_modes(void **state)
{
    static const struct decode_row x32 = {
        "678b00", "mov (%eax),%eax", {{"(%eax)", R, 0x12345678, 4}}};
    static const struct decode_row compatible = {
        "8b4b04", "mov 0x4(%ebx),%ecx", {{"0x4(%ebx)", R, 0x22220004, 4}}};
    static const struct decode_row old = {"06", "push %es", {{"-0x4(%esp)", W, RSP - 4, 4}}};
    struct decode_cpu cpu;
    (void)state;

    decode_cpu_init(&cpu, EM_X86_64, 32, false);
    decode_cpu_set(&cpu, "rax", 0xffffffff12345678);
    decode_cpu_set(&cpu, "cs", 0x33);
    decode_check_rows(&cpu, &x32, 1);
    init_64(&cpu);
    decode_cpu_set(&cpu, "cs", 0x23);
    decode_cpu_set(&cpu, "ds", 0x2b);
    decode_cpu_set(&cpu, "ss", 0x2b);
    decode_check_rows(&cpu, &compatible, 1);
    decode_check_rows(&cpu, &old, 1);
}

static void test_alignment(void **state)
{
    static const struct {
        const char *hex;
        uint32_t alignment;
    } rows[] = {
        {"0f2800", 16},       /* movaps */
        {"0f1000", 1},        /* movups */
        {"660ffe03", 16},     /* paddd: SSE is strict */
        {"c5f9fe03", 1},      /* vpaddd: AVX is not */
        {"c5fc2800", 32},     /* vmovaps ymm */
        {"62f17c482800", 64}, /* vmovaps zmm */
        {"c5fe6f00", 1},      /* vmovdqu */
        {"660f38dc00", 16},   /* aesenc */
        {"f20f5800", 1},      /* addsd: eight bytes */
        {"660f3a630000", 1},  /* pcmpistri */
        {"660f382a00", 16},   /* movntdqa */
        {"480fc708", 16},     /* cmpxchg16b */
        {"0fae00", 16},       /* fxsave */
        {"480fae20", 64},     /* xsave64 */
        {"488b00", 1},
    };
    struct decode_cpu cpu;
    (void)state;

    init_64(&cpu);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        struct inq_instruction instruction;
        assert_int_equal(decode_hex(&cpu, rows[i].hex, &instruction), INQ_DECODED);
        if (instruction.operands[0].alignment != rows[i].alignment)
            fail_msg("%s: %u", instruction.text, instruction.operands[0].alignment);
    }
}

static void test_properties(void **state)
{
    struct inq_instruction in;
    struct decode_cpu cpu;
    (void)state;

    init_64(&cpu);
    assert_int_equal(decode_hex(&cpu, "f4", &in), INQ_DECODED);
    assert_true(in.privileged);
    assert_int_equal(decode_hex(&cpu, "fa", &in), INQ_DECODED); /* cli */
    assert_true(in.privileged);
    assert_int_equal(decode_hex(&cpu, "cd81", &in), INQ_DECODED); /* int 0x81 */
    assert_true(in.privileged);
    assert_int_equal(decode_hex(&cpu, "cd80", &in), INQ_DECODED); /* a system call */
    assert_false(in.privileged);
    assert_int_equal(decode_hex(&cpu, "0f0b", &in), INQ_DECODED);
    assert_true(in.undefined);
    assert_int_equal(decode_hex(&cpu, "ffd0", &in), INQ_DECODED);
    assert_int_equal(in.branch, INQ_BRANCH_REGISTER);
    assert_int_equal(in.target, RAX);
    assert_int_equal(decode_hex(&cpu, "c3", &in), INQ_DECODED);
    assert_int_equal(in.branch, INQ_BRANCH_MEMORY);
    assert_int_equal(decode_hex(&cpu, "f6f5", &in), INQ_DECODED); /* div %ch */
    assert_true(in.divides && in.divisor_known);
    assert_int_equal(in.divisor, 0);
    assert_int_equal(decode_hex(&cpu, "f6f1", &in), INQ_DECODED); /* div %cl */
    assert_int_equal(in.divisor, 3);
    assert_int_equal(decode_hex(&cpu, "f73b", &in), INQ_DECODED); /* idivl (%rbx) */
    assert_true(in.divides && !in.divisor_known);
    assert_string_equal(in.text, "idivl (%rbx)");
    /* three more rounds upwards, or downwards from here */
    assert_int_equal(decode_hex(&cpu, "f348ab", &in), INQ_DECODED);
    assert_int_equal(in.operands[0].low, RDI);
    assert_int_equal(in.operands[0].span, 24);
    decode_cpu_set(&cpu, "eflags", 0x400);
    assert_int_equal(decode_hex(&cpu, "f348ab", &in), INQ_DECODED);
    assert_int_equal(in.operands[0].low, RDI - 16);
    assert_int_equal(in.operands[0].span, 24);
    decode_cpu_set(&cpu, "rcx", UINT64_MAX);
    assert_int_equal(decode_hex(&cpu, "f348ab", &in), INQ_DECODED);
    assert_int_equal(in.operands[0].span, 0);
    /* the registers of an operand, whole, and what it uses of them */
    decode_cpu_set(&cpu, "rbx", 0xffffffff20000000);
    assert_int_equal(decode_hex(&cpu, "67894304", &in), INQ_DECODED);
    assert_string_equal(in.operands[0].base, "rbx");
    assert_int_equal(in.operands[0].base_value, 0x20000000);
    assert_int_equal(in.operands[0].registers[0].value, 0xffffffff20000000);
    assert_true(inq_operand_use_register(
        &in.operands[0], &(struct inq_decode_input){.core = &cpu.core, .thread = &cpu.thread},
        "rbx", &(uint64_t){0}, &(const char *){NULL}));
    assert_int_equal(in.operands[0].n_registers, 1);
}

static void test_cut(void **state)
{
    struct inq_instruction instruction;
    struct decode_cpu cpu;
    (void)state;

    init_64(&cpu);
    assert_int_equal(decode_hex(&cpu, "", &instruction), INQ_DECODED_CUT);
    assert_int_equal(decode_hex(&cpu, "48", &instruction), INQ_DECODED_CUT);
    assert_int_equal(decode_hex(&cpu, "48b80102030405", &instruction), INQ_DECODED_CUT);
    /* prefixes without end are no instruction */
    assert_int_equal(decode_hex(&cpu, "666666666666666666666666666666", &instruction),
                     INQ_DECODED_UNKNOWN);
    cpu.thread.has_registers = false;
    assert_int_equal(decode_hex(&cpu, "8b00", &instruction), INQ_DECODED);
    assert_false(instruction.operands[0].has_address);
}

int decode_x86_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64_bit),      cmocka_unit_test(test_32_bit),
        cmocka_unit_test(test_mixed_modes), cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_properties),  cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests_name("decode-x86", tests, NULL, NULL);
}

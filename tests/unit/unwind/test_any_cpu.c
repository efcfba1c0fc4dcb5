/* SPDX-License-Identifier: Apache-2.0 */
/* The second engine and the other CPUs: calls, expressions, frame records, public cores. */
#include <dwarf.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "core_builder.h"
#include "cpu_unwind.h"
#include "dw_expr.h"
#include "unwind_tests.h"

static void test_every_cpu_is_known(void **state)
{
    static const struct {
        uint16_t machine;
        uint8_t elf_class;
        bool big_endian;
    } cpus[] = {{EM_X86_64, 64, false},  {EM_X86_64, 32, false}, {EM_386, 32, false},
                {EM_AARCH64, 64, false}, {EM_ARM, 32, false},    {EM_RISCV, 64, false},
                {EM_PPC, 32, true},      {EM_PPC64, 64, true},   {EM_PPC64, 64, false},
                {EM_S390, 32, true},     {EM_S390, 64, true},    {EM_SPARCV9, 64, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
        const struct inq_cpu *cpu =
            inq_cpu_find(cpus[i].machine, cpus[i].elf_class, cpus[i].big_endian);
        assert_non_null(cpu);
        assert_true(cpu->unwinds);
        const struct inq_cpu_unwind *unwind = inq_cpu_unwind_find(cpu);
        assert_non_null(unwind);
        if (unwind->link)
            assert_true(inq_cpu_register(cpu, unwind->link) >= 0);
    }
    const struct inq_cpu *m68k = inq_cpu_find(EM_68K, 32, true);
    assert_non_null(m68k);
    assert_false(m68k->unwinds);
    assert_null(inq_cpu_unwind_find(m68k));
    assert_null(inq_cpu_unwind_find(NULL));
}

/* The numbers of the psABIs, by the names of the core's tables. */
static void test_dwarf_numbers(void **state)
{
    static const struct {
        uint16_t machine;
        uint8_t elf_class;
        bool big_endian;
        unsigned int number;
        const char *name;
    } registers[] = {
        {EM_386, 32, false, 4, "esp"},     {EM_386, 32, false, 5, "ebp"},
        {EM_386, 32, false, 1, "ecx"},     {EM_386, 32, false, 8, "eip"},
        {EM_X86_64, 64, false, 1, "rdx"},  {EM_X86_64, 64, false, 7, "rsp"},
        {EM_X86_64, 32, false, 16, "rip"}, {EM_AARCH64, 64, false, 30, "x30"},
        {EM_AARCH64, 64, false, 31, "sp"}, {EM_ARM, 32, false, 13, "sp"},
        {EM_ARM, 32, false, 14, "lr"},     {EM_RISCV, 64, false, 1, "ra"},
        {EM_RISCV, 64, false, 8, "s0"},    {EM_PPC, 32, true, 65, "lr"},
        {EM_PPC, 32, true, 108, "lr"},     {EM_PPC64, 64, true, 1, "r1"},
        {EM_S390, 64, true, 15, "r15"},    {EM_S390, 32, true, 65, "pswa"},
        {EM_SPARCV9, 64, true, 14, "sp"},  {EM_SPARCV9, 64, true, 31, "i7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        const struct inq_cpu *cpu =
            inq_cpu_find(registers[i].machine, registers[i].elf_class, registers[i].big_endian);
        int index = inq_cpu_dwarf_register(cpu, registers[i].number);
        assert_true(index >= 0);
        assert_string_equal(cpu->register_names[index], registers[i].name);
    }
    /* x0 of RISC-V is no register of the dump, and where it would stand is the pc */
    assert_int_equal(inq_cpu_dwarf_register(inq_cpu_find(EM_RISCV, 64, false), 0), -1);
    assert_int_equal(inq_cpu_dwarf_register(inq_cpu_find(EM_386, 32, false), 4711), -1);
}

static bool is_call(uint16_t machine, uint8_t elf_class, bool big_endian, const char *hex)
{
    uint8_t bytes[8] = {0};
    size_t size = strlen(hex) / 2;

    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[8 - size + i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return inq_cpu_ends_with_call(inq_cpu_find(machine, elf_class, big_endian), big_endian, bytes,
                                  sizeof(bytes));
}

static void test_calls_of_each_cpu(void **state)
{
    (void)state;
    assert_true(is_call(EM_386, 32, false, "e810000000"));
    assert_true(is_call(EM_AARCH64, 64, false, "10000094"));  /* bl */
    assert_true(is_call(EM_AARCH64, 64, false, "00023fd6"));  /* blr x16 */
    assert_false(is_call(EM_AARCH64, 64, false, "00021fd6")); /* br x16 */
    assert_false(is_call(EM_AARCH64, 64, false, "10000014")); /* b */
    assert_true(is_call(EM_ARM, 32, false, "100000eb"));      /* bl */
    assert_true(is_call(EM_ARM, 32, false, "33ff2fe1"));      /* blx r3 */
    assert_false(is_call(EM_ARM, 32, false, "1eff2fe1"));     /* bx lr */
    assert_true(is_call(EM_RISCV, 64, false, "ef008000"));    /* jal ra */
    assert_true(is_call(EM_RISCV, 64, false, "8297"));        /* c.jalr a5 */
    assert_false(is_call(EM_RISCV, 64, false, "8287"));       /* c.jr a5 */
    assert_true(is_call(EM_PPC, 32, true, "48000011"));       /* bl */
    assert_false(is_call(EM_PPC, 32, true, "48000010"));      /* b */
    assert_true(is_call(EM_PPC64, 64, true, "4e800421"));     /* bctrl */
    assert_true(is_call(EM_PPC64, 64, false, "2104804e"));
    assert_true(is_call(EM_S390, 64, true, "c0e500000010"));        /* brasl %r14 */
    assert_true(is_call(EM_S390, 32, true, "0de1"));                /* basr %r14,%r1 */
    assert_false(is_call(EM_S390, 64, true, "0de0"));               /* branches nowhere */
    assert_true(is_call(EM_SPARCV9, 64, true, "4000001001000000")); /* call; nop */
    assert_true(is_call(EM_SPARCV9, 64, true, "9fc0400001000000")); /* call %g1 */
    assert_false(is_call(EM_SPARCV9, 64, true, "0100000001000000"));
}

/* ---- expressions ---------------------------------------------------------------------------- */

#define STACK 0x7ffe0000u

struct machine {
    struct opened_core opened;
    struct built_core built;
    struct inq_memory *memory;
    struct inq_modules modules; /* none */
    struct inq_codemap code;
    struct inq_regs regs;
    uint64_t ops_left;
    struct inq_dw_expr expr;
};

static void machine_init(struct machine *m, uint16_t machine, uint8_t elf_class, bool big_endian)
{
    struct core_builder builder;
    uint8_t data[4096] = {0};

    memset(m, 0, sizeof(*m));
    builder_init(&builder, elf_class, big_endian, machine);
    builder_thread(&builder, 1, STACK, STACK, 0);
    for (uint64_t i = 0; i < 64; i++)
        builder_put(&builder, data + i * 8, 0x1000 + i, elf_class / 8u);
    builder_load(&builder, STACK, sizeof(data), sizeof(data), PF_R | PF_W | PF_X, data,
                 sizeof(data));
    m->built = builder_finish(&builder);
    builder_deinit(&builder);
    open_core(&m->opened, m->built.bytes, m->built.size, false);
    assert_null(m->opened.error);
    assert_null(inq_memory_create(m->opened.core, m->opened.source, m->opened.arena,
                                  &m->opened.gaps, &m->memory));
    m->modules = (struct inq_modules){
        .core = m->opened.core, .memory = m->memory, .arena = m->opened.arena, .main = SIZE_MAX};
    inq_codemap_init(&m->code, m->memory, &m->modules, m->opened.arena);
    m->ops_left = 1000;
    m->expr = (struct inq_dw_expr){.code = &m->code,
                                   .cpu = m->opened.core->cpu,
                                   .big_endian = big_endian,
                                   .regs = &m->regs,
                                   .has_cfa = true,
                                   .cfa = STACK + 16,
                                   .ops_left = &m->ops_left};
}

static void machine_deinit(struct machine *m)
{
    close_core(&m->opened);
    free(m->built.bytes);
}

#define VALUE(m, ret, ...)                                                                         \
    inq_dw_value(&(m)->expr, (const Dwarf_Op[]){__VA_ARGS__},                                      \
                 sizeof((const Dwarf_Op[]){__VA_ARGS__}) / sizeof(Dwarf_Op), ret)
#define LOCATION(m, ret, ...)                                                                      \
    inq_dw_location(&(m)->expr, (const Dwarf_Op[]){__VA_ARGS__},                                   \
                    sizeof((const Dwarf_Op[]){__VA_ARGS__}) / sizeof(Dwarf_Op), ret)

static void test_expressions(void **state)
{
    static struct machine m;
    uint64_t value = 0;

    (void)state;
    machine_init(&m, EM_X86_64, 64, false);
    inq_regs_set(&m.regs, inq_cpu_register(m.expr.cpu, "rsp"), STACK);

    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_breg7, .number = 8}), INQ_DW_OK);
    assert_int_equal(value, STACK + 8);
    assert_int_equal(LOCATION(&m, &value, {.atom = DW_OP_breg7, .number = 8}), INQ_DW_OK);
    assert_int_equal(value, 0x1001);
    assert_int_equal(LOCATION(&m, &value, {.atom = DW_OP_call_frame_cfa},
                              {.atom = DW_OP_plus_uconst, .number = (uint64_t)-16}),
                     INQ_DW_OK);
    assert_int_equal(value, 0x1000);
    assert_int_equal(
        LOCATION(&m, &value, {.atom = DW_OP_call_frame_cfa}, {.atom = DW_OP_stack_value}),
        INQ_DW_OK);
    assert_int_equal(value, STACK + 16);
    assert_int_equal(LOCATION(&m, &value, {.atom = DW_OP_reg7}), INQ_DW_OK);
    assert_int_equal(value, STACK);
    /* the PLT's: ((pc & 15) >= 11) << 3 */
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_const1u, .number = 0x2b},
                           {.atom = DW_OP_lit15}, {.atom = DW_OP_and}, {.atom = DW_OP_lit11},
                           {.atom = DW_OP_ge}, {.atom = DW_OP_lit3}, {.atom = DW_OP_shl}),
                     INQ_DW_OK);
    assert_int_equal(value, 8);
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_lit7}, {.atom = DW_OP_neg},
                           {.atom = DW_OP_lit2}, {.atom = DW_OP_div}),
                     INQ_DW_OK);
    assert_int_equal((int64_t)value, -3);
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_lit1}, {.atom = DW_OP_lit2},
                           {.atom = DW_OP_lit3}, {.atom = DW_OP_rot}, {.atom = DW_OP_drop},
                           {.atom = DW_OP_minus}),
                     INQ_DW_OK);
    assert_int_equal((int64_t)value, 2); /* 1 2 3 -> 3 1 2 -> 3 1 -> 2 */
    machine_deinit(&m);
}

static void test_bad_expressions(void **state)
{
    static struct machine m;
    uint64_t value = 4711;

    (void)state;
    machine_init(&m, EM_X86_64, 64, false);
    assert_int_equal(inq_dw_value(&m.expr, NULL, 0, &value), INQ_DW_INVALID);
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_plus}), INQ_DW_INVALID);
    assert_int_equal(
        VALUE(&m, &value, {.atom = DW_OP_lit1}, {.atom = DW_OP_lit0}, {.atom = DW_OP_div}),
        INQ_DW_INVALID);
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_breg7}), INQ_DW_REGISTER);
    assert_int_equal(LOCATION(&m, &value, {.atom = DW_OP_lit8}), INQ_DW_MEMORY);
    assert_int_equal(m.expr.fail_addr, 8);
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_lit1}, {.atom = DW_OP_pick, .number = 1}),
                     INQ_DW_INVALID);
    /* a branch to itself, and one between two operations */
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_skip, .number = (uint64_t)-3}),
                     INQ_DW_ENDLESS);
    m.ops_left = 1000;
    assert_int_equal(VALUE(&m, &value, {.atom = DW_OP_skip, .number = 1},
                           {.atom = DW_OP_const2u, .number = 1, .offset = 3}),
                     INQ_DW_INVALID);
    Dwarf_Op many[100];
    memset(many, 0, sizeof(many));
    for (size_t i = 0; i < 100; i++)
        many[i].atom = DW_OP_lit0;
    assert_int_equal(inq_dw_value(&m.expr, many, 100, &value), INQ_DW_INVALID);
    assert_int_equal(value, 4711);
    machine_deinit(&m);
}

/* Words of 32 bits, most significant byte first. */
static void test_expressions_of_32_bits(void **state)
{
    static struct machine m;
    uint64_t value = 0;

    (void)state;
    machine_init(&m, EM_PPC, 32, true);
    assert_int_equal(LOCATION(&m, &value, {.atom = DW_OP_const4u, .number = STACK + 8}), INQ_DW_OK);
    assert_int_equal(value, 0x1001);
    assert_int_equal(
        VALUE(&m, &value, {.atom = DW_OP_lit0}, {.atom = DW_OP_lit1}, {.atom = DW_OP_minus}),
        INQ_DW_OK);
    assert_int_equal(value, UINT32_MAX);
    machine_deinit(&m);
}

/* ---- frame records -------------------------------------------------------------------------- */

static void put_word(const struct machine *m, uint8_t *page, uint64_t off, uint64_t value)
{
    struct core_builder order = {.big_endian = m->opened.core->big_endian};
    builder_put(&order, page + off, value, m->opened.core->cpu->register_bytes);
}

/* Replaces the page of machine_init(): the memory hands out the bytes of the dump itself. */
static uint8_t *page_of(struct machine *m)
{
    const uint8_t *page = inq_memory_view(m->memory, STACK, 4096);
    assert_non_null(page);
    uint8_t *copy = inq_arena_alloc(m->opened.arena, 4096, 16);
    assert_non_null(copy);
    memcpy(copy, page, 4096);
    m->code.pages[(STACK / 4096) % INQ_CODEMAP_PAGES] =
        (struct inq_codemap_page){.addr = STACK, .bytes = copy};
    return copy;
}

static void test_back_chain(void **state)
{
    static struct machine m;
    struct inq_regs caller;

    (void)state;
    machine_init(&m, EM_PPC64, 64, true);
    struct inq_chain_reader reader = {
        .code = &m.code, .core = m.opened.core, .unwind = inq_cpu_unwind_find(m.expr.cpu)};
    uint8_t *page = page_of(&m);
    uint64_t sp = STACK + 0x200, up = STACK + 0x280, pc = STACK + 0x804;
    put_word(&m, page, 0x200, up);
    put_word(&m, page, 0x290, pc);
    memcpy(page + 0x800, (const uint8_t[]){0x48, 0, 0, 0x11}, 4); /* bl */
    inq_regs_set(&m.regs, m.expr.cpu->sp, sp);
    inq_regs_set(&m.regs, m.expr.cpu->pc, STACK + 0x900);

    assert_int_equal(inq_chain_step(&reader, &m.regs, false, &caller), INQ_CHAIN_OK);
    assert_int_equal(caller.value[m.expr.cpu->pc], pc);
    assert_int_equal(caller.value[m.expr.cpu->sp], up);

    put_word(&m, page, 0x200, 0);
    assert_int_equal(inq_chain_step(&reader, &m.regs, false, &caller), INQ_CHAIN_END);
    put_word(&m, page, 0x200, sp); /* itself */
    assert_int_equal(inq_chain_step(&reader, &m.regs, false, &caller), INQ_CHAIN_LOST);
    put_word(&m, page, 0x200, up);
    memset(page + 0x800, 0, 4); /* what it returns to is not behind a call */
    assert_int_equal(inq_chain_step(&reader, &m.regs, false, &caller), INQ_CHAIN_LOST);
    machine_deinit(&m);
}

/* A leaf's caller is in the link register; whether it is one cannot be told without symbols. */
static void test_link_register(void **state)
{
    static struct machine m;
    struct inq_regs caller;

    (void)state;
    machine_init(&m, EM_AARCH64, 64, false);
    struct inq_chain_reader reader = {
        .code = &m.code, .core = m.opened.core, .unwind = inq_cpu_unwind_find(m.expr.cpu)};
    uint8_t *page = page_of(&m);
    uint64_t fp = STACK + 0x200, recorded = STACK + 0x804, link = STACK + 0x904;
    put_word(&m, page, 0x200, fp + 0x40);
    put_word(&m, page, 0x208, recorded);
    memcpy(page + 0x800, (const uint8_t[]){0x10, 0, 0, 0x94}, 4); /* bl */
    memcpy(page + 0x900, (const uint8_t[]){0x10, 0, 0, 0x94}, 4);
    inq_regs_set(&m.regs, m.expr.cpu->sp, STACK + 0x100);
    inq_regs_set(&m.regs, m.expr.cpu->fp, fp);
    inq_regs_set(&m.regs, m.expr.cpu->pc, STACK + 0xa00);
    inq_regs_set(&m.regs, inq_cpu_register(m.expr.cpu, "x30"), link);

    assert_int_equal(inq_chain_step(&reader, &m.regs, true, &caller), INQ_CHAIN_LOST);
    /* further out the register says nothing */
    assert_int_equal(inq_chain_step(&reader, &m.regs, false, &caller), INQ_CHAIN_OK);
    assert_int_equal(caller.value[m.expr.cpu->pc], recorded);
    assert_int_equal(caller.value[m.expr.cpu->fp], fp + 0x40);
    assert_int_equal(caller.value[m.expr.cpu->sp], fp + 16);
    /* saved already: both say the same */
    inq_regs_set(&m.regs, inq_cpu_register(m.expr.cpu, "x30"), recorded);
    assert_int_equal(inq_chain_step(&reader, &m.regs, true, &caller), INQ_CHAIN_OK);
    machine_deinit(&m);
}

/* ---- public cores --------------------------------------------------------------------------- */

/* The collection keeps programs packed; "" where they cannot be unpacked. */
static void unpack(const char *name, const char *folder, char path[256])
{
    char command[1024];

    snprintf(path, 256, "%s/program", folder);
    snprintf(command, sizeof(command),
             "zstd -q -d -f '%s/../shared/cores/elfutils/backtrace.%s.exec.zst' -o '%s'",
             getenv("INQ_SOURCE_ROOT"), name, path);
    if (system(command) != 0)
        path[0] = '\0';
}

static void check_shared(const char *name, const char *functions, enum inq_trust trust)
{
    struct crash crash;
    char core[128], program[256], folder[] = "/tmp/inquest-unwind-XXXXXX";

    snprintf(core, sizeof(core), "elfutils/backtrace.%s.core.zst", name);
    crash_shared(&crash, core, NULL, NULL);
    assert_non_null(mkdtemp(folder));
    unpack(name, folder, program);
    crash.policy.executable = program;
    crash_read(&crash);
    crash_walk(&crash);
    const char *have = crash_functions(&crash, &crash.stacks->items[0]);
    if (strncmp(have, functions, strlen(functions)) != 0)
        fail_msg("%s: %s", name, have);
    assert_int_equal(crash.stacks->items[0].frames[0].trust, INQ_TRUST_CONTEXT);
    assert_int_equal(crash.stacks->items[0].frames[3].trust, trust);
    crash_clean(&crash);
    unlink(program);
    rmdir(folder);
}

static void test_stacks_of_other_cpus(void **state)
{
    static const char plain[] = "raise sigusr2 stdarg backtracegen start start_thread";
    static const char through_vdso[] =
        "__kernel_vsyscall raise sigusr2 stdarg backtracegen start start_thread";

    (void)state;
    check_shared("x86_64", plain, INQ_TRUST_CFI);
    check_shared("x86_64.fp", plain, INQ_TRUST_FRAME_POINTER);
    check_shared("i386", through_vdso, INQ_TRUST_CFI);
    check_shared("i386.fp", through_vdso, INQ_TRUST_FRAME_POINTER);
    check_shared("x32", plain, INQ_TRUST_CFI);
    check_shared("aarch64", plain, INQ_TRUST_CFI);
    check_shared("aarch64.fp", plain, INQ_TRUST_FRAME_POINTER);
    check_shared("ppc", plain, INQ_TRUST_CFI);
    check_shared("ppc64le.fp", plain, INQ_TRUST_FRAME_POINTER);
    check_shared("s390", plain, INQ_TRUST_CFI);
    check_shared("s390x", plain, INQ_TRUST_CFI);
    check_shared("sparc", plain, INQ_TRUST_CFI);
}

/* Without the program there is no way to tell a leaf's caller: frame 0, and no more. */
static void test_other_cpu_without_files(void **state)
{
    struct crash crash;

    (void)state;
    crash_shared(&crash, "elfutils/backtrace.aarch64.core.zst", NULL, NULL);
    crash_read(&crash);
    crash_walk(&crash);
    assert_int_equal(crash.stacks->items[0].n_frames, 1);
    assert_false(crash.stacks->items[0].complete);
    assert_non_null(crash.stacks->items[0].stop);
    assert_false(crash_has_gap(&crash, INQ_G_UNWIND_CPU));
    crash_clean(&crash);
}

static void test_unknown_cpu(void **state)
{
    struct crash crash;

    (void)state;
    crash_shared(&crash, "elfutils/testfile-m68k-core.zst", NULL, NULL);
    crash_read(&crash);
    crash_walk(&crash);
    assert_int_equal(crash.stacks->items[0].n_frames, 1);
    assert_string_equal(crash.stacks->items[0].stop, "unwinding is not supported for m68k");
    assert_true(crash_has_gap(&crash, INQ_G_UNWIND_CPU));
    crash_clean(&crash);
}

const struct CMUnitTest any_cpu_tests[] = {
    cmocka_unit_test(test_every_cpu_is_known),   cmocka_unit_test(test_dwarf_numbers),
    cmocka_unit_test(test_calls_of_each_cpu),    cmocka_unit_test(test_expressions),
    cmocka_unit_test(test_bad_expressions),      cmocka_unit_test(test_expressions_of_32_bits),
    cmocka_unit_test(test_back_chain),           cmocka_unit_test(test_link_register),
    cmocka_unit_test(test_stacks_of_other_cpus), cmocka_unit_test(test_other_cpu_without_files),
    cmocka_unit_test(test_unknown_cpu),
};
const size_t n_any_cpu_tests = sizeof(any_cpu_tests) / sizeof(any_cpu_tests[0]);

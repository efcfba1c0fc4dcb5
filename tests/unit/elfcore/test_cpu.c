/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include <elf.h>
#include <string.h>

#include "cleanup.h"
#include "core.h"
#include "cpu.h"

static const struct {
    uint16_t machine;
    uint8_t elf_class;
    bool big_endian;
    const char *name, *pc, *sp;
} cpus[] = {
    {EM_X86_64, 64, false, "x86_64", "rip", "rsp"}, {EM_X86_64, 32, false, "x32", "rip", "rsp"},
    {EM_386, 32, false, "i386", "eip", "esp"},      {EM_AARCH64, 64, false, "aarch64", "pc", "sp"},
    {EM_ARM, 32, false, "arm", "pc", "sp"},         {EM_RISCV, 64, false, "riscv64", "pc", "sp"},
    {EM_PPC, 32, true, "ppc", "nip", "r1"},         {EM_PPC64, 64, true, "ppc64", "nip", "r1"},
    {EM_PPC64, 64, false, "ppc64le", "nip", "r1"},  {EM_S390, 32, true, "s390", "pswa", "r15"},
    {EM_S390, 64, true, "s390x", "pswa", "r15"},    {EM_SPARCV9, 64, true, "sparc64", "pc", "sp"},
    {EM_68K, 32, true, "m68k", "pc", "sp"},
};

static void each_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cpus); i++) {
        const struct inq_cpu *cpu =
            inq_cpu_find(cpus[i].machine, cpus[i].elf_class, cpus[i].big_endian);

        assert_non_null(cpu);
        assert_string_equal(cpu->name, cpus[i].name);
        assert_true(cpu->n_registers <= INQ_MAX_REGISTERS);
        assert_int_equal(inq_cpu_register(cpu, cpus[i].pc), cpu->pc);
        assert_int_equal(inq_cpu_register(cpu, cpus[i].sp), cpu->sp);
        assert_int_equal(cpu->unwinds, strcmp(cpu->name, "m68k") != 0);
        for (int r = 0; r < cpu->n_registers; r++) /* names are there, and each only once */
            assert_int_equal(inq_cpu_register(cpu, cpu->register_names[r]), r);
        assert_int_equal(inq_cpu_register(cpu, "nonsense"), -1);
    }
}

static void a_cpu_in_the_wrong_byte_order_has_no_table(void **state)
{
    (void)state;
    assert_null(inq_cpu_find(EM_X86_64, 64, true));
    assert_null(inq_cpu_find(EM_S390, 64, false));
    assert_null(inq_cpu_find(0xffff, 64, false));
    assert_null(inq_cpu_find(EM_386, 64, false));
    assert_non_null(inq_cpu_find(EM_ARM, 32, true));
}

static void every_machine_has_a_name(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(inq_machine_name(EM_X86_64, 32, false, buf), "x32");
    assert_string_equal(inq_machine_name(EM_MIPS, 64, false, buf), "mips");
    assert_string_equal(inq_machine_name(0xffff, 64, false, buf), "machine 65535");
}

static void siginfo_says_which_overlay_counts(void **state)
{
    static const struct {
        int32_t signo, code;
        enum inq_siginfo_kind kind;
    } cases[] = {
        {11, 1, INQ_SIGINFO_FAULT},   {11, 2, INQ_SIGINFO_FAULT},
        {7, 2, INQ_SIGINFO_FAULT},    {11, 128, INQ_SIGINFO_KERNEL},
        {5, 128, INQ_SIGINFO_KERNEL}, {11, 0, INQ_SIGINFO_SENT},
        {6, -6, INQ_SIGINFO_SENT},    {7, 0, INQ_SIGINFO_SENT},
        {10, -1, INQ_SIGINFO_SENT},   {31, 1, INQ_SIGINFO_SECCOMP},
        {14, -2, INQ_SIGINFO_OTHER},  {1000000000, -1234, INQ_SIGINFO_OTHER},
        {6, 1, INQ_SIGINFO_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cases); i++) {
        struct inq_siginfo s = {.signo = cases[i].signo, .code = cases[i].code};
        assert_int_equal(inq_siginfo_kind(&s), cases[i].kind);
    }
}

int run_cpu_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_table_is_whole),
        cmocka_unit_test(a_cpu_in_the_wrong_byte_order_has_no_table),
        cmocka_unit_test(every_machine_has_a_name),
        cmocka_unit_test(siginfo_says_which_overlay_counts),
    };

    return cmocka_run_group_tests_name("elfcore: cpu", tests, NULL, NULL);
}

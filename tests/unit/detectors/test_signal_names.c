/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "detectors_tests.h"
#include "dump.h"
#include "signal_names.h"

/* This machine's own numbers, as libc knows them. */
static void test_this_machine(void **state)
{
    (void)state;
    for (int i = 1; i < 32; i++) {
        const char *abbreviation = sigabbrev_np(i);
        const char *name = inq_signal_name(EM_X86_64, i);
        assert_non_null(name);
        if (!abbreviation || i == SIGPOLL) /* libc says POLL, the kernel IO */
            continue;
        assert_string_equal(name + 3, abbreviation);
        assert_non_null(inq_signal_words(EM_X86_64, i));
    }
}

static void test_other_machines(void **state)
{
    (void)state;
    assert_string_equal(inq_signal_name(EM_X86_64, 7), "SIGBUS");
    assert_string_equal(inq_signal_name(EM_SPARCV9, 7), "SIGEMT");
    assert_string_equal(inq_signal_name(EM_SPARCV9, 10), "SIGBUS");
    assert_string_equal(inq_signal_name(EM_SPARCV9, 6), "SIGABRT");
    assert_string_equal(inq_signal_name(EM_MIPS, 16), "SIGUSR1");
    assert_string_equal(inq_signal_name(EM_MIPS, 31), "SIGXFSZ");
    assert_string_equal(inq_signal_name(EM_PARISC, 31), "SIGSYS");
    assert_string_equal(inq_signal_name(EM_AARCH64, 10), "SIGUSR1");
    assert_int_equal(inq_signal_kind(EM_MIPS, 10), INQ_SIGNAL_BUS);
    assert_int_equal(inq_signal_kind(EM_PPC64, 10), INQ_SIGNAL_OTHER);
}

/* Row 33 of the robustness table: numbers from a damaged dump overrun no table. */
static void test_wild_numbers(void **state)
{
    static const int32_t numbers[] = {0, -1, 65, 1000000000, INT32_MIN, INT32_MAX};
    (void)state;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_null(inq_signal_name(EM_X86_64, numbers[i]));
        assert_null(inq_signal_words(EM_X86_64, numbers[i]));
        assert_null(inq_signal_code_name(EM_X86_64, numbers[i], 7));
        if (numbers[i] != 0) /* 0 is SI_USER, -1 SI_QUEUE */
            assert_null(inq_signal_code_name(EM_X86_64, 11, numbers[i] ^ 0x5500));
    }
    assert_string_equal(inq_signal_name(EM_X86_64, 34), "SIGRTMIN");
    assert_string_equal(inq_signal_name(EM_X86_64, 64), "SIGRTMAX");
    assert_string_equal(inq_signal_name(EM_X86_64, 49), "SIGRTMIN+15");
    assert_string_equal(inq_signal_name(EM_X86_64, 50), "SIGRTMAX-14");
}

static void test_codes(void **state)
{
    (void)state;
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGSEGV, SEGV_MAPERR), "SEGV_MAPERR");
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGSEGV, 128), "SI_KERNEL");
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGSEGV, 0), "SI_USER");
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGABRT, -6), "SI_TKILL");
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGBUS, 2), "BUS_ADRERR");
    assert_string_equal(inq_signal_code_name(EM_MIPS, 10, 2), "BUS_ADRERR");
    assert_string_equal(inq_signal_code_name(EM_MIPS, 14, -3), "SI_TIMER");
    assert_string_equal(inq_signal_code_name(EM_X86_64, SIGSYS, 1), "SYS_SECCOMP");
    assert_null(inq_signal_code_name(EM_X86_64, SIGUSR1, 3));
}

int signal_name_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_other_machines),
        cmocka_unit_test(test_wild_numbers),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests_name("signal names", tests, NULL, NULL);
}

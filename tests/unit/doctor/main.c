/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "conf.h"
#include "doctor.h"
#include "machine.h"

static void targets(void **state)
{
    (void)state;
    assert_int_equal(inq_core_target(NULL), INQ_TARGET_UNKNOWN);
    assert_int_equal(inq_core_target(""), INQ_TARGET_NOWHERE);
    assert_int_equal(inq_core_target("core"), INQ_TARGET_FOLDER);
    assert_int_equal(inq_core_target("/c/%p"), INQ_TARGET_FILE);
    assert_int_equal(inq_core_target("|/bin/x"), INQ_TARGET_PIPE);
    assert_int_equal(inq_core_target("@@/run/x"), INQ_TARGET_SOCKET);
}

static void programs(void **state)
{
    static const char *const rows[][2] = {
        {"|/bin/x %p %e", "/bin/x"},
        {"| /bin/x", "/bin/x"},
        {"|/bin/x", "/bin/x"},
        {"|", NULL},
        {"|  ", NULL},
        {"core", NULL},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *program = inq_core_pipe_program(rows[i][0]);

        if (rows[i][1])
            assert_string_equal(program, rows[i][1]);
        else
            assert_null(program);
    }
}

static void names(void **state)
{
    static const char *const rows[][2] = {
        {"core", "core"},
        {"core.%p", "core.77"},
        {"/c/core.%e.%p.%h.%t", "/c/core.a\\[b\\*.77.web.*"},
        {"%E", "!opt!a\\[b\\*"},
        {"%f-%u-%g-%s-%d-%c", "a\\[b\\*-5-6-11-*-*"},
        {"100%%", "100%"},
        {"%P.%I", "*.*"},
        {"%q%p%", "77"},
        {"[?]", "\\[\\?]"},
    };
    struct inq_core_name name = {.pid = 77,
                                 .uid = 5,
                                 .gid = 6,
                                 .signal = 11,
                                 .comm = "a[b*",
                                 .executable = "/opt/a[b*",
                                 .hostname = "web"};

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *glob = inq_core_name_glob(rows[i][0], &name);

        assert_string_equal(glob, rows[i][1]);
    }
    name.uses_pid = name.outer_ids = true;
    _cleanup_free_ char *without = inq_core_name_glob("core", &name);
    _cleanup_free_ char *with = inq_core_name_glob("core.%p", &name);
    _cleanup_free_ char *outer = inq_core_name_glob("core.%P", &name);
    assert_string_equal(without, "core.77");
    assert_string_equal(with, "core.77");
    assert_string_equal(outer, "core.77.77");
}

static void sizes(void **state)
{
    static const char *const bad[] = {"",  "x",   "-1",   "1Q", "12 Q", "99999999999999999999",
                                      "G", "17E", "0x10", ".5", "1G x"};
    uint64_t bytes;

    (void)state;
    assert_true(inq_conf_size("infinity", &bytes));
    assert_true(bytes == INQ_LIMIT_NONE);
    assert_true(inq_conf_size("2G", &bytes));
    assert_true(bytes == 2ull << 30);
    assert_true(inq_conf_size("1.5G", &bytes));
    assert_true(bytes == 3ull << 29);
    assert_true(inq_conf_size("12 G", &bytes));
    assert_true(bytes == 12ull << 30);
    assert_true(inq_conf_size("1G 512M", &bytes));
    assert_true(bytes == 3ull << 29);
    assert_true(inq_conf_size("0", &bytes));
    assert_true(bytes == 0);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(bad); i++)
        assert_false(inq_conf_size(bad[i], &bytes));
}

static void shell_words(void **state)
{
    static const char *const rows[][2] = {
        {"/var/crash", "/var/crash"}, {"a b", "'a b'"}, {"a'b", "'a'\\''b'"},
        {"$(x)", "'$(x)'"},           {"", "''"},       {"core.%e", "core.%e"},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *word = inq_shell_word(rows[i][0]);

        assert_string_equal(word, rows[i][1]);
    }
}

static void status_numbers(void **state)
{
    static const char status[] = "Name:\tRssAnon: 5\nVmRSS:\t  12 kB\nSigCgt:\t0000000000000400\n"
                                 "RssAnon:\t9 kB\n";
    uint64_t value;

    (void)state;
    assert_true(inq_status_number(status, "RssAnon", 10, &value));
    assert_int_equal(value, 9);
    assert_true(inq_status_number(status, "SigCgt", 16, &value));
    assert_int_equal(value, 0x400);
    assert_false(inq_status_number(status, "VmSwap", 10, &value));
    assert_false(inq_status_number(NULL, "VmSwap", 10, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets), cmocka_unit_test(programs),    cmocka_unit_test(names),
        cmocka_unit_test(sizes),   cmocka_unit_test(shell_words), cmocka_unit_test(status_numbers),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}

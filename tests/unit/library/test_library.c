/* SPDX-License-Identifier: Apache-2.0 */

/* The public API on a shipped core: in this process and isolated, and what it says of other files.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inquest/inquest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char core[4096], sysroot[4096], worker[4096], signatures[4096];

static void in_tree(char path[4096], const char *variable, const char *rest)
{
    const char *root = getenv(variable);

    assert_non_null(root);
    assert_true(snprintf(path, 4096, "%s/%s", root, rest) < 4096);
}

static int find_files(void **state)
{
    (void)state;
    in_tree(core, "INQ_SOURCE_ROOT", "fixtures/cores/null-read.core.zst");
    in_tree(sysroot, "INQ_SOURCE_ROOT", "fixtures/cores/root");
    in_tree(signatures, "INQ_SOURCE_ROOT", "signatures");
    in_tree(worker, "INQ_BUILD_ROOT", "src/programs/inquest-worker");
    return 0;
}

static struct inq_report *open_core(bool in_process)
{
    struct inq_report_options options;
    struct inq_report *report = NULL;

    inq_report_options_init(&options);
    options.sysroot = sysroot;
    options.worker = worker;
    options.signatures = signatures;
    options.in_process = in_process;
    struct inq_error *error = inq_report_open(core, &options, &report);
    if (error)
        fail_msg("%s", inq_error_text(error));
    return report;
}

static void check_report(struct inq_report *report)
{
    int64_t number = 0;
    uint64_t address = 0;

    assert_string_equal(inq_report_get_text(report, "signal.name"), "SIGSEGV");
    assert_true(inq_report_get_int(report, "signal.number", &number));
    assert_int_equal(number, 11);
    assert_true(inq_report_get_address(report, "fault.address", &address));
    assert_int_equal(address, 0x10);
    assert_string_equal(inq_report_get_text(report, "crashed.frames[0].function"), "visit_next");
    assert_string_equal(inq_report_get_text(report, "crashed.frames[1].function"), "walk");
    assert_string_equal(inq_report_get_text(report, "verdicts[0].signature"), "null-deref-offset");
    assert_int_equal(inq_report_count(report, "threads"), 1);
    assert_int_equal(inq_report_count(report, "no.such.list"), 0);
    assert_null(inq_report_get_text(report, "signal.number"));
    assert_false(inq_report_get_int(report, "signal.name", &number));
    assert_non_null(strstr(inq_report_json(report), "\"inquest-report\""));
    assert_non_null(strstr(inq_report_as_text(report, 80), "visit_next"));
}

static void isolated(void **state)
{
    (void)state;
    struct inq_report *report = open_core(false);
    check_report(report);
    inq_report_free(report);
}

static void in_process(void **state)
{
    (void)state;
    struct inq_report *report = open_core(true);
    check_report(report);
    inq_report_free(report);
}

static void errors_name_the_file_and_have_codes(void **state)
{
    struct inq_report_options options;
    struct inq_report *report = NULL;

    (void)state;
    inq_report_options_init(&options);
    options.worker = worker;
    options.signatures = signatures;
    for (int here = 0; here < 2; here++) {
        options.in_process = here;
        struct inq_error *error = inq_report_open("/bin/true", &options, &report);
        assert_non_null(error);
        assert_null(report);
        assert_string_equal(inq_error_name(error), "INQ-031");
        assert_non_null(strstr(inq_error_text(error), "/bin/true"));
        inq_error_free(error);
        error = inq_report_open("/no/such/core", &options, &report);
        assert_non_null(error);
        assert_non_null(strstr(inq_error_text(error), "/no/such/core"));
        inq_error_free(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolated),
        cmocka_unit_test(in_process),
        cmocka_unit_test(errors_name_the_file_and_have_codes),
    };
    return cmocka_run_group_tests_name("library", tests, find_files, NULL);
}

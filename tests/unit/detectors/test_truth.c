/* SPDX-License-Identifier: Apache-2.0 */
/* Real crashes, and what is to be said about them: the truth table of x86-64 faults. */
#include <stdio.h>
#include <string.h>

#include "detectors_tests.h"
#include "dump.h"

/* "" is: not known. NULL ends what is looked at. */
struct truth {
    const char *how, *signal, *code, *sent_by;
    const char *address, *address_class, *access, *function;
};

/* An address that depends on the run: any will do. */
#define ANY "*"

static const struct truth truths[] = {
    {"null-read", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x10", "null-page", "read", "touch"},
    {"null-write", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x0", "null-page", "write", "poke"},
    {"near-null", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x4e24", "near-null", "read", "touch"},
    {"wild", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x123456789000", "unmapped", "read", "touch"},
    {"kernel-half", "SIGSEGV", "SEGV_MAPERR", "kernel", "0xffffffff80001234", "kernel-half", "read",
     "touch"},
    {"non-canonical", "SIGSEGV", "SI_KERNEL", "kernel", "", "non-canonical", "read", "touch"},
    {"call-null", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x0", "null-page", "execute", ""},
    {"call-unmapped", "SIGSEGV", "SEGV_MAPERR", "kernel", "0x1337000", "unmapped", "execute", ""},
    {"call-data", "SIGSEGV", "SEGV_ACCERR", "kernel", ANY, "no-exec", "execute", ""},
    {"write-constant", "SIGSEGV", "SEGV_ACCERR", "kernel", ANY, "read-only", "write", "poke"},
    {"past-eof", "SIGBUS", "BUS_ADRERR", "kernel", ANY, "past-eof", "read", "touch"},
    {"no-rights", "SIGSEGV", "SEGV_ACCERR", "kernel", ANY, "mapped", "read", "touch"},
    {"main-overflow", "SIGSEGV", "SEGV_MAPERR", "kernel", ANY, "stack-near", "write", "recurse"},
    {"guarded-overflow", "SIGSEGV", "SEGV_MAPERR", "kernel", ANY, "stack-guard", "write",
     "recurse"},
    {"free-7", "SIGSEGV", "SEGV_MAPERR", "kernel", "0xffffffffffffffff", "neg-errno", "read", ANY},
    {"realloc-small", "SIGSEGV", "SEGV_MAPERR", "kernel", "0xff8", "null-page", "read", ANY},
    {"divide", "SIGFPE", "FPE_INTDIV", "kernel", ANY, "", "", "other_crash"},
    {"illegal", "SIGILL", "ILL_ILLOPN", "kernel", ANY, "", "", "other_crash"},
    {"breakpoint", "SIGTRAP", "SI_KERNEL", "kernel", "", "", "", "other_crash"},
    {"abort", "SIGABRT", "SI_TKILL", "self", "", "", "", ""},
    {"raise-segv", "SIGSEGV", "SI_TKILL", "self", "", "", "", ""},
    {"quit", "SIGQUIT", "SI_TKILL", "self", "", "", "", ""},
    {"killed-segv", "SIGSEGV", "SI_USER", "other", "", "", "", ""},
    {"killed-abrt", "SIGABRT", "SI_USER", "other", "", "", "", ""},
};

static void expect(struct test_dump *test, const char *how, const char *path, const char *want)
{
    const char *have = test_fact(test, path);

    if (!strcmp(want, ANY)) {
        if (!have)
            fail_msg("%s: %s is not known", how, path);
    } else if (!have != !*want || (have && strcmp(have, want) != 0)) {
        fail_msg("%s: %s is %s, want %s", how, path, have ? have : "not known",
                 *want ? want : "nothing");
    }
}

static void check_truth(const struct truth *truth)
{
    const char *arguments[] = {truth->how, NULL};
    struct test_dump test;

    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    expect(&test, truth->how, "signal.name", truth->signal);
    expect(&test, truth->how, "signal.code_name", truth->code);
    expect(&test, truth->how, "signal.sent_by", truth->sent_by);
    expect(&test, truth->how, "fault.address", truth->address);
    expect(&test, truth->how, "fault.address_class", truth->address_class);
    expect(&test, truth->how, "fault.access", truth->access);
    expect(&test, truth->how, "fault.function", truth->function);
    /* si_addr is si_pid and si_uid for a signal that was sent: it must not be shown as an address
     */
    if (strcmp(truth->sent_by, "kernel") != 0) {
        expect(&test, truth->how, "signal.address", "");
        assert_null(json_object_get(test.evidence->document, "fault"));
    }
    expect(&test, truth->how, "core.complete", "true");
    expect(&test, truth->how, "core.filtered", "false");
    test_dump_close(&test);
}

/* One cmocka test a crash, so that a failure names it and a skip skips one. */
static void test_one(void **state)
{
    check_truth(*state);
}

/* A thread's guard lies below its stack: x86-64 glibc before 2.42. With a later one the class is
 * the same. */
static void test_thread_overflow(void **state)
{
    static const char *const arguments[] = {"thread-overflow", NULL};
    struct test_dump test;
    (void)state;

    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    test_fact_is(&test, "fault.address_class", "stack-guard");
    test_fact_is(&test, "threads_total", "2");
    test_dump_close(&test);
}

static void test_execution(void **state)
{
    static const char *const arguments[] = {"call-unmapped", NULL};
    struct test_dump test;
    (void)state;

    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    test_fact_is(&test, "fault.error_code.value", "20"); /* 0x14: user, instruction fetch */
    test_fact_is(&test, "fault.error_code.source", "inferred");
    assert_string_equal(test_why(&test, "fault.function"), "the program counter is in no module");
    test_dump_close(&test);
}

static void test_arguments_of_free(void **state)
{
    static const struct {
        const char *how, *argument, *by_call_site;
    } cases[] = {{"free-7", "0x7", "0x7"},
                 {"realloc-small", "0x1000", "0x1000"},
                 {"free-wild", "0x4141414141414140", NULL}, /* no address that agrees */
                 {"null-read", NULL, NULL}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *arguments[] = {cases[i].how, NULL};
        struct test_dump test;
        test_dump_crash(&test, arguments);
        test_dump_read(&test, true);
        test_fact_is(&test, "fault.argument", cases[i].argument);
        /* a register that was overwritten since is no argument; the code of the caller tells it */
        int rdi = inq_cpu_register(test.dump.core->cpu, "rdi");
        int rbx = inq_cpu_register(test.dump.core->cpu, "rbx");
        uint64_t elsewhere = inq_core_sp(test.dump.core, &test.dump.core->threads[0]) + 64;
        test.dump.core->threads[0].registers[rdi] = elsewhere;
        test.dump.core->threads[0].registers[rbx] = elsewhere;
        test_dump_detect(&test);
        test_fact_is(&test, "fault.argument", cases[i].by_call_site);
        test_dump_close(&test);
    }
}

/* Without libc's file nobody can say that it was not free() that failed in there. */
static void test_argument_of_a_nameless_function(void **state)
{
    static const struct {
        const char *how;
        bool in_libc;
    } cases[] = {{"free-7", true}, {"null-read", false}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *arguments[] = {cases[i].how, NULL};
        struct test_dump test;
        test_dump_crash(&test, arguments);
        test_dump_read(&test, false);
        test_fact_is(&test, "fault.argument", NULL);
        assert_int_equal(test_why(&test, "fault.argument") != NULL, cases[i].in_libc);
        test_dump_close(&test);
    }
}

static void test_abort_messages(void **state)
{
    static const struct {
        const char *how, *message;
    } cases[] = {{"double-free", "free(): double free detected in tcache 2"},
                 {"assert", "Assertion `number == 42' failed."}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int files = 0; files < 2; files++) { /* without libc's file: found by its looks */
            const char *arguments[] = {cases[i].how, NULL};
            struct test_dump test;
            test_dump_crash(&test, arguments);
            test_dump_read(&test, files);
            const char *message = test_fact(&test, "abort.message");
            assert_non_null(message);
            assert_non_null(strstr(message, cases[i].message));
            assert_null(strchr(message, '\n'));
            test_fact_is(&test, "abort.source", "libc");
            test_dump_close(&test);
        }
}

/* abort() alone leaves no message: with libc's file that is known, without it is not. */
static void test_no_abort_message(void **state)
{
    static const char *const arguments[] = {"abort", NULL};
    struct test_dump test;
    (void)state;

    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    test_fact_is(&test, "abort.message", NULL);
    assert_null(test_why(&test, "abort.message"));
    test_dump_close(&test);
    test_dump_crash(&test, arguments);
    test_dump_read(&test, false);
    test_fact_is(&test, "abort.message", NULL);
    assert_non_null(test_why(&test, "abort.message"));
    test_dump_close(&test);
}

static void test_process(void **state)
{
    static const char *const arguments[] = {"null-read", "two words", "", "--n=1", NULL};
    struct test_dump test;
    (void)state;

    setenv("OMP_NUM_THREADS", "3", 1);
    setenv("INQUEST_TEST_PRIVATE", "not-for-anybody", 1);
    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    json_t *process = json_object_get(test.evidence->document, "process");
    json_t *list = json_object_get(process, "arguments");
    assert_int_equal(json_array_size(list), 5);
    assert_string_equal(json_string_value(json_array_get(list, 0)), test.program);
    for (size_t i = 0; arguments[i]; i++)
        assert_string_equal(json_string_value(json_array_get(list, i + 1)), arguments[i]);
    assert_int_equal(json_integer_value(json_object_get(process, "pid")), test.pid);
    assert_string_equal(json_string_value(json_object_get(process, "executable")), test.program);
    test_fact_is(&test, "process.comm", "detectors-crash");

    json_t *environment = json_object_get(test.evidence->document, "environment");
    assert_string_equal(json_string_value(json_object_get(environment, "OMP_NUM_THREADS")), "3");
    assert_null(json_object_get(environment, "INQUEST_TEST_PRIVATE"));
    assert_null(json_object_get(environment, "PATH"));
    char *all = inq_evidence_dump(test.evidence->document, false);
    assert_null(strstr(all, "not-for-anybody"));
    free(all);
    test_dump_close(&test);
}

/* The document must pass its own dictionary: what the parent does with it. */
static void test_document_is_valid(void **state)
{
    static const char *const arguments[] = {"thread-overflow", NULL};
    struct inq_evidence *parsed;
    struct test_dump test;
    (void)state;

    test_dump_crash(&test, arguments);
    test_dump_read(&test, true);
    inq_evidence_set_gaps(test.evidence, &test.gaps);
    char *all = inq_evidence_dump(test.evidence->document, false);
    struct inq_error *error = inq_evidence_parse(all, strlen(all), "test", &parsed);
    if (error)
        fail_msg("%s", error->message);
    assert_true(json_equal(parsed->document, test.evidence->document));
    inq_evidence_destroy(parsed);
    free(all);
    test_dump_close(&test);
}

int truth_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_overflow),
        cmocka_unit_test(test_execution),
        cmocka_unit_test(test_arguments_of_free),
        cmocka_unit_test(test_abort_messages),
        cmocka_unit_test(test_argument_of_a_nameless_function),
        cmocka_unit_test(test_no_abort_message),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_document_is_valid),
    };
    struct CMUnitTest crashes[sizeof(truths) / sizeof(truths[0])];

    for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
        crashes[i] = (struct CMUnitTest){.name = truths[i].how,
                                         .test_func = test_one,
                                         .initial_state = (void *)(uintptr_t)&truths[i]};
    int failed = cmocka_run_group_tests_name("crashes", crashes, NULL, NULL);
    return failed + cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}

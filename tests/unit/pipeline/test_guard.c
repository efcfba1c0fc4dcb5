/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "pipeline.h"

static char *directory;

static int before(void **state)
{
    (void)state;
    directory = scratch_create();
    return 0;
}

static int after(void **state)
{
    (void)state;
    inq_pipeline_interrupt(0);
    scratch_remove(directory);
    /* Whatever happened, no worker is left behind, not even as a zombie. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

/* One triage of a core whose name tells the fake worker what to do. */
static json_t *triage(const char *behaviour, uint32_t seconds, int want_exit)
{
    struct inq_job_options options = {.worker_path = fake_worker(), .timeout_seconds = seconds};
    char name[64];
    json_t *report = NULL;
    int exit_code = -1;

    snprintf(name, sizeof(name), "%s.core", behaviour);
    scratch_file(directory, name,
                 "\x7f"
                 "ELF",
                 4);
    assert_null(inq_pipeline_triage(scratch_path(directory, name), &options, &report, &exit_code));
    assert_non_null(report);
    if (exit_code != want_exit)
        fail_msg("%s: exit %d, want %d", behaviour, exit_code, want_exit);
    return report;
}

static const char *text_at(const json_t *report, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(report, object), key));
}

static void good(void **state)
{
    json_t *report = triage("good", 0, 0);

    (void)state;
    assert_null(json_object_get(report, "error"));
    assert_string_equal(text_at(report, "tool", "name"), "inquest");
    assert_string_equal(text_at(report, "core", "name"), "good.core");
    assert_string_equal(text_at(report, "core", "path"), scratch_path(directory, "good.core"));
    assert_string_equal(text_at(report, "process", "comm"), "fake");
    assert_string_equal(text_at(report, "process", "crashed_at_source"), "file-time");
    assert_true(json_is_real(json_object_get(json_object_get(report, "timing"), "total_ms")));
    json_decref(report);
}

struct ending {
    const char *behaviour;
    uint32_t seconds;
    const char *code, *message;
};

static const struct ending endings[] = {
    {"segv", 0, "INQ-150", "the worker was ended by SIGSEGV"},
    {"killed", 0, "INQ-150", "the worker was ended by SIGKILL"},
    {"silent", 0, "INQ-150", "the worker gave no answer and exited with status 0"},
    {"exit3", 0, "INQ-150", "the worker gave no answer and exited with status 3"},
    {"crashafter", 0, "INQ-150", "the worker was ended by SIGSEGV"},
    {"exitafter", 0, "INQ-150", "the worker exited with status 4 after its answer"},
    {"hang", 1, "INQ-151", "the worker gave no answer within 1 s and was ended"},
    {"stopped", 1, "INQ-151", "the worker gave no answer within 1 s and was ended"},
    {"half", 1, "INQ-151", "the worker gave no answer within 1 s and was ended"},
    {"ask", 1, "INQ-151", "the worker gave no answer within 1 s and was ended"},
    {"deaf", 1, "INQ-151", "the worker gave no answer within 1 s and was ended"},
    {"garbage", 0, "INQ-152", "the worker's answer was thrown away: it is no answer at all"},
    {"flood", 0, "INQ-152", "the worker's answer was thrown away: it is no answer at all"},
    {"huge", 0, "INQ-152", "the worker's answer was thrown away: it is larger than 64 MiB"},
    {"longer", 0, "INQ-152", "the worker's answer was thrown away: more follows after its end"},
    {"short", 0, "INQ-152", NULL},
    {"badjson", 0, "INQ-152", NULL},
    {"wrongtype", 0, "INQ-152", NULL},
};

static void every_bad_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(endings); i++) {
        const struct ending *e = &endings[i];
        json_t *report = triage(e->behaviour, e->seconds, 5);
        const json_t *error = json_object_get(report, "error");
        const char *message = text_at(report, "error", "message");

        if (strcmp(text_at(report, "error", "code"), e->code))
            fail_msg("%s: %s (%s), want %s", e->behaviour, text_at(report, "error", "code"),
                     message, e->code);
        if (e->message)
            assert_string_equal(message, e->message);
        assert_int_equal(json_integer_value(json_object_get(error, "exit")), 5);
        assert_int_equal(json_array_size(json_object_get(report, "gaps")), 1);
        assert_int_equal(
            json_integer_value(json_object_get(json_object_get(report, "core"), "size_bytes")), 4);
        assert_null(json_object_get(report, "threads"));
        json_decref(report);
    }
}

/* The flood is stopped at its first bytes: nothing like 10 GB is ever held. */
static void memory_stays_flat(void **state)
{
    struct rusage before_flood, after_flood;

    (void)state;
    assert_int_equal(getrusage(RUSAGE_SELF, &before_flood), 0);
    json_decref(triage("flood", 0, 5));
    json_decref(triage("huge", 0, 5));
    assert_int_equal(getrusage(RUSAGE_SELF, &after_flood), 0);
    assert_true(after_flood.ru_maxrss - before_flood.ru_maxrss < 32 * 1024);
}

static void worker_errors(void **state)
{
    json_t *report = triage("header", 0, 3);

    (void)state;
    assert_string_equal(text_at(report, "error", "message"),
                        "truncated ELF header (15 of 64 bytes)");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(report, "error"), "offset")), 16);
    json_decref(report);
}

static void changed_while_read(void **state)
{
    json_t *report = triage("grow", 0, 1);
    const json_t *gap = json_array_get(json_object_get(report, "gaps"), 0);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(report, "gaps")), 1);
    assert_string_equal(json_string_value(json_object_get(gap, "code")), "INQ-020");
    json_decref(report);
}

/* It answered and exited; that its child lives on and holds the pipe changes nothing. */
static void child_holds_the_pipe(void **state)
{
    json_t *report = triage("child", 20, 0);

    (void)state;
    assert_string_equal(text_at(report, "process", "comm"), "fake");
    json_decref(report);
}

static void clean_surroundings(void **state)
{
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a careless caller would */
    json_t *report = triage("inspect", 0, 3);

    (void)state;
    assert_string_equal(text_at(report, "error", "message"),
                        "extra 0 missing 0 ignored 0 environment 0 leader 1 last "
                        "--data-bytes=1073741824");
    json_decref(report);
    close(leaked);
    signal(SIGPIPE, old);
}

static void refused_files(void **state)
{
    struct inq_job_options options = {.worker_path = fake_worker()};
    static const struct {
        const char *path, *message;
        int exit_code;
    } rows[] = {
        {"/dev/zero", "not a regular file: a character device", 3},
        {"/tmp", "not a regular file: a directory", 3},
        {"/no/such/file", "cannot open: No such file or directory", 6},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        json_t *report = NULL;
        int exit_code = -1;

        assert_null(inq_pipeline_triage(rows[i].path, &options, &report, &exit_code));
        assert_int_equal(exit_code, rows[i].exit_code);
        assert_string_equal(text_at(report, "error", "message"), rows[i].message);
        json_decref(report);
    }
}

static void no_worker(void **state)
{
    struct inq_job_options options = {.worker_path = "/no/such/worker"};
    json_t *report = NULL;
    int exit_code = -1;

    (void)state;
    scratch_file(directory, "good.core",
                 "\x7f"
                 "ELF",
                 4);
    struct inq_error *error =
        inq_pipeline_triage(scratch_path(directory, "good.core"), &options, &report, &exit_code);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_WORKER_START);
    assert_string_equal(error->message,
                        "the worker could not be started: No such file or directory");
    assert_null(report);
    inq_error_destroy(error);
}

/* No descriptors left: an error with a reason and nothing leaked. */
static void no_descriptors(void **state)
{
    struct inq_job_options options = {.worker_path = fake_worker()};
    struct rlimit limit, low;
    json_t *report = NULL;
    int exit_code = -1;

    (void)state;
    scratch_file(directory, "good.core",
                 "\x7f"
                 "ELF",
                 4);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (rlim_t n = 3; n < 24; n++) {
        low = (struct rlimit){n, limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        struct inq_error *error = inq_pipeline_triage(scratch_path(directory, "good.core"),
                                                      &options, &report, &exit_code);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (error)
            assert_int_equal(error->code, INQ_E_WORKER_START);
        else
            assert_true(exit_code == 0 || exit_code == 6);
        inq_error_destroy(error);
        json_decref(report);
        report = NULL;
    }
}

static void interrupted_before(void **state)
{
    (void)state;
    inq_pipeline_interrupt(SIGTERM);
    json_t *report = triage("hang", 20, 130);
    assert_string_equal(text_at(report, "error", "message"), "interrupted");
    json_decref(report);
}

/* The signal comes while the parent waits for the hanging worker. */
static void interrupted_while_waiting(void **state)
{
    struct sigaction stop = {.sa_handler = inq_pipeline_interrupt}, old;

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &stop, &old), 0);
    alarm(1);
    json_t *report = triage("hang", 20, 130);
    alarm(0);
    assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
    assert_int_equal(inq_pipeline_interrupted(), SIGALRM);
    json_decref(report);
}

int run_guard_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good, before, after),
        cmocka_unit_test_setup_teardown(every_bad_end, before, after),
        cmocka_unit_test_setup_teardown(memory_stays_flat, before, after),
        cmocka_unit_test_setup_teardown(worker_errors, before, after),
        cmocka_unit_test_setup_teardown(changed_while_read, before, after),
        cmocka_unit_test_setup_teardown(child_holds_the_pipe, before, after),
        cmocka_unit_test_setup_teardown(clean_surroundings, before, after),
        cmocka_unit_test_setup_teardown(refused_files, before, after),
        cmocka_unit_test_setup_teardown(no_worker, before, after),
        cmocka_unit_test_setup_teardown(no_descriptors, before, after),
        cmocka_unit_test_setup_teardown(interrupted_before, before, after),
        cmocka_unit_test_setup_teardown(interrupted_while_waiting, before, after),
    };

    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}

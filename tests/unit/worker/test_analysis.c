/* SPDX-License-Identifier: Apache-2.0 */
/* A whole analysis in this process, and the worker program as its parent sees it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis.h"
#include "broker.h"
#include "cleanup.h"
#include "frame.h"
#include "worker_tests.h"

static char folder[64], core_path[96];

static bool cores_are_files(void)
{
    char pattern[128] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");

    if (!file)
        return false;
    bool is_core = fgets(pattern, sizeof(pattern), file) && !strcmp(pattern, "core\n");
    fclose(file);
    return is_core;
}

static void child(const char *program)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    const char *argv[128] = {program, "double-free"}, *envp[64] = {"OMP_NUM_THREADS=4"};

    for (size_t i = 0; i < n_planted; i++)
        argv[i + 2] = planted[i].argument;
    for (size_t i = 0; i < n_planted_variables; i++)
        envp[i + 1] = planted_variables[i].argument;
    if (chdir(folder) < 0 || setrlimit(RLIMIT_CORE, &unlimited) < 0)
        _exit(127);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 1);
    dup2(null, 2);
    execve(program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
    _exit(127);
}

/* A crash with all the planted secrets in its arguments and environment. */
static int make_core(void **state)
{
    const char *root = getenv("INQ_BUILD_ROOT");
    char program[512];
    int status = 0;
    (void)state;

    if (!root || !cores_are_files())
        return 0;
    snprintf(folder, sizeof(folder), "/tmp/inquest-worker-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(program, sizeof(program), "%s/tests/unit/detectors/detectors-crasher", root);
    pid_t pid = fork();
    if (pid == 0)
        child(program);
    waitpid(pid, &status, 0);
    snprintf(core_path, sizeof(core_path), "%s/core", folder);
    if (access(core_path, F_OK) < 0)
        snprintf(core_path, sizeof(core_path), "%s/core.%d", folder, (int)pid);
    if (!WIFSIGNALED(status) || access(core_path, F_OK) < 0)
        core_path[0] = '\0';
    return 0;
}

static int remove_core(void **state)
{
    (void)state;
    if (core_path[0])
        unlink(core_path);
    if (folder[0])
        rmdir(folder);
    return 0;
}

static int open_core(void)
{
    if (!core_path[0]) {
        print_message("skipped: no core dump can be had here\n");
        skip();
    }
    int fd = open(core_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void expect_no_secret(struct inq_evidence *evidence)
{
    char *text = inq_evidence_dump(evidence->document, false);

    assert_non_null(text);
    for (size_t i = 0; i < n_planted; i++)
        if (planted[i].secret && strstr(text, planted[i].secret))
            fail_msg("%s left the worker", planted[i].secret);
    for (size_t i = 0; i < n_planted_variables; i++)
        if (strstr(text, planted_variables[i].secret))
            fail_msg("%s left the worker", planted_variables[i].secret);
    free(text);
}

static const char *text_of(struct inq_evidence *evidence, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(evidence->document, path, NULL, NULL);
    return fact.known == INQ_KNOWN ? json_string_value(fact.value) : NULL;
}

static void expect_the_crash(struct inq_evidence *evidence)
{
    assert_string_equal(text_of(evidence, "signal.name"), "SIGABRT");
    assert_string_equal(text_of(evidence, "signal.sent_by"), "self");
    assert_string_equal(text_of(evidence, "abort.message"),
                        "free(): double free detected in tcache 2");
    assert_string_equal(text_of(evidence, "environment.OMP_NUM_THREADS"), "4");
    struct inq_fact_value arguments =
        inq_evidence_get(evidence->document, "process.arguments", NULL, NULL);
    assert_int_equal(json_array_size(arguments.value), n_planted + 2);
}

static void test_in_process(void **state)
{
    struct inq_file_policy policy = {0};
    struct inq_opener opener = inq_opener_direct(&policy);
    struct inq_analysis_options options = {.engine = INQ_ENGINE_LIBUNWIND};
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    struct inq_error *error = inq_analyze_fd(open_core(), "a/core.1", &opener, &options, &evidence);
    if (error)
        fail_msg("%s", error->message);
    expect_the_crash(evidence);
    expect_no_secret(evidence);
    assert_string_equal(text_of(evidence, "core.name"), "core.1");
    static const char *const stages[] = {"source", "elfcore", "memory",    "modules", "unwind",
                                         "names",  "record",  "detectors", "redact"};
    json_t *timing = json_object_get(evidence->document, "timing");
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
        assert_true(json_is_real(json_object_get(json_object_get(timing, "stages"), stages[i])));
    assert_true(json_real_value(json_object_get(timing, "total_ms")) > 0);
}

/* Threads and names alone: no detector has looked, and none of their facts is made up. */
static void test_stacks_only(void **state)
{
    struct inq_opener opener = inq_opener_none();
    struct inq_analysis_options options = {.stacks_only = true};
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_analyze_fd(open_core(), NULL, &opener, &options, &evidence));
    assert_non_null(json_object_get(evidence->document, "threads"));
    assert_null(text_of(evidence, "abort.message"));
    assert_null(text_of(evidence, "signal.sent_by"));
    expect_no_secret(evidence);
}

static void test_strict(void **state)
{
    struct inq_opener opener = inq_opener_none();
    struct inq_analysis_options options = {.redact = "strict"};
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_analyze_fd(open_core(), NULL, &opener, &options, &evidence));
    expect_no_secret(evidence);
    char *text = inq_evidence_dump(evidence->document, false);
    assert_null(strstr(text, "--db-passwd"));
    free(text);
}

static void test_no_core(void **state)
{
    struct inq_opener opener = inq_opener_none();
    struct inq_analysis_options options = {0};
    struct inq_evidence *evidence = NULL;
    (void)state;

    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct inq_error *error = inq_analyze_fd(fd, "exe", &opener, &options, &evidence);
    assert_non_null(error);
    assert_int_equal(inq_code_exit(error->code), 3);
    assert_null(evidence);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken, also on failure */
    inq_error_destroy(error);
}

/* ---- the program ---- */

static void start_worker(int core, int result, int broker, const char *option)
{
    char program[512];
    int fds[] = {core, result, broker};

    snprintf(program, sizeof(program), "%s/src/programs/inquest-worker", getenv("INQ_BUILD_ROOT"));
    for (int i = 0; i < 3; i++) /* out of the way first */
        fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 20);
    for (int i = 0; i < 3; i++)
        dup2(fds[i], INQ_WORKER_FD_CORE + i);
    char *const argv[] = {program, (char *)(uintptr_t) "--name=the-core", (char *)(uintptr_t)option,
                          NULL};
    char *const envp[] = {NULL};
    execve(program, argv, envp);
    _exit(127);
}

/* Runs the worker with a parent that serves files; the frame it wrote. */
static char *run_worker(int core, const char *option, size_t *ret_size, int *ret_status)
{
    struct inq_file_policy policy = {0};
    int sockets[2], pipes[2];
    size_t size = 0, capacity = 8u << 20;
    char *frame = malloc(capacity);

    assert_non_null(frame);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    fcntl(pipes[1], F_SETFL, 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        start_worker(core, pipes[1], sockets[1], option);
    close(pipes[1]);
    close(sockets[1]);
    for (bool peer = true;;) {
        while (peer) {
            int served = inq_broker_serve(sockets[0], &policy);
            peer = served >= 0;
            if (served <= 0)
                break;
        }
        ssize_t n = read(pipes[0], frame + size, capacity - size);
        if (n == 0)
            break;
        if (n > 0)
            size += (size_t)n;
        else
            assert_int_equal(errno, EAGAIN);
        usleep(500);
    }
    assert_int_equal(waitpid(pid, ret_status, 0), pid);
    close(pipes[0]);
    close(sockets[0]);
    *ret_size = size;
    return frame;
}

static void test_worker(void **state)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    struct inq_error *worker_error = NULL;
    int core = open_core(), status;
    size_t size;
    (void)state;

    _cleanup_free_ char *frame = run_worker(core, "--redact=default", &size, &status);
    close(core);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_null(inq_frame_parse(frame, size, &evidence, &worker_error));
    assert_null(worker_error);
    expect_the_crash(evidence);
    expect_no_secret(evidence);
    json_t *sandbox = json_object_get(evidence->document, "sandbox");
    assert_true(json_is_true(json_object_get(sandbox, "rlimits")));
    assert_true(json_is_true(json_object_get(sandbox, "no_new_privs")));
    assert_int_not_equal(json_integer_value(json_object_get(sandbox, "uid")), 0);
}

static void test_worker_says_what_is_wrong(void **state)
{
    struct inq_evidence *evidence = NULL;
    struct inq_error *worker_error = NULL;
    int status;
    size_t size;
    (void)state;

    if (!getenv("INQ_BUILD_ROOT")) {
        print_message("skipped: INQ_BUILD_ROOT is not set\n");
        skip();
    }
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    _cleanup_free_ char *frame = run_worker(fd, NULL, &size, &status);
    close(fd);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_null(inq_frame_parse(frame, size, &evidence, &worker_error));
    assert_null(evidence);
    assert_int_equal(worker_error->code, INQ_E_NOT_CORE);
    inq_error_destroy(worker_error);
}

/* By hand, without the descriptors: it says what it is. */
static void test_by_hand(void **state)
{
    int status = 0;
    (void)state;

    if (!getenv("INQ_BUILD_ROOT")) {
        print_message("skipped: INQ_BUILD_ROOT is not set\n");
        skip();
    }
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char program[512];
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        snprintf(program, sizeof(program), "%s/src/programs/inquest-worker",
                 getenv("INQ_BUILD_ROOT"));
        dup2(null, 1);
        dup2(null, 2);
        for (int fd = INQ_WORKER_FD_CORE; fd <= INQ_WORKER_FD_BROKER; fd++)
            close(fd);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int analysis_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_process), cmocka_unit_test(test_stacks_only),
        cmocka_unit_test(test_strict),     cmocka_unit_test(test_no_core),
        cmocka_unit_test(test_worker),     cmocka_unit_test(test_worker_says_what_is_wrong),
        cmocka_unit_test(test_by_hand),
    };
    return cmocka_run_group_tests_name("analysis", tests, make_core, remove_core);
}

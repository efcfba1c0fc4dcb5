/* SPDX-License-Identifier: Apache-2.0 */
/* Each test gives up its rights in a child; what is left is told by the child's exit code or end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "sandbox.h"
#include "sandbox_parts.h"
#include "worker_tests.h"

static const struct inq_sandbox_options usual = {
    .enabled = true, .data_bytes = 1u << 30, .cpu_seconds = 20};

/* Exit code of `inside` run behind a sandbox, or minus the signal that ended it. */
static int behind(const struct inq_sandbox_options *options,
                  int (*inside)(const struct inq_sandbox *))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct inq_sandbox active;
        struct inq_error *error = inq_sandbox_enter(options, &active);
        _exit(error ? 100 + (int)error->code % 50 : inside(&active));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int layers(const struct inq_sandbox *active)
{
    return active->rlimits && active->no_new_privs && (active->seccomp || INQ_SANITIZED) &&
                   (geteuid() == active->uid || active->seccomp)
               ? 0
               : 1;
}

static int open_a_file(const struct inq_sandbox *active)
{
    (void)active;
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return fd < 0 && errno == EACCES ? 0 : 1;
}

static int make_a_file(const struct inq_sandbox *active)
{
    (void)active;
    return open("/tmp/inquest-sandbox-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? 0 : 1;
}

static int make_a_socket(const struct inq_sandbox *active)
{
    (void)active;
    socket(AF_INET, SOCK_STREAM, 0);
    return 1;
}

static int start_a_process(const struct inq_sandbox *active)
{
    (void)active;
    pid_t pid = fork();
    if (pid == 0)
        _exit(1);
    return pid < 0 ? 0 : 1;
}

static int make_code(const struct inq_sandbox *active)
{
    (void)active;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 1;
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0)
        return 2;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 3;
    return mprotect(page, 4096, PROT_READ) == 0 ? 0 : 4;
}

/* What the work itself needs: memory, reading and mapping a descriptor that was open before. */
static int open_before = -1;
static int do_the_work(const struct inq_sandbox *active)
{
    struct stat st;
    char buf[64];
    (void)active;

    char *memory = malloc(64u << 20);
    if (!memory)
        return 1;
    memset(memory, 1, 64u << 20);
    memory = realloc(memory, 96u << 20);
    free(memory);
    if (fstat(open_before, &st) != 0 || pread(open_before, buf, sizeof(buf), 0) <= 0)
        return 2;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, open_before, 0);
    return map != MAP_FAILED && munmap(map, (size_t)st.st_size) == 0 ? 0 : 3;
}

static int look_at_limits(const struct inq_sandbox *active)
{
    struct rlimit core, file, process, cpu;
    (void)active;

    if (getrlimit(RLIMIT_CORE, &core) || getrlimit(RLIMIT_FSIZE, &file) ||
        getrlimit(RLIMIT_NPROC, &process) || getrlimit(RLIMIT_CPU, &cpu))
        return 1;
    return core.rlim_max == 0 && file.rlim_max == 0 && (process.rlim_max == 0 || INQ_SANITIZED) &&
                   cpu.rlim_cur <= 20
               ? 0
               : 2;
}

static int look_at_user(const struct inq_sandbox *active)
{
    /* seccomp leaves no call to ask with; the kernel's answer is in what was active */
    return active->uid != 0 ? 0 : 1;
}

static int look_at_descriptors(const struct inq_sandbox *active)
{
    char byte;
    (void)active;
    return read(INQ_WORKER_FD_BROKER + 5, &byte, 1) < 0 && errno == EBADF ? 0 : 1;
}

static int be_killed_by_abort(const struct inq_sandbox *active)
{
    (void)active;
    abort();
}

static void test_layers(void **state)
{
    (void)state;
    assert_int_equal(behind(&usual, layers), 0);
}

static void test_files(void **state)
{
    (void)state;
    if (INQ_SANITIZED) {
        print_message("skipped: no system call filter in a build with sanitizers\n");
        skip();
    }
    assert_int_equal(behind(&usual, make_a_file), 0);
    assert_int_equal(behind(&usual, open_a_file), 0);
}

static void test_refused(void **state)
{
    (void)state;
    if (INQ_SANITIZED) {
        print_message("skipped: no system call filter in a build with sanitizers\n");
        skip();
    }
    assert_int_equal(behind(&usual, make_a_socket), -SIGSYS);
    assert_int_equal(behind(&usual, start_a_process), 0);
    assert_int_equal(behind(&usual, make_code), 0);
    assert_int_equal(behind(&usual, be_killed_by_abort), -SIGABRT);
}

static void test_work_goes_on(void **state)
{
    (void)state;
    open_before = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(open_before >= 0);
    /* below the broker's number, as a worker has its dump */
    assert_int_equal(dup2(open_before, INQ_WORKER_FD_CORE), INQ_WORKER_FD_CORE);
    if (open_before != INQ_WORKER_FD_CORE)
        close(open_before);
    open_before = INQ_WORKER_FD_CORE;
    assert_int_equal(behind(&usual, do_the_work), 0);
    close(open_before);
}

static void test_limits_and_user(void **state)
{
    (void)state;
    assert_int_equal(behind(&usual, look_at_limits), 0);
    assert_int_equal(behind(&usual, look_at_user), 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(fd, INQ_WORKER_FD_BROKER + 5), INQ_WORKER_FD_BROKER + 5);
    assert_int_equal(behind(&usual, look_at_descriptors), 0);
    close(INQ_WORKER_FD_BROKER + 5);
    close(fd);
}

/* --no-sandbox leaves the limits; with --require-sandbox beside it there is nothing to promise. */
static int only_limits(const struct inq_sandbox *active)
{
    return active->rlimits && !active->seccomp && !active->no_new_privs && active->landlock_abi == 0
               ? 0
               : 1;
}

static void test_switched_off(void **state)
{
    struct inq_sandbox_options options = usual;
    (void)state;

    options.enabled = false;
    assert_int_equal(behind(&options, only_limits), 0);
    options.required = true;
    assert_int_equal(behind(&options, only_limits), 100 + INQ_E_SANDBOX % 50);
}

/* The stock unwinder may open files; the report says that no Landlock was active. */
static int open_is_allowed(const struct inq_sandbox *active)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && active->landlock_abi == 0 ? 0 : 1;
}

static void test_allowed_files(void **state)
{
    struct inq_sandbox_options options = usual;
    (void)state;

    options.allow_files = true;
    assert_int_equal(behind(&options, open_is_allowed), 0);
}

/* A worker of an ordinary user must not reach that user's other processes. */
static pid_t somebody_else;
static int signal_others(const struct inq_sandbox *active)
{
    const bool refused =
        syscall(SYS_tgkill, somebody_else, somebody_else, 0) < 0 && errno == ENOSYS;
    return refused || !active->seccomp ? 0 : 1;
}

static int abort_itself(const struct inq_sandbox *active)
{
    (void)active;
    abort();
}

static void test_signals(void **state)
{
    (void)state;
    somebody_else = getpid();
    assert_int_equal(behind(&usual, signal_others), 0);
    assert_int_equal(behind(&usual, abort_itself), -SIGABRT);
}

/*
 * The worker holds the writing end of `alive` and waits for ever for a byte; its parent is killed
 * as soon as it is behind the sandbox. The end of `alive` is the worker's.
 */
static void dies_with_parent(const struct inq_sandbox_options *options)
{
    int alive[2], never[2];
    char byte = 0;

    assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
    assert_int_equal(pipe2(never, O_CLOEXEC), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        if (fork() == 0) {
            struct inq_sandbox active;
            if (!inq_sandbox_enter(options, &active) && write(alive[1], "", 1) == 1)
                byte = (char)read(never[0], &byte, 1);
            _exit(byte);
        }
        close(alive[1]);
        pause();
        _exit(0);
    }
    close(alive[1]);
    assert_int_equal(read(alive[0], &byte, 1), 1);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    struct pollfd end = {.fd = alive[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 20000), 1);
    assert_int_equal(read(alive[0], &byte, 1), 0);
    close(alive[0]);
    close(never[0]);
    close(never[1]);
}

static void test_parent_gone(void **state)
{
    struct inq_sandbox_options options = usual;
    (void)state;

    dies_with_parent(&options);
    options.enabled = false;
    dies_with_parent(&options);
}

int sandbox_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),          cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_work_goes_on),
        cmocka_unit_test(test_limits_and_user), cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_allowed_files),   cmocka_unit_test(test_signals),
        cmocka_unit_test(test_parent_gone),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}

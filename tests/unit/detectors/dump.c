/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(struct inq_error *error)
{
    if (error)
        fail_msg("%s: %s", inq_code_name(error->code), error->message);
}

/* Whether the kernel writes a file called core into the working directory. */
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

static void child(const struct test_dump *test, const char *const *arguments)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    const char *argv[64] = {test->program};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (size_t i = 0; i < 62 && arguments[i]; i++)
        argv[i + 1] = arguments[i];
    if (chdir(test->dir) < 0 || setrlimit(RLIMIT_CORE, &unlimited) < 0 || null < 0)
        _exit(127);
    dup2(null, 1);
    dup2(null, 2);
    signal(SIGINT, SIG_DFL); /* shells ignore these two in what runs in the background */
    signal(SIGQUIT, SIG_DFL);
    unsetenv("GLIBC_TUNABLES"); /* what free() says depends on them */
    execv(test->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

void test_dump_crash(struct test_dump *test, const char *const *arguments)
{
    const char *root = getenv("INQ_BUILD_ROOT");
    int status = 0;

    memset(test, 0, sizeof(*test));
    if (!root || !cores_are_files()) {
        print_message("skipped: %s\n",
                      root ? "core_pattern is not `core`" : "INQ_BUILD_ROOT is not set");
        skip();
    }
    snprintf(test->program, sizeof(test->program), "%s/tests/unit/detectors/detectors-crasher",
             root);
    snprintf(test->dir, sizeof(test->dir), "/tmp/inquest-detect-XXXXXX");
    assert_non_null(mkdtemp(test->dir));
    snprintf(test->core, sizeof(test->core), "%s/core", test->dir);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(test, arguments);
    test->pid = (int)pid;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3) {
        test_dump_close(test);
        print_message("skipped: this kernel cannot do %s\n", arguments[0]);
        skip();
    }
    assert_true(WIFSIGNALED(status));
    if (!WCOREDUMP(status)) {
        test_dump_close(test);
        print_message("skipped: the kernel wrote no core\n");
        skip();
    }
    if (access(test->core, F_OK) < 0) /* core_uses_pid */
        snprintf(test->core, sizeof(test->core), "%s/core.%d", test->dir, (int)pid);
}

void test_dump_read(struct test_dump *test, bool files)
{
    static const struct inq_modules_options modules_options = {.stacks_only = false};
    static const struct inq_unwind_options unwind_options = {.engine = INQ_ENGINE_LIBUNWIND,
                                                             .core_fd = -1};
    struct inq_dump *dump = &test->dump;
    int fd = open(test->core, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    dump->arena = inq_arena_create();
    assert_non_null(dump->arena);
    inq_gaps_init(&test->gaps, dump->arena);
    dump->gaps = &test->gaps;
    test->opener = files ? inq_opener_direct(&test->policy) : inq_opener_none();
    check(inq_source_open(fd, test->core, dump->gaps, &dump->source));
    check(inq_core_read(dump->source, dump->arena, dump->gaps, &dump->core));
    check(inq_memory_create(dump->core, dump->source, dump->arena, dump->gaps, &dump->memory));
    check(inq_modules_read(dump->core, dump->memory, &test->opener, &modules_options, dump->arena,
                           dump->gaps, &dump->modules));
    check(inq_stacks_walk(dump->core, dump->memory, dump->modules, &unwind_options, dump->arena,
                          dump->gaps, &dump->stacks));
    check(inq_stacks_name(dump->stacks, dump->modules, dump->arena, dump->gaps));
    test_dump_detect(test);
}

void test_dump_detect(struct test_dump *test)
{
    inq_evidence_destroy(test->evidence);
    check(inq_evidence_create(&test->evidence));
    check(inq_record(&test->dump, test->evidence));
    inq_detectors_run(&test->dump, test->evidence);
    assert_false(test->evidence->failed);
}

void test_dump_close(struct test_dump *test)
{
    inq_evidence_destroy(test->evidence);
    inq_modules_close(test->dump.modules);
    inq_source_destroy(test->dump.source);
    inq_gaps_deinit(&test->gaps);
    inq_arena_destroy(test->dump.arena);
    if (test->dir[0]) {
        unlink(test->core);
        rmdir(test->dir);
    }
    memset(test, 0, sizeof(*test));
}

const char *test_fact(struct test_dump *test, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(test->evidence->document, path, NULL, NULL);
    static char text[64];

    if (fact.known != INQ_KNOWN)
        return NULL;
    if (json_is_string(fact.value))
        return json_string_value(fact.value);
    if (json_is_integer(fact.value))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(fact.value));
    else
        snprintf(text, sizeof(text), "%s", json_is_true(fact.value) ? "true" : "false");
    return text;
}

const char *test_why(struct test_dump *test, const char *path)
{
    return json_string_value(
        json_object_get(json_object_get(test->evidence->document, "unknown"), path));
}

void test_fact_is(struct test_dump *test, const char *path, const char *want)
{
    const char *have = test_fact(test, path);

    if (!have != !want || (want && strcmp(have, want) != 0))
        fail_msg("%s is %s, want %s", path, have ? have : "not known", want ? want : "nothing");
}

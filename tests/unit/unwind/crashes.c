/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "text.h"
#include "unwind_tests.h"

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
    bool is_core = fgets(pattern, sizeof(pattern), file) && strcmp(pattern, "core\n") == 0;
    fclose(file);
    return is_core;
}

static void child(const struct crash *crash, const char *how, const char *number)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (chdir(crash->dir) < 0 || setrlimit(RLIMIT_CORE, &unlimited) < 0 || null < 0)
        _exit(127);
    dup2(null, 1);
    dup2(null, 2);
    execl(crash->program, crash->program, how, number, (char *)NULL);
    _exit(127);
}

void crash_run(struct crash *crash, const char *program, const char *how, const char *number)
{
    const char *root = getenv("INQ_BUILD_ROOT");
    int status = 0;

    memset(crash, 0, sizeof(*crash));
    if (!root || !cores_are_files()) {
        print_message("skipped: %s\n",
                      root ? "core_pattern is not `core`" : "INQ_BUILD_ROOT is not set");
        skip();
    }
    snprintf(crash->program, sizeof(crash->program), "%s/tests/unit/unwind/%s", root, program);
    snprintf(crash->dir, sizeof(crash->dir), "/tmp/inquest-unwind-XXXXXX");
    assert_non_null(mkdtemp(crash->dir));
    snprintf(crash->core_path, sizeof(crash->core_path), "%s/core", crash->dir);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(crash, how, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    if (!WCOREDUMP(status)) {
        crash_clean(crash);
        print_message("skipped: the kernel wrote no core\n");
        skip();
    }
    if (access(crash->core_path, F_OK) < 0) /* core_uses_pid */
        snprintf(crash->core_path, sizeof(crash->core_path), "%s/core.%d", crash->dir, (int)pid);
}

void crash_read(struct crash *crash)
{
    struct inq_modules_options options = {.has_executable = crash->policy.executable != NULL};
    int fd = open(crash->core_path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    crash_close(crash);
    crash->arena = inq_arena_create();
    assert_non_null(crash->arena);
    inq_gaps_init(&crash->gaps, crash->arena);
    check(inq_source_open(fd, crash->core_path, &crash->gaps, &crash->source));
    check(inq_core_read(crash->source, crash->arena, &crash->gaps, &crash->core));
    check(
        inq_memory_create(crash->core, crash->source, crash->arena, &crash->gaps, &crash->memory));
    crash->opener = inq_opener_direct(&crash->policy);
    check(inq_modules_read(crash->core, crash->memory, &crash->opener, &options, crash->arena,
                           &crash->gaps, &crash->modules));
}

void crash_walk(struct crash *crash)
{
    static const struct inq_unwind_options options = {.engine = INQ_ENGINE_LIBUNWIND,
                                                      .core_fd = -1};

    check(inq_stacks_walk(crash->core, crash->memory, crash->modules, &options, crash->arena,
                          &crash->gaps, &crash->stacks));
    check(inq_stacks_name(crash->stacks, crash->modules, crash->arena, &crash->gaps));
}

void crash_now(struct crash *crash, const char *program, const char *how, const char *number)
{
    crash_run(crash, program, how, number);
    crash_read(crash);
    crash_walk(crash);
}

void crash_close(struct crash *crash)
{
    inq_modules_close(crash->modules);
    inq_source_destroy(crash->source);
    inq_gaps_deinit(&crash->gaps);
    inq_arena_destroy(crash->arena);
    crash->modules = NULL;
    crash->source = NULL;
    crash->arena = NULL;
    crash->core = NULL;
    crash->memory = NULL;
    crash->stacks = NULL;
}

void crash_clean(struct crash *crash)
{
    crash_close(crash);
    if (crash->dir[0]) {
        char command[128];
        snprintf(command, sizeof(command), "rm -rf -- '%s'", crash->dir);
        assert_int_equal(system(command), 0);
    }
    memset(crash, 0, sizeof(*crash));
}

void crash_install(const struct crash *crash, const char *from, const char *as)
{
    char command[2048];

    int size = snprintf(command, sizeof(command),
                        "mkdir -p \"$(dirname '%s/root%s')\" && cp -- '%s' '%s/root%s'", crash->dir,
                        as, from, crash->dir, as);
    assert_true(size > 0 && (size_t)size < sizeof(command));
    assert_int_equal(system(command), 0);
}

void crash_shared(struct crash *crash, const char *core, const char *executable,
                  const char *sysroot)
{
    static char paths[2][512];
    const char *root = getenv("INQ_SOURCE_ROOT");

    memset(crash, 0, sizeof(*crash));
    snprintf(crash->core_path, sizeof(crash->core_path), "%s/../shared/cores/%s", root ? root : ".",
             core);
    if (!root || access(crash->core_path, R_OK) < 0) {
        print_message("skipped: the shared cores are not here\n");
        skip();
    }
    snprintf(paths[0], sizeof(paths[0]), "%s/../shared/cores/%s", root, sysroot ? sysroot : "");
    snprintf(paths[1], sizeof(paths[1]), "%s/../shared/cores/%s", root,
             executable ? executable : "");
    crash->policy.sysroot = paths[0];
    crash->policy.executable = executable ? paths[1] : NULL;
}

const char *crash_functions(const struct crash *crash, const struct inq_stack *stack)
{
    struct inq_text text = {0};

    for (size_t i = 0; i < stack->n_frames; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        inq_text_append(&text, i ? " " : "");
        inq_text_append(&text, frame->kind == INQ_FRAME_SIGNAL ? "<signal>"
                               : frame->kind == INQ_FRAME_JIT  ? "<jit>"
                               : frame->function               ? frame->function
                                                               : "?");
    }
    char *copy = inq_arena_strdup(crash->arena, text.bytes ? text.bytes : "");
    inq_text_deinit(&text);
    assert_non_null(copy);
    return copy;
}

bool crash_has_gap(const struct crash *crash, enum inq_code code)
{
    for (size_t i = 0; i < crash->gaps.count; i++) {
        if (crash->gaps.items[i].code == code)
            return true;
    }
    return false;
}

size_t crash_certain_frames(const struct inq_stack *stack)
{
    size_t count = 0;

    while (count < stack->n_frames && stack->frames[count].trust != INQ_TRUST_SCAN)
        count++;
    for (size_t i = count; i < stack->n_frames; i++)
        assert_true(stack->frames[i].trust == INQ_TRUST_SCAN || stack->frames[i].after_scan);
    return count;
}

void crash_assert_scanned(const struct crash *crash, const struct inq_stack *stack,
                          const char *truth)
{
    const char *at = truth;

    for (size_t i = crash_certain_frames(stack); i < stack->n_frames; i++) {
        const char *name = stack->frames[i].function;
        char word[128];
        if (!name)
            continue;
        snprintf(word, sizeof(word), "%s ", name);
        const char *found = strstr(at, word);
        if (!found)
            fail_msg("%s is not in '%s': %s", name, at, crash_functions(crash, stack));
        at = found + strlen(word);
    }
    assert_false(stack->complete);
}

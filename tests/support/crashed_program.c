/* SPDX-License-Identifier: Apache-2.0 */
#include "crashed_program.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

/* Whether the kernel writes a file called core into the working directory. */
static bool cores_are_files(void)
{
    char pattern[128] = "";
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
    bool plain;

    if (fd < 0)
        return false;
    plain = inq_read_full(fd, pattern, sizeof(pattern) - 1) > 0 && strcmp(pattern, "core\n") == 0;
    close(fd);
    return plain;
}

static void read_core(struct crash *crash)
{
    int fd = open(crash->core_path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    crash->size = (size_t)st.st_size;
    crash->bytes = malloc(crash->size);
    crash->pristine = malloc(crash->size);
    assert_true(crash->bytes && crash->pristine);
    assert_int_equal(inq_read_full(fd, crash->bytes, crash->size), crash->size);
    memcpy(crash->pristine, crash->bytes, crash->size);
    close(fd);
}

void crash_prepare(struct crash *crash)
{
    memset(crash, 0, sizeof(*crash));
    if (!getenv("INQ_BUILD_ROOT") || !cores_are_files()) {
        print_message("skipped: %s\n", getenv("INQ_BUILD_ROOT") ? "core_pattern is not `core`"
                                                                : "INQ_BUILD_ROOT is not set");
        skip();
    }
    snprintf(crash->dir, sizeof(crash->dir), "/tmp/inquest-crash-XXXXXX");
    assert_non_null(mkdtemp(crash->dir));
    assert_int_equal(chmod(crash->dir, 0755), 0);
    snprintf(crash->core_path, sizeof(crash->core_path), "%s/core", crash->dir);
}

void crash_run(struct crash *crash, char *const argv[])
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(crash->dir) < 0 || setrlimit(RLIMIT_CORE, &unlimited) < 0)
            _exit(127);
        execv(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    if (!WCOREDUMP(status)) {
        crash_remove(crash);
        print_message("skipped: the kernel wrote no core\n");
        skip();
    }
    if (access(crash->core_path, F_OK) < 0) /* core_uses_pid */
        snprintf(crash->core_path, sizeof(crash->core_path), "%s/core.%d", crash->dir, (int)pid);
    read_core(crash);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void crash_remove(struct crash *crash)
{
    crash_close(crash);
    free(crash->bytes);
    free(crash->pristine);
    crash->bytes = crash->pristine = NULL;
    if (crash->dir[0])
        nftw(crash->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

bool crash_open(struct crash *crash)
{
    int fd = memfd_create("core", MFD_CLOEXEC);
    struct inq_source_info info;
    struct inq_error *error;

    crash_close(crash);
    assert_true(fd >= 0);
    assert_int_equal(inq_write_full(fd, crash->bytes, crash->size), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    crash->arena = inq_arena_create();
    assert_non_null(crash->arena);
    inq_gaps_init(&crash->gaps, crash->arena);
    error = inq_source_open(fd, "core", &crash->gaps, &crash->source);
    if (!error)
        error = inq_core_read(crash->source, crash->arena, &crash->gaps, &crash->core);
    if (!error) {
        info = inq_source_info(crash->source);
        inq_core_note_present(crash->core, &info, &crash->gaps);
        error = inq_memory_create(crash->core, crash->source, crash->arena, &crash->gaps,
                                  &crash->memory);
    }
    inq_error_destroy(error);
    return !error;
}

struct inq_error *crash_modules(struct crash *crash, struct inq_opener *opener, bool stacks_only)
{
    const struct inq_modules_options options = {.stacks_only = stacks_only};

    return inq_modules_read(crash->core, crash->memory, opener, &options, crash->arena,
                            &crash->gaps, &crash->modules);
}

void crash_close(struct crash *crash)
{
    inq_modules_close(crash->modules);
    inq_source_destroy(crash->source);
    if (crash->arena) {
        inq_gaps_deinit(&crash->gaps);
        inq_arena_destroy(crash->arena);
    }
    crash->modules = NULL;
    crash->source = NULL;
    crash->arena = NULL;
    crash->core = NULL;
    crash->memory = NULL;
}

size_t crash_offset(const struct crash *crash, uint64_t addr)
{
    for (size_t i = 0; i < crash->core->n_segments; i++) {
        const struct inq_segment *s = &crash->core->segments[i];

        if (addr >= s->addr && addr - s->addr < s->present_bytes)
            return (size_t)(s->off + (addr - s->addr));
    }
    return SIZE_MAX;
}

size_t count_gaps(const struct inq_gaps *gaps, enum inq_code code)
{
    size_t n = 0;

    for (size_t i = 0; i < gaps->count; i++)
        n += gaps->items[i].code == code;
    return n;
}

struct inq_module *module_named(const struct inq_modules *modules, const char *name, size_t n)
{
    for (size_t i = 0; i < modules->count; i++)
        if (strcmp(modules->items[i].name, name) == 0 && n-- == 0)
            return &modules->items[i];
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char *scratch_create(void)
{
    char *directory = strdup("/tmp/inquest-pipeline.XXXXXX");

    assert_non_null(directory);
    assert_non_null(mkdtemp(directory));
    return directory;
}

/* rm walks by descriptors: some of the trees are deeper than a path may be long. */
void scratch_remove(char *directory)
{
    char program[] = "rm", option[] = "-rf";
    char *const command[] = {program, option, directory, NULL};
    pid_t pid;
    int status;

    assert_int_equal(posix_spawnp(&pid, program, NULL, NULL, command, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(directory);
}

const char *scratch_path(const char *directory, const char *name)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

void scratch_file(const char *directory, const char *name, const void *bytes, size_t size)
{
    int fd = open(scratch_path(directory, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(close(fd), 0);
}

const char *fake_worker(void)
{
    static char path[4096];
    const char *root = getenv("INQ_BUILD_ROOT");

    snprintf(path, sizeof(path), "%s/tests/unit/pipeline/fake-worker", root ? root : ".");
    return path;
}

int main(void)
{
    int failed = 0;

    umask(022); /* some files are for another user */
    failed += run_pattern_tests();
    failed += run_name_facts_tests();
    failed += run_kind_tests();
    failed += run_log_join_tests();
    failed += run_walk_tests();
    failed += run_guard_tests();
    failed += run_scan_tests();
    return failed ? 1 : 0;
}

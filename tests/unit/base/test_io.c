/* SPDX-License-Identifier: Apache-2.0 */
#include "base_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"

static char dir[64];
static int dirfd_ = -1;

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s", "/tmp/inq-unit-base-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dirfd_ < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"plain", "link", "fifo"};

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        unlinkat(dirfd_, names[i], 0);
    close(dirfd_);
    return rmdir(dir);
}

static void whole_reads_and_writes(void **state)
{
    _cleanup_close_ int fd = openat(dirfd_, "plain", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char buf[16] = "";

    (void)state;
    assert_int_equal(inq_write_full(fd, "0123456789", 10), 0);
    assert_int_equal(inq_pread_full(fd, buf, 4, 2), 4);
    assert_memory_equal(buf, "2345", 4);
    assert_int_equal(inq_pread_full(fd, buf, sizeof(buf), 7), 3);
    assert_int_equal(inq_pread_full(fd, buf, sizeof(buf), 100), 0);
    assert_int_equal(inq_pread_full(fd, buf, sizeof(buf), UINT64_MAX), 0);
    assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
    assert_int_equal(inq_read_full(fd, buf, sizeof(buf)), 9);
    assert_int_equal(inq_pread_full(-1, buf, 1, 0), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(inq_write_full(-1, buf, 1), -1);
}

/* A pipe hands out what is there: a whole read has to ask again. */
static void whole_reads_from_a_pipe(void **state)
{
    static char big[300000];
    int ends[2], status;
    size_t wrong = 0;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        memset(big, 'p', sizeof(big));
        _exit(inq_write_full(ends[1], big, sizeof(big)) == 0 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(inq_read_full(ends[0], big, sizeof(big)), sizeof(big));
    for (size_t i = 0; i < sizeof(big); i++)
        wrong += big[i] != 'p';
    assert_int_equal(wrong, 0);
    assert_int_equal(inq_read_full(ends[0], big, 1), 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void open_takes_regular_files_only(void **state)
{
    const char *kind = "untouched";
    _cleanup_close_ int fd = inq_open_regular(dirfd_, "plain", 0, &kind);
    _cleanup_close_ int followed = -1;

    (void)state;
    assert_true(fd >= 0);
    assert_null(kind);

    assert_int_equal(symlinkat("plain", dirfd_, "link"), 0);
    assert_int_equal(inq_open_regular(dirfd_, "link", 0, &kind), -1);
    assert_string_equal(kind, "a symbolic link");
    followed = inq_open_regular(dirfd_, "link", 1, &kind);
    assert_true(followed >= 0);
    assert_null(kind);

    /* Opening a FIFO that nobody writes to would hang. */
    assert_int_equal(mkfifoat(dirfd_, "fifo", 0600), 0);
    assert_int_equal(inq_open_regular(dirfd_, "fifo", 1, &kind), -1);
    assert_string_equal(kind, "a FIFO");
    assert_int_equal(inq_open_regular(dirfd_, ".", 1, &kind), -1);
    assert_string_equal(kind, "a directory");
    assert_int_equal(inq_open_regular(AT_FDCWD, "/dev/zero", 1, &kind), -1);
    assert_string_equal(kind, "a character device");
    assert_int_equal(inq_open_regular(dirfd_, "absent", 1, &kind), -1);
    assert_int_equal(errno, ENOENT);
    assert_null(kind);
}

int run_io_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_reads_and_writes),
        cmocka_unit_test(whole_reads_from_a_pipe),
        cmocka_unit_test(open_takes_regular_files_only),
    };

    return cmocka_run_group_tests_name("base: io", tests, make_dir, remove_dir);
}

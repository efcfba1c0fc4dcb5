/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirwalk.h"

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
    scratch_remove(directory);
    return 0;
}

static const struct inq_walk_entry *find(const struct inq_walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->entries.count; i++)
        if (!strcmp(walk->entries.items[i].path, scratch_path(directory, name)))
            return &walk->entries.items[i];
    fail_msg("%s is not listed", name);
    return NULL;
}

static void kinds_and_order(void **state)
{
    const char *roots[] = {directory};
    struct inq_walk walk;

    (void)state;
    scratch_file(directory, "b", "12345", 5);
    scratch_file(directory, ".hidden", "1", 1);
    scratch_file(directory, "-rf", "1", 1);
    scratch_file(directory, "new\nline\x1b", "1", 1);
    assert_int_equal(mkdir(scratch_path(directory, "sub"), 0755), 0);
    scratch_file(directory, "sub/a", "1", 1);
    assert_int_equal(mkfifo(scratch_path(directory, "fifo"), 0644), 0);
    assert_int_equal(symlink("b", scratch_path(directory, "link")), 0);
    assert_int_equal(symlink("sub", scratch_path(directory, "dirlink")), 0);
    assert_int_equal(symlink("loop", scratch_path(directory, "loop")), 0);

    assert_null(inq_walk_list(roots, 1, true, &walk));
    assert_int_equal(walk.entries.count, 9);
    for (size_t i = 1; i < walk.entries.count; i++)
        assert_true(strcmp(walk.entries.items[i - 1].path, walk.entries.items[i].path) < 0);
    assert_null(find(&walk, "b")->special);
    assert_int_equal(find(&walk, "b")->size_bytes, 5);
    assert_null(find(&walk, ".hidden")->special);
    assert_null(find(&walk, "sub/a")->special);
    assert_string_equal(find(&walk, "fifo")->special, "a FIFO");
    assert_string_equal(find(&walk, "link")->special, "a symbolic link");
    assert_string_equal(find(&walk, "dirlink")->special, "a symbolic link");
    assert_string_equal(find(&walk, "loop")->special, "a symbolic link");
    inq_walk_deinit(&walk);

    assert_null(inq_walk_list(roots, 1, false, &walk));
    assert_int_equal(walk.entries.count, 9);
    assert_string_equal(find(&walk, "sub")->special, "a directory");
    inq_walk_deinit(&walk);
}

/* What was a file when it was listed and is a link when it is opened is not opened. */
static void replaced_by_a_link(void **state)
{
    const char *roots[] = {directory};
    const char *not_regular = NULL;
    struct inq_walk walk;

    (void)state;
    assert_int_equal(mkdir(scratch_path(directory, "sub"), 0755), 0);
    scratch_file(directory, "sub/a", "1", 1);
    assert_null(inq_walk_list(roots, 1, true, &walk));
    int fd = inq_walk_open(&walk, find(&walk, "sub/a"), &not_regular);
    assert_true(fd >= 0);
    close(fd);

    unlink(scratch_path(directory, "sub/a"));
    assert_int_equal(symlink("/etc/passwd", scratch_path(directory, "sub/a")), 0);
    assert_int_equal(inq_walk_open(&walk, find(&walk, "sub/a"), &not_regular), -1);
    assert_string_equal(not_regular, "a symbolic link");

    unlink(scratch_path(directory, "sub/a"));
    rmdir(scratch_path(directory, "sub"));
    assert_int_equal(mkdir(scratch_path(directory, "other"), 0755), 0);
    scratch_file(directory, "other/a", "1", 1);
    assert_int_equal(symlink("other", scratch_path(directory, "sub")), 0);
    assert_int_equal(inq_walk_open(&walk, find(&walk, "sub/a"), &not_regular), -1);
    inq_walk_deinit(&walk);
}

/* 70 levels of 200 bytes: beyond PATH_MAX as a name, beyond the depth as a tree. */
static void deep_and_long(void **state)
{
    char name[201];
    const char *roots[] = {directory}, *not_regular;
    struct inq_walk walk;
    unsigned files = 0, too_deep = 0;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    memset(name, 'd', 200);
    name[200] = '\0';
    for (int i = 0; i < 70; i++) {
        int next;

        assert_int_equal(mkdirat(fd, name, 0755), 0);
        next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = openat(next, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_null(inq_walk_list(roots, 1, true, &walk));
    for (size_t i = 0; i < walk.entries.count; i++) {
        const struct inq_walk_entry *entry = &walk.entries.items[i];

        if (entry->special) {
            assert_string_equal(entry->special, "a directory, too deep to be entered");
            too_deep++;
            continue;
        }
        fd = inq_walk_open(&walk, entry, &not_regular);
        assert_true(fd >= 0);
        close(fd);
        files++;
    }
    assert_int_equal(files, INQ_WALK_DEPTH);
    assert_int_equal(too_deep, 1);
    inq_walk_deinit(&walk);
}

static void roots_of_all_kinds(void **state)
{
    char file[4096], missing[4096], link[4096];
    struct inq_walk walk;

    (void)state;
    scratch_file(directory, "f", "1", 1);
    assert_int_equal(symlink(".", scratch_path(directory, "self")), 0);
    snprintf(file, sizeof(file), "%s/f", directory);
    snprintf(missing, sizeof(missing), "%s/missing", directory);
    snprintf(link, sizeof(link), "%s/self/", directory);
    const char *roots[] = {file, missing, link};
    assert_null(inq_walk_list(roots, 3, true, &walk));
    assert_int_equal(walk.entries.count, 4); /* f; missing; self/f, self/self */
    assert_string_equal(walk.entries.items[0].path, file);
    assert_int_equal(walk.entries.items[1].error, ENOENT);
    assert_string_equal(walk.entries.items[2].path, scratch_path(directory, "self/f"));
    inq_walk_deinit(&walk);
}

/* /dev/pts is a file system of its own nearly everywhere: it is not entered. */
static void mount_points(void **state)
{
    const char *roots[] = {"/dev"};
    struct stat outer, inner;
    struct inq_walk walk;
    bool listed = false;

    (void)state;
    if (stat("/dev", &outer) < 0 || stat("/dev/pts", &inner) < 0 || outer.st_dev == inner.st_dev) {
        print_message("skipped: nothing is mounted on /dev/pts here\n");
        skip();
    }
    assert_null(inq_walk_list(roots, 1, true, &walk));
    for (size_t i = 0; i < walk.entries.count; i++) {
        const struct inq_walk_entry *entry = &walk.entries.items[i];

        assert_int_not_equal(strncmp(entry->path, "/dev/pts/", 9), 0);
        if (!strcmp(entry->path, "/dev/pts")) {
            assert_string_equal(entry->special, "a mounted file system");
            listed = true;
        }
    }
    assert_true(listed);
    inq_walk_deinit(&walk);
}

int run_walk_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_and_order, before, after),
        cmocka_unit_test_setup_teardown(replaced_by_a_link, before, after),
        cmocka_unit_test_setup_teardown(deep_and_long, before, after),
        cmocka_unit_test(mount_points),
        cmocka_unit_test_setup_teardown(roots_of_all_kinds, before, after),
    };

    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}

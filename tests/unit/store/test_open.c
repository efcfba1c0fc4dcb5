/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_tests.h"

static struct inq_error *try_open(const char *path, enum inq_store_mode mode)
{
    struct inq_store *store = NULL;
    struct inq_error *error = inq_store_open(path, mode, &store);

    inq_store_close(store);
    return error;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void run_sql(const char *path, const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_created(void **state)
{
    const char *path = in_folder(state, "a/b/c.db");
    struct stat st;

    expect_code(try_open(path, INQ_STORE_READ), INQ_E_STORE);
    expect_ok(try_open(path, INQ_STORE_WRITE));
    expect_ok(try_open(path, INQ_STORE_READ));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(in_folder(state, "a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_refused(void **state)
{
    struct stat st;

    write_file(in_folder(state, "empty"), "");
    write_file(in_folder(state, "text"), "Dear diary, today I was taken for a database.\n");
    expect_ok(try_open(in_folder(state, "real"), INQ_STORE_WRITE));
    assert_int_equal(symlink("real", in_folder(state, "link")), 0);
    assert_int_equal(mkfifo(in_folder(state, "fifo"), 0600), 0);
    run_sql(in_folder(state, "foreign"), "CREATE TABLE t (x)");
    expect_code(try_open(in_folder(state, "empty"), INQ_STORE_WRITE), INQ_E_STORE_DAMAGED);
    expect_code(try_open(in_folder(state, "text"), INQ_STORE_WRITE), INQ_E_STORE_DAMAGED);
    expect_code(try_open(in_folder(state, "foreign"), INQ_STORE_WRITE), INQ_E_STORE_DAMAGED);
    expect_code(try_open(in_folder(state, "link"), INQ_STORE_WRITE), INQ_E_STORE);
    expect_code(try_open(in_folder(state, "fifo"), INQ_STORE_WRITE), INQ_E_STORE);
    assert_int_equal(stat(in_folder(state, "empty"), &st), 0);
    assert_int_equal(st.st_size, 0); /* nobody made a database of it */
}

static void test_versions(void **state)
{
    const char *path = in_folder(state, "a.db");

    expect_ok(try_open(path, INQ_STORE_WRITE));
    run_sql(path, "PRAGMA user_version = 99");
    expect_code(try_open(path, INQ_STORE_WRITE), INQ_E_STORE_VERSION);
    expect_code(try_open(path, INQ_STORE_READ), INQ_E_STORE_VERSION);
}

static size_t file_size(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static bool ignore_row(void *context, const char *uid, json_t *row)
{
    (void)context;
    (void)uid;
    (void)row;
    return true;
}

/* Everything that reads, over a file with some bytes changed: an error or an answer, no more. */
static bool reads_without_error(const char *path)
{
    const struct inq_store_filter all = {0};
    struct inq_store *store = NULL;
    json_t *groups = NULL;
    struct inq_error *error = inq_store_open(path, INQ_STORE_WRITE, &store);

    if (!error)
        error = inq_store_each(store, &all, true, ignore_row, NULL);
    if (!error)
        error = inq_store_groups(store, &all, &groups);
    json_decref(groups);
    inq_store_close(store);
    bool ok = !error;
    if (error)
        assert_true(error->code == INQ_E_STORE_DAMAGED || error->code == INQ_E_STORE ||
                    error->code == INQ_E_STORE_VERSION);
    inq_error_destroy(error);
    return ok;
}

static void test_damaged(void **state)
{
    const char *path = in_folder(state, "a.db"), *copy = in_folder(state, "copy.db");
    struct inq_store *store = open_store(path);
    char uid[INQ_STORE_UID_SIZE], identity[32];
    unsigned found = 0;

    for (unsigned i = 0; i < 50; i++) {
        snprintf(identity, sizeof(identity), "i%u", i);
        json_t *report = make_report(identity, "v1:aaaaaaaaaaaa", "p", "h", "2024-03-01T12:00:00Z");
        expect_ok(inq_store_record(store, 0, report, report, 0, uid));
        json_decref(report);
    }
    inq_store_close(store);
    const size_t size = file_size(path);
    srand(1);
    for (unsigned round = 0; round < 40; round++) {
        char command[600];

        snprintf(command, sizeof(command), "rm -f '%s'*; cp '%s' '%s'", copy, path, copy);
        assert_int_equal(system(command), 0);
        int fd = open(copy, O_WRONLY | O_CLOEXEC);
        for (unsigned i = 0; i < 64; i++) {
            uint8_t byte = (uint8_t)rand();
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)((size_t)rand() % size)), 1);
        }
        close(fd);
        found += !reads_without_error(copy);
    }
    assert_true(found > 20); /* most of such damage is noticed */
}

/* A disk that is full, in a process of its own: files of it may not grow any more. */
static int fill_up(const char *path)
{
    const struct rlimit small = {200000, 200000};
    struct inq_store *store = open_store(path);
    char uid[INQ_STORE_UID_SIZE], identity[32];
    struct inq_error *error = NULL;
    unsigned kept = 0;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    for (unsigned i = 0; !error && i < 5000; i++, kept += !error) {
        snprintf(identity, sizeof(identity), "i%u", i);
        json_t *report = make_report(identity, "v1:aaaaaaaaaaaa", "p", "h", "2024-03-01T12:00:00Z");
        error = inq_store_record(store, 0, report, report, 0, uid);
        json_decref(report);
    }
    if (!error || error->code != INQ_E_STORE)
        _exit(255);
    _exit(kept > 254 ? 254 : (int)kept);
}

static bool count_row(void *context, const char *uid, json_t *row)
{
    (void)uid;
    (void)row;
    ++*(int *)context;
    return true;
}

static void test_full(void **state)
{
    const char *path = in_folder(state, "a.db");
    const struct inq_store_filter all = {0};
    int status, rows = 0;

    expect_ok(try_open(path, INQ_STORE_WRITE));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        fill_up(path);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 255);
    assert_true(WEXITSTATUS(status) > 3);
    /* all that was said to be kept is there */
    struct inq_store *store = open_store(path);
    expect_ok(inq_store_each(store, &all, false, count_row, &rows));
    assert_int_equal(rows, WEXITSTATUS(status));
    inq_store_close(store);
}

int open_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_created), TEST(test_refused), TEST(test_versions),
        TEST(test_damaged), TEST(test_full),
    };
    return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "pipeline.h"
#include "text.h"

static char *directory;
static struct inq_text rows; /* "name exit|skipped-reason\n" in the order they came */

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
    inq_text_deinit(&rows);
    scratch_remove(directory);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return 0;
}

static void note_row(void *context, const struct inq_scan_row *row)
{
    (void)context;
    inq_text_append(&rows, row->path + strlen(directory) + 1);
    if (row->skipped)
        inq_text_printf(&rows, ": %s%s\n", row->deferred ? "(deferred) " : "", row->skipped);
    else
        inq_text_printf(&rows, ": %d%s\n", row->exit_code,
                        json_object_get(row->report, "error") ? " stub" : "");
}

static struct inq_scan_result scan(const char *path, unsigned jobs)
{
    struct inq_scan_options options = {
        .job = {.worker_path = fake_worker(), .timeout_seconds = 1},
        .jobs = jobs,
        .recursive = true,
        .row = note_row,
    };
    struct inq_scan_result result = {0};

    inq_text_deinit(&rows);
    rows = (struct inq_text){0};
    assert_null(inq_pipeline_scan(&path, 1, &options, &result));
    return result;
}

static void core_file(const char *name)
{
    scratch_file(directory, name,
                 "\x7f"
                 "ELF",
                 4);
}

/* Crashing, hanging and lying workers between good ones: every file has its row, in order. */
static void mixed(void **state)
{
    static const char want[] = "a.txt: not an ELF core (found: text)\n"
                               "b.gz: not an ELF core (found: gzip)\n"
                               "core.empty: 5 stub\n"
                               "empty: empty file\n"
                               "fifo: not a regular file: a FIFO\n"
                               "flood.core: 5 stub\n"
                               "good.1: 0\n"
                               "good.2: 0\n"
                               "hang.core: 5 stub\n"
                               "header.core: 1 stub\n"
                               "link: not a regular file: a symbolic link\n"
                               "notcore.so: is an executable, not a core\n"
                               "segv.core: 5 stub\n"
                               "sub/good.3: 0\n"
                               "sub/silent.core: 5 stub\n";

    (void)state;
    for (const char *const *name =
             (const char *const[]){"good.1", "good.2", "hang.core", "flood.core", "segv.core",
                                   "header.core", "notcore.so", NULL};
         *name; name++)
        core_file(*name);
    assert_int_equal(mkdir(scratch_path(directory, "sub"), 0755), 0);
    core_file("sub/good.3");
    core_file("sub/silent.core");
    scratch_file(directory, "a.txt", "hello\n", 6);
    scratch_file(directory, "b.gz", "\x1f\x8b\x08", 3);
    scratch_file(directory, "empty", "", 0);
    scratch_file(directory, "core.empty", "", 0);
    assert_int_equal(mkfifo(scratch_path(directory, "fifo"), 0644), 0);
    assert_int_equal(symlink("good.1", scratch_path(directory, "link")), 0);
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct inq_scan_result result = scan(directory, jobs);

        assert_string_equal(rows.bytes, want);
        assert_int_equal(result.exit_code, 5);
        assert_int_equal(result.files, 15);
        assert_int_equal(result.crashes, 3);
        assert_int_equal(result.failed, 6);
        assert_int_equal(result.skipped, 6);
        assert_int_equal(result.partial, 0);
        json_decref(result.groups);
    }
}

static void only_other_files(void **state)
{
    (void)state;
    scratch_file(directory, "a.txt", "hello\n", 6);
    core_file("notcore.1");
    struct inq_scan_result result = scan(directory, 2);
    assert_int_equal(result.exit_code, 0);
    assert_int_equal(result.skipped, 2);
    assert_int_equal(json_array_size(result.groups), 0);
    json_decref(result.groups);
}

/* Somebody writes: later. Nobody does any more, however young the file: now. */
static void being_written(void **state)
{
    struct inq_scan_result result;

    (void)state;
    core_file("good.1");
    int fd = open(scratch_path(directory, "good.1"), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    result = scan(directory, 1);
    assert_string_equal(rows.bytes, "good.1: (deferred) young: still being written\n");
    assert_int_equal(result.exit_code, 0);
    json_decref(result.groups);
    close(fd);
    result = scan(directory, 1);
    assert_string_equal(rows.bytes, "good.1: 0\n");
    json_decref(result.groups);
}

/* Robustness row 73: what is closed to us has a row, the rest is scanned, the code is 1. */
static void closed_entries(void **state)
{
    static const char want[] = "a.txt: not an ELF core (found: text)\n"
                               "closed: 1 stub\n"
                               "secret: 1 stub\n"
                               "z.txt: not an ELF core (found: text)\n";
    const uid_t user = geteuid();

    (void)state;
    scratch_file(directory, "a.txt", "text", 4);
    scratch_file(directory, "secret", "text", 4);
    scratch_file(directory, "z.txt", "text", 4);
    assert_int_equal(mkdir(scratch_path(directory, "closed"), 0), 0);
    assert_int_equal(chmod(scratch_path(directory, "secret"), 0), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    if (user == 0)
        assert_int_equal(seteuid(65534), 0);
    struct inq_scan_result result = scan(directory, 1);
    assert_int_equal(seteuid(user), 0);
    assert_string_equal(rows.bytes, want);
    assert_int_equal(result.exit_code, 1);
    json_decref(result.groups);
}

static void missing_path(void **state)
{
    char path[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s/none", directory);
    struct inq_scan_result result = scan(path, 1);
    assert_string_equal(rows.bytes, "none: 6 stub\n");
    assert_int_equal(result.exit_code, 6);
    json_decref(result.groups);
}

/* More files than the look-ahead: rows stay in order, and none is lost. */
static void many(void **state)
{
    unsigned last = 0, n = 0;

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        char name[32];

        snprintf(name, sizeof(name), i % 3 ? "%04u.txt" : "%04u", i);
        if (i % 3)
            scratch_file(directory, name, "text", 4);
        else
            scratch_file(directory, name,
                         "\x28\xb5\x2f\xfd"
                         "0123456789",
                         4 + i % 7);
    }
    struct inq_scan_result result = scan(directory, 2);
    assert_int_equal(result.files, 600);
    assert_int_equal(result.failed, 200); /* the fake worker says nothing for these names */
    for (const char *at = rows.bytes; at && *at; at = strchr(at, '\n') + 1) {
        unsigned number = (unsigned)strtoul(at, NULL, 10);

        assert_true(n == 0 || number == last + 1);
        last = number;
        n++;
    }
    assert_int_equal(n, 600);
    json_decref(result.groups);
}

/* What those rows say whose workers look around ("inspect"). */
static void note_message(void *context, const struct inq_scan_row *row)
{
    const json_t *error = json_object_get(row->report, "error");

    (void)context;
    inq_text_printf(
        &rows, "%s: %d %s\n", row->path + strlen(directory) + 1, row->exit_code,
        strstr(row->path, "inspect") ? json_string_value(json_object_get(error, "message")) : "");
}

/*
 * Workers that one process makes have what workers have that were started one by one, whatever
 * others of them do, and those that are started when it has ended or hangs as well.
 */
static void served(void **state)
{
    static const char *const orders[][4] = {{"endserver", "hang", "segv", "child"},
                                            {"good", "good", "hang", "stopserver"},
                                            {"hang", "child", "good", "segv"}};
    char want[512] = "";

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(orders); i++) {
        const char *path = directory;
        struct inq_scan_options options = {
            .job = {.worker_path = fake_worker(), .timeout_seconds = 1},
            .jobs = 2,
            .recursive = true,
            .row = note_message,
        };
        struct inq_scan_result result = {0};
        const int leaked = open("/dev/null", O_RDONLY); /* without close-on-exec */

        snprintf(want, sizeof(want), "%s", "");
        for (size_t k = 0; k < INQ_ARRAY_SIZE(orders[i]) + 2; k++) {
            const bool looks = k % 3 == 2; /* after two others each */
            const char *how = looks ? "inspect" : orders[i][k - k / 3];
            const bool good = !strcmp(how, "good") || !strcmp(how, "child");
            char name[64];

            snprintf(name, sizeof(name), "%zu/%s.core", k, how);
            assert_int_equal(mkdir(scratch_path(directory, (char[]){(char)('0' + k), '\0'}), 0755),
                             0);
            core_file(name);
            snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s: %d %s\n", name,
                     looks  ? 1
                     : good ? 0
                            : 5,
                     looks ? "extra 0 missing 0 ignored 0 environment 0 leader 1 last " : "");
        }
        inq_text_deinit(&rows);
        rows = (struct inq_text){0};
        assert_null(inq_pipeline_scan(&path, 1, &options, &result));
        /* the last argument of the one kind is --data-bytes, the other has none */
        for (char *at = rows.bytes; (at = strstr(at, "last ")); at += 5)
            memmove(at + 5, at + 5 + strcspn(at + 5, "\n"),
                    strlen(at + 5 + strcspn(at + 5, "\n")) + 1);
        assert_string_equal(rows.bytes, want);
        json_decref(result.groups);
        close(leaked);
        scratch_remove(directory);
        directory = scratch_create();
    }
}

static void stop_at_first_row(void *context, const struct inq_scan_row *row)
{
    (void)context;
    (void)row;
    inq_pipeline_interrupt(SIGTERM);
}

static void interrupted(void **state)
{
    const char *path = directory;
    struct inq_scan_options options = {
        .job = {.worker_path = fake_worker(), .timeout_seconds = 20},
        .jobs = 3,
        .row = stop_at_first_row,
    };
    struct inq_scan_result result = {0};

    (void)state;
    core_file("good.1");
    core_file("hang.1");
    core_file("hang.2");
    core_file("hang.3");
    assert_null(inq_pipeline_scan(&path, 1, &options, &result));
    assert_int_equal(result.exit_code, 128 + SIGTERM);
    json_decref(result.groups);
}

int run_scan_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mixed, before, after),
        cmocka_unit_test_setup_teardown(only_other_files, before, after),
        cmocka_unit_test_setup_teardown(being_written, before, after),
        cmocka_unit_test_setup_teardown(closed_entries, before, after),
        cmocka_unit_test_setup_teardown(missing_path, before, after),
        cmocka_unit_test_setup_teardown(many, before, after),
        cmocka_unit_test_setup_teardown(served, before, after),
        cmocka_unit_test_setup_teardown(interrupted, before, after),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}

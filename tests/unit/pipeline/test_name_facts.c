/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"
#include "pattern.h"

/* What a worker found, then what the name adds. */
static struct inq_evidence *with_name(int pid, const char *comm, int signal_number,
                                      const char *path, const char *pattern, int64_t mtime)
{
    struct inq_evidence *evidence = NULL;

    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_int(evidence, "process.pid", pid);
    inq_evidence_set_text(evidence, "process.comm", comm);
    inq_evidence_set_int(evidence, "signal.number", signal_number);
    inq_name_facts_set(evidence, path, pattern, mtime, -1);
    assert_false(evidence->failed);
    return evidence;
}

static const char *text_of(const struct inq_evidence *evidence, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(evidence->document, path, NULL, NULL);

    return value.known == INQ_KNOWN ? json_string_value(value.value) : NULL;
}

static size_t contradictions(const struct inq_evidence *evidence)
{
    const json_t *facts = json_object_get(evidence->document, "name_facts");

    return json_array_size(json_object_get(facts, "contradictions"));
}

static const char *named_text(const json_t *facts, const char *key)
{
    return json_string_value(json_object_get(facts, key));
}

/* The attributes that systemd-coredump sets, on a file system that has such. */
static void systemd_attributes(void **state)
{
    static const char *const values[][2] = {
        {"user.coredump.pid", "4242"},
        {"user.coredump.signal", "6"},
        {"user.coredump.hostname", "web7"},
        {"user.coredump.comm", "my.prog"},
        {"user.coredump.timestamp", "1700000000123456"},
        {"user.coredump.uid", "-1x"},
    };
    char name[] = "/tmp/inquest-attributes-XXXXXX";
    struct inq_evidence *evidence = NULL;
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    unlink(name);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(values); i++) {
        if (fsetxattr(fd, values[i][0], values[i][1], strlen(values[i][1]), 0) < 0) {
            close(fd);
            print_message("skipped: no user attributes on files in %s\n", name);
            skip();
        }
    }
    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_int(evidence, "process.pid", 4242);
    inq_evidence_set_int(evidence, "signal.number", 11);
    inq_name_facts_set(evidence, "/x/core.zst", NULL, 1, fd);
    const json_t *facts = json_object_get(evidence->document, "name_facts");
    assert_string_equal(named_text(facts, "pattern"), "systemd-coredump");
    assert_string_equal(named_text(facts, "comm"), "my.prog");
    assert_null(json_object_get(facts, "uid")); /* no number */
    assert_string_equal(text_of(evidence, "process.hostname"), "web7");
    assert_string_equal(text_of(evidence, "process.crashed_at"), "2023-11-14T22:13:20Z");
    assert_int_equal(contradictions(evidence), 1); /* the dump says 11 */
    inq_evidence_destroy(evidence);
    close(fd);
}

static void write_value(const char *folder, const char *name, const char *value)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(value, file);
    fclose(file);
}

static void abrt_directory(void **state)
{
    char folder[] = "/tmp/inquest-abrt-XXXXXX", path[128], command[128];
    struct inq_evidence *evidence = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_value(folder, "time", "1700000000\n");
    write_value(folder, "hostname", "web8\n");
    write_value(folder, "pid", "7\n");
    snprintf(path, sizeof(path), "%s/uid", folder);
    assert_int_equal(mkfifo(path, 0600), 0); /* is not opened */
    snprintf(path, sizeof(path), "%s/coredump", folder);
    assert_null(inq_evidence_create(&evidence));
    inq_name_facts_set(evidence, path, NULL, 1, -1);
    const json_t *facts = json_object_get(evidence->document, "name_facts");
    assert_string_equal(named_text(facts, "pattern"), "abrt");
    assert_int_equal(json_integer_value(json_object_get(facts, "pid")), 7);
    assert_string_equal(text_of(evidence, "process.hostname"), "web8");
    assert_string_equal(text_of(evidence, "process.crashed_at"), "2023-11-14T22:13:20Z");
    inq_evidence_destroy(evidence);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void systemd_name(void **state)
{
    struct inq_evidence *e = with_name(
        4242, "my.prog", 11,
        "/var/lib/systemd/coredump/core.my\\x2eprog.1000.0123456789abcdef0123456789abcdef.4242."
        "1700000000123456.zst",
        NULL, 1);
    const json_t *facts = json_object_get(e->document, "name_facts");

    (void)state;
    assert_string_equal(text_of(e, "name_facts.comm"), "my.prog");
    assert_int_equal(json_integer_value(json_object_get(facts, "uid")), 1000);
    assert_int_equal(json_integer_value(json_object_get(facts, "pid")), 4242);
    assert_int_equal(json_integer_value(json_object_get(facts, "time")), 1700000000);
    assert_string_equal(text_of(e, "process.crashed_at"), "2023-11-14T22:13:20Z");
    assert_string_equal(text_of(e, "process.crashed_at_source"), "file-name");
    assert_int_equal(contradictions(e), 0);
    inq_evidence_destroy(e);
}

static void headers_beat_the_name(void **state)
{
    struct inq_evidence *e =
        with_name(4242, "vim", 11, "core_emacs.17.web.1700000000", "core_%e.%p.%h.%t", 0);
    const json_t *list =
        json_object_get(json_object_get(e->document, "name_facts"), "contradictions");

    (void)state;
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(list, 0)),
                        "pid: the file name says 17, the dump says 4242");
    assert_string_equal(json_string_value(json_array_get(list, 1)),
                        "program: the file name says emacs, the dump says vim");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(e->document, "process"), "pid")), 4242);
    assert_string_equal(text_of(e, "process.comm"), "vim");
    assert_string_equal(text_of(e, "process.hostname"), "web");
    inq_evidence_destroy(e);
}

static void cut_names_are_the_same(void **state)
{
    struct inq_evidence *e =
        with_name(8, "a-rather-long-p", 6, "core.a-rather-long-program.8", "core.%f.%p", 0);

    (void)state;
    assert_int_equal(contradictions(e), 0);
    inq_evidence_destroy(e);
}

/* By a pattern that was only guessed, a name that contradicts the dump says nothing. */
static void a_wrong_guess_is_dropped(void **state)
{
    struct inq_evidence *e = with_name(4242, "vim", 11, "core.2024.01.02", "/x/%e-%h", 1700000000);

    (void)state;
    assert_null(json_object_get(e->document, "name_facts"));
    assert_string_equal(text_of(e, "process.crashed_at_source"), "file-time");
    assert_string_equal(text_of(e, "process.crashed_at"), "2023-11-14T22:13:20Z");
    inq_evidence_destroy(e);
    e = with_name(4242, "vim", 11, "core.vim.4242", "/x/%e-%h", 0);
    assert_string_equal(text_of(e, "name_facts.pattern"), "core.%e.%p");
    assert_null(text_of(e, "process.crashed_at"));
    inq_evidence_destroy(e);
    e = with_name(4242, "vim", 11, "core.4241", "/x/%e-%h", 0); /* nothing else is called so */
    assert_int_equal(contradictions(e), 1);
    inq_evidence_destroy(e);
}

/* core_uses_pid: the kernel appends the pid to a pattern without %p. */
static void appended_pid(void **state)
{
    struct inq_evidence *e = with_name(5, "vim", 11, "dump-vim.5", "dump-%e", 0);

    (void)state;
    assert_string_equal(text_of(e, "name_facts.pattern"), "dump-%e.%p");
    assert_string_equal(text_of(e, "name_facts.comm"), "vim");
    inq_evidence_destroy(e);
}

int run_name_facts_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systemd_attributes),     cmocka_unit_test(abrt_directory),
        cmocka_unit_test(systemd_name),           cmocka_unit_test(headers_beat_the_name),
        cmocka_unit_test(cut_names_are_the_same), cmocka_unit_test(a_wrong_guess_is_dropped),
        cmocka_unit_test(appended_pid),
    };

    return cmocka_run_group_tests_name("name-facts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <stdio.h>
#include <string.h>

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
    inq_name_facts_set(evidence, path, pattern, mtime);
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
        cmocka_unit_test(systemd_name),           cmocka_unit_test(headers_beat_the_name),
        cmocka_unit_test(cut_names_are_the_same), cmocka_unit_test(a_wrong_guess_is_dropped),
        cmocka_unit_test(appended_pid),
    };

    return cmocka_run_group_tests_name("name-facts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "kernel_log.h"
#include "pattern.h"
#include "text.h"

#define IP 0x558358c57139u
#define SP 0x7fff12238d80u
#define WHEN 1772330962 /* 2026-03-01 02:09:22 UTC */

/* A core of python[431967] that read address -1, with its name as on the host mdl. */
static struct inq_evidence *core(const char *path, int64_t mtime)
{
    struct inq_evidence *e = NULL;

    assert_null(inq_evidence_create(&e));
    inq_evidence_set_text(e, "core.machine", "x86_64");
    inq_evidence_set_int(e, "process.pid", 431967);
    inq_evidence_set_text(e, "process.comm", "python");
    inq_evidence_set_text(e, "signal.name", "SIGSEGV");
    inq_evidence_set_text(e, "signal.sent_by", "kernel");
    inq_evidence_set_text(e, "fault.source", "registers");
    inq_evidence_set_addr(e, "fault.address", UINT64_MAX);
    inq_evidence_set_text(e, "fault.trap", "page-fault");
    inq_evidence_set_int(e, "fault.error_code.value", 5);
    inq_evidence_set_text(e, "fault.error_code.source", "inferred");
    inq_evidence_append(e, "threads",
                        json_pack("{s:i, s:b, s:{s:o, s:o}}", "tid", 431967, "crashed", 1,
                                  "registers", "rip", inq_json_addr(IP), "rsp", inq_json_addr(SP)));
    inq_name_facts_set(e, path, "core_%e.%p.%h.%t", mtime, -1);
    assert_false(e->failed);
    return e;
}

#define NAMED "core_python.431967.mdl.1772330962"

/* What the log makes of the core: matched_by, with a * when it is not sure; NULL without a line. */
static const char *joined(const char *log_text, bool own, struct inq_evidence *e)
{
    _cleanup_(inq_kernel_log_destroyp) struct inq_kernel_log *log = NULL;
    static char answer[32];
    const json_t *line;

    assert_null(inq_kernel_log_read_bytes(log_text, strlen(log_text), own, &log));
    assert_null(inq_kernel_log_join(log, e));
    line = json_array_get(json_object_get(e->document, "kernel_log"), 0);
    if (!line)
        return NULL;
    snprintf(answer, sizeof(answer), "%s%s", json_string_value(json_object_get(line, "matched_by")),
             json_is_true(json_object_get(line, "likely")) ? "*" : "");
    return answer;
}

static void expect(const char *log_text, bool own, const char *path, int64_t mtime,
                   const char *wanted)
{
    struct inq_evidence *e = core(path, mtime);
    const char *have = joined(log_text, own, e);

    if (wanted && have)
        assert_string_equal(have, wanted);
    else
        assert_true(!wanted && !have);
    inq_evidence_destroy(e);
}

#define LINE(tid, address, ip, sp, error)                                                          \
    "python[" tid "]: segfault at " address " ip " ip " sp " sp " error " error                    \
    " in libc.so.6[98f0a,7faa01444000+156000] likely on CPU 4 (core 2, socket 1)\n"
#define OWN LINE("431967", "ffffffffffffffff", "0000558358c57139", "00007fff12238d80", "5")
#define CONTAINED LINE("77", "ffffffffffffffff", "0000558358c57139", "00007fff12238d80", "5")
#define STRANGE LINE("431967", "ffffffffffffffff", "00007faa014b6f0a", "00007ffde62f9ee0", "5")
/* as in a blog */
#define MANGLED "python[431967]: segfault at ffffffffffffffff in libc.so.6[...+188000] error 5\n"

static void pointers_are_sure(void **state)
{
    (void)state;
    expect("[1.0] " OWN, false, NAMED, 0, "ip-sp");
    expect("[1.0] " CONTAINED, false, NAMED, 0, "ip-sp");
    expect("[1.0] " STRANGE "[2.0] " OWN "[3.0] " STRANGE, false, NAMED, 0, "ip-sp");
    expect("[1.0] " STRANGE, false, NAMED, 0, NULL);
    expect("", false, NAMED, 0, NULL);
}

static void facts_of_a_line(void **state)
{
    struct inq_evidence *e = core("core", WHEN + 3);
    const json_t *line, *code;

    (void)state;
    assert_string_equal(joined("2026-03-01T02:09:20+00:00 h kernel: " LINE(
                                   "77", "0", "558358c57139", "7fff12238d80", "6"),
                               false, e),
                        "ip-sp");
    line = json_array_get(json_object_get(e->document, "kernel_log"), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "cpu")), 4);
    assert_int_equal(json_integer_value(json_object_get(line, "core")), 2);
    assert_int_equal(json_integer_value(json_object_get(line, "socket")), 1);
    assert_int_equal(json_integer_value(json_object_get(line, "tid")), 77);
    assert_string_equal(json_string_value(json_object_get(line, "time")), "2026-03-01T02:09:20Z");
    /* address and error code of the line are others than the dump's */
    assert_int_equal(json_array_size(json_object_get(line, "contradictions")), 2);
    code = json_object_get(json_object_get(e->document, "fault"), "error_code");
    assert_int_equal(json_integer_value(json_object_get(code, "value")), 6);
    assert_string_equal(json_string_value(json_object_get(code, "source")), "kernel-log");
    assert_int_equal(json_array_size(json_object_get(code, "bits")), 3);
    line = json_object_get(e->document, "process");
    assert_string_equal(json_string_value(json_object_get(line, "crashed_at")),
                        "2026-03-01T02:09:20Z");
    assert_string_equal(json_string_value(json_object_get(line, "crashed_at_source")),
                        "kernel-log");
    inq_evidence_destroy(e);
}

/* Without address randomisation every crash of a program has the same pointers. */
static void the_same_place_each_time(void **state)
{
    static const char two[] = "2026-03-01T01:00:00+00:00 mdl kernel: " CONTAINED
                              "2026-03-01T02:09:22+00:00 mdl kernel: " OWN;
    static const char others[] = "2026-03-01T01:00:00+00:00 mdl kernel: " CONTAINED
                                 "2026-03-01T02:09:20+00:00 mdl kernel: " CONTAINED;
    static const char late[] = "2026-03-01T01:00:00+00:00 mdl kernel: " CONTAINED
                               "2026-03-01T05:00:00+00:00 mdl kernel: " CONTAINED;
    struct inq_evidence *e = core(NAMED, 0);

    (void)state;
    expect(two, false, NAMED, 0, "ip-sp");
    expect(others, false, NAMED, 0, "ip-sp*");
    expect(late, false, NAMED, 0, NULL);
    assert_string_equal(joined(two, false, e), "ip-sp");
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(e->document, "kernel_log"), 0), "tid")),
                     431967);
    inq_evidence_destroy(e);
}

/* The stack where it lies without randomisation: pointers alone choose no run of the program. */
static void fixed_pointers_are_likely(void **state)
{
    static const char line[] =
        "python[%s]: segfault at 8 ip 558358c57139 sp 7fffffffe6c0 error 4\n";
    static const struct {
        const char *prefix, *tid;
        int64_t mtime;
        const char *wanted;
    } rows[] = {
        {"[1.0] ", "431967", 0, "ip-sp"},
        {"[1.0] ", "77", 0, "ip-sp*"},
        {"2026-03-01T02:09:20+00:00 h kernel: ", "77", WHEN, "ip-sp"},
        {"2026-03-01T02:09:20+00:00 h kernel: ", "77", WHEN + 90000, "ip-sp*"},
        /* the same id again, after a restart */
        {"2026-03-01T02:09:20+00:00 h kernel: ", "431967", WHEN + 90000, "ip-sp*"},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        struct inq_evidence *e = core("core", rows[i].mtime);
        char text[256], log[512];

        inq_evidence_set(e, "threads",
                         json_pack("[{s:i, s:b, s:{s:o, s:o}}]", "tid", 431967, "crashed", 1,
                                   "registers", "rip", inq_json_addr(IP), "rsp",
                                   inq_json_addr(0x7fffffffe6c0u)));
        snprintf(text, sizeof(text), line, rows[i].tid);
        snprintf(log, sizeof(log), "%s%s", rows[i].prefix, text);
        assert_string_equal(joined(log, false, e), rows[i].wanted);
        inq_evidence_destroy(e);
    }
}

/* A line that is later than the core's last byte has a clock that is off: no time is taken of it.
 */
static void a_clock_that_is_off(void **state)
{
    struct inq_evidence *e = core("core", WHEN);
    const json_t *process;

    (void)state;
    assert_string_equal(joined("2026-03-01T05:09:20+00:00 h kernel: " OWN, false, e), "ip-sp");
    process = json_object_get(e->document, "process");
    assert_string_equal(json_string_value(json_object_get(process, "crashed_at_source")),
                        "file-time");
    inq_evidence_destroy(e);
}

static void ids_alone_are_too_little(void **state)
{
    (void)state;
    expect("Mar 01 02:09:22 mdl kernel: " MANGLED, false, NAMED, 0, "tid-address-time*");
    /* seven hours of a zone that the log does not name; and what is no zone */
    expect("Mar 01 09:09:22 mdl kernel: " MANGLED, false, NAMED, 0, "tid-address-time*");
    expect("Mar 01 09:16:22 mdl kernel: " MANGLED, false, NAMED, 0, NULL);
    expect("Mar 02 23:09:22 mdl kernel: " MANGLED, false, NAMED, 0, NULL);
    expect("Mar 01 02:09:22 other kernel: " MANGLED, false, NAMED, 0, NULL);
    expect("Mar 01 02:09:22 mdl kernel: perl" MANGLED, false, NAMED, 0, NULL);
    /* -1 is the address of many crashes; no time at all */
    expect(MANGLED, false, NAMED, 0, NULL);
    /* a file's time comes after the line, and does not take off a zone */
    expect("2026-03-01T02:09:22+00:00 mdl kernel: " MANGLED, false, "core", WHEN + 300,
           "tid-address-time*");
    expect("2026-03-01T02:09:22+00:00 mdl kernel: " MANGLED, false, "core", WHEN - 300, NULL);
    expect("Mar 01 02:09:22 mdl kernel: " MANGLED, false, "core", WHEN, NULL);
}

/* The log of the machine this runs on; the core says it is from the machine "mdl". */
static void own_log_and_foreign_core(void **state)
{
    struct inq_evidence *e = core(NAMED, 0);
    const json_t *absence;

    (void)state;
    assert_null(joined("[    1.000000] " MANGLED, true, e));
    absence = json_object_get(e->document, "kernel_log_absence");
    assert_true(json_is_true(json_object_get(absence, "expected")));
    assert_non_null(strstr(json_string_value(json_object_get(absence, "why")), "another"));
    inq_evidence_destroy(e);
    /* equal pointers, but of a crash at another time on another machine */
    expect("2020-01-01T02:09:22+00:00 h kernel: " OWN, true, NAMED, 0, NULL);
}

static void reasons_for_no_line(void **state)
{
    static const struct {
        const char *fact, *value, *why;
    } reasons[] = {
        {"fault.source", "signal-frame", "handler"},         {"signal.sent_by", "other", "sent"},
        {"fault.reason", "undeliverable-signal", "no room"}, {"signal.name", "SIGBUS", "SIGBUS"},
        {"fault.trap", "simd-error", "floating-point"},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(reasons); i++) {
        struct inq_evidence *e = core("core", 0);
        const json_t *absence;

        inq_evidence_set_text(e, reasons[i].fact, reasons[i].value);
        assert_null(joined("[1.0] " STRANGE, false, e));
        absence = json_object_get(e->document, "kernel_log_absence");
        assert_true(json_is_true(json_object_get(absence, "expected")));
        assert_non_null(strstr(json_string_value(json_object_get(absence, "why")), reasons[i].why));
        inq_evidence_destroy(e);
    }
}

static void lines_without_a_core(void **state)
{
    static const char log_text[] =
        "[1.0] " OWN "[2.0] " STRANGE "[3.0] Out of memory: Killed process 99 (hog) total-vm:1kB, "
        "anon-rss:1kB, file-rss:0kB, shmem-rss:0kB\n";
    _cleanup_(inq_kernel_log_destroyp) struct inq_kernel_log *log = NULL;
    struct inq_evidence *e = core(NAMED, 0);
    json_t *left = NULL;

    (void)state;
    assert_null(inq_kernel_log_read_bytes(log_text, strlen(log_text), false, &log));
    assert_null(inq_kernel_log_join(log, e));
    assert_null(inq_kernel_log_left(log, &left));
    assert_int_equal(json_array_size(left), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(left, 1), "kind")),
                        "oom-kill");
    assert_true(inq_kernel_log_concerns(log));
    json_decref(left);
    inq_evidence_destroy(e);
}

/* More lines than are kept: the latest are. */
static void many_lines(void **state)
{
    _cleanup_(inq_kernel_log_destroyp) struct inq_kernel_log *log = NULL;
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    struct inq_evidence *e = core(NAMED, 0);
    json_t *left = NULL;

    (void)state;
    for (unsigned i = 0; i < INQ_KERNEL_LOG_LINES + 10; i++)
        inq_text_printf(&text, "[1.0] x[%u]: segfault at 8 ip 0000000000400800 sp %016x error 4\n",
                        i, 0x1000 + 16 * i);
    inq_text_append(&text, "[2.0] " OWN);
    assert_false(text.failed);
    assert_null(inq_kernel_log_read_bytes(text.bytes, text.size, false, &log));
    assert_null(inq_kernel_log_join(log, e));
    assert_int_equal(json_array_size(json_object_get(e->document, "kernel_log")), 1);
    assert_null(inq_kernel_log_left(log, &left));
    assert_int_equal(json_array_size(left), INQ_KERNEL_LOG_LINES - 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(left, 0), "tid")), 11);
    json_decref(left);
    inq_evidence_destroy(e);
}

int run_log_join_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_are_sure),        cmocka_unit_test(facts_of_a_line),
        cmocka_unit_test(the_same_place_each_time), cmocka_unit_test(fixed_pointers_are_likely),
        cmocka_unit_test(a_clock_that_is_off),      cmocka_unit_test(ids_alone_are_too_little),
        cmocka_unit_test(own_log_and_foreign_core), cmocka_unit_test(reasons_for_no_line),
        cmocka_unit_test(lines_without_a_core),     cmocka_unit_test(many_lines),
    };

    return cmocka_run_group_tests_name("kernel log and cores", tests, NULL, NULL);
}

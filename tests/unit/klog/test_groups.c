/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "klog.h"
#include "klog_document.h"
#include "klog_groups.h"
#include "klog_meaning.h"
#include "klog_tests.h"
#include "text.h"

static struct inq_klog_groups *read_log(const char *log)
{
    _cleanup_(inq_klog_reader_destroyp) struct inq_klog_reader *reader = NULL;
    struct inq_klog_groups *groups = NULL;
    struct inq_klog_event event;
    bool more;

    assert_null(inq_klog_groups_create(true, &groups));
    assert_null(inq_klog_reader_create_bytes(log, strlen(log), "test", NULL, &reader));
    for (;;) {
        assert_null(inq_klog_reader_next(reader, &event, &more));
        if (!more)
            break;
        assert_null(inq_klog_groups_add(groups, &event));
    }
    return groups;
}

static struct inq_klog_event one(const char *log)
{
    struct inq_klog_groups *groups = read_log(log);
    size_t n;
    const struct inq_klog_event *events = inq_klog_groups_events(groups, &n);

    assert_int_equal(n, 1);
    struct inq_klog_event event = events[0];
    inq_klog_groups_destroy(groups);
    return event;
}

/* A line of a crash at code `where` on a processor; every crash has a thread of its own. */
static void add_line(struct inq_text *log, const char *host, unsigned where, unsigned cpu,
                     unsigned core)
{
    static unsigned tid = 100;

    inq_text_printf(log,
                    "Mar 01 14:58:06 %s kernel: prog%u[%u]: segfault at 7f0000000000 ip "
                    "55d0f000%04x sp 7ffd00001000 error 4 in lib.so[%x,55d0f0000000+10000] "
                    "likely on CPU %u (core %u, socket 0)\n",
                    host, where, tid++, where, where, cpu, core);
}

static struct inq_klog_verdict judge(struct inq_text *log)
{
    struct inq_klog_groups *groups = read_log(log->bytes);
    struct inq_klog_verdict verdict;

    assert_null(inq_klog_judge(groups, &verdict));
    inq_klog_groups_destroy(groups);
    inq_text_deinit(log);
    return verdict;
}

static void judgements(void **state)
{
    struct inq_text log = {0};
    struct inq_klog_verdict v;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add_line(&log, "a", 0x1000, 3, 3);
    v = judge(&log);
    assert_int_equal(v.judgement, INQ_KLOG_JUDGE_TOO_FEW);
    assert_int_equal(v.lines, 4);

    for (unsigned i = 0; i < 20; i++)
        add_line(&log, "a", 0x1000, i % 2 ? 8 : 10, i % 2 ? 16 : 20);
    v = judge(&log);
    assert_int_equal(v.judgement, INQ_KLOG_JUDGE_SCHEDULING);
    assert_int_equal(v.cores, 2);

    for (unsigned i = 0; i < 20; i++)
        add_line(&log, "a", 0x1000, 5, 5);
    assert_int_equal(judge(&log).judgement, INQ_KLOG_JUDGE_ONE_CORE);

    for (unsigned i = 0; i < 20; i++)
        add_line(&log, "a", 0x1000 + i, i == 7 ? 2 : 5, i == 7 ? 2 : 5);
    v = judge(&log);
    assert_int_equal(v.judgement, INQ_KLOG_JUDGE_HARDWARE);
    assert_string_equal(v.grade, "plausible");
    assert_int_equal(v.core, 5);
    assert_int_equal(v.on_it, 19);
    assert_int_equal(v.crashes_on_it, 19);

    for (unsigned i = 0; i < 20; i++) /* a machine that may have no other processor */
        add_line(&log, "a", 0x1000 + i, 0, 0);
    assert_int_equal(judge(&log).judgement, INQ_KLOG_JUDGE_ONE_CORE);

    for (unsigned i = 0; i < 20; i++)
        add_line(&log, "a", 0x1000 + i, i % 8, i % 8);
    assert_int_equal(judge(&log).judgement, INQ_KLOG_JUDGE_SPREAD);

    for (unsigned i = 0; i < 20; i++) /* the fifth processor of one machine is not another's */
        add_line(&log, i % 2 ? "a" : "b", 0x1000 + i, 5, 5);
    assert_int_equal(judge(&log).judgement, INQ_KLOG_JUDGE_HOSTS);

    inq_text_append(&log, "prog[1]: segfault at 0 ip 1 sp 1 error 4\n");
    assert_int_equal(judge(&log).judgement, INQ_KLOG_JUDGE_NONE);
}

/* The socket is left out in some copies: it is the same core. */
static void places(void **state)
{
    struct inq_klog_groups *groups =
        read_log("a[1]: segfault at 0 ip 1 sp 1 error 4 likely on CPU 10 (core 20)\n"
                 "a[2]: segfault at 0 ip 1 sp 1 error 4 likely on CPU 10 (core 20, socket 0)\n"
                 "a[3]: segfault at 0 ip 1 sp 1 error 4 likely on CPU 10\n");
    struct inq_klog_places all = {0};

    (void)state;
    assert_null(inq_klog_groups_places(groups, &all));
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].count, 3);
    assert_int_equal(all.items[0].socket, 0);
    inq_klog_places_deinit(&all);
    inq_klog_groups_destroy(groups);
}

static void told_twice(void **state)
{
    struct inq_klog_groups *groups = read_log(
        "[ 1.000000] sh[5] vsyscall attempted with vsyscall=none ip:ffffffffff600400 cs:33 "
        "sp:7ffedaca68d8 ax:0 si:0 di:0\n"
        "[ 1.000001] sh[5]: segfault at ffffffffff600400 ip ffffffffff600400 sp 00007ffedaca68d8 "
        "error 15\n"
        "Mar 01 14:58:06 host kernel: sh[5]: segfault at ffffffffff600400 ip ffffffffff600400 sp "
        "00007ffedaca68d8 error 15\n");
    struct inq_klog_counts counts = inq_klog_groups_counts(groups);

    (void)state;
    assert_int_equal(counts.kinds[INQ_KLOG_FAULT], 1);
    assert_int_equal(counts.duplicates, 2);
    inq_klog_groups_destroy(groups);
}

static void classes(void **state)
{
    static const struct {
        const char *line, *class;
        enum inq_klog_access access;
    } table[] = {
        {"segfault at 10 ip 1 sp 7ffd00000000 error 4", "null-page", INQ_KLOG_ACCESS_READ},
        {"segfault at 1000 ip 1 sp 7ffd00000000 error 6", "near-null", INQ_KLOG_ACCESS_WRITE},
        {"segfault at ffffffffffffffff ip 1 sp 7ffd00000000 error 5", "neg-errno",
         INQ_KLOG_ACCESS_READ},
        {"segfault at fffffffffffff001 ip 1 sp 7ffd00000000 error 5", "neg-errno",
         INQ_KLOG_ACCESS_READ},
        {"segfault at fffffffffffff000 ip 1 sp 7ffd00000000 error 5", "kernel-half",
         INQ_KLOG_ACCESS_READ},
        {"segfault at ffffffff ip 8048000 sp ff800000 error 4", "neg-errno", INQ_KLOG_ACCESS_READ},
        {"segfault at ffffffff ip 400000 sp 7ffd00000000 error 4", NULL, INQ_KLOG_ACCESS_READ},
        {"segfault at 7ffcfffff000 ip 1 sp 7ffd00000000 error 6", "stack-near",
         INQ_KLOG_ACCESS_WRITE},
        {"segfault at 7ffcfffff000 ip 1 sp 7ffd00000000 error 7", "read-only",
         INQ_KLOG_ACCESS_WRITE},
        {"segfault at 7f0000001000 ip 7f0000001000 sp 7ffd00000000 error 14", "unmapped",
         INQ_KLOG_ACCESS_EXECUTE},
        {"segfault at 7f0000001000 ip 7f0000001000 sp 7ffd00000000 error 15", "no-exec",
         INQ_KLOG_ACCESS_EXECUTE},
        {"segfault at 7f0000001000 ip 1 sp 7ffd00000000 error 4", NULL, INQ_KLOG_ACCESS_READ},
        {"segfault at 7f0000001000 ip 1 sp 7ffd00000000 error 25", NULL, INQ_KLOG_ACCESS_READ},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(table); i++) {
        char line[200];
        const char *why, *class;

        snprintf(line, sizeof(line), "prog[1]: %s\n", table[i].line);
        struct inq_klog_event event = one(line);
        class = inq_klog_address_class(&event, &why);
        assert_int_equal(event.access, table[i].access);
        if (table[i].class)
            assert_string_equal(class ? class : "(none)", table[i].class);
        else
            assert_null(class);
    }
}

/* The seed's instruction: what free() did with a pointer of 7. */
static void instruction(void **state)
{
    struct inq_klog_event event = one(
        "python[1]: segfault at ffffffffffffffff ip 000074c2dec36d75 sp 00007ffd00000000 error 5 "
        "in libc.so.6[74c2deb28000+188000]\n"
        "Code: f3 0f 1e fa 48 85 ff <48> 8b 47 f8 a8 02 75\n");
    struct inq_klog_instruction in;

    (void)state;
    assert_true(inq_klog_decode(&event, &in));
    assert_string_equal(in.text, "mov -0x8(%rdi),%rax");
    assert_string_equal(in.base, "rdi");
    assert_true(in.has_base_value);
    assert_int_equal(in.base_value, 7);
    assert_false(in.contradicts);
    event.access = INQ_KLOG_ACCESS_WRITE;
    assert_true(inq_klog_decode(&event, &in));
    assert_true(in.contradicts && !in.has_base_value);
    event.code_at = event.code_size; /* nothing after the mark */
    assert_false(inq_klog_decode(&event, &in));
}

/* Many different crashes: what does not fit is counted, and the document says so. */
static void bounded(void **state)
{
    struct inq_text log = {0};
    json_t *document = NULL;

    (void)state;
    for (unsigned i = 0; i < INQ_KLOG_GROUPS_MOST + 100; i++)
        inq_text_printf(&log, "p%u[%u]: segfault at 0 ip 1 sp 1 error 4 in lib%u.so[1,0+10]\n", i,
                        i, i);
    struct inq_klog_groups *groups = read_log(log.bytes);
    struct inq_klog_counts counts = inq_klog_groups_counts(groups);
    assert_int_equal(counts.kinds[INQ_KLOG_FAULT], INQ_KLOG_GROUPS_MOST + 100);
    assert_int_equal(counts.ungrouped, 100);
    assert_int_equal(counts.unlisted, INQ_KLOG_GROUPS_MOST + 100 - INQ_KLOG_EVENTS_MOST);
    assert_null(inq_klog_document(groups, NULL, 0, &document));
    assert_int_equal(json_array_size(json_object_get(document, "gaps")), 1);
    assert_int_equal(json_array_size(json_object_get(document, "kernel_groups")),
                     INQ_KLOG_GROUPS_MOST);
    json_decref(document);
    inq_klog_groups_destroy(groups);
    inq_text_deinit(&log);
}

int test_groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judgements), cmocka_unit_test(places),      cmocka_unit_test(told_twice),
        cmocka_unit_test(classes),    cmocka_unit_test(instruction), cmocka_unit_test(bounded),
    };

    return cmocka_run_group_tests_name("klog groups", tests, NULL, NULL);
}

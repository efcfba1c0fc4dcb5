/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cleanup.h"
#include "klog_tests.h"
#include "when.h"

#define NOW 1772373486000000 /* 2026-03-01T13:58:06Z */

static const struct {
    const char *text, *want;
    enum inq_klog_clock clock;
} forms[] = {
    {"2026-03-01T14:58:06Z", "2026-03-01T14:58:06Z", INQ_KLOG_CLOCK_UTC},
    {"2026-03-01T14:58:06.123456+01:00", "2026-03-01T13:58:06Z", INQ_KLOG_CLOCK_UTC},
    {"2026-03-01T00:58:06-0530", "2026-03-01T06:28:06Z", INQ_KLOG_CLOCK_UTC},
    {"2024-02-29 23:59:60", "2024-03-01T00:00:00", INQ_KLOG_CLOCK_LOCAL},
    {"2000-02-29 00:00:00", "2000-02-29T00:00:00", INQ_KLOG_CLOCK_LOCAL},
    {"2100-03-01 00:00:00", "2100-03-01T00:00:00", INQ_KLOG_CLOCK_LOCAL},
    {"Sun 2026-03-01 14:58:06 UTC", "2026-03-01T14:58:06Z", INQ_KLOG_CLOCK_UTC},
    {"Sun 2026-03-01 14:58:06 CET", "2026-03-01T14:58:06", INQ_KLOG_CLOCK_LOCAL},
    {"Mar  1 12:00:00", "2026-03-01T12:00:00", INQ_KLOG_CLOCK_LOCAL},
    {"Dec 31 23:59:59", "2025-12-31T23:59:59", INQ_KLOG_CLOCK_LOCAL}, /* not of this year: ahead */
    {"Mar 02 01:23:44", "2026-03-02T01:23:44", INQ_KLOG_CLOCK_LOCAL}, /* another zone's tomorrow */
    {"Mar 04 01:23:44", "2025-03-04T01:23:44", INQ_KLOG_CLOCK_LOCAL},
    {"Sun Mar  1 14:58:06 2026", "2026-03-01T14:58:06", INQ_KLOG_CLOCK_LOCAL},
    {"Mar  1 2020 14:58:06", "2020-03-01T14:58:06", INQ_KLOG_CLOCK_LOCAL},
    {"d\303\251c. 24 01:02:03", "2025-12-24T01:02:03", INQ_KLOG_CLOCK_LOCAL},
    {"M\303\244r 01 01:02:03", "2026-03-01T01:02:03", INQ_KLOG_CLOCK_LOCAL},
    {"\320\270\321\216\320\273 27 14:08:03", "2025-07-27T14:08:03", INQ_KLOG_CLOCK_LOCAL},
    {"3\346\234\210 01 01:02:03", "2026-03-01T01:02:03", INQ_KLOG_CLOCK_LOCAL},
    {"bal. 27 16:30:40", "bal. 27 16:30:40", INQ_KLOG_CLOCK_NONE}, /* a month that we do not know */
};

static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(forms); i++) {
        struct inq_span s = inq_span_of(forms[i].text, strlen(forms[i].text));
        struct inq_klog_time time;
        char text[64];

        assert_true(inq_when_take_iso(&s, &time) || inq_when_take_syslog(&s, NOW, &time));
        assert_ptr_equal(s.at, s.end);
        inq_when_text(&time, text, sizeof(text));
        assert_string_equal(text, forms[i].want);
        assert_int_equal(time.clock, forms[i].clock);
        assert_string_equal(time.text, forms[i].text);
    }
}

static void brackets(void **state)
{
    static const struct {
        const char *text;
        enum inq_klog_clock clock;
        int64_t usec;
    } inside[] = {
        {"    2.205738", INQ_KLOG_CLOCK_BOOT, 2205738},
        {"22312023.287737", INQ_KLOG_CLOCK_BOOT, 22312023287737},
        {" 2269s", INQ_KLOG_CLOCK_BOOT, 2269000000},
        {"  119.156884@1", INQ_KLOG_CLOCK_BOOT, 119156884},
        {"  +2.205738", INQ_KLOG_CLOCK_NONE, 0},
        {"Feb12 16:05", INQ_KLOG_CLOCK_LOCAL, 1770912300000000},
        {"Thu Feb  6 10:19:17 2025", INQ_KLOG_CLOCK_LOCAL, 1738837157000000},
        {"\344\272\224 5\346\234\210 15 17:19:17 2026", INQ_KLOG_CLOCK_LOCAL, 1778865557000000},
    };
    static const char *const none[] = {
        "", "T8318", "abc", "1234", "12.5x", "alert", "99999999999999999999.1"};
    struct inq_klog_time time;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(inside); i++) {
        assert_true(
            inq_when_read_bracket(inq_span_of(inside[i].text, strlen(inside[i].text)), NOW, &time));
        assert_int_equal(time.clock, inside[i].clock);
        assert_int_equal(time.usec, inside[i].usec);
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(none); i++)
        assert_false(inq_when_read_bracket(inq_span_of(none[i], strlen(none[i])), NOW, &time));
}

static void no_time(void **state)
{
    static const char *const texts[] = {"",
                                        "Mar",
                                        "Mar 1",
                                        "Mar 32 00:00:00",
                                        "Mar 1 25:00:00x",
                                        "python[1]: x 12:00:00",
                                        "2026-13-01T00:00:00",
                                        "0000-01-01 00:00:00"};

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(texts); i++) {
        struct inq_span s = inq_span_of(texts[i], strlen(texts[i]));
        struct inq_klog_time time = {0};

        assert_false(inq_when_take_iso(&s, &time));
        assert_true(!inq_when_take_syslog(&s, NOW, &time) || time.clock == INQ_KLOG_CLOCK_NONE);
    }
}

int test_when(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(brackets),
        cmocka_unit_test(no_time),
    };

    return cmocka_run_group_tests_name("klog when", tests, NULL, NULL);
}

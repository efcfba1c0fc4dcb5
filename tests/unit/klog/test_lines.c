/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchors.h"
#include "cleanup.h"
#include "io.h"
#include "klog.h"
#include "klog_tests.h"
#include "text.h"

static const char crash[] =
    "[    7.000000] prog[4711]: segfault at 10 ip 55d0f0001234 sp 7ffd00001000 "
    "error 6 in lib.so[1234,55d0f0000000+2000]\n";

struct seen {
    size_t events;
    uint64_t last_line;
    struct inq_klog_stats stats;
};

static struct seen drain(struct inq_klog_reader *reader)
{
    struct seen seen = {0};
    struct inq_klog_event event;
    bool more;

    for (;;) {
        struct inq_error *error = inq_klog_reader_next(reader, &event, &more);

        assert_null(error);
        if (!more)
            break;
        seen.events++;
        seen.last_line = event.line_number;
    }
    seen.stats = inq_klog_reader_stats(reader);
    inq_klog_reader_destroy(reader);
    return seen;
}

static struct seen read_bytes(const char *bytes, size_t size)
{
    struct inq_klog_reader *reader = NULL;

    assert_null(inq_klog_reader_create_bytes(bytes, size, "test", NULL, &reader));
    return drain(reader);
}

struct feed {
    int fd;
    const char *bytes;
    size_t size, piece;
};

static void *feed_pipe(void *argument)
{
    struct feed *feed = argument;

    for (size_t at = 0; at < feed->size; at += feed->piece) {
        size_t n = feed->size - at < feed->piece ? feed->size - at : feed->piece;
        if (inq_write_full(feed->fd, feed->bytes + at, n) < 0)
            break;
    }
    close(feed->fd);
    return NULL;
}

/* Through a pipe, a few bytes at a time. */
static struct seen read_pipe(const char *bytes, size_t size, size_t piece)
{
    struct inq_klog_reader *reader = NULL;
    struct seen seen;
    pthread_t thread;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    struct feed feed = {fds[1], bytes, size, piece};
    assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &feed), 0);
    assert_null(inq_klog_reader_create(fds[0], "pipe", NULL, &reader));
    seen = drain(reader);
    pthread_join(thread, NULL);
    close(fds[0]);
    return seen;
}

/* Crashes at every distance from the ends of the buffer, in ordinary lines. */
static void blocks(void **state)
{
    struct inq_text log = {0};
    size_t crashes = 0, lines = 0;

    (void)state;
    while (log.size < 5u << 20) {
        for (size_t k = lines % 37; k < 40; k++, lines++)
            inq_text_printf(&log, "Mar 01 14:58:06 host app[%zu]: nothing to see in %0*d\n", lines,
                            (int)(lines % 61), 0);
        inq_text_append(&log, crash);
        lines++;
        crashes++;
    }
    assert_false(log.failed);
    struct seen whole = read_bytes(log.bytes, log.size);
    assert_int_equal(whole.events, crashes);
    assert_int_equal(whole.stats.lines, lines);
    assert_int_equal(whole.last_line, lines);
    for (size_t piece = 4093; piece < 200000; piece *= 7) {
        struct seen piped = read_pipe(log.bytes, log.size, piece);
        assert_int_equal(piped.events, crashes);
        assert_int_equal(piped.stats.lines, lines);
        assert_int_equal(piped.last_line, lines);
        assert_int_equal(piped.stats.bytes, log.size);
    }
    inq_text_deinit(&log);
}

static void long_lines(void **state)
{
    struct inq_text log = {0};

    (void)state;
    for (size_t i = 0; i < 3u << 20; i++)
        inq_text_append_bytes(&log, i % 1000 ? "x" : "segfault at ", i % 1000 ? 1 : 12);
    inq_text_append(&log, "\n");
    inq_text_append(&log, crash);
    struct seen piped = read_pipe(log.bytes, log.size, 65536);
    assert_int_equal(piped.events, 1);
    assert_int_equal(piped.last_line, 2);
    assert_int_equal(piped.stats.lines, 2);
    assert_true(piped.stats.lines_cut > 0);
    struct seen whole = read_bytes(log.bytes, log.size);
    assert_int_equal(whole.events, 1);
    assert_int_equal(whole.last_line, 2);
    inq_text_deinit(&log);
}

static void ends(void **state)
{
    (void)state;
    assert_int_equal(read_bytes("", 0).stats.lines, 0);
    assert_int_equal(read_bytes("\n", 1).stats.lines, 1);
    assert_int_equal(read_bytes("x", 1).stats.lines, 1);
    assert_int_equal(read_bytes("x\ny", 3).stats.lines, 2);
    assert_int_equal(read_bytes(crash, strlen(crash) - 1).events, 1); /* no newline at the end */
    assert_int_equal(read_bytes(crash, strlen(crash) - 1).stats.lines, 1);
}

/* What a hostile log can do: the work for four times as much is at most a little over four times.
 */
static void linear(void **state)
{
    static const char *const pieces[] = {
        "segfault at ",
        "segfault at 0\n",
        "traps: \n",
        "[[[[[[[[",
        "[ 1.000000] [ 1.000000] ",
        " nip ) at ]: ",
        "{\"MESSAGE\":[",
        "{\"MESSAGE\":[1,2,3]}\n",
        "pid=pid=pid=type=1326 auid=",
        "BUG: \n",
        "a[1]: segfault at 0 ip 0 sp 0 error 4\n",
        "a[1]: segfault at 0 ip 0 sp 0 error 4 in [[[[[[[[[[[[[[[[[[[[\n",
        "\nCode: 00 00 00 00",
        "coredump: 1(x): y\n",
        "x\033[",
        "Killed process 1 (((((((((\n",
        "trap ",
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(pieces); i++) {
        struct inq_text log = {0};
        uint64_t small;

        while (log.size < 200000)
            inq_text_append(&log, pieces[i]);
        small = read_bytes(log.bytes, log.size).stats.steps;
        size_t size = log.size;
        while (log.size < 4 * size)
            inq_text_append(&log, pieces[i]);
        uint64_t large = read_bytes(log.bytes, log.size).stats.steps;
        assert_true(large <= 5 * small + 100000);
        assert_true(large <= 4 * log.size + 100000);
        inq_text_deinit(&log);
    }
}

/* The skipping search finds what a plain one finds. */
static void anchors(void **state)
{
    static const char *const strings[] = {
        "segfault",      "BUG: u", "traps: ", "Oops: ", "hardware memory corruption",
        "\"MESSAGE\":[", "Missed "};
    static const char filler[] = "egfaulBUOps: nitrap []\"MESSAGE0123 dwc";
    char text[4000];
    unsigned random = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof(text); i++) {
            random = random * 1103515245u + 12345u;
            text[i] = filler[(random >> 16) % (sizeof(filler) - 1)];
        }
        const char *string = strings[round % (int)INQ_ARRAY_SIZE(strings)];
        size_t at = (random >> 8) % (sizeof(text) - 40), first = sizeof(text);
        memcpy(text + at, string, strlen(string));
        uint64_t steps = 0;
        size_t found = inq_klog_find_anchor(text, sizeof(text), 0, &steps);

        assert_true(found <= at);
        for (size_t k = 0; k < INQ_ARRAY_SIZE(strings); k++) {
            const char *plain = memmem(text, sizeof(text), strings[k], strlen(strings[k]));
            if (plain && (size_t)(plain - text) < first)
                first = (size_t)(plain - text);
        }
        assert_true(found <= first);
        assert_true(steps <= sizeof(text));
        assert_true(strlen(string) <= inq_klog_longest_anchor());
    }
}

int test_lines(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks), cmocka_unit_test(long_lines), cmocka_unit_test(ends),
        cmocka_unit_test(linear), cmocka_unit_test(anchors),
    };

    return cmocka_run_group_tests_name("klog lines", tests, NULL, NULL);
}

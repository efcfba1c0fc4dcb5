/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_tests.h"

#define GROUP_A "v1:aaaaaaaaaaaa"
#define GROUP_B "v1:bbbbbbbbbbbb"

static void keep(struct inq_store *store, json_t *report, char uid[INQ_STORE_UID_SIZE])
{
    expect_ok(inq_store_record(store, 0, report, report, 0, uid));
    json_decref(report);
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool count_row(void *context, const char *uid, json_t *row)
{
    (void)row;
    assert_int_equal(strlen(uid), 36);
    ++*(unsigned *)context;
    return true;
}

static unsigned count(struct inq_store *store, const struct inq_store_filter *filter)
{
    unsigned n = 0;

    expect_ok(inq_store_each(store, filter, false, count_row, &n));
    return n;
}

static void test_same_dump_once(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    char first[INQ_STORE_UID_SIZE], again[INQ_STORE_UID_SIZE], other[INQ_STORE_UID_SIZE];
    const struct inq_store_filter all = {0};

    keep(store, make_report("i1", GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), first);
    keep(store, make_report("i2", GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), other);
    keep(store, make_report("i1", GROUP_B, "p", "h", "2024-03-01T12:00:00Z"), again);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_int_equal(count(store, &all), 2);
    /* what was found out the second time counts */
    const struct inq_store_filter in_b = {.group = GROUP_B};
    assert_int_equal(count(store, &in_b), 1);
    inq_store_close(store);
}

static void test_seen(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    char uid[INQ_STORE_UID_SIZE];
    json_t *seen, *report = make_report("i9", GROUP_A, "p", "h", "2024-03-04T12:00:00Z");

    expect_ok(inq_store_seen(store, report, &seen));
    assert_null(seen);
    keep(store, json_deep_copy(report), uid);
    expect_ok(inq_store_seen(store, report, &seen));
    assert_null(seen); /* it is not its own forerunner */
    keep(store, make_report("i1", GROUP_A, "p", "h1", "2024-03-02T12:00:00Z"), uid);
    keep(store, make_report("i2", GROUP_A, "p", "h2", "2024-03-01T12:00:00Z"), uid);
    keep(store, make_report("i3", GROUP_B, "p", "h3", "2024-02-01T12:00:00Z"), uid);
    expect_ok(inq_store_seen(store, report, &seen));
    assert_non_null(seen);
    assert_int_equal(json_integer_value(json_object_get(seen, "count")), 2);
    assert_int_equal(json_integer_value(json_object_get(seen, "hosts")), 2);
    assert_string_equal(member(seen, "first"), "2024-03-01T12:00:00Z");
    assert_string_equal(member(seen, "last"), "2024-03-02T12:00:00Z");
    assert_string_equal(member(seen, "first_build"), "aa01");
    assert_null(member(seen, "known_issue"));
    json_decref(seen);
    json_decref(report);
    inq_store_close(store);
}

static void test_known_issue(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    json_t *seen, *report = make_report("i1", GROUP_A, "p", "h", "2024-03-04T12:00:00Z");
    const struct inq_store_issue by_signature = {.signature = "null-deref-offset", .link = "OPS-1"};
    const struct inq_store_issue over = {
        .group = GROUP_A, .link = "OPS-2", .expires = time(NULL) - 60};
    const struct inq_store_issue by_group = {
        .group = GROUP_A, .link = "OPS-3", .expires = time(NULL) + 3600};

    expect_ok(inq_store_add_issue(store, &over));
    expect_ok(inq_store_seen(store, report, &seen));
    assert_null(seen);
    expect_ok(inq_store_add_issue(store, &by_signature));
    expect_ok(inq_store_seen(store, report, &seen));
    assert_string_equal(member(seen, "known_issue"), "OPS-1");
    json_decref(seen);
    expect_ok(inq_store_add_issue(store, &by_group)); /* a group says more than a signature */
    expect_ok(inq_store_seen(store, report, &seen));
    assert_string_equal(member(seen, "known_issue"), "OPS-3");
    json_decref(seen);
    json_decref(report);
    inq_store_close(store);
}

static void test_filters(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    char uid[INQ_STORE_UID_SIZE], other[INQ_STORE_UID_SIZE];

    keep(store, make_report("i1", GROUP_A, "python3", "h", "2024-03-01T12:00:00Z"), uid);
    keep(store, make_report("i2", GROUP_A, "nginx", "h", "2024-03-02T12:00:00Z"), other);
    const struct inq_store_filter late = {.since = 1709337600}; /* 2024-03-02 */
    const struct inq_store_filter early = {.until = 1709337600};
    const struct inq_store_filter python = {.program = "python*"};
    const struct inq_store_filter none = {.program = "pyth"};
    const struct inq_store_filter fresh = {.unreported = true};
    const struct inq_store_filter one = {.most = 1};
    assert_int_equal(count(store, &late), 1);
    assert_int_equal(count(store, &early), 1);
    assert_int_equal(count(store, &python), 1);
    assert_int_equal(count(store, &none), 0);
    assert_int_equal(count(store, &one), 1);
    assert_int_equal(count(store, &fresh), 2);
    expect_ok(inq_store_set_reported(store, uid));
    assert_int_equal(count(store, &fresh), 1);
    inq_store_close(store);
}

static void test_groups(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    char uid[INQ_STORE_UID_SIZE];
    const struct inq_store_filter all = {0};
    json_t *groups, *group;

    keep(store, make_report("i1", GROUP_A, "p", "h1", "2024-03-01T12:00:00Z"), uid);
    keep(store, make_report("i2", GROUP_B, "p", "h1", "2024-03-01T12:00:00Z"), uid);
    keep(store, make_report("i3", GROUP_B, "q", "h2", "2024-03-05T12:00:00Z"), uid);
    expect_ok(inq_store_groups(store, &all, &groups));
    assert_int_equal(json_array_size(groups), 2);
    group = json_array_get(groups, 0);
    assert_string_equal(member(group, "bug"), GROUP_B);
    assert_int_equal(json_integer_value(json_object_get(group, "count")), 2);
    assert_int_equal(json_integer_value(json_object_get(group, "hosts")), 2);
    assert_int_equal(json_array_size(json_object_get(group, "programs")), 2);
    assert_int_equal(json_array_size(json_object_get(group, "builds")), 1);
    assert_string_equal(member(group, "last"), "2024-03-05T12:00:00Z");
    assert_string_equal(member(group, "answer"), "Null pointer");
    assert_string_equal(member(group, "grade"), "strong");
    json_decref(groups);
    inq_store_close(store);
}

static void test_show(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    char uid[INQ_STORE_UID_SIZE], other[INQ_STORE_UID_SIZE], cut[9];
    json_t *document;

    keep(store, make_report("i1", GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), uid);
    expect_ok(inq_store_show(store, uid, &document));
    assert_string_equal(member(document, "uid"), uid);
    assert_string_equal(member(json_object_get(document, "core"), "identity"), "i1");
    json_decref(document);
    expect_ok(inq_store_show(store, "aaaaaaaaaaaa", &document)); /* a group, without "v1:" */
    assert_string_equal(member(document, "bug"), GROUP_A);
    json_decref(document);
    expect_code(inq_store_show(store, "ffffffff", &document), INQ_E_STORE_NONE);
    expect_code(inq_store_show(store, "a", &document), INQ_E_STORE_NONE);
    keep(store, make_report("i2", GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), other);
    memcpy(cut, uid, 8); /* both begin with the milliseconds of this minute, unless it just ended */
    cut[8] = 0;
    if (memcmp(other, cut, 8) == 0)
        expect_code(inq_store_show(store, cut, &document), INQ_E_STORE_NONE);
    inq_store_close(store);
}

static void test_many_rows_and_replace(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    const struct inq_store_filter all = {0};
    char uid[INQ_STORE_UID_SIZE], identity[32];
    json_t *document, *report;

    expect_ok(inq_store_begin(store));
    for (unsigned i = 0; i < 700; i++) {
        snprintf(identity, sizeof(identity), "i%u", i);
        keep(store, make_report(identity, GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), uid);
    }
    expect_ok(inq_store_commit(store));
    assert_int_equal(count(store, &all), 700);
    report = make_report(identity, GROUP_B, "p", "h", "2024-03-01T12:00:00Z");
    expect_ok(inq_store_replace(store, uid, report, report));
    json_decref(report);
    expect_ok(inq_store_show(store, uid, &document));
    assert_string_equal(member(json_object_get(document, "group"), "bug"), GROUP_B);
    json_decref(document);
    assert_int_equal(count(store, &all), 700);
    inq_store_close(store);
}

/* What begins and is never committed leaves nothing. */
static void test_unfinished(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    const struct inq_store_filter all = {0};
    char uid[INQ_STORE_UID_SIZE];

    expect_ok(inq_store_begin(store));
    keep(store, make_report("i1", GROUP_A, "p", "h", "2024-03-01T12:00:00Z"), uid);
    inq_store_close(store);
    store = open_store(in_folder(state, "a.db"));
    assert_int_equal(count(store, &all), 0);
    inq_store_close(store);
}

int record_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_same_dump_once),
        TEST(test_seen),
        TEST(test_known_issue),
        TEST(test_filters),
        TEST(test_groups),
        TEST(test_show),
        TEST(test_many_rows_and_replace),
        TEST(test_unfinished),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}

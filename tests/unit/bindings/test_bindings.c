/* SPDX-License-Identifier: Apache-2.0 */
/* Two releases of a library in a process that crashed: which slots are bound to the wrong one. */
#include "bindings_tests.h"

#include <stdio.h>
#include <string.h>

static size_t index_of(const struct crash *crash, const char *name)
{
    struct inq_module *m = module_named(crash->modules, name, 0);

    assert_non_null(m);
    return m->index;
}

static const struct inq_binding *foreign(const struct inq_bindings *b, const char *symbol)
{
    for (size_t i = 0; i < b->n_foreign; i++)
        if (!strcmp(b->foreign[i].symbol, symbol))
            return &b->foreign[i];
    return NULL;
}

/* The newer library is bound to the older one's object; nothing else is. */
static void expect_crossed(const char *library, const char *file)
{
    struct crash crash;
    char step[64];
    const struct inq_bindings *b;
    const struct inq_binding *data;
    size_t old, new;

    snprintf(step, sizeof(step), "local:%s", library);
    host_crash(&crash, "global:old", step);
    b = host_bindings(&crash);
    assert_non_null(b);
    assert_null(b->none);
    old = index_of(&crash, "libbindings-old.so");
    new = index_of(&crash, file);
    assert_true(b->modules[old].scope == INQ_SCOPE_GLOBAL);
    assert_true(b->modules[new].scope == INQ_SCOPE_LOCAL);
    assert_true(b->modules[crash.modules->main].scope == INQ_SCOPE_MAIN);
    data = foreign(b, "session_options");
    assert_non_null(data);
    assert_true(data->strong && data->kind == INQ_BINDING_DATA);
    assert_int_equal(data->from, new);
    assert_int_equal(data->expected, new);
    assert_int_equal(data->actual, old);
    assert_int_equal(data->size_expected, 544);
    assert_int_equal(data->size_actual, 408);
    assert_true(data->target != data->expected_target);
    assert_int_equal(b->undecided, 0);
    for (size_t i = 0; i < b->n_foreign; i++)
        assert_int_equal(b->foreign[i].from, new);
    crash_remove(&crash);
}

static void bound_to_the_other_copy(void **state)
{
    (void)state;
    expect_crossed("new", "libbindings-new.so");
}

static void other_tables(void **state)
{
    (void)state;
    expect_crossed("sysv", "libbindings-sysv.so"); /* DT_HASH alone */
    expect_crossed("now", "libbindings-now.so");   /* the GOT became read-only */
}

/* An unversioned definition satisfies a versioned reference, if it comes first. */
static void versions(void **state)
{
    struct crash crash;
    const struct inq_bindings *b;
    const struct inq_binding *data;

    (void)state;
    host_crash(&crash, "global:old", "local:versioned");
    b = host_bindings(&crash);
    data = foreign(b, "session_options");
    assert_non_null(data);
    assert_string_equal(data->version_expected, "OPTIONS_2");
    assert_null(data->version_actual);
    crash_remove(&crash);
}

static void expect_nothing(const char *first, const char *second)
{
    struct crash crash;
    const struct inq_bindings *b;

    host_crash(&crash, first, second);
    b = host_bindings(&crash);
    assert_non_null(b);
    assert_int_equal(b->strong, 0);
    assert_int_equal(b->n_foreign, 0);
    assert_int_equal(b->undecided, 0);
    assert_int_equal(b->n_unread, 0);
    assert_true(b->judged > 0 && b->slots == b->judged + b->lazy);
    crash_remove(&crash);
}

static void bound_to_itself(void **state)
{
    (void)state;
    expect_nothing("local:old", "local:new");
    expect_nothing("global:old", "local:symbolic");
    expect_nothing("global:old", "deep:new");
    expect_nothing("global:old", "space:new");
    expect_nothing("global:new", NULL);
}

static void namespaces(void **state)
{
    struct crash crash;
    const struct inq_bindings *b;

    (void)state;
    host_crash(&crash, "global:old", "space:new");
    b = host_bindings(&crash);
    assert_int_equal(b->n_spaces, 2);
    assert_int_equal(b->modules[index_of(&crash, "libbindings-old.so")].space, 0);
    assert_int_equal(b->modules[index_of(&crash, "libbindings-new.so")].space, 1);
    crash_remove(&crash);
}

static void what_they_have_in_common(void **state)
{
    struct crash crash;
    struct inq_bindings *b;
    struct inq_common common, *pairs;
    struct inq_export object;
    size_t old, new, n, seen = 0;

    (void)state;
    host_crash(&crash, "local:old", "local:new");
    b = host_bindings(&crash);
    old = index_of(&crash, "libbindings-old.so");
    new = index_of(&crash, "libbindings-new.so");
    common = inq_bindings_common(b, old, new);
    assert_int_equal(common.common, 4); /* two objects, two functions */
    assert_int_equal(common.of_a, 4);
    assert_int_equal(common.of_b, 4);
    assert_null(inq_bindings_pairs(b, 4, &pairs, &n));
    for (size_t i = 0; i < n; i++)
        seen += pairs[i].common == 4 && ((pairs[i].a == old && pairs[i].b == new) ||
                                         (pairs[i].a == new &&pairs[i].b == old));
    assert_int_equal(seen, 1);
    assert_true(inq_bindings_export(b, new, "session_options", &object));
    assert_int_equal(object.size, 544);
    assert_false(inq_bindings_export(b, new, "session_option", &object));
    crash_remove(&crash);
}

static void without_files(void **state)
{
    struct inq_opener opener = inq_opener_none();
    struct crash crash;
    struct inq_bindings *b;

    (void)state;
    host_crash(&crash, "global:old", "local:new");
    assert_null(crash_modules(&crash, &opener, false));
    assert_null(inq_bindings_read(crash.modules, crash.arena, &b));
    assert_true(b->n_unread > 0); /* libc, for one: nothing is claimed without it */
    assert_int_equal(b->n_foreign, 0);
    crash_remove(&crash);
}

int run_bindings_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound_to_the_other_copy),
        cmocka_unit_test(other_tables),
        cmocka_unit_test(versions),
        cmocka_unit_test(bound_to_itself),
        cmocka_unit_test(namespaces),
        cmocka_unit_test(what_they_have_in_common),
        cmocka_unit_test(without_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base_tests.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "array.h"
#include "cleanup.h"
#include "error.h"
#include "gaps.h"
#include "bounds.h"

static void arena_gives_zeroed_aligned_memory(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    uint32_t x = 1;

    (void)state;
    assert_non_null(arena);
    for (int i = 0; i < 3000; i++) {
        size_t size;
        unsigned char *p;

        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size = i % 500 == 0 ? 300000 : x % 2000;
        p = inq_arena_alloc(arena, size, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xa5, size);
    }
}

static void arena_refuses_what_overflows(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    const char *volatile none = NULL;

    (void)state;
    assert_false(inq_arena_failed(arena));
    assert_null(inq_arena_alloc(arena, SIZE_MAX, 2));
    assert_true(inq_arena_failed(arena));
    assert_null(inq_arena_alloc(arena, SIZE_MAX / 8 + 2, 8));
    assert_null(inq_arena_alloc(arena, SIZE_MAX, 1));
    assert_null(inq_arena_alloc(arena, SIZE_MAX - 8, 1));
    assert_null(inq_arena_alloc(arena, (size_t)PTRDIFF_MAX, 1));
    assert_null(inq_arena_copy(arena, none, SIZE_MAX));
    assert_non_null(inq_arena_alloc(arena, 0, 8));
    assert_non_null(INQ_ARENA_NEW(arena, struct inq_gap));
}

static void arena_copies_texts(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    char *copy = inq_arena_copy(arena, "a\0b", 3);

    (void)state;
    assert_memory_equal(copy, "a\0b", 4);
    assert_string_equal(inq_arena_strdup(arena, "text"), "text");
    assert_string_equal(inq_arena_printf(arena, "%s-%d", "x", 7), "x-7");
    assert_string_equal(inq_arena_copy(arena, NULL, 0), "");
}

static void array_grows(void **state)
{
    INQ_ARRAY(struct inq_gap) gaps = {0};

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        struct inq_gap *gap = INQ_ARRAY_PUSH(&gaps);

        assert_non_null(gap);
        assert_null(gap->what);
        gap->what = "x";
        gap->code = (enum inq_code)i;
    }
    assert_int_equal(gaps.count, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(gaps.items[i].code, i);
    INQ_ARRAY_FREE(&gaps);
    assert_null(gaps.items);
}

static void array_refuses_what_overflows(void **state)
{
    size_t capacity = SIZE_MAX / 2 + 1;
    void *items = NULL;

    (void)state;
    assert_false(inq_array_grow(&items, capacity, &capacity, 1));
    capacity = SIZE_MAX / 64;
    assert_false(inq_array_grow(&items, capacity, &capacity, 64));
    assert_null(items);
    assert_int_equal(capacity, SIZE_MAX / 64);
}

static void error_carries_its_place(void **state)
{
    struct inq_error *error = inq_error_create(INQ_E_NOT_ELF, "no %s here", "ELF");

    (void)state;
    error = inq_error_at_addr(inq_error_at(inq_error_in(error, "core.1"), 64), 0x1000);
    assert_int_equal(error->code, INQ_E_NOT_ELF);
    assert_string_equal(error->message, "no ELF here");
    assert_string_equal(error->file, "core.1");
    assert_true(error->has_offset && error->has_addr);
    assert_int_equal(error->offset, 64);
    assert_int_equal(error->addr, 0x1000);
    error = inq_error_in(error, "core.2");
    assert_string_equal(error->file, "core.2");
    inq_error_destroy(error);
    inq_error_destroy(NULL);
}

static void error_without_memory_is_one_static_object(void **state)
{
    struct inq_error *error = &inq_error_oom;

    (void)state;
    error = inq_error_at_addr(inq_error_at(inq_error_in(error, "f"), 1), 2);
    assert_ptr_equal(error, &inq_error_oom);
    assert_null(error->file);
    assert_false(error->has_offset);
    assert_int_equal(error->code, INQ_E_MEMORY);
    inq_error_destroy(error);
    assert_string_equal(error->message, "out of memory");
    assert_null(inq_error_at(NULL, 1));
}

static void codes_have_names_and_exits(void **state)
{
    (void)state;
    assert_string_equal(inq_code_name(INQ_E_MEMORY), "INQ-001");
    assert_string_equal(inq_code_name(INQ_E_NOT_CORE), "INQ-031");
    assert_string_equal(inq_code_name(INQ_E_WORKER_DIED), "INQ-150");
    assert_string_equal(inq_code_text(INQ_E_EMPTY), "empty file");
    assert_int_equal(inq_code_exit(INQ_E_WINDOW), 3);
    assert_int_equal(inq_code_exit(INQ_G_STREAM_LIMIT), 4);
    assert_int_equal(inq_code_exit(INQ_OK), 0);
    assert_int_equal(inq_code_exit((enum inq_code)999), 6);
}

static void codes_are_unique(void **state)
{
    static const struct {
        int number;
        int exit_code;
    } rows[] = {
#define X(name, number, exit_code, text) {number, exit_code},
        INQ_CODES(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        char expected[16];

        snprintf(expected, sizeof(expected), "INQ-%03d", rows[i].number);
        assert_string_equal(inq_code_name((enum inq_code)rows[i].number), expected);
        assert_in_range(rows[i].exit_code, 0, 143);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(rows[i].number, rows[k].number);
    }
}

static void gaps_copy_their_texts(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    struct inq_gaps gaps;
    char where[] = "thread 7", why[] = "not saved";

    (void)state;
    inq_gaps_init(&gaps, arena);
    inq_gaps_add(&gaps, INQ_G_TRUNCATED, where, why, "%d pages", 3);
    inq_gaps_add(&gaps, INQ_G_NOTE, NULL, NULL, "a note");
    where[0] = why[0] = 'X';
    assert_int_equal(gaps.count, 2);
    assert_string_equal(gaps.items[0].where, "thread 7");
    assert_string_equal(gaps.items[0].why, "not saved");
    assert_string_equal(gaps.items[0].what, "3 pages");
    assert_null(gaps.items[1].where);
    assert_null(gaps.items[1].why);
    inq_gaps_deinit(&gaps);
    inq_gaps_add(NULL, INQ_G_NOTE, NULL, NULL, "nobody listens");
}

static void gaps_are_bounded(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    struct inq_gaps gaps;

    (void)state;
    inq_gaps_init(&gaps, arena);
    for (unsigned i = 0; i < INQ_MAX_GAPS + 10; i++)
        inq_gaps_add(&gaps, INQ_G_NOTE, NULL, NULL, "note %u", i);
    assert_int_equal(gaps.count, INQ_MAX_GAPS);
    assert_int_equal(gaps.dropped, 10);
    inq_gaps_deinit(&gaps);
}

int run_memory_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_refuses_what_overflows),
        cmocka_unit_test(arena_copies_texts),
        cmocka_unit_test(array_grows),
        cmocka_unit_test(array_refuses_what_overflows),
        cmocka_unit_test(error_carries_its_place),
        cmocka_unit_test(error_without_memory_is_one_static_object),
        cmocka_unit_test(codes_have_names_and_exits),
        cmocka_unit_test(codes_are_unique),
        cmocka_unit_test(gaps_copy_their_texts),
        cmocka_unit_test(gaps_are_bounded),
    };

    return cmocka_run_group_tests_name("base: memory, errors, gaps", tests, NULL, NULL);
}

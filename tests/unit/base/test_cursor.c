/* SPDX-License-Identifier: Apache-2.0 */
#include "base_tests.h"

#include <string.h>

#include "cursor.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b', 0, 0, 'c'};

static void cursor_reads_both_byte_orders(void **state)
{
    struct inq_cursor c = inq_cursor_init(bytes, sizeof(bytes), false, 8);
    uint64_t u64 = 0;
    uint32_t u32 = 0;
    uint16_t u16 = 0;
    uint8_t u8 = 0;

    (void)state;
    assert_true(inq_cursor_u8(&c, &u8) && u8 == 1);
    assert_true(inq_cursor_u16(&c, &u16) && u16 == 0x0302);
    assert_true(inq_cursor_u32(&c, &u32) && u32 == 0x07060504);
    assert_true(inq_cursor_seek(&c, 0));
    assert_true(inq_cursor_u64(&c, &u64) && u64 == 0x0807060504030201);

    c = inq_cursor_init(bytes, sizeof(bytes), true, 4);
    assert_true(inq_cursor_word(&c, &u64) && u64 == 0x01020304);
    assert_true(inq_cursor_u16(&c, &u16) && u16 == 0x0506);
    c.word_bytes = 8;
    assert_true(inq_cursor_seek(&c, 0));
    assert_true(inq_cursor_word(&c, &u64) && u64 == 0x0102030405060708);
}

static void cursor_reads_strings(void **state)
{
    struct inq_cursor c = inq_cursor_init(bytes, sizeof(bytes), false, 8);
    const char *text = NULL;
    size_t size = 99;

    (void)state;
    assert_true(inq_cursor_skip(&c, 8));
    assert_true(inq_cursor_string(&c, &text, &size));
    assert_string_equal(text, "ab");
    assert_int_equal(size, 2);
    assert_true(inq_cursor_string(&c, &text, &size));
    assert_int_equal(size, 0);
    size = 99;
    assert_false(inq_cursor_string(&c, &text, &size)); /* "c" has no NUL */
    assert_int_equal(size, 99);
    assert_int_equal(c.pos, 12);
}

/* From every position, every read that fails leaves cursor and result alone. */
static void cursor_never_moves_on_failure(void **state)
{
    (void)state;
    for (size_t pos = 0; pos <= sizeof(bytes); pos++) {
        struct inq_cursor c = inq_cursor_init(bytes, sizeof(bytes), false, 8);
        size_t left = sizeof(bytes) - pos;
        const uint8_t *p = NULL;
        uint64_t u64 = 42;
        uint32_t u32 = 42;
        uint16_t u16 = 42;
        uint8_t u8 = 42;

        c.pos = pos;
#define CHECK(call, need)                                                                          \
    do {                                                                                           \
        bool ok = (call);                                                                          \
        assert_int_equal(ok, left >= (need));                                                      \
        assert_int_equal(c.pos, ok ? pos + (need) : pos);                                          \
        c.pos = pos;                                                                               \
    } while (0)
        CHECK(inq_cursor_u8(&c, &u8), 1);
        CHECK(inq_cursor_u16(&c, &u16), 2);
        CHECK(inq_cursor_u32(&c, &u32), 4);
        CHECK(inq_cursor_u64(&c, &u64), 8);
        CHECK(inq_cursor_bytes(&c, 5, &p), 5);
        CHECK(inq_cursor_skip(&c, 7), 7);
#undef CHECK
        assert_true(left >= 8 || u64 == 42);
        assert_true(left >= 4 || u32 == 42);
        assert_true(left >= 2 || u16 == 42);
        assert_true(left >= 1 || u8 == 42);
        assert_true(left >= 5 || p == NULL);
        assert_false(inq_cursor_skip(&c, SIZE_MAX));
        assert_false(inq_cursor_bytes(&c, SIZE_MAX - pos, &p));
        assert_false(inq_cursor_seek(&c, sizeof(bytes) + 1));
        assert_int_equal(c.pos, pos);
        assert_true(inq_cursor_seek(&c, sizeof(bytes)));
        assert_int_equal(inq_cursor_left(&c), 0);
    }
}

static void cursor_over_nothing(void **state)
{
    struct inq_cursor c = inq_cursor_init(NULL, 0, false, 8);
    const char *text;
    size_t size;
    uint8_t u8;

    (void)state;
    assert_false(inq_cursor_u8(&c, &u8));
    assert_false(inq_cursor_string(&c, &text, &size));
    assert_true(inq_cursor_skip(&c, 0));
}

static void loads_need_no_alignment(void **state)
{
    (void)state;
    assert_int_equal(inq_load_u16(bytes + 1, false), 0x0302);
    assert_int_equal(inq_load_u32(bytes + 1, true), 0x02030405);
    assert_true(inq_load_u64(bytes + 1, true) == 0x0203040506070861);
}

int run_cursor_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_reads_both_byte_orders), cmocka_unit_test(cursor_reads_strings),
        cmocka_unit_test(cursor_never_moves_on_failure), cmocka_unit_test(cursor_over_nothing),
        cmocka_unit_test(loads_need_no_alignment),
    };

    return cmocka_run_group_tests_name("base: cursor", tests, NULL, NULL);
}

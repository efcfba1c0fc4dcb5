/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "codemap.h"
#include "cycle.h"
#include "frames.h"
#include "unwind_tests.h"

#define ENDS_WITH_CALL(...)                                                                        \
    inq_codemap_ends_with_call((const uint8_t[]){__VA_ARGS__},                                     \
                               sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_calls_are_recognised(void **state)
{
    (void)state;
    assert_true(ENDS_WITH_CALL(0x90, 0xe8, 1, 2, 3, 4));       /* call rel32 */
    assert_true(ENDS_WITH_CALL(0xff, 0xd0));                   /* call *%rax */
    assert_true(ENDS_WITH_CALL(0x41, 0xff, 0xd7));             /* call *%r15 */
    assert_true(ENDS_WITH_CALL(0xff, 0x10));                   /* call *(%rax) */
    assert_true(ENDS_WITH_CALL(0xff, 0x50, 0x18));             /* call *0x18(%rax) */
    assert_true(ENDS_WITH_CALL(0xff, 0x14, 0xc8));             /* call *(%rax,%rcx,8) */
    assert_true(ENDS_WITH_CALL(0xff, 0x54, 0x24, 8));          /* call *8(%rsp) */
    assert_true(ENDS_WITH_CALL(0xff, 0x15, 1, 2, 3, 4));       /* call *x(%rip) */
    assert_true(ENDS_WITH_CALL(0xff, 0x90, 1, 2, 3, 4));       /* call *x(%rax) */
    assert_true(ENDS_WITH_CALL(0xff, 0x94, 0xc1, 1, 2, 3, 4)); /* call *x(%rcx,%rax,8) */
    assert_true(ENDS_WITH_CALL(0xff, 0x14, 0xc5, 1, 2, 3, 4)); /* call *x(,%rax,8) */
    assert_true(ENDS_WITH_CALL(0x41, 0xff, 0x94, 0xc4, 1, 2, 3, 4));
}

static void test_other_code_is_no_call(void **state)
{
    (void)state;
    assert_false(ENDS_WITH_CALL(0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90));
    assert_false(ENDS_WITH_CALL(0xff, 0xe0));          /* jmp *%rax */
    assert_false(ENDS_WITH_CALL(0xff, 0xf0));          /* push %rax */
    assert_false(ENDS_WITH_CALL(0xff, 0x15, 1, 2, 3)); /* one byte short */
    assert_false(ENDS_WITH_CALL(0xff, 0x50));
    assert_false(ENDS_WITH_CALL(0xe8, 1, 2, 3));
    assert_false(ENDS_WITH_CALL(0xff));
    assert_false(inq_codemap_ends_with_call((const uint8_t *)"", 0));
}

static struct inq_cycle cycle_of(const uint64_t *pcs, size_t count)
{
    struct inq_cycle_finder finder = {.count = 0};

    for (size_t i = 0; i < count; i++)
        inq_cycle_push(&finder, pcs[i]);
    return inq_cycle_result(&finder);
}

static void test_cycles(void **state)
{
    (void)state;
    static const uint64_t plain[] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_int_equal(cycle_of(plain, 8).length, 0);

    static const uint64_t one[] = {9, 1, 1, 1, 1, 1, 2, 3};
    struct inq_cycle cycle = cycle_of(one, 8);
    assert_int_equal(cycle.start, 1);
    assert_int_equal(cycle.length, 1);
    assert_int_equal(cycle.count, 5);
    assert_int_equal(cycle_of(one, 5).length, 0); /* four repeats are too few */

    static const uint64_t two[] = {9, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 7};
    cycle = cycle_of(two, 13);
    assert_int_equal(cycle.start, 1);
    assert_int_equal(cycle.length, 2);
    assert_int_equal(cycle.count, 5);
}

static void test_longest_cycle_wins(void **state)
{
    (void)state;
    uint64_t pcs[16 * 8 + 6];
    size_t count = 0;

    for (size_t i = 0; i < 6; i++)
        pcs[count++] = 1;
    for (size_t i = 0; i < 16 * 8; i++)
        pcs[count++] = 100 + i % 16;
    struct inq_cycle cycle = cycle_of(pcs, count);
    assert_int_equal(cycle.start, 6);
    assert_int_equal(cycle.length, 16);
    assert_int_equal(cycle.count, 8);
}

static void push_many(struct inq_frames *frames, uint64_t count)
{
    inq_frames_reset(frames);
    for (uint64_t i = 0; i < count; i++) {
        struct inq_frame frame = {.pc = 1000 + i};
        inq_frames_push(frames, &frame);
    }
}

static void test_both_ends_are_kept(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 1, 127, 128, 129, 255, 256, 257, 300, 1000};
    static struct inq_frames frames;
    struct inq_arena *arena = inq_arena_create();
    assert_non_null(arena);

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct inq_stack stack = {0};
        uint64_t count = counts[i], kept = count < 256 ? count : 256;
        push_many(&frames, count);
        assert_true(inq_frames_finish(&frames, arena, &stack));
        assert_int_equal(stack.frames_total, count);
        assert_int_equal(stack.n_frames, kept);
        assert_int_equal(stack.truncated, count > 256);
        for (uint64_t j = 0; j < kept; j++) {
            uint64_t index = j < 128 ? j : count - kept + j;
            assert_int_equal(stack.frames[j].index, index);
            assert_int_equal(stack.frames[j].pc, 1000 + index);
        }
    }
    inq_arena_destroy(arena);
}

const struct CMUnitTest pieces_tests[] = {
    cmocka_unit_test(test_calls_are_recognised),
    cmocka_unit_test(test_other_code_is_no_call),
    cmocka_unit_test(test_cycles),
    cmocka_unit_test(test_longest_cycle_wins),
    cmocka_unit_test(test_both_ends_are_kept),
};
const size_t n_pieces_tests = sizeof(pieces_tests) / sizeof(pieces_tests[0]);

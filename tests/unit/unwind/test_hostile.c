/* SPDX-License-Identifier: Apache-2.0 */
/* One real core, then its registers and its stack as nobody would have left them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include "unwind_tests.h"

#define OUTER_FUNCTIONS                                                                            \
    "level_two level_one main __libc_start_call_main __libc_start_main _start "

static struct crash crash;

static int setup(void **state)
{
    (void)state;
    crash_run(&crash, "unwind-crasher", "null", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    crash_clean(&crash);
    return 0;
}

static void set_register(const char *name, uint64_t value)
{
    int i = inq_cpu_register(crash.core->cpu, name);
    assert_true(i >= 0);
    crash.core->threads[0].registers[i] = value;
}

static uint64_t get_register(const char *name)
{
    uint64_t value = 0;
    assert_true(inq_core_register(crash.core, &crash.core->threads[0], name, &value));
    return value;
}

static const struct inq_stack *walk(void)
{
    crash_walk(&crash);
    return &crash.stacks->items[0];
}

/* Frame 0 is always told, and a walk that did not end at the top says why. */
static void assert_honest(const struct inq_stack *stack)
{
    assert_true(stack->n_frames >= 1);
    assert_int_equal(stack->frames[0].trust, INQ_TRUST_CONTEXT);
    assert_true(stack->complete == (stack->stop == NULL));
    for (size_t i = 1; i < stack->n_frames; i++)
        assert_true(stack->frames[i].sp != stack->frames[i - 1].sp);
}

static void test_stack_pointers(void **state)
{
    (void)state;
    crash_read(&crash);
    uint64_t sp = get_register("rsp");
    struct inq_memory_region region;
    assert_true(inq_memory_region_at(crash.memory, sp, &region));
    uint64_t values[] = {0,
                         1,
                         8,
                         sp + 1,
                         sp + 4,
                         UINT64_MAX,
                         UINT64_MAX - 7,
                         0x8000000000000000,
                         region.start + region.size - 8,
                         region.start + region.size,
                         region.start,
                         0x5eed000000000000};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        set_register("rsp", values[i]);
        const struct inq_stack *stack = walk();
        assert_honest(stack);
        if (stack->complete)
            fail_msg("complete with sp 0x%llx: %s", (unsigned long long)values[i],
                     crash_functions(&crash, stack));
        assert_string_equal(stack->frames[0].function, "null_write");
    }
}

static void test_program_counters(void **state)
{
    (void)state;
    crash_read(&crash);
    uint64_t sp = get_register("rsp");
    uint64_t values[] = {0, 1, UINT64_MAX, 0x4141414141414141, sp, 0x5eed000000000000};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        set_register("rip", values[i]);
        set_register("rsp", sp);
        const struct inq_stack *stack = walk();
        /* null_write() pushes nothing: the word at its stack pointer is the way to level_two(). */
        assert_honest(stack);
        assert_null(stack->frames[0].function);
        assert_int_equal(stack->frames[1].trust, INQ_TRUST_RULE);
        assert_string_equal(stack->frames[1].function, "level_two");
        assert_true(stack->complete);

        set_register("rsp", sp + 8); /* now it is some local variable */
        stack = walk();
        assert_int_equal(crash_certain_frames(stack), 1);
        crash_assert_scanned(&crash, stack, OUTER_FUNCTIONS);
        assert_non_null(stack->stop);
    }
}

/* A stack of our own making, written over the one in the core file. */
static void with_stack(const uint64_t *words, size_t count, uint64_t *ret_sp)
{
    crash_read(&crash);
    uint64_t sp = get_register("rsp");
    for (size_t i = 0; i < crash.core->n_segments; i++) {
        const struct inq_segment *segment = &crash.core->segments[i];
        if (sp < segment->addr || sp - segment->addr >= segment->size)
            continue;
        uint64_t room = segment->addr + segment->saved_bytes - sp;
        int fd = open(crash.core_path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        for (uint64_t off = 0; off + 8 <= room; off += 8)
            assert_int_equal(pwrite(fd, &words[off / 8 % count], 8,
                                    (off_t)(segment->off + (sp - segment->addr) + off)),
                             8);
        close(fd);
    }
    *ret_sp = sp;
    crash_read(&crash);
}

static void test_overwritten_stacks(void **state)
{
    (void)state;
    static const uint64_t patterns[] = {0, 0x4141414141414141, UINT64_MAX, 0x5eed000000000000};
    uint64_t sp;

    for (size_t i = 0; i < 4; i++) {
        with_stack(&patterns[i], 1, &sp);
        const struct inq_stack *stack = walk();
        assert_honest(stack);
        assert_int_equal(stack->n_frames, 1);
        assert_false(stack->complete);
    }
}

/* One true return address all over the stack: it ends, and the repeats are noticed. */
static void test_stack_of_one_return_address(void **state)
{
    uint64_t sp;

    (void)state;
    crash_read(&crash);
    const struct inq_stack *stack = walk();
    uint64_t pc = stack->frames[2].pc; /* in level_one() */
    with_stack(&pc, 1, &sp);
    stack = walk();
    assert_honest(stack);
    assert_false(stack->complete);
    assert_true(stack->cycle_length == 1 && stack->cycle_count > 5);
    assert_string_equal(stack->frames[1].function, "level_one");
}

static void test_random_stacks(void **state)
{
    uint64_t sp, words[509];
    uint64_t seed = 12345;

    (void)state;
    crash_read(&crash);
    const struct inq_stack *stack = walk();
    uint64_t pcs[64];
    size_t n_pcs = 0;
    for (size_t i = 0; i < stack->n_frames && i < 64; i++)
        pcs[n_pcs++] = stack->frames[i].pc;
    sp = get_register("rsp");
    for (unsigned int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 509; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t random = seed >> 33;
            words[i] = random % 4 == 0   ? pcs[random / 4 % n_pcs]
                       : random % 4 == 1 ? sp + random / 4 % 8192
                       : random % 4 == 2 ? random
                                         : seed;
        }
        with_stack(words, 509, &sp);
        assert_honest(walk());
    }
}

/* rbp that points at itself, at its neighbour, and downwards, below code that needs it. */
static void test_frame_pointer_loops(void **state)
{
    struct inq_memory_region region;

    (void)state;
    crash_clean(&crash);
    crash_run(&crash, "unwind-crasher", "jit", NULL);
    crash_read(&crash);
    const struct inq_stack *stack = walk();
    assert_int_equal(stack->frames[1].kind, INQ_FRAME_JIT);
    uint64_t fp = get_register("rbp"), sp = get_register("rsp");
    assert_true(inq_memory_region_at(crash.memory, fp, &region));
    uint64_t values[] = {sp,     sp - 64,    0,
                         1,      UINT64_MAX, UINT64_MAX - 15,
                         fp + 8, fp + 1,     region.start + region.size - 8};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        set_register("rbp", values[i]);
        stack = walk();
        assert_honest(stack);
        assert_int_equal(crash_certain_frames(stack), 2);
        crash_assert_scanned(&crash, stack, "crash_below_jit " OUTER_FUNCTIONS);
    }
}

/* A dump that ends before its stack: what is missing is said, and not taken for zeroes. */
static void test_stack_cut_off(void **state)
{
    (void)state;
    crash_read(&crash);
    uint64_t sp = get_register("rsp");
    for (size_t i = 0; i < crash.core->n_segments; i++) {
        const struct inq_segment *segment = &crash.core->segments[i];
        if (sp >= segment->addr && sp - segment->addr < segment->size)
            assert_int_equal(truncate(crash.core_path, (off_t)segment->off), 0);
    }
    crash_read(&crash);
    const struct inq_stack *stack = walk();
    assert_int_equal(stack->n_frames, 1);
    assert_string_equal(stack->frames[0].function, "null_write");
    assert_non_null(strstr(stack->stop, "stack not saved in the dump at 0x"));
    assert_true(crash_has_gap(&crash, INQ_G_STACK_STOP));
}

static void check_bad_cfi(const char *how, const char *function)
{
    crash_clean(&crash);
    crash_run(&crash, "unwind-crasher", how, NULL);
    crash_read(&crash);
    const struct inq_stack *stack = walk();
    assert_int_equal(crash_certain_frames(stack), 2);
    crash_assert_scanned(&crash, stack, OUTER_FUNCTIONS);
    assert_string_equal(stack->frames[1].function, function);
    assert_non_null(strstr(stack->stop, "CFI invalid at 0x"));
}

static void test_bad_cfi(void **state)
{
    (void)state;
    check_bad_cfi("cfi-endless", "endless_cfi");
    assert_non_null(strstr(crash.stacks->items[0].stop, "does not end"));
    check_bad_cfi("cfi-garbage", "garbage_cfi");
}

const struct CMUnitTest hostile_tests[] = {
    cmocka_unit_test_setup_teardown(test_stack_pointers, setup, teardown),
    cmocka_unit_test_setup_teardown(test_program_counters, setup, teardown),
    cmocka_unit_test_setup_teardown(test_overwritten_stacks, setup, teardown),
    cmocka_unit_test_setup_teardown(test_stack_of_one_return_address, setup, teardown),
    cmocka_unit_test_setup_teardown(test_random_stacks, setup, teardown),
    cmocka_unit_test_setup_teardown(test_frame_pointer_loops, setup, teardown),
    cmocka_unit_test_setup_teardown(test_stack_cut_off, setup, teardown),
    cmocka_unit_test_setup_teardown(test_bad_cfi, setup, teardown),
};
const size_t n_hostile_tests = sizeof(hostile_tests) / sizeof(hostile_tests[0]);

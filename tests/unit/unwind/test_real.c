/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "unwind_tests.h"

static const char *const program = "unwind-crasher";

/* The functions of our program must be these, innermost first; libc's lie behind main. */
static void assert_begins(const struct crash *crash, const struct inq_stack *stack,
                          const char *expected)
{
    const char *functions = crash_functions(crash, stack);

    if (strncmp(functions, expected, strlen(expected)) != 0)
        fail_msg("expected `%s …`, got `%s` (%s)", expected, functions,
                 stack->stop ? stack->stop : "complete");
}

static void assert_complete(const struct inq_stack *stack)
{
    if (!stack->complete)
        fail_msg("stopped: %s", stack->stop);
    assert_null(stack->stop);
}

static uint64_t lookup_of(const struct inq_frame *frame)
{
    return frame->pc - frame->pc_is_return;
}

/* Every frame of every thread where libdwfl finds it too. */
static void assert_same_as_dwfl(const struct crash *crash)
{
    size_t count = 0;
    struct dwfl_stack *others = dwfl_stacks_walk(crash, &count);

    assert_int_equal(count, crash->stacks->count);
    for (size_t i = 0; i < count; i++) {
        const struct inq_stack *stack = NULL;
        for (size_t j = 0; j < crash->stacks->count; j++) {
            if (crash->stacks->items[j].thread->tid == others[i].tid)
                stack = &crash->stacks->items[j];
        }
        assert_non_null(stack);
        /* Where a thread has just come back from clone3()'s system call, libdwfl has no CFI. */
        if (others[i].count == 1 && stack->n_frames > 1 &&
            stack->frames[1].trust == INQ_TRUST_RULE)
            continue;
        assert_int_equal(stack->frames_total, others[i].count);
        for (size_t j = 0; j < stack->n_frames; j++)
            assert_int_equal(lookup_of(&stack->frames[j]),
                             others[i].lookups[stack->frames[j].index]);
    }
    dwfl_stacks_free(others, count);
}

static void check_simple(const char *how, const char *expected)
{
    struct crash crash;

    crash_now(&crash, program, how, NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, expected);
    assert_complete(stack);
    assert_int_equal(stack->frames[0].trust, INQ_TRUST_CONTEXT);
    assert_false(stack->frames[0].pc_is_return);
    for (size_t i = 1; i < stack->n_frames; i++) {
        assert_int_equal(stack->frames[i].trust, INQ_TRUST_CFI);
        assert_true(stack->frames[i].pc_is_return);
        assert_true(stack->frames[i].sp > stack->frames[i - 1].sp);
    }
    assert_same_as_dwfl(&crash);
    assert_false(crash_has_gap(&crash, INQ_G_STACK_STOP));
    crash_clean(&crash);
}

static void test_null_write(void **state)
{
    (void)state;
    check_simple("null", "null_write level_two level_one main ");
}

static void test_through_libc(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "qsort", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write compare ");
    assert_non_null(
        strstr(crash_functions(&crash, stack), " crash_in_qsort level_two level_one main "));
    assert_complete(stack);
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

static void test_abort(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "abort", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_non_null(
        strstr(crash_functions(&crash, stack), " raise abort level_two level_one main "));
    assert_complete(stack);
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

/* A call that led nowhere: the caller is found, and marked as found by that rule. */
static void check_bad_call(const char *how)
{
    struct crash crash;

    crash_now(&crash, program, how, NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "? call_pointer level_two level_one main ");
    assert_complete(stack);
    assert_int_equal(stack->frames[0].trust, INQ_TRUST_CONTEXT);
    assert_int_equal(stack->frames[1].trust, INQ_TRUST_RULE);
    assert_true(stack->frames[1].pc_is_return);
    assert_int_equal(stack->frames[1].sp, stack->frames[0].sp + 8);
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_CFI);
    crash_clean(&crash);
}

static void test_bad_calls(void **state)
{
    (void)state;
    check_bad_call("call-null");
    check_bad_call("call-wild");
}

static void test_call_into_data(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "call-data", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_true(stack->n_frames > 4);
    assert_int_equal(stack->frames[1].trust, INQ_TRUST_RULE);
    assert_string_equal(stack->frames[1].function, "call_pointer");
    assert_null(stack->frames[0].function); /* an array is no function */
    crash_clean(&crash);
}

static void test_crash_in_a_handler(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "handler", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack,
                  "null_write on_signal <signal> null_write crash_in_handler level_two "
                  "level_one main ");
    assert_complete(stack);
    assert_int_equal(stack->frames[2].kind, INQ_FRAME_SIGNAL);
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_CFI);
    assert_int_equal(stack->frames[3].trust, INQ_TRUST_CONTEXT);
    assert_false(stack->frames[3].pc_is_return);
    assert_int_equal(stack->frames[3].pc, stack->frames[0].pc); /* the same instruction */
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

static void test_threads(void **state)
{
    struct crash crash;
    size_t waiting = 0;

    (void)state;
    crash_now(&crash, program, "threads", "7");
    assert_int_equal(crash.stacks->count, 8);
    assert_begins(&crash, &crash.stacks->items[0], "null_write thread_main ");
    for (size_t i = 0; i < 8; i++) {
        assert_complete(&crash.stacks->items[i]);
        if (i > 0 && strstr(crash_functions(&crash, &crash.stacks->items[i]), " thread_main "))
            waiting++; /* at the barrier still, or in wait_here() */
    }
    assert_int_equal(waiting, 6);
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

static void test_deep_recursion(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "recursion", "100000");
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_complete(stack);
    assert_true(stack->truncated);
    assert_int_equal(stack->n_frames, 256);
    assert_true(stack->frames_total > 100000);
    assert_begins(&crash, stack, "null_write recurse recurse ");
    assert_non_null(
        strstr(crash_functions(&crash, stack), " recurse recurse level_two level_one main "));
    assert_int_equal(stack->frames[255].index, stack->frames_total - 1);
    assert_int_equal(stack->cycle_length, 1);
    assert_true(stack->cycle_count >= 99998);
    assert_false(crash_has_gap(&crash, INQ_G_STACK_LIMIT));
    assert_false(crash_has_gap(&crash, INQ_G_STACK_STOP));
    crash_clean(&crash);
}

#define OUTER_FUNCTIONS                                                                            \
    "level_two level_one main __libc_start_call_main __libc_start_main _start "

/* The caller is gone for good: nothing may be made up, and what is further out is a guess. */
static void test_smashed_return_address(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "smash", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_int_equal(crash_certain_frames(stack), 1);
    crash_assert_scanned(&crash, stack, OUTER_FUNCTIONS);
    assert_true(stack->n_frames >= 4);
    assert_string_equal(stack->frames[0].function, "smash_return");
    assert_false(stack->complete);
    assert_non_null(strstr(stack->stop, "0x4141414141414141"));
    assert_true(crash_has_gap(&crash, INQ_G_STACK_STOP));
    crash_clean(&crash);
}

static void test_jit_frames(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "jit", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write <jit> crash_below_jit level_two level_one main ");
    assert_complete(stack);
    assert_int_equal(stack->frames[1].kind, INQ_FRAME_JIT);
    assert_null(stack->frames[1].module);
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_FRAME_POINTER);
    assert_int_equal(stack->frames[3].trust, INQ_TRUST_CFI);
    crash_clean(&crash);

    /* A return address that was pushed, and then jumped. */
    crash_now(&crash, program, "interpreter", NULL);
    stack = &crash.stacks->items[0];
    assert_begins(&crash, stack,
                  "null_write <jit> <jit> crash_below_jit level_two level_one main ");
    assert_complete(stack);
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_FRAME_POINTER);
    crash_clean(&crash);
}

static void test_code_without_cfi(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "nocfi-fp", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write without_cfi_frame_pointer level_two level_one main ");
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_RULE);
    assert_complete(stack);
    crash_clean(&crash);

    /* No frame pointer either: following the caller's one would leave out a frame. */
    crash_now(&crash, program, "nocfi", NULL);
    stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write without_cfi level_two level_one main ");
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_RULE);
    assert_complete(stack);
    crash_clean(&crash);

    crash_now(&crash, program, "nocfi-saving", NULL);
    stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write without_cfi_saving level_two level_one main ");
    assert_int_equal(stack->frames[2].trust, INQ_TRUST_RULE);
    assert_complete(stack);
    crash_clean(&crash);

    crash_now(&crash, program, "nocfi-end", NULL);
    stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write without_cfi_or_end");
    assert_int_equal(crash_certain_frames(stack), 2);
    crash_assert_scanned(&crash, stack, OUTER_FUNCTIONS);
    assert_non_null(strstr(stack->stop, "no unwind information in unwind-crasher"));
    crash_clean(&crash);
}

/* gcc -static leaves out .eh_frame_hdr: the index comes from .eh_frame. */
static void test_static_program(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, "unwind-crasher-static", "null", NULL);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_begins(&crash, stack, "null_write level_two level_one main ");
    assert_complete(stack);
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

/* On a machine without the files there is no guessing. */
static void test_files_absent(void **state)
{
    struct crash crash;

    (void)state;
    crash_run(&crash, program, "null", NULL);
    crash.policy.sysroot = crash.dir; /* a root that holds nothing */
    crash_read(&crash);
    crash_walk(&crash);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_int_equal(stack->n_frames, 1);
    assert_null(stack->frames[0].function);
    assert_false(stack->complete);
    assert_string_equal(stack->stop,
                        "no unwind information for unwind-crasher: the file is not here");
    assert_true(crash_has_gap(&crash, INQ_G_STACK_STOP));
    assert_true(crash_has_gap(&crash, INQ_G_SYMBOLS));
    crash_clean(&crash);
}

/* Another program has taken the place of the one that crashed: nothing of it may be used. */
static void test_file_replaced(void **state)
{
    struct crash crash;
    char root[128];

    (void)state;
    crash_run(&crash, program, "null", NULL);
    crash_install(&crash, "/proc/self/exe", crash.program);
    snprintf(root, sizeof(root), "%s/root", crash.dir);
    crash.policy.sysroot = root;
    crash_read(&crash);
    crash_walk(&crash);
    const struct inq_stack *stack = &crash.stacks->items[0];
    assert_int_equal(stack->n_frames, 1);
    assert_null(stack->frames[0].function);
    assert_string_equal(stack->stop, "no unwind information for unwind-crasher: the file here is "
                                     "not the one the process had mapped");
    crash_clean(&crash);
}

static void test_many_threads(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "threads", "300");
    assert_int_equal(crash.stacks->count, 301);
    for (size_t i = 0; i < 301; i++) {
        const struct inq_stack *stack = &crash.stacks->items[i];
        assert_int_equal(stack->thread_index, i);
        assert_int_equal(stack->complete, i < INQ_MAX_THREADS_UNWOUND);
        if (i >= INQ_MAX_THREADS_UNWOUND) {
            assert_int_equal(stack->n_frames, 1);
            assert_non_null(stack->stop);
        }
    }
    assert_true(crash_has_gap(&crash, INQ_G_STACK_LIMIT));
    crash_clean(&crash);
}

/* Of several names for one address the one that people write. */
static void test_name_of_free(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "free", NULL);
    assert_non_null(strstr(crash_functions(&crash, &crash.stacks->items[0]), "free level_two "));
    assert_same_as_dwfl(&crash);
    crash_clean(&crash);
}

/* Built and crashed elsewhere, by others: their answers are known. */
static void test_shared_library_of_another_machine(void **state)
{
    struct crash crash;

    (void)state;
    crash_shared(&crash, "drgn/crashme.core.zst", "drgn/crashme", "drgn/root");
    crash_read(&crash);
    crash_walk(&crash);
    assert_begins(&crash, &crash.stacks->items[0], "c b a crashme main ");
    assert_non_null(strstr(crash.stacks->items[0].stop, "libc.so.6: the file is not here"));
    crash_clean(&crash);
}

static void test_one_symbol(void **state)
{
    struct crash crash;

    (void)state;
    crash_now(&crash, program, "null", NULL);
    const struct inq_frame *frame = &crash.stacks->items[0].frames[1];
    struct inq_symbol_at found = inq_symbol_at(crash.modules, frame->pc);
    assert_ptr_equal(found.module, frame->module);
    assert_string_equal(found.function, "level_two");
    assert_int_equal(found.offset, frame->function_offset);
    found = inq_symbol_at(crash.modules, 0x10);
    assert_null(found.module);
    assert_null(found.function);
    crash_clean(&crash);
}

static void test_engines(void **state)
{
    struct crash crash;
    struct inq_stacks *stacks = NULL;
    struct inq_unwind_options options = {.engine = INQ_ENGINE_DWFL, .core_fd = -1};

    (void)state;
    crash_now(&crash, program, "null", NULL);
    struct inq_error *error = inq_stacks_walk(crash.core, crash.memory, crash.modules, &options,
                                              crash.arena, &crash.gaps, &stacks);
    assert_null(error);
    assert_int_equal(stacks->items[0].n_frames, crash.stacks->items[0].n_frames);
    for (size_t i = 0; i < stacks->items[0].n_frames; i++) {
        assert_int_equal(stacks->items[0].frames[i].pc, crash.stacks->items[0].frames[i].pc);
        assert_int_equal(stacks->items[0].frames[i].sp, crash.stacks->items[0].frames[i].sp);
    }
    assert_true(stacks->items[0].complete);

    options.engine = INQ_ENGINE_UCD; /* without a file it cannot start */
    error = inq_stacks_walk(crash.core, crash.memory, crash.modules, &options, crash.arena,
                            &crash.gaps, &stacks);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_USAGE);
    inq_error_destroy(error);

    options.core_fd = open(crash.core_path, O_RDONLY | O_CLOEXEC);
    assert_null(inq_stacks_walk(crash.core, crash.memory, crash.modules, &options, crash.arena,
                                &crash.gaps, &stacks));
    assert_int_equal(stacks->count, 1);
    assert_int_equal(stacks->items[0].frames[0].pc, crash.stacks->items[0].frames[0].pc);
    assert_false(stacks->items[0].complete);
    close(options.core_fd);
    crash_clean(&crash);
}

const struct CMUnitTest real_tests[] = {
    cmocka_unit_test(test_null_write),
    cmocka_unit_test(test_through_libc),
    cmocka_unit_test(test_abort),
    cmocka_unit_test(test_bad_calls),
    cmocka_unit_test(test_call_into_data),
    cmocka_unit_test(test_crash_in_a_handler),
    cmocka_unit_test(test_threads),
    cmocka_unit_test(test_deep_recursion),
    cmocka_unit_test(test_smashed_return_address),
    cmocka_unit_test(test_jit_frames),
    cmocka_unit_test(test_code_without_cfi),
    cmocka_unit_test(test_static_program),
    cmocka_unit_test(test_files_absent),
    cmocka_unit_test(test_file_replaced),
    cmocka_unit_test(test_many_threads),
    cmocka_unit_test(test_name_of_free),
    cmocka_unit_test(test_shared_library_of_another_machine),
    cmocka_unit_test(test_one_symbol),
    cmocka_unit_test(test_engines),
};
const size_t n_real_tests = sizeof(real_tests) / sizeof(real_tests[0]);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a signal frame holds, when it may be believed, and finding one that is gone. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core_builder.h"
#include "signal_frame.h"
#include "unwind_tests.h"

#define STACK 0x7ffe00000000u
#define FRAME_OFF 0x400u
#define WORDS_OFF 40u
#define INFO_OFF 304u

struct dump {
    struct opened_core opened;
    struct built_core built;
    struct inq_memory *memory;
    const struct inq_core_thread *thread;
};

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A page fault at 0x401000 on cr2, as the kernel would save it. */
static void make_frame(uint8_t *frame, uint64_t cr2)
{
    memset(frame, 0, INFO_OFF + 128);
    for (uint64_t i = 0; i < 15; i++)
        put(frame + WORDS_OFF + i * 8, 0x100 + i, 8);
    put(frame + WORDS_OFF + 15 * 8, STACK + 0x800, 8); /* rsp */
    put(frame + WORDS_OFF + 16 * 8, 0x401000, 8);      /* rip */
    put(frame + WORDS_OFF + 18 * 8, 0x33, 2);          /* cs */
    put(frame + WORDS_OFF + 19 * 8, 6, 8);             /* err */
    put(frame + WORDS_OFF + 20 * 8, 14, 8);            /* trapno */
    put(frame + WORDS_OFF + 22 * 8, cr2, 8);
    put(frame + INFO_OFF, 11, 4);
    put(frame + INFO_OFF + 8, 1, 4); /* SEGV_MAPERR */
    put(frame + INFO_OFF + 16, cr2, 8);
}

static void dump_init(struct dump *dump, const uint8_t *page)
{
    struct core_builder builder;

    memset(dump, 0, sizeof(*dump));
    builder_init(&builder, 64, false, EM_X86_64);
    builder_thread(&builder, 1, 0x401000, STACK + 0x800, 0);
    builder_load(&builder, STACK, 4096, 4096, PF_R | PF_W, page, 4096);
    dump->built = builder_finish(&builder);
    builder_deinit(&builder);
    open_core(&dump->opened, dump->built.bytes, dump->built.size, false);
    assert_null(dump->opened.error);
    assert_null(inq_memory_create(dump->opened.core, dump->opened.source, dump->opened.arena,
                                  &dump->opened.gaps, &dump->memory));
    dump->thread = &dump->opened.core->threads[0];
}

static void dump_deinit(struct dump *dump)
{
    close_core(&dump->opened);
    free(dump->built.bytes);
}

static bool read_frame(const uint8_t *page, uint64_t addr, struct inq_signal_context *context)
{
    struct dump dump;

    dump_init(&dump, page);
    bool ok = inq_signal_context_read(dump.opened.core, dump.memory, dump.thread, addr, context);
    dump_deinit(&dump);
    return ok;
}

static uint64_t value_of(const struct inq_signal_context *context, const char *name)
{
    int index = inq_cpu_register(inq_cpu_find(EM_X86_64, 64, false), name);
    assert_true(index >= 0);
    return context->thread.registers[index];
}

static void test_registers(void **state)
{
    struct inq_signal_context context;
    uint8_t page[4096] = {0};

    (void)state;
    make_frame(page + FRAME_OFF, 0x10);
    assert_true(read_frame(page, STACK + FRAME_OFF, &context));
    assert_int_equal(value_of(&context, "rip"), 0x401000);
    assert_int_equal(value_of(&context, "rsp"), STACK + 0x800);
    assert_int_equal(value_of(&context, "r8"), 0x100);
    assert_int_equal(value_of(&context, "rdi"), 0x108);
    assert_int_equal(value_of(&context, "rcx"), 0x10e);
    assert_int_equal(context.trapno, 14);
    assert_int_equal(context.err, 6);
    assert_int_equal(context.cr2, 0x10);
    assert_true(context.has_siginfo);
    assert_int_equal(context.siginfo.signo, 11);
    assert_int_equal(context.siginfo.code, 1);
    assert_int_equal(context.siginfo.addr, 0x10);
}

/* Without SA_SIGINFO that place holds what was there before. */
static void test_stale_siginfo(void **state)
{
    struct inq_signal_context context;
    uint8_t page[4096] = {0};

    (void)state;
    make_frame(page + FRAME_OFF, 0x10);
    put(page + FRAME_OFF + INFO_OFF + 16, 0x20, 8); /* of another fault */
    assert_true(read_frame(page, STACK + FRAME_OFF, &context));
    assert_false(context.has_siginfo);

    make_frame(page + FRAME_OFF, 0x10);
    put(page + FRAME_OFF + INFO_OFF, 0x7ffe1234, 4);
    assert_true(read_frame(page, STACK + FRAME_OFF, &context));
    assert_false(context.has_siginfo);

    make_frame(page + FRAME_OFF, 0x10);
    put(page + FRAME_OFF + INFO_OFF + 8, (uint64_t)-6, 4); /* sent: pid and uid stand there */
    put(page + FRAME_OFF + INFO_OFF + 16, 4711, 8);
    assert_true(read_frame(page, STACK + FRAME_OFF, &context));
    assert_true(context.has_siginfo);
    assert_int_equal(context.siginfo.pid, 4711);
}

static void test_no_frame(void **state)
{
    struct inq_signal_context context;
    uint8_t page[4096] = {0};

    (void)state;
    make_frame(page + FRAME_OFF, 0x10);
    assert_false(read_frame(page, STACK + FRAME_OFF + 8, &context)); /* no code segment there */
    assert_false(read_frame(page, STACK + 4096 - 64, &context));     /* cut */
    assert_false(read_frame(page, 0x10, &context));
}

/* The handler returned: its frame lies below the stack pointer, and has just these registers. */
static void test_popped_frame(void **state)
{
    struct inq_signal_context context;
    struct dump dump;
    uint8_t page[4096] = {0};

    (void)state;
    make_frame(page + FRAME_OFF, 0x10);
    dump_init(&dump, page);
    struct inq_core_thread thread = *dump.thread;
    assert_false(inq_signal_context_find_popped(dump.opened.core, dump.memory, &thread, &context));
    assert_true(inq_signal_context_read(dump.opened.core, dump.memory, &thread, STACK + FRAME_OFF,
                                        &context));
    thread = context.thread; /* now they are alike */
    memset(&context, 0, sizeof(context));
    assert_true(inq_signal_context_find_popped(dump.opened.core, dump.memory, &thread, &context));
    assert_int_equal(context.addr, STACK + FRAME_OFF);
    assert_int_equal(context.cr2, 0x10);
    dump_deinit(&dump);
}

const struct CMUnitTest signal_frame_tests[] = {
    cmocka_unit_test(test_registers),
    cmocka_unit_test(test_stale_siginfo),
    cmocka_unit_test(test_no_frame),
    cmocka_unit_test(test_popped_frame),
};
const size_t n_signal_frame_tests = sizeof(signal_frame_tests) / sizeof(signal_frame_tests[0]);

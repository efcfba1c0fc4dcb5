/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks, places and patterns in dumps made by hand: other libcs, hostile numbers, chance. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "address.h"
#include "detectors_tests.h"
#include "dump.h"
#include "pthread_block.h"
#include "size_text.h"
#include "stack_overflow.h"
#include "thread_stacks.h"
#include "value_pattern.h"

#define AREA                                                                                       \
    0x7f1012340000ull          /* three stacks of 64 KiB in one mapping, each with a guard inside  \
                                */
#define STACK_BYTES 0x11000ull /* one of them, guard included */
#define GUARD_BYTES 0x1000ull
#define N_STACKS 3u
#define AREA_BYTES (N_STACKS * STACK_BYTES)
#define TEXT 0x400000ull
#define LIBRARY 0x7f2000000000ull

struct made {
    struct test_dump test;
    struct inq_core core;
    struct inq_modules modules;
    struct inq_stacks stacks;
    struct inq_segment segments[16];
    struct inq_core_thread threads[N_STACKS];
    struct inq_map_file files[8];
    struct inq_module module[2];
    struct inq_module_piece pieces[2];
    uint8_t bytes[AREA_BYTES];
};

static void set_register(struct made *made, size_t thread, const char *name, uint64_t value)
{
    int index = inq_cpu_register(made->core.cpu, name);
    assert_true(index >= 0);
    made->threads[thread].registers[index] = value;
}

static void add_segment(struct made *made, uint64_t addr, uint64_t size, uint32_t flags)
{
    assert_true(made->core.n_segments < 16);
    made->segments[made->core.n_segments++] =
        (struct inq_segment){.addr = addr, .size = size, .flags = flags};
}

static void put(struct made *made, uint64_t addr, uint64_t value)
{
    assert_true(addr - AREA <= AREA_BYTES - 8);
    memcpy(made->bytes + (addr - AREA), &value, 8);
}

static uint64_t low_of(size_t i) /* of the block of thread i, the guard included */
{
    return AREA + i * STACK_BYTES;
}

static uint64_t self_of(size_t i)
{
    return low_of(i) + STACK_BYTES - 0x940;
}

/* As glibc 2.43 lays them out: neighbours in one mapping, no border, words of struct pthread. */
static struct made *made_create(int32_t code, uint64_t addr)
{
    struct made *made = calloc(1, sizeof(*made));

    assert_non_null(made);
    made->core = (struct inq_core){.machine = EM_X86_64,
                                   .elf_class = 64,
                                   .cpu = inq_cpu_find(EM_X86_64, 64, false),
                                   .segments = made->segments,
                                   .threads = made->threads,
                                   .files = made->files,
                                   .n_threads = N_STACKS,
                                   .n_threads_total = N_STACKS,
                                   .page_bytes = 4096,
                                   .complete = true,
                                   .has_siginfo = true,
                                   .has_prpsinfo = true};
    made->core.prpsinfo.pid = 99;
    made->core.siginfo.signo = 11;
    made->core.siginfo.code = code;
    made->core.siginfo.addr = addr;
    add_segment(made, TEXT, 0x1000, PF_R | PF_X);
    add_segment(made, AREA, AREA_BYTES, PF_R | PF_W);
    made->segments[1].saved_bytes = made->segments[1].present_bytes = AREA_BYTES;
    for (size_t i = 0; i < N_STACKS; i++) {
        made->threads[i] =
            (struct inq_core_thread){.tid = (uint32_t)(100 + i), .has_registers = true};
        set_register(made, i, "rsp", low_of(i) + 0x8000);
        set_register(made, i, "rip", TEXT);
        set_register(made, i, "fs_base", self_of(i));
        put(made, self_of(i), self_of(i));
        put(made, self_of(i) + 0x10, self_of(i));
        put(made, self_of(i) + 0x690, low_of(i));
        put(made, self_of(i) + 0x698, STACK_BYTES);
        put(made, self_of(i) + 0x6a0, GUARD_BYTES);
        put(made, self_of(i) + 0x6a8, GUARD_BYTES);
    }
    return made;
}

static struct inq_dump *made_open(struct made *made)
{
    struct inq_dump *dump = &made->test.dump;
    int fd = memfd_create("made", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, made->bytes, sizeof(made->bytes)), sizeof(made->bytes));
    dump->arena = inq_arena_create();
    inq_gaps_init(&made->test.gaps, dump->arena);
    dump->gaps = &made->test.gaps;
    assert_null(inq_source_open(fd, "made", dump->gaps, &dump->source));
    dump->core = &made->core;
    assert_null(
        inq_memory_create(dump->core, dump->source, dump->arena, dump->gaps, &dump->memory));
    made->modules.core = &made->core;
    made->modules.memory = dump->memory;
    made->modules.arena = dump->arena;
    if (made->modules.count == 0)
        made->modules.main = SIZE_MAX;
    dump->modules = &made->modules;
    dump->stacks = &made->stacks;
    return dump;
}

static void made_destroy(struct made *made)
{
    inq_source_destroy(made->test.dump.source);
    inq_gaps_deinit(&made->test.gaps);
    inq_arena_destroy(made->test.dump.arena);
    free(made);
}

static struct inq_stack_overflow judge(struct made *made)
{
    struct inq_stack_overflow overflow;
    inq_stack_overflow(made_open(made), &overflow);
    return overflow;
}

static void test_bounds_in_one_mapping(void **state)
{
    struct made *made = made_create(1, 0);
    const struct inq_thread_stacks *stacks = inq_thread_stacks(made_open(made));
    (void)state;

    assert_non_null(stacks);
    for (size_t i = 0; i < N_STACKS; i++) {
        const struct inq_thread_stack *stack = &stacks->items[i];
        assert_int_equal(stack->source, INQ_STACK_PTHREAD);
        assert_int_equal(stack->start, low_of(i) + GUARD_BYTES);
        assert_int_equal(stack->size, STACK_BYTES - GUARD_BYTES);
        assert_int_equal(stack->guard_start, low_of(i));
        assert_int_equal(stack->guard_bytes, GUARD_BYTES);
        assert_true(stack->guard_is_inside);
    }
    assert_int_equal(inq_stack_at(stacks, low_of(1) + GUARD_BYTES), 1);
    assert_int_equal(inq_stack_guard_at(stacks, low_of(1)), 1);
    assert_int_equal(inq_stack_at(stacks, low_of(1)), SIZE_MAX);
    assert_int_equal(inq_stack_at(stacks, AREA - 1), SIZE_MAX);
    made_destroy(made);
}

/* The middle one of three neighbours overflows: it, and no other, is accused. */
static void test_neighbours(void **state)
{
    for (size_t crashed = 0; crashed < N_STACKS; crashed++) {
        struct made *made = made_create(1, low_of(crashed) + GUARD_BYTES - 8);
        (void)state;
        struct inq_core_thread first = made->threads[0];
        made->threads[0] = made->threads[crashed];
        made->threads[crashed] = first;
        set_register(made, 0, "rsp", low_of(crashed) + GUARD_BYTES);
        struct inq_stack_overflow overflow = judge(made);
        assert_true(overflow.is_known && overflow.overflowed);
        assert_int_equal(overflow.stack.start, low_of(crashed) + GUARD_BYTES);
        assert_true(overflow.has_used);
        assert_int_equal(overflow.used_bytes, STACK_BYTES - GUARD_BYTES);
        made_destroy(made);
    }
    /* the guard of another thread's stack: a wild pointer */
    struct made *made = made_create(1, low_of(1) + 100);
    struct inq_stack_overflow overflow = judge(made);
    assert_true(overflow.is_known && !overflow.overflowed);
    made_destroy(made);
    /* its own guard, with half the stack unused */
    made = made_create(1, low_of(0) + 100);
    overflow = judge(made);
    assert_true(overflow.is_known && !overflow.overflowed);
    made_destroy(made);
}

/* A frame that jumped its guard: the caller's frame is on the stack, this one far below it. */
static void test_jump(void **state)
{
    struct inq_frame frames[2] = {{.index = 0, .trust = INQ_TRUST_CONTEXT},
                                  {.index = 1, .trust = INQ_TRUST_CFI}};
    struct inq_stack stack = {.frames = frames, .n_frames = 2, .frames_total = 2};
    struct made *made = made_create(1, low_of(0) - 0x2000000);
    (void)state;

    frames[0].sp = low_of(0) - 0x2000040;
    frames[1].sp = low_of(0) + 0x8000;
    made->stacks = (struct inq_stacks){.items = &stack, .count = 1};
    set_register(made, 0, "rsp", frames[0].sp);
    struct inq_stack_overflow overflow = judge(made);
    assert_true(overflow.is_known && overflow.overflowed);
    assert_int_equal(overflow.kind, INQ_OVERFLOW_BIG_FRAME);
    assert_int_equal(overflow.frames.biggest_bytes, 0x2008040);
    made_destroy(made);
    /* without a frame that leads there the stack pointer may have been anything */
    made = made_create(1, low_of(0) - 0x2000000);
    set_register(made, 0, "rsp", low_of(0) - 0x2000040);
    overflow = judge(made);
    assert_false(overflow.is_known);
    assert_non_null(overflow.why);
    made_destroy(made);
    /* but not when it was a null pointer */
    made = made_create(1, 0x10);
    set_register(made, 0, "rsp", low_of(0) - 0x2000040);
    overflow = judge(made);
    assert_true(overflow.is_known && !overflow.overflowed);
    made_destroy(made);
}

static void test_frames(void **state)
{
    struct inq_frame frames[40];
    struct inq_stack stack = {.frames = frames,
                              .n_frames = 40,
                              .frames_total = 1000,
                              .cycle_start = 2,
                              .cycle_length = 2,
                              .cycle_count = 499};
    (void)state;

    for (size_t i = 0; i < 40; i++)
        frames[i] = (struct inq_frame){.index = i, .trust = INQ_TRUST_CFI, .sp = 0x10000 + i * 48};
    struct inq_stack_frames found = inq_stack_frames(&stack);
    assert_int_equal(found.cycle_bytes, 96);
    assert_int_equal(found.biggest_bytes, 48);
    frames[20].trust = INQ_TRUST_SCAN; /* what is guessed is not measured */
    frames[21].sp += 0x10000;
    for (size_t i = 22; i < 40; i++)
        frames[i].sp += 0x10000;
    assert_int_equal(inq_stack_frames(&stack).biggest_bytes, 48);
    stack.cycle_start = SIZE_MAX - 1; /* hostile */
    assert_int_equal(inq_stack_frames(&stack).cycle_bytes, 0);
    stack.cycle_start = 39;
    stack.cycle_length = SIZE_MAX;
    assert_int_equal(inq_stack_frames(&stack).cycle_bytes, 0);
    assert_int_equal(inq_stack_frames(NULL).biggest_bytes, 0);
}

static bool block_found(struct made *made, struct inq_pthread_block *block)
{
    struct inq_pthread_layout layout = {0};
    struct inq_dump *dump = made_open(made);
    bool found = inq_pthread_block_find(dump, &layout, &made->threads[0], block);
    made_destroy(made);
    return found;
}

/* No number that a dump can hold is followed out of what is mapped. */
static void test_hostile_blocks(void **state)
{
    static const uint64_t words[] = {0,
                                     1,
                                     0xfff,
                                     0x1000,
                                     UINT64_MAX,
                                     UINT64_MAX - 0xfff,
                                     0x8000000000000000ull,
                                     1ull << 40,
                                     AREA,
                                     AREA + AREA_BYTES};
    struct inq_pthread_block block;
    (void)state;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (unsigned which = 0; which < 3; which++) {
            struct made *made = made_create(1, 0);
            put(made, self_of(0) + 0x690 + which * 8, words[i]);
            put(made, self_of(0) + 0x6a8, 0);
            if (which == 2 && words[i] == 0) /* no guard: as JVMs ask for */
                assert_true(block_found(made, &block));
            else if (which == 2 && words[i] == 0x1000)
                assert_true(block_found(made, &block));
            else if (which == 0 && words[i] == AREA)
                assert_true(block_found(made, &block)); /* what it was */
            else
                assert_false(block_found(made, &block));
        }
        struct made *made = made_create(1, 0);
        set_register(made, 0, "fs_base", words[i]);
        assert_false(block_found(made, &block));
    }
    /* two that fit: neither is believed */
    struct made *made = made_create(1, 0);
    put(made, self_of(0) + 0x700, low_of(0));
    put(made, self_of(0) + 0x708, STACK_BYTES);
    put(made, self_of(0) + 0x710, 2 * GUARD_BYTES);
    assert_false(block_found(made, &block));
    /* the same twice is one */
    made = made_create(1, 0);
    put(made, self_of(0) + 0x700, low_of(0));
    put(made, self_of(0) + 0x708, STACK_BYTES);
    put(made, self_of(0) + 0x710, GUARD_BYTES);
    assert_true(block_found(made, &block));
    /* a hole in the middle of the stack is none of glibc's */
    made = made_create(1, 0);
    made->segments[1].size = made->segments[1].saved_bytes = made->segments[1].present_bytes =
        0x4000;
    assert_false(block_found(made, &block));
}

static void test_tid(void **state)
{
    struct inq_pthread_layout layout = {.size = 2304, .tid_off = 0x2d0};
    struct inq_pthread_block block;
    struct made *made = made_create(1, 0);
    uint32_t tid = 100;
    (void)state;

    memcpy(made->bytes + (self_of(0) + 0x2d0 - AREA), &tid, 4);
    struct inq_dump *dump = made_open(made);
    assert_true(inq_pthread_block_find(dump, &layout, &made->threads[0], &block));
    made->threads[0].tid = 4711; /* made by clone(), with its parent's control block */
    assert_false(inq_pthread_block_find(dump, &layout, &made->threads[0], &block));
    made_destroy(made);
}

static void test_musl(void **state)
{
    struct made *made = made_create(1, 0);
    struct inq_pthread_block block;
    uint64_t self = self_of(0);
    (void)state;

    put(made, self + 0x10, self_of(1)); /* prev, not tcbhead_t.self */
    put(made, self + 0x48, low_of(0));
    put(made, self + 0x50, STACK_BYTES);
    put(made, self + 0x58, self - 0x40);
    put(made, self + 0x60, self - 0x40 - low_of(0) - 2 * GUARD_BYTES);
    put(made, self + 0x68, 2 * GUARD_BYTES);
    assert_true(block_found(made, &block));
    assert_int_equal(block.start, low_of(0));
    assert_int_equal(block.guard_bytes, 2 * GUARD_BYTES);
    made = made_create(1, 0);
    put(made, self + 0x10, self_of(1));
    put(made, self + 0x48, low_of(0));
    put(made, self + 0x50, STACK_BYTES);
    put(made, self + 0x58, self - 0x40);
    put(made, self + 0x60, self - 0x48 - low_of(0) - 2 * GUARD_BYTES); /* does not add up */
    put(made, self + 0x68, 2 * GUARD_BYTES);
    assert_false(block_found(made, &block));
}

static void test_code(void **state)
{
    static const uint8_t code[] = {0x55, 0x48, 0x81, 0xec, 0,    0,   0,
                                   1,    0x48, 0x83, 0xec, 0x18, 0xc3};
    static const uint8_t probes[] = {0x4c, 0x8d, 0x9c, 0x24, 0,    0, 0xff, 0xff,
                                     0x48, 0x81, 0xec, 0,    0x10, 0, 0};
    struct made *made = made_create(1, 0);
    (void)state;

    memcpy(made->bytes + 0x2000, code, sizeof(code));
    memcpy(made->bytes + 0x3000, probes, sizeof(probes));
    memcpy(made->bytes + AREA_BYTES - 4, code + 1, 4); /* cut in the middle */
    struct inq_dump *dump = made_open(made);
    assert_int_equal(inq_frame_bytes_by_code(dump, AREA + 0x2000, AREA + 0x2008), 0x1000000);
    assert_int_equal(inq_frame_bytes_by_code(dump, AREA + 0x2000, AREA + 0x200d), 0x1000018);
    assert_int_equal(inq_frame_bytes_by_code(dump, AREA + 0x2000, AREA + 0x2001), 0);
    assert_int_equal(inq_frame_bytes_by_code(dump, AREA + 0x3000, AREA + 0x3010), 0x10000);
    assert_int_equal(inq_frame_bytes_by_code(dump, AREA + AREA_BYTES - 4, UINT64_MAX), 0);
    assert_int_equal(inq_frame_bytes_by_code(dump, UINT64_MAX, 0), 0);
    made_destroy(made);
}

static void pattern_is(struct made *made, uint64_t value, enum inq_pattern want, const char *text)
{
    struct inq_value_pattern pattern = inq_value_pattern(&made->test.dump, value);

    assert_int_equal(pattern.pattern, want);
    assert_true(pattern.odds >= 0 && pattern.odds < INQ_PATTERN_MOST_ODDS);
    if (text)
        assert_non_null(strstr(pattern.text, text));
}

static void test_patterns(void **state)
{
    struct made *made = made_create(1, 0);
    (void)state;

    set_register(made, 0, "rbx", AREA + 0x4568);
    made_open(made);
    pattern_is(made, 0x6f77206f6c6c6568, INQ_PATTERN_TEXT, "\"hello wo\"");
    pattern_is(made, 0x000067616c662041, INQ_PATTERN_TEXT, "\"A flag\"");
    pattern_is(made, 0x0000006761006620, INQ_PATTERN_NONE, NULL); /* a NUL in the middle */
    pattern_is(made, 0xdddddddddddddddd, INQ_PATTERN_POISON, "CPython");
    pattern_is(made, 0xdeadbeef, INQ_PATTERN_POISON, NULL);
    pattern_is(made, 0xfeeefeeefeeefeee, INQ_PATTERN_POISON, NULL);
    pattern_is(made, (uint64_t)-12, INQ_PATTERN_ERRNO, "ENOMEM");
    pattern_is(made, UINT64_MAX, INQ_PATTERN_ERRNO, "MAP_FAILED");
    pattern_is(made, 0xffffffff80001234, INQ_PATTERN_SIGN_EXTENDED, "-2147478988");
    pattern_is(made, (uint32_t)(AREA + 0x4568), INQ_PATTERN_TRUNCATED, "0x7f1012344568");
    /* nobody's pointer, but memory with the upper half that pointers have */
    pattern_is(made, 0x12345678, INQ_PATTERN_TRUNCATED, "the lower half of 0x7f1012345678");
    pattern_is(made, 0x92345678, INQ_PATTERN_NONE, NULL);
    pattern_is(made, 0, INQ_PATTERN_NONE, NULL);
    pattern_is(made, AREA + 0x4000, INQ_PATTERN_NONE, NULL); /* a good address */
    pattern_is(made, (AREA + 0x4568) ^ 1ull << 41, INQ_PATTERN_ONE_BIT, "bit 41");
    pattern_is(made, (AREA + 0x4568) ^ 1ull << 55, INQ_PATTERN_ONE_BIT, "bit 55");
    pattern_is(made, (AREA + 0x4568) ^ 3ull << 41, INQ_PATTERN_NONE, NULL);
    pattern_is(made, (AREA + 0x4570) ^ 1ull << 41, INQ_PATTERN_NONE, NULL); /* nobody's pointer */
    made_destroy(made);
}

/* What glibc's free() leaves in a block: the mangled link to the next one, and a mark. */
static void test_freed(void **state)
{
    const uint64_t block = AREA + 0x2000, next = AREA + 0x3000, last = AREA + 0x5000;
    struct made *made = made_create(1, 0);
    (void)state;

    set_register(made, 0, "rdi", block);
    put(made, block, next ^ block >> 12);
    put(made, block + 8, 0x9d3c5a7712ab66f1);
    set_register(made, 0, "rsi", last);
    put(made, last, last >> 12);
    made_open(made);
    pattern_is(made, next ^ block >> 12, INQ_PATTERN_FREED, "the link to the next free block");
    pattern_is(made, 0x9d3c5a7712ab66f1, INQ_PATTERN_FREED, "the mark of a free block");
    pattern_is(made, last >> 12, INQ_PATTERN_FREED, NULL);
    pattern_is(made, (next ^ block >> 12) + 16, INQ_PATTERN_NONE, NULL); /* in no block */
    made_destroy(made);
    made = made_create(1, 0);
    set_register(made, 0, "rdi", block);
    put(made, block, 0x7e5012349000); /* a bad pointer, and no link: it leads out of the heap */
    made_open(made);
    pattern_is(made, 0x7e5012349000, INQ_PATTERN_NONE, NULL);
    made_destroy(made);
}

/* Text that is where memory is: an address that happens to spell something. */
static void test_text_is_address(void **state)
{
    struct made *made = made_create(1, 0);
    (void)state;

    add_segment(made, 0x616263640000, 0x10000, PF_R | PF_W);
    made_open(made);
    pattern_is(made, 0x616263646566, INQ_PATTERN_NONE, NULL); /* mapped */
    pattern_is(made, 0x616263736566, INQ_PATTERN_NONE, NULL); /* near */
    pattern_is(made, 0x666263736566, INQ_PATTERN_TEXT, NULL);
    made_destroy(made);
}

/* Many pointers around: a value that is one low bit off one of them is no wonder. */
static void test_chance(void **state)
{
    struct made *made = made_create(1, 0);
    const uint64_t bad = (AREA + 0x4568) ^ 1ull << 21;
    (void)state;

    set_register(made, 0, "rsp", AREA + 0x100);
    set_register(made, 0, "rbx", AREA + 0x4568);
    made_open(made);
    pattern_is(made, bad, INQ_PATTERN_ONE_BIT, "bit 21");
    made_destroy(made);
    made = made_create(1, 0);
    set_register(made, 0, "rsp", AREA + 0x100);
    set_register(made, 0, "rbx", AREA + 0x4568);
    for (uint64_t i = 0; i < 10000;
         i++) /* nearly two of the words in three of the stack point somewhere */
        if (AREA + 0x100 + i * 8 < self_of(0))
            put(made, AREA + 0x100 + i * 8, AREA + i * 16);
    made_open(made);
    pattern_is(made, bad, INQ_PATTERN_NONE, NULL);
    pattern_is(made, (AREA + 0x4568) ^ 1ull << 44, INQ_PATTERN_ONE_BIT, "bit 44");
    made_destroy(made);
    /* the same pointer in every register is one pointer */
    made = made_create(1, 0);
    for (size_t i = 0; i < 16; i++)
        made->threads[0].registers[i] = AREA + 0x4568;
    made_open(made);
    double many = inq_value_pattern(&made->test.dump, bad).odds;
    made_destroy(made);
    made = made_create(1, 0);
    made->threads[0].registers[0] = AREA + 0x4568;
    made_open(made);
    assert_true(many > 0 && many <= inq_value_pattern(&made->test.dump, bad).odds);
    made_destroy(made);
}

static void place_is(struct made *made, uint64_t addr, enum inq_place want, const char *text)
{
    struct inq_address at;

    assert_true(inq_address_describe(&made->test.dump, addr, &at));
    assert_string_equal(inq_place_name(at.place), inq_place_name(want));
    assert_non_null(at.text);
    if (text && !strstr(at.text, text))
        fail_msg("\"%s\" does not hold \"%s\"", at.text, text);
}

static void add_file(struct made *made, uint64_t start, const char *path)
{
    add_segment(made, start, 0x2000, PF_R | PF_W);
    made->files[made->core.n_files++] =
        (struct inq_map_file){.start = start, .size = 0x2000, .file_off = 0x1000, .path = path};
}

static void add_module(struct made *made, uint64_t start, const char *name, bool is_main)
{
    size_t i = made->modules.count++;

    add_segment(made, start, 0x4000, PF_R | PF_X);
    made->module[i] = (struct inq_module){.index = i,
                                          .name = name,
                                          .path = name,
                                          .start = start,
                                          .size = 0x4000,
                                          .is_elf = true,
                                          .is_main = is_main};
    made->pieces[i] = (struct inq_module_piece){.start = start, .size = 0x4000, .module = i};
    made->modules.items = made->module;
    made->modules.pieces = made->pieces;
    made->modules.n_pieces = made->modules.count;
    made->modules.main = SIZE_MAX;
}

static void test_places(void **state)
{
    struct made *made = made_create(1, 0);
    (void)state;

    add_file(made, 0x500000000000, "/dev/shm/sem.x");
    add_file(made, 0x500000010000, "/memfd:wayland (deleted)");
    add_file(made, 0x500000020000, "/SYSV00000000 (deleted)");
    add_file(made, 0x500000030000, "/anon_hugepage (deleted)");
    add_file(made, 0x500000040000, "/home/somebody/data.bin");
    add_segment(made, 0x500000050000, 0x1000, PF_R | PF_W);
    add_segment(made, 0x500000060000, 0x1000, 0);
    add_module(made, LIBRARY, "libone.so", false);
    add_module(made, LIBRARY + 0x14000, "libtwo.so", false);
    made_open(made);
    place_is(made, 0x10, INQ_PLACE_NULL, NULL);
    place_is(made, 0xffffffffff600400, INQ_PLACE_VSYSCALL, "vsyscall");
    place_is(made, 0xffffffff80000000, INQ_PLACE_KERNEL, NULL);
    place_is(made, 0x4141414141414141, INQ_PLACE_NONCANONICAL, NULL);
    place_is(made, low_of(1) + 5, INQ_PLACE_GUARD, "thread 101");
    place_is(made, low_of(2) + 0x9000, INQ_PLACE_STACK, "in the part in use");
    place_is(made, low_of(2) + 0x7000, INQ_PLACE_STACK,
             "thread 102, 40 KiB from its top, in the part that");
    place_is(made, 0x500000000010, INQ_PLACE_SHM, "sem.x at 0x1010");
    place_is(made, 0x500000010010, INQ_PLACE_MEMFD, NULL);
    place_is(made, 0x500000020010, INQ_PLACE_SYSV, NULL);
    place_is(made, 0x500000030010, INQ_PLACE_HUGETLB, NULL);
    place_is(made, 0x500000040010, INQ_PLACE_FILE, "the mapping of a file: data.bin at 0x1010");
    place_is(made, 0x500000050010, INQ_PLACE_ANONYMOUS, "rw-");
    place_is(made, 0x500000060010, INQ_PLACE_NO_RIGHTS, NULL);
    place_is(made, LIBRARY + 0x123, INQ_PLACE_MODULE, "libone.so+0x123");
    place_is(made, LIBRARY + 0x8000, INQ_PLACE_LIBRARY_GAP, "behind the end of libone.so");
    place_is(made, 0x500000052000, INQ_PLACE_GAP,
             "not mapped: 0x1000 behind the end of anonymous memory, 0xe000 before");
    place_is(made, 0x600000000000, INQ_PLACE_GAP, "nothing is mapped there"); /* far from all */
    assert_false(inq_is_library_gap(&made->test.dump, LIBRARY + 0x1000, false));
    assert_false(inq_is_library_gap(&made->test.dump, LIBRARY + 0x19000, false));
    assert_false(inq_is_library_gap(&made->test.dump, UINT64_MAX, true));
    made_destroy(made);
}

static void test_past_eof(void **state)
{
    struct made *made = made_create(2, 0x500000041000);
    (void)state;

    made->core.siginfo.signo = 7;
    add_file(made, 0x500000040000, "/home/somebody/data.bin");
    made_open(made);
    place_is(made, 0x500000041000, INQ_PLACE_PAST_EOF, "data.bin at 0x2000");
    place_is(made, 0x500000041001, INQ_PLACE_FILE, NULL);
    made_destroy(made);
}

static void test_size_text(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 KiB"},          {48, "48 bytes"},
                 {4096, "4 KiB"},       {262144, "256 KiB"},
                 {540520, "527.9 KiB"}, {16777112, "16 MiB"},
                 {8 << 20, "8 MiB"},    {UINT64_MAX, "16777216 TiB"}};
    struct inq_arena *arena = inq_arena_create();
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(inq_size_text(arena, cases[i].bytes), cases[i].text);
    inq_arena_destroy(arena);
}

int stack_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_in_one_mapping),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_hostile_blocks),
        cmocka_unit_test(test_tid),
        cmocka_unit_test(test_musl),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_text_is_address),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_past_eof),
        cmocka_unit_test(test_size_text),
    };
    return cmocka_run_group_tests_name("stacks and places", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "memory_tests.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "core_builder.h"
#include "memory.h"

#define A 0x100000ull              /* two pages of 'a', read-write */
#define B (A + 0x2000)             /* adjacent: a page of 'b' of which half is in the dump */
#define TEXT 0x200000ull           /* first page saved, three not; executable */
#define HIGH (UINT64_MAX - 0x2fff) /* a page, then a page that is not mapped, then the end */

struct opened_memory {
    struct opened_core o;
    struct inq_memory *memory;
};

static void open_memory(struct opened_memory *m, uint8_t elf_class, bool big_endian,
                        uint16_t machine, bool zstd, size_t cut)
{
    static uint8_t a[0x2000], b[0x800], text[0x1000];
    struct core_builder builder;
    struct built_core core;

    memset(a, 'a', sizeof(a));
    memset(b, 'b', sizeof(b));
    memset(text, 't', sizeof(text));
    for (size_t i = 0; i < 8; i++)
        a[i] = (uint8_t)(i + 1);
    builder_init(&builder, elf_class, big_endian, machine);
    builder_thread(&builder, 1, TEXT, A + 0x1000, 0);
    builder_load(&builder, A, 0x2000, 0x2000, PF_R | PF_W, a, sizeof(a));
    builder_load(&builder, B, 0x1000, sizeof(b), PF_R | PF_W, b, sizeof(b));
    builder_load(&builder, TEXT, 0x4000, 0x1000, PF_R | PF_X, text, sizeof(text));
    if (elf_class == 64)
        builder_load(&builder, HIGH, 0x1000, 0x1000, PF_R, text, sizeof(text));
    core = builder_finish(&builder);
    open_core(&m->o, core.bytes, core.size - cut, zstd);
    assert_null(m->o.error);
    assert_null(inq_core_stream(m->o.core, m->o.source, m->o.arena, &m->o.gaps));
    assert_null(inq_memory_create(m->o.core, m->o.source, m->o.arena, &m->o.gaps, &m->memory));
    free(core.bytes);
    builder_deinit(&builder);
}

static void three_answers(void **state)
{
    (void)state;
    for (int zstd = 0; zstd < 2; zstd++) {
        struct opened_memory m;
        uint8_t buf[0x3000];
        size_t got = 99;

        open_memory(&m, 64, false, EM_X86_64, zstd, 0);
        assert_int_equal(inq_memory_read(m.memory, A + 8, buf, 100, &got), INQ_MEMORY_OK);
        assert_int_equal(got, 100);
        assert_int_equal(buf[0], 'a');
        assert_int_equal(inq_memory_read(m.memory, B + 0x800, buf, 1, &got), INQ_MEMORY_NOT_SAVED);
        assert_int_equal(got, 0);
        assert_int_equal(inq_memory_read(m.memory, A - 1, buf, 2, &got), INQ_MEMORY_NOT_MAPPED);
        assert_int_equal(got, 0);
        assert_int_equal(inq_memory_read(m.memory, 0, buf, 1, NULL), INQ_MEMORY_NOT_MAPPED);
        assert_int_equal(inq_memory_read(m.memory, A, buf, 0, &got), INQ_MEMORY_OK);
        /* over the border of two segments, and up to where the second one was not saved */
        assert_int_equal(inq_memory_read(m.memory, B - 2, buf, 4, &got), INQ_MEMORY_OK);
        assert_memory_equal(buf, "aabb", 4);
        assert_int_equal(inq_memory_read(m.memory, A, buf, 0x3000, &got), INQ_MEMORY_NOT_SAVED);
        assert_int_equal(got, 0x2800);
        assert_int_equal(buf[0x27ff], 'b');
        assert_int_equal(inq_memory_unsaved_writable_bytes(m.memory), 0x800);
        close_core(&m.o);
    }
}

static void nothing_wraps_at_the_end_of_memory(void **state)
{
    struct opened_memory m;
    struct inq_memory_region region;
    uint8_t buf[0x4000];
    size_t got;

    (void)state;
    open_memory(&m, 64, false, EM_X86_64, false, 0);
    assert_int_equal(inq_memory_read(m.memory, HIGH + 0xffe, buf, 4, &got), INQ_MEMORY_NOT_MAPPED);
    assert_int_equal(got, 2);
    assert_int_equal(inq_memory_read(m.memory, UINT64_MAX, buf, 8, &got), INQ_MEMORY_NOT_MAPPED);
    assert_int_equal(got, 0);
    assert_false(inq_memory_u64(m.memory, UINT64_MAX - 3, (uint64_t *)(void *)buf));
    assert_null(inq_memory_view(m.memory, HIGH + 8, SIZE_MAX));
    assert_null(inq_memory_string(m.memory, UINT64_MAX, SIZE_MAX));
    assert_false(inq_memory_region_above(m.memory, UINT64_MAX, &region));
    assert_true(inq_memory_region_below(m.memory, UINT64_MAX, &region));
    assert_int_equal(region.start, HIGH);
    close_core(&m.o);
}

static void numbers_in_the_order_of_the_dump(void **state)
{
    static const struct {
        uint8_t elf_class;
        bool big_endian;
        uint16_t machine;
        uint64_t word;
    } cases[] = {
        {64, false, EM_X86_64, 0x0807060504030201},
        {64, true, EM_S390, 0x0102030405060708},
        {32, false, EM_386, 0x04030201},
        {32, true, EM_PPC, 0x01020304},
        {32, false, EM_X86_64, 0x04030201}, /* x32: eight-byte registers, four-byte pointers */
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cases); i++) {
        struct opened_memory m;
        uint64_t word, wide;
        uint32_t u32;
        uint16_t u16;

        open_memory(&m, cases[i].elf_class, cases[i].big_endian, cases[i].machine, false, 0);
        assert_true(inq_memory_word(m.memory, A, &word));
        assert_int_equal(word, cases[i].word);
        assert_true(inq_memory_u16(m.memory, A, &u16));
        assert_int_equal(u16, cases[i].big_endian ? 0x0102 : 0x0201);
        assert_true(inq_memory_u32(m.memory, A + 4, &u32));
        assert_int_equal(u32, cases[i].big_endian ? 0x05060708 : 0x08070605);
        assert_true(inq_memory_u64(m.memory, B - 4, &wide)); /* over a border */
        assert_int_equal(wide, cases[i].big_endian ? 0x6161616162626262 : 0x6262626261616161);
        assert_false(inq_memory_u64(m.memory, B + 0x7fc, &wide)); /* half of it is not saved */
        assert_false(inq_memory_u16(m.memory, B + 0x7ff, &u16));
        close_core(&m.o);
    }
}

static void regions_are_what_the_dump_says(void **state)
{
    struct opened_memory m;
    struct inq_memory_region r;

    (void)state;
    open_memory(&m, 64, false, EM_X86_64, false, 0);
    assert_int_equal(inq_memory_region_count(m.memory), 4);
    assert_true(inq_memory_region_at(m.memory, TEXT + 0x3fff, &r));
    assert_int_equal(r.start, TEXT);
    assert_int_equal(r.size, 0x4000);
    assert_int_equal(r.saved_bytes, 0x1000);
    assert_int_equal(r.flags, PF_R | PF_X);
    assert_false(inq_memory_region_at(m.memory, TEXT + 0x4000, &r));
    assert_true(inq_memory_region_below(m.memory, TEXT - 1, &r));
    assert_int_equal(r.start, B);
    assert_true(inq_memory_region_above(m.memory, TEXT - 1, &r));
    assert_int_equal(r.start, TEXT);
    assert_false(inq_memory_region_below(m.memory, A - 1, &r));
    assert_true(inq_memory_region_above(m.memory, 0, &r));
    assert_int_equal(r.start, A);
    assert_int_equal(inq_memory_region_get(m.memory, 1).start, B);
    close_core(&m.o);
}

static void a_verified_file_fills_what_was_not_saved(void **state)
{
    static const uint8_t file[0x6000] = {'f', [0x1000] = 'F', [0x3fff] = 'L'};
    struct opened_memory m;
    uint8_t buf[0x4000];
    size_t got;
    uint16_t value;

    (void)state;
    open_memory(&m, 64, false, EM_X86_64, false, 0);
    assert_false(inq_memory_u16(m.memory, TEXT + 0x1000, &value));
    /* larger than the mapping on both sides, added before and after others, out of order */
    assert_null(inq_memory_add_backing(m.memory, B, file, 0x1000));
    assert_null(inq_memory_add_backing(m.memory, TEXT, file, sizeof(file)));
    assert_null(inq_memory_add_backing(m.memory, 0x1000, file, 0x1000));
    assert_int_equal(inq_memory_read(m.memory, TEXT, buf, 0x4000, &got), INQ_MEMORY_OK);
    assert_int_equal(buf[0], 't'); /* never hides bytes of the dump */
    assert_int_equal(buf[0xfff], 't');
    assert_int_equal(buf[0x1000], 'F');
    assert_int_equal(buf[0x3fff], 'L');
    assert_true(inq_memory_u16(m.memory, TEXT + 0xfff, &value)); /* half dump, half file */
    assert_int_equal(value, 't' | 'F' << 8);
    assert_ptr_equal(inq_memory_view(m.memory, TEXT + 0x1000, 0x3000), file + 0x1000);
    assert_null(inq_memory_view(m.memory, TEXT + 0x1000, 0x3001));
    /* not where nothing is mapped, and not where the process could write */
    assert_int_equal(inq_memory_read(m.memory, TEXT + 0x4000, buf, 1, NULL), INQ_MEMORY_NOT_MAPPED);
    assert_int_equal(inq_memory_read(m.memory, 0x1000, buf, 1, NULL), INQ_MEMORY_NOT_MAPPED);
    assert_int_equal(inq_memory_read(m.memory, B + 0x800, buf, 1, NULL), INQ_MEMORY_NOT_SAVED);
    assert_non_null(m.o.core);
    close_core(&m.o);
}

static void a_range_that_wraps_is_refused(void **state)
{
    struct opened_memory m;
    struct inq_error *error;

    (void)state;
    open_memory(&m, 64, false, EM_X86_64, false, 0);
    error = inq_memory_add_backing(m.memory, UINT64_MAX - 10, "0123456789abcdef", 16);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_INTERNAL);
    inq_error_destroy(error);
    close_core(&m.o);
}

/* What the file is cut off was saved: it may differ from the file that was mapped. */
static void cut_memory_is_not_taken_from_files(void **state)
{
    static const uint8_t file[0x4000] = {'f'};
    struct opened_memory m;
    uint8_t buf[16];

    (void)state;
    open_memory(&m, 64, false, EM_X86_64, false, 0x1000 + 0x800); /* HIGH and half of TEXT's page */
    assert_null(inq_memory_add_backing(m.memory, TEXT, file, sizeof(file)));
    assert_int_equal(inq_memory_read(m.memory, TEXT + 0x7f8, buf, 8, NULL), INQ_MEMORY_OK);
    assert_int_equal(inq_memory_read(m.memory, TEXT + 0x800, buf, 8, NULL), INQ_MEMORY_NOT_SAVED);
    assert_int_equal(inq_memory_read(m.memory, TEXT + 0x1000, buf, 8, NULL), INQ_MEMORY_OK);
    assert_int_equal(inq_memory_read(m.memory, HIGH, buf, 8, NULL), INQ_MEMORY_NOT_SAVED);
    close_core(&m.o);
}

static void views_and_strings(void **state)
{
    (void)state;
    for (int zstd = 0; zstd < 2; zstd++) {
        struct opened_memory m;
        const char *text;

        open_memory(&m, 64, false, EM_X86_64, zstd, 0);
        assert_non_null(inq_memory_view(m.memory, A, 0x2000));
        assert_memory_equal(inq_memory_view(m.memory, A, 8), "\1\2\3\4\5\6\7\10", 8);
        assert_null(inq_memory_view(m.memory, B - 1, 2)); /* two pieces */
        assert_null(inq_memory_view(m.memory, B + 0x7ff, 2));
        assert_null(inq_memory_view(m.memory, 0, 1));
        text = inq_memory_string(m.memory, A + 0x1ffe, 4); /* over the border, cut at max */
        assert_string_equal(text, "aabb");
        assert_null(inq_memory_string(m.memory, B, 0x10000)); /* no end before memory ends */
        close_core(&m.o);
    }
}

/* Every byte of a stream reads as in the plain file, or is said not to be there. */
static void a_stream_reads_like_the_file(void **state)
{
    struct opened_memory plain, packed;

    (void)state;
    open_memory(&plain, 64, false, EM_X86_64, false, 0);
    open_memory(&packed, 64, false, EM_X86_64, true, 0);
    for (uint64_t addr = A - 16; addr < TEXT + 0x4010;
         addr += addr == B + 0x1010 ? TEXT - addr : 1) {
        uint64_t x = 0, y = 0;
        bool there = inq_memory_word(plain.memory, addr, &x);

        assert_int_equal(inq_memory_word(packed.memory, addr, &y), there);
        assert_int_equal(x, y);
    }
    close_core(&plain.o);
    close_core(&packed.o);
}

int run_memory_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_answers),
        cmocka_unit_test(nothing_wraps_at_the_end_of_memory),
        cmocka_unit_test(numbers_in_the_order_of_the_dump),
        cmocka_unit_test(regions_are_what_the_dump_says),
        cmocka_unit_test(a_verified_file_fills_what_was_not_saved),
        cmocka_unit_test(a_range_that_wraps_is_refused),
        cmocka_unit_test(cut_memory_is_not_taken_from_files),
        cmocka_unit_test(views_and_strings),
        cmocka_unit_test(a_stream_reads_like_the_file),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "core_builder.h"

/* Two threads, siginfo, and three segments: text not saved, data, stack. */
static struct built_core small_core(struct core_builder *b)
{
    static const uint8_t data[8192] = {1};
    struct built_core core;

    builder_init(b, 64, false, EM_X86_64);
    builder_thread(b, 100, 0x401000, 0x7fff1000, 0);
    builder_siginfo(b, 11, 1, 0x10);
    builder_thread(b, 101, 0x401000, 0x7fff1000, 0);
    builder_load(b, 0x400000, 0x2000, 0, PF_R | PF_X, NULL, 0);
    builder_load(b, 0x500000, 0x2000, 0x2000, PF_R | PF_W, data, sizeof(data));
    builder_load(b, 0x7fff0000, 0x2000, 0x2000, PF_R | PF_W, data, sizeof(data));
    core = builder_finish(b);
    builder_deinit(b);
    return core;
}

static void assert_fails(const void *bytes, size_t size, enum inq_code code, const char *message,
                         uint64_t offset)
{
    struct opened_core o;

    open_core(&o, bytes, size, false);
    assert_non_null(o.error);
    assert_int_equal(o.error->code, code);
    assert_int_equal(inq_code_exit(o.error->code), 3);
    assert_string_equal(o.error->message, message);
    if (offset != UINT64_MAX) {
        assert_true(o.error->has_offset);
        assert_int_equal(o.error->offset, offset);
    }
    close_core(&o);
}

static void a_whole_core_is_read(void **state)
{
    struct core_builder b;
    struct built_core core = small_core(&b);
    struct opened_core o;

    (void)state;
    open_core(&o, core.bytes, core.size, false);
    assert_null(o.error);
    assert_int_equal(o.core->n_segments, 3);
    assert_int_equal(o.core->phnum, 4);
    assert_int_equal(o.core->segments[0].saved_bytes, 0);
    assert_int_equal(o.core->segments[0].flags, PF_R | PF_X);
    assert_int_equal(o.core->segments[2].present_bytes, 0x2000);
    assert_int_equal(o.core->n_threads, 2);
    assert_int_equal(o.core->threads[0].tid, 100);
    assert_int_equal(inq_core_pc(o.core, &o.core->threads[0]), 0x401000);
    assert_int_equal(inq_core_sp(o.core, &o.core->threads[0]), 0x7fff1000);
    assert_true(o.core->complete);
    assert_int_equal(o.core->expected_bytes, core.size);
    assert_int_equal(count_gaps(&o, INQ_G_TRUNCATED), 0);
    close_core(&o);
    free(core.bytes);
}

static void what_is_no_core_is_named(void **state)
{
    static const uint8_t elf[64] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1};
    uint8_t tar[512] = "some/name", zeros[600] = {0};
    struct core_builder b;
    struct built_core core = small_core(&b);

    (void)state;
    memcpy(tar + 257, "ustar", 5);
    assert_fails("", 0, INQ_E_EMPTY, "empty file", UINT64_MAX);
    assert_fails("\x7f", 1, INQ_E_NOT_ELF, "truncated ELF header (1 of 64 bytes)", 1);
    assert_fails(elf, 15, INQ_E_NOT_ELF, "truncated ELF header (15 of 64 bytes)", 15);
    assert_fails(elf, 63, INQ_E_NOT_ELF, "truncated ELF header (63 of 64 bytes)", 63);
    assert_fails("a", 1, INQ_E_NOT_ELF, "not an ELF core (found: text)", 0);
    assert_fails("caf\xc3\xa9\n", 6, INQ_E_NOT_ELF, "not an ELF core (found: text)", 0);
    assert_fails("#!/bin/sh\n", 10, INQ_E_NOT_ELF, "not an ELF core (found: a script)", 0);
    assert_fails("\x89PNG\r\n\x1a\n....", 12, INQ_E_NOT_ELF, "not an ELF core (found: a PNG image)",
                 0);
    assert_fails(tar, sizeof(tar), INQ_E_NOT_ELF, "not an ELF core (found: a tar archive)", 0);
    assert_fails("PK\x03\x04..", 6, INQ_E_NOT_ELF, "not an ELF core (found: a zip archive)", 0);
    assert_fails(zeros, sizeof(zeros), INQ_E_NOT_ELF, "not an ELF core (found: zeros)", 0);
    assert_fails("\x01\x02\x80\xff", 4, INQ_E_NOT_ELF, "not an ELF core (found: data)", 0);
    core.bytes[16] = ET_EXEC;
    assert_fails(core.bytes, core.size, INQ_E_NOT_CORE, "is an executable, not a core", 16);
    core.bytes[16] = ET_DYN;
    assert_fails(core.bytes, core.size, INQ_E_NOT_CORE, "is a shared object, not a core", 16);
    core.bytes[core.phoff + 56] = PT_INTERP;
    assert_fails(core.bytes, core.size, INQ_E_NOT_CORE, "is an executable, not a core", 16);
    core.bytes[16] = ET_REL;
    assert_fails(core.bytes, core.size, INQ_E_NOT_CORE, "is an object file, not a core", 16);
    free(core.bytes);
}

static void a_damaged_header_is_an_error_with_its_place(void **state)
{
    static const uint16_t sizes[] = {0, 1, 55, 65535};
    static const uint64_t places[] = {0, 65, 1ull << 63, UINT64_MAX, UINT64_MAX - 7, 1ull << 40};
    struct core_builder b;
    struct built_core core = small_core(&b);
    struct opened_core o;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(sizes); i++) {
        builder_put(&b, core.bytes + 54, sizes[i], 2);
        open_core(&o, core.bytes, core.size, false);
        assert_non_null(o.error);
        assert_int_equal(o.error->code, INQ_E_HEADER);
        assert_int_equal(o.error->offset, 54);
        close_core(&o);
    }
    builder_put(&b, core.bytes + 54, 56, 2);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(places); i++) {
        builder_put(&b, core.bytes + 32, places[i], 8);
        open_core(&o, core.bytes, core.size, false);
        assert_non_null(o.error);
        assert_int_equal(o.error->code, INQ_E_HEADER);
        assert_int_equal(o.error->offset, 32);
        close_core(&o);
        open_core(&o, core.bytes, core.size, true); /* a stream must not be read to 2^63 */
        assert_non_null(o.error);
        assert_int_equal(o.error->code, INQ_E_HEADER);
        close_core(&o);
    }
    free(core.bytes);
}

/* e_phnum lies, and the place of the notes tells. */
static void the_number_of_headers_is_checked_twice(void **state)
{
    static const uint16_t counts[] = {0, 1, 3, 5, 0xfffe, PN_XNUM};
    struct core_builder b;
    struct built_core core = small_core(&b);
    struct opened_core o;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(counts); i++) {
        builder_put(&b, core.bytes + 56, counts[i], 2);
        open_core(&o, core.bytes, core.size, false);
        assert_null(o.error);
        assert_int_equal(o.core->n_segments, 3);
        assert_int_equal(o.core->n_threads, 2);
        assert_int_equal(count_gaps(&o, INQ_G_PHDRS), 1);
        close_core(&o);
    }
    free(core.bytes);
}

/* 70,000 segments: e_phnum is PN_XNUM, sh_info of section 0 at the end has the count. */
static void more_than_65534_segments_are_read(void **state)
{
    const uint32_t n = 70000;
    struct core_builder b;
    struct built_core core;
    struct opened_core o;
    uint8_t *section;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 0x401000, 0x7fff1000, 0);
    for (uint32_t i = 0; i < n; i++)
        builder_load(&b, 0x10000ull + i * 0x2000ull, 0x1000, 0, PF_R, NULL, 0);
    core = builder_finish(&b);
    core.bytes = realloc(core.bytes, core.size + 64);
    assert_non_null(core.bytes);
    section = core.bytes + core.size;
    memset(section, 0, 64);
    builder_put(&b, core.bytes + 40, core.size, 8);
    for (int round = 0; round < 4; round++) {
        static const uint32_t infos[] = {70001, 10000000, UINT32_MAX, 0};
        builder_put(&b, section + offsetof(Elf64_Shdr, sh_info), infos[round], 4);
        open_core(&o, core.bytes, core.size + 64, round == 3);
        assert_null(o.error);
        assert_int_equal(o.core->n_segments, n);
        /* section 0 of a stream is not looked at, so it cannot be found to lie */
        assert_int_equal(count_gaps(&o, INQ_G_PHDRS), round == 1 || round == 2);
        close_core(&o);
    }
    free(core.bytes);
    builder_deinit(&b);
}

static void segments_that_make_no_sense_are_dropped_or_clipped(void **state)
{
    static const uint8_t data[4096] = {7};
    struct core_builder b;
    struct built_core core;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 0x1000, 0x1000, 0);
    builder_load(&b, UINT64_MAX - 0xfff, 0x2000, 0, PF_R, NULL, 0);   /* wraps */
    builder_load(&b, UINT64_MAX - 0xfff, 0x1000, 0, PF_R, NULL, 0);   /* its end is 2^64 */
    builder_load(&b, 0x1000, 0x10, 0x1000, PF_R, data, sizeof(data)); /* filesz > memsz */
    builder_load(&b, 0x2000, 0, 0, PF_R, NULL, 0);                    /* nothing */
    builder_load(&b, 0x3000, 1ull << 40, 1ull << 40, PF_R, data, sizeof(data)); /* beyond EOF */
    core = builder_finish(&b);
    open_core(&o, core.bytes, core.size, false);
    assert_null(o.error);
    assert_int_equal(o.core->n_segments, 2);
    assert_int_equal(o.core->segments[0].addr, 0x1000);
    assert_int_equal(o.core->segments[0].saved_bytes, 0x10);
    assert_int_equal(o.core->segments[1].saved_bytes, 1ull << 40);
    assert_int_equal(o.core->segments[1].present_bytes, 4096);
    assert_false(o.core->complete);
    assert_int_equal(count_gaps(&o, INQ_G_SEGMENT), 2);
    assert_int_equal(count_gaps(&o, INQ_G_TRUNCATED), 1);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);
}

static void identity_is_of_the_content(void **state)
{
    struct core_builder b;
    struct built_core core = small_core(&b);
    struct opened_core plain, packed, other;
    char a[65], z[65], c[65];

    (void)state;
    open_core(&plain, core.bytes, core.size, false);
    open_core(&packed, core.bytes, core.size, true);
    core.bytes[core.notes_off + 20 + 112]++; /* a register */
    open_core(&other, core.bytes, core.size, false);
    assert_true(inq_core_identity(plain.core, plain.source, a));
    assert_true(inq_core_identity(packed.core, packed.source, z));
    assert_true(inq_core_identity(other.core, other.source, c));
    assert_int_equal(strlen(a), 64);
    assert_string_equal(a, z);
    assert_string_not_equal(a, c);
    close_core(&plain);
    close_core(&packed);
    close_core(&other);
    free(core.bytes);
}

/* Every single bit of the header: an answer or an error, and never more threads than there are. */
static void bit_flips_in_the_header_are_survived(void **state)
{
    struct core_builder b;
    struct built_core core = small_core(&b);
    size_t usable = 0;

    (void)state;
    for (size_t bit = 0; bit < (64 + 56) * 8; bit++) {
        struct opened_core o;

        core.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        open_core(&o, core.bytes, core.size, false);
        if (!o.error) {
            usable++;
            assert_true(o.core->n_threads_total <= 2);
        } else {
            assert_int_equal(inq_code_exit(o.error->code), 3);
        }
        close_core(&o);
        core.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_true(usable > 500);
    free(core.bytes);
}

int run_header_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_core_is_read),
        cmocka_unit_test(what_is_no_core_is_named),
        cmocka_unit_test(a_damaged_header_is_an_error_with_its_place),
        cmocka_unit_test(the_number_of_headers_is_checked_twice),
        cmocka_unit_test(more_than_65534_segments_are_read),
        cmocka_unit_test(segments_that_make_no_sense_are_dropped_or_clipped),
        cmocka_unit_test(identity_is_of_the_content),
        cmocka_unit_test(bit_flips_in_the_header_are_survived),
    };

    return cmocka_run_group_tests_name("elfcore: header", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "core_builder.h"
#include "bounds.h"

static void finish_and_open(struct core_builder *b, struct opened_core *o)
{
    struct built_core core = builder_finish(b);

    open_core(o, core.bytes, core.size, false);
    free(core.bytes);
    builder_deinit(b);
}

static void every_cpu_and_byte_order(void **state)
{
    static const struct {
        uint16_t machine;
        uint8_t elf_class;
        bool big_endian;
    } cpus[] = {
        {EM_X86_64, 64, false},  {EM_X86_64, 32, false}, {EM_386, 32, false},
        {EM_AARCH64, 64, false}, {EM_AARCH64, 64, true}, {EM_ARM, 32, false},
        {EM_ARM, 32, true},      {EM_RISCV, 64, false},  {EM_PPC, 32, true},
        {EM_PPC64, 64, true},    {EM_PPC64, 64, false},  {EM_S390, 32, true},
        {EM_S390, 64, true},     {EM_SPARCV9, 64, true}, {EM_68K, 32, true},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cpus); i++) {
        struct core_builder b;
        struct opened_core o;

        builder_init(&b, cpus[i].elf_class, cpus[i].big_endian, cpus[i].machine);
        builder_thread(&b, 4711, 0x12345670, 0x7654fff0, 0);
        builder_siginfo(&b, 11, 2, 0x7ffff010);
        finish_and_open(&b, &o);
        assert_null(o.error);
        assert_int_equal(o.core->threads[0].tid, 4711);
        assert_int_equal(o.core->threads[0].cursig, 11);
        assert_int_equal(inq_core_pc(o.core, &o.core->threads[0]), 0x12345670);
        assert_int_equal(inq_core_sp(o.core, &o.core->threads[0]), 0x7654fff0);
        assert_int_equal(o.core->siginfo.addr, 0x7ffff010);
        assert_int_equal(o.core->siginfo.code, 2);
        close_core(&o);
    }
}

static void the_addressing_mode_is_no_part_of_a_pc(void **state)
{
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 32, true, EM_S390);
    builder_thread(&b, 1, 0x80001234, 0x7f000000, 0);
    finish_and_open(&b, &o);
    assert_int_equal(inq_core_pc(o.core, &o.core->threads[0]), 0x1234);
    close_core(&o);
    builder_init(&b, 32, false, EM_ARM);
    builder_thread(&b, 1, 0x8001, 0x7f000000, 0);
    finish_and_open(&b, &o);
    assert_int_equal(inq_core_pc(o.core, &o.core->threads[0]), 0x8000);
    close_core(&o);
}

static void an_unknown_cpu_still_has_threads(void **state)
{
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, 0xffff);
    builder_thread(&b, 77, 0, 0, 0);
    finish_and_open(&b, &o);
    assert_null(o.error);
    assert_null(o.core->cpu);
    assert_string_equal(o.core->machine_name, "machine 65535");
    assert_int_equal(o.core->threads[0].tid, 77);
    assert_false(o.core->threads[0].has_registers);
    assert_int_equal(count_gaps(&o, INQ_G_MACHINE), 1);
    close_core(&o);
}

static void short_and_repeated_threads_are_kept_and_marked(void **state)
{
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 10, 1, 2, 0);
    builder_note(&b, "CORE", NT_PRSTATUS, "", 0);
    builder_thread(&b, 11, 1, 2, 36);
    builder_thread(&b, 12, 1, 2, 336 - 8); /* all registers but the end: fpvalid is not needed */
    builder_thread(&b, 10, 1, 2, 0);
    builder_thread(&b, (uint32_t)-5, 1, 2, 0);
    finish_and_open(&b, &o);
    assert_null(o.error);
    assert_int_equal(o.core->n_threads, 6);
    assert_true(o.core->threads[0].has_registers);
    assert_false(o.core->threads[1].has_registers);
    assert_int_equal(o.core->threads[2].tid, 11);
    assert_false(o.core->threads[2].has_registers);
    assert_true(o.core->threads[3].has_registers);
    assert_int_equal(count_gaps(&o, INQ_G_NOTE), 2);
    assert_int_equal(count_gaps(&o, INQ_G_THREAD_ODD), 2);
    close_core(&o);
}

static void threads_beyond_the_limit_are_counted(void **state)
{
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    for (uint32_t i = 1; i <= INQ_MAX_THREADS_LISTED + 100; i++)
        builder_thread(&b, i, 1, 2, 0);
    builder_note(&b, "CORE", NT_FPREGSET, "12345678", 8); /* of a thread that is not listed */
    finish_and_open(&b, &o);
    assert_int_equal(o.core->n_threads, INQ_MAX_THREADS_LISTED);
    assert_int_equal(o.core->n_threads_total, INQ_MAX_THREADS_LISTED + 100);
    assert_int_equal(o.core->threads[INQ_MAX_THREADS_LISTED - 1].fpregset_size, 0);
    assert_int_equal(count_gaps(&o, INQ_G_THREADS), 1);
    close_core(&o);
}

static void register_sets_belong_to_the_thread_before_them(void **state)
{
    struct core_builder b;
    struct opened_core o;
    uint8_t bytes[4];
    size_t got;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_note(&b, "CORE", NT_FPREGSET, "lost", 4);
    builder_thread(&b, 1, 1, 2, 0);
    builder_note(&b, "CORE", NT_FPREGSET, "fp-1", 4);
    builder_note(&b, "LINUX", NT_X86_XSTATE, "xs-1", 4);
    builder_thread(&b, 2, 1, 2, 0);
    builder_note(&b, "LINUX", 0x205, "layout", 6); /* of no interest */
    builder_note(&b, "CORE", NT_FPREGSET, "fp-2", 4);
    finish_and_open(&b, &o);
    assert_null(o.error);
    assert_int_equal(inq_source_read(o.source, o.core->threads[0].fpregset_off, bytes, 4, &got),
                     INQ_READ_OK);
    assert_memory_equal(bytes, "fp-1", 4);
    inq_source_read(o.source, o.core->threads[0].xstate_off, bytes, 4, &got);
    assert_memory_equal(bytes, "xs-1", 4);
    inq_source_read(o.source, o.core->threads[1].fpregset_off, bytes, 4, &got);
    assert_memory_equal(bytes, "fp-2", 4);
    assert_int_equal(o.core->threads[1].xstate_size, 0);
    close_core(&o);
}

static void lying_sizes_end_the_list_and_keep_the_rest(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct core_builder b;
        struct opened_core o;

        builder_init(&b, 64, false, EM_X86_64);
        builder_thread(&b, 1, 1, 2, 0);
        builder_siginfo(&b, 6, -6, 0);
        builder_note_lying(&b, "CORE", NT_AUXV, "12345678", 8, which ? 5 : UINT32_MAX,
                           which ? UINT32_MAX : 8);
        builder_thread(&b, 2, 1, 2, 0);
        finish_and_open(&b, &o);
        assert_null(o.error);
        assert_int_equal(o.core->n_threads, 1);
        assert_int_equal(o.core->siginfo.signo, 6);
        assert_true(count_gaps(&o, INQ_G_NOTE) >= 1);
        close_core(&o);
    }
}

static void a_note_segment_of_wrong_size_ends_where_memory_begins(void **state)
{
    static const uint64_t sizes[] = {0, 1ull << 32, UINT64_MAX};
    static const uint8_t page[4096] = {1, 0, 0, 0, 255, 255, 255, 255};

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(sizes); i++) {
        struct core_builder b;
        struct built_core core;
        struct opened_core o;

        builder_init(&b, 64, false, EM_X86_64);
        builder_thread(&b, 1, 1, 2, 0);
        builder_thread(&b, 2, 1, 2, 0);
        builder_load(&b, 0x1000, 4096, 4096, PF_R, page, sizeof(page));
        core = builder_finish(&b);
        builder_put(&b, core.bytes + core.phoff + 32, sizes[i], 8);
        open_core(&o, core.bytes, core.size, false);
        assert_null(o.error);
        assert_int_equal(o.core->n_threads, 2);
        assert_true(o.core->complete);
        assert_int_equal(count_gaps(&o, INQ_G_NOTE), 1);
        close_core(&o);
        free(core.bytes);
        builder_deinit(&b);
    }
}

static void no_usable_notes_is_an_error(void **state)
{
    struct core_builder b;
    struct built_core core;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_note(&b, "CORE", 0x777, "unknown", 7);
    finish_and_open(&b, &o);
    assert_int_equal(o.error->code, INQ_E_NO_NOTES);
    close_core(&o);

    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    core = builder_finish(&b);
    core.bytes[core.phoff] = PT_NULL; /* no PT_NOTE */
    open_core(&o, core.bytes, core.size, false);
    assert_int_equal(o.error->code, INQ_E_NO_NOTES);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);

    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    builder_note(&b, "VMCOREINFO", 0, "OSRELEASE=6.1", 13);
    finish_and_open(&b, &o);
    assert_int_equal(o.error->code, INQ_E_NOT_CORE);
    close_core(&o);
}

/* All headers are PT_NOTE: read as they come, bounded, and no thread is made up. */
static void many_note_segments_are_merged(void **state)
{
    struct core_builder b;
    struct built_core core;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    for (int i = 0; i < 20000; i++)
        builder_load(&b, 0, 0, 0, 0, NULL, 0);
    core = builder_finish(&b);
    for (size_t i = 1; i <= 20000; i++) {
        uint8_t *phdr = core.bytes + core.phoff + i * 56;
        phdr[0] = PT_NOTE;
        builder_put(&b, phdr + 8, core.notes_off, 8);
        builder_put(&b, phdr + 32, i == 1 ? b.notes_size : UINT64_MAX, 8);
    }
    open_core(&o, core.bytes, core.size, false);
    assert_null(o.error);
    assert_true(o.core->n_threads_total >= 2);
    assert_int_equal(o.core->threads[1].tid, 1);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);
}

static void empty_notes_without_end_are_capped(void **state)
{
    struct core_builder b;
    struct built_core core;
    struct opened_core o;
    size_t size = 12u * (INQ_MAX_NOTES + 1000u);

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    b.notes = realloc(b.notes, b.notes_size + size);
    assert_non_null(b.notes);
    memset(b.notes + b.notes_size, 0, size);
    b.notes_size += size;
    core = builder_finish(&b);
    open_core(&o, core.bytes, core.size, false);
    assert_null(o.error);
    assert_int_equal(o.core->n_threads, 1);
    assert_int_equal(count_gaps(&o, INQ_G_NOTE), 1);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);
}

static void file_lines_are_checked_and_sorted(void **state)
{
    static const uint64_t lines[][3] = {{0x5000, 0x6000, 2},
                                        {0x3000, 0x2000, 0},
                                        {0x1000, 0x3000, 0},
                                        {0x2000, 0x4000, UINT64_MAX}};
    static const char names[] = "/b\0/reversed\0/a (deleted)\0/c";
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    builder_file(&b, 4, 4096, lines, 4, names, sizeof(names));
    finish_and_open(&b, &o);
    assert_null(o.error);
    assert_int_equal(o.core->n_files, 3);
    assert_int_equal(o.core->files[0].start, 0x1000);
    assert_string_equal(o.core->files[0].path, "/a (deleted)");
    assert_string_equal(o.core->files[2].path, "/b");
    assert_int_equal(o.core->files[2].file_off, 2 * 4096);
    assert_ptr_equal(inq_core_file_at(o.core, 0x5fff), &o.core->files[2]);
    assert_null(inq_core_file_at(o.core, 0x6000));
    assert_null(inq_core_file_at(o.core, 0xfff));
    assert_null(inq_core_file_at(o.core, UINT64_MAX));
    assert_int_equal(count_gaps(&o, INQ_G_NOTE), 3); /* reversed, overlapping, offset */
    close_core(&o);
}

static void file_notes_that_lie(void **state)
{
    static const uint64_t lines[][3] = {{0x1000, 0x2000, 0}, {0x3000, 0x4000, 1}};
    static const uint64_t counts[] = {1ull << 32, 1ull << 61, UINT64_MAX, 3};
    struct core_builder b;
    struct opened_core o;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(counts); i++) {
        builder_init(&b, 64, false, EM_X86_64);
        builder_thread(&b, 1, 1, 2, 0);
        builder_file(&b, counts[i], 4096, lines, 2, "/a\0/b", 6);
        finish_and_open(&b, &o);
        assert_null(o.error);
        assert_false(o.core->has_file_note);
        assert_int_equal(o.core->n_files, 0);
        assert_int_equal(count_gaps(&o, INQ_G_NOTE), 1);
        close_core(&o);
    }
    builder_init(&b, 64, false, EM_X86_64); /* no NUL at the end, and a page size of 0 */
    builder_thread(&b, 1, 1, 2, 0);
    builder_file(&b, 2, 0, lines, 2, "/a\0/b", 5);
    finish_and_open(&b, &o);
    assert_int_equal(o.core->n_files, 2);
    assert_string_equal(o.core->files[0].path, "/a");
    assert_string_equal(o.core->files[1].path, "(missing)");
    assert_int_equal(o.core->files[1].file_off, 4096);
    assert_int_equal(o.core->page_bytes, 4096);
    close_core(&o);
    builder_init(&b, 64, false, EM_X86_64); /* gdb's own cores: offsets in bytes */
    builder_thread(&b, 1, 1, 2, 0);
    builder_file(&b, 2, 1, lines, 2, "/a\0/b", 6);
    finish_and_open(&b, &o);
    assert_int_equal(o.core->n_files, 2);
    assert_int_equal(o.core->files[1].file_off, 1);
    assert_int_equal(o.core->page_bytes, 4096);
    assert_int_equal(count_gaps(&o, INQ_G_NOTE), 0);
    close_core(&o);
    builder_init(&b, 64, false, EM_X86_64); /* fewer names than lines */
    builder_thread(&b, 1, 1, 2, 0);
    builder_file(&b, 2, 1ull << 63, lines, 2, "/a", 3);
    finish_and_open(&b, &o);
    assert_string_equal(o.core->files[0].path, "/a");
    assert_string_equal(o.core->files[1].path, "(missing)");
    close_core(&o);
}

static void the_other_notes_are_bounded(void **state)
{
    static const uint64_t words[] = {AT_PAGESZ, 0, AT_PHNUM, 1ull << 32, AT_PHDR, UINT64_MAX};
    uint8_t info[136] = {0};
    struct core_builder b;
    struct opened_core o;
    uint64_t value;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    memset(info + 40, 'x', 96); /* no NUL anywhere */
    builder_put(&b, info + 16, 1000, 4);
    builder_put(&b, info + 24, 4242, 4);
    builder_note(&b, "CORE", NT_PRPSINFO, info, sizeof(info));
    builder_note(&b, "CORE", NT_AUXV, words, sizeof(words)); /* no AT_NULL */
    builder_siginfo(&b, 1000000000, -1234, 0);
    finish_and_open(&b, &o);
    assert_null(o.error);
    assert_int_equal(o.core->prpsinfo.pid, 4242);
    assert_int_equal(o.core->prpsinfo.uid, 1000);
    assert_int_equal(strlen(o.core->prpsinfo.fname), 16);
    assert_int_equal(strlen(o.core->prpsinfo.psargs), 80);
    assert_int_equal(o.core->n_auxv, 3);
    assert_true(inq_core_auxv(o.core, AT_PHDR, &value));
    assert_int_equal(value, UINT64_MAX);
    assert_false(inq_core_auxv(o.core, AT_BASE, &value));
    assert_int_equal(o.core->page_bytes, 4096); /* AT_PAGESZ 0 is not believed */
    assert_int_equal(o.core->siginfo.signo, 1000000000);
    close_core(&o);
}

static void without_siginfo_the_first_thread_has_the_signal(void **state)
{
    struct core_builder b;
    struct opened_core o;

    (void)state;
    builder_init(&b, 64, false, EM_X86_64);
    builder_thread(&b, 1, 1, 2, 0);
    finish_and_open(&b, &o);
    assert_false(o.core->has_siginfo);
    assert_int_equal(o.core->siginfo.signo, 11);
    assert_int_equal(count_gaps(&o, INQ_G_NOTE_MISSING), 3);
    close_core(&o);
}

int run_note_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cpu_and_byte_order),
        cmocka_unit_test(the_addressing_mode_is_no_part_of_a_pc),
        cmocka_unit_test(an_unknown_cpu_still_has_threads),
        cmocka_unit_test(short_and_repeated_threads_are_kept_and_marked),
        cmocka_unit_test(threads_beyond_the_limit_are_counted),
        cmocka_unit_test(register_sets_belong_to_the_thread_before_them),
        cmocka_unit_test(lying_sizes_end_the_list_and_keep_the_rest),
        cmocka_unit_test(a_note_segment_of_wrong_size_ends_where_memory_begins),
        cmocka_unit_test(no_usable_notes_is_an_error),
        cmocka_unit_test(many_note_segments_are_merged),
        cmocka_unit_test(empty_notes_without_end_are_capped),
        cmocka_unit_test(file_lines_are_checked_and_sorted),
        cmocka_unit_test(file_notes_that_lie),
        cmocka_unit_test(the_other_notes_are_bounded),
        cmocka_unit_test(without_siginfo_the_first_thread_has_the_signal),
    };

    return cmocka_run_group_tests_name("elfcore: notes", tests, NULL, NULL);
}

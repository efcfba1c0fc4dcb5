/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core_builder.h"
#include "real_core.h"

static struct real_core real;

static int make_once(void **state)
{
    const char *why = NULL;

    (void)state;
    if (!real_core_make(&real, &why))
        print_message("skipped: %s\n", why);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    free(real.bytes);
    return 0;
}

static void a_real_core_is_read(void **state)
{
    struct opened_core o;
    uint64_t page, entry;

    (void)state;
    if (!real.bytes)
        skip();
    open_core(&o, real.bytes, real.size, false);
    assert_null(o.error);
    assert_true(o.core->complete);
    assert_int_equal(o.gaps.count, 0);
    assert_int_equal(o.core->n_threads, REAL_CORE_THREADS);
    assert_int_equal(o.core->n_threads_total, REAL_CORE_THREADS);
    assert_int_equal(o.core->threads[0].tid, real.pid); /* the main thread aborted */
    assert_int_equal(o.core->prpsinfo.pid, real.pid);
    assert_int_equal(o.core->siginfo.signo, SIGABRT);
    assert_int_equal(o.core->siginfo.code, SI_TKILL);
    assert_int_equal(o.core->siginfo.pid, real.pid);
    assert_int_equal(inq_siginfo_kind(&o.core->siginfo), INQ_SIGINFO_SENT);
    assert_non_null(strstr(o.core->prpsinfo.psargs, "--crash-for-a-core"));
    assert_true(inq_core_auxv(o.core, AT_PAGESZ, &page));
    assert_int_equal(o.core->page_bytes, page);
    assert_true(inq_core_auxv(o.core, AT_ENTRY, &entry));
    assert_non_null(inq_core_file_at(o.core, entry));
    for (size_t i = 0; i < o.core->n_threads; i++) {
        assert_true(o.core->threads[i].has_registers);
        assert_int_equal(o.core->threads[i].fpregset_size > 0, 1);
        assert_true(inq_core_sp(o.core, &o.core->threads[i]) != 0);
    }
    close_core(&o);
}

/* Offset behind the first NT_PRSTATUS; 0 when there is none. */
static uint64_t end_of_first_prstatus(void)
{
    struct opened_core o;
    uint64_t end;

    open_core(&o, real.bytes, real.size, false);
    assert_null(o.error);
    end = o.core->notes[0].off + 12 + 8 + 336;
    close_core(&o);
    return end;
}

/*
 * Cut anywhere, and every byte of header and notes is tried somewhere: as soon as the first
 * NT_PRSTATUS is whole there is a thread with its registers.
 */
static void a_cut_core_gives_every_thread_that_is_there(void **state)
{
    size_t with_threads = 0, tried = 0, last = 0;
    uint64_t first;

    (void)state;
    if (!real.bytes)
        skip();
    first = end_of_first_prstatus();
    for (size_t cut = 1; cut < real.size; cut += cut < first + 16384 ? 97 : real.size / 61) {
        struct opened_core o;

        tried++;
        open_core(&o, real.bytes, cut, false);
        if (cut >= first)
            assert_null(o.error);
        if (!o.error && o.core->n_threads > 0) {
            with_threads++;
            assert_false(o.core->complete);
            assert_int_equal(count_gaps(&o, INQ_G_TRUNCATED), 1);
            assert_true(o.core->n_threads >= last); /* never fewer with more bytes */
            last = o.core->n_threads;
            if (cut >= first)
                assert_true(o.core->threads[0].has_registers);
        }
        close_core(&o);
    }
    assert_true(tried > 150);
    assert_true(with_threads > 100);
    assert_int_equal(last, REAL_CORE_THREADS);
}

static void the_compressed_core_is_the_same(void **state)
{
    struct opened_core plain, packed;
    char a[65], b[65];

    (void)state;
    if (!real.bytes)
        skip();
    open_core(&plain, real.bytes, real.size, false);
    open_core(&packed, real.bytes, real.size, true);
    assert_null(plain.error);
    assert_null(packed.error);
    assert_null(inq_core_stream(packed.core, packed.source, packed.arena, &packed.gaps));
    assert_int_equal(packed.gaps.count, 0);
    assert_true(packed.core->complete);
    assert_int_equal(packed.core->n_segments, plain.core->n_segments);
    assert_memory_equal(packed.core->segments, plain.core->segments,
                        plain.core->n_segments * sizeof(plain.core->segments[0]));
    assert_memory_equal(packed.core->threads, plain.core->threads,
                        plain.core->n_threads * sizeof(plain.core->threads[0]));
    assert_int_equal(packed.core->n_files, plain.core->n_files);
    assert_true(inq_core_identity(plain.core, plain.source, a));
    assert_true(inq_core_identity(packed.core, packed.source, b));
    assert_string_equal(a, b);
    close_core(&plain);
    close_core(&packed);
}

int run_real_core_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_core_is_read),
        cmocka_unit_test(a_cut_core_gives_every_thread_that_is_there),
        cmocka_unit_test(the_compressed_core_is_the_same),
    };

    return cmocka_run_group_tests_name("elfcore: a real core", tests, make_once, forget);
}

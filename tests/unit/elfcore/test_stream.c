/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core_builder.h"

#define TEXT 0x555555554000ull
#define LIBRARY 0x7f0000000000ull
#define ARRAYS 0x7e0000001000ull /* anonymous, large, nothing that a plan would name */
#define ARRAYS_BYTES (4u * 1024u * 1024u)
#define STACK_TOP 0x7ffffffff000ull
#define STACK_BYTES (512u * 1024u)

static void put_word(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* Where in the arrays what is: a link_map at the end of its page, its name far behind, a message.
 */
enum { MAP_AT = 0x100ff0, NAME_AT = 0x300010, SECOND_AT = 0x200020, MESSAGE_AT = 0x280000 };

static uint8_t *make_arrays(void)
{
    uint8_t *arrays = malloc(ARRAYS_BYTES);

    assert_non_null(arrays);
    for (size_t i = 0; i < ARRAYS_BYTES; i++) /* no word of it looks like an address */
        arrays[i] = (uint8_t)(0x81 + i * 7 % 0x7e);
    put_word(arrays + MAP_AT, LIBRARY); /* l_addr; l_ld is in the next page */
    put_word(arrays + MAP_AT + 8, ARRAYS + NAME_AT);
    put_word(arrays + MAP_AT + 16, LIBRARY + 0x3d00);
    put_word(arrays + SECOND_AT, LIBRARY);
    put_word(arrays + SECOND_AT + 8, ARRAYS + NAME_AT);
    put_word(arrays + SECOND_AT + 16, ARRAYS); /* l_ld elsewhere: a mere pointer, no link_map */
    memcpy(arrays + NAME_AT, "/lib/libdemo.so", 16);
    memcpy(arrays + MESSAGE_AT, "\0\x10\0\0double free", 16);
    return arrays;
}

static struct built_core make_core(struct core_builder *b)
{
    static const uint64_t lines[][3] = {{TEXT, TEXT + 0x1000, 0},
                                        {TEXT + 0x1000, TEXT + 0x3000, 1},
                                        {LIBRARY, LIBRARY + 0x1000, 0},
                                        {LIBRARY + 0x1000, LIBRARY + 0x3000, 1},
                                        {LIBRARY + 0x3000, LIBRARY + 0x5000, 3}};
    static const char names[] = "/demo\0/demo\0/lib/libdemo.so\0/lib/libdemo.so\0/lib/libdemo.so";
    static uint8_t page[STACK_BYTES];
    uint8_t *arrays = make_arrays();
    struct built_core core;

    memset(page, 0x33, sizeof(page));
    builder_init(b, 64, false, EM_X86_64);
    builder_thread(b, 1, TEXT + 0x1100, STACK_TOP - 0x20000, 0);
    builder_siginfo(b, 11, 1, 0);
    builder_file(b, 5, 4096, lines, 5, names, sizeof(names));
    builder_load(b, TEXT, 0x1000, 0x1000, PF_R, page, 0x1000);
    builder_load(b, TEXT + 0x1000, 0x2000, 0, PF_R | PF_X, NULL, 0);
    builder_load(b, ARRAYS, ARRAYS_BYTES, ARRAYS_BYTES, PF_R | PF_W, arrays, ARRAYS_BYTES);
    builder_load(b, LIBRARY, 0x1000, 0x1000, PF_R, page, 0x1000);
    builder_load(b, LIBRARY + 0x1000, 0x2000, 0, PF_R | PF_X, NULL, 0);
    builder_load(b, LIBRARY + 0x3000, 0x2000, 0x2000, PF_R | PF_W, page, 0x2000);
    builder_load(b, LIBRARY + 0x5000, 0x1000, 0x1000, PF_R | PF_W, page, 0x1000);
    builder_load(b, STACK_TOP - STACK_BYTES, STACK_BYTES, STACK_BYTES, PF_R | PF_W, page,
                 STACK_BYTES);
    core = builder_finish(b);
    free(arrays);
    return core;
}

/* How many of the bytes at an address can be read after the stream has gone by. */
static size_t got_at(struct opened_core *o, uint64_t addr, size_t size, uint8_t *buf)
{
    size_t got = 0;

    for (size_t i = 0; i < o->core->n_segments; i++) {
        const struct inq_segment *s = &o->core->segments[i];
        if (addr - s->addr < s->saved_bytes)
            (void)inq_source_read(o->source, s->off + (addr - s->addr), buf, size, &got);
    }
    return got;
}

static void a_stream_keeps_what_will_be_asked_for(void **state)
{
    struct core_builder b;
    struct built_core core = make_core(&b);
    struct opened_core o;
    uint8_t buf[4096];

    (void)state;
    open_core(&o, core.bytes, core.size, true);
    assert_null(o.error);
    assert_null(inq_core_stream(o.core, o.source, o.arena, &o.gaps));
    assert_true(o.core->complete);
    assert_int_equal(o.core->present_bytes, core.size);
    assert_int_equal(o.gaps.count, 2); /* no NT_PRPSINFO, no NT_AUXV: nothing about the stream */
    assert_int_equal(count_gaps(&o, INQ_G_NOTE_MISSING), 2);
    /* stack, headers, data, bss */
    assert_int_equal(got_at(&o, STACK_TOP - 0x20000, 4096, buf), 4096);
    assert_int_equal(buf[0], 0x33);
    assert_int_equal(got_at(&o, STACK_TOP - 16, 16, buf), 16);
    assert_int_equal(got_at(&o, TEXT, 4096, buf), 4096);
    assert_int_equal(got_at(&o, LIBRARY, 4096, buf), 4096);
    assert_int_equal(got_at(&o, LIBRARY + 0x4ff0, 16, buf), 16);
    assert_int_equal(got_at(&o, LIBRARY + 0x5000, 4096, buf), 4096);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);
}

static void the_library_map_is_found_wherever_it_lies(void **state)
{
    struct core_builder b;
    struct built_core core = make_core(&b);
    struct opened_core o;
    uint8_t buf[64];

    (void)state;
    open_core(&o, core.bytes, core.size, true);
    assert_null(o.error);
    assert_null(inq_core_stream(o.core, o.source, o.arena, &o.gaps));
    assert_int_equal(got_at(&o, ARRAYS + MAP_AT, 40, buf), 40); /* over the border of its page */
    assert_int_equal(got_at(&o, ARRAYS + NAME_AT, 16, buf), 16);
    assert_string_equal((char *)buf, "/lib/libdemo.so");
    assert_int_equal(got_at(&o, ARRAYS + MESSAGE_AT, 16, buf), 16);
    assert_int_equal(got_at(&o, ARRAYS + SECOND_AT, 16, buf), 0);
    assert_int_equal(got_at(&o, ARRAYS + 0x10000, 16, buf), 0);
    close_core(&o);
    free(core.bytes);
    builder_deinit(&b);
}

/* Plain and compressed say the same, cut or not. */
static void a_cut_stream_is_the_cut_file(void **state)
{
    struct core_builder b;
    struct built_core core = make_core(&b);

    (void)state;
    for (size_t cut = 100; cut < core.size; cut += core.size / 23) {
        struct opened_core plain, packed;

        open_core(&plain, core.bytes, cut, false);
        open_core(&packed, core.bytes, cut, true);
        assert_int_equal(plain.error == NULL, packed.error == NULL);
        if (plain.error)
            assert_string_equal(plain.error->message, packed.error->message);
        if (!plain.error) {
            assert_null(inq_core_stream(packed.core, packed.source, packed.arena, &packed.gaps));
            assert_int_equal(plain.core->n_threads, packed.core->n_threads);
            assert_int_equal(plain.core->present_bytes, packed.core->present_bytes);
            assert_int_equal(plain.core->complete, packed.core->complete);
            assert_int_equal(count_gaps(&plain, INQ_G_TRUNCATED), 1);
            assert_int_equal(count_gaps(&packed, INQ_G_TRUNCATED), 1);
            for (size_t i = 0; i < plain.core->n_segments; i++)
                assert_int_equal(plain.core->segments[i].present_bytes,
                                 packed.core->segments[i].present_bytes);
        }
        close_core(&plain);
        close_core(&packed);
    }
    free(core.bytes);
    builder_deinit(&b);
}

int run_stream_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_keeps_what_will_be_asked_for),
        cmocka_unit_test(the_library_map_is_found_wherever_it_lies),
        cmocka_unit_test(a_cut_stream_is_the_cut_file),
    };

    return cmocka_run_group_tests_name("elfcore: stream", tests, NULL, NULL);
}

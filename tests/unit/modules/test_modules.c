/* SPDX-License-Identifier: Apache-2.0 */
#include "modules_tests.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define LIBRARY "libmodules-crashlib.so"

static struct crash crash;
static const struct inq_file_policy default_policy = {0};

static int make_crash(void **state)
{
    (void)state;
    crash_make(&crash);
    return 0;
}

static int drop_crash(void **state)
{
    (void)state;
    crash_remove(&crash);
    return 0;
}

static void open_pristine(void)
{
    if (!crash.bytes) {
        print_message("skipped: no core dump can be had here\n");
        skip();
    }
    memcpy(crash.bytes, crash.pristine, crash.size);
    assert_true(crash_open(&crash));
}

/* Counts what it is asked before it asks the policy. */
struct counting {
    struct inq_opener direct;
    size_t calls, requests, most;
};

static struct inq_error *ask_counting(struct inq_opener *opener,
                                      const struct inq_file_request *requests, size_t n,
                                      struct inq_file_reply *replies)
{
    struct counting *counting = opener->context;

    counting->calls++;
    counting->requests += n;
    if (n > counting->most)
        counting->most = n;
    return counting->direct.ask(&counting->direct, requests, n, replies);
}

static void a_real_core(void **state)
{
    struct inq_opener opener = inq_opener_direct(&default_policy);
    const struct inq_module *main, *library, *deleted, *linker;
    struct inq_modules *m;

    (void)state;
    open_pristine();
    assert_null(crash_modules(&crash, &opener, false));
    m = crash.modules;

    /* The program once, though it is mapped a second time; the linker once; the font not at all. */
    main = module_named(m, "modules-crasher", 0);
    assert_non_null(main);
    assert_null(module_named(m, "modules-crasher", 1));
    assert_true(main->is_main && main->load_order == 0 && m->main == main->index);
    linker = inq_modules_find(m, m->r_debug_addr);
    assert_non_null(linker);
    assert_null(module_named(m, linker->name, 1));
    assert_null(module_named(m, "sans.so.ttf", 0));
    /* Two namespaces, two C libraries. */
    assert_non_null(module_named(m, "libc.so.6", 0));
    assert_non_null(module_named(m, "libc.so.6", 1));
    assert_null(module_named(m, "libc.so.6", 2));

    library = module_named(m, LIBRARY, 0);
    assert_non_null(library);
    assert_int_equal(library->on_disk, INQ_ON_DISK_MATCH);
    assert_string_equal(library->soname, LIBRARY);
    deleted = module_named(m, "libdeleted.so", 0);
    assert_non_null(deleted);
    assert_true(deleted->deleted && !library->deleted);
    assert_int_equal(deleted->on_disk, INQ_ON_DISK_MISSING);
    assert_memory_equal(deleted->build_id, library->build_id, 20);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FILE_MISSING), 1);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_LINK_MAP), 0);
    assert_false(m->foreign_root);

    for (size_t i = 0; i < m->count; i++) {
        const struct inq_module *module = &m->items[i];

        assert_int_equal(module->index, i);
        assert_true(i == 0 || module->start > m->items[i - 1].start);
        assert_true(module->has_bias && module->is_elf);
        assert_true(module->load_order >= 0);
        assert_ptr_equal(inq_modules_find(m, module->start), module);
        assert_ptr_equal(inq_modules_find(m, module->dynamic), module);
        if (module->is_vdso) {
            assert_string_equal(module->name, "[vdso]");
            assert_int_equal(module->on_disk, INQ_ON_DISK_UNKNOWN);
        } else {
            assert_true(module->build_id_size > 0);
            assert_true(module->eh_frame_hdr >= module->start &&
                        module->eh_frame_hdr < module->start + module->size);
        }
    }
    assert_null(inq_modules_find(m, 0));
    assert_null(inq_modules_find(m, UINT64_MAX));
}

/* Code is not in a dump; with the verified file it can be read, and data never comes from there. */
static void files_stand_behind_memory(void **state)
{
    struct inq_opener opener = inq_opener_direct(&default_policy);
    uint64_t crash_here = 0, depth = 0, pc;
    struct inq_module *library, *found = NULL;
    uint8_t code[16];
    uint32_t value = 0;

    (void)state;
    open_pristine();
    pc = inq_core_pc(crash.core, &crash.core->threads[0]);
    assert_int_equal(inq_memory_read(crash.memory, pc, code, sizeof(code), NULL),
                     INQ_MEMORY_NOT_SAVED);
    assert_null(crash_modules(&crash, &opener, false));
    assert_int_equal(inq_memory_read(crash.memory, pc, code, sizeof(code), NULL), INQ_MEMORY_OK);

    library = inq_modules_find(crash.modules, pc);
    assert_non_null(library);
    assert_string_equal(library->name, LIBRARY);
    assert_true(inq_modules_symbol(crash.modules, "libmodules", "crash_here", &crash_here, &found));
    assert_ptr_equal(found, library);
    assert_true(pc >= crash_here && pc - crash_here < 256);
    /* Written before it died: 1 in the dump, 0 in the file. */
    assert_true(inq_modules_symbol(crash.modules, NULL, "crash_depth", &depth, NULL));
    assert_true(inq_memory_u32(crash.memory, depth, &value));
    assert_int_equal(value, 1);
    assert_true(inq_modules_symbol(crash.modules, "libc.so", "free", &depth, &found));
    assert_string_equal(found->name, "libc.so.6");
    assert_false(inq_modules_symbol(crash.modules, "libc.so", "no_such_symbol", &depth, NULL));
    assert_false(inq_modules_symbol(crash.modules, "libnothing", "free", &depth, NULL));
}

static void files_are_asked_for_when_needed(void **state)
{
    struct counting counting = {.direct = inq_opener_direct(&default_policy)};
    struct inq_opener opener = {.ask = ask_counting, .context = &counting};
    struct inq_module *library;

    (void)state;
    open_pristine();
    assert_null(crash_modules(&crash, &opener, true));
    assert_int_equal(counting.requests, 0);
    library = module_named(crash.modules, LIBRARY, 0);
    assert_null(library->image);
    inq_module_need_file(crash.modules, library);
    inq_module_need_file(crash.modules, library);
    assert_int_equal(counting.requests, 1);
    assert_non_null(library->image);
    inq_module_need_debug(crash.modules, library);
    inq_module_need_debug(crash.modules, library);
    assert_int_equal(counting.requests, 2);
    /* One is missing: the others answer whether all are. */
    inq_module_need_file(crash.modules, module_named(crash.modules, "libdeleted.so", 0));
    assert_false(crash.modules->foreign_root);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FILE_MISSING), 1);

    open_pristine();
    counting.requests = counting.calls = counting.most = 0;
    assert_null(crash_modules(&crash, &opener, false));
    assert_int_equal(counting.requests, crash.modules->count - 1); /* not the vdso */
    assert_true(counting.most <= 32);
}

static void another_root(void **state)
{
    char empty[96];
    struct inq_file_policy policy = {.sysroot = empty};
    struct inq_opener opener = inq_opener_direct(&policy), none = inq_opener_none();

    (void)state;
    open_pristine();
    snprintf(empty, sizeof(empty), "%s/empty", crash.dir);
    assert_int_equal(mkdir(empty, 0755), 0);
    assert_null(crash_modules(&crash, &opener, false));
    assert_true(crash.modules->foreign_root);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FOREIGN_ROOT), 1);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FILE_MISSING), 0);

    open_pristine(); /* the same on demand */
    assert_null(crash_modules(&crash, &opener, true));
    inq_module_need_file(crash.modules, module_named(crash.modules, LIBRARY, 0));
    assert_true(crash.modules->foreign_root);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FOREIGN_ROOT), 1);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FILE_MISSING), 0);

    open_pristine();
    assert_null(crash_modules(&crash, &none, false));
    assert_false(crash.modules->foreign_root);
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_FILE_REFUSED), crash.modules->count - 1);
    assert_null(module_named(crash.modules, LIBRARY, 0)->image);
}

/* NT_FILE's type in the dump, little-endian, with the note's name behind it; SIZE_MAX without. */
static size_t file_note_at(void)
{
    for (size_t at = 0; at + 9 <= crash.size; at++)
        if (memcmp(crash.bytes + at, "ELIFCORE", 9) == 0)
            return at;
    return SIZE_MAX;
}

/* Kernels before 3.7 wrote no NT_FILE: the memory and the link map say the same. */
static void without_the_file_note(void **state)
{
    struct inq_opener opener = inq_opener_direct(&default_policy);
    uint64_t starts[64];
    const char *names[64];
    size_t count, at;
    struct inq_arena *keep;

    (void)state;
    open_pristine();
    assert_null(crash_modules(&crash, &opener, false));
    keep = inq_arena_create();
    count = crash.modules->count;
    assert_in_range(count, 6, 64);
    for (size_t i = 0; i < count; i++) {
        starts[i] = crash.modules->items[i].start;
        names[i] =
            inq_arena_strdup(keep, crash.modules->items[i].soname ? crash.modules->items[i].soname
                                                                  : crash.modules->items[i].name);
    }

    at = file_note_at();
    assert_true(at != SIZE_MAX);
    crash.bytes[at] = 0x77; /* no such note */
    assert_true(crash_open(&crash));
    assert_null(crash_modules(&crash, &opener, false));
    assert_int_equal(count_gaps(&crash.gaps, INQ_G_NO_FILE_NOTE), 1);
    for (size_t i = 0; i < count; i++) {
        const struct inq_module *module = inq_modules_find(crash.modules, starts[i]);

        assert_non_null(module);
        assert_int_equal(module->start, starts[i]);
        if (module->soname)
            assert_string_equal(module->soname, names[i]);
        if (!module->is_vdso)
            assert_true(module->build_id_size > 0);
    }
    assert_true(crash.modules->main != SIZE_MAX);
    assert_string_equal(crash.modules->items[crash.modules->main].name, "modules-crasher");
    inq_arena_destroy(keep);
}

/* Changed bytes in the headers, the notes and the first pages: any answer, but an answer. */
static void mutants(void **state)
{
    struct inq_opener opener = inq_opener_direct(&default_policy);
    uint32_t seed = 4711;
    size_t answered = 0;

    (void)state;
    if (!crash.bytes) {
        print_message("skipped: no core dump can be had here\n");
        skip();
    }
    for (unsigned round = 0; round < 300; round++) {
        size_t span = round % 3 == 0 ? 64 : round % 3 == 1 ? 16384 : crash.size;

        memcpy(crash.bytes, crash.pristine, crash.size);
        for (unsigned i = 0; i < 1 + round % 40; i++) {
            seed = seed * 1103515245u + 12345u;
            crash.bytes[(size_t)(seed >> 4) % span] ^= (uint8_t)(1u << (seed % 8));
        }
        if (!crash_open(&crash))
            continue;
        assert_null(crash_modules(&crash, &opener, round % 2));
        for (size_t i = 0; i < crash.modules->count; i++) {
            struct inq_module *module = &crash.modules->items[i];

            assert_non_null(module->name);
            assert_true(module->size <= UINT64_MAX - module->start);
            assert_true(!module->image || module->on_disk == INQ_ON_DISK_MATCH);
            inq_module_need_file(crash.modules, module);
        }
        answered++;
    }
    assert_true(answered > 100);
}

int run_modules_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_real_core, make_crash),
        cmocka_unit_test(files_stand_behind_memory),
        cmocka_unit_test(files_are_asked_for_when_needed),
        cmocka_unit_test(another_root),
        cmocka_unit_test(without_the_file_note),
        cmocka_unit_test_teardown(mutants, drop_crash),
    };

    return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}

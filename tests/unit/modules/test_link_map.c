/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic linker's list, overwritten in a real dump. NT_FILE and the build-ids must win. */
#include "modules_tests.h"

#include <string.h>

static struct crash crash;
static const struct inq_file_policy policy = {0};

/* Of the pristine dump. */
static uint64_t r_debug, first, second;
static size_t n_modules;

static uint64_t word_at(uint64_t addr)
{
    uint64_t value = 0;

    assert_true(inq_memory_word(crash.memory, addr, &value));
    return value;
}

static int set_up(void **state)
{
    struct inq_opener opener = inq_opener_direct(&policy);

    (void)state;
    crash_make(&crash);
    assert_true(crash_open(&crash));
    assert_null(crash_modules(&crash, &opener, false));
    r_debug = crash.modules->r_debug_addr;
    first = crash.modules->link_map_addr;
    n_modules = crash.modules->count;
    assert_true(first != 0 && word_at(r_debug + 8) == first);
    second = word_at(first + 24);
    assert_true(second != 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    crash_remove(&crash);
    return 0;
}

static void overwrite(uint64_t addr, uint64_t value)
{
    size_t off;

    memcpy(crash.bytes, crash.pristine, crash.size);
    assert_true(crash_open(&crash));
    off = crash_offset(&crash, addr);
    assert_true(off != SIZE_MAX && off + sizeof(value) <= crash.size);
    memcpy(crash.bytes + off, &value, sizeof(value));
    assert_true(crash_open(&crash));
}

/* Reads the changed dump: all modules are there and verified, and the gap says what is wrong. */
static void expect_all_but(const char *gap)
{
    struct inq_opener opener = inq_opener_direct(&policy);
    size_t matches = 0, said = 0;

    assert_null(crash_modules(&crash, &opener, false));
    assert_int_equal(crash.modules->count, n_modules);
    for (size_t i = 0; i < n_modules; i++)
        matches += crash.modules->items[i].on_disk == INQ_ON_DISK_MATCH;
    assert_int_equal(matches, n_modules - 2); /* the vdso and the deleted library */
    for (size_t i = 0; i < crash.gaps.count; i++)
        said += crash.gaps.items[i].code == INQ_G_LINK_MAP &&
                strstr(crash.gaps.items[i].why, gap) != NULL;
    assert_int_equal(said, gap[0] != '\0');
}

static void a_list_that_bites_its_tail(void **state)
{
    (void)state;
    overwrite(first + 24, first);
    expect_all_but("circle");
    overwrite(second + 24, first);
    expect_all_but("circle");
}

static void a_list_that_leads_nowhere(void **state)
{
    (void)state;
    overwrite(second + 24, 0x4141414141414141);
    expect_all_but("not in the dump");
    overwrite(second + 24, UINT64_MAX);
    expect_all_but("not in the dump");
    overwrite(r_debug + 8, 8);
    expect_all_but("not in the dump");
}

static void a_list_that_is_cut(void **state)
{
    (void)state;
    overwrite(second + 24, 0);
    expect_all_but("the linker itself is not in it");
}

static void names_are_not_believed(void **state)
{
    (void)state;
    overwrite(second + 8, 0x4141414141414141);
    expect_all_but("");
    overwrite(second + 8, first); /* bytes that are no name */
    expect_all_but("");
}

/* An entry that points into no module at all: counted, and the walk goes on behind it. */
static void entries_of_nothing(void **state)
{
    (void)state;
    overwrite(word_at(second + 24) + 16, 0x1000); /* l_ld; l_addr still says which it is */
    expect_all_but("");
    overwrite(r_debug, 0); /* r_version 0: the linker has not begun */
    expect_all_but("");
}

int run_link_map_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_that_bites_its_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_leads_nowhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_of_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("link map", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real dump with one word after the other overwritten: the dynamic section of a library, its
 * slots, the linker's own lists. Whatever is read then, nothing may be claimed that is not so:
 * every foreign slot must be one of those that the unharmed dump has.
 */
#include "bindings_tests.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KNOWN 64

static struct crash crash;
static struct inq_binding known[MAX_KNOWN];
static size_t n_known;
static uint64_t wild[6];
static uint64_t dynamic_of[2], link_maps[8], slots[MAX_KNOWN], head;
static size_t n_link_maps;

/* Not a group's set-up: the first test may have to skip. */
static void set_up(void)
{
    struct inq_bindings *b;

    if (n_known > 0)
        return;
    host_crash(&crash, "global:old", "local:new");
    b = host_bindings(&crash);
    assert_non_null(b);
    assert_true(b->n_foreign > 0 && b->n_foreign <= MAX_KNOWN);
    for (size_t i = 0; i < b->n_foreign; i++) {
        known[i] = b->foreign[i];
        known[i].symbol = strdup(b->foreign[i].symbol);
        slots[i] = b->foreign[i].slot;
    }
    n_known = b->n_foreign;
    dynamic_of[0] = module_named(crash.modules, "libbindings-old.so", 0)->dynamic;
    dynamic_of[1] = module_named(crash.modules, "libbindings-new.so", 0)->dynamic;
    for (size_t i = 0; i < crash.modules->count && n_link_maps < 8; i++)
        if (crash.modules->items[i].link_map != 0)
            link_maps[n_link_maps++] = crash.modules->items[i].link_map;
    head = crash.modules->r_debug_addr;
    wild[0] = 0;
    wild[1] = UINT64_MAX;
    wild[2] = 0x4141414141414141;
    wild[3] = link_maps[0];
    wild[4] = module_named(crash.modules, "libbindings-old.so", 0)->load_bias;
    wild[5] = dynamic_of[1];
}

static int tear_down(void **state)
{
    (void)state;
    if (n_known == 0)
        return 0;
    for (size_t i = 0; i < n_known; i++) {
        union {
            const char *from;
            void *to;
        } text = {known[i].symbol};

        free(text.to);
    }
    crash_remove(&crash);
    return 0;
}

static bool is_known(const struct inq_binding *b)
{
    for (size_t i = 0; i < n_known; i++)
        if (known[i].slot == b->slot && known[i].target == b->target &&
            !strcmp(known[i].symbol, b->symbol) && known[i].size_actual == b->size_actual)
            return true;
    return false;
}

static void check(void)
{
    struct inq_bindings *b = host_bindings(&crash);

    for (size_t i = 0; b && i < b->n_foreign; i++)
        assert_true(is_known(&b->foreign[i]));
}

static void overwrite(uint64_t addr)
{
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        size_t off;

        memcpy(crash.bytes, crash.pristine, crash.size);
        assert_true(crash_open(&crash));
        off = crash_offset(&crash, addr);
        if (off == SIZE_MAX || off + 8 > crash.size)
            return;
        memcpy(crash.bytes + off, &wild[i], 8);
        assert_true(crash_open(&crash));
        check();
    }
}

static void dynamic_sections(void **state)
{
    (void)state;
    set_up();
    for (size_t i = 0; i < 2; i++)
        for (uint64_t at = 0; at < 26 * 16; at += 8)
            overwrite(dynamic_of[i] + at);
}

static void the_slots(void **state)
{
    (void)state;
    set_up();
    for (size_t i = 0; i < n_known; i++)
        overwrite(slots[i]);
}

static void the_linkers_lists(void **state)
{
    (void)state;
    set_up();
    for (size_t i = 0; i < n_link_maps; i++)
        for (uint64_t at = 0; at < 6 * 8; at += 8)
            overwrite(link_maps[i] + at);
    for (uint64_t at = 0; at < 5 * 8; at += 8)
        overwrite(head + at);
}

int run_hostile_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dynamic_sections),
        cmocka_unit_test(the_slots),
        cmocka_unit_test(the_linkers_lists),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}

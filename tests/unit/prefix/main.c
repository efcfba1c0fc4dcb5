/* SPDX-License-Identifier: Apache-2.0 */

/* Environments: reading scripts and the list of a folder's files, and counting what files share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cleanup.h"
#include "pairs.h"
#include "script.h"

static const struct {
    const char *text;
    unsigned line; /* 0: no call */
} scripts[] = {
    {"", 0},
    {"import ctypes\nctypes.CDLL('x.so', mode=ctypes.RTLD_GLOBAL)\n", 2},
    {"return CDLL(path, mode=RTLD_GLOBAL)", 1},
    {"CDLL (str(p),\n     os.RTLD_NOW | os.RTLD_GLOBAL)", 2},
    {"sys.setdlopenflags(sys.getdlopenflags() | ctypes.RTLD_GLOBAL)", 1},
    {"ffi.dlopen(find('a)b'), ffi.RTLD_GLOBAL)", 1},
    {"CDLL(os.path.join(a, (b)), mode=(RTLD_GLOBAL))", 1},
    /* only mentioned */
    {"self.RTLD_GLOBAL = ctypes.RTLD_GLOBAL\n", 0},
    {"from ctypes import CDLL, RTLD_GLOBAL\n", 0},
    {"# CDLL(x, mode=RTLD_GLOBAL)\n", 0},
    {"'''\nCDLL(x, mode=RTLD_GLOBAL)\n'''\n", 0},
    {"s = \"CDLL(x, mode=RTLD_GLOBAL)\"\n", 0},
    {"CDLL(x, mode=\"RTLD_GLOBAL\")\n", 0},
    {"def dlopen(name, flags=RTLD_GLOBAL): pass\n", 0},
    {"CDLL('x'); print(RTLD_GLOBAL)", 0},
    {"print(CDLL, RTLD_GLOBAL)", 0},
    {"CDLL(x, mode=MY_RTLD_GLOBAL)", 0},
    /* cut or odd */
    {"CDLL(x, mode=RTLD_GLOBAL", 1},
    {"CDLL('unclosed\nRTLD_GLOBAL)", 2},
    {"))))CDLL(RTLD_GLOBAL)", 1},
    {"'''", 0},
    {"'\\", 0},
};

static void test_scripts(void **state)
{
    char deep[4096];
    unsigned line;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(scripts); i++) {
        line = 0;
        const bool found =
            inq_script_loads_globally(scripts[i].text, strlen(scripts[i].text), &line);

        if (found != (scripts[i].line > 0) || line != scripts[i].line)
            fail_msg("script %zu: %d at line %u", i, found, line);
    }
    memset(deep, '(', sizeof(deep));
    assert_false(inq_script_loads_globally(deep, sizeof(deep), &line));
}

static void give(struct inq_exports *exports, uint32_t file, uint64_t name, uint32_t version)
{
    struct inq_export *slot = INQ_ARRAY_PUSH(&exports->items);

    assert_non_null(slot);
    *slot = (struct inq_export){name, version, file};
}

/* Names in equal versions, or where one side has none; once for each name. */
static void test_pairs(void **state)
{
    struct inq_exports exports = {0};
    struct inq_pairs pairs;

    (void)state;
    for (uint64_t name = 1; name <= 30; name++) {
        give(&exports, 7, name, 0);
        give(&exports, 3, name, name <= 10 ? 5 : 0);
        give(&exports, 9, name, 6);
    }
    give(&exports, 3, 1, 8); /* a second version of the first */
    give(&exports, 3, 100, 0);
    assert_null(inq_pairs_find(&exports, &pairs));
    assert_int_equal(pairs.count, 3);
    assert_int_equal(pairs.items[0].a, 3);
    assert_int_equal(pairs.items[0].b, 7);
    assert_int_equal(pairs.items[0].common, 30);
    assert_int_equal(pairs.items[1].b, 9);
    assert_int_equal(pairs.items[1].common, 30);
    assert_int_equal(pairs.items[1].confusable, 20); /* 5 and 6 are two versions */
    assert_int_equal(pairs.items[2].a, 7);
    assert_int_equal(pairs.items[2].common, 30);
    inq_pairs_deinit(&pairs);
    INQ_ARRAY_FREE(&exports.items);
}

/* A name that very many files have tells nothing, and costs nothing. */
static void test_everybodys_name(void **state)
{
    struct inq_exports exports = {0};
    struct inq_pairs pairs;

    (void)state;
    for (uint32_t file = 0; file < 5000; file++)
        give(&exports, file, 42, 0);
    assert_null(inq_pairs_find(&exports, &pairs));
    assert_int_equal(pairs.count, 0);
    inq_pairs_deinit(&pairs);
    INQ_ARRAY_FREE(&exports.items);
    exports = (struct inq_exports){0};
    assert_null(inq_pairs_find(&exports, &pairs));
    assert_int_equal(pairs.count, 0);
    inq_pairs_deinit(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_everybodys_name),
    };

    return cmocka_run_group_tests_name("environments", tests, NULL, NULL);
}

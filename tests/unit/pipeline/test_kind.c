/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <string.h>

#include "cleanup.h"
#include "kind.h"

static const char *name_of(const char *bytes, size_t size, enum inq_kind want)
{
    const char *name = NULL;

    assert_int_equal(inq_kind_of((const uint8_t *)bytes, size, &name), want);
    return name;
}

static void by_magic(void **state)
{
    char tar[512] = "name";

    (void)state;
    memcpy(tar + 257, "ustar", 5);
    assert_string_equal(name_of("", 0, INQ_KIND_EMPTY), "nothing");
    assert_string_equal(name_of("\x7f"
                                "ELF\2\1\1",
                                7, INQ_KIND_ELF),
                        "ELF");
    assert_string_equal(name_of("\x7f", 1, INQ_KIND_ELF), "ELF"); /* may be the start of one */
    assert_string_equal(name_of("\x7f"
                                "EL",
                                3, INQ_KIND_ELF),
                        "ELF");
    assert_string_equal(name_of("\x7f"
                                "ELX",
                                4, INQ_KIND_OTHER),
                        "data");
    assert_string_equal(name_of("\x28\xb5\x2f\xfd", 4, INQ_KIND_ZSTD), "zstd");
    name_of("\x5e\x2a\x4d\x18", 4, INQ_KIND_ZSTD);
    assert_string_equal(name_of("\x6e\x2a\x4d\x18", 4, INQ_KIND_OTHER), "data");
    assert_string_equal(name_of("\x1f\x8b\x08", 3, INQ_KIND_PACKED), "gzip");
    assert_string_equal(name_of("\xfd"
                                "7zXZ\0",
                                6, INQ_KIND_PACKED),
                        "xz");
    assert_string_equal(name_of("\x89PNG\r\n\x1a\n", 8, INQ_KIND_OTHER), "PNG");
    assert_string_equal(name_of(tar, sizeof(tar), INQ_KIND_OTHER), "tar");
    assert_string_equal(name_of("#!/bin/sh\n", 10, INQ_KIND_OTHER), "script");
    assert_string_equal(name_of("caf\xc3\xa9\n", 6, INQ_KIND_OTHER), "text");
    assert_string_equal(name_of("a", 1, INQ_KIND_OTHER), "text");
    assert_string_equal(name_of("a\0b", 3, INQ_KIND_OTHER), "data");
    assert_string_equal(name_of("\0\0\0\0", 4, INQ_KIND_OTHER), "zeros");
}

static void by_name(void **state)
{
    static const char *const cores[] = {"core",   "core.1",     "core-x",   "core_x.1",
                                        "x.core", "core.1.zst", "core.lz4", "a.core.gz"};
    static const char *const others[] = {"score", "corefile", "co", "", ".zst", "core2", "x.cores"};

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cores); i++)
        if (!inq_kind_named_core(cores[i]))
            fail_msg("%s is called like a core", cores[i]);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(others); i++)
        if (inq_kind_named_core(others[i]))
            fail_msg("%s is not called like a core", others[i]);
}

int run_kind_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_magic), cmocka_unit_test(by_name)};

    return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}

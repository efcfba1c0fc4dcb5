/* SPDX-License-Identifier: Apache-2.0 */

#include "memory_tests.h"

#include <stdlib.h>

#include "cleanup.h"
#include "ranges.h"

/* Who owns each of 256 addresses, by the definition: the first segment in file order. */
static void assert_first_wins(const struct inq_segment *segments, size_t n)
{
    struct inq_core core = {.segments = (struct inq_segment *)(uintptr_t)segments, .n_segments = n};
    struct inq_memory_range *ranges = NULL;
    size_t count = 0, overlaps = 0;

    assert_null(inq_memory_ranges_build(&core, &ranges, &count, &overlaps));
    for (size_t i = 1; i < count; i++) {
        assert_true(ranges[i - 1].start < ranges[i].start);
        assert_true(ranges[i].start - ranges[i - 1].start >= ranges[i - 1].size);
    }
    for (uint64_t addr = 0; addr < 256; addr++) {
        const struct inq_segment *owner = NULL;
        const struct inq_memory_range *range = NULL;

        for (size_t i = 0; i < n && !owner; i++)
            owner = addr - segments[i].addr < segments[i].size ? &segments[i] : NULL;
        for (size_t i = 0; i < count; i++)
            range = addr - ranges[i].start < ranges[i].size ? &ranges[i] : range;
        assert_int_equal(owner != NULL, range != NULL);
        if (owner) { /* the same byte of the dump, or none */
            uint64_t at = addr - owner->addr, in = addr - range->start;
            assert_int_equal(owner->off + at, range->off + in);
            assert_int_equal(at < owner->saved_bytes, in < range->saved);
            assert_int_equal(at < owner->present_bytes, in < range->present);
            assert_int_equal(owner->flags, range->flags);
        }
    }
    free(ranges);
}

static void overlaps_of_every_kind(void **state)
{
    static const struct inq_segment nested[] = {
        {.addr = 10, .size = 100, .off = 1000, .saved_bytes = 100, .present_bytes = 50, .flags = 1},
        {.addr = 20, .size = 10, .off = 2000, .saved_bytes = 10, .present_bytes = 10, .flags = 2},
        {.addr = 5, .size = 200, .off = 3000, .saved_bytes = 120, .present_bytes = 120, .flags = 3},
    };
    static const struct inq_segment reversed[] = {
        {.addr = 90, .size = 30, .off = 1000, .saved_bytes = 30, .present_bytes = 30, .flags = 1},
        {.addr = 60, .size = 40, .off = 2000, .saved_bytes = 40, .present_bytes = 40, .flags = 2},
        {.addr = 30, .size = 40, .off = 3000, .saved_bytes = 0, .present_bytes = 0, .flags = 3},
    };

    (void)state;
    assert_first_wins(nested, 3);
    assert_first_wins(reversed, 3);
}

static void overlaps_at_random(void **state)
{
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 500; round++) {
        struct inq_segment segments[12];
        size_t n = 0;

        for (; n < INQ_ARRAY_SIZE(segments); n++) {
            uint32_t r[4];
            for (size_t i = 0; i < 4; i++)
                r[i] = (seed = seed * 1103515245u + 12345u) >> 16;
            segments[n] = (struct inq_segment){
                .addr = r[0] % 200, .size = 1 + r[1] % 56, .off = 1000 * (n + 1), .flags = 1};
            segments[n].saved_bytes = r[2] % (segments[n].size + 1);
            segments[n].present_bytes = r[3] % (segments[n].saved_bytes + 1);
        }
        assert_first_wins(segments, n);
    }
}

/* n log n or this never ends: all at one place, each larger than the one before. */
static void many_at_one_address(void **state)
{
    enum { N = 100000 };
    struct inq_segment *segments = calloc(N, sizeof(*segments));
    struct inq_core core = {.segments = segments, .n_segments = N};
    struct inq_memory_range *ranges = NULL;
    size_t count = 0, overlaps = 0;

    (void)state;
    assert_non_null(segments);
    for (size_t i = 0; i < N; i++)
        segments[i] = (struct inq_segment){.addr = 0x1000, .size = i + 1, .off = i * 4096};
    assert_null(inq_memory_ranges_build(&core, &ranges, &count, &overlaps));
    assert_int_equal(count, N);
    assert_int_equal(overlaps, N - 1);
    assert_int_equal(ranges[N - 1].start + ranges[N - 1].size, 0x1000 + N);
    free(ranges);
    free(segments);
}

static int by_start(const void *a, const void *b)
{
    const struct inq_map_file *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

/* A core of gdb's: what is the same in the file has a line of NT_FILE and no segment. */
static void lines_without_segments(void **state)
{
    (void)state;
    srand(7);
    for (int turn = 0; turn < 2000; turn++) {
        struct inq_segment segments[4];
        struct inq_map_file files[6];
        struct inq_core core = {.segments = segments,
                                .n_segments = (size_t)rand() % 5,
                                .files = files,
                                .n_files = (size_t)rand() % 7};
        struct inq_memory_range *ranges = NULL;
        size_t count = 0, overlaps = 0;

        for (size_t i = 0; i < core.n_segments; i++)
            segments[i] = (struct inq_segment){
                .addr = (uint64_t)(rand() % 100), .size = (uint64_t)(1 + rand() % 30), .flags = 8};
        for (size_t i = 0; i < core.n_files; i++)
            files[i] = (struct inq_map_file){.start = (uint64_t)(rand() % 100),
                                             .size = (uint64_t)(rand() % 40)};
        qsort(files, core.n_files, sizeof(*files), by_start);
        assert_null(inq_memory_ranges_build(&core, &ranges, &count, &overlaps));
        for (uint64_t addr = 0; addr < 150; addr++) {
            bool segment = false, line = false;
            const struct inq_memory_range *range = NULL;

            for (size_t i = 0; i < core.n_segments; i++)
                segment |= addr - segments[i].addr < segments[i].size;
            for (size_t i = 0; i < core.n_files; i++)
                line |= addr - files[i].start < files[i].size;
            for (size_t i = 0; i < count; i++) {
                if (addr - ranges[i].start >= ranges[i].size)
                    continue;
                assert_null(range);
                range = &ranges[i];
            }
            assert_int_equal(segment || line, range != NULL);
            if (range) /* known to be mapped, and not what is there */
                assert_int_equal(range->flags, segment ? 8 : 5);
            if (range && !segment)
                assert_int_equal(range->saved, 0);
        }
        free(ranges);
    }
}

int run_range_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps_of_every_kind),
        cmocka_unit_test(overlaps_at_random),
        cmocka_unit_test(many_at_one_address),
        cmocka_unit_test(lines_without_segments),
    };

    return cmocka_run_group_tests_name("memory: ranges", tests, NULL, NULL);
}

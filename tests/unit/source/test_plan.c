/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <stdlib.h>

#include "cleanup.h"
#include "plan.h"

static struct inq_segments lay_out(const struct inq_keep_range *ranges, size_t count,
                                   uint64_t raw_budget, uint64_t from, uint64_t *ret_raw)
{
    const struct inq_source_plan plan = {
        .ranges = ranges, .count = count, .raw_budget_bytes = raw_budget};
    struct inq_segments segments = {0};

    assert_null(inq_plan_lay_out(&plan, from, &segments, ret_raw));
    return segments;
}

static void check(const struct inq_segments *segments, size_t i, uint64_t off, uint64_t size,
                  enum inq_keep keep, uint8_t priority)
{
    assert_true(i < segments->count);
    assert_int_equal(segments->items[i].off, off);
    assert_int_equal(segments->items[i].size, size);
    assert_int_equal(segments->items[i].keep, keep);
    if (keep == INQ_KEEP_PACKED)
        assert_int_equal(segments->items[i].priority, priority);
}

static void overlaps_are_resolved(void **state)
{
    const struct inq_keep_range ranges[] = {
        {.off = 3000, .size = 1000, .keep = INQ_KEEP_RAW, .priority = 4},
        {.off = 1000, .size = 9000, .keep = INQ_KEEP_PACKED, .priority = 2},
        {.off = 5000, .size = 2000, .keep = INQ_KEEP_PACKED, .priority = 1},
        {.off = 4000, .size = 100, .keep = INQ_KEEP_RAW, .priority = 0},
        {.off = 500, .size = 0, .keep = INQ_KEEP_RAW, .priority = 0},
    };
    uint64_t raw = 0;
    struct inq_segments s = lay_out(ranges, INQ_ARRAY_SIZE(ranges), 1 << 20, 0, &raw);

    (void)state;
    assert_int_equal(raw, 1100);
    assert_int_equal(s.count, 5);
    check(&s, 0, 1000, 2000, INQ_KEEP_PACKED, 2);
    check(&s, 1, 3000, 1100, INQ_KEEP_RAW, 0); /* two RAW ranges side by side are one */
    check(&s, 2, 4100, 900, INQ_KEEP_PACKED, 2);
    check(&s, 3, 5000, 2000, INQ_KEEP_PACKED, 1);
    check(&s, 4, 7000, 3000, INQ_KEEP_PACKED, 2);
    INQ_ARRAY_FREE(&s);
}

static void raw_budget_goes_by_priority(void **state)
{
    const struct inq_keep_range ranges[] = {
        {.off = 0, .size = 600, .keep = INQ_KEEP_RAW, .priority = 9},
        {.off = 1000, .size = UINT64_MAX / 2, .keep = INQ_KEEP_RAW, .priority = 3},
        {.off = 800, .size = 100, .keep = INQ_KEEP_RAW, .priority = 9},
        {.off = UINT64_MAX - 500, .size = 5000, .keep = INQ_KEEP_RAW, .priority = 1},
    };
    uint64_t raw = 0;
    struct inq_segments s = lay_out(ranges, INQ_ARRAY_SIZE(ranges), 1000, 0, &raw);

    (void)state;
    assert_int_equal(raw, 600);
    assert_int_equal(s.count, 4);
    check(&s, 0, 0, 600, INQ_KEEP_PACKED, 9); /* 500 and 100 came first */
    check(&s, 1, 800, 100, INQ_KEEP_RAW, 0);
    check(&s, 2, 1000, UINT64_MAX / 2, INQ_KEEP_PACKED, 3);
    check(&s, 3, UINT64_MAX - 500, 500, INQ_KEEP_RAW, 0); /* clipped, not wrapped */
    INQ_ARRAY_FREE(&s);
}

static void what_went_by_is_cut_off(void **state)
{
    const struct inq_keep_range ranges[] = {
        {.off = 0, .size = 100, .keep = INQ_KEEP_RAW},
        {.off = 50, .size = 200, .keep = INQ_KEEP_RAW},
    };
    uint64_t raw = 0;
    struct inq_segments s = lay_out(ranges, INQ_ARRAY_SIZE(ranges), 1000, 100, &raw);

    (void)state;
    assert_int_equal(s.count, 1);
    check(&s, 0, 100, 150, INQ_KEEP_RAW, 0);
    INQ_ARRAY_FREE(&s);
    s = lay_out(NULL, 0, 0, 0, &raw);
    assert_int_equal(s.count, 0);
    INQ_ARRAY_FREE(&s);
}

/* Against the obvious way: ask every range about every byte. */
static void segments_agree_with_a_map_of_bytes(void **state)
{
    uint64_t x = 4711;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct inq_keep_range ranges[12];
        struct inq_segments s;
        uint64_t raw = 0, last_end = 0;
        int best[256];

        for (int i = 0; i < 256; i++)
            best[i] = 1000;
        for (size_t i = 0; i < INQ_ARRAY_SIZE(ranges); i++) {
            struct inq_keep_range *r = &ranges[i];

            *r = (struct inq_keep_range){.off = next_random(&x) % 200,
                                         .size = next_random(&x) % 57,
                                         .keep = (enum inq_keep)(next_random(&x) % 2),
                                         .priority = (uint8_t)(next_random(&x) % 3)};
            for (uint64_t k = r->off; k < r->off + r->size; k++) {
                int kind = (r->keep == INQ_KEEP_PACKED) * 256 + r->priority;

                best[k] = kind < best[k] ? kind : best[k];
            }
        }
        s = lay_out(ranges, INQ_ARRAY_SIZE(ranges), 1 << 20, 0, &raw);
        for (size_t i = 0; i < s.count; i++) {
            const struct inq_plan_piece *g = &s.items[i];

            assert_true(g->off >= last_end && g->size > 0);
            last_end = g->off + g->size;
            for (uint64_t k = g->off; k < last_end; k++) {
                assert_int_equal(best[k] < 256, g->keep == INQ_KEEP_RAW);
                if (g->keep == INQ_KEEP_PACKED)
                    assert_int_equal(best[k], 256 + g->priority);
                best[k] = 1000;
            }
        }
        for (int i = 0; i < 256; i++)
            assert_int_equal(best[i], 1000);
        INQ_ARRAY_FREE(&s);
    }
}

int run_plan_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps_are_resolved),
        cmocka_unit_test(raw_budget_goes_by_priority),
        cmocka_unit_test(what_went_by_is_cut_off),
        cmocka_unit_test(segments_agree_with_a_map_of_bytes),
    };

    return cmocka_run_group_tests_name("source: plan", tests, NULL, NULL);
}

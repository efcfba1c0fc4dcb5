/* SPDX-License-Identifier: Apache-2.0 */
#include "cycle.h"

void inq_cycle_push(struct inq_cycle_finder *finder, uint64_t pc)
{
    uint64_t index = finder->count;

    for (uint64_t period = 1; period <= INQ_CYCLE_PERIODS; period++) {
        if (index < period || finder->last[(index - period) % INQ_CYCLE_PERIODS] != pc) {
            finder->run[period] = 0;
            continue;
        }
        finder->run[period]++;
        if (finder->run[period] > finder->best_run[period]) {
            finder->best_run[period] = finder->run[period];
            finder->best_end[period] = index;
        }
    }
    finder->last[index % INQ_CYCLE_PERIODS] = pc;
    finder->count++;
}

struct inq_cycle inq_cycle_result(const struct inq_cycle_finder *finder)
{
    struct inq_cycle cycle = {0};
    uint64_t covered_most = 0;

    /* A cycle of 2 is one of 4 as well and covers the same frames: the shorter one comes first. */
    for (uint64_t period = 1; period <= INQ_CYCLE_PERIODS; period++) {
        uint64_t run = finder->best_run[period], covered = run + period;
        if (run < (INQ_CYCLE_REPEATS - 1) * period || covered <= covered_most)
            continue;
        covered_most = covered;
        cycle.start = finder->best_end[period] + 1 - covered;
        cycle.length = period;
        cycle.count = covered / period;
    }
    return cycle;
}

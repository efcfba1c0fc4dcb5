/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_CYCLE_H
#define INQ_UNWIND_CYCLE_H

/*
 * Finds the longest stretch of frames that repeats: recursion. Works on the stream of pcs, in
 * constant memory, and sees the frames that are not kept.
 */

#include <stddef.h>
#include <stdint.h>

#define INQ_CYCLE_PERIODS 16u /* the longest cycle, frames */
#define INQ_CYCLE_REPEATS 5u  /* fewer repeats are no recursion worth telling */

struct inq_cycle_finder {
    uint64_t last[INQ_CYCLE_PERIODS];
    uint64_t count;
    /* by period: pcs in a row that equal the one a period earlier; the longest such row and its end
     */
    uint64_t run[INQ_CYCLE_PERIODS + 1];
    uint64_t best_run[INQ_CYCLE_PERIODS + 1];
    uint64_t best_end[INQ_CYCLE_PERIODS + 1];
};

struct inq_cycle {
    uint64_t start;  /* index of its first frame */
    uint64_t length; /* frames; 0 when nothing repeats */
    uint64_t count;  /* whole repeats */
};

/* To begin with: all zeroes. */
void inq_cycle_push(struct inq_cycle_finder *finder, uint64_t pc);
struct inq_cycle inq_cycle_result(const struct inq_cycle_finder *finder);

#endif

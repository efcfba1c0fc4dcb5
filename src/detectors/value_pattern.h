/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_VALUE_PATTERN_H
#define INQ_DETECTORS_VALUE_PATTERN_H

/* What a bad pointer looks like, by its value alone and next to the good pointers of the thread. */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

enum inq_pattern {
    INQ_PATTERN_NONE,
    INQ_PATTERN_TEXT,          /* 6 to 8 printable bytes */
    INQ_PATTERN_POISON,        /* what debug allocators fill freed or fresh memory with */
    INQ_PATTERN_ERRNO,         /* -4095 to -1 */
    INQ_PATTERN_SIGN_EXTENDED, /* an int that was negative, widened to 64 bits */
    INQ_PATTERN_TRUNCATED,     /* the low 32 bits of a pointer that is in use, or would be one */
    INQ_PATTERN_ONE_BIT,       /* a pointer that is in use, but for one bit */
    INQ_PATTERN_FREED,         /* what glibc's free() writes into a block */
};
const char *inq_pattern_name(enum inq_pattern pattern); /* "one-bit"; NULL for none */

/* Above this many expected hits by chance nothing is claimed. */
#define INQ_PATTERN_MOST_ODDS 0.01

struct inq_value_pattern {
    enum inq_pattern pattern;
    const char *text; /* one line; in the arena */
    double odds;      /* how many such hits chance alone would give; 0 where that is no question */
};

/*
 * The pattern of one 64-bit value. A value that is a good address has none: text is an address now
 * and then. Pointers that are in use: the registers of all threads, and the words of the crashing
 * thread's stack, 64 KiB from its stack pointer up, that point into mapped memory; each counts
 * once. The odds of the last two patterns: docs/folklore.md, "One bit off".
 */
struct inq_value_pattern inq_value_pattern(struct inq_dump *dump, uint64_t value);

#endif

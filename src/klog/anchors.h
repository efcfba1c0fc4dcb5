/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_ANCHORS_H
#define INQ_KLOG_ANCHORS_H

/*
 * Which lines are worth a look. Nearly all of a journal is about something else: what is read here
 * holds one of a few dozen strings, and the rest is only searched for them, several bytes a step.
 * Private to the layer.
 */

#include <stddef.h>
#include <stdint.h>

/*
 * The first place at or after `from` where one of the strings stands; `size` without. *steps grows
 * by the number of places that were looked at, never by more than size - from plus the number of
 * comparisons, which is bounded for each place.
 */
size_t inq_klog_find_anchor(const char *bytes, size_t size, size_t from, uint64_t *steps);

/* The longest of them: what may lie across the end of a block. */
size_t inq_klog_longest_anchor(void);

#endif

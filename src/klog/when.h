/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_WHEN_H
#define INQ_KLOG_WHEN_H

/* Times as logs write them. Private to the layer. */

#include "klog.h"
#include "span.h"

/*
 * Each takes one form off the left of the span and sets *ret_time; false, with the span unmoved,
 * when it is not there.
 */

/* 2026-03-01T14:58:06.123456+01:00, also with a blank for T, a comma for the point, without zone */
bool inq_when_take_iso(struct inq_span *s, struct inq_klog_time *ret_time);
/*
 * "Mar  1 14:58:06", "Sun Mar  1 14:58:06 2026", "Mar 1 2026 14:58:06", and the month in a dozen
 * languages; a month in another one leaves the clock NONE. `now`: see struct inq_klog_options.
 */
bool inq_when_take_syslog(struct inq_span *s, int64_t now_usec, struct inq_klog_time *ret_time);
/* "14:02:39" and a blank: no day, so the clock stays NONE. */
bool inq_when_take_clock(struct inq_span *s, struct inq_klog_time *ret_time);
/* The inside of a bracket: "  489.815", "Sun Mar  1 14:58:06 2026", "Dec12 16:05", "+0.002". */
bool inq_when_read_bracket(struct inq_span inside, int64_t now_usec,
                           struct inq_klog_time *ret_time);
/* journal: microseconds since 1970; audit: "1612345678.123" */
void inq_when_from_epoch(int64_t usec, struct inq_klog_time *ret_time);
bool inq_when_take_epoch(struct inq_span *s, struct inq_klog_time *ret_time);

/* "2026-03-01T14:58:06Z", "+12.345678 s" since boot, or the text of the line; into `buf`. */
void inq_when_text(const struct inq_klog_time *time, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_PARSE_H
#define INQ_KLOG_PARSE_H

/* From one line to an event, and from the lines after it. Private to the layer. */

#include "klog.h"
#include "prefix.h"
#include "span.h"

/*
 * The forms, one file each. Each looks whether the line is one of its own and fills the event,
 * which is zeroed before; false leaves an event that nobody uses. *ret_foreign is set when a line
 * has the form but was logged by another program than the kernel.
 */
bool inq_klog_parse_x86(const struct inq_prefix *prefix, struct inq_klog_event *event,
                        bool *ret_foreign);
bool inq_klog_parse_other_cpu(const struct inq_prefix *prefix, struct inq_klog_event *event,
                              bool *ret_foreign);
/* Signal frames that could not be read or written; parisc and xtensa. */
bool inq_klog_parse_bad_frame(const struct inq_prefix *prefix, struct inq_klog_event *event,
                              bool *ret_foreign);
bool inq_klog_parse_rare_cpu(const struct inq_prefix *prefix, struct inq_klog_event *event,
                             bool *ret_foreign);
bool inq_klog_parse_oom(const struct inq_prefix *prefix, struct inq_klog_event *event);
bool inq_klog_parse_audit(const struct inq_prefix *prefix, struct inq_klog_event *event);
bool inq_klog_parse_fatal_signal(const struct inq_prefix *prefix, struct inq_klog_event *event);
bool inq_klog_parse_coredump(const struct inq_prefix *prefix, struct inq_klog_event *event);
bool inq_klog_parse_hardware(const struct inq_prefix *prefix, struct inq_klog_event *event);
bool inq_klog_parse_kernel(const struct inq_prefix *prefix, struct inq_klog_event *event);

/* All of them in turn. */
bool inq_klog_parse_line(const struct inq_prefix *prefix, struct inq_klog_event *event,
                         bool *ret_foreign);

/* How a line after the first stands to the event before it. */
enum inq_klog_more {
    INQ_KLOG_MORE_NOT,  /* nothing to do with it */
    INQ_KLOG_MORE_PART, /* gave something */
    INQ_KLOG_MORE_CODE, /* a Code: line; not taken in yet: see inq_klog_take_code() */
    INQ_KLOG_MORE_LAST, /* gave something, and nothing comes after it */
};
enum inq_klog_more inq_klog_continue(const struct inq_prefix *prefix, struct inq_klog_event *event);
void inq_klog_take_code(const struct inq_prefix *prefix, struct inq_klog_event *event);
/* How many lines after its first may belong to an event of this kind. */
unsigned inq_klog_window(const struct inq_klog_event *event);

/* Parts that forms share (parts.c). */

static inline void inq_klog_set(struct inq_klog_u64 *number, uint64_t value)
{
    *number = (struct inq_klog_u64){true, value};
}
/* "comm[tid]", with ":" or not: what stands before a form's words. */
bool inq_klog_take_subject(const struct inq_prefix *prefix, struct inq_span before,
                           struct inq_klog_event *event, bool *ret_foreign);
/* "NAME[12c6,564e09578000+1000]", "NAME[564e09578000+1000]", "NAME[...+1000]" */
bool inq_klog_take_module(struct inq_span *s, struct inq_klog_event *event);
/* "likely on CPU 4 (core 2, socket 0)" */
bool inq_klog_take_cpu(struct inq_span *s, struct inq_klog_event *event);
/* "CPU: 4 PID: 148 Comm: kswapd0 Not tainted 5.13", "CPU: 1 UID: 0 PID: 12 Comm: x" */
bool inq_klog_take_cpu_line(struct inq_span s, struct inq_klog_event *event);
/* The value of " key" up to a blank, comma or end: "pid=123". */
bool inq_klog_value(const struct inq_span *s, const char *key, struct inq_span *ret_value);
bool inq_klog_decimal_value(const struct inq_span *s, const char *key,
                            struct inq_klog_u64 *ret_value);
bool inq_klog_hex_value(const struct inq_span *s, const char *key, struct inq_klog_u64 *ret_value);
/* "sp 00007fff error 4 in x[...]": what is left of a segfault line that was broken at a blank. */
bool inq_klog_take_broken_segfault(struct inq_span s, struct inq_klog_event *event);
/* Everything after the parts are known: offsets, width of words. */
void inq_klog_finish(struct inq_klog_event *event);

#endif

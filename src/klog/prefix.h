/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_PREFIX_H
#define INQ_KLOG_PREFIX_H

/*
 * What loggers put before a kernel's message: priorities, times in many forms, the host, the name
 * of the program that logged, printk's own time. Private to the layer.
 */

#include "klog.h"
#include "span.h"

struct inq_prefix {
    struct inq_span message; /* what is left; still with the program's name for a fault line */
    struct inq_span host;    /* empty when there is none */
    struct inq_span boot;
    struct inq_span logger; /* "kernel", "systemd-coredump", "audit"; empty when there is none */
    struct inq_klog_time time;
    bool is_kernel;  /* it says that the kernel logged it, or has printk's own time */
    bool is_foreign; /* it says that another program logged it */
    bool no_host;    /* the form of its time has no host after it */
    bool vendor;     /* a phone's own words after printk's time were taken */
    uint64_t caller; /* "[ T8318]": the thread that printed it; 0: not told */
};

/*
 * Never fails: a line without any prefix is all message. The spans point into `line` (or, for the
 * JSON of journalctl, into `scratch`, which holds at least the line's size).
 */
void inq_prefix_read(struct inq_span line, int64_t now_usec, struct inq_prefix *ret_prefix);

/*
 * The program's name before "[tid]": all of `before` when the prefix was understood; of a mangled
 * line what can be one. False when `before` shows that another program wrote the line.
 */
bool inq_prefix_comm(const struct inq_prefix *prefix, struct inq_span before,
                     struct inq_span *ret_comm, struct inq_span *ret_host);

#endif

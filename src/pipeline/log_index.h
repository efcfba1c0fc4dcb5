/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_LOG_INDEX_H
#define INQ_PIPELINE_LOG_INDEX_H

/* Inside of kernel_log.h: what is kept of a line, and how lines are found. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "array.h"
#include "kernel_log.h"
#include "klog.h"

struct inq_log_line {
    enum inq_klog_kind kind;
    enum inq_klog_trap trap;
    enum inq_klog_cpu_family family;
    enum inq_klog_access access;
    char *text, *comm, *host; /* owned; host NULL when the log names none */
    char *when;               /* as it stands in the line; NULL */
    bool has_time;            /* `usec` is UTC */
    bool zone_unknown;        /* `usec` is what a clock on a wall showed */
    bool year_assumed;
    int64_t usec;
    struct inq_klog_u64 tid, address, ip, sp, error, signal, cpu, core, socket;
    uint64_t order;      /* in the log */
    bool joined, likely; /* with a core; not surely */
};

struct inq_kernel_log {
    INQ_ARRAY(struct inq_log_line) lines; /* in the order of the log */
    INQ_ARRAY(size_t) by_pointers;        /* those with ip and sp, sorted by these */
    INQ_ARRAY(size_t) by_tid;
    bool own;         /* the running kernel's */
    char *file;       /* that was read; NULL for the kernel's own, and for bytes */
    char *unreadable; /* why nothing was read; NULL */
    uint64_t dropped; /* lines beyond the limit */
    bool lost;        /* the log itself says that lines are missing */
    bool begins_known;
    int64_t begins_usec; /* UTC: of the first line of any kind that has a time */
    char hostname[65];   /* of this machine, for its own log */
};

/* Lines with these pointers: by_pointers.items[*ret_first ...]; their number. */
size_t inq_log_find_pointers(const struct inq_kernel_log *log, uint64_t ip, uint64_t sp,
                             size_t *ret_first);
size_t inq_log_find_tid(const struct inq_kernel_log *log, uint64_t tid, size_t *ret_first);

/* "2026-11-21T12:00:00Z"; false when it is no such time. */
bool inq_log_time_text(int64_t usec, char ret_text[32]);
bool inq_log_parse_time(const char *text, int64_t *ret_usec);

#endif

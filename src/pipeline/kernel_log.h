/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_KERNEL_LOG_H
#define INQ_PIPELINE_KERNEL_LOG_H

/*
 * The lines of a kernel's log that are about crashed processes, read once for all cores of a run,
 * and which of them belong to which core.
 *
 * The instruction and stack pointers of a line are those of the thread when the fault came, and so
 * of the core: where both are equal, the line is the core's. A thread id is not: ids come again, a
 * container has its own, and a core may come from another machine. It only chooses among lines, and
 * where a line has lost its pointers (a copy in a blog) makes it likely.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "evidence.h"

/* Lines that are kept; of more the latest. */
#define INQ_KERNEL_LOG_LINES 65536u

struct inq_kernel_log;

/* A log in a file; "-" is standard input. INQ_E_IO when it cannot be read. */
struct inq_error *inq_kernel_log_read(const char *file, struct inq_kernel_log **ret_log);

/*
 * The running kernel's own. Where it may not be read, the log is one that holds nothing and says so
 * in reports.
 */
struct inq_error *inq_kernel_log_read_own(struct inq_kernel_log **ret_log);

/* The same over bytes; for tests. `own`: as if it were the running kernel's. */
struct inq_error *inq_kernel_log_read_bytes(const void *bytes, size_t size, bool own,
                                            struct inq_kernel_log **ret_log);
void inq_kernel_log_destroy(struct inq_kernel_log *log); /* takes NULL */
static inline void inq_kernel_log_destroyp(struct inq_kernel_log **log)
{
    inq_kernel_log_destroy(*log);
}

/*
 * Sets kernel_log[], or kernel_log_absence where there is no line; from a line that surely is the
 * core's also fault.error_code, and process.crashed_at when nothing better is known. Remembers that
 * the line has a core. Needs the facts of the file's name.
 */
struct inq_error *inq_kernel_log_join(struct inq_kernel_log *log, struct inq_evidence *evidence);

/* A report that was made before: its lines have a core. */
void inq_kernel_log_recall(struct inq_kernel_log *log, const json_t *report);

/* The file that was read; NULL for the kernel's own. */
const char *inq_kernel_log_file(const struct inq_kernel_log *log);

/*
 * Deaths in the log that no core was joined with, oldest first: an array of {line, time, comm, tid,
 * kind}. New reference.
 */
struct inq_error *inq_kernel_log_left(const struct inq_kernel_log *log, json_t **ret_list);
/* Did the user name it, or did a core fit a line of it? Then its other lines are of interest. */
bool inq_kernel_log_concerns(const struct inq_kernel_log *log);

#endif

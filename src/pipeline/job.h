/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_JOB_H
#define INQ_PIPELINE_JOB_H

/* One dump on its way from an open file to a report. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "evidence.h"
#include "pipeline.h"
#include "pool.h"

struct inq_job {
    int fd;           /* kept open, so that a change can be noticed; -1 when there is no file */
    const char *path; /* borrowed */
    struct stat stat; /* as it was before; st_mode 0 without a file */
    uint64_t packed_bytes; /* size of compressed input; for a pipe the most that is read */
    uint64_t started_usec; /* CLOCK_MONOTONIC */
    bool unmapped;         /* the second attempt: inq_pool_start_unmapped() */
};

/* Takes `fd`. Looks at the first bytes of a regular file, at nothing of a pipe. */
void inq_job_init(struct inq_job *job, int fd, const char *path);
void inq_job_deinit(struct inq_job *job);

/*
 * Opens a file that the user named: follows links, never blocks, walks names longer than PATH_MAX.
 * An error is INQ_E_NOT_REGULAR or INQ_E_IO.
 */
struct inq_error *inq_job_open(const char *path, int *ret_fd);

/*
 * True when the answer was a fault, and a second worker is on its way: its answer counts. `tag` as
 * for inq_pool_start().
 */
bool inq_job_try_again(struct inq_job *job, struct inq_pool *pool, const struct inq_answer *answer,
                       void *tag);

/*
 * The report for an answer, complete, partial or stub, and its exit code. Takes what the answer
 * holds.
 */
struct inq_error *inq_job_report(const struct inq_job *job, struct inq_answer *answer,
                                 const struct inq_job_options *options, json_t **ret_report,
                                 int *ret_exit);

/*
 * What a worker's answer says: evidence, or the error that ended it (*ret_cause), never both.
 * Evidence counts only from a worker that ended well: one that failed afterwards may have written
 * nonsense before. An error it may send on its way out with any status.
 */
struct inq_error *inq_job_understand(struct inq_answer *answer, struct inq_evidence **ret_evidence,
                                     struct inq_error **ret_cause);
/* Evidence, or a stub's beginning, as the finished document. */
struct inq_error *inq_job_hand_over(const struct inq_job *job, struct inq_evidence *evidence,
                                    json_t **ret_report);

/* A stub for a dump that never got to a worker. `cause` stays the caller's. */
struct inq_error *inq_job_stub(const struct inq_job *job, const struct inq_error *cause,
                               const struct inq_job_options *options, json_t **ret_report,
                               int *ret_exit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_POOL_H
#define INQ_PIPELINE_POOL_H

/*
 * Workers under guard: one loop reads their answers while they write, opens files for them, watches
 * the processes and the clock, and hears interrupts. A worker is believed only when it exited with
 * status 0 or sent an error frame; everything else is an ending of its own kind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "fetch.h"
#include "pipeline.h"

enum inq_ending {
    INQ_ENDING_ANSWERED,    /* it exited and there are bytes to parse */
    INQ_ENDING_DIED,        /* by a signal, or with nothing to say; `wait_status` tells */
    INQ_ENDING_TIMEOUT,     /* killed at the wall limit of `seconds` */
    INQ_ENDING_OUTPUT,      /* killed for what it wrote: `why` */
    INQ_ENDING_INTERRUPTED, /* killed because we were interrupted */
};

struct inq_answer {
    void *tag; /* as given to inq_pool_start() */
    enum inq_ending ending;
    int wait_status; /* wait(2); -1 when unknown */
    uint32_t seconds;
    const char *why; /* static */
    char *bytes;     /* owned by the one who got the answer: free() */
    size_t size;
    struct inq_fetch_notes fetch_notes; /* likewise; only with `bytes` */
};

struct inq_pool;

/* `options` must outlive the pool; `most` workers at once. */
struct inq_error *inq_pool_create(const struct inq_job_options *options, unsigned most,
                                  struct inq_pool **ret_pool);
/* Ends and reaps what is still running; takes NULL. */
void inq_pool_destroy(struct inq_pool *pool);
static inline void inq_pool_destroyp(struct inq_pool **pool)
{
    inq_pool_destroy(*pool);
}

/*
 * Starts a worker on `core_fd` (stays the caller's and may be closed at once). `packed_bytes` is
 * the size of compressed input, which is granted more time. *ret_transient as in worker_process.h.
 */
struct inq_error *inq_pool_start(struct inq_pool *pool, int core_fd, const char *name,
                                 uint64_t packed_bytes, void *tag, bool *ret_transient);
/*
 * Once more, by reading what was mapped the first time: for a dump whose worker died of SIGBUS. Its
 * file was cut short meanwhile, or lies on a disk that fails; what can be read of it will be.
 */
bool inq_answer_is_fault(const struct inq_answer *answer);
struct inq_error *inq_pool_start_unmapped(struct inq_pool *pool, int core_fd, const char *name,
                                          uint64_t packed_bytes, void *tag, bool *ret_transient);
unsigned inq_pool_running(const struct inq_pool *pool);
bool inq_pool_full(const struct inq_pool *pool);

/*
 * Waits for one worker to end. With an interrupt all end at once as INTERRUPTED. At least one must
 * be running.
 */
struct inq_error *inq_pool_next(struct inq_pool *pool, struct inq_answer *ret_answer);

#endif

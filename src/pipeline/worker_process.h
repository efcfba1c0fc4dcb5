/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_WORKER_PROCESS_H
#define INQ_PIPELINE_WORKER_PROCESS_H

/* One running inquest-worker: how it is started, and its ends of the pipes. */

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "pipeline.h"

struct inq_worker_process {
    pid_t pid;     /* also its process group */
    int pid_fd;    /* -1 on kernels before 5.3: then it is polled */
    int result_fd; /* read end, non-blocking */
    int broker_fd; /* SOCK_SEQPACKET, non-blocking */
};

/*
 * A worker that makes workers (evidence/start.h): for scans, where starting the program costs as
 * much as reading a small dump. It is a convenience: whatever becomes of it, a worker of its own is
 * started for each dump instead.
 */
struct inq_worker_server {
    pid_t pid;
    int fd; /* -1: there is none (any more) */
};

/* Starts one for these options. Nothing is reported when it does not work. */
void inq_worker_server_start(const char *worker_path, const struct inq_job_options *options,
                             struct inq_worker_server *ret_server);
/* Ends and reaps it; nothing of the workers that it made. */
void inq_worker_server_stop(struct inq_worker_server *server);

/*
 * Starts one. `core_fd` and `options` stay the caller's; `name` goes to the worker for its
 * messages. `cpu_seconds` becomes its RLIMIT_CPU. `server` makes it, with the same options, when it
 * is there and works; it is stopped when it does not. `transient` is set when there is no room for
 * another process now but may be later (no processes, descriptors or memory left).
 */
struct inq_error *inq_worker_process_start(const char *worker_path, int core_fd, const char *name,
                                           const struct inq_job_options *options,
                                           uint32_t cpu_seconds, struct inq_worker_server *server,
                                           bool *ret_transient,
                                           struct inq_worker_process *ret_process);

/* Ends the whole process group. The process must still be reaped. */
void inq_worker_process_kill(const struct inq_worker_process *process);

/* Reaps it; blocks until it is dead. Returns the wait status, or -1 when somebody else reaped it.
 */
int inq_worker_process_reap(struct inq_worker_process *process);

/* Closes what is open. */
void inq_worker_process_deinit(struct inq_worker_process *process);

/*
 * A program that inquest starts: `wanted` when not NULL, else the one of that name beside this
 * program, else where it was installed. To be freed.
 */
char *inq_program_find(const char *name, const char *wanted);
/* How such a program starts: a group of its own, and signals as if nobody had touched them. errno.
 */
int inq_program_attributes(posix_spawnattr_t *attributes);
/* Moves a descriptor out of the way of those that such a program is given; false with errno. */
bool inq_fd_move_up(int *fd);

#endif

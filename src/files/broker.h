/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_BROKER_H
#define INQ_FILES_BROKER_H

/*
 * The two ends of the socket between a worker and its parent. One request is one SOCK_SEQPACKET
 * message of bounded size; the answer carries a descriptor (SCM_RIGHTS) or a reason. The worker's
 * end keeps a few requests on their way before it reads the answers; they come in order.
 */

#include <limits.h>

#include "files.h"

/*
 * Requests that a worker may have on their way. Answers to these always fit into the socket, so the
 * parent never has to wait for a worker to read; and the descriptors in flight stay below the
 * kernel's limit (RLIMIT_NOFILE a user) with dozens of workers.
 */
#define INQ_BROKER_WINDOW 16u

/*
 * The worker's end: an opener over the blocking socket. `fd` stays the caller's and must outlive
 * the opener. Every answer is checked: a descriptor is only handed on with a status that allows
 * one.
 */
struct inq_opener inq_opener_socket(int *fd);

/* A request as it came, kept until it is answered. */
struct inq_broker_question {
    uint32_t seq;
    struct inq_file_request request; /* points into this object: it must not be copied */
    char path[PATH_MAX], link[NAME_MAX + 1];
    uint8_t head[INQ_MAX_FILE_HEAD];
};

/*
 * The parent's end, in two steps, for an answer that takes its time. Both return 1 when done, -1
 * when the peer is gone or broke the protocol: then close the socket. inq_broker_read() does not
 * block and returns 0 when there is no request now; the answers must be given in the order of the
 * requests.
 */
int inq_broker_read(int fd, struct inq_broker_question *ret_question);
/* Takes the reply's descriptor. */
int inq_broker_answer(int fd, uint32_t seq, const struct inq_file_reply *reply);

/*
 * Both at once, by the policy: reads one request from the socket, without blocking, and answers it.
 * Returns 1 when it served one, 0 when there is none now, -1 when the peer is gone or broke the
 * protocol (also when it does not read its answers): then close the socket.
 */
int inq_broker_serve(int fd, const struct inq_file_policy *policy);

#endif

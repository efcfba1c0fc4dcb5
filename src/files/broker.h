/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_BROKER_H
#define INQ_FILES_BROKER_H

/*
 * The two ends of the socket between a worker and its parent. One request is one SOCK_SEQPACKET
 * message of bounded size; the answer carries a descriptor (SCM_RIGHTS) or a reason. The worker's
 * end keeps a few requests on their way before it reads the answers; they come in order.
 */

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

/*
 * The parent's end: reads one request from the socket, without blocking, and answers it. Returns 1
 * when it served one, 0 when there is none now, -1 when the peer is gone or broke the protocol
 * (also when it does not read its answers): then close the socket.
 */
int inq_broker_serve(int fd, const struct inq_file_policy *policy);

#endif

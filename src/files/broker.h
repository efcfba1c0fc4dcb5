/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_BROKER_H
#define INQ_FILES_BROKER_H

/*
 * The two ends of the socket between a worker and its parent. One request is one SOCK_SEQPACKET
 * message of bounded size; the answer carries a descriptor (SCM_RIGHTS) or a reason. A worker may
 * send many requests before it reads the answers; they come in order.
 */

#include "files.h"

/* The worker's end: an opener over the socket. `fd` stays the caller's. */
struct inq_opener inq_opener_socket(int *fd);

/*
 * The parent's end: reads one request from the non-blocking socket and answers it. Returns 1 when it
 * served one, 0 when there is none now, -1 when the peer is gone or broke the protocol.
 */
int inq_broker_serve(int fd, const struct inq_file_policy *policy);

#endif

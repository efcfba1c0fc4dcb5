/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_START_H
#define INQ_EVIDENCE_START_H

/*
 * Many workers from one: a worker that is started with --serve loads its libraries, reads no dump,
 * and makes a process of itself for each order that comes through a socket, which saves the
 * program's start for each of a thousand small dumps. Both ends of that socket.
 *
 * An order is one SOCK_SEQPACKET message with three descriptors: the dump, the answer's pipe and
 * the broker's socket. The answer to it is one i32: the new process's id, or an errno value below
 * zero. The new process is a child of the one who gave the order (CLONE_PARENT), and has nothing
 * open but what a worker of its own would have (frame.h): the descriptors of one order are closed
 * here before the next is read. It is in the process group of the serving worker until the one who
 * gave the order, and has been told of it, gives it a group of its own: should that never happen,
 * it ends with the group.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define INQ_START_FD 3 /* of a worker with --serve: the socket */
/* A longer name goes to a worker of its own. */
#define INQ_START_MAX_NAME 8192u

struct inq_start_order {
    int core_fd, result_fd, broker_fd; /* the giver keeps his own */
    uint32_t cpu_seconds;
    const char *name; /* of the dump */
};

/*
 * Gives an order and waits for the answer, at most `timeout_msec`. The process's id, or an errno
 * value below zero. *ret_broken: nothing more is to be hoped for from this socket.
 */
pid_t inq_start_ask(int fd, const struct inq_start_order *order, int timeout_msec,
                    bool *ret_broken);

/*
 * Takes orders until the other end is closed. Each time `run` is called in a new process, with the
 * order's descriptors at the numbers of frame.h and the socket closed, and must not return. Returns
 * an exit code.
 */
int inq_start_serve(int fd, void (*run)(const struct inq_start_order *order, void *context),
                    void *context);

#endif

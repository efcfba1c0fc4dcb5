/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "frame.h"

#define WIRE_MAGIC 0x31747372u /* "rst1" */
#define N_FDS 3
#define SAFE_FD 16 /* out of the way of the numbers that a worker has */

/* One machine, one build: host order and the compiler's layout will do. */
struct wire {
    uint32_t magic, cpu_seconds;
    char name[INQ_START_MAX_NAME + 1]; /* as long as the message, NUL included */
};
#define WIRE_HEAD offsetof(struct wire, name)

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(N_FDS * sizeof(int))];
};

/* ---- who gives orders ----------------------------------------------------------------------- */

static int send_order(int fd, const struct inq_start_order *order)
{
    const int fds[N_FDS] = {order->core_fd, order->result_fd, order->broker_fd};
    struct wire wire = {.magic = WIRE_MAGIC, .cpu_seconds = order->cpu_seconds};
    const size_t size = strlen(order->name) + 1;
    union control control = {0};
    struct iovec iov = {.iov_base = &wire, .iov_len = WIRE_HEAD + size};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    ssize_t n;

    if (size > sizeof(wire.name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(wire.name, order->name, size);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    do
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

pid_t inq_start_ask(int fd, const struct inq_start_order *order, int timeout_msec, bool *ret_broken)
{
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    int32_t pid;
    int n;

    *ret_broken = false;
    if (send_order(fd, order) < 0) {
        /* a name that is too long, or too many descriptors on their way, is this order's affair */
        *ret_broken = errno != ENAMETOOLONG && errno != ETOOMANYREFS;
        return -errno;
    }
    do
        n = poll(&answer, 1, timeout_msec);
    while (n < 0 && errno == EINTR);
    if (n == 1 && recv(fd, &pid, sizeof(pid), MSG_DONTWAIT) == (ssize_t)sizeof(pid) && pid != 0)
        return pid;
    *ret_broken = true;
    return n == 0 ? -ETIMEDOUT : -EPIPE;
}

/* ---- who takes them ------------------------------------------------------------------------- */

struct taken {
    struct wire wire;
    int fds[N_FDS]; /* -1 where there is none */
};

static void close_all(struct taken *t)
{
    for (size_t i = 0; i < N_FDS; i++) {
        inq_closep(&t->fds[i]);
        t->fds[i] = -1;
    }
}

/* 1: one order, complete or not; 0: the end; -1: the socket is broken. */
static int take(int fd, struct taken *t)
{
    union control control = {0};
    struct iovec iov = {.iov_base = &t->wire, .iov_len = sizeof(t->wire)};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t n;

    for (size_t i = 0; i < N_FDS; i++)
        t->fds[i] = -1;
    do
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return (int)n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len >= CMSG_LEN(0) && c->cmsg_len <= CMSG_LEN(sizeof(t->fds)))
            memcpy(t->fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    return (size_t)n > WIRE_HEAD && !(msg.msg_flags & MSG_TRUNC) && t->wire.magic == WIRE_MAGIC &&
                   t->wire.name[(size_t)n - WIRE_HEAD - 1] == '\0'
               ? 1
               : -1;
}

/* Puts the descriptors where a worker expects them; that closes the socket, whose number is one. */
static bool place(struct taken *t)
{
    static const int numbers[N_FDS] = {INQ_WORKER_FD_CORE, INQ_WORKER_FD_RESULT,
                                       INQ_WORKER_FD_BROKER};

    _Static_assert(INQ_START_FD == INQ_WORKER_FD_CORE, "the first dup2() closes the socket");
    for (size_t i = 0; i < N_FDS; i++) {
        const int moved = fcntl(t->fds[i], F_DUPFD, SAFE_FD);

        if (moved < 0)
            return false;
        close(t->fds[i]);
        t->fds[i] = moved;
    }
    for (size_t i = 0; i < N_FDS; i++)
        if (dup2(t->fds[i], numbers[i]) < 0)
            return false;
    close_all(t);
    return true;
}

/*
 * fork(), but the new process is its grandparent's child: that one guards, signals and reaps it as
 * if it had started it. The C library's own fork() has no way to say so; what it would do besides
 * (locks of other threads, handlers) is nothing in a process with one thread.
 */
static pid_t fork_for_parent(void)
{
#if defined(__s390x__) || defined(__s390__)
    return (pid_t)syscall(SYS_clone, 0L, (long)(CLONE_PARENT | SIGCHLD), NULL, NULL, 0L);
#else
    return (pid_t)syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), 0L, NULL, NULL, 0L);
#endif
}

static int32_t start_one(struct taken *t,
                         void (*run)(const struct inq_start_order *order, void *context),
                         void *context)
{
    const struct inq_start_order order = {
        .core_fd = INQ_WORKER_FD_CORE,
        .result_fd = INQ_WORKER_FD_RESULT,
        .broker_fd = INQ_WORKER_FD_BROKER,
        .cpu_seconds = t->wire.cpu_seconds,
        .name = t->wire.name,
    };
    pid_t pid;

    for (size_t i = 0; i < N_FDS; i++)
        if (t->fds[i] < 0) /* RLIMIT_NOFILE, of which nothing is open here: the system's */
            return -ENFILE;
    pid = fork_for_parent();
    if (pid < 0)
        return -errno;
    if (pid > 0)
        return pid;
    if (place(t))
        run(&order, context);
    _exit(1);
}

int inq_start_serve(int fd, void (*run)(const struct inq_start_order *order, void *context),
                    void *context)
{
    static struct taken taken; /* its name outlives this function in the new processes */
    int got;

    clearenv(); /* what was there was for the dynamic linker */
    while ((got = take(fd, &taken)) == 1) {
        const int32_t answer = start_one(&taken, run, context);

        close_all(&taken);
        if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
            return 1;
    }
    close_all(&taken);
    return got == 0 ? 0 : 1;
}

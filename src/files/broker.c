/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

#define WIRE_MAGIC 0x31716e69u /* "inq1" */
#define WIRE_AGAIN 255u        /* too many descriptors on their way: ask once more */
#define MAX_RETRIES 8
#define MAX_FDS 4 /* room for descriptors that nobody asked for, so that they can be closed */

/* One machine, one build: host order and the compiler's layout will do. */
struct wire_request {
    uint32_t magic, seq;
    uint8_t kind, build_id_size;
    uint16_t path_size, link_size, head_size;
    uint32_t crc;
    uint8_t build_id[INQ_MAX_BUILD_ID];
    /* path_size bytes, then link_size bytes, no NUL in either; then head_size bytes */
    char path[PATH_MAX + NAME_MAX + INQ_MAX_FILE_HEAD];
};
#define WIRE_REQUEST_HEAD offsetof(struct wire_request, path)

struct wire_reply {
    uint32_t magic, seq;
    uint32_t status;
    char reason[128];
};

_Static_assert(sizeof(((struct inq_file_reply *)0)->reason) ==
                   sizeof(((struct wire_reply *)0)->reason),
               "reasons have one size");

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

/*
 * One message and at most one descriptor; all others are closed. Returns the size, 0 at the end, -1
 * with errno. *ret_cut: the message or its descriptors did not fit.
 */
static ssize_t receive(int fd, void *buf, size_t size, int flags, int *ret_fd, bool *ret_cut)
{
    union control control = {0};
    struct iovec iov = {.iov_base = buf, .iov_len = size};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t n;
    int first = -1;

    do
        n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int got;

            memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (first < 0)
                first = got;
            else
                close(got);
        }
    }
    *ret_cut = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    *ret_fd = first;
    return n;
}

static int send_message(int fd, const void *buf, size_t size, int flags, int pass_fd)
{
    union control control = {0};
    union {
        const void *from;
        void *to;
    } base = {.from = buf};
    struct iovec iov = {.iov_base = base.to, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (pass_fd >= 0) {
        struct cmsghdr *c;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int));
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
    }
    do
        n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? 0 : -1;
}

/* ---- the parent ---------------------------------------------------------------------------- */

/* The worker may have been taken over: nothing in the message is believed. */
static bool request_valid(const struct wire_request *wire, size_t size)
{
    return size >= WIRE_REQUEST_HEAD && wire->magic == WIRE_MAGIC &&
           wire->build_id_size <= INQ_MAX_BUILD_ID && wire->path_size < PATH_MAX &&
           wire->link_size <= NAME_MAX && wire->head_size <= INQ_MAX_FILE_HEAD &&
           (wire->head_size == 0 || wire->head_size >= INQ_MIN_FILE_HEAD) &&
           size - WIRE_REQUEST_HEAD ==
               (size_t)wire->path_size + wire->link_size + wire->head_size &&
           !memchr(wire->path, '\0', (size_t)wire->path_size + wire->link_size);
}

int inq_broker_read(int fd, struct inq_broker_question *ret_question)
{
    struct wire_request wire;
    struct inq_broker_question *q = ret_question;
    _cleanup_close_ int unwanted = -1;
    bool cut;
    ssize_t n = receive(fd, &wire, sizeof(wire), MSG_DONTWAIT, &unwanted, &cut);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    if (n == 0 || cut || unwanted >= 0 || !request_valid(&wire, (size_t)n))
        return -1;

    memcpy(q->path, wire.path, wire.path_size);
    q->path[wire.path_size] = '\0';
    memcpy(q->link, wire.path + wire.path_size, wire.link_size);
    q->link[wire.link_size] = '\0';
    q->seq = wire.seq;
    q->request = (struct inq_file_request){
        .kind = wire.kind,
        .path = wire.path_size > 0 ? q->path : NULL,
        .link = wire.link_size > 0 ? q->link : NULL,
        .crc = wire.crc,
        .build_id_size = wire.build_id_size,
        .head = wire.head_size > 0 ? q->head : NULL,
        .head_size = wire.head_size,
    };
    memcpy(q->head, wire.path + wire.path_size + wire.link_size, wire.head_size);
    memcpy(q->request.build_id, wire.build_id, wire.build_id_size);
    return 1;
}

int inq_broker_answer(int fd, uint32_t seq, const struct inq_file_reply *reply)
{
    struct wire_reply answer = {.magic = WIRE_MAGIC, .seq = seq, .status = (uint32_t)reply->status};
    _cleanup_close_ int handed = reply->fd;

    memcpy(answer.reason, reply->reason, sizeof(answer.reason));
    if (send_message(fd, &answer, sizeof(answer), MSG_DONTWAIT, handed) == 0)
        return 1;
    if (errno == ETOOMANYREFS && handed >= 0) {
        answer.status = WIRE_AGAIN;
        if (send_message(fd, &answer, sizeof(answer), MSG_DONTWAIT, -1) == 0)
            return 1;
    }
    return -1;
}

int inq_broker_serve(int fd, const struct inq_file_policy *policy)
{
    struct inq_broker_question question;
    struct inq_file_reply reply;
    int result = inq_broker_read(fd, &question);

    if (result != 1)
        return result;
    inq_file_open(policy, &question.request, &reply);
    return inq_broker_answer(fd, question.seq, &reply);
}

/* ---- the worker ---------------------------------------------------------------------------- */

static struct inq_error *gone(const char *what)
{
    return inq_error_create(INQ_E_IO, "the parent process does not answer: %s", what);
}

/* False: the path cannot be sent, *ret_reply says so. */
static bool encode(const struct inq_file_request *request, uint32_t seq,
                   struct wire_request *ret_wire, size_t *ret_size)
{
    size_t path_size = request->path ? strnlen(request->path, PATH_MAX) : 0;

    size_t link_size = request->link ? strnlen(request->link, NAME_MAX + 1) : 0;

    if (path_size >= PATH_MAX || link_size > NAME_MAX ||
        request->build_id_size > INQ_MAX_BUILD_ID || request->head_size > INQ_MAX_FILE_HEAD)
        return false;
    memset(ret_wire, 0, WIRE_REQUEST_HEAD);
    ret_wire->magic = WIRE_MAGIC;
    ret_wire->seq = seq;
    ret_wire->kind = (uint8_t)request->kind;
    ret_wire->build_id_size = request->build_id_size;
    memcpy(ret_wire->build_id, request->build_id, request->build_id_size);
    ret_wire->path_size = (uint16_t)path_size;
    ret_wire->link_size = (uint16_t)link_size;
    ret_wire->head_size = request->head_size;
    ret_wire->crc = request->crc;
    if (path_size > 0)
        memcpy(ret_wire->path, request->path, path_size);
    if (link_size > 0)
        memcpy(ret_wire->path + path_size, request->link, link_size);
    if (request->head_size > 0)
        memcpy(ret_wire->path + path_size + link_size, request->head, request->head_size);
    *ret_size = WIRE_REQUEST_HEAD + path_size + link_size + request->head_size;
    return true;
}

static void set_refused(struct inq_file_reply *reply, const char *reason)
{
    *reply = (struct inq_file_reply){.status = INQ_ON_DISK_REFUSED, .fd = -1};
    strncpy(reply->reason, reason, sizeof(reply->reason) - 1);
}

/* Takes fd. */
static void decode(const struct wire_reply *wire, int fd_taken, bool cut,
                   struct inq_file_reply *ret_reply)
{
    _cleanup_close_ int fd = fd_taken;

    if (cut && fd < 0) { /* MSG_CTRUNC: RLIMIT_NOFILE of this process */
        set_refused(ret_reply, "no free descriptor for it");
        return;
    }
    *ret_reply = (struct inq_file_reply){.status = (enum inq_on_disk)wire->status, .fd = -1};
    memcpy(ret_reply->reason, wire->reason, sizeof(ret_reply->reason) - 1);
    for (char *p = ret_reply->reason; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    if (wire->status == INQ_ON_DISK_MATCH || wire->status == INQ_ON_DISK_UNVERIFIED)
        ret_reply->fd = TAKE_FD(fd);
    if (wire->status == INQ_ON_DISK_MATCH && ret_reply->fd < 0)
        set_refused(ret_reply, "it was not handed over");
}

/* Reads the answer number `seq`. *ret_again: the same request must be sent once more. */
static struct inq_error *read_answer(int socket_fd, uint32_t seq, struct inq_file_reply *ret_reply,
                                     bool *ret_again)
{
    struct wire_reply wire;
    int fd = -1;
    bool cut;
    ssize_t n = receive(socket_fd, &wire, sizeof(wire), 0, &fd, &cut);

    if (n != (ssize_t)sizeof(wire) || wire.magic != WIRE_MAGIC || wire.seq != seq ||
        (wire.status > INQ_ON_DISK_UNVERIFIED && wire.status != WIRE_AGAIN)) {
        if (fd >= 0)
            close(fd);
        return gone(n == 0 ? "it is gone" : n < 0 ? strerror(errno) : "a damaged answer");
    }
    *ret_again = wire.status == WIRE_AGAIN;
    if (*ret_again) {
        if (fd >= 0)
            close(fd);
        set_refused(ret_reply, "too many descriptors in flight");
        return NULL;
    }
    decode(&wire, fd, cut, ret_reply);
    return NULL;
}

/* One request with nothing else on its way, for those that were put off. */
static struct inq_error *ask_again(int socket_fd, const struct inq_file_request *request,
                                   uint32_t seq, struct inq_file_reply *ret_reply)
{
    struct wire_request wire;
    bool again = true;
    size_t size;

    for (int i = 0; again && i < MAX_RETRIES; i++) {
        if (!encode(request, seq, &wire, &size))
            return NULL;
        if (send_message(socket_fd, &wire, size, 0, -1) < 0)
            return gone(strerror(errno));
        INQ_TRY(read_answer(socket_fd, seq, ret_reply, &again));
    }
    return NULL;
}

static struct inq_error *ask_parent(int fd, const struct inq_file_request *requests, size_t n,
                                    struct inq_file_reply *replies)
{
    bool put_off[INQ_BROKER_WINDOW] = {0};
    size_t n_put_off = 0;
    struct wire_request wire;
    size_t size;

    /* n is at most the window: all questions go out, then the answers come. */
    for (size_t i = 0; i < n; i++) {
        if (!encode(&requests[i], (uint32_t)i, &wire, &size))
            set_refused(&replies[i], "a path longer than the system takes");
        else if (send_message(fd, &wire, size, 0, -1) < 0)
            return gone(strerror(errno));
        else
            replies[i].status = INQ_ON_DISK_UNKNOWN;
    }
    for (size_t i = 0; i < n; i++) {
        if (replies[i].status == INQ_ON_DISK_REFUSED)
            continue;
        INQ_TRY(read_answer(fd, (uint32_t)i, &replies[i], &put_off[i]));
        n_put_off += put_off[i];
    }
    for (size_t i = 0; n_put_off > 0 && i < n; i++)
        if (put_off[i])
            INQ_TRY(ask_again(fd, &requests[i], (uint32_t)i, &replies[i]));
    return NULL;
}

static struct inq_error *ask_socket(struct inq_opener *opener,
                                    const struct inq_file_request *requests, size_t n,
                                    struct inq_file_reply *replies)
{
    const int fd = *(const int *)opener->context;

    for (size_t i = 0; i < n; i++)
        replies[i] = (struct inq_file_reply){.fd = -1};
    for (size_t i = 0; i < n; i += INQ_BROKER_WINDOW) {
        size_t left = n - i;
        struct inq_error *error = ask_parent(
            fd, requests + i, left < INQ_BROKER_WINDOW ? left : INQ_BROKER_WINDOW, replies + i);

        if (!error)
            continue;
        /* Nothing of a broken conversation is left open. */
        for (size_t k = 0; k < n; k++) {
            if (replies[k].fd >= 0)
                close(replies[k].fd);
            set_refused(&replies[k], "the parent process does not answer");
        }
        return error;
    }
    return NULL;
}

/* *ret_sent false: the reply is there already. */
static struct inq_error *send_request(int fd, const struct inq_file_request *request, uint32_t seq,
                                      bool *ret_sent)
{
    struct wire_request wire;
    size_t size;

    *ret_sent = encode(request, seq, &wire, &size);
    return *ret_sent && send_message(fd, &wire, size, 0, -1) < 0 ? gone(strerror(errno)) : NULL;
}

/* A window of questions stays ahead of the answers. */
static struct inq_error *ask_each_socket(struct inq_opener *opener,
                                         const struct inq_file_request *requests, size_t n,
                                         inq_file_take take, void *context)
{
    const int fd = *(const int *)opener->context;
    _cleanup_free_ bool *put_off = calloc(n, sizeof(*put_off));
    bool sent[INQ_BROKER_WINDOW];
    struct inq_file_reply reply;

    if (!put_off)
        return &inq_error_oom;
    for (size_t i = 0, next = 0; i < n; i++) {
        for (; next < n && next - i < INQ_BROKER_WINDOW; next++)
            INQ_TRY(
                send_request(fd, &requests[next], (uint32_t)next, &sent[next % INQ_BROKER_WINDOW]));
        if (sent[i % INQ_BROKER_WINDOW])
            INQ_TRY(read_answer(fd, (uint32_t)i, &reply, &put_off[i]));
        else
            set_refused(&reply, "a path longer than the system takes");
        if (!put_off[i])
            take(context, i, &reply);
    }
    for (size_t i = 0; i < n; i++) {
        if (!put_off[i])
            continue;
        INQ_TRY(ask_again(fd, &requests[i], (uint32_t)i, &reply));
        take(context, i, &reply);
    }
    return NULL;
}

struct inq_opener inq_opener_socket(int *fd)
{
    return (struct inq_opener){.ask = ask_socket, .ask_each = ask_each_socket, .context = fd};
}

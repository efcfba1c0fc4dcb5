/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"

#define MANY 300u

static const struct elf_shape good = {.id_size = 20, .id_first = 0x10};
static char tree[64];
static int ends[2]; /* [0] the parent's, [1] the worker's */

static int set_up(void **state)
{
    (void)state;
    make_tree(tree);
    write_elf(in(tree, "good.so"), &good);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    remove_tree(tree);
    return 0;
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* The parent's loop in a child process: serves until the peer is gone. */
static pid_t fork_broker(const struct inq_file_policy *policy)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        close(ends[0]);
        ends[0] = -1;
        return pid;
    }
    close(ends[1]);
    for (;;) {
        struct pollfd wait = {.fd = ends[0], .events = POLLIN};
        int served;

        poll(&wait, 1, 10000);
        while ((served = inq_broker_serve(ends[0], policy)) > 0)
            ;
        if (served < 0)
            _exit(0);
    }
}

static void many_questions(void **state)
{
    static const struct inq_file_policy policy = {0};
    static struct inq_file_request requests[MANY];
    static struct inq_file_reply replies[MANY];
    const char *good_path = in(tree, "good.so"), *no_path = in(tree, "nothing");
    struct inq_opener opener = inq_opener_socket(&ends[1]);
    static char long_path[6000];
    pid_t pid = fork_broker(&policy);
    int status;

    (void)state;
    memset(long_path, 'x', sizeof(long_path) - 1);
    for (size_t i = 0; i < MANY; i++) {
        requests[i] = (struct inq_file_request){.kind = INQ_FILE_MODULE, .path = no_path};
        if (i % 3 == 0) {
            requests[i].path = good_path;
            requests[i].build_id_size = 20;
            expect_id(&good, requests[i].build_id);
        } else if (i % 50 == 1) {
            requests[i].path = long_path;
        }
    }
    assert_null(opener.ask(&opener, requests, MANY, replies));
    for (size_t i = 0; i < MANY; i++) {
        if (i % 3 == 0) {
            uint8_t id[INQ_MAX_BUILD_ID];
            bool is_elf;

            assert_int_equal(replies[i].status, INQ_ON_DISK_MATCH);
            assert_int_equal(inq_elf_build_id(replies[i].fd, id, &is_elf), 20);
            close(replies[i].fd);
        } else {
            assert_int_equal(replies[i].fd, -1);
            assert_int_equal(replies[i].status,
                             i % 50 == 1 ? INQ_ON_DISK_REFUSED : INQ_ON_DISK_MISSING);
            assert_string_not_equal(replies[i].reason, "");
        }
    }
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_parent_that_is_gone(void **state)
{
    struct inq_opener opener = inq_opener_socket(&ends[1]);
    struct inq_file_request request = {.kind = INQ_FILE_MODULE, .path = "/x"};
    struct inq_file_reply reply = {.fd = 99};
    struct inq_error *error;

    (void)state;
    close(ends[0]);
    ends[0] = -1;
    error = opener.ask(&opener, &request, 1, &reply);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_IO);
    assert_int_equal(reply.fd, -1);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    inq_error_destroy(error);
}

/* Nothing, a byte, noise of every size, a path that is longer than its message. */
static void garbage_from_a_worker(void **state)
{
    static const struct inq_file_policy policy = {.trust_paths = true};
    static uint8_t noise[9000];
    const size_t before = open_descriptors();
    uint32_t seed = 12345;

    (void)state;
    assert_int_equal(inq_broker_serve(ends[0], &policy), 0); /* nothing there */
    for (size_t round = 0; round < 400; round++) {
        size_t size = round < 200 ? round : (round * 7919) % sizeof(noise);

        for (size_t i = 0; i < size; i++)
            noise[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
        if (round % 2 && size > 4) /* the right first word */
            memcpy(noise, "inq1", 4);
        if (round % 4 == 3 && size > 12) { /* and a path_size beyond the end */
            noise[8] = INQ_FILE_MODULE;
            noise[9] = 0;
            noise[10] = noise[11] = 0xff;
        }
        assert_int_equal(send(ends[1], noise, size, 0), size);
        assert_int_equal(inq_broker_serve(ends[0], &policy), -1);
    }
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(inq_broker_serve(ends[0], &policy), -1);
    assert_int_equal(open_descriptors(), before - 1);
}

static void send_with_descriptors(int to, const void *bytes, size_t size, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    char copy[512];
    struct iovec iov = {.iov_base = copy, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    memcpy(copy, bytes, size);
    if (n > 0) {
        struct cmsghdr *c;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    assert_int_equal(sendmsg(to, &msg, 0), size);
}

/* A worker that pushes descriptors at its parent does not leave any there. */
static void unwanted_descriptors_are_closed(void **state)
{
    static const struct inq_file_policy policy = {0};
    const int many[7] = {0, 1, 2, 0, 1, 2, 0};

    (void)state;
    for (size_t n = 1; n <= 7; n++) {
        size_t before = open_descriptors();

        send_with_descriptors(ends[1], "inq1 and more", 13, many, n);
        assert_int_equal(inq_broker_serve(ends[0], &policy), -1);
        assert_int_equal(open_descriptors(), before);
    }
}

/* One that never reads its answers is given up, and the parent did not wait for it. */
static void a_worker_that_does_not_read(void **state)
{
    static const struct inq_file_policy policy = {0};
    /* magic seq kind id_size path_size link_size crc id[64] */
    uint8_t request[84] = "inq1\0\0\0\0\1";
    int served = 1;
    size_t sent = 0;

    (void)state;
    while (served == 1 && sent < 100000) {
        assert_int_equal(send(ends[1], request, sizeof(request), MSG_DONTWAIT), sizeof(request));
        served = inq_broker_serve(ends[0], &policy);
        sent++;
    }
    assert_int_equal(served, -1);
    assert_true(sent > INQ_BROKER_WINDOW);
}

struct wire_answer { /* as in broker.c */
    uint32_t magic, seq, status;
    char reason[128];
};

static struct inq_error *ask_with_answer(const struct wire_answer *answer, size_t size,
                                         const int *fds, size_t n, struct inq_file_reply *reply)
{
    struct inq_opener opener = inq_opener_socket(&ends[1]);
    struct inq_file_request request = {.kind = INQ_FILE_MODULE, .path = "/x"};
    struct inq_error *error;
    char drop[512];

    send_with_descriptors(ends[0], answer, size, fds, n);
    error = opener.ask(&opener, &request, 1, reply);
    while (recv(ends[0], drop, sizeof(drop), MSG_DONTWAIT) > 0)
        ;
    return error;
}

static void answers_are_checked(void **state)
{
    struct wire_answer answer = {.magic = 0x31716e69, .status = INQ_ON_DISK_MISSING};
    const size_t before = open_descriptors();
    const int fds[3] = {0, 1, 2};
    struct inq_file_reply reply;
    struct inq_error *error;

    (void)state;
    memset(answer.reason, '\033', sizeof(answer.reason)); /* no NUL, and not for a terminal */
    assert_null(ask_with_answer(&answer, sizeof(answer), fds, 1, &reply));
    assert_int_equal(reply.status, INQ_ON_DISK_MISSING);
    assert_int_equal(reply.fd, -1); /* no descriptor goes with that */
    assert_int_equal(strlen(reply.reason), sizeof(reply.reason) - 1);
    assert_int_equal(reply.reason[0], '?');
    assert_int_equal(open_descriptors(), before);

    answer.status = INQ_ON_DISK_MATCH; /* nothing was handed over */
    assert_null(ask_with_answer(&answer, sizeof(answer), NULL, 0, &reply));
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    assert_null(ask_with_answer(&answer, sizeof(answer), fds, 3, &reply));
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    assert_int_equal(open_descriptors(), before);

    for (int i = 0; i < 4; i++) {
        struct wire_answer wrong = answer;

        wrong.magic += i == 0;
        wrong.seq += i == 1;
        wrong.status = i == 2 ? 6 : wrong.status;
        error = ask_with_answer(&wrong, sizeof(wrong) - (i == 3), fds, 2, &reply);
        assert_non_null(error);
        inq_error_destroy(error);
        assert_int_equal(reply.fd, -1);
        assert_int_equal(open_descriptors(), before);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int run_broker_tests(void)
{
    const struct CMUnitTest tests[] = {
        CASE(many_questions),
        CASE(a_parent_that_is_gone),
        CASE(garbage_from_a_worker),
        CASE(unwanted_descriptors_are_closed),
        CASE(a_worker_that_does_not_read),
        CASE(answers_are_checked),
    };

    return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}

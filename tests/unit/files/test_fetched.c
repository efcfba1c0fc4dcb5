/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 8 of the policy: which servers, and what becomes of what they send. */
#include "files_tests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static void servers_that_may_be_asked(void **state)
{
    static const char *const good[] = {
        "https://debuginfod.debian.net",
        "https://debuginfod.debian.net/",
        "HTTPS://example.org:8443/x?y#z",
        "https://127.0.0.1",
        "http://127.0.0.1",
        "http://127.0.0.1:8002/",
        "http://127.9.0.255/path@x",
        "http://localhost:1",
        "http://LocalHost",
        "http://[::1]:8002/x",
        "http://[::1]",
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(good); i++)
        if (!inq_file_server_allowed(good[i], strlen(good[i])))
            fail_msg("%s is refused", good[i]);
}

static void servers_that_may_not(void **state)
{
    static const char *const bad[] = {
        "",
        "http://",
        "https://",
        "https:///x",
        "debuginfod.debian.net",
        "ftp://127.0.0.1/",
        "file:///usr/lib/debug",
        "http://example.org",
        "http://0.0.0.0/",
        "http://10.0.0.1",
        "http://127.0.0.1.example.org/",
        "http://127.0.0.1@example.org/",
        "http://127.0.0.1:80@example.org/",
        "http://127.0.0.1\\@example.org/",
        "http://127.0.0.1%2eexample.org",
        "http://127.0.0.1 http://example.org",
        "http://127.0.0.1\n",
        "http://127.0.0",
        "http://127.1",
        "http://127.0.0.256",
        "http://127.0.0.01",
        "http://0127.0.0.1",
        "http://127.0.0.1.",
        "http://2130706433",
        "http://localhost.example.org",
        "http://localhos",
        "http://[::1",
        "http://[::1]x",
        "http://[::2]/",
        "http://[::ffff:10.0.0.1]/",
        "https://user:word@example.org/",
        "https://exa\xc3\xa4mple.org/",
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(bad); i++)
        if (inq_file_server_allowed(bad[i], strlen(bad[i])))
            fail_msg("%s is allowed", bad[i]);
    /* only so many bytes of it */
    assert_false(inq_file_server_allowed("http://127.0.0.1", 15));
}

static struct inq_file_request request_for(const struct elf_shape *shape, enum inq_file_kind kind)
{
    struct inq_file_request request = {.kind = kind, .build_id_size = (uint8_t)shape->id_size};

    expect_id(shape, request.build_id);
    return request;
}

static struct inq_file_reply judge(const char *path, const struct inq_file_request *request)
{
    struct inq_file_reply reply;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    inq_file_judge_fetched(request, fd, &reply);
    if (reply.fd < 0)
        assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was taken, and closed */
    return reply;
}

static void only_the_same_build_id(void **state)
{
    const struct elf_shape shape = {.id_size = 20, .id_first = 7};
    const struct elf_shape other = {.id_size = 20, .id_first = 8}, none = {0};
    struct inq_file_request request = request_for(&shape, INQ_FILE_FETCH_DEBUG);
    struct inq_file_reply reply;
    char tree[64];

    (void)state;
    make_tree(tree);
    write_elf(in(tree, "same"), &shape);
    write_elf(in(tree, "other"), &other);
    write_elf(in(tree, "none"), &none);

    reply = judge(in(tree, "same"), &request);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    assert_true(reply.fd >= 0);
    close(reply.fd);
    assert_int_equal(judge(in(tree, "other"), &request).status, INQ_ON_DISK_MISMATCH);
    assert_int_equal(judge(in(tree, "none"), &request).status, INQ_ON_DISK_MISMATCH);
    /* what has no build-id to compare is never fetched, and so never accepted */
    request.build_id_size = 0;
    reply = judge(in(tree, "same"), &request);
    assert_int_equal(reply.fd, -1);
    /* no file at all */
    request = request_for(&shape, INQ_FILE_FETCH_MODULE);
    reply = judge(tree, &request);
    assert_int_equal(reply.fd, -1);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    remove_tree(tree);
}

static void never_without_a_fetcher(void **state)
{
    const struct elf_shape shape = {.id_size = 20};
    const struct inq_file_policy policy = {0};
    struct inq_file_request request = request_for(&shape, INQ_FILE_FETCH_DEBUG);
    struct inq_file_reply reply;

    (void)state;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISSING);
    assert_int_equal(reply.fd, -1);
    request.kind = INQ_FILE_FETCH_MODULE;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISSING);
    assert_int_equal(reply.fd, -1);
}

int run_fetched_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_may_be_asked),
        cmocka_unit_test(servers_that_may_not),
        cmocka_unit_test(only_the_same_build_id),
        cmocka_unit_test(never_without_a_fetcher),
    };

    return cmocka_run_group_tests_name("fetched", tests, NULL, NULL);
}

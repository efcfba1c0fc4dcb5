/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "metadata.h"

static char tree[64];

static void make_dirs(const char *path)
{
    char buf[256];

    snprintf(buf, sizeof(buf), "%s", path);
    for (char *p = buf + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            assert_true(mkdir(buf, 0755) == 0 || errno == EEXIST);
            *p = '/';
        }
    assert_true(mkdir(buf, 0755) == 0 || errno == EEXIST);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    make_tree(tree);
    make_dirs(in(tree, "site-packages/a-1.dist-info"));
    make_dirs(in(tree, "site-packages/evil-1.dist-info"));
    make_dirs(in(tree, "site-packages/.hidden.dist-info"));
    make_dirs(in(tree, "site-packages/package"));
    make_dirs(in(tree, "conda-meta"));
    make_dirs(in(tree, "var/lib/dpkg/info"));
    make_dirs(in(tree, "etc"));
    write_text(in(tree, "site-packages/a-1.dist-info/RECORD"), "a/__init__.py,,\n");
    write_text(in(tree, "site-packages/a-1.dist-info/secret"), "secret\n");
    write_text(in(tree, "site-packages/package/__init__.py"), "x = 1\n");
    write_text(in(tree, "conda-meta/openssl-3.2.1-h_1.json"), "{}\n");
    write_text(in(tree, "conda-meta/history"), "");
    write_text(in(tree, "var/lib/dpkg/status"), "Package: a\n");
    write_text(in(tree, "var/lib/dpkg/info/a.list"), "/a\n");
    write_text(in(tree, "var/lib/dpkg/info/a.postinst"), "#!/bin/sh\n");
    write_text(in(tree, "etc/shadow"), "root:x\n");
    assert_int_equal(symlink("/etc/shadow", in(tree, "site-packages/evil-1.dist-info/RECORD")), 0);
    assert_int_equal(symlink("../../../../../../../../etc/passwd",
                             in(tree, "site-packages/evil-1.dist-info/METADATA")),
                     0);
    assert_int_equal(
        symlink("../a-1.dist-info/RECORD", in(tree, "site-packages/evil-1.dist-info/INSTALLER")),
        0);
    assert_int_equal(mkfifo(in(tree, "site-packages/evil-1.dist-info/WHEEL"), 0644), 0);
    assert_int_equal(symlink("package/__init__.py", in(tree, "site-packages/link.py")), 0);
    assert_int_equal(symlink("/etc/shadow", in(tree, "site-packages/shadow.py")), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(tree);
    return 0;
}

static void expect(const struct inq_file_policy *policy, enum inq_file_kind kind, const char *path,
                   enum inq_on_disk status)
{
    struct inq_file_request request = {.kind = kind, .path = path};
    struct inq_file_reply reply;

    inq_file_open(policy, &request, &reply);
    if (reply.status != status || (reply.fd >= 0) != (status == INQ_ON_DISK_MATCH))
        fail_msg("%s: %s (%s), wanted %s", path, inq_on_disk_name(reply.status), reply.reason,
                 inq_on_disk_name(status));
    if (reply.fd >= 0)
        close(reply.fd);
}

/* A name of known shape opens that file, and no other name opens anything. */
static void shapes_decide(void **state)
{
    const struct inq_file_policy policy = {.sysroot = tree};
    static const char *const refused[] = {"/etc/shadow",
                                          "/site-packages/a-1.dist-info/secret",
                                          "/site-packages/package/__init__.py",
                                          "/var/lib/dpkg/info/a.postinst",
                                          "/conda-meta/history",
                                          "/site-packages/a-1.dist-info/../../etc/shadow",
                                          "/etc/../site-packages/a-1.dist-info/RECORD",
                                          ""};

    (void)state;
    expect(&policy, INQ_FILE_METADATA, "/site-packages/a-1.dist-info/RECORD", INQ_ON_DISK_MATCH);
    expect(&policy, INQ_FILE_METADATA, "/conda-meta/openssl-3.2.1-h_1.json", INQ_ON_DISK_MATCH);
    expect(&policy, INQ_FILE_METADATA, "/var/lib/dpkg/status", INQ_ON_DISK_MATCH);
    expect(&policy, INQ_FILE_METADATA, "/var/lib/dpkg/info/a.list", INQ_ON_DISK_MATCH);
    expect(&policy, INQ_FILE_METADATA, "/var/lib/dpkg/info/b.list", INQ_ON_DISK_MISSING);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        expect(&policy, INQ_FILE_METADATA, refused[i], INQ_ON_DISK_REFUSED);
}

/* A link inside may lead to another such file, but to nothing else; a FIFO is never opened. */
static void links_keep_the_shape(void **state)
{
    const struct inq_file_policy policy = {.sysroot = tree};
    const char *evil = "/site-packages/evil-1.dist-info/";
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%sRECORD", evil);
    expect(&policy, INQ_FILE_METADATA, path, INQ_ON_DISK_REFUSED);
    snprintf(path, sizeof(path), "%sMETADATA", evil);
    expect(&policy, INQ_FILE_METADATA, path, INQ_ON_DISK_MISSING); /* its ../ stay in the root */
    snprintf(path, sizeof(path), "%sINSTALLER", evil);
    expect(&policy, INQ_FILE_METADATA, path, INQ_ON_DISK_MATCH);
    snprintf(path, sizeof(path), "%sWHEEL", evil);
    expect(&policy, INQ_FILE_METADATA, path, INQ_ON_DISK_REFUSED);
}

static void sizes_are_bounded(void **state)
{
    const struct inq_file_policy policy = {.sysroot = tree};
    const char *path = in(tree, "site-packages/a-1.dist-info/METADATA");

    (void)state;
    write_text(path, "Name: a\n");
    assert_int_equal(truncate(path, (off_t)INQ_MAX_METADATA_BYTES), 0);
    expect(&policy, INQ_FILE_METADATA, "/site-packages/a-1.dist-info/METADATA", INQ_ON_DISK_MATCH);
    assert_int_equal(truncate(path, (off_t)INQ_MAX_METADATA_BYTES + 1), 0);
    expect(&policy, INQ_FILE_METADATA, "/site-packages/a-1.dist-info/METADATA",
           INQ_ON_DISK_REFUSED);
}

/* Scripts only where the user named the folder as an environment. */
static void scripts_need_leave(void **state)
{
    const struct inq_file_policy plain = {.sysroot = tree};
    const struct inq_file_policy prefix = {.sysroot = tree, .scripts = true};
    const struct inq_file_policy no_root = {.scripts = true};

    (void)state;
    expect(&plain, INQ_FILE_SCRIPT, "/site-packages/package/__init__.py", INQ_ON_DISK_REFUSED);
    expect(&no_root, INQ_FILE_SCRIPT, in(tree, "site-packages/package/__init__.py"),
           INQ_ON_DISK_REFUSED);
    expect(&prefix, INQ_FILE_SCRIPT, "/site-packages/package/__init__.py", INQ_ON_DISK_MATCH);
    expect(&prefix, INQ_FILE_SCRIPT, "/site-packages/link.py", INQ_ON_DISK_MATCH);
    expect(&prefix, INQ_FILE_SCRIPT, "/site-packages/shadow.py", INQ_ON_DISK_REFUSED);
    expect(&prefix, INQ_FILE_SCRIPT, "/etc/shadow", INQ_ON_DISK_REFUSED);
}

static void expect_listing(const struct inq_file_policy *policy, const char *path,
                           const char *const *names, size_t n)
{
    struct inq_file_request request = {.kind = INQ_FILE_LISTING, .path = path};
    struct inq_file_reply reply;
    size_t seen = 0;
    char buf[512];
    ssize_t size;

    inq_file_open(policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    size = pread(reply.fd, buf, sizeof(buf), 0);
    assert_true(size >= 0);
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(buf + at) + 1) {
        bool known = false;

        for (size_t i = 0; i < n; i++)
            known |= !strcmp(buf + at, names[i]);
        if (!known)
            fail_msg("%s lists %s", path, buf + at);
        seen++;
    }
    if (seen != n)
        fail_msg("%s lists %zu names, wanted %zu", path, seen, n);
    /* nobody can change it on its way */
    assert_int_equal(write(reply.fd, "x", 1), -1);
    assert_int_equal(ftruncate(reply.fd, 4096), -1);
    close(reply.fd);
}

/* A listing gives away the names of metadata, whatever else the folder holds. */
static void listings_are_narrow(void **state)
{
    const struct inq_file_policy policy = {.sysroot = tree};
    static const char *const dists[] = {"a-1.dist-info", "evil-1.dist-info"};
    static const char *const packages[] = {"openssl-3.2.1-h_1.json"};
    static const char *const lists[] = {"a.list"};
    char folder[128];
    const struct inq_file_policy inside = {.sysroot = folder};

    (void)state;
    snprintf(folder, sizeof(folder), "%s/site-packages", tree);
    expect_listing(&policy, "/site-packages", dists, 2);
    expect_listing(&policy, "/site-packages/", dists, 2);
    expect_listing(&inside, "/", dists, 2);
    expect_listing(&policy, "/conda-meta", packages, 1);
    expect_listing(&policy, "/var/lib/dpkg/info", lists, 1);
    expect_listing(&policy, "/etc", NULL, 0);
    expect(&policy, INQ_FILE_LISTING, "/nowhere", INQ_ON_DISK_MISSING);
    expect(&policy, INQ_FILE_LISTING, "/etc/shadow", INQ_ON_DISK_REFUSED);
    expect(&(struct inq_file_policy){0}, INQ_FILE_LISTING, "/proc/self/fd", INQ_ON_DISK_REFUSED);
}

int run_metadata_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shapes_decide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_keep_the_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scripts_need_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(listings_are_narrow, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}

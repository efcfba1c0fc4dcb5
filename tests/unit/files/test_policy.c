/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32.h"
#include "root.h"

static const struct elf_shape good = {.id_size = 20, .id_first = 0x10};
static const struct elf_shape other = {.id_size = 20, .id_first = 0x80};
static const struct elf_shape bare = {.id_size = 0};

static char tree[64]; /* the "running system": paths in it are asked under the default root */
static char root[80]; /* a sysroot in it */

static void touch_link(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

static void make_dirs(const char *path)
{
    char buf[256];

    snprintf(buf, sizeof(buf), "%s", path);
    for (char *p = buf + 1;; p++) {
        if (*p == '/' || *p == '\0') {
            char end = *p;

            *p = '\0';
            assert_true(mkdir(buf, 0755) == 0 || errno == EEXIST);
            *p = end;
            if (end == '\0')
                break;
        }
    }
}

/* `level`: 0 with openat2, 1 by walking, 2 without /proc as well. */
static void build_tree(int level)
{
    make_tree(tree);
    snprintf(root, sizeof(root), "%s/root", tree);
    make_dirs(in(root, "usr/lib/x86_64"));
    make_dirs(in(root, "etc"));
    make_dirs(in(root, "home/user"));
    make_dirs(in(tree, "debug/.build-id/10"));
    make_dirs(in(tree, "debug/opt"));
    write_elf(in(tree, "good.so"), &good);
    write_elf(in(tree, "other.so"), &other);
    write_elf(in(tree, "bare.so"), &bare);
    write_elf(in(root, "usr/lib/x86_64/libreal.so.1.2"), &good);
    write_elf(in(root, "home/user/prog"), &good);
    write_elf(in(root, "home/user/bare"), &bare);
    write_elf(in(tree, "debug/.build-id/10/1112131415161718191a1b1c1d1e1f20212223.debug"), &good);
    touch_link("good.so", in(tree, "link.so"));
    touch_link("/etc/shadow", in(tree, "shadow"));
    touch_link("/proc", in(tree, "proc"));
    touch_link("loop", in(tree, "loop"));
    touch_link("/usr/lib/x86_64/libreal.so.1.2", in(root, "usr/lib/libabs.so"));
    touch_link("../../../../usr/lib/x86_64/libreal.so.1.2", in(root, "usr/lib/libup.so"));
    touch_link("/etc/shadow", in(root, "etc/shadow-link"));
    touch_link("usr/lib", in(root, "lib"));
    assert_int_equal(mkfifo(in(tree, "fifo"), 0644), 0);
    inq_root_pretend_old_kernel(level);
}

static int set_up(void **state)
{
    build_tree(*(const int *)*state);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    inq_root_pretend_old_kernel(0);
    remove_tree(tree);
    return 0;
}

static struct inq_file_reply ask(const struct inq_file_policy *policy, enum inq_file_kind kind,
                                 const char *path, const struct elf_shape *id)
{
    struct inq_file_request request = {.kind = kind, .path = path};
    struct inq_file_reply reply;

    if (id) {
        request.build_id_size = (uint8_t)id->id_size;
        expect_id(id, request.build_id);
    }
    inq_file_open(policy, &request, &reply);
    assert_true(memchr(reply.reason, '\0', sizeof(reply.reason)) != NULL);
    for (const char *p = reply.reason; *p; p++)
        assert_true(*p >= ' ' && *p <= '~');
    if (reply.status == INQ_ON_DISK_MATCH) {
        assert_true(reply.fd >= 0);
        assert_string_equal(reply.reason, "");
    }
    return reply;
}

/* The answer, its descriptor closed; what it must be. */
static void expect(const struct inq_file_policy *policy, const char *path,
                   const struct elf_shape *id, enum inq_on_disk status, bool with_file,
                   const char *reason)
{
    struct inq_file_reply reply = ask(policy, INQ_FILE_MODULE, path, id);

    if (reply.status != status || (reply.fd >= 0) != with_file ||
        (reason && !strstr(reply.reason, reason)))
        fail_msg("%s: %s, %s file, \"%s\"; wanted %s, \"%s\"", path, inq_on_disk_name(reply.status),
                 reply.fd >= 0 ? "a" : "no", reply.reason, inq_on_disk_name(status),
                 reason ? reason : "");
    if (reply.fd >= 0)
        close(reply.fd);
}

static void the_build_id_decides(void **state)
{
    static const struct inq_file_policy policy = {0};
    struct inq_file_reply reply;
    struct stat st, direct;

    (void)state;
    reply = ask(&policy, INQ_FILE_MODULE, in(tree, "good.so"), &good);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    assert_int_equal(fstat(reply.fd, &st), 0);
    assert_int_equal(stat(in(tree, "good.so"), &direct), 0);
    assert_int_equal(st.st_ino, direct.st_ino);
    assert_int_equal(fcntl(reply.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(reply.fd, F_GETFL) & O_PATH, 0);
    assert_true(fcntl(reply.fd, F_GETFD) & FD_CLOEXEC);
    close(reply.fd);

    expect(&policy, in(tree, "link.so"), &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, in(tree, "root/../good.so"), &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, in(tree, "other.so"), &good, INQ_ON_DISK_MISMATCH, false,
           "build-id here is 808182838485.., in the dump 101112131415..");
    expect(&policy, in(tree, "bare.so"), &good, INQ_ON_DISK_MISMATCH, false, "has no build-id");
    expect(&policy, in(tree, "nothing"), &good, INQ_ON_DISK_MISSING, false, "no such file");
    expect(&policy, in(tree, "good.so/x"), &good, INQ_ON_DISK_MISSING, false, "no such file");
}

static void without_a_build_id_the_place_decides(void **state)
{
    const struct inq_file_policy plain = {0}, trusting = {.trust_paths = true};
    const struct inq_file_policy sysroot = {.sysroot = root};

    (void)state;
    expect(&plain, in(tree, "good.so"), NULL, INQ_ON_DISK_UNVERIFIED, false, "no build-id");
    expect(&plain, in(tree, "nothing"), NULL, INQ_ON_DISK_MISSING, false, NULL);
    /* Not even read: else it would be known that this is no ELF file. */
    expect(&plain, "/etc/passwd", NULL, INQ_ON_DISK_UNVERIFIED, false, "no build-id");
    expect(&trusting, in(tree, "good.so"), NULL, INQ_ON_DISK_UNVERIFIED, true, NULL);
    expect(&sysroot, "/home/user/prog", NULL, INQ_ON_DISK_UNVERIFIED, true, NULL);
    expect(&sysroot, "/home/user/bare", NULL, INQ_ON_DISK_UNVERIFIED, true, NULL);
    expect(&trusting, "/etc/passwd", NULL, INQ_ON_DISK_REFUSED, false, "not an ELF file");
    expect(&trusting, "/etc/passwd", &good, INQ_ON_DISK_MISMATCH, false, "not an ELF file");
}

/* Where the dump holds no build-id, but how the file begins. */
static void the_first_page_stands_in_for_a_build_id(void **state)
{
    const struct inq_file_policy policy = {0};
    uint8_t head[INQ_MAX_FILE_HEAD] = {0};
    struct inq_file_request request = {.kind = INQ_FILE_MODULE, .path = in(tree, "bare.so")};
    struct inq_file_reply reply;
    int fd = open(request.path, O_RDWR | O_CLOEXEC);
    ssize_t size;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, INQ_MAX_FILE_HEAD), 0);
    size = pread(fd, head, sizeof(head), 0);
    assert_int_equal(size, sizeof(head));
    close(fd);
    request.head = head;
    request.head_size = sizeof(head);
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    assert_true(reply.fd >= 0);
    close(reply.fd);

    head[sizeof(head) - 1] ^= 1;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISMATCH);
    assert_int_equal(reply.fd, -1);

    request.path = "/etc/passwd"; /* no ELF file: not even compared */
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    assert_int_equal(reply.fd, -1);
}

static void only_regular_files(void **state)
{
    static const struct inq_file_policy policy = {.trust_paths = true};

    (void)state;
    expect(&policy, in(tree, "fifo"), NULL, INQ_ON_DISK_REFUSED, false, "a FIFO");
    expect(&policy, in(tree, "debug"), NULL, INQ_ON_DISK_REFUSED, false, "a directory");
    expect(&policy, in(tree, "debug/."), NULL, INQ_ON_DISK_REFUSED, false, "directory");
    expect(&policy, "/", NULL, INQ_ON_DISK_REFUSED, false, "directory");
    expect(&policy, in(tree, "loop"), NULL, INQ_ON_DISK_REFUSED, false, "symbolic links");
    expect(&policy, in(tree, "root/../../../dev/zero"), NULL, INQ_ON_DISK_REFUSED, false, NULL);
}

static void names_that_are_no_files(void **state)
{
    static const struct inq_file_policy policy = {.trust_paths = true};
    static const char *const names[] = {"/dev/zero",
                                        "/dev/stdin",
                                        "/dev/random",
                                        "/proc/self/mem",
                                        "/proc/kmsg",
                                        "//proc/kmsg",
                                        "/./proc/1/mem",
                                        "/.//./dev/tty",
                                        "/sys/power/state",
                                        "/proc",
                                        "",
                                        "relative.so",
                                        "./x.so",
                                        "../../etc/shadow",
                                        "[vdso]",
                                        "anon_inode:[eventfd]"};
    char long_name[PATH_MAX + 8];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect(&policy, names[i], NULL, INQ_ON_DISK_REFUSED, false, NULL);
    expect(&policy, NULL, NULL, INQ_ON_DISK_REFUSED, false, "no name");
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[0] = '/';
    long_name[sizeof(long_name) - 1] = '\0';
    expect(&policy, long_name, NULL, INQ_ON_DISK_REFUSED, false, "longer");
    long_name[PATH_MAX - 2] = '\0'; /* as long as it may be: one component is too long */
    expect(&policy, long_name, NULL, INQ_ON_DISK_REFUSED, false, "longer");
}

/* A link leads to proc; its name does not say so, its file system does. */
static void proc_is_refused_by_what_it_is(void **state)
{
    static const struct inq_file_policy policy = {.trust_paths = true};

    (void)state;
    expect(&policy, in(tree, "proc/version"), NULL, INQ_ON_DISK_REFUSED, false, "proc");
    expect(&policy, in(tree, "proc/self/exe"), NULL, INQ_ON_DISK_REFUSED, false, NULL);
    expect(&policy, in(tree, "root/../proc/self/mem"), NULL, INQ_ON_DISK_REFUSED, false, NULL);
}

static void secrets_stay_closed(void **state)
{
    const struct inq_file_policy policy = {.trust_paths = true}, sysroot = {.sysroot = root};
    struct stat st;

    (void)state;
    /* Inside a sysroot these names mean files of the sysroot, and there are none. */
    expect(&sysroot, "/etc/shadow", NULL, INQ_ON_DISK_MISSING, false, NULL);
    expect(&sysroot, "../../../../../../etc/shadow", NULL, INQ_ON_DISK_MISSING, false, NULL);
    expect(&sysroot, "/etc/shadow-link", NULL, INQ_ON_DISK_MISSING, false, NULL);
    if (stat("/etc/shadow", &st) < 0 || (st.st_mode & S_IROTH)) {
        print_message("skipped: no /etc/shadow that is closed to others\n");
        return;
    }
    expect(&policy, "/etc/shadow", NULL, INQ_ON_DISK_REFUSED, false, NULL);
    expect(&policy, in(tree, "shadow"), NULL, INQ_ON_DISK_REFUSED, false, NULL);
    expect(&policy, "/etc/../etc/shadow", &good, INQ_ON_DISK_REFUSED, false, NULL);
}

/* As root nothing is read that the one who crashed could not have read. */
static void root_reads_what_everyone_may(void **state)
{
    static const struct inq_file_policy policy = {0};
    const struct inq_file_policy sysroot = {.sysroot = tree};

    (void)state;
    assert_int_equal(chmod(in(tree, "good.so"), 0600), 0);
    if (geteuid() != 0) {
        assert_int_equal(chmod(in(tree, "good.so"), 0), 0);
        expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_REFUSED, false, "permission");
    } else {
        expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_REFUSED, false, "everyone");
        expect(&sysroot, "/good.so", &good, INQ_ON_DISK_MATCH, true, "");
        assert_int_equal(chmod(in(tree, "good.so"), 0700), 0); /* a program of root's */
        expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_MATCH, true, "");
        assert_int_equal(chown(in(tree, "good.so"), 65534, 65534), 0);
        expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_REFUSED, false, "everyone");
        /* "/" is the running system, however it is named; another folder is the user's word */
        const char *const slash[] = {"/"}, *const named[] = {tree};

        expect(&(struct inq_file_policy){.debug_dirs = slash, .n_debug_dirs = 1},
               in(tree, "good.so"), &good, INQ_ON_DISK_REFUSED, false, "--debug-dir");
        expect(&(struct inq_file_policy){.sysroot = "/"}, in(tree, "good.so"), &good,
               INQ_ON_DISK_REFUSED, false, "everyone");
        expect(&(struct inq_file_policy){.debug_dirs = named, .n_debug_dirs = 1},
               "/nowhere/good.so", &good, INQ_ON_DISK_MATCH, true, "");
    }
}

static void links_stay_in_the_sysroot(void **state)
{
    const struct inq_file_policy policy = {.sysroot = root};

    (void)state;
    expect(&policy, "/usr/lib/x86_64/libreal.so.1.2", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/usr/lib/libabs.so", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/usr/lib/libup.so", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/lib/x86_64/libreal.so.1.2", &good, INQ_ON_DISK_MATCH, true, "");
    /* Relative names count from the sysroot. */
    expect(&policy, "home/user/prog", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, ".//////home/user///prog", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "../home/user/prog", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/home/user/prog", &other, INQ_ON_DISK_MISMATCH, false, NULL);
    /* What lies outside is not there. */
    expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_MISSING, false, NULL);
    expect(&(struct inq_file_policy){.sysroot = "/nowhere/at/all"}, "/x", &good,
           INQ_ON_DISK_REFUSED, false, "--sysroot");
}

/* One machine says /lib, the other /usr/lib, and the sysroot has only one of them. */
static void lib_and_usr_lib_are_one(void **state)
{
    const struct inq_file_policy policy = {.sysroot = root};

    (void)state;
    assert_int_equal(unlink(in(root, "lib")), 0);
    expect(&policy, "/lib/x86_64/libreal.so.1.2", &good, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/library/x86_64/libreal.so.1.2", &good, INQ_ON_DISK_MISSING, false, NULL);
    make_dirs(in(root, "lib64"));
    write_elf(in(root, "lib64/libold.so"), &good);
    expect(&policy, "/usr/lib64/libold.so", &good, INQ_ON_DISK_MATCH, true, "");
}

static void too_large_is_refused(void **state)
{
    static const struct inq_file_policy policy = {0};

    (void)state;
    assert_int_equal(truncate(in(tree, "good.so"), (3ll << 30)), 0);
    expect(&policy, in(tree, "good.so"), &good, INQ_ON_DISK_REFUSED, false, "2 GiB");
}

/* .gnu_debuglink: by name, where gdb looks too; by build-id where both have one, else by its sum.
 */
static void debug_links(void **state)
{
    static const uint8_t check[] = "123456789";
    const char *dirs[] = {in(tree, "debug")};
    struct inq_file_policy policy = {.debug_dirs = dirs, .n_debug_dirs = 1};
    struct inq_file_request request = {.kind = INQ_FILE_DEBUG_LINK, .link = "good.debug"};
    struct inq_file_reply reply;
    char module[128];
    uint32_t crc;
    int fd;

    (void)state;
    assert_int_equal(inq_crc32(0, check, 9), 0xcbf43926); /* the check value of this CRC */
    assert_int_equal(inq_crc32(inq_crc32(0, check, 4), check + 4, 5), 0xcbf43926);
    snprintf(module, sizeof(module), "%s", in(tree, "good.so"));
    request.path = module;
    request.build_id_size = (uint8_t)good.id_size;
    expect_id(&good, request.build_id);

    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISSING);
    make_dirs(in(tree, ".debug"));
    write_elf(in(tree, ".debug/good.debug"), &good);
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    write_elf(in(tree, "good.debug"), &other); /* beside it, but another's: the next one is taken */
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    assert_int_equal(unlink(in(tree, ".debug/good.debug")), 0);
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISMATCH);
    assert_int_equal(reply.fd, -1);

    /* without a build-id on either side the sum decides */
    write_elf(in(tree, "good.debug"), &bare);
    fd = open(in(tree, "good.debug"), O_RDONLY | O_CLOEXEC);
    assert_true(inq_crc32_file(fd, 1 << 20, &crc));
    assert_false(inq_crc32_file(fd, 10, &crc));
    close(fd);
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISMATCH);
    request.crc = crc;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);

    /* names that are none, and what is no regular file */
    static const char *const bad[] = {"",    ".",           "..", "../good.debug", "/etc/shadow",
                                      "a/b", "good.debug/", NULL};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        request.link = bad[i];
        inq_file_open(&policy, &request, &reply);
        assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
        assert_int_equal(reply.fd, -1);
    }
    request.link = "fifo";
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    request.link = "good.debug";
    request.path = "relative.so";
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);

    /* of the program that the user named: below its own directory alone */
    request.path = NULL;
    policy.executable = module;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
}

/* .gnu_debugaltlink: below the trees, whatever the name says of where it is. */
static void debug_alternates(void **state)
{
    const char *dirs[] = {in(tree, "debug")};
    const struct inq_file_policy policy = {.debug_dirs = dirs, .n_debug_dirs = 1};
    struct inq_file_request request = {.kind = INQ_FILE_DEBUG_ALT};
    struct inq_file_reply reply;
    char absolute[128];

    (void)state;
    request.build_id_size = (uint8_t)other.id_size;
    expect_id(&other, request.build_id);
    make_dirs(in(tree, "debug/.dwz"));
    write_elf(in(tree, "debug/.dwz/common"), &other);
    write_elf(in(tree, "outside"), &other);
    snprintf(absolute, sizeof(absolute), "%s", in(tree, "debug/.dwz/common"));
    const struct {
        const char *name;
        bool found;
    } names[] = {
        {"../../../.dwz/common", true},
        {".dwz/common", true},
        {absolute, true},
        {"../outside", false},
        {".dwz/../../outside", false},
        {"", false},
        {"../../fifo", false},
        {"nowhere", false},
        {NULL, false},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        request.path = names[i].name;
        inq_file_open(&policy, &request, &reply);
        assert_int_equal(reply.status == INQ_ON_DISK_MATCH, names[i].found);
        if (reply.fd >= 0)
            close(reply.fd);
    }
    expect_id(&good, request.build_id);
    request.path = ".dwz/common";
    inq_file_open(&policy, &request, &reply); /* that id is found by itself */
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    request.build_id[0] ^= 1;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_MISMATCH);
    request.build_id_size = 0;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.fd, -1);
}

static void debug_directories(void **state)
{
    const char *dirs[] = {in(tree, "nowhere"), in(tree, "debug")};
    const struct inq_file_policy policy = {.debug_dirs = dirs, .n_debug_dirs = 2}, none = {0};
    struct elf_shape shape = good;
    struct inq_file_reply reply;

    (void)state;
    reply = ask(&policy, INQ_FILE_DEBUG, NULL, &good);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    assert_int_equal(ask(&none, INQ_FILE_DEBUG, NULL, &good).status, INQ_ON_DISK_MISSING);
    assert_int_equal(ask(&policy, INQ_FILE_DEBUG, NULL, &other).status, INQ_ON_DISK_MISSING);
    assert_int_equal(ask(&policy, INQ_FILE_DEBUG, NULL, NULL).status, INQ_ON_DISK_MISSING);

    /* Right place, wrong content. */
    write_elf(in(tree, "debug/.build-id/10/1112131415161718191a1b1c1d1e1f20212223.debug"), &other);
    assert_int_equal(ask(&policy, INQ_FILE_DEBUG, NULL, &good).status, INQ_ON_DISK_MISMATCH);

    /* Modules: by build-id, by whole path, by last component. */
    shape.id_first = 0x10;
    touch_link("../../../good.so",
               in(tree, "debug/.build-id/10/1112131415161718191a1b1c1d1e1f20212223"));
    expect(&policy, "/gone/libgone.so", &good, INQ_ON_DISK_MATCH, true, "");
    write_elf(in(tree, "debug/opt/libother.so"), &other);
    expect(&policy, "/opt/libother.so", &other, INQ_ON_DISK_MATCH, true, "");
    write_elf(in(tree, "debug/libflat.so"), &other);
    expect(&policy, "/deep/down/libflat.so", &other, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/opt/../../../good.so", &shape, INQ_ON_DISK_MATCH, true, "");
    expect(&policy, "/deep/down/libflat.so", NULL, INQ_ON_DISK_MISSING, false, NULL);
}

static void the_executable_is_the_users_word(void **state)
{
    const char *path = in(tree, "link.so");
    struct inq_file_policy policy = {.executable = path};
    struct inq_file_reply reply;

    (void)state;
    reply = ask(&policy, INQ_FILE_EXECUTABLE, NULL, &good);
    assert_int_equal(reply.status, INQ_ON_DISK_MATCH);
    close(reply.fd);
    assert_int_equal(ask(&policy, INQ_FILE_EXECUTABLE, NULL, &other).status, INQ_ON_DISK_MISMATCH);
    reply = ask(&policy, INQ_FILE_EXECUTABLE, NULL, NULL);
    assert_int_equal(reply.status, INQ_ON_DISK_UNVERIFIED);
    assert_true(reply.fd >= 0);
    close(reply.fd);
    policy.executable = in(tree, "fifo");
    reply = ask(&policy, INQ_FILE_EXECUTABLE, NULL, NULL);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    assert_non_null(strstr(reply.reason, "FIFO"));
    policy.executable = in(tree, "nothing");
    assert_int_equal(ask(&policy, INQ_FILE_EXECUTABLE, NULL, NULL).status, INQ_ON_DISK_MISSING);
    policy.executable = NULL;
    assert_int_equal(ask(&policy, INQ_FILE_EXECUTABLE, NULL, NULL).status, INQ_ON_DISK_MISSING);
}

static void requests_that_make_no_sense(void **state)
{
    static const struct inq_file_policy policy = {0};
    struct inq_file_request request = {.kind = 77, .path = "/x"};
    struct inq_opener none = inq_opener_none(), direct = inq_opener_direct(&policy);
    struct inq_file_reply reply;

    (void)state;
    inq_file_open(&policy, &request, &reply);
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    request.kind = INQ_FILE_MODULE;
    request.build_id_size = 255;
    assert_null(direct.ask(&direct, &request, 1, &reply));
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    request.build_id_size = 0;
    assert_null(none.ask(&none, &request, 1, &reply));
    assert_int_equal(reply.status, INQ_ON_DISK_REFUSED);
    assert_int_equal(reply.fd, -1);
}

#define CASE(f)                                                                                    \
    {                                                                                              \
#f, f, set_up, tear_down, NULL                                                             \
    }

int run_policy_tests(void)
{
    static const char *const names[] = {"policy", "policy without openat2",
                                        "policy without openat2 and /proc"};
    int failures = 0;

    for (int level = 0; level < 3; level++) {
        struct CMUnitTest tests[] = {
            CASE(the_build_id_decides),
            CASE(without_a_build_id_the_place_decides),
            CASE(the_first_page_stands_in_for_a_build_id),
            CASE(only_regular_files),
            CASE(names_that_are_no_files),
            CASE(proc_is_refused_by_what_it_is),
            CASE(secrets_stay_closed),
            CASE(root_reads_what_everyone_may),
            CASE(links_stay_in_the_sysroot),
            CASE(lib_and_usr_lib_are_one),
            CASE(too_large_is_refused),
            CASE(debug_directories),
            CASE(debug_links),
            CASE(debug_alternates),
            CASE(the_executable_is_the_users_word),
            CASE(requests_that_make_no_sense),
        };

        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
            tests[i].initial_state = &level;
        failures += cmocka_run_group_tests_name(names[level], tests, NULL, NULL);
    }
    return failures;
}

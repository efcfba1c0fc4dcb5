/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "crc32.h"
#include "io.h"
#include "metadata.h"
#include "policy_parts.h"
#include "root.h"

#define DEBUG_DIR "/usr/lib/debug"
/* A debug file that must be read from end to end to know that it is the right one. */
#define MAX_CRC_BYTES (256u * INQ_MIB)

/* One request while its candidates are tried. */
struct attempt {
    const struct inq_file_policy *policy;
    const struct inq_file_request *request;
    struct inq_file_reply *reply; /* the best answer so far */
};

/* What a candidate may be used for when the dump holds no build-id to compare with. */
enum trust {
    TRUST_BUILD_ID, /* nothing else will do */
    TRUST_PATH,     /* the user vouched for the place */
    TRUST_CRC,      /* the module holds a check sum of this file */
};

const char *inq_on_disk_name(enum inq_on_disk on_disk)
{
    switch (on_disk) {
    case INQ_ON_DISK_MATCH:
        return "match";
    case INQ_ON_DISK_MISMATCH:
        return "mismatch";
    case INQ_ON_DISK_MISSING:
        return "missing";
    case INQ_ON_DISK_REFUSED:
        return "refused";
    case INQ_ON_DISK_UNVERIFIED:
        return "unverified";
    case INQ_ON_DISK_UNKNOWN:
        break;
    }
    return NULL;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* Which of two answers that give no file says more. */
static int weight(enum inq_on_disk status)
{
    switch (status) {
    case INQ_ON_DISK_UNVERIFIED:
        return 4;
    case INQ_ON_DISK_MISMATCH:
        return 3;
    case INQ_ON_DISK_REFUSED:
        return 2;
    case INQ_ON_DISK_MISSING:
        return 1;
    default:
        return 0;
    }
}

/* Notes an answer without a file, unless an earlier candidate gave a better one. */
static void answer_no(struct attempt *a, enum inq_on_disk status, const char *reason)
{
    if (weight(status) <= weight(a->reply->status))
        return;
    a->reply->status = status;
    snprintf(a->reply->reason, sizeof(a->reply->reason), "%s", reason);
}

static bool answer_file(struct attempt *a, enum inq_on_disk status, int fd, const char *reason)
{
    a->reply->status = status;
    a->reply->fd = fd;
    snprintf(a->reply->reason, sizeof(a->reply->reason), "%s", reason);
    return true;
}

/* The first six bytes in hex: enough to tell two apart, short enough for a sentence. */
static const char *short_id(char buf[16], const uint8_t *id, size_t size)
{
    size_t n = size < 6 ? size : 6;

    for (size_t i = 0; i < n; i++)
        snprintf(buf + 2 * i, 3, "%02x", id[i]);
    if (n < size)
        memcpy(buf + 2 * n, "..", 3);
    return buf;
}

/* For want of build-ids to compare. Takes fd. */
static bool judge_by_crc(struct attempt *a, int fd_taken)
{
    _cleanup_close_ int fd = fd_taken;
    uint32_t crc;

    if (!inq_crc32_file(fd, MAX_CRC_BYTES, &crc)) {
        answer_no(a, INQ_ON_DISK_REFUSED, "without a build-id, and too large to sum up");
        return false;
    }
    if (crc != a->request->crc) {
        answer_no(a, INQ_ON_DISK_MISMATCH, "its check sum is not the one that the module names");
        return false;
    }
    return answer_file(a, INQ_ON_DISK_MATCH, TAKE_FD(fd), "");
}

/* For want of a build-id in the dump: by the first page. Takes fd. */
static bool judge_by_head(struct attempt *a, int fd_taken)
{
    _cleanup_close_ int fd = fd_taken;
    uint8_t here[INQ_MAX_FILE_HEAD];
    size_t size = a->request->head_size;

    if (inq_pread_full(fd, here, size, 0) != (ssize_t)size) {
        answer_no(a, INQ_ON_DISK_MISMATCH, "it is shorter than what the dump has of it");
        return false;
    }
    if (memcmp(here, a->request->head, size) != 0) {
        answer_no(a, INQ_ON_DISK_MISMATCH, "its first page is not the one in the dump");
        return false;
    }
    return answer_file(a, INQ_ON_DISK_MATCH, TAKE_FD(fd), "");
}

/*
 * The last word: the build-id read from this very descriptor. Takes fd. True when it was handed out
 * and nothing more need be tried.
 */
static bool judge_open_file(struct attempt *a, int fd_taken, enum trust trust)
{
    _cleanup_close_ int fd = fd_taken;
    const struct inq_file_request *request = a->request;
    uint8_t id[INQ_MAX_BUILD_ID];
    char theirs[16], ours[16], reason[96];
    size_t size;
    bool is_elf;

    size = inq_elf_build_id(fd, id, &is_elf);
    if (!is_elf) {
        answer_no(a, request->build_id_size > 0 ? INQ_ON_DISK_MISMATCH : INQ_ON_DISK_REFUSED,
                  "the file here is not an ELF file");
        return false;
    }
    if (trust == TRUST_CRC && (size == 0 || request->build_id_size == 0))
        return judge_by_crc(a, TAKE_FD(fd));
    if (request->build_id_size == 0 && request->head_size > 0 && trust == TRUST_BUILD_ID)
        return judge_by_head(a, TAKE_FD(fd));
    if (request->build_id_size == 0) {
        if (trust == TRUST_PATH)
            return answer_file(a, INQ_ON_DISK_UNVERIFIED, TAKE_FD(fd),
                               "used, though the dump holds no build-id to compare");
        answer_no(a, INQ_ON_DISK_UNVERIFIED, "the dump holds no build-id to compare");
        return false;
    }
    if (size == 0) {
        snprintf(reason, sizeof(reason), "the file here has no build-id, the dump's is %s",
                 short_id(theirs, request->build_id, request->build_id_size));
        answer_no(a, INQ_ON_DISK_MISMATCH, reason);
        return false;
    }
    if (size != request->build_id_size || memcmp(id, request->build_id, size) != 0) {
        snprintf(reason, sizeof(reason), "build-id here is %s, in the dump %s",
                 short_id(ours, id, size),
                 short_id(theirs, request->build_id, request->build_id_size));
        answer_no(a, INQ_ON_DISK_MISMATCH, reason);
        return false;
    }
    return answer_file(a, INQ_ON_DISK_MATCH, TAKE_FD(fd), "");
}

/* ---- one candidate ------------------------------------------------------------------------ */

bool inq_policy_root_may_read(const struct stat *st)
{
    return (st->st_mode & S_IROTH) || ((st->st_mode & S_IXUSR) && st->st_uid == 0);
}

/* "--debug-dir /" vouches for nothing: it is the running system. */
static bool is_system_root(const struct inq_root *root)
{
    struct stat here, system;

    return fstat(root->fd, &here) < 0 || stat("/", &system) < 0 ||
           (here.st_dev == system.st_dev && here.st_ino == system.st_ino);
}

/* True when this candidate's file was handed out. */
static bool try_path(struct attempt *a, const struct inq_root *root, const char *path,
                     enum trust trust, bool default_root)
{
    _cleanup_close_ int seen = -1;
    const char *reason;
    struct stat st;
    int fd;

    switch (inq_root_lookup(root, path, &seen, &st, &reason)) {
    case INQ_LOOKUP_MISSING:
        answer_no(a, INQ_ON_DISK_MISSING, reason);
        return false;
    case INQ_LOOKUP_REFUSED:
        answer_no(a, INQ_ON_DISK_REFUSED, reason);
        return false;
    case INQ_LOOKUP_FOUND:
        break;
    }
    if (st.st_size < 0 || (uint64_t)st.st_size > INQ_MAX_FILE_BYTES) {
        answer_no(a, INQ_ON_DISK_REFUSED, "larger than 2 GiB");
        return false;
    }
    if (geteuid() == 0 && !inq_policy_root_may_read(&st) &&
        (default_root || is_system_root(root))) {
        answer_no(a, INQ_ON_DISK_REFUSED, INQ_POLICY_CLOSED_TO_OTHERS);
        return false;
    }
    if (a->request->build_id_size == 0 && a->request->head_size == 0 &&
        trust == TRUST_BUILD_ID) {
        /* Not even opened: there is nothing that its content could be compared with. */
        answer_no(a, INQ_ON_DISK_UNVERIFIED, "the dump holds no build-id to compare");
        return false;
    }
    fd = inq_root_reopen(root, path, seen, &st);
    if (fd < 0) {
        answer_no(a, INQ_ON_DISK_REFUSED,
                  errno == EACCES   ? "no permission"
                  : errno == ESTALE ? "it was replaced while it was looked at"
                                    : "the operating system cannot open it");
        return false;
    }
    return judge_open_file(a, fd, trust);
}

/* ---- the three kinds ---------------------------------------------------------------------- */

static void open_executable(struct attempt *a)
{
    const char *path = a->policy->executable, *not_regular;
    char reason[64];
    struct stat st;
    int fd;

    if (!path) {
        answer_no(a, INQ_ON_DISK_MISSING, "no --executable was given");
        return;
    }
    fd = inq_open_regular(AT_FDCWD, path, 1, &not_regular);
    if (fd < 0) {
        if (not_regular) {
            snprintf(reason, sizeof(reason), "not a regular file: %s", not_regular);
            answer_no(a, INQ_ON_DISK_REFUSED, reason);
        } else if (errno == ENOENT || errno == ENOTDIR) {
            answer_no(a, INQ_ON_DISK_MISSING, "the file of --executable is not there");
        } else {
            answer_no(a, INQ_ON_DISK_REFUSED, "the file of --executable cannot be opened");
        }
        return;
    }
    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size > INQ_MAX_FILE_BYTES) {
        close(fd);
        answer_no(a, INQ_ON_DISK_REFUSED, "larger than 2 GiB");
        return;
    }
    judge_open_file(a, fd, TRUST_PATH);
}

/* ".build-id/xx/yyyy" and a suffix; false when the id is too short to make one. */
static bool build_id_path(const struct inq_file_request *request, const char *before,
                          const char *suffix, char *buf, size_t size)
{
    char hex[2 * INQ_MAX_BUILD_ID + 1];
    int n;

    if (request->build_id_size < 2 || request->build_id_size > INQ_MAX_BUILD_ID)
        return false;
    for (size_t i = 0; i < request->build_id_size; i++)
        snprintf(hex + 2 * i, 3, "%02x", request->build_id[i]);
    n = snprintf(buf, size, "%s.build-id/%.2s/%s%s", before, hex, hex + 2, suffix);
    return n > 0 && (size_t)n < size;
}

/*
 * Below a directory that the user named (or the system's own): by build-id, so the name is of our
 * making. The entries are symbolic links that may leave the directory, hence not scoped in the end.
 * What lies in a directory that the user named was meant to be read, also when it is root's alone;
 * not so what a link in it leads to elsewhere.
 */
static bool try_build_id(struct attempt *a, const char *directory, const char *suffix, bool named)
{
    struct inq_root root = {.fd = -1};
    char path[3 * INQ_MAX_BUILD_ID];
    bool done = false;

    if (!build_id_path(a->request, "", suffix, path, sizeof(path)))
        return false;
    if (!inq_root_open(directory, named, &root)) {
        answer_no(a, INQ_ON_DISK_MISSING, "no such file here");
        return false;
    }
    if (named) {
        done = try_path(a, &root, path, TRUST_BUILD_ID, false);
        root.scoped = false;
    }
    done = done || try_path(a, &root, path, TRUST_BUILD_ID, true);
    inq_root_close(&root);
    return done;
}

static void open_debug(struct attempt *a)
{
    const struct inq_file_policy *policy = a->policy;
    char path[3 * INQ_MAX_BUILD_ID];
    struct inq_root root = {.fd = -1};
    bool done;

    if (!build_id_path(a->request, DEBUG_DIR "/", ".debug", path, sizeof(path))) {
        answer_no(a, INQ_ON_DISK_MISSING, "the dump holds no build-id to look it up by");
        return;
    }
    for (size_t i = 0; i < policy->n_debug_dirs; i++)
        if (try_build_id(a, policy->debug_dirs[i], ".debug", true))
            return;
    if (policy->sysroot && inq_root_open(policy->sysroot, true, &root)) {
        done = try_path(a, &root, path, TRUST_BUILD_ID, false);
        inq_root_close(&root);
        if (done)
            return;
    }
    if (try_build_id(a, DEBUG_DIR, ".debug", false))
        return;
    answer_no(a, INQ_ON_DISK_MISSING, "no separate debug file here");
}

const char *inq_policy_name_refused(const char *path, bool sysroot)
{
    static const char *const never[] = {"/proc", "/sys", "/dev"};
    const char *p = path;

    if (!path || path[0] == '\0')
        return "it has no name";
    if (strlen(path) >= PATH_MAX)
        return "a path longer than the system takes";
    if (sysroot) /* the file system decides there */
        return NULL;
    if (path[0] != '/')
        return "a relative name: it depends on where the process was";
    while (p[0] == '/' && (p[1] == '/' || (p[1] == '.' && p[2] == '/')))
        p += p[1] == '/' ? 1 : 2;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        size_t n = strlen(never[i]);

        if (strncmp(p, never[i], n) == 0 && (p[n] == '/' || p[n] == '\0'))
            return "below /proc, /sys or /dev: not a file that was loaded";
    }
    return NULL;
}

/* "/lib/x" for "/usr/lib/x" and the other way round: distributions merged the two. */
static const char *usr_twin(const char *path, char buf[PATH_MAX])
{
    static const char *const merged[] = {"lib", "lib64", "lib32", "libx32", "bin", "sbin"};
    const char *p = path;
    bool has_usr;

    while (*p == '/')
        p++;
    has_usr = strncmp(p, "usr/", 4) == 0;
    if (has_usr)
        p += 4;
    for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++) {
        size_t n = strlen(merged[i]);

        if (strncmp(p, merged[i], n) != 0 || p[n] != '/')
            continue;
        if (snprintf(buf, PATH_MAX, "/%s%s", has_usr ? "" : "usr/", p) >= PATH_MAX)
            return NULL;
        return buf;
    }
    return NULL;
}

static bool try_main_root(struct attempt *a)
{
    const struct inq_file_policy *policy = a->policy;
    const char *path = a->request->path, *twin;
    const bool sysroot = policy->sysroot != NULL;
    const enum trust trust = sysroot || policy->trust_paths ? TRUST_PATH : TRUST_BUILD_ID;
    struct inq_root root = {.fd = -1};
    char buf[PATH_MAX];
    bool done;

    if (!inq_root_open(sysroot ? policy->sysroot : "/", true, &root)) {
        answer_no(a, INQ_ON_DISK_REFUSED,
                  sysroot ? "the directory of --sysroot cannot be opened"
                          : "the root directory cannot be opened");
        return false;
    }
    done = try_path(a, &root, path, trust, !sysroot);
    if (!done && sysroot) {
        twin = usr_twin(path, buf);
        if (twin)
            done = try_path(a, &root, twin, trust, false);
    }
    inq_root_close(&root);
    return done;
}

/* By build-id, by the whole path, by the last component. */
static bool try_debug_dir(struct attempt *a, const char *directory)
{
    const char *path = a->request->path, *base = strrchr(path, '/');
    struct inq_root root = {.fd = -1};
    bool done;

    if (try_build_id(a, directory, "", true))
        return true;
    if (!inq_root_open(directory, true, &root))
        return false;
    done = try_path(a, &root, path, TRUST_BUILD_ID, false);
    if (!done && base && base[1] != '\0' && base != path)
        done = try_path(a, &root, base + 1, TRUST_BUILD_ID, false);
    inq_root_close(&root);
    return done;
}

static void open_module(struct attempt *a)
{
    const struct inq_file_policy *policy = a->policy;
    const char *refused = inq_policy_name_refused(a->request->path, policy->sysroot != NULL);

    if (refused) {
        answer_no(a, INQ_ON_DISK_REFUSED, refused);
        return;
    }
    if (try_main_root(a))
        return;
    /* Without a build-id a name elsewhere says nothing. */
    if (a->request->build_id_size == 0)
        return;
    for (size_t i = 0; i < policy->n_debug_dirs; i++)
        if (try_debug_dir(a, policy->debug_dirs[i]))
            return;
}

/* ---- separate debug files by name --------------------------------------------------------- */

/* A name that stays in the directory it is looked up in, and is one. */
static bool is_component(const char *name)
{
    return name && name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

/* "DIRECTORY/BETWEEN/LINK" below a root. True when it was handed out. */
static bool try_link(struct attempt *a, const struct inq_root *root, const char *directory,
                     size_t directory_size, const char *between, bool default_root)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/%s%s", (int)directory_size, directory, between,
                     a->request->link);

    if (n < 0 || (size_t)n >= sizeof(path))
        return false;
    return try_path(a, root, path, TRUST_CRC, default_root);
}

/* The places where gdb looks, too: beside the file, in `.debug` there, in a tree of debug files. */
static bool try_link_below(struct attempt *a, const char *root_path, const char *directory,
                           size_t directory_size, bool default_root)
{
    struct inq_root root = {.fd = -1};
    bool done;

    if (!inq_root_open(root_path, true, &root))
        return false;
    done = try_link(a, &root, directory, directory_size, "", default_root) ||
           try_link(a, &root, directory, directory_size, ".debug/", default_root);
    inq_root_close(&root);
    return done;
}

static bool try_link_in_tree(struct attempt *a, const char *tree, const char *directory,
                             size_t directory_size, bool default_root)
{
    struct inq_root root = {.fd = -1};
    bool done;

    if (!inq_root_open(tree, true, &root))
        return false;
    done = try_link(a, &root, directory, directory_size, "", default_root) ||
           try_link(a, &root, "", 0, "", default_root);
    inq_root_close(&root);
    return done;
}

static void open_debug_link(struct attempt *a)
{
    const struct inq_file_policy *policy = a->policy;
    const bool of_executable = a->request->path == NULL;
    const char *path = of_executable ? policy->executable : a->request->path;
    const bool sysroot = policy->sysroot && !of_executable;
    const char *refused = of_executable ? NULL : inq_policy_name_refused(path, sysroot);
    char tree[PATH_MAX];

    if (refused || !path || !is_component(a->request->link)) {
        answer_no(a, INQ_ON_DISK_REFUSED, refused ? refused : "the link is no file name");
        return;
    }
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (of_executable) {
        /* The user named that directory: it is the root, and nothing above it is looked at. */
        snprintf(tree, sizeof(tree), "%.*s", slash && size ? (int)size : 1, slash ? path : ".");
        if (try_link_below(a, tree, "", 0, false))
            return;
    } else if (try_link_below(a, sysroot ? policy->sysroot : "/", path, size, !sysroot)) {
        return;
    }
    for (size_t i = 0; i < policy->n_debug_dirs; i++)
        if (try_link_in_tree(a, policy->debug_dirs[i], path, size, false))
            return;
    if (sysroot && snprintf(tree, sizeof(tree), "%s" DEBUG_DIR, policy->sysroot) < PATH_MAX &&
        try_link_in_tree(a, tree, path, size, false))
        return;
    if (!policy->sysroot)
        try_link_in_tree(a, DEBUG_DIR, path, size, true);
    answer_no(a, INQ_ON_DISK_MISSING, "no separate debug file here");
}

/*
 * The name is absolute, or relative to where the debug file lies, which is below some tree of debug
 * files: "../../.dwz/x86_64-linux-gnu/hello.debug". What follows the last ".." is looked up in the
 * trees; the build-id must be the one in the section.
 */
static void open_debug_alt(struct attempt *a)
{
    const struct inq_file_policy *policy = a->policy;
    const char *name = a->request->path, *up;
    struct inq_root root = {.fd = -1};
    bool done = false;

    open_debug(a);
    if (a->reply->fd >= 0 || !name || name[0] == '\0' || a->request->build_id_size == 0)
        return;
    if (name[0] == '/') {
        if (inq_policy_name_refused(name, policy->sysroot != NULL) ||
            !inq_root_open(policy->sysroot ? policy->sysroot : "/", true, &root))
            return;
        try_path(a, &root, name, TRUST_BUILD_ID, !policy->sysroot);
        inq_root_close(&root);
        return;
    }
    while ((up = strstr(name, "../")))
        name = up + 3;
    for (size_t i = 0; !done && i <= policy->n_debug_dirs; i++) {
        const bool last = i == policy->n_debug_dirs;

        if (!inq_root_open(last ? DEBUG_DIR : policy->debug_dirs[i], true, &root))
            continue;
        done = try_path(a, &root, name, TRUST_BUILD_ID, last);
        inq_root_close(&root);
    }
}

void inq_file_judge_fetched(const struct inq_file_request *request, int fd_taken,
                            struct inq_file_reply *ret_reply)
{
    _cleanup_close_ int fd = fd_taken;
    struct inq_file_reply reply = {.status = INQ_ON_DISK_UNKNOWN, .fd = -1};
    struct attempt a = {.request = request, .reply = &reply};
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > INQ_MAX_FILE_BYTES)
        answer_no(&a, INQ_ON_DISK_REFUSED, "what came is no file of a usable size");
    else
        judge_open_file(&a, TAKE_FD(fd), TRUST_BUILD_ID);
    *ret_reply = reply;
}

void inq_file_open(const struct inq_file_policy *policy, const struct inq_file_request *request,
                   struct inq_file_reply *ret_reply)
{
    struct inq_file_reply reply = {.status = INQ_ON_DISK_UNKNOWN, .fd = -1};
    struct attempt a = {.policy = policy, .request = request, .reply = &reply};

    if (request->build_id_size > INQ_MAX_BUILD_ID || request->head_size > INQ_MAX_FILE_HEAD)
        answer_no(&a, INQ_ON_DISK_REFUSED, "a build-id longer than there are");
    else if (request->kind == INQ_FILE_MODULE)
        open_module(&a);
    else if (request->kind == INQ_FILE_EXECUTABLE)
        open_executable(&a);
    else if (request->kind == INQ_FILE_DEBUG)
        open_debug(&a);
    else if (request->kind == INQ_FILE_DEBUG_LINK)
        open_debug_link(&a);
    else if (request->kind == INQ_FILE_DEBUG_ALT)
        open_debug_alt(&a);
    else if (inq_file_is_metadata(request->kind))
        inq_metadata_open(policy, request, &reply);
    else if (inq_file_is_fetched(request->kind))
        answer_no(&a, INQ_ON_DISK_MISSING, "files are not fetched without --debuginfod");
    if (reply.status == INQ_ON_DISK_UNKNOWN)
        answer_no(&a, INQ_ON_DISK_REFUSED, "not a kind of file that is opened");
    *ret_reply = reply;
}

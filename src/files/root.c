/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

/* openat2 came with Linux 5.6; the C library's headers may be older than the kernel. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
struct open_how_v0 {
    uint64_t flags, mode, resolve;
};
#define HOW_NO_XDEV 0x01u
#define HOW_NO_MAGICLINKS 0x02u
#define HOW_IN_ROOT 0x10u

/* Not in every <linux/magic.h>. */
#define MAGIC_NFS 0x6969
#define MAGIC_SMB 0x517b
#define MAGIC_CIFS 0xff534d42
#define MAGIC_SMB2 0xfe534d42
#define MAGIC_FUSE 0x65735546
#define MAGIC_AFS 0x5346414f
#define MAGIC_KAFS 0x6b414653
#define MAGIC_CEPH 0x00c36400
#define MAGIC_CODA 0x73757245
#define MAGIC_NCP 0x564c
#define MAGIC_9P 0x01021997
#define MAGIC_GFS2 0x01161970
#define MAGIC_OCFS2 0x7461636f
#define MAGIC_LUSTRE 0x0bd00bd0
#define MAGIC_GPFS 0x47504653
#define MAGIC_MQUEUE 0x19800202
#define MAGIC_CONFIGFS 0x62656570
#define MAGIC_FUSECTL 0x65735543
#define MAGIC_BINFMT 0x42494e4d
#define MAGIC_SECRETMEM 0x5345434d
#define MAGIC_NSFS 0x6e736673
#define MAGIC_DEVMEM 0x454d444d
#define MAGIC_RESCTRL 0x07655821

/* Deep enough for every real tree; the walk holds one descriptor a level. */
#define MAX_DEPTH 96
#define MAX_LINKS 40 /* what the kernel follows */

static _Thread_local int pretend;

void inq_root_pretend_old_kernel(int level)
{
    pretend = level;
}

/* Files of these are made up by the kernel: reading them can block, and can have effects. */
static const char *kernel_file_system(uint32_t magic)
{
    switch (magic) {
    case PROC_SUPER_MAGIC:
        return "on proc, not a real file system";
    case SYSFS_MAGIC:
        return "on sysfs, not a real file system";
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case SELINUX_MAGIC:
    case SMACK_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case PSTOREFS_MAGIC:
    case EFIVARFS_MAGIC:
    case BPF_FS_MAGIC:
    case BINFMTFS_MAGIC:
    case MAGIC_MQUEUE:
    case MAGIC_CONFIGFS:
    case MAGIC_FUSECTL:
    case MAGIC_SECRETMEM:
    case MAGIC_NSFS:
    case MAGIC_DEVMEM:
    case MAGIC_RESCTRL:
    case PIPEFS_MAGIC:
    case SOCKFS_MAGIC:
    case ANON_INODE_FS_MAGIC:
    case USBDEVICE_SUPER_MAGIC:
        return "on a file system that the kernel makes up";
    default:
        return NULL;
    }
}

/* Here another machine or another process answers, when it answers. */
static const char *remote_file_system(uint32_t magic)
{
    switch (magic) {
    case MAGIC_NFS:
    case MAGIC_SMB:
    case MAGIC_CIFS:
    case MAGIC_SMB2:
    case MAGIC_AFS:
    case MAGIC_KAFS:
    case MAGIC_CEPH:
    case MAGIC_CODA:
    case MAGIC_NCP:
    case MAGIC_9P:
    case MAGIC_GFS2:
    case MAGIC_OCFS2:
    case MAGIC_LUSTRE:
    case MAGIC_GPFS:
        return "on a network file system";
    case MAGIC_FUSE:
        return "on a FUSE file system";
    case AUTOFS_SUPER_MAGIC:
        return "on an automounter's directory";
    default:
        return NULL;
    }
}

/* NULL when objects of this file system may be opened or walked through. */
static const char *judge(const struct inq_root *root, int fd, dev_t dev)
{
    struct statfs fs;
    const char *reason = dev != root->dev ? inq_mount_remote(dev) : NULL;

    if (reason) /* whose server would have to answer fstatfs(2) */
        return reason;
    if (fstatfs(fd, &fs) < 0)
        return "its file system cannot be told";
    reason = kernel_file_system((uint32_t)fs.f_type);
    /* A machine may run from NFS, and a container from FUSE: what the user chose is there. */
    if (!reason && dev != root->dev)
        reason = remote_file_system((uint32_t)fs.f_type);
    return reason;
}

bool inq_root_open(const char *directory, bool scoped, struct inq_root *ret_root)
{
    _cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    ret_root->dev = st.st_dev;
    ret_root->scoped = scoped;
    ret_root->fd = TAKE_FD(fd);
    return true;
}

void inq_root_close(struct inq_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

/*
 * Before Linux 6.16 RESOLVE_NO_XDEV triggers a direct automount before it refuses to enter it, so
 * where there are automounters the walk does it all. Those below /proc (systemd keeps one there)
 * cannot be reached: proc is refused first.
 */
static bool has_automounter(void)
{
    static _Thread_local int known = -1; /* of this machine, looked up once */
    _cleanup_free_ char *line = NULL;
    _cleanup_fclose_ FILE *mounts = NULL;
    size_t capacity = 0;

    if (known >= 0)
        return known > 0;
    known = 0;
    mounts = fopen("/proc/self/mountinfo", "re");
    while (mounts && getline(&line, &capacity, mounts) > 0) {
        /* id parent major:minor root mount-point options [fields] - type source options */
        char point[8] = "";

        if (sscanf(line, "%*s %*s %*s %*s %7s", point) == 1 && strstr(line, " - autofs ") &&
            strncmp(point, "/proc/", 6) != 0)
            known = 1;
    }
    return known > 0;
}

static int open_in_one_step(const struct inq_root *root, const char *path, int flags)
{
    const struct open_how_v0 how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = HOW_NO_XDEV | HOW_NO_MAGICLINKS | (root->scoped ? HOW_IN_ROOT : 0u),
    };

    if (pretend >= 1 || has_automounter()) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
}

/* ---- the walk, component by component ----------------------------------------------------- */

struct walk {
    const struct inq_root *root;
    int fds[MAX_DEPTH]; /* [0] is where it starts; all ours */
    dev_t devs[MAX_DEPTH];
    int depth;
    int links_left;
    char rest[2 * PATH_MAX]; /* what is still to be walked */
    char *at;                /* in rest */
    const char *reason;      /* static, when refused */
};

static void walk_close(struct walk *w)
{
    while (w->depth > 0)
        close(w->fds[--w->depth]);
}

static bool walk_refuse(struct walk *w, const char *reason)
{
    w->reason = reason;
    return false;
}

/* Makes fd (taken) the current directory after looking at its file system. */
static bool walk_push(struct walk *w, int fd, dev_t dev)
{
    if (w->depth == MAX_DEPTH) {
        close(fd);
        return walk_refuse(w, "too many directory levels");
    }
    if (w->depth > 0 && dev != w->devs[w->depth - 1]) {
        const char *reason = judge(w->root, fd, dev);

        if (reason) {
            close(fd);
            return walk_refuse(w, reason);
        }
    }
    w->fds[w->depth] = fd;
    w->devs[w->depth++] = dev;
    return true;
}

/* Back to the start, or for an unscoped absolute link to "/". */
static bool walk_restart(struct walk *w, bool absolute_link)
{
    const bool from_slash = absolute_link && !w->root->scoped;
    struct stat st;
    int fd;

    walk_close(w);
    fd = from_slash ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                    : fcntl(w->root->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0) {
        close(fd);
        return false;
    }
    return walk_push(w, fd, st.st_dev);
}

static bool walk_up(struct walk *w)
{
    struct stat st;
    int fd;

    if (w->depth > 1) {
        close(w->fds[--w->depth]);
        return true;
    }
    if (w->root->scoped) /* as in a chroot: the parent of the root is the root */
        return true;
    fd = openat(w->fds[0], "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0) {
        close(fd);
        return false;
    }
    walk_close(w);
    return walk_push(w, fd, st.st_dev);
}

/* Puts a link's text before the rest of the path. */
static bool walk_link(struct walk *w, int link_fd)
{
    char joined[sizeof(w->rest)];
    char target[PATH_MAX];
    ssize_t n = readlinkat(link_fd, "", target, sizeof(target) - 1);
    int size;

    if (n < 0)
        return false;
    target[n] = '\0';
    if (n == 0 || (size_t)n == sizeof(target) - 1)
        return walk_refuse(w, "a symbolic link that makes no sense");
    if (w->links_left-- == 0)
        return walk_refuse(w, "too many levels of symbolic links");
    size = snprintf(joined, sizeof(joined), "%s/%s", target, w->at);
    if (size < 0 || (size_t)size >= sizeof(joined))
        return walk_refuse(w, "a path longer than the system takes");
    memcpy(w->rest, joined, (size_t)size + 1);
    w->at = w->rest;
    return target[0] == '/' ? walk_restart(w, true) : true;
}

/* The next component, NUL-terminated in place; NULL at the end. *ret_last: nothing follows it. */
static char *walk_component(struct walk *w, bool *ret_last)
{
    char *name;

    while (*w->at == '/')
        w->at++;
    if (*w->at == '\0')
        return NULL;
    name = w->at;
    while (*w->at && *w->at != '/')
        w->at++;
    if (*w->at)
        *w->at++ = '\0';
    while (*w->at == '/')
        w->at++;
    *ret_last = *w->at == '\0';
    return name;
}

/*
 * One step. False: failed, with errno or w->reason. *ret_fd >= 0 when the last component is
 * reached. O_PATH without O_DIRECTORY does not trigger an automount.
 */
static bool walk_step(struct walk *w, const char *name, bool last, int flags, int *ret_fd)
{
    const int dir = w->fds[w->depth - 1];
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0)
        return walk_up(w);
    fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || inq_stat_unasked(fd, "", &st) < 0)
        return false;
    if (S_ISLNK(st.st_mode)) {
        const char *reason =
            st.st_dev != w->devs[w->depth - 1] ? judge(w->root, fd, st.st_dev) : NULL;

        return reason ? walk_refuse(w, reason) : walk_link(w, fd);
    }
    if (!last)
        return walk_push(w, TAKE_FD(fd), st.st_dev);
    if (!(flags & O_PATH)) {
        close(fd);
        fd = openat(dir, name, flags | O_NOFOLLOW);
        if (fd < 0)
            return false;
    }
    *ret_fd = TAKE_FD(fd);
    return true;
}

static int open_by_walk(const struct inq_root *root, const char *path, int flags,
                        const char **ret_reason)
{
    struct walk w = {.root = root, .links_left = MAX_LINKS};
    bool ok, last = false;
    int found = -1, error;
    char *name;

    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w.rest, path, strlen(path) + 1);
    w.at = w.rest;
    ok = walk_restart(&w, false);
    while (ok && found < 0) {
        name = walk_component(&w, &last);
        if (!name) { /* ends in "." or "..", or is "/" */
            errno = EISDIR;
            ok = false;
            break;
        }
        ok = walk_step(&w, name, last, flags, &found);
    }
    error = errno;
    walk_close(&w);
    errno = error;
    *ret_reason = ok ? NULL : w.reason;
    return ok ? found : -1;
}

/* ---- the two together --------------------------------------------------------------------- */

/* *ret_reason NULL and -1: errno says why. */
static int root_open_path(const struct inq_root *root, const char *path, int flags,
                          const char **ret_reason)
{
    const char *relative = path;
    int fd;

    *ret_reason = NULL;
    while (*relative == '/') /* below the root in any case, scoped or not */
        relative++;
    if (*relative == '\0') {
        errno = EISDIR;
        return -1;
    }
    /*
     * One call does for what lies on the root's own file system. A mount point on the way gives
     * EXDEV; seccomp filters of older containers answer EPERM to calls they do not know.
     */
    fd = open_in_one_step(root, relative, flags);
    if (fd < 0 &&
        (errno == EXDEV || errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == EAGAIN))
        fd = open_by_walk(root, relative, flags, ret_reason);
    return fd;
}

static const char *not_regular(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "not a regular file: a directory";
    case S_IFIFO:
        return "not a regular file: a FIFO";
    case S_IFCHR:
        return "not a regular file: a character device";
    case S_IFBLK:
        return "not a regular file: a block device";
    case S_IFSOCK:
        return "not a regular file: a socket";
    default:
        return "not a regular file";
    }
}

static enum inq_lookup lookup_failed(int error, const char **ret_reason)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        *ret_reason = "no such file here";
        return INQ_LOOKUP_MISSING;
    case EACCES:
        *ret_reason = "no permission";
        return INQ_LOOKUP_REFUSED;
    case ELOOP:
        *ret_reason = "too many levels of symbolic links";
        return INQ_LOOKUP_REFUSED;
    case ENAMETOOLONG:
        *ret_reason = "a name longer than the system takes";
        return INQ_LOOKUP_REFUSED;
    case EISDIR:
        *ret_reason = not_regular(S_IFDIR);
        return INQ_LOOKUP_REFUSED;
    default:
        *ret_reason = "the operating system cannot look it up";
        return INQ_LOOKUP_REFUSED;
    }
}

enum inq_lookup inq_root_lookup(const struct inq_root *root, const char *path, int *ret_fd,
                                struct stat *ret_stat, const char **ret_reason)
{
    _cleanup_close_ int fd = root_open_path(root, path, O_PATH | O_CLOEXEC, ret_reason);
    const char *reason;
    struct stat st;

    if (fd < 0)
        return *ret_reason ? INQ_LOOKUP_REFUSED : lookup_failed(errno, ret_reason);
    if (inq_stat_unasked(fd, "", &st) < 0)
        return lookup_failed(errno, ret_reason);
    /* The file system first: /proc has regular files, too. */
    reason = judge(root, fd, st.st_dev);
    if (!reason && fstat(fd, &st) < 0)
        return lookup_failed(errno, ret_reason);
    if (!reason && !S_ISREG(st.st_mode))
        reason = not_regular(st.st_mode);
    if (reason) {
        *ret_reason = reason;
        return INQ_LOOKUP_REFUSED;
    }
    *ret_stat = st;
    *ret_fd = TAKE_FD(fd);
    return INQ_LOOKUP_FOUND;
}

enum inq_lookup inq_root_open_folder(const struct inq_root *root, const char *path, int *ret_fd,
                                     struct stat *ret_stat, const char **ret_reason)
{
    const bool is_root = path[strspn(path, "/")] == '\0';
    _cleanup_close_ int seen = -1, fd = -1;
    const char *reason;
    struct stat st;

    *ret_reason = NULL;
    seen = is_root ? fcntl(root->fd, F_DUPFD_CLOEXEC, 0)
                   : root_open_path(root, path, O_PATH | O_CLOEXEC, ret_reason);
    if (seen < 0)
        return *ret_reason ? INQ_LOOKUP_REFUSED : lookup_failed(errno, ret_reason);
    if (fstat(seen, &st) < 0)
        return lookup_failed(errno, ret_reason);
    reason = judge(root, seen, st.st_dev);
    if (!reason && !S_ISDIR(st.st_mode))
        reason = "not a directory";
    if (reason) {
        *ret_reason = reason;
        return INQ_LOOKUP_REFUSED;
    }
    fd = openat(seen, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lookup_failed(errno, ret_reason);
    *ret_stat = st;
    *ret_fd = TAKE_FD(fd);
    return INQ_LOOKUP_FOUND;
}

int inq_root_reopen(const struct inq_root *root, const char *path, int path_fd,
                    const struct stat *seen)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    _cleanup_close_ int fd = -1;
    char proc[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    const char *reason;
    struct stat st;

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", path_fd);
    if (pretend >= 2)
        errno = ENOENT;
    else
        fd = open(proc, flags);
    if (fd < 0 && errno == ENOENT)
        fd = root_open_path(root, path, flags, &reason);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino || !S_ISREG(st.st_mode)) {
        errno = ESTALE;
        return -1;
    }
    return TAKE_FD(fd);
}

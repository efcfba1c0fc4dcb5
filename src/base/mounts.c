/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array.h"
#include "cleanup.h"

/* Reads what a probe looks at. */
#define PROBE_BYTES 4096

static const char *remote_type(const char *type)
{
    static const char *const network[] = {
        "nfs",   "nfs4",   "cifs",  "smb3",      "smbfs",  "afs",   "ceph",
        "coda",  "ncpfs",  "9p",    "virtiofs",  "lustre", "gpfs",  "gfs2",
        "ocfs2", "beegfs", "pvfs2", "glusterfs", "wekafs", "panfs", "orangefs"};

    if (!strcmp(type, "autofs"))
        return "on an automounter's directory";
    if (!strcmp(type, "fuse") || !strncmp(type, "fuse.", 5) || !strcmp(type, "fuseblk"))
        return "on a FUSE file system";
    for (size_t i = 0; i < INQ_ARRAY_SIZE(network); i++)
        if (!strcmp(type, network[i]))
            return "on a network file system";
    return NULL;
}

/* id parent major:minor root mount-point options [fields] - type source options */
static const char *remote_line(const char *line, dev_t *ret_dev, char ret_point[16])
{
    unsigned major_number, minor_number;
    char type[32];
    const char *rest = strstr(line, " - ");

    if (!rest || sscanf(rest, " - %31s", type) != 1 ||
        sscanf(line, "%*s %*s %u:%u %*s %15s", &major_number, &minor_number, ret_point) != 3)
        return NULL;
    *ret_dev = makedev(major_number, minor_number);
    return remote_type(type);
}

const char *inq_mount_remote(dev_t dev)
{
    _cleanup_fclose_ FILE *mounts = NULL;
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;

    if (major(dev) != 0) /* a disk's */
        return NULL;
    mounts = fopen("/proc/self/mountinfo", "re");
    while (mounts && getline(&line, &capacity, mounts) > 0) {
        char point[16];
        dev_t here;
        const char *remote = remote_line(line, &here, point);

        if (remote && here == dev)
            return remote;
    }
    return NULL;
}

bool inq_mounts_have_remote(void)
{
    _cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;

    while (mounts && getline(&line, &capacity, mounts) > 0) {
        char point[16];
        dev_t dev;

        /* systemd keeps an automounter at /proc/sys/fs/binfmt_misc */
        if (remote_line(line, &dev, point) && strncmp(point, "/proc/", 6) != 0)
            return true;
    }
    return false;
}

int inq_stat_unasked(int dirfd, const char *name, struct stat *ret_stat)
{
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    struct statx stx;

    if (statx(dirfd, name, flags | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &stx) < 0)
        return errno == ENOSYS || errno == EPERM ? fstatat(dirfd, name, ret_stat, flags) : -1;
    *ret_stat = (struct stat){
        .st_dev = makedev(stx.stx_dev_major, stx.stx_dev_minor),
        .st_ino = stx.stx_ino,
        .st_mode = stx.stx_mode,
        .st_nlink = stx.stx_nlink,
        .st_uid = stx.stx_uid,
        .st_gid = stx.stx_gid,
        .st_size = (off_t)stx.stx_size,
        .st_blocks = (blkcnt_t)stx.stx_blocks,
        .st_mtim = {.tv_sec = stx.stx_mtime.tv_sec, .tv_nsec = stx.stx_mtime.tv_nsec},
        .st_ctim = {.tv_sec = stx.stx_ctime.tv_sec, .tv_nsec = stx.stx_ctime.tv_nsec},
    };
    return 0;
}

/* In the child: system calls and nothing else. */
static void probe(const char *path)
{
    char bytes[PROBE_BYTES];
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0 || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
        return;
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && S_ISDIR(st.st_mode))
        (void)!syscall(SYS_getdents64, fd, bytes, sizeof(bytes));
    else if (fd >= 0)
        (void)!pread(fd, bytes, 1, 0);
}

bool inq_mount_answers(const char *path, int timeout_msec)
{
    int pipe_fds[2];

    if (!inq_mounts_have_remote() || pipe2(pipe_fds, O_CLOEXEC) < 0)
        return true;
    const pid_t pid = fork();
    if (pid == 0) {
        /* left behind, it must keep nobody waiting who reads what we write */
        if (dup2(pipe_fds[1], 0) < 0 || close_range(1, ~0u, 0) < 0)
            _exit(1);
        probe(path);
        _exit(0);
    }
    close(pipe_fds[1]);
    if (pid < 0) {
        close(pipe_fds[0]);
        return true;
    }
    struct pollfd end = {.fd = pipe_fds[0], .events = POLLIN};
    int n;
    do
        n = poll(&end, 1, timeout_msec);
    while (n < 0 && errno == EINTR);
    close(pipe_fds[0]);
    if (n == 0) {
        kill(pid, SIGKILL);
        return false;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return true;
}

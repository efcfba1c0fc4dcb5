/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* Linux moves at most 0x7ffff000 bytes a call; larger requests are legal and come back short. */

ssize_t inq_pread_full(int fd, void *buf, size_t size, uint64_t off)
{
    size_t done = 0;

    if (size > SSIZE_MAX) {
        errno = EINVAL;
        return -1;
    }
    while (done < size) {
        ssize_t n;

        if (off > (uint64_t)INT64_MAX - done) /* beyond what off_t can name there is no file */
            break;
        n = pread(fd, (char *)buf + done, size - done, (off_t)(off + done));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t inq_read_full(int fd, void *buf, size_t size)
{
    size_t done = 0;

    if (size > SSIZE_MAX) {
        errno = EINVAL;
        return -1;
    }
    while (done < size) {
        ssize_t n = read(fd, (char *)buf + done, size - done);

        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int inq_write_full(int fd, const void *buf, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, (const char *)buf + done, size - done);

        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (n == 0) {
            errno = EIO;
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    case S_IFSOCK:
        return "a socket";
    case S_IFLNK:
        return "a symbolic link";
    default:
        return "a special file";
    }
}

/*
 * O_PATH touches nothing: no FIFO blocks, no device driver runs. The second open goes through
 * /proc/self/fd, that is to the very inode that was looked at, whatever the name means by now.
 * Where /proc is missing the name is opened again, without blocking, and the inode compared.
 */
int inq_open_regular(int dirfd, const char *path, int follow, const char **ret_not_regular)
{
    const int nofollow = follow ? 0 : O_NOFOLLOW;
    _cleanup_close_ int seen = -1;
    _cleanup_close_ int fd = -1;
    char proc[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    struct stat before, after;

    *ret_not_regular = NULL;
    seen = openat(dirfd, path, O_PATH | O_CLOEXEC | nofollow);
    if (seen < 0 || fstat(seen, &before) < 0)
        return -1;
    if (!S_ISREG(before.st_mode)) {
        *ret_not_regular = kind_of(before.st_mode);
        errno = S_ISDIR(before.st_mode) ? EISDIR : S_ISLNK(before.st_mode) ? ELOOP : EINVAL;
        return -1;
    }
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", seen);
    fd = open(proc, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | nofollow);
    if (fd < 0 || fstat(fd, &after) < 0)
        return -1;
    if (after.st_dev != before.st_dev || after.st_ino != before.st_ino) {
        errno = ESTALE;
        return -1;
    }
    return TAKE_FD(fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_IO_H
#define INQ_BASE_IO_H

/* Whole reads and writes: loops over short counts and EINTR. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes read before the end of the file; -1 with errno set. */
ssize_t inq_pread_full(int fd, void *buf, size_t size, uint64_t off);
ssize_t inq_read_full(int fd, void *buf, size_t size);
/* 0, or -1 with errno set. */
int inq_write_full(int fd, const void *buf, size_t size);

/*
 * Opens a file for reading without ever touching a FIFO or a device: O_PATH, fstat, and only a
 * regular file is opened for real. `follow` allows a symbolic link as the last component.
 * Returns a descriptor, or -1 with errno set; *ret_not_regular tells why when it is no regular
 * file ("a directory", "a FIFO", ...; static), else NULL.
 */
int inq_open_regular(int dirfd, const char *path, int follow, const char **ret_not_regular);

#endif

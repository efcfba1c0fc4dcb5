/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_MOUNTS_H
#define INQ_BASE_MOUNTS_H

/*
 * File systems where another machine or another process answers, when it answers: network file
 * systems, FUSE, automounters. A process that asks one whose server is gone sleeps in the kernel,
 * often so that not even SIGKILL wakes it. What is told here comes from /proc/self/mountinfo
 * (proc(5)), which nobody has to be asked for.
 */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A static sentence part ("on a network file system"); NULL when it is none of them, or unknown. */
const char *inq_mount_remote(dev_t dev);

/* Is any of them mounted, below which directories could lie? Not those of the kernel's own. */
bool inq_mounts_have_remote(void);

/*
 * fstatat(2) that takes what the kernel knows already: it never asks a server. Good for which file
 * system and which kind of file it is. Does not follow links and triggers no automount; an empty
 * name is the descriptor itself. -1 with errno.
 */
int inq_stat_unasked(int dirfd, const char *name, struct stat *ret_stat);

/* A server that has said nothing for so long is taken for gone. */
#define INQ_MOUNT_ANSWER_MSEC 10000

/*
 * Can `path` be opened and looked into (the first entries of a directory, the first byte of a file)
 * within the time? Asked in a process of its own, which is left behind when it hangs. True also
 * when the answer is an error, and at once when nothing remote is mounted.
 */
bool inq_mount_answers(const char *path, int timeout_msec);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_ROOT_H
#define INQ_FILES_ROOT_H

/* Looking a name up below a root without opening what it names. Inner part of the policy. */

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Where a look-up starts. `scoped` is chroot-like: `..` and absolute symbolic links stay below the
 * directory. Without it they lead where they say; that is for names of our own making, below a
 * directory that the user named.
 */
struct inq_root {
    int fd; /* O_PATH, -1 when not open */
    bool scoped;
    dev_t dev;
};

enum inq_lookup {
    INQ_LOOKUP_FOUND,
    INQ_LOOKUP_MISSING,
    INQ_LOOKUP_REFUSED,
};

/* False with errno set. The directory is the user's word and is opened as such. */
bool inq_root_open(const char *directory, bool scoped, struct inq_root *ret_root);
void inq_root_close(struct inq_root *root);

/*
 * Looks up `path` (leading slashes do not matter) and gives an O_PATH descriptor of a regular file,
 * which the caller closes, and its stat. Directories on other file systems are looked at before
 * they are entered: kernel file systems are refused, and network, FUSE and autofs ones unless the
 * root itself lies there, so no mount is triggered and no dead server is waited for. `*ret_reason`
 * is a static text when the answer is not FOUND.
 */
enum inq_lookup inq_root_lookup(const struct inq_root *root, const char *path, int *ret_fd,
                                struct stat *ret_stat, const char **ret_reason);

/*
 * Likewise a directory, opened for reading; "/" is the root itself. The caller closes it.
 */
enum inq_lookup inq_root_open_folder(const struct inq_root *root, const char *path, int *ret_fd,
                                     struct stat *ret_stat, const char **ret_reason);

/*
 * The same object opened for reading; never blocks, never becomes the controlling terminal. -1 with
 * errno set; ESTALE when the name meanwhile means something else (only where /proc is missing).
 */
int inq_root_reopen(const struct inq_root *root, const char *path, int path_fd,
                    const struct stat *seen);

/*
 * For the tests: 0 is the default, 1 behaves as on a kernel without openat2, 2 as without /proc
 * too. Per thread.
 */
void inq_root_pretend_old_kernel(int level);

#endif

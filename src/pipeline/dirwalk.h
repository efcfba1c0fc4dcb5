/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_DIRWALK_H
#define INQ_PIPELINE_DIRWALK_H

/*
 * A directory tree as a list of entries, by descriptors: no symbolic link is followed below the
 * path that the user gave, nothing but directories is opened, file systems mounted inside are left
 * alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "array.h"
#include "error.h"

#define INQ_WALK_DEPTH 64u
/* Two of the values of `special`: folders that were not entered. */
#define INQ_WALK_MOUNT "a mounted file system"
#define INQ_WALK_DEEP "a directory, too deep to be entered"

struct inq_walk_entry {
    char *path;     /* as shown: the user's path and what lies below */
    uint32_t root;  /* index of the path it was found under */
    uint32_t below; /* offset in `path` of the part below the root; its size when it is the root */
    uint64_t size_bytes, dev, ino; /* as it was listed */
    uint64_t disk_bytes;           /* likewise: what it takes, holes left out */
    int64_t mtime_nsec;            /* likewise; since 1970 */
    int64_t ctime_nsec;            /* likewise */
    /* NULL for a regular file; else why it is none: "a symbolic link", "a FIFO", ...; static */
    const char *special;
    int error; /* errno when it could not be looked at; 0 */
};

/*
 * A file's time in nanoseconds since 1970; where they do not fit (before 1678, after 2262) seconds:
 * what counts is that it is another number when the time is another.
 */
int64_t inq_walk_nsec(const struct timespec *when);

struct inq_walk {
    INQ_ARRAY(struct inq_walk_entry) entries; /* by root, then by path in byte order */
    const char *const *roots;                 /* borrowed */
    size_t n_roots;
    bool cut; /* there are more entries than were asked for, or the time was over */
};

/*
 * Lists every entry under the paths (a path may itself be a file, and a symbolic link). What cannot
 * be read becomes an entry with `error`. Stops early, without an error, when interrupted.
 */
struct inq_error *inq_walk_list(const char *const *paths, size_t n_paths, bool recursive,
                                struct inq_walk *ret_walk);
/* Likewise one path recursively, but no more than so many entries and, in 1/1000 s, so long. */
struct inq_error *inq_walk_list_some(const char *const *path, size_t max_entries,
                                     uint64_t max_msec, struct inq_walk *ret_walk);
void inq_walk_deinit(struct inq_walk *walk);

/*
 * Opens a listed regular file for reading: by component from its root, none of which may have
 * become a link. -1 with errno; *ret_not_regular as inq_open_regular().
 */
int inq_walk_open(const struct inq_walk *walk, const struct inq_walk_entry *entry,
                  const char **ret_not_regular);

#endif

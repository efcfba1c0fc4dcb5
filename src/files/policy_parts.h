/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_POLICY_PARTS_H
#define INQ_FILES_POLICY_PARTS_H

/* What policy.c and metadata.c share. */

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Names that are no files, whatever lies there now. NULL when the name is fit to be looked up;
 * `sysroot`: below a directory that the user named.
 */
const char *inq_policy_name_refused(const char *path, bool sysroot);

/*
 * The superuser can read what the process that died could not. So as root, on the running system,
 * only what everyone may read is opened, or what a loader maps: an executable of root's.
 */
bool inq_policy_root_may_read(const struct stat *st);
/* Why not, and what to do; shorter than inq_file_reply.reason. */
#define INQ_POLICY_CLOSED_TO_OTHERS                                                               \
    "closed to others, and inquest runs as root; make it readable by everyone, or name its "      \
    "folder with --debug-dir"

#endif

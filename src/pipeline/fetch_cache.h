/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_FETCH_CACHE_H
#define INQ_PIPELINE_FETCH_CACHE_H

/*
 * The folder with files that were fetched: CACHE/inquest/debuginfod, of this user alone (0700),
 * with BUILDID.debug and BUILDID.module (0600), and a folder `fetch.XXXXXX` for each download.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "files.h"

/* A download's own folder; `name` is empty when there is none. */
struct inq_fetch_folder {
    char name[16];
    int fd; /* valid while there is one */
};

/* Below `cache_home`, which is made when missing. -1 and a static reason when it cannot be used. */
int inq_fetch_cache_open(const char *cache_home, const char **ret_why);

/* A file from it that the policy accepts: true. One that it does not is removed. */
bool inq_fetch_cache_get(int cache_fd, const struct inq_file_request *request,
                         struct inq_file_reply *ret_reply);

/*
 * Makes a folder that the process with `uid` may write to when we are root (else it is ours). False
 * with errno set.
 */
bool inq_fetch_folder_make(int cache_fd, uid_t uid, struct inq_fetch_folder *ret_folder);
/*
 * The file INQ_FETCH_RESULT in it, when the policy accepts it, moved into the cache. The process
 * that wrote it must be dead.
 */
bool inq_fetch_folder_take(int cache_fd, const struct inq_fetch_folder *folder,
                           const struct inq_file_request *request,
                           struct inq_file_reply *ret_reply);
void inq_fetch_folder_remove(int cache_fd, struct inq_fetch_folder *folder);

#endif

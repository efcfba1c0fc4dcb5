/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "fetch_protocol.h"

#define FOLDER_PREFIX "fetch."
#define MAX_FETCHED_BYTES (512 * INQ_MIB)
/* A download's folder this old has lost its owner: none is granted that long. */
#define ABANDONED_SECONDS (25 * 3600)
#define MOST_ENTRIES 64 /* in a download's folder; libdebuginfod makes five */

/* "BUILDID.debug" */
static void file_name(const struct inq_file_request *request, char buf[2 * INQ_MAX_BUILD_ID + 16])
{
    size_t n = 0;

    for (; n < request->build_id_size; n++)
        snprintf(buf + 2 * n, 3, "%02x", request->build_id[n]);
    snprintf(buf + 2 * n, 16, request->kind == INQ_FILE_FETCH_MODULE ? ".module" : ".debug");
}

/* Names of what is in a directory, one after the other; takes fd. NULL when it cannot be read. */
static DIR *list(int fd_taken)
{
    _cleanup_close_ int fd = fd_taken;
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory)
        (void)TAKE_FD(fd);
    return directory;
}

/* What a download left: files, and folders of files. Nothing is followed. */
static void clear(int fd, bool folders_too)
{
    DIR *directory = list(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    const struct dirent *entry;
    int left = MOST_ENTRIES;

    if (!directory)
        return;
    while ((entry = readdir(directory)) && left-- > 0) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || !folders_too)
            continue;
        _cleanup_close_ int below =
            openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            clear(below, false);
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(directory);
}

static void remove_folder(int cache_fd, const char *name)
{
    _cleanup_close_ int fd =
        openat(cache_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0)
        clear(fd, true);
    unlinkat(cache_fd, name, AT_REMOVEDIR);
}

/* Folders of an inquest that was killed. */
static void remove_abandoned(int cache_fd)
{
    DIR *directory = list(openat(cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    struct stat st;

    if (!directory)
        return;
    while ((entry = readdir(directory)))
        if (!strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) &&
            fstatat(cache_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            time(NULL) - st.st_mtim.tv_sec > ABANDONED_SECONDS)
            remove_folder(cache_fd, entry->d_name);
    closedir(directory);
}

int inq_fetch_cache_open(const char *cache_home, const char **ret_why)
{
    static const char *const below[] = {"inquest", "debuginfod"};
    _cleanup_close_ int fd = -1;
    struct stat st;

    *ret_why = "there is no folder to keep it: set XDG_CACHE_HOME or HOME";
    if (!cache_home || cache_home[0] != '/')
        return -1;
    *ret_why = "the folder to keep it in (XDG_CACHE_HOME/inquest/debuginfod) cannot be made";
    if (mkdir(cache_home, 0700) < 0 && errno != EEXIST)
        return -1;
    fd = open(cache_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < INQ_ARRAY_SIZE(below); i++) {
        int next;

        if (mkdirat(fd, below[i], 0700) < 0 && errno != EEXIST)
            return -1;
        next = openat(fd, below[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    if (fd < 0)
        return -1;
    *ret_why = "the folder to keep it in (XDG_CACHE_HOME/inquest/debuginfod) is another user's";
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid())
        return -1;
    if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
        return -1;
    remove_abandoned(fd);
    *ret_why = NULL;
    return TAKE_FD(fd);
}

bool inq_fetch_cache_get(int cache_fd, const struct inq_file_request *request,
                         struct inq_file_reply *ret_reply)
{
    char name[2 * INQ_MAX_BUILD_ID + 16];
    int fd;

    file_name(request, name);
    fd = openat(cache_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    inq_file_judge_fetched(request, fd, ret_reply);
    if (ret_reply->fd >= 0)
        return true;
    unlinkat(cache_fd, name, 0);
    return false;
}

bool inq_fetch_folder_make(int cache_fd, uid_t uid, struct inq_fetch_folder *ret_folder)
{
    struct inq_fetch_folder folder = {.fd = -1};
    unsigned random;

    for (int i = 0; i < 16; i++) {
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return false;
        snprintf(folder.name, sizeof(folder.name), FOLDER_PREFIX "%08x", random);
        if (mkdirat(cache_fd, folder.name, 0700) == 0)
            break;
        if (errno != EEXIST || i == 15)
            return false;
    }
    folder.fd = openat(cache_fd, folder.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder.fd < 0 || (geteuid() == 0 && fchown(folder.fd, uid, uid) < 0)) {
        int saved = errno;

        inq_fetch_folder_remove(cache_fd, &folder);
        errno = saved;
        return false;
    }
    *ret_folder = folder;
    return true;
}

bool inq_fetch_folder_take(int cache_fd, const struct inq_fetch_folder *folder,
                           const struct inq_file_request *request, struct inq_file_reply *ret_reply)
{
    _cleanup_close_ int fd = openat(folder->fd, INQ_FETCH_RESULT,
                                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    char name[2 * INQ_MAX_BUILD_ID + 16];
    struct stat st;

    *ret_reply = (struct inq_file_reply){.status = INQ_ON_DISK_MISSING, .fd = -1};
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
        (uint64_t)st.st_size > MAX_FETCHED_BYTES)
        return false;
    /* Ours and closed to others before it is looked at. */
    if ((geteuid() == 0 && fchown(fd, 0, 0) < 0) || fchmod(fd, 0600) < 0)
        return false;
    inq_file_judge_fetched(request, TAKE_FD(fd), ret_reply);
    if (ret_reply->fd < 0)
        return false;
    file_name(request, name);
    /* When it cannot be kept it can still be used. */
    (void)renameat(folder->fd, INQ_FETCH_RESULT, cache_fd, name);
    return true;
}

void inq_fetch_folder_remove(int cache_fd, struct inq_fetch_folder *folder)
{
    if (folder->name[0] == '\0')
        return;
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
    remove_folder(cache_fd, folder->name);
    folder->name[0] = '\0';
}

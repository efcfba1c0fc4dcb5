/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Watching directories: inotify(7) only says when to look; what is new is the journal's to know, so
 * that nothing is lost when events are, or when the watch itself ends.
 */

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "scan_extras.h"

#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR)
/* A dump is written in one go; what comes in a burst is done in one pass. */
#define SETTLE_MSEC 200
/* What was still being written, or made while no watch was set yet, is seen at the next look. */
#define LOOK_MSEC 15000
#define MAX_FOLDERS 4096u

static void add_folders(int fd, const char *path, bool below, unsigned depth, unsigned *count)
{
    if (depth > 16 || *count >= MAX_FOLDERS || inotify_add_watch(fd, path, EVENTS) < 0)
        return;
    ++*count;
    DIR *folder = below ? opendir(path) : NULL;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        _cleanup_free_ char *child = NULL;

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
            (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
            child = NULL;
        else
            add_folders(fd, child, true, depth + 1, count);
    }
    if (folder)
        closedir(folder);
}

/* True when there is a reason to look. */
static bool wait_for_news(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char events[4096];
    int n = poll(&poll_fd, 1, LOOK_MSEC);

    if (n < 0 || inq_pipeline_interrupted())
        return false;
    while (n > 0) { /* until it is quiet */
        if (read(fd, events, sizeof(events)) <= 0)
            break;
        n = poll(&poll_fd, 1, SETTLE_MSEC);
    }
    return true;
}

int cli_scan_watch(struct cli_scan *scan, const char *const *paths, size_t n,
                   int (*scan_paths)(struct cli_scan *scan, const char *const *paths, size_t n))
{
    const bool below = !scan->cli->options.flat;
    _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int exit_code = 0;

    if (fd < 0)
        return cli_fail(scan->cli, inq_error_create(INQ_E_IO, "inotify: %s", strerror(errno)));
    scan->watching = true;
    scan->cli->records.settled = true;
    /* a folder may go and come again; a database or an output that fails does not */
    while (!inq_pipeline_interrupted() && !scan->cli->records.failed && !scan->cli->write_failed) {
        unsigned count = 0;

        /* again each time, for folders that are new; a watch that is there already is no other */
        for (size_t i = 0; i < n; i++)
            add_folders(fd, paths[i], below, 0, &count);
        if (wait_for_news(fd))
            exit_code = scan_paths(scan, paths, n);
    }
    return inq_pipeline_interrupted() ? CLI_EXIT_SIGNAL + inq_pipeline_interrupted() : exit_code;
}

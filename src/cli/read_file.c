/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "cli.h"
#include "io.h"

/* All of a descriptor, up to the limit and one byte more, so that "too large" shows. */
static struct inq_error *read_all(int fd, const char *name, size_t limit, char **ret_bytes,
                                  size_t *ret_size)
{
    INQ_ARRAY(char) bytes = {0};
    size_t room = 64u * 1024u;

    for (;;) {
        char *grown = room > bytes.capacity ? realloc(bytes.items, room) : bytes.items;
        ssize_t got;

        if (!grown) {
            free(bytes.items);
            return &inq_error_oom;
        }
        bytes.items = grown;
        bytes.capacity = room;
        got = inq_read_full(fd, bytes.items + bytes.count, room - bytes.count);
        if (got < 0) {
            int problem = errno;

            free(bytes.items);
            return inq_error_in(inq_error_create(INQ_E_IO, "%s", strerror(problem)), name);
        }
        bytes.count += (size_t)got;
        if (bytes.count < room || bytes.count > limit)
            break;
        room *= 2;
    }
    if (bytes.count > limit) {
        free(bytes.items);
        return inq_error_in(inq_error_create(INQ_E_CONFIG, "larger than %zu MiB", limit >> 20),
                            name);
    }
    *ret_bytes = bytes.items;
    *ret_size = bytes.count;
    return NULL;
}

struct inq_error *cli_read_report(const char *path, char **ret_bytes, size_t *ret_size)
{
    const char *not_regular = NULL;

    if (!strcmp(path, "-"))
        return read_all(STDIN_FILENO, "standard input", INQ_MAX_WORKER_OUTPUT, ret_bytes, ret_size);
    _cleanup_close_ int fd = inq_open_regular(AT_FDCWD, path, true, &not_regular);
    if (fd < 0 && not_regular)
        return inq_error_in(inq_error_create(INQ_E_CONFIG, "not a regular file: %s", not_regular),
                            path);
    if (fd < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "%s", strerror(errno)), path);
    return read_all(fd, path, INQ_MAX_WORKER_OUTPUT, ret_bytes, ret_size);
}

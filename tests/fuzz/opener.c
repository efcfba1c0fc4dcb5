/* SPDX-License-Identifier: Apache-2.0 */
#include "opener.h"

#include <fcntl.h>
#include <stdio.h>

static struct inq_error *ask(struct inq_opener *opener, const struct inq_file_request *requests,
                             size_t n, struct inq_file_reply *replies)
{
    const struct fuzz_file *file = opener->context;

    (void)requests;
    for (size_t i = 0; i < n; i++) {
        int fd = file->fd < 0 ? -1 : fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

        replies[i] = (struct inq_file_reply){
            .status = fd < 0 ? INQ_ON_DISK_MISSING : file->status,
            .fd = fd,
        };
        if (replies[i].status != INQ_ON_DISK_MATCH)
            snprintf(replies[i].reason, sizeof(replies[i].reason), "made by a fuzzer");
    }
    return NULL;
}

struct inq_opener fuzz_opener(struct fuzz_file *file)
{
    return (struct inq_opener){.ask = ask, .context = file};
}

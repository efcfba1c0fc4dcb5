/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <stdio.h>

#define AT_ONCE 16u

struct inq_error *inq_opener_ask_each(struct inq_opener *opener,
                                      const struct inq_file_request *requests, size_t n,
                                      inq_file_take take, void *context)
{
    struct inq_file_reply replies[AT_ONCE];

    if (opener->ask_each)
        return opener->ask_each(opener, requests, n, take, context);
    for (size_t i = 0; i < n; i += AT_ONCE) {
        const size_t count = n - i < AT_ONCE ? n - i : AT_ONCE;

        INQ_TRY(opener->ask(opener, requests + i, count, replies));
        for (size_t k = 0; k < count; k++)
            take(context, i + k, &replies[k]);
    }
    return NULL;
}

static struct inq_error *ask_policy(struct inq_opener *opener,
                                    const struct inq_file_request *requests, size_t n,
                                    struct inq_file_reply *replies)
{
    for (size_t i = 0; i < n; i++)
        inq_file_open(opener->context, &requests[i], &replies[i]);
    return NULL;
}

struct inq_opener inq_opener_direct(const struct inq_file_policy *policy)
{
    /* `context` is shared with openers that write to theirs; this one only reads. */
    union {
        const void *from;
        void *to;
    } context = {.from = policy};

    return (struct inq_opener){.ask = ask_policy, .context = context.to};
}

static struct inq_error *ask_nobody(struct inq_opener *opener,
                                    const struct inq_file_request *requests, size_t n,
                                    struct inq_file_reply *replies)
{
    (void)opener;
    (void)requests;
    for (size_t i = 0; i < n; i++) {
        replies[i] = (struct inq_file_reply){.status = INQ_ON_DISK_REFUSED, .fd = -1};
        snprintf(replies[i].reason, sizeof(replies[i].reason), "files are not looked at");
    }
    return NULL;
}

struct inq_opener inq_opener_none(void)
{
    return (struct inq_opener){.ask = ask_nobody};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "io.h"

#define BATCH 16u

void inq_blob_deinit(struct inq_blob *blob)
{
    if (blob->mapped > 0)
        munmap(blob->text, blob->mapped);
    else
        free(blob->text);
    *blob = (struct inq_blob){0};
}

/* A file that shrinks meanwhile gives less; one that grows gives what it had. */
static struct inq_error *read_text(int fd, struct inq_blob *ret_blob)
{
    struct stat st;
    ssize_t n;
    char *text;

    if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size > INQ_MAX_DATABASE_BYTES)
        return NULL;
    text = malloc((size_t)st.st_size + 1);
    if (!text)
        return &inq_error_oom;
    n = inq_pread_full(fd, text, (size_t)st.st_size, 0);
    if (n < 0) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *ret_blob = (struct inq_blob){.text = text, .size = (size_t)n};
    return NULL;
}

/* False when it has to be read. Behind the end of the file its last page holds zeros: the NUL. */
static bool map_text(int fd, struct inq_blob *ret_blob)
{
    const long page = sysconf(_SC_PAGESIZE);
    struct stat st;
    void *at;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > INQ_MAX_DATABASE_BYTES ||
        page <= 0 || st.st_size % page == 0)
        return false;
    at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return false;
    *ret_blob =
        (struct inq_blob){.text = at, .size = (size_t)st.st_size, .mapped = (size_t)st.st_size};
    return true;
}

struct inq_error *inq_blob_map(struct inq_opener *opener, enum inq_file_kind kind, const char *path,
                               struct inq_blob *ret_blob)
{
    const struct inq_file_request request = {.kind = kind, .path = path};
    struct inq_file_reply reply;
    struct inq_error *error = NULL;

    *ret_blob = (struct inq_blob){0};
    INQ_TRY(opener->ask(opener, &request, 1, &reply));
    if (reply.fd < 0)
        return NULL;
    if (!map_text(reply.fd, ret_blob))
        error = read_text(reply.fd, ret_blob);
    close(reply.fd);
    return error;
}

static struct inq_error *read_batch(struct inq_opener *opener, enum inq_file_kind kind,
                                    const char *const *paths, size_t n, struct inq_blob *blobs)
{
    struct inq_file_request requests[BATCH];
    struct inq_file_reply replies[BATCH];
    struct inq_error *error = NULL;

    for (size_t i = 0; i < n; i++)
        requests[i] = (struct inq_file_request){.kind = kind, .path = paths[i]};
    INQ_TRY(opener->ask(opener, requests, n, replies));
    for (size_t i = 0; i < n; i++) {
        if (replies[i].fd < 0)
            continue;
        if (!error)
            error = read_text(replies[i].fd, &blobs[i]);
        close(replies[i].fd);
    }
    return error;
}

struct inq_error *inq_blobs_read(struct inq_opener *opener, enum inq_file_kind kind,
                                 const char *const *paths, size_t n, struct inq_blob *ret_blobs)
{
    struct inq_error *error = NULL;

    for (size_t i = 0; i < n; i++)
        ret_blobs[i] = (struct inq_blob){0};
    for (size_t i = 0; i < n && !error; i += BATCH)
        error = read_batch(opener, kind, paths + i, n - i < BATCH ? n - i : BATCH, ret_blobs + i);
    for (size_t i = 0; error && i < n; i++)
        inq_blob_deinit(&ret_blobs[i]);
    return error;
}

bool inq_blob_line(const struct inq_blob *blob, size_t *pos, const char **ret_line,
                   size_t *ret_size)
{
    const char *begin, *end;

    if (*pos >= blob->size)
        return false;
    begin = blob->text + *pos;
    end = memchr(begin, '\n', blob->size - *pos);
    *ret_line = begin;
    *ret_size = end ? (size_t)(end - begin) : blob->size - *pos;
    *pos += *ret_size + (end ? 1 : 0);
    if (*ret_size > 0 && begin[*ret_size - 1] == '\r')
        (*ret_size)--;
    return true;
}

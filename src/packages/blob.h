/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_BLOB_H
#define INQ_PACKAGES_BLOB_H

/* The text of a metadata file, asked for through the policy (files/metadata.h). */

#include <stdbool.h>
#include <stddef.h>

#include "files.h"

struct inq_blob {
    char *text;    /* NUL-terminated, and may hold NULs itself; NULL when it could not be had */
    size_t size;   /* without the last NUL */
    size_t mapped; /* bytes of the mapping that `text` is; 0: it is the heap's */
};

void inq_blob_deinit(struct inq_blob *blob);

/*
 * Asks for n files or listings at once and reads them. What is missing or refused has text NULL: an
 * error is only a lack of memory, or a parent that is gone.
 */
struct inq_error *inq_blobs_read(struct inq_opener *opener, enum inq_file_kind kind,
                                 const char *const *paths, size_t n, struct inq_blob *ret_blobs);
static inline struct inq_error *inq_blob_read(struct inq_opener *opener, enum inq_file_kind kind,
                                              const char *path, struct inq_blob *ret_blob)
{
    return inq_blobs_read(opener, kind, &path, 1, ret_blob);
}

/*
 * The same of one large file, for a package manager's database: it may be mapped instead of copied,
 * which counts when each of a thousand dumps asks for one version out of a megabyte. Only for files
 * that their owner replaces and never shortens, which would be SIGBUS here.
 */
struct inq_error *inq_blob_map(struct inq_opener *opener, enum inq_file_kind kind, const char *path,
                               struct inq_blob *ret_blob);

/* The next line at *pos, without its end; false at the end of the text. */
bool inq_blob_line(const struct inq_blob *blob, size_t *pos, const char **ret_line,
                   size_t *ret_size);

#endif

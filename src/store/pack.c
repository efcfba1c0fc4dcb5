/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "cleanup.h"
#include "evidence.h"
#include "sql.h"

/* The largest report that a worker may send, and more: pool.c. */
#define MAX_UNPACKED (256u << 20)

/* A context takes longer to make than to use. */
static ZSTD_CCtx *packer_of(struct inq_store *store)
{
    if (!store->packer)
        store->packer = ZSTD_createCCtx();
    /* SQLite has no checksums of its own: pages may rot unseen */
    if (store->packer)
        ZSTD_CCtx_setParameter(store->packer, ZSTD_c_checksumFlag, 1);
    return store->packer;
}

static struct inq_error *compress(struct inq_store *store, const char *text, void **ret_bytes,
                                  size_t *ret_size)
{
    const size_t size = strlen(text), bound = ZSTD_compressBound(size);
    ZSTD_CCtx *context = packer_of(store);
    _cleanup_free_ void *bytes = malloc(bound);
    size_t n = 0;

    if (context && bytes)
        n = ZSTD_compress2(context, bytes, bound, text, size);
    if (n == 0 || ZSTD_isError(n))
        return &inq_error_oom;
    *ret_bytes = TAKE_PTR(bytes);
    *ret_size = n;
    return NULL;
}

struct inq_error *inq_pack(struct inq_store *store, const json_t *document, void **ret_bytes,
                           size_t *ret_size)
{
    _cleanup_free_ char *text = inq_evidence_dump(document, false);

    return text ? compress(store, text, ret_bytes, ret_size) : &inq_error_oom;
}

void inq_packer_deinit(struct inq_store *store)
{
    ZSTD_freeCCtx(store->packer);
    store->packer = NULL;
}

static struct inq_error *damaged(const struct inq_store *store)
{
    return inq_error_in(inq_error_create(INQ_E_STORE_DAMAGED,
                                         "a stored report is damaged; the crash database was left "
                                         "as it is"),
                        store->path);
}

struct inq_error *inq_unpack(const struct inq_store *store, const void *bytes, size_t size,
                             json_t **ret_document)
{
    unsigned long long whole = bytes ? ZSTD_getFrameContentSize(bytes, size) : 0;

    if (!bytes || whole == ZSTD_CONTENTSIZE_ERROR || whole == ZSTD_CONTENTSIZE_UNKNOWN ||
        whole > MAX_UNPACKED)
        return damaged(store);
    _cleanup_free_ char *text = malloc((size_t)whole + 1);
    if (!text)
        return &inq_error_oom;
    size_t n = ZSTD_decompress(text, (size_t)whole, bytes, size);
    if (ZSTD_isError(n))
        return damaged(store);
    /* whoever could write the file could write anything into it */
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    struct inq_error *error = inq_evidence_parse(text, n, store->path, &evidence);
    if (error == &inq_error_oom)
        return error;
    if (error) {
        struct inq_error *told = inq_error_in(
            inq_error_create(INQ_E_STORE_VERSION,
                             "a stored report is not of this release's form (%s)", error->message),
            store->path);
        inq_error_destroy(error);
        return told;
    }
    *ret_document = TAKE_PTR(evidence->document);
    return NULL;
}

bool inq_pass_over_form(struct inq_store *store, struct inq_error **error)
{
    if (!*error)
        return true;
    if (*error == &inq_error_oom || (*error)->code != INQ_E_STORE_VERSION)
        return false;
    inq_error_destroy(*error);
    *error = NULL;
    store->unread++;
    return false;
}

uint64_t inq_store_unread(const struct inq_store *store)
{
    return store ? store->unread : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store of a build without SQLite (-Dstore=disabled): nothing can be opened, so that nobody has
 * a store to hand to the other functions. They are here for the linker.
 */

#include "crash_db.h"

static struct inq_error *not_built(void)
{
    return inq_error_create(INQ_E_STORE_BUILD, "this build has no crash database");
}

#define UNREACHED(name, ...)                                                                       \
    struct inq_error *name(__VA_ARGS__)                                                            \
    {                                                                                              \
        return not_built();                                                                        \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"

UNREACHED(inq_store_open, const char *path, enum inq_store_mode mode, struct inq_store **ret_store)
UNREACHED(inq_store_look, struct inq_store *store, const struct inq_store_file *file,
          struct inq_store_claim *ret_claim)
UNREACHED(inq_store_claim, struct inq_store *store, const struct inq_store_file *file, bool again,
          struct inq_store_claim *ret_claim)
UNREACHED(inq_store_pass_over, struct inq_store *store, int64_t id, const char *reason)
UNREACHED(inq_store_note_other, struct inq_store *store, const struct inq_store_file *file,
          const char *reason)
UNREACHED(inq_store_fail, struct inq_store *store, int64_t id, const char *reason, bool killed)
UNREACHED(inq_store_release, struct inq_store *store, int64_t id)
UNREACHED(inq_store_record, struct inq_store *store, int64_t id, const json_t *report,
          const json_t *row, int exit_code, char ret_uid[INQ_STORE_UID_SIZE])
UNREACHED(inq_store_replace, struct inq_store *store, const char *uid, const json_t *report,
          const json_t *row)
UNREACHED(inq_store_seen, struct inq_store *store, const json_t *report, json_t **ret_seen)
UNREACHED(inq_store_show, struct inq_store *store, const char *id, json_t **ret_document)
UNREACHED(inq_store_each, struct inq_store *store, const struct inq_store_filter *filter,
          bool whole, inq_store_row_fn row, void *context)
UNREACHED(inq_store_groups, struct inq_store *store, const struct inq_store_filter *filter,
          json_t **ret_groups)
UNREACHED(inq_store_reserve, struct inq_store *store, const char *uid, bool *ret_ours)
UNREACHED(inq_store_set_reported, struct inq_store *store, const char *uid)
UNREACHED(inq_store_add_issue, struct inq_store *store, const struct inq_store_issue *issue)
UNREACHED(inq_store_issues, struct inq_store *store, json_t **ret_issues)
UNREACHED(inq_store_issue_of, struct inq_store *store, const json_t *report, char **ret_link)
UNREACHED(inq_store_purge, struct inq_store *store, const struct inq_store_filter *filter,
          bool dry_run, uint64_t *ret_count)
UNREACHED(inq_store_begin, struct inq_store *store)
UNREACHED(inq_store_commit, struct inq_store *store)

void inq_store_rollback(struct inq_store *store) {}

void inq_store_close(struct inq_store *store) {}

const char *inq_store_path(const struct inq_store *store)
{
    return "";
}

char *inq_store_default_path(void)
{
    return NULL;
}

void inq_store_claim_deinit(struct inq_store_claim *claim)
{
    *claim = (struct inq_store_claim){0};
}

bool inq_store_is_own_file(const struct inq_store *store, uint64_t dev, uint64_t ino)
{
    return false;
}

uint64_t inq_store_unread(const struct inq_store *store)
{
    return 0;
}

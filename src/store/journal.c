/* SPDX-License-Identifier: Apache-2.0 */

/* seen or running → done | other | failed; failed three times is quarantined. */

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sql.h"

#define MOST_ATTEMPTS 3
/* Somebody's SIGKILL (the OOM killer, an impatient operator) says less of the dump. */
#define MOST_KILLS 20

struct entry { /* a row of `file`, with what belongs to its crash */
    int64_t id, attempts, kills;
    bool found, same;
};

void inq_store_claim_deinit(struct inq_store_claim *claim)
{
    json_decref(claim->row);
    free(claim->reason);
    *claim = (struct inq_store_claim){0};
}

static struct inq_error *answer_done(struct inq_store *store, sqlite3_stmt *found, bool state_only,
                                     struct inq_store_claim *claim)
{
    const char *uid = (const char *)sqlite3_column_text(found, 10);

    struct inq_error *error = NULL;

    if (!state_only)
        error = inq_unpack(store, sqlite3_column_blob(found, 11),
                           (size_t)sqlite3_column_bytes(found, 11), &claim->row);
    if (!inq_pass_over_form(store, &error)) /* then it is new */
        return error;
    claim->state = INQ_STORE_DONE;
    claim->exit_code = sqlite3_column_int(found, 12);
    strncpy(claim->uid, uid ? uid : "", sizeof(claim->uid) - 1);
    return NULL;
}

static bool is_quarantined(const struct entry *entry)
{
    return entry->attempts >= MOST_ATTEMPTS || entry->kills >= MOST_KILLS;
}

/* What the row says of the file. */
static struct inq_error *judge(struct inq_store *store, sqlite3_stmt *found,
                               const struct inq_store_file *file, struct entry *entry,
                               struct inq_store_claim *claim)
{
    const char *state = (const char *)sqlite3_column_text(found, 3);
    const pid_t owner = (pid_t)sqlite3_column_int64(found, 6);

    claim->state = INQ_STORE_NEW;
    if (!entry->same || !state) {
        entry->attempts = entry->kills = 0; /* it is another file now */
        return NULL;
    }
    if (!strcmp(state, "running")) {
        if (inq_owner_alive(store, (const char *)sqlite3_column_text(found, 7), owner,
                            (uint64_t)sqlite3_column_int64(found, 8)) &&
            owner != getpid()) {
            claim->state = INQ_STORE_TAKEN;
            claim->owner = owner;
        }
        return NULL;
    }
    /* the crash may have been purged since: then it is done again */
    if (!strcmp(state, "done") && sqlite3_column_type(found, 10) != SQLITE_NULL)
        return answer_done(store, found, file->state_only, claim);
    /* its name may have decided, and whoever replaced it may have set its time back */
    if (!strcmp(state, "other")) {
        if (sqlite3_column_int64(found, 14) == file->ctime_nsec && file->ctime_nsec != 0)
            claim->state = INQ_STORE_OTHER;
    } else if (!strcmp(state, "failed") && is_quarantined(entry))
        claim->state = INQ_STORE_QUARANTINED;
    if (claim->state != INQ_STORE_NEW)
        claim->reason = inq_sql_text(found, 9);
    return NULL;
}

static bool is_text(sqlite3_stmt *statement, int column, const char *text)
{
    const unsigned char *have = sqlite3_column_text(statement, column);

    return have && !strcmp((const char *)have, text);
}

static struct inq_error *look_up(struct inq_store *store, const struct inq_store_file *file,
                                 struct entry *entry, struct inq_store_claim *claim)
{
    sqlite3_stmt *found = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_FIND, &found));
    inq_sql_bind_int(found, 1, (int64_t)file->dev);
    inq_sql_bind_int(found, 2, (int64_t)file->ino);
    INQ_TRY(inq_sql_step(store, found, &entry->found));
    claim->state = INQ_STORE_NEW;
    if (!entry->found)
        return NULL;
    entry->id = sqlite3_column_int64(found, 0);
    entry->same = sqlite3_column_int64(found, 1) == (int64_t)file->size_bytes &&
                  sqlite3_column_int64(found, 2) == file->mtime_nsec &&
                  is_text(found, 13, file->setting);
    entry->attempts = sqlite3_column_int64(found, 4);
    entry->kills = sqlite3_column_int64(found, 5);
    claim->id = entry->id;
    struct inq_error *error = judge(store, found, file, entry, claim);
    sqlite3_reset(found);
    return error;
}

static void bind_owner(struct inq_store *store, sqlite3_stmt *statement, int at)
{
    const pid_t self = getpid();

    if (store->owner.pid != self) { /* it does not change while a process lives */
        store->owner.start = inq_owner_start(self);
        store->owner.pid = store->owner.start != 0 ? self : 0;
    }
    inq_sql_bind_int(statement, at, self);
    inq_sql_bind_text(statement, at + 1, store->boot_id);
    inq_sql_bind_int(statement, at + 2, (int64_t)store->owner.start);
}

static struct inq_error *take(struct inq_store *store, const struct inq_store_file *file,
                              const struct entry *entry, struct inq_store_claim *claim)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, entry->found ? INQ_SQL_FILE_CLAIM : INQ_SQL_FILE_ADD, &statement));
    if (entry->found) {
        inq_sql_bind_int(statement, 1, entry->id);
        inq_sql_bind_int(statement, 2, (int64_t)file->size_bytes);
        inq_sql_bind_int(statement, 3, file->mtime_nsec);
        inq_sql_bind_text(statement, 4, file->path);
        inq_sql_bind_int(statement, 5, entry->attempts);
        inq_sql_bind_int(statement, 6, entry->kills);
        bind_owner(store, statement, 7);
        inq_sql_bind_text(statement, 10, file->setting);
        inq_sql_bind_int(statement, 11, file->ctime_nsec);
    } else {
        inq_sql_bind_int(statement, 1, (int64_t)file->dev);
        inq_sql_bind_int(statement, 2, (int64_t)file->ino);
        inq_sql_bind_int(statement, 3, (int64_t)file->size_bytes);
        inq_sql_bind_int(statement, 4, file->mtime_nsec);
        inq_sql_bind_text(statement, 5, file->path);
        bind_owner(store, statement, 6);
        inq_sql_bind_text(statement, 9, file->setting);
        inq_sql_bind_int(statement, 10, file->ctime_nsec);
    }
    INQ_TRY(inq_sql_finish(store, statement));
    claim->id = entry->found ? entry->id : sqlite3_last_insert_rowid(store->db);
    claim->state = INQ_STORE_CLAIMED;
    return NULL;
}

struct inq_error *inq_store_look(struct inq_store *store, const struct inq_store_file *file,
                                 struct inq_store_claim *ret_claim)
{
    _cleanup_(inq_store_claim_deinit) struct inq_store_claim claim = {0};
    struct entry entry = {0};

    INQ_TRY(look_up(store, file, &entry, &claim));
    *ret_claim = claim;
    claim = (struct inq_store_claim){0};
    return NULL;
}

struct inq_error *inq_store_claim(struct inq_store *store, const struct inq_store_file *file,
                                  bool again, struct inq_store_claim *ret_claim)
{
    _cleanup_(inq_store_claim_deinit) struct inq_store_claim claim = {0};
    struct entry entry = {0};

    INQ_TRY(inq_sql_begin(store));
    struct inq_error *error = look_up(store, file, &entry, &claim);
    if (!error && again && claim.state != INQ_STORE_TAKEN) {
        const int64_t id = claim.id;
        inq_store_claim_deinit(&claim);
        claim = (struct inq_store_claim){.id = id, .state = INQ_STORE_NEW};
    }
    if (!error && claim.state == INQ_STORE_NEW)
        error = take(store, file, &entry, &claim);
    INQ_TRY(inq_sql_end(store, error));
    *ret_claim = claim;
    claim = (struct inq_store_claim){0};
    return NULL;
}

static struct inq_error *set_state(struct inq_store *store, int64_t id, const char *state,
                                   const char *reason)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_STATE, &statement));
    inq_sql_bind_int(statement, 1, id);
    inq_sql_bind_text(statement, 2, state);
    inq_sql_bind_text(statement, 3, reason);
    return inq_sql_finish(store, statement);
}

struct inq_error *inq_store_pass_over(struct inq_store *store, int64_t id, const char *reason)
{
    return set_state(store, id, "other", reason);
}

struct inq_error *inq_store_note_other(struct inq_store *store, const struct inq_store_file *file,
                                       const char *reason)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_OTHER, &statement));
    inq_sql_bind_int(statement, 1, (int64_t)file->dev);
    inq_sql_bind_int(statement, 2, (int64_t)file->ino);
    inq_sql_bind_int(statement, 3, (int64_t)file->size_bytes);
    inq_sql_bind_int(statement, 4, file->mtime_nsec);
    inq_sql_bind_text(statement, 5, file->path);
    inq_sql_bind_text(statement, 6, file->setting);
    inq_sql_bind_text(statement, 7, reason);
    inq_sql_bind_int(statement, 8, file->ctime_nsec);
    INQ_TRY(inq_sql_finish(store, statement));
    /* files come and go, and nobody tells when they go: the oldest are forgotten */
    const int64_t id = sqlite3_last_insert_rowid(store->db);
    if (id <= INQ_STORE_MOST_OTHERS || id % 1024 != 0)
        return NULL;
    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_FORGET, &statement));
    inq_sql_bind_int(statement, 1, id - INQ_STORE_MOST_OTHERS);
    return inq_sql_finish(store, statement);
}

struct inq_error *inq_store_release(struct inq_store *store, int64_t id)
{
    return set_state(store, id, "seen", NULL);
}

struct inq_error *inq_store_fail(struct inq_store *store, int64_t id, const char *reason,
                                 bool killed)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_FAIL, &statement));
    inq_sql_bind_int(statement, 1, id);
    inq_sql_bind_text(statement, 2, reason);
    inq_sql_bind_int(statement, 3, killed ? 0 : 1);
    inq_sql_bind_int(statement, 4, killed ? 1 : 0);
    return inq_sql_finish(store, statement);
}

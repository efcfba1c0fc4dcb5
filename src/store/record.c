/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "evidence.h"
#include "sql.h"
#include "text.h"

/* The id of a row that is found by, or made of, its key; 0 without a key. */
static struct inq_error *intern(struct inq_store *store, enum inq_sql add, enum inq_sql find,
                                const char *key, const char *extra, int64_t *ret_id)
{
    sqlite3_stmt *statement = NULL;
    bool row;

    *ret_id = 0;
    if (!key)
        return NULL;
    for (unsigned round = 0; round < 2; round++) {
        INQ_TRY(inq_sql_get(store, find, &statement));
        inq_sql_bind_text(statement, 1, key);
        INQ_TRY(inq_sql_step(store, statement, &row));
        if (row) {
            *ret_id = sqlite3_column_int64(statement, 0);
            sqlite3_reset(statement);
            return NULL;
        }
        INQ_TRY(inq_sql_get(store, add, &statement));
        inq_sql_bind_text(statement, 1, key);
        inq_sql_bind_text(statement, 2, extra);
        INQ_TRY(inq_sql_finish(store, statement));
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static void bind_fact(sqlite3_stmt *statement, int at, const json_t *report, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(report, path, NULL, NULL);

    if (value.known != INQ_KNOWN)
        return;
    if (json_is_integer(value.value))
        inq_sql_bind_int(statement, at, json_integer_value(value.value));
    else
        inq_sql_bind_text(statement, at, json_string_value(value.value));
}

static void bind_id(sqlite3_stmt *statement, int at, int64_t id)
{
    if (id != 0)
        inq_sql_bind_int(statement, at, id);
}

struct parts { /* of one record */
    const json_t *report;
    char identity[96]; /* core.identity, or of a stub "file:" and its entry in the journal */
    int64_t group, build;
    int exit_code;   /* -1: as it was */
    void *row, *doc; /* packed */
    size_t row_size, doc_size;
};

static void parts_deinit(struct parts *parts)
{
    free(parts->row);
    free(parts->doc);
}

static struct inq_error *write_crash(struct inq_store *store, enum inq_sql how, const char *uid,
                                     const struct parts *parts)
{
    const json_t *report = parts->report;
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    sqlite3_stmt *statement = NULL;
    int64_t when;

    INQ_TRY(inq_sql_get(store, how, &statement));
    inq_sql_bind_text(statement, 1, uid);
    if (how == INQ_SQL_CRASH_ADD)
        inq_sql_bind_text(statement, 2, parts->identity);
    bind_id(statement, 3, parts->group);
    bind_id(statement, 4, parts->build);
    bind_fact(statement, 5, report, "process.hostname");
    bind_fact(statement, 6, report, "process.comm");
    inq_sql_bind_text(statement, 7, base_name(inq_doc_text(report, "process.executable")));
    bind_fact(statement, 8, report, "process.pid");
    bind_fact(statement, 9, report, "signal.name");
    bind_fact(statement, 10, report, "fault.address");
    inq_sql_bind_text(statement, 11, json_string_value(json_object_get(best, "grade")));
    inq_sql_bind_text(statement, 12, json_string_value(json_object_get(best, "signature")));
    if (parts->exit_code >= 0)
        inq_sql_bind_int(statement, 13, parts->exit_code);
    if (inq_doc_time(inq_doc_text(report, "process.crashed_at"), &when))
        inq_sql_bind_int(statement, 14, when);
    if (how == INQ_SQL_CRASH_ADD)
        inq_sql_bind_int(statement, 15, time(NULL));
    bind_fact(statement, 16, report, "core.path");
    bind_fact(statement, 17, report, "core.size_bytes");
    bind_fact(statement, 18, report, "tool.version");
    sqlite3_bind_blob64(statement, 19, parts->row, parts->row_size, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 20, parts->doc, parts->doc_size, SQLITE_STATIC);
    struct inq_error *error = inq_sql_finish(store, statement);
    sqlite3_clear_bindings(statement);
    return error;
}

/* Which builds of which libraries were there: "all crashes with this libfoo". */
static struct inq_error *write_modules(struct inq_store *store, int64_t crash, const json_t *report)
{
    const json_t *module;
    sqlite3_stmt *statement = NULL;
    size_t i;

    INQ_TRY(inq_sql_get(store, INQ_SQL_MODULE_CLEAR, &statement));
    inq_sql_bind_int(statement, 1, crash);
    INQ_TRY(inq_sql_finish(store, statement));
    json_array_foreach (json_object_get(report, "modules"), i, module) {
        int64_t build;

        INQ_TRY(intern(store, INQ_SQL_BUILD_ADD, INQ_SQL_BUILD_FIND,
                       json_string_value(json_object_get(module, "build_id")),
                       json_string_value(json_object_get(module, "path")), &build));
        if (build == 0)
            continue;
        INQ_TRY(inq_sql_get(store, INQ_SQL_MODULE_ADD, &statement));
        inq_sql_bind_int(statement, 1, crash);
        inq_sql_bind_int(statement, 2, build);
        INQ_TRY(inq_sql_finish(store, statement));
    }
    return NULL;
}

/* Finds the crash of a dump that was recorded under whatever name. */
static struct inq_error *find_known(struct inq_store *store, const char *identity, int64_t *ret_id,
                                    char ret_uid[INQ_STORE_UID_SIZE])
{
    sqlite3_stmt *statement = NULL;
    bool row;

    *ret_id = 0;
    INQ_TRY(inq_sql_get(store, INQ_SQL_CRASH_BY_IDENTITY, &statement));
    inq_sql_bind_text(statement, 1, identity);
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (!row)
        return NULL;
    const unsigned char *uid = sqlite3_column_text(statement, 1);
    *ret_id = sqlite3_column_int64(statement, 0);
    memset(ret_uid, 0, INQ_STORE_UID_SIZE);
    strncpy(ret_uid, uid ? (const char *)uid : "", INQ_STORE_UID_SIZE - 1);
    sqlite3_reset(statement);
    return NULL;
}

static struct inq_error *end_claim(struct inq_store *store, int64_t file, int64_t crash)
{
    sqlite3_stmt *statement = NULL;

    if (file == 0)
        return NULL;
    INQ_TRY(inq_sql_get(store, INQ_SQL_FILE_DONE, &statement));
    inq_sql_bind_int(statement, 1, file);
    inq_sql_bind_int(statement, 2, crash);
    return inq_sql_finish(store, statement);
}

/* A stub of this file is over now that the dump itself can be known. */
static struct inq_error *drop_stub(struct inq_store *store, int64_t file, const struct parts *parts)
{
    sqlite3_stmt *statement = NULL;
    char identity[sizeof(parts->identity)];

    if (file == 0 || inq_starts_with(parts->identity, "file:"))
        return NULL;
    snprintf(identity, sizeof(identity), "file:%lld", (long long)file);
    INQ_TRY(inq_sql_get(store, INQ_SQL_DROP_STUB, &statement));
    inq_sql_bind_text(statement, 1, identity);
    return inq_sql_finish(store, statement);
}

static bool is_uid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(shape); i++)
        if (shape[i] == 'x' ? !text[i] || !strchr("0123456789abcdef", text[i])
                            : text[i] != shape[i])
            return false;
    return true;
}

/* A report from another database keeps its name, which a ticket may bear. */
static struct inq_error *new_uid(struct inq_store *store, const json_t *report,
                                 char uid[INQ_STORE_UID_SIZE])
{
    const char *given = inq_doc_text(report, "uid");
    sqlite3_stmt *statement = NULL;
    bool taken = true;

    if (given && is_uid(given)) {
        INQ_TRY(inq_sql_get(store, INQ_SQL_IS_REPORTED, &statement));
        inq_sql_bind_text(statement, 1, given);
        INQ_TRY(inq_sql_step(store, statement, &taken));
        sqlite3_reset(statement);
    }
    if (taken)
        return inq_uid_create(uid);
    memcpy(uid, given, INQ_STORE_UID_SIZE);
    return NULL;
}

/* Inside a transaction. */
static struct inq_error *write_all(struct inq_store *store, int64_t file, struct parts *parts,
                                   char uid[INQ_STORE_UID_SIZE])
{
    const json_t *report = parts->report;
    int64_t crash;

    INQ_TRY(intern(store, INQ_SQL_GROUP_ADD, INQ_SQL_GROUP_FIND, inq_doc_text(report, "group.bug"),
                   inq_doc_text(report, "group.title"), &parts->group));
    INQ_TRY(intern(store, INQ_SQL_BUILD_ADD, INQ_SQL_BUILD_FIND,
                   inq_doc_text(report, "process.build_id"),
                   inq_doc_text(report, "process.executable"), &parts->build));
    INQ_TRY(find_known(store, parts->identity, &crash, uid));
    if (crash != 0) {
        INQ_TRY(write_crash(store, INQ_SQL_CRASH_UPDATE, uid, parts));
    } else {
        INQ_TRY(new_uid(store, report, uid));
        INQ_TRY(write_crash(store, INQ_SQL_CRASH_ADD, uid, parts));
        crash = sqlite3_last_insert_rowid(store->db);
    }
    INQ_TRY(write_modules(store, crash, report));
    INQ_TRY(end_claim(store, file, crash));
    return drop_stub(store, file, parts);
}

struct inq_error *inq_store_record(struct inq_store *store, int64_t id, const json_t *report,
                                   const json_t *row, int exit_code,
                                   char ret_uid[INQ_STORE_UID_SIZE])
{
    _cleanup_(parts_deinit) struct parts parts = {.report = report, .exit_code = exit_code};
    const char *identity = inq_doc_text(report, "core.identity");
    char uid[INQ_STORE_UID_SIZE];

    ret_uid[0] = '\0';
    if (identity)
        snprintf(parts.identity, sizeof(parts.identity), "%s", identity);
    else if (id != 0)
        snprintf(parts.identity, sizeof(parts.identity), "file:%lld", (long long)id);
    else if (inq_doc_text(report, "uid")) /* a stub from another database */
        snprintf(parts.identity, sizeof(parts.identity), "uid:%s", inq_doc_text(report, "uid"));
    else
        return NULL;
    INQ_TRY(inq_pack(store, report, &parts.doc, &parts.doc_size));
    INQ_TRY(inq_pack(store, row, &parts.row, &parts.row_size));
    INQ_TRY(inq_sql_begin(store));
    INQ_TRY(inq_sql_end(store, write_all(store, id, &parts, uid)));
    memcpy(ret_uid, uid, sizeof(uid));
    return NULL;
}

static struct inq_error *replace(struct inq_store *store, const char *uid, struct parts *parts)
{
    INQ_TRY(intern(store, INQ_SQL_GROUP_ADD, INQ_SQL_GROUP_FIND,
                   inq_doc_text(parts->report, "group.bug"),
                   inq_doc_text(parts->report, "group.title"), &parts->group));
    INQ_TRY(intern(store, INQ_SQL_BUILD_ADD, INQ_SQL_BUILD_FIND,
                   inq_doc_text(parts->report, "process.build_id"),
                   inq_doc_text(parts->report, "process.executable"), &parts->build));
    INQ_TRY(write_crash(store, INQ_SQL_CRASH_UPDATE, uid, parts));
    if (sqlite3_changes(store->db) == 0)
        return inq_error_create(INQ_E_STORE_NONE, "there is no crash %s", uid);
    return NULL;
}

struct inq_error *inq_store_replace(struct inq_store *store, const char *uid, const json_t *report,
                                    const json_t *row)
{
    _cleanup_(parts_deinit) struct parts parts = {.report = report, .exit_code = -1};

    INQ_TRY(inq_pack(store, report, &parts.doc, &parts.doc_size));
    INQ_TRY(inq_pack(store, row, &parts.row, &parts.row_size));
    INQ_TRY(inq_sql_begin(store));
    return inq_sql_end(store, replace(store, uid, &parts));
}

/* ---- seen before ---------------------------------------------------------------------------- */

static void put_time(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) != SQLITE_NULL)
        json_object_set_new(object, key, inq_time_json(sqlite3_column_int64(statement, column)));
}

static struct inq_error *count_seen(struct inq_store *store, const char *key, const char *identity,
                                    json_t *seen)
{
    sqlite3_stmt *statement = NULL;
    bool row;

    INQ_TRY(inq_sql_get(store, INQ_SQL_SEEN, &statement));
    inq_sql_bind_text(statement, 1, key);
    inq_sql_bind_text(statement, 2, identity);
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (row) {
        json_object_set_new(seen, "count", json_integer(sqlite3_column_int64(statement, 0)));
        json_object_set_new(seen, "hosts", json_integer(sqlite3_column_int64(statement, 1)));
        put_time(seen, "first", statement, 2);
        put_time(seen, "last", statement, 3);
    }
    sqlite3_reset(statement);
    INQ_TRY(inq_sql_get(store, INQ_SQL_SEEN_BUILD, &statement));
    inq_sql_bind_text(statement, 1, key);
    inq_sql_bind_text(statement, 2, identity);
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (row) {
        const unsigned char *build = sqlite3_column_text(statement, 0);
        json_object_set_new(seen, "first_build", json_string((const char *)build));
    }
    sqlite3_reset(statement);
    return NULL;
}

struct inq_error *inq_store_seen(struct inq_store *store, const json_t *report, json_t **ret_seen)
{
    const char *key = inq_doc_text(report, "group.bug");
    _cleanup_free_ char *link = NULL;
    json_t *seen;

    *ret_seen = NULL;
    if (!key)
        return NULL;
    INQ_TRY(inq_store_issue_of(store, report, &link));
    seen = json_object();
    if (!seen)
        return &inq_error_oom;
    struct inq_error *error = count_seen(store, key, inq_doc_text(report, "core.identity"), seen);
    if (link)
        json_object_set_new(seen, "known_issue", json_string(link));
    if (error || (!link && json_integer_value(json_object_get(seen, "count")) == 0)) {
        json_decref(seen);
        return error;
    }
    *ret_seen = seen;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* What a filter asks, for statements over `crash AS c`; bound by bind_filter() in ask.c. */
#define FILTER                                                                                     \
    " (?1 = 0 OR coalesce(c.t_crash, c.t_record) >= ?1)"                                           \
    " AND (?2 = 0 OR coalesce(c.t_crash, c.t_record) < ?2)"                                        \
    " AND (?3 IS NULL OR c.program GLOB ?3 OR c.comm GLOB ?3)"                                     \
    " AND (?4 IS NULL OR c.grp IN (SELECT id FROM grp WHERE substr(key, 1, length(?4)) = ?4"       \
    " OR substr(key, instr(key, ':') + 1, length(?4)) = ?4))"                                      \
    " AND (?5 = 0 OR c.reported <> 1)"

static const char *const texts[INQ_SQL_N] = {
    [INQ_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [INQ_SQL_COMMIT] = "COMMIT",
    [INQ_SQL_ROLLBACK] = "ROLLBACK",
    [INQ_SQL_FILE_FIND] =
        "SELECT f.id, f.size, f.mtime, f.state, f.attempts, f.kills, f.owner, f.owner_boot,"
        " f.owner_start, f.reason, c.uid, c.row, c.exit_code, f.setting, f.ctime FROM file AS f"
        " LEFT JOIN crash AS c ON c.id = f.crash WHERE f.dev = ?1 AND f.ino = ?2",
    [INQ_SQL_FILE_ADD] =
        "INSERT INTO file (dev, ino, size, mtime, path, state, attempts, kills, owner, owner_boot,"
        " owner_start, setting, ctime) VALUES (?1, ?2, ?3, ?4, ?5, 'running', 0, 0, ?6, ?7, ?8, ?9,"
        " ?10)",
    [INQ_SQL_FILE_CLAIM] =
        "UPDATE file SET size = ?2, mtime = ?3, path = ?4, state = 'running', attempts = ?5,"
        " kills = ?6, owner = ?7, owner_boot = ?8, owner_start = ?9, setting = ?10, crash = NULL,"
        " reason = NULL, ctime = ?11"
        " WHERE id = ?1",
    [INQ_SQL_FILE_STATE] = "UPDATE file SET state = ?2, reason = ?3, owner = NULL WHERE id = ?1",
    [INQ_SQL_FILE_DONE] =
        "UPDATE file SET state = 'done', crash = ?2, reason = NULL, owner = NULL, attempts = 0,"
        " kills = 0 WHERE id = ?1",
    [INQ_SQL_FILE_FAIL] =
        "UPDATE file SET state = 'failed', reason = ?2, owner = NULL, attempts = attempts + ?3,"
        " kills = kills + ?4 WHERE id = ?1",
    [INQ_SQL_FILE_OTHER] =
        "INSERT INTO file (dev, ino, size, mtime, path, state, attempts, kills, setting, reason,"
        " ctime) VALUES (?1, ?2, ?3, ?4, ?5, 'other', 0, 0, ?6, ?7, ?8) ON CONFLICT (dev, ino) DO"
        " UPDATE SET size = ?3, mtime = ?4, path = ?5, state = 'other', attempts = 0, kills = 0,"
        " setting = ?6, reason = ?7, ctime = ?8 WHERE state IN ('other', 'seen')",
    [INQ_SQL_FILE_FORGET] = "DELETE FROM file WHERE state = 'other' AND id <= ?1",
    [INQ_SQL_CRASH_BY_IDENTITY] = "SELECT id, uid, exit_code FROM crash WHERE identity = ?1",
    [INQ_SQL_DROP_STUB] = "DELETE FROM crash WHERE identity = ?1",
    [INQ_SQL_CRASH_ADD] =
        "INSERT INTO crash (uid, identity, grp, build, host, comm, program, pid, signal, address,"
        " grade, signature, exit_code, t_crash, t_record, path, size, tool, row, doc) VALUES"
        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,"
        " ?20)",
    [INQ_SQL_CRASH_UPDATE] =
        "UPDATE crash SET grp = ?3, build = ?4, host = ?5, comm = ?6, program = ?7, pid = ?8,"
        " signal = ?9, address = ?10, grade = ?11, signature = ?12,"
        " exit_code = coalesce(?13, exit_code),"
        " t_crash = ?14, path = ?16, size = ?17, tool = ?18, row = ?19, doc = ?20 WHERE uid = ?1",
    [INQ_SQL_BUILD_ADD] =
        "INSERT INTO build (build_id, path) VALUES (?1, ?2) ON CONFLICT (build_id) DO NOTHING",
    [INQ_SQL_BUILD_FIND] = "SELECT id FROM build WHERE build_id = ?1",
    [INQ_SQL_GROUP_ADD] =
        "INSERT INTO grp (key, title) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
    [INQ_SQL_GROUP_FIND] = "SELECT id FROM grp WHERE key = ?1",
    [INQ_SQL_MODULE_CLEAR] = "DELETE FROM crash_module WHERE crash = ?1",
    [INQ_SQL_MODULE_ADD] = "INSERT OR IGNORE INTO crash_module (crash, build) VALUES (?1, ?2)",
    /* ?2 is the dump itself, which does not count; each part is a look into an index */
    [INQ_SQL_SEEN] =
        "WITH g AS (SELECT id FROM grp WHERE key = ?1),"
        " own AS (SELECT coalesce(host, '') AS host FROM crash WHERE identity = ?2"
        " AND grp = (SELECT id FROM g)),"
        " others AS (SELECT host, n - (SELECT count(*) FROM own WHERE own.host = tally.host) AS n"
        " FROM tally WHERE grp = (SELECT id FROM g))"
        " SELECT (SELECT coalesce(sum(n), 0) FROM others),"
        " (SELECT count(*) FROM others WHERE n > 0 AND host <> ''),"
        " (SELECT t_crash FROM crash WHERE grp = (SELECT id FROM g) AND t_crash IS NOT NULL"
        " AND identity IS NOT ?2 ORDER BY t_crash LIMIT 1),"
        " (SELECT t_crash FROM crash WHERE grp = (SELECT id FROM g) AND t_crash IS NOT NULL"
        " AND identity IS NOT ?2 ORDER BY t_crash DESC LIMIT 1)",
    /* crashes whose time nobody knows come last */
    [INQ_SQL_SEEN_BUILD] =
        "SELECT b.build_id FROM build AS b WHERE b.id = coalesce("
        "(SELECT build FROM crash WHERE grp = (SELECT id FROM grp WHERE key = ?1) AND t_crash IS"
        " NOT NULL AND build IS NOT NULL AND identity IS NOT ?2 ORDER BY t_crash LIMIT 1),"
        "(SELECT build FROM crash WHERE grp = (SELECT id FROM grp WHERE key = ?1) AND t_crash IS"
        " NULL AND build IS NOT NULL AND identity IS NOT ?2 ORDER BY id LIMIT 1))",
    [INQ_SQL_ISSUE_OF] =
        "SELECT link FROM issue WHERE (grp = ?1 OR signature = ?2) AND (expires = 0 OR"
        " expires > ?3) ORDER BY grp IS NULL, id LIMIT 1",
    [INQ_SQL_ISSUE_ADD] =
        "INSERT INTO issue (grp, signature, link, expires) VALUES (?1, ?2, ?3, ?4)",
    [INQ_SQL_ISSUES] = "SELECT grp, signature, link, expires FROM issue ORDER BY id",
    [INQ_SQL_SHOW_CRASH] =
        "SELECT uid, doc FROM crash WHERE substr(uid, 1, length(?1)) = ?1 LIMIT 2",
    [INQ_SQL_SHOW_GROUP] = "SELECT key FROM grp WHERE substr(key, 1, length(?1)) = ?1 OR"
                           " substr(key, instr(key, ':') + 1, length(?1)) = ?1 LIMIT 2",
    [INQ_SQL_EACH] = "SELECT c.id, c.uid, CASE WHEN ?7 THEN c.doc ELSE c.row END FROM crash AS c"
                     " WHERE c.id > ?6 AND" FILTER " ORDER BY c.id LIMIT 256",
    [INQ_SQL_GROUPS] =
        "SELECT g.id, g.key, g.title, count(*), count(DISTINCT c.host), min(c.t_crash),"
        " max(c.t_crash) FROM crash AS c JOIN grp AS g ON g.id = c.grp WHERE" FILTER
        " GROUP BY g.id ORDER BY count(*) DESC, g.key LIMIT ?6",
    [INQ_SQL_GROUP_PROGRAMS] = "SELECT DISTINCT c.comm FROM crash AS c WHERE" FILTER
                               " AND c.grp = ?6 AND c.comm IS NOT NULL ORDER BY 1 LIMIT 17",
    [INQ_SQL_GROUP_BUILDS] =
        "SELECT b.build_id, count(*) FROM crash AS c JOIN build AS b ON b.id = c.build"
        " WHERE" FILTER " AND c.grp = ?6 GROUP BY b.id ORDER BY min(c.id) LIMIT 16",
    /* 0 is proven: lower is surer */
    [INQ_SQL_GROUP_BEST] =
        "SELECT c.row FROM crash AS c WHERE" FILTER " AND c.grp = ?6 ORDER BY CASE c.grade"
        " WHEN 'proven' THEN 0 WHEN 'strong' THEN 1 WHEN 'plausible' THEN 2 ELSE 3 END, c.id DESC"
        " LIMIT 1",
    [INQ_SQL_IS_REPORTED] = "SELECT reported FROM crash WHERE uid = ?1",
    [INQ_SQL_RESERVE] = "UPDATE crash SET reported = ?3 WHERE uid = ?1 AND reported = ?2",
    [INQ_SQL_REPORTED] = "UPDATE crash SET reported = 1 WHERE uid = ?1",
    [INQ_SQL_PURGE_COUNT] = "SELECT count(*) FROM crash AS c WHERE" FILTER,
    [INQ_SQL_PURGE_FILES] =
        "DELETE FROM file WHERE crash IN (SELECT c.id FROM crash AS c WHERE" FILTER ")",
    [INQ_SQL_PURGE_MODULES] =
        "DELETE FROM crash_module WHERE crash IN (SELECT c.id FROM crash AS c WHERE" FILTER ")",
    [INQ_SQL_PURGE] = "DELETE FROM crash WHERE id IN (SELECT c.id FROM crash AS c WHERE" FILTER ")",
};

struct inq_error *inq_sql_run(struct inq_store *store, const char *text)
{
    int result = sqlite3_exec(store->db, text, NULL, NULL, NULL);

    return result == SQLITE_OK ? NULL : inq_sql_error(store, result);
}

struct inq_error *inq_sql_get(struct inq_store *store, enum inq_sql which,
                              sqlite3_stmt **ret_statement)
{
    sqlite3_stmt **statement = &store->statements[which];

    if (!*statement) {
        int result = sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                        statement, NULL);
        if (result != SQLITE_OK)
            return inq_sql_error(store, result);
    }
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    *ret_statement = *statement;
    return NULL;
}

struct inq_error *inq_sql_step(struct inq_store *store, sqlite3_stmt *statement, bool *ret_row)
{
    int result = sqlite3_step(statement);
    struct inq_error *error = NULL;

    *ret_row = result == SQLITE_ROW;
    if (result == SQLITE_ROW)
        return NULL;
    if (result != SQLITE_DONE)
        error = inq_sql_error(store, result);
    sqlite3_reset(statement);
    return error;
}

struct inq_error *inq_sql_finish(struct inq_store *store, sqlite3_stmt *statement)
{
    struct inq_error *error;
    bool row;

    do {
        error = inq_sql_step(store, statement, &row);
    } while (!error && row);
    return error;
}

static struct inq_error *run_one(struct inq_store *store, enum inq_sql which)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, which, &statement));
    return inq_sql_finish(store, statement);
}

struct inq_error *inq_sql_begin(struct inq_store *store)
{
    return store->in_transaction ? NULL : run_one(store, INQ_SQL_BEGIN);
}

struct inq_error *inq_sql_end(struct inq_store *store, struct inq_error *error)
{
    if (store->in_transaction)
        return error;
    if (!error)
        error = run_one(store, INQ_SQL_COMMIT);
    /* SQLite rolls back by itself after some errors: then there is nothing left to roll back */
    if (error && !sqlite3_get_autocommit(store->db))
        inq_error_destroy(run_one(store, INQ_SQL_ROLLBACK));
    return error;
}

struct inq_error *inq_store_begin(struct inq_store *store)
{
    INQ_TRY(inq_sql_begin(store));
    store->in_transaction = true;
    return NULL;
}

struct inq_error *inq_store_commit(struct inq_store *store)
{
    store->in_transaction = false;
    return inq_sql_end(store, NULL);
}

void inq_store_rollback(struct inq_store *store)
{
    store->in_transaction = false;
    (void)inq_sql_end(store, &inq_error_oom); /* which is nobody's to free */
}

void inq_sql_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    /* a failure (no memory) shows when the statement runs: the value is NULL then, and NOT NULL */
    if (text)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

void inq_sql_bind_int(sqlite3_stmt *statement, int at, int64_t value)
{
    sqlite3_bind_int64(statement, at, value);
}

char *inq_sql_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? strdup((const char *)text) : NULL;
}

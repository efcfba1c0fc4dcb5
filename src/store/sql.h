/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_STORE_SQL_H
#define INQ_STORE_SQL_H

/* Inner part of the store: statements of SQLite with our errors. */

#include <jansson.h>
#include <sqlite3.h>

#include "crash_db.h"

/* Each is prepared once, on first use. Their text: sql.c. */
enum inq_sql {
    INQ_SQL_BEGIN,
    INQ_SQL_COMMIT,
    INQ_SQL_ROLLBACK,
    INQ_SQL_FILE_FIND,
    INQ_SQL_FILE_ADD,
    INQ_SQL_FILE_CLAIM,
    INQ_SQL_FILE_STATE,
    INQ_SQL_FILE_DONE,
    INQ_SQL_FILE_FAIL,
    INQ_SQL_FILE_OTHER,
    INQ_SQL_FILE_FORGET,
    INQ_SQL_CRASH_BY_IDENTITY,
    INQ_SQL_DROP_STUB,
    INQ_SQL_CRASH_ADD,
    INQ_SQL_CRASH_UPDATE,
    INQ_SQL_BUILD_ADD,
    INQ_SQL_BUILD_FIND,
    INQ_SQL_GROUP_ADD,
    INQ_SQL_GROUP_FIND,
    INQ_SQL_MODULE_CLEAR,
    INQ_SQL_MODULE_ADD,
    INQ_SQL_SEEN,
    INQ_SQL_SEEN_BUILD,
    INQ_SQL_ISSUE_OF,
    INQ_SQL_ISSUE_ADD,
    INQ_SQL_ISSUES,
    INQ_SQL_SHOW_CRASH,
    INQ_SQL_SHOW_GROUP,
    INQ_SQL_EACH,
    INQ_SQL_GROUPS,
    INQ_SQL_GROUP_PROGRAMS,
    INQ_SQL_GROUP_BUILDS,
    INQ_SQL_GROUP_BEST,
    INQ_SQL_IS_REPORTED,
    INQ_SQL_RESERVE,
    INQ_SQL_REPORTED,
    INQ_SQL_PURGE_COUNT,
    INQ_SQL_PURGE,
    INQ_SQL_PURGE_FILES,
    INQ_SQL_PURGE_MODULES,
    INQ_SQL_N
};

struct inq_store {
    sqlite3 *db;
    char *path;
    char boot_id[40];
    sqlite3_stmt *statements[INQ_SQL_N];
    bool in_transaction; /* inq_store_begin() */
    uint64_t unread;     /* inq_store_unread() */
    struct ZSTD_CCtx_s *packer; /* made with the first record */
    struct {
        pid_t pid;
        uint64_t start;
    } owner; /* this process, once it has claimed a file */
    struct {
        uint64_t dev, ino;
    } own[3]; /* the file, -wal, -shm; they stay as long as they are open. 0: not there */
};

/* The error of the connection's last call, by its result code. */
struct inq_error *inq_sql_error(const struct inq_store *store, int result);
/* Runs plain text without results. */
struct inq_error *inq_sql_run(struct inq_store *store, const char *text);

/* The statement, reset and with nothing bound. */
struct inq_error *inq_sql_get(struct inq_store *store, enum inq_sql which,
                              sqlite3_stmt **ret_statement);
/* *ret_row: there is one to read. A statement that is done, or failed, is reset. */
struct inq_error *inq_sql_step(struct inq_store *store, sqlite3_stmt *statement, bool *ret_row);
/* Runs it to its end. */
struct inq_error *inq_sql_finish(struct inq_store *store, sqlite3_stmt *statement);

/* A transaction of one call; part of that of inq_store_begin() when there is one. */
struct inq_error *inq_sql_begin(struct inq_store *store);
/* Commits without an error and rolls back with one, which it hands on. */
struct inq_error *inq_sql_end(struct inq_store *store, struct inq_error *error);

/* NULL text is SQL's NULL. Texts are copied. */
void inq_sql_bind_text(sqlite3_stmt *statement, int at, const char *text);
void inq_sql_bind_int(sqlite3_stmt *statement, int at, int64_t value);
char *inq_sql_text(sqlite3_stmt *statement, int column); /* to be freed; NULL for NULL */

/* ---- pack.c: documents as they are kept ------------------------------------------------------ */

/* True when there is no error; a report of another form is counted, and its error destroyed. */
bool inq_pass_over_form(struct inq_store *store, struct inq_error **error);
/* Compact JSON in one zstd frame with a checksum; to be freed. */
struct inq_error *inq_pack(struct inq_store *store, const json_t *document, void **ret_bytes,
                           size_t *ret_size);
void inq_packer_deinit(struct inq_store *store);
/* INQ_E_STORE_DAMAGED, or INQ_E_STORE_VERSION for what the dictionary does not allow. */
struct inq_error *inq_unpack(const struct inq_store *store, const void *bytes, size_t size,
                             json_t **ret_document);

/* ---- identifiers: uid.c -----------------------------------------------------------------------
 */

struct inq_error *inq_uid_create(char ret_uid[INQ_STORE_UID_SIZE]);
/* Is a process of this boot, started when we think, still there? */
bool inq_owner_alive(const struct inq_store *store, const char *boot_id, pid_t pid,
                     uint64_t start_ticks);
uint64_t inq_owner_start(pid_t pid); /* field 22 of /proc/PID/stat; 0 when there is none */

/* ---- facts of a report: facts_of.c ------------------------------------------------------------
 */

const char *inq_doc_text(const json_t *report, const char *path); /* NULL without */
/* "2024-03-01T12:00:00Z" as seconds since 1970; false when it is no such time. */
bool inq_doc_time(const char *text, int64_t *ret_seconds);
json_t *inq_time_json(int64_t seconds); /* the other way round */

#endif

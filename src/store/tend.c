/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "filter.h"
#include "sql.h"

struct inq_error *inq_store_add_issue(struct inq_store *store, const struct inq_store_issue *issue)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_ISSUE_ADD, &statement));
    inq_sql_bind_text(statement, 1, issue->group);
    inq_sql_bind_text(statement, 2, issue->signature);
    inq_sql_bind_text(statement, 3, issue->link);
    inq_sql_bind_int(statement, 4, issue->expires);
    return inq_sql_finish(store, statement);
}

struct inq_error *inq_store_issues(struct inq_store *store, json_t **ret_issues)
{
    json_t *issues = json_array();
    struct inq_error *error;
    sqlite3_stmt *statement = NULL;
    bool row;

    error = issues ? inq_sql_get(store, INQ_SQL_ISSUES, &statement) : &inq_error_oom;
    while (!error && !(error = inq_sql_step(store, statement, &row)) && row) {
        const int64_t expires = sqlite3_column_int64(statement, 3);
        json_t *issue =
            json_pack("{s:s?, s:s?, s:s}", "group", sqlite3_column_text(statement, 0), "signature",
                      sqlite3_column_text(statement, 1), "link", sqlite3_column_text(statement, 2));

        if (expires != 0) {
            json_object_set_new(issue, "expires", inq_time_json(expires));
            json_object_set_new(issue, "expired", json_boolean(expires <= time(NULL)));
        }
        if (json_array_append_new(issues, issue) < 0) {
            sqlite3_reset(statement);
            error = &inq_error_oom;
        }
    }
    if (error) {
        json_decref(issues);
        return error;
    }
    *ret_issues = issues;
    return NULL;
}

struct inq_error *inq_store_issue_of(struct inq_store *store, const json_t *report, char **ret_link)
{
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    sqlite3_stmt *statement = NULL;
    bool row;

    *ret_link = NULL;
    INQ_TRY(inq_sql_get(store, INQ_SQL_ISSUE_OF, &statement));
    inq_sql_bind_text(statement, 1, inq_doc_text(report, "group.bug"));
    inq_sql_bind_text(statement, 2, json_string_value(json_object_get(best, "signature")));
    inq_sql_bind_int(statement, 3, time(NULL));
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (row)
        *ret_link = inq_sql_text(statement, 0);
    sqlite3_reset(statement);
    return NULL;
}

static struct inq_error *run_filtered(struct inq_store *store, enum inq_sql which,
                                      const struct inq_store_filter *filter)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, which, &statement));
    inq_filter_bind(statement, filter);
    return inq_sql_finish(store, statement);
}

static struct inq_error *forget(struct inq_store *store, const struct inq_store_filter *filter)
{
    INQ_TRY(run_filtered(store, INQ_SQL_PURGE_FILES, filter));
    INQ_TRY(run_filtered(store, INQ_SQL_PURGE_MODULES, filter));
    return run_filtered(store, INQ_SQL_PURGE, filter);
}

struct inq_error *inq_store_purge(struct inq_store *store, const struct inq_store_filter *filter,
                                  bool dry_run, uint64_t *ret_count)
{
    sqlite3_stmt *statement = NULL;
    uint64_t count;
    bool row;

    INQ_TRY(inq_sql_get(store, INQ_SQL_PURGE_COUNT, &statement));
    inq_filter_bind(statement, filter);
    INQ_TRY(inq_sql_step(store, statement, &row));
    count = row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    if (!dry_run) {
        INQ_TRY(inq_sql_begin(store));
        INQ_TRY(inq_sql_end(store, forget(store, filter)));
    }
    *ret_count = count;
    return NULL;
}

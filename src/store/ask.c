/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "evidence.h"
#include "filter.h"
#include "sql.h"

#define PROGRAMS 16
#define MOST_GROUPS 100000

void inq_filter_bind(sqlite3_stmt *statement, const struct inq_store_filter *filter)
{
    inq_sql_bind_int(statement, 1, filter->since);
    inq_sql_bind_int(statement, 2, filter->until);
    inq_sql_bind_text(statement, 3, filter->program);
    inq_sql_bind_text(statement, 4, filter->group);
    inq_sql_bind_int(statement, 5, filter->unreported);
}

/* ---- rows ------------------------------------------------------------------------------------ */

struct batch { /* of rows, read before the caller's function may call us again */
    struct {
        char uid[INQ_STORE_UID_SIZE];
        json_t *row;
    } items[256];       /* LIMIT of INQ_SQL_EACH */
    size_t count, read; /* `read`: with those that were passed over */
    int64_t last;       /* id to go on from */
};

static void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        json_decref(batch->items[i].row);
    batch->count = 0;
}

static struct inq_error *read_batch(struct inq_store *store, const struct inq_store_filter *filter,
                                    bool whole, struct batch *batch)
{
    sqlite3_stmt *statement = NULL;
    struct inq_error *error = NULL;
    bool row;

    batch_clear(batch);
    batch->read = 0;
    INQ_TRY(inq_sql_get(store, INQ_SQL_EACH, &statement));
    inq_filter_bind(statement, filter);
    inq_sql_bind_int(statement, 6, batch->last);
    inq_sql_bind_int(statement, 7, whole);
    while (!(error = inq_sql_step(store, statement, &row)) && row &&
           batch->count < INQ_ARRAY_SIZE(batch->items)) {
        const unsigned char *uid = sqlite3_column_text(statement, 1);
        json_t **document = &batch->items[batch->count].row;

        error = inq_unpack(store, sqlite3_column_blob(statement, 2),
                           (size_t)sqlite3_column_bytes(statement, 2), document);
        batch->last = sqlite3_column_int64(statement, 0);
        batch->read++;
        if (!inq_pass_over_form(store, &error)) {
            if (error)
                break;
            continue;
        }
        memset(batch->items[batch->count].uid, 0, INQ_STORE_UID_SIZE);
        strncpy(batch->items[batch->count].uid, uid ? (const char *)uid : "",
                INQ_STORE_UID_SIZE - 1);
        batch->count++;
    }
    sqlite3_reset(statement);
    return error;
}

struct inq_error *inq_store_each(struct inq_store *store, const struct inq_store_filter *filter,
                                 bool whole, inq_store_row_fn row, void *context)
{
    _cleanup_free_ struct batch *batch = calloc(1, sizeof(*batch));
    struct inq_error *error = NULL;
    uint64_t left = filter->most ? filter->most : UINT64_MAX;
    bool more = true;

    if (!batch)
        return &inq_error_oom;
    do {
        error = read_batch(store, filter, whole, batch);
        for (size_t i = 0; !error && i < batch->count && more && left > 0; i++, left--)
            more = row(context, batch->items[i].uid, batch->items[i].row);
    } while (!error && more && left > 0 && batch->read == INQ_ARRAY_SIZE(batch->items));
    batch_clear(batch);
    return error;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct inq_error *of_group(struct inq_store *store, enum inq_sql which,
                                  const struct inq_store_filter *filter, int64_t group,
                                  sqlite3_stmt **ret_statement)
{
    INQ_TRY(inq_sql_get(store, which, ret_statement));
    inq_filter_bind(*ret_statement, filter);
    inq_sql_bind_int(*ret_statement, 6, group);
    return NULL;
}

/* Columns may hold bytes that are no UTF-8. */
static void append_text(json_t *list, const unsigned char *text)
{
    json_t *object = json_object();

    inq_json_set_foreign(object, "", text ? (const char *)text : "");
    json_array_append(list, json_object_get(object, ""));
    json_decref(object);
}

static struct inq_error *add_programs(struct inq_store *store,
                                      const struct inq_store_filter *filter, int64_t id,
                                      json_t *group)
{
    json_t *programs = json_array();
    sqlite3_stmt *statement = NULL;
    struct inq_error *error;
    bool row;

    json_object_set_new(group, "programs", programs);
    INQ_TRY(of_group(store, INQ_SQL_GROUP_PROGRAMS, filter, id, &statement));
    while (!(error = inq_sql_step(store, statement, &row)) && row) {
        const unsigned char *name = sqlite3_column_text(statement, 0);

        if (json_array_size(programs) < PROGRAMS)
            append_text(programs, name);
        else
            json_object_set_new(group, "programs_more", json_true());
    }
    return error;
}

static struct inq_error *add_builds(struct inq_store *store, const struct inq_store_filter *filter,
                                    int64_t id, json_t *group)
{
    json_t *builds = json_array();
    sqlite3_stmt *statement = NULL;
    struct inq_error *error;
    bool row;

    json_object_set_new(group, "builds", builds);
    INQ_TRY(of_group(store, INQ_SQL_GROUP_BUILDS, filter, id, &statement));
    while (!(error = inq_sql_step(store, statement, &row)) && row) {
        const char *build_id = (const char *)sqlite3_column_text(statement, 0);
        json_t *build = json_pack("{s:I}", "count", (json_int_t)sqlite3_column_int64(statement, 1));

        inq_json_set_foreign(build, "build_id", build_id ? build_id : "");
        json_array_append_new(builds, build);
    }
    return error;
}

/* The surest answer of its crashes stands for a group. */
static struct inq_error *add_answer(struct inq_store *store, const struct inq_store_filter *filter,
                                    int64_t id, json_t *group)
{
    sqlite3_stmt *statement = NULL;
    json_t *best = NULL;
    bool row;

    INQ_TRY(of_group(store, INQ_SQL_GROUP_BEST, filter, id, &statement));
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (!row)
        return NULL;
    struct inq_error *error = inq_unpack(store, sqlite3_column_blob(statement, 0),
                                         (size_t)sqlite3_column_bytes(statement, 0), &best);
    sqlite3_reset(statement);
    if (!inq_pass_over_form(store, &error))
        return error;
    const json_t *verdict = json_array_get(json_object_get(best, "verdicts"), 0);
    const char *grade = json_string_value(json_object_get(verdict, "grade"));
    if (grade &&
        (!strcmp(grade, "proven") || !strcmp(grade, "strong") || !strcmp(grade, "plausible"))) {
        json_object_set(group, "grade", json_object_get(verdict, "grade"));
        json_object_set(group, "answer", json_object_get(verdict, "title"));
        json_object_set(group, "signature", json_object_get(verdict, "signature"));
    }
    json_decref(best);
    return NULL;
}

static struct inq_error *add_issue(struct inq_store *store, json_t *group)
{
    _cleanup_free_ char *link = NULL;
    json_t *as_report =
        json_pack("{s:{s:O}, s:[{s:O?}]}", "group", "bug", json_object_get(group, "bug"),
                  "verdicts", "signature", json_object_get(group, "signature"));

    if (!as_report)
        return &inq_error_oom;
    struct inq_error *error = inq_store_issue_of(store, as_report, &link);
    if (!error && link)
        json_object_set_new(group, "known_issue", json_string(link));
    json_decref(as_report);
    return error;
}

static struct inq_error *fill_group(struct inq_store *store, const struct inq_store_filter *filter,
                                    json_t *group)
{
    const int64_t id = json_integer_value(json_object_get(group, "id"));

    INQ_TRY(add_programs(store, filter, id, group));
    INQ_TRY(add_builds(store, filter, id, group));
    INQ_TRY(add_answer(store, filter, id, group));
    INQ_TRY(add_issue(store, group));
    json_object_set(group, "id", json_object_get(group, "bug"));
    return NULL;
}

static void put_time(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) != SQLITE_NULL)
        json_object_set_new(object, key, inq_time_json(sqlite3_column_int64(statement, column)));
}

static struct inq_error *list_groups(struct inq_store *store, const struct inq_store_filter *filter,
                                     json_t *groups)
{
    struct inq_error *error;
    sqlite3_stmt *statement = NULL;
    bool row;

    INQ_TRY(inq_sql_get(store, INQ_SQL_GROUPS, &statement));
    inq_filter_bind(statement, filter);
    inq_sql_bind_int(statement, 6, filter->most ? (int64_t)filter->most : MOST_GROUPS);
    while (!(error = inq_sql_step(store, statement, &row)) && row) {
        const char *key = (const char *)sqlite3_column_text(statement, 1);
        const char *title = (const char *)sqlite3_column_text(statement, 2);
        json_t *group =
            json_pack("{s:I, s:I, s:I}", "id", (json_int_t)sqlite3_column_int64(statement, 0),
                      "count", (json_int_t)sqlite3_column_int64(statement, 3), "hosts",
                      (json_int_t)sqlite3_column_int64(statement, 4));

        inq_json_set_foreign(group, "bug", key ? key : "");
        if (title)
            inq_json_set_foreign(group, "title", title);

        put_time(group, "first", statement, 5);
        put_time(group, "last", statement, 6);
        if (json_array_append_new(groups, group) < 0) {
            sqlite3_reset(statement);
            return &inq_error_oom;
        }
    }
    return error;
}

struct inq_error *inq_store_groups(struct inq_store *store, const struct inq_store_filter *filter,
                                   json_t **ret_groups)
{
    json_t *groups = json_array();
    struct inq_error *error = groups ? list_groups(store, filter, groups) : &inq_error_oom;

    for (size_t i = 0; !error && i < json_array_size(groups); i++)
        error = fill_group(store, filter, json_array_get(groups, i));
    if (error) {
        json_decref(groups);
        return error;
    }
    *ret_groups = groups;
    return NULL;
}

/* ---- one by its id --------------------------------------------------------------------------- */

static struct inq_error *none(const char *id, const char *what)
{
    return inq_error_create(INQ_E_STORE_NONE, "%s %s", what, id);
}

static struct inq_error *show_crash(struct inq_store *store, const char *id, json_t **ret_document,
                                    bool *ret_several)
{
    _cleanup_free_ char *uid = NULL;
    sqlite3_stmt *statement = NULL;
    json_t *document = NULL;
    bool row;

    INQ_TRY(inq_sql_get(store, INQ_SQL_SHOW_CRASH, &statement));
    inq_sql_bind_text(statement, 1, id);
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (!row)
        return NULL;
    uid = inq_sql_text(statement, 0);
    struct inq_error *error = inq_unpack(store, sqlite3_column_blob(statement, 1),
                                         (size_t)sqlite3_column_bytes(statement, 1), &document);
    if (!error)
        error = inq_sql_step(store, statement, ret_several);
    sqlite3_reset(statement);
    if (error || *ret_several) {
        json_decref(document);
        return error;
    }
    json_object_set_new(document, "uid", json_string(uid));
    *ret_document = document;
    return NULL;
}

static struct inq_error *show_group(struct inq_store *store, const char *id, json_t **ret_document,
                                    bool *ret_several)
{
    _cleanup_free_ char *key = NULL;
    sqlite3_stmt *statement = NULL;
    json_t *groups = NULL;
    bool row;

    INQ_TRY(inq_sql_get(store, INQ_SQL_SHOW_GROUP, &statement));
    inq_sql_bind_text(statement, 1, id);
    INQ_TRY(inq_sql_step(store, statement, &row));
    if (!row)
        return NULL;
    key = inq_sql_text(statement, 0);
    INQ_TRY(inq_sql_step(store, statement, ret_several));
    sqlite3_reset(statement);
    if (*ret_several || !key)
        return NULL;
    const struct inq_store_filter filter = {.group = key};
    INQ_TRY(inq_store_groups(store, &filter, &groups));
    *ret_document = json_incref(json_array_get(groups, 0));
    json_decref(groups);
    return NULL;
}

struct inq_error *inq_store_show(struct inq_store *store, const char *id, json_t **ret_document)
{
    bool several = false;

    if (strlen(id) < 4)
        return none(id, "give 4 or more characters of an id, not");
    *ret_document = NULL;
    INQ_TRY(show_crash(store, id, ret_document, &several));
    if (!*ret_document && !several)
        INQ_TRY(show_group(store, id, ret_document, &several));
    if (several)
        return none(id, "several crashes or groups have an id that begins with");
    return *ret_document ? NULL : none(id, "there is no crash or group");
}

/*
 * crash.reported: 1, 0, or below zero the process that is about to report it: its id and when it
 * began, so that another process with the same number later is not taken for it.
 */
#define PID_BITS 22 /* the most that the kernel gives: PID_MAX_LIMIT */

static int64_t reporter(pid_t pid)
{
    const uint64_t start = inq_owner_start(pid);

    return -(int64_t)((start << PID_BITS | (uint64_t)pid) & INT64_MAX);
}

static bool is_at_it(int64_t reported)
{
    const pid_t pid = (pid_t)(-reported & ((1 << PID_BITS) - 1));

    return reported < 0 && reported != INT64_MIN && pid != getpid() &&
           inq_owner_start(pid) != 0 && reporter(pid) == reported;
}

struct inq_error *inq_store_reserve(struct inq_store *store, const char *uid, bool *ret_ours)
{
    sqlite3_stmt *statement = NULL;
    int64_t before;
    bool row;

    *ret_ours = false;
    INQ_TRY(inq_sql_get(store, INQ_SQL_IS_REPORTED, &statement));
    inq_sql_bind_text(statement, 1, uid);
    INQ_TRY(inq_sql_step(store, statement, &row));
    before = row ? sqlite3_column_int64(statement, 0) : 1;
    sqlite3_reset(statement);
    if (before > 0 || is_at_it(before))
        return NULL;
    INQ_TRY(inq_sql_get(store, INQ_SQL_RESERVE, &statement));
    inq_sql_bind_text(statement, 1, uid);
    inq_sql_bind_int(statement, 2, before);
    inq_sql_bind_int(statement, 3, reporter(getpid()));
    INQ_TRY(inq_sql_finish(store, statement));
    *ret_ours = sqlite3_changes(store->db) == 1;
    return NULL;
}

struct inq_error *inq_store_set_reported(struct inq_store *store, const char *uid)
{
    sqlite3_stmt *statement = NULL;

    INQ_TRY(inq_sql_get(store, INQ_SQL_REPORTED, &statement));
    inq_sql_bind_text(statement, 1, uid);
    return inq_sql_finish(store, statement);
}

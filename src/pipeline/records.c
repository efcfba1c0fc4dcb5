/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <inttypes.h>
#include <sha2.h>
#include <string.h>

#include "cleanup.h"
#include "config.h"
#include "error.h"
#include "text.h"

/* True when it went well. */
static bool went_well(struct inq_records *records, struct inq_error *error)
{
    if (!error)
        return true;
    records->failed = true;
    records->store = NULL; /* the one who opened it closes it */
    if (records->tell)
        records->tell(records->context, error);
    else
        inq_error_destroy(error);
    return false;
}

void inq_records_wake(struct inq_records *records)
{
    if (records && records->open) {
        void (*open)(struct inq_records *) = records->open;

        records->open = NULL;
        open(records);
    }
}

static bool has_store(const struct inq_records *records)
{
    return records && records->store;
}

void inq_records_begin(struct inq_records *records)
{
    if (has_store(records) && !records->asks_only &&
        went_well(records, inq_store_begin(records->store)))
        records->turn = records->store;
}

bool inq_records_commit(struct inq_records *records)
{
    struct inq_store *turn = records ? records->turn : NULL;

    if (!turn)
        return !records || !records->failed;
    records->turn = NULL;
    if (records->store)
        return went_well(records, inq_store_commit(turn));
    inq_store_rollback(turn); /* it failed in between: nobody is to wait for it */
    return false;
}

bool inq_records_is_own_file(const struct inq_records *records, const struct inq_walk_entry *entry)
{
    return has_store(records) && inq_store_is_own_file(records->store, entry->dev, entry->ino);
}

static struct inq_store_file file_of(const struct inq_records *records,
                                     const struct inq_walk_entry *entry)
{
    return (struct inq_store_file){.path = entry->path,
                                   .dev = entry->dev,
                                   .ino = entry->ino,
                                   .size_bytes = entry->size_bytes,
                                   .mtime_nsec = entry->mtime_nsec,
                                   .ctime_nsec = entry->ctime_nsec,
                                   .setting = records ? records->setting : ""};
}

void inq_records_look(struct inq_records *records, const struct inq_walk_entry *entry,
                      bool state_only, struct inq_store_claim *ret_claim)
{
    struct inq_store_file file = file_of(records, entry);

    file.state_only = state_only;
    *ret_claim = (struct inq_store_claim){.state = INQ_STORE_NEW};
    if (!has_store(records) ||
        !went_well(records, inq_store_look(records->store, &file, ret_claim)))
        return;
    if (records->again && ret_claim->state != INQ_STORE_TAKEN) {
        inq_store_claim_deinit(ret_claim);
        ret_claim->state = INQ_STORE_NEW;
    }
}

void inq_records_claim(struct inq_records *records, const char *path, const struct stat *st,
                       struct inq_store_claim *ret_claim)
{
    const struct inq_store_file file = {.path = path,
                                        .dev = st->st_dev,
                                        .ino = st->st_ino,
                                        .size_bytes = (uint64_t)st->st_size,
                                        .mtime_nsec = inq_walk_nsec(&st->st_mtim),
                                        .ctime_nsec = inq_walk_nsec(&st->st_ctim),
                                        .setting = records ? records->setting : ""};

    *ret_claim = (struct inq_store_claim){.state = INQ_STORE_CLAIMED};
    if (!has_store(records))
        return;
    if (!went_well(records, inq_store_claim(records->store, &file, records->again, ret_claim)))
        *ret_claim = (struct inq_store_claim){.state = INQ_STORE_CLAIMED};
}

char *inq_records_setting(const struct inq_job_options *options)
{
    const struct inq_file_policy *policy = &options->policy;
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    char digest[SHA256_DIGEST_STRING_LENGTH];

    inq_text_printf(
        &text, "%s|%s|%s|%s|%s|%s|%d|%d|", INQUEST_VERSION, policy->sysroot ? policy->sysroot : "",
        policy->executable ? policy->executable : "", options->engine ? options->engine : "",
        options->redact ? options->redact : "", options->pattern ? options->pattern : "",
        policy->trust_paths, options->debuginfod);
    for (size_t i = 0; i < policy->n_debug_dirs; i++)
        inq_text_printf(&text, "%s|", policy->debug_dirs[i]);
    if (options->kernel_log && inq_kernel_log_file(options->kernel_log))
        inq_text_printf(&text, "%s|", inq_kernel_log_file(options->kernel_log));
    if (text.failed || !SHA256Data((const uint8_t *)text.bytes, text.size, digest))
        return NULL;
    return strndup(digest, 16);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The dump killed its worker, or made it run for ever; anything else is an answer. */
static bool is_death(const json_t *report, const char **ret_message)
{
    const json_t *error = json_object_get(report, "error");
    enum inq_code code = inq_code_by_name(text_of(error, "code"));

    *ret_message = text_of(error, "message");
    return code == INQ_E_WORKER_DIED || code == INQ_E_WORKER_TIMEOUT || code == INQ_E_WORKER_OUTPUT;
}

/* The disk did not give all of it: the next scan asks again. */
static bool is_unread(const json_t *report)
{
    const json_t *gap;
    size_t i;

    json_array_foreach (json_object_get(report, "gaps"), i, gap) {
        enum inq_code code = inq_code_by_name(text_of(gap, "code"));

        if (code == INQ_G_READ || code == INQ_E_IO)
            return true;
    }
    return false;
}

void inq_records_keep(struct inq_records *records, int64_t id, json_t *report, int exit_code)
{
    char uid[INQ_STORE_UID_SIZE] = "";
    const char *message;

    if (!has_store(records) || records->asks_only)
        return;
    if (is_death(report, &message)) {
        const bool killed = message && strstr(message, "SIGKILL");

        if (id != 0)
            went_well(records, inq_store_fail(records->store, id, message, killed));
        return;
    }
    json_t *row = inq_records_row(report);
    if (!row)
        went_well(records, &inq_error_oom);
    else if (went_well(records,
                       inq_store_record(records->store, id, report, row, exit_code, uid)) &&
             uid[0])
        json_object_set_new(report, "uid", json_string(uid));
    json_decref(row);
    if (!records->settled && is_unread(report))
        inq_records_release(records, id);
}

void inq_records_pass_over(struct inq_records *records, int64_t id, const char *reason)
{
    if (has_store(records) && id != 0)
        went_well(records, inq_store_pass_over(records->store, id, reason));
}

static struct inq_error *note_others(struct inq_records *records, const struct inq_others *others,
                                     size_t n)
{
    struct inq_error *error = NULL;

    INQ_TRY(inq_store_begin(records->store));
    for (size_t i = 0; i < n && !error; i++) {
        const struct inq_store_file file = file_of(records, others[i].entry);

        error = inq_store_note_other(records->store, &file, others[i].reason);
    }
    if (!error)
        return inq_store_commit(records->store);
    inq_error_destroy(inq_store_commit(records->store));
    return error;
}

void inq_records_note_others(struct inq_records *records, const struct inq_others *others, size_t n)
{
    if (n > 0 && has_store(records) && !records->asks_only)
        went_well(records, note_others(records, others, n));
}

void inq_records_release(struct inq_records *records, int64_t id)
{
    if (has_store(records) && id != 0)
        went_well(records, inq_store_release(records->store, id));
}

void inq_records_add_seen(struct inq_records *records, json_t *report)
{
    json_t *group = json_object_get(report, "group"), *seen = NULL;

    if (has_store(records) && json_is_object(group) &&
        went_well(records, inq_store_seen(records->store, report, &seen)) && seen)
        json_object_set_new(group, "seen", seen);
}

json_t *inq_records_whole(struct inq_records *records, const char *uid)
{
    json_t *report = NULL;

    if (has_store(records))
        went_well(records, inq_store_show(records->store, uid, &report));
    return report;
}

struct inq_error *inq_records_judge(struct inq_records *records, const char *uid,
                                    const struct inq_rules *rules, json_t **row)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    char now[17];
    const char *then = text_of(json_object_get(*row, "tool"), "signatures");

    if (!rules || !has_store(records))
        return NULL;
    snprintf(now, sizeof(now), "%016" PRIx64, rules->fingerprint);
    if (!then || !strcmp(then, now))
        return NULL;
    json_t *whole = inq_records_whole(records, uid);
    if (!whole)
        return NULL;
    struct inq_error *error = inq_evidence_create(&evidence);
    if (error) {
        json_decref(whole);
        return error;
    }
    json_decref(evidence->document);
    evidence->document = whole;
    INQ_TRY(inq_pipeline_rejudge(evidence, rules));
    json_t *fresh = inq_records_row(whole);
    if (!fresh)
        return &inq_error_oom;
    if (!records->asks_only)
        went_well(records, inq_store_replace(records->store, uid, whole, fresh));
    json_decref(*row);
    *row = fresh;
    return NULL;
}

/* Of the answer only what a line and the groups show. */
static json_t *first_answer(const json_t *report)
{
    static const char *const keys[] = {"signature", "title", "grade", "origin"};
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    json_t *list = json_array(), *answer = best ? json_object() : NULL;

    for (size_t i = 0; best && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (json_object_get(best, keys[i]))
            json_object_set(answer, keys[i], json_object_get(best, keys[i]));
    if (answer)
        json_array_append_new(list, answer);
    return list;
}

json_t *inq_records_row(const json_t *report)
{
    static const char *const keys[] = {"format",     "version",    "uid",    "tool",
                                       "core",       "process",    "signal", "fault",
                                       "name_facts", "kernel_log", "group",  "error"};
    json_t *row = json_object();

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (json_object_get(report, keys[i]))
            json_object_set(row, keys[i], json_object_get(report, keys[i]));
    if (!row || json_object_set_new(row, "verdicts", first_answer(report)) < 0) {
        json_decref(row);
        return NULL;
    }
    return row;
}

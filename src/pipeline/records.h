/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_RECORDS_H
#define INQ_PIPELINE_RECORDS_H

/*
 * The crash database as a scan and a triage see it. It helps, and never stands in the way: when it
 * fails, that is told once, nothing more is kept, and the work goes on without it.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "crash_db.h"
#include "dirwalk.h"
#include "pipeline.h"

struct inq_records {
    struct inq_store *store; /* NULL: none, or it has failed */
    bool failed;
    bool asks_only;      /* nothing is kept */
    bool settled;        /* a watch looks every few seconds: what the disk did not give is done */
    bool again;          /* triage also what is done */
    const char *setting; /* what its answers depend on besides the dump: inq_records_setting() */
    struct inq_store *turn; /* between inq_records_begin() and its end: the same store */
    /* Opens `store`, when it was put off: in a triage that is done while the worker reads. */
    void (*open)(struct inq_records *records);
    /* Called once, when it fails; takes the error. */
    void (*tell)(void *context, struct inq_error *error);
    void *context;
};

/*
 * One word for all that a worker's evidence depends on besides the dump: release, options. To be
 * freed; NULL without memory.
 */
char *inq_records_setting(const struct inq_job_options *options);

/* All take NULL for the records: then every file is new, and nothing is kept. */

/* Opens what was put off. */
void inq_records_wake(struct inq_records *records);
/*
 * What happens to the database between these two is one transaction: brief, since other processes
 * wait for its end. False: nothing of it was kept, which the user was told.
 */
void inq_records_begin(struct inq_records *records);
bool inq_records_commit(struct inq_records *records);
/* The database's own files: never opened. */
bool inq_records_is_own_file(const struct inq_records *records, const struct inq_walk_entry *entry);
/* What is known of an entry; NEW when nothing is. The claim is the caller's to clean up. */
void inq_records_look(struct inq_records *records, const struct inq_walk_entry *entry,
                      bool state_only, struct inq_store_claim *ret_claim);
/* Claims an open file: CLAIMED, with an id of 0 when there is no database; or what look() says. */
void inq_records_claim(struct inq_records *records, const char *path, const struct stat *st,
                       struct inq_store_claim *ret_claim);
/*
 * Ends a claim with a report: keeps it, or notes that the worker died of it. Sets `uid` of the
 * report when it was kept.
 */
void inq_records_keep(struct inq_records *records, int64_t id, json_t *report, int exit_code);
void inq_records_pass_over(struct inq_records *records, int64_t id, const char *reason);
/*
 * Entries that are no cores, by their first bytes: in one transaction. They are not opened again
 * until they change.
 */
struct inq_others {
    const struct inq_walk_entry *entry;
    const char *reason;
};
void inq_records_note_others(struct inq_records *records, const struct inq_others *others,
                             size_t n);
void inq_records_release(struct inq_records *records, int64_t id);
/* Sets group.seen. */
void inq_records_add_seen(struct inq_records *records, json_t *report);
/* The whole report of a crash; NULL when it cannot be had. New reference. */
json_t *inq_records_whole(struct inq_records *records, const char *uid);

/* A recalled row that other signatures judged is judged again, and so is its record. */
struct inq_error *inq_records_judge(struct inq_records *records, const char *uid,
                                    const struct inq_rules *rules, json_t **row);

/* What a row and the groups need of a report. New reference, NULL without memory. */
json_t *inq_records_row(const json_t *report);

#endif

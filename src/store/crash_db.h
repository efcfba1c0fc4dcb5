/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_STORE_CRASH_DB_H
#define INQ_STORE_CRASH_DB_H

/*
 * The crash database: what was found out about every dump, and a journal of the files that were
 * looked at, so that no dump is done twice and none is lost. One SQLite file; any number of
 * processes may use it at once. Dumps themselves are never in it: only their reports, packed.
 *
 * A dump is known by core.identity (its headers and notes), not by its name: a copy or a renamed
 * file is no new crash. Every crash has a UUIDv7, which sorts by the time it was recorded.
 *
 * Errors: INQ_E_STORE (disk full, read-only, ...), INQ_E_STORE_BUSY, INQ_E_STORE_DAMAGED,
 * INQ_E_STORE_VERSION; all name the file. A failed call changes nothing.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

#define INQ_STORE_UID_SIZE 37 /* "0192f0c1-…", 36 characters and NUL */

struct inq_store;

enum inq_store_mode {
    INQ_STORE_READ,  /* must be there */
    INQ_STORE_WRITE, /* made when it is not there, its folder too */
};

/* Opens the database at `path`, waiting up to 30 s for others; older forms are migrated. */
struct inq_error *inq_store_open(const char *path, enum inq_store_mode mode,
                                 struct inq_store **ret_store);
void inq_store_close(struct inq_store *store); /* takes NULL */
static inline void inq_store_closep(struct inq_store **store)
{
    inq_store_close(*store);
}
const char *inq_store_path(const struct inq_store *store);
/* Reports passed over so far, since they are of a form that this release does not read. */
uint64_t inq_store_unread(const struct inq_store *store); /* takes NULL */
/*
 * Is this the database itself, or one of the files that SQLite keeps beside it? Such a file must
 * not even be opened: POSIX locks belong to a process and a file, and closing any descriptor of
 * the file drops them (fcntl(2)), under the feet of the connection. Takes NULL.
 */
bool inq_store_is_own_file(const struct inq_store *store, uint64_t dev, uint64_t ino);

/*
 * Where the database is when nobody says: $XDG_STATE_HOME/inquest/crashes.db, else
 * ~/.local/state/inquest/crashes.db; for root /var/lib/inquest/crashes.db. To be freed; NULL when
 * there is no home.
 */
char *inq_store_default_path(void);

/* ---- the journal: journal.c ---------------------------------------------------------------- */

struct inq_store_file { /* a file as fstat saw it */
    const char *path;
    uint64_t dev, ino, size_bytes;
    int64_t mtime_nsec;
    int64_t ctime_nsec;  /* counts for what is no core; 0: unknown */
    const char *setting; /* how it is looked at (options, signatures, release): any word */
    bool state_only;     /* look: `row` of what is done is left out */
};

enum inq_store_state {
    INQ_STORE_NEW,         /* nothing of use is known of it: it may be claimed */
    INQ_STORE_CLAIMED,     /* it is ours: triage it, then record, pass over, fail or release it */
    INQ_STORE_DONE,        /* recorded before; `row` is what a scan shows of it */
    INQ_STORE_OTHER,       /* looked at before, and no core; `reason` */
    INQ_STORE_TAKEN,       /* process `owner` is at it now */
    INQ_STORE_QUARANTINED, /* workers died of it three times; `reason` */
};

struct inq_store_claim {
    enum inq_store_state state;
    int64_t id;                   /* of the journal's entry */
    json_t *row;                  /* DONE: the report as inq_store_record() kept it for rows */
    char *reason;                 /* OTHER, QUARANTINED */
    int exit_code;                /* DONE: what a triage of it ended with */
    pid_t owner;                  /* TAKEN */
    char uid[INQ_STORE_UID_SIZE]; /* DONE */
};
void inq_store_claim_deinit(struct inq_store_claim *claim);

/* What is known of a file; claims nothing. */
struct inq_error *inq_store_look(struct inq_store *store, const struct inq_store_file *file,
                                 struct inq_store_claim *ret_claim);
/*
 * Looks a file up and, when it is not done, claims it in one transaction. A file that changed since
 * (size or time) is a new one, and so is one that is looked at in another way. What a process
 * claimed that is no more is claimed again. `again`: also what is done, but nothing that another
 * process is at.
 */
struct inq_error *inq_store_claim(struct inq_store *store, const struct inq_store_file *file,
                                  bool again, struct inq_store_claim *ret_claim);
/* It is no core. */
struct inq_error *inq_store_pass_over(struct inq_store *store, int64_t id, const char *reason);
/*
 * Likewise, of a file that nobody had to claim, since its first bytes tell. Of a file that a
 * process is at, or that was a core once, nothing changes. So many are remembered at most.
 */
#define INQ_STORE_MOST_OTHERS 200000
struct inq_error *inq_store_note_other(struct inq_store *store, const struct inq_store_file *file,
                                       const char *reason);
/* Its worker died: of itself, or (`killed`) by somebody's SIGKILL, which tells less of the dump. */
struct inq_error *inq_store_fail(struct inq_store *store, int64_t id, const char *reason,
                                 bool killed);
/* Not done, for reasons that are not its own: an interrupt. */
struct inq_error *inq_store_release(struct inq_store *store, int64_t id);

/* ---- crashes: record.c ---------------------------------------------------------------------- */

/*
 * Keeps a report, and ends the claim `id` (0: there is none) with it, in one transaction. `row` is
 * a shortened copy for lists. The same dump again replaces what was known of it and keeps its uid.
 * A report without an identity (a stub) belongs to the file of the claim, until there is a better
 * one of it; without a claim either it is not kept, and `ret_uid` is empty.
 */
struct inq_error *inq_store_record(struct inq_store *store, int64_t id, const json_t *report,
                                   const json_t *row, int exit_code,
                                   char ret_uid[INQ_STORE_UID_SIZE]);
/* New verdicts and group of a crash that is there already. */
struct inq_error *inq_store_replace(struct inq_store *store, const char *uid, const json_t *report,
                                    const json_t *row);

/*
 * Earlier crashes of the same bug as `report`'s: group.seen of the report {count, hosts, first,
 * last, first_build, known_issue}. Those with the report's own identity do not count. *ret_seen is
 * NULL when there are none and no issue is known.
 */
struct inq_error *inq_store_seen(struct inq_store *store, const json_t *report, json_t **ret_seen);

/* ---- questions: ask.c ----------------------------------------------------------------------- */

struct inq_store_filter { /* all zero: everything */
    int64_t since,
        until;           /* seconds since 1970, by time of the crash, else of its record; 0: open */
    const char *program; /* glob over process.comm and the executable's last component */
    const char *group;   /* beginning of a group's id */
    bool unreported;     /* only those that inq_store_set_reported() has not seen */
    uint64_t most;       /* 0: no limit */
};

/*
 * A crash or a group by its id, or a beginning of 4 or more characters that only one has:
 * *ret_document is a whole report with `uid`, or a group. INQ_E_STORE_NONE when there is none or
 * there are several.
 */
struct inq_error *inq_store_show(struct inq_store *store, const char *id, json_t **ret_document);

typedef bool (*inq_store_row_fn)(void *context, const char *uid, json_t *row); /* false: enough */
/* Rows of crashes, oldest record first; `whole`: whole reports instead. */
struct inq_error *inq_store_each(struct inq_store *store, const struct inq_store_filter *filter,
                                 bool whole, inq_store_row_fn row, void *context);
/*
 * Groups, most crashes first: {id, bug, title, count, hosts, first, last, programs[], builds[],
 * answer, signature, grade, known_issue}.
 */
struct inq_error *inq_store_groups(struct inq_store *store, const struct inq_store_filter *filter,
                                   json_t **ret_groups);
/*
 * Is it this process's to report a crash, for the first time? Not when it was reported, nor while
 * another process is about to; what a process had reserved that is no more is free again.
 */
struct inq_error *inq_store_reserve(struct inq_store *store, const char *uid, bool *ret_ours);
struct inq_error *inq_store_set_reported(struct inq_store *store, const char *uid);

/* ---- tending: tend.c ------------------------------------------------------------------------ */

/* A known issue: crashes of a group (its id) or a signature, with a link, until a day. */
struct inq_store_issue {
    const char *group, *signature; /* one of them */
    const char *link;
    int64_t expires; /* seconds since 1970; 0: never */
};
struct inq_error *inq_store_add_issue(struct inq_store *store, const struct inq_store_issue *issue);
/* *ret_issues: [{group, signature, link, expires, expired}]. */
struct inq_error *inq_store_issues(struct inq_store *store, json_t **ret_issues);
/* The link of the issue that a report belongs to and that has not expired; NULL when none. */
struct inq_error *inq_store_issue_of(struct inq_store *store, const json_t *report,
                                     char **ret_link);

/* Forgets crashes of the filter (never a core); `dry_run` only counts. */
struct inq_error *inq_store_purge(struct inq_store *store, const struct inq_store_filter *filter,
                                  bool dry_run, uint64_t *ret_count);
/* One transaction over many calls; nothing is kept when it is not ended. */
struct inq_error *inq_store_begin(struct inq_store *store);
struct inq_error *inq_store_commit(struct inq_store *store);
void inq_store_rollback(struct inq_store *store);

#endif

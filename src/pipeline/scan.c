/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "dirwalk.h"
#include "groups.h"
#include "io.h"
#include "job.h"
#include "kind.h"
#include "known_issues.h"
#include "pipeline.h"
#include "pool.h"
#include "records.h"

/* Big dumps first, but only among so many: rows come in order, and what is done early must wait. */
#define LOOK_AHEAD 256u
#define MAX_JOBS 128u
#define MANY 4u /* dumps, from where on a server of workers is worth its start */
/* Entries that are no cores and are remembered in one transaction. */
#define OTHERS 512u

/*
 * The crash database is written to in turns: what was found since the last one, and claims of the
 * next small dumps, are one transaction. A scan that is killed in between has lost the work of a
 * moment, and its claims end with its process. The database is free for other scans meanwhile.
 */
#define TURN_ITEMS 8u
#define TURN_MSEC 100u
/* A claim keeps other scans away: what takes its time is claimed when it is its turn. */
#define SMALL_BYTES (16u << 20)

/* CLAIMED: opened, and soon to run. FOUND: it has its report, which is not yet in the database. */
enum progress { WAITING, CLAIMED, RUNNING, FOUND, DONE };

struct item {
    enum progress progress;
    bool deferred;
    bool elf; /* it begins like an ELF file */
    int exit_code;
    char *skipped;
    json_t *report;
    struct inq_job *job; /* while it runs */
    int64_t claim;       /* in the journal, while it runs; 0 without */
    bool known;          /* from the journal */
    bool other;          /* no core, by its first bytes, and it is at rest */
};

struct scan {
    const struct inq_scan_options *options;
    struct inq_scan_result *result;
    struct inq_walk walk;
    struct item *items; /* one per walk entry */
    size_t next_row;    /* rows before it were handed out */
    size_t first_waiting;
    size_t candidates, finished;
    struct item *claimed[TURN_ITEMS], *found[TURN_ITEMS];
    size_t n_claimed, n_found; /* of `claimed` those before first_claimed have begun */
    size_t first_claimed;
    uint64_t found_msec; /* when the first of `found` was */
    struct inq_pool *pool;
    json_t *groups;
    json_t *identities; /* of the dumps so far */
};

static const struct inq_walk_entry *entry_of(const struct scan *s, const struct item *item)
{
    return &s->walk.entries.items[item - s->items];
}

static bool is_root(const struct inq_walk_entry *entry)
{
    return entry->path[entry->below] == '\0';
}

/* 6 > 5 > 8 > 4 > 1 > 0 */
static int graver(int a, int b)
{
    static const int order[] = {6, 5, 8, 4, 1};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return 0;
}

__attribute__((format(printf, 2, 3))) static struct inq_error *skip(struct item *item,
                                                                    const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vasprintf(&item->skipped, format, list);
    va_end(list);
    item->progress = DONE;
    if (n < 0) {
        item->skipped = NULL;
        return &inq_error_oom;
    }
    return NULL;
}

/* A row for what the operating system did not let us read. */
static struct inq_error *fail(struct scan *s, struct item *item, const char *what, int error)
{
    const struct inq_walk_entry *entry = entry_of(s, item);
    const char *why = error == ETIMEDOUT ? "its file system does not answer" : strerror(error);
    _cleanup_(inq_error_destroyp) struct inq_error *cause =
        inq_error_in(inq_error_create(INQ_E_IO, "%s: %s", what, why), entry->path);
    struct inq_job job;
    int ignored;

    inq_job_init(&job, -1, entry->path);
    INQ_TRY(inq_job_stub(&job, cause, &s->options->job, &item->report, &ignored));
    /* One entry that is closed to us is its row's affair; a path that was asked for, or a disk, is
     * not. */
    item->exit_code = (error == EACCES || error == EPERM) && !is_root(entry) ? 1 : 6;
    item->progress = DONE;
    return NULL;
}

/*
 * A read lease is refused while anybody holds the file open for writing. It is given back at once;
 * should a writer come in between, the kernel's signal is SIGURG, which by default is ignored.
 * Where leases are not to be had (another's file, a network) nothing is known and the file is read.
 */
static bool is_being_written(int fd)
{
    bool busy;

    (void)fcntl(fd, F_SETSIG, SIGURG);
    busy = fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
    if (!busy)
        (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    (void)fcntl(fd, F_SETSIG, 0);
    return busy;
}

/* Opens an entry; -1 when its row is made already, or (still WAITING) when it must be tried later.
 */
static struct inq_error *open_item(struct scan *s, struct item *item, int *ret_fd)
{
    const char *not_regular = NULL;
    int fd = inq_walk_open(&s->walk, entry_of(s, item), &not_regular);

    *ret_fd = fd;
    if (fd >= 0 || ((errno == EMFILE || errno == ENFILE) &&
                    (inq_pool_running(s->pool) > 0 || s->n_claimed > s->first_claimed)))
        return NULL;
    if (not_regular)
        return skip(item, "not a regular file: %s", not_regular);
    if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == ESTALE)
        return skip(item, "gone or replaced while the directory was read");
    return fail(s, item, "cannot open", errno);
}

/* A quarantined dump: the stub that it would only get again. */
static struct inq_error *quarantine(struct scan *s, struct item *item, const char *reason)
{
    const struct inq_walk_entry *entry = entry_of(s, item);
    _cleanup_(inq_error_destroyp) struct inq_error *cause = inq_error_in(
        inq_error_create(INQ_E_QUARANTINE, "left alone, since workers died of it three times: %s",
                         reason ? reason : "?"),
        entry->path);
    struct inq_job job;

    inq_job_init(&job, -1, entry->path);
    INQ_TRY(inq_job_stub(&job, cause, &s->options->job, &item->report, &item->exit_code));
    item->progress = DONE;
    return NULL;
}

static struct inq_error *recall_report(struct scan *s, struct item *item,
                                       struct inq_store_claim *claim)
{
    json_t *core;

    INQ_TRY(
        inq_records_judge(s->options->job.records, claim->uid, s->options->job.rules, &claim->row));
    item->report = s->options->full_reports ? inq_records_whole(s->options->job.records, claim->uid)
                                            : json_incref(claim->row);
    if (!item->report)
        return NULL;
    core = json_object_get(item->report, "core"); /* it may have another name by now */
    if (json_is_object(core))
        inq_json_set_foreign(core, "path", entry_of(s, item)->path);
    json_object_set_new(item->report, "uid", json_string(claim->uid));
    if (s->options->job.kernel_log)
        inq_kernel_log_recall(s->options->job.kernel_log, item->report);
    item->exit_code = claim->exit_code;
    item->known = true;
    item->progress = DONE;
    return NULL;
}

/* What the journal says of a file; the item stays WAITING when it is to be looked at. */
static struct inq_error *recall(struct scan *s, struct item *item, struct inq_store_claim *claim)
{
    switch (claim->state) {
    case INQ_STORE_DONE:
        return recall_report(s, item, claim);
    case INQ_STORE_OTHER:
        return skip(item, "%s", claim->reason ? claim->reason : "not a core");
    case INQ_STORE_TAKEN:
        item->deferred = true;
        return skip(item, "process %d is triaging it", (int)claim->owner);
    case INQ_STORE_QUARANTINED:
        return quarantine(s, item, claim->reason);
    default:
        return NULL;
    }
}

static struct inq_error *look_up(struct scan *s, struct item *item)
{
    _cleanup_(inq_store_claim_deinit) struct inq_store_claim claim;

    inq_records_look(s->options->job.records, entry_of(s, item), true, &claim);
    if (claim.state != INQ_STORE_DONE)
        return recall(s, item, &claim);
    item->known = true; /* its row is brought when its turn has come: thousands may wait */
    item->progress = DONE;
    return NULL;
}

static struct inq_error *bring_known(struct scan *s, struct item *item)
{
    _cleanup_(inq_store_claim_deinit) struct inq_store_claim claim = {0};

    if (!item->known || item->report || item->skipped)
        return NULL;
    inq_records_look(s->options->job.records, entry_of(s, item), false, &claim);
    if (claim.state == INQ_STORE_DONE)
        INQ_TRY(recall_report(s, item, &claim));
    if (item->report)
        return NULL;
    item->known = false;
    item->deferred = true; /* purged a moment ago, or of a form that this release does not read */
    if (claim.state == INQ_STORE_NEW && claim.id != 0)
        inq_records_release(s->options->job.records, claim.id);
    return skip(item, "its record cannot be used: the next scan does it again");
}

/*
 * What a file holds can be remembered once it is older than the clock of its file system is coarse:
 * a change within the same tick shows in no time stamp.
 */
static bool is_at_rest(const struct inq_walk_entry *entry, const struct stat *st)
{
    const struct timespec soon = {.tv_sec = time(NULL) - 3};

    return st->st_dev == entry->dev && st->st_ino == entry->ino &&
           (uint64_t)st->st_size == entry->size_bytes &&
           inq_walk_nsec(&st->st_mtim) == entry->mtime_nsec &&
           inq_walk_nsec(&st->st_ctim) == entry->ctime_nsec &&
           entry->ctime_nsec < inq_walk_nsec(&soon);
}

/* Decides by the first bytes whether a worker is worth its while. */
static struct inq_error *classify(struct scan *s, struct item *item)
{
    const struct inq_walk_entry *entry = entry_of(s, item);
    const char *slash = strrchr(entry->path, '/');
    const bool named_core = inq_kind_named_core(slash ? slash + 1 : entry->path);
    uint8_t bytes[INQ_KIND_BYTES];
    const char *name;
    _cleanup_close_ int fd = -1;
    struct stat st;
    ssize_t n;

    if (entry->special)
        return skip(item, "not a regular file: %s", entry->special);
    if (entry->error)
        return fail(s, item, "cannot read", entry->error);
    if (inq_records_is_own_file(s->options->job.records, entry))
        return skip(item, "the crash database itself");
    INQ_TRY(look_up(s, item));
    if (item->progress == DONE)
        return NULL;
    INQ_TRY(open_item(s, item, &fd));
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0)
        return fail(s, item, "cannot read", errno);
    /* The kernel's own files (/proc) have no size, and reading some of them does things. */
    n = st.st_size == 0 ? 0 : inq_pread_full(fd, bytes, sizeof(bytes), 0);
    if (n < 0)
        return fail(s, item, "cannot read", errno);
    item->other = is_at_rest(entry, &st);
    switch (inq_kind_of(bytes, (size_t)n, &name)) {
    case INQ_KIND_ELF:
        item->elf = true;
        break;
    case INQ_KIND_EMPTY:
        if (!named_core && !is_being_written(fd))
            return skip(item, "empty file");
        break;
    case INQ_KIND_PACKED:
        if (!named_core)
            return skip(item, "not an ELF core (found: %s)", name);
        break;
    case INQ_KIND_OTHER:
        return skip(item, "not an ELF core (found: %s)", name);
    default:
        break;
    }
    item->other = false;
    if (!s->options->young && is_being_written(fd)) {
        item->deferred = true;
        return skip(item, "young: still being written");
    }
    s->candidates++;
    return NULL;
}

static struct inq_error *classify_all(struct scan *s)
{
    struct inq_others others[OTHERS];
    size_t n = 0;

    for (size_t i = 0; i < s->walk.entries.count && !inq_pipeline_interrupted(); i++) {
        INQ_TRY(classify(s, &s->items[i]));
        if (s->items[i].other)
            others[n++] = (struct inq_others){entry_of(s, &s->items[i]), s->items[i].skipped};
        if (n == OTHERS) {
            inq_records_note_others(s->options->job.records, others, n);
            n = 0;
        }
    }
    inq_records_note_others(s->options->job.records, others, n);
    return NULL;
}

/* The whole report would pile up while rows wait for their turn. */
static struct inq_error *slim(struct item *item)
{
    json_t *row = inq_records_row(item->report);

    if (!row)
        return &inq_error_oom;
    json_decref(item->report);
    item->report = row;
    return NULL;
}

/*
 * The same dump as one before, under another name or packed: one crash all the same. One that was
 * cut short tells less than the whole, and is counted by itself.
 */
static bool is_copy(struct scan *s, const struct item *item)
{
    const json_t *core = json_object_get(item->report, "core");
    const char *identity = json_string_value(json_object_get(core, "identity"));

    char key[128];

    if (!identity)
        return false;
    snprintf(key, sizeof(key), "%s %lld", identity,
             (long long)json_integer_value(json_object_get(core, "present_bytes")));
    if (json_object_get(s->identities, key))
        return true;
    json_object_set_new(s->identities, key, json_true());
    return false;
}

static void count(struct scan *s, const struct item *item, bool copy)
{
    struct inq_scan_result *r = s->result;

    r->files++;
    if (item->skipped)
        r->skipped++;
    else if (json_object_get(item->report, "error"))
        r->failed++;
    else if (copy)
        r->copies++;
    else
        r->crashes++;
    if (!copy && item->known && item->report && !json_object_get(item->report, "error"))
        r->known++;
    if (!copy && !item->skipped && item->exit_code != 0 && !json_object_get(item->report, "error"))
        r->partial++;
    r->exit_code = graver(r->exit_code, item->exit_code);
}

/* Hands out the rows whose turn it is. */
static struct inq_error *emit_rows(struct scan *s)
{
    while (s->next_row < s->walk.entries.count && s->items[s->next_row].progress == DONE) {
        struct item *item = &s->items[s->next_row++];

        INQ_TRY(bring_known(s, item));
        struct inq_scan_row row = {.path = entry_of(s, item)->path,
                                   .report = item->report,
                                   .exit_code = item->exit_code,
                                   .skipped = item->skipped,
                                   .deferred = item->deferred,
                                   .known = item->known,
                                   .disk_bytes = entry_of(s, item)->disk_bytes};

        if (item->report)
            inq_known_issues_apply(s->options->job.issues, item->report, time(NULL));
        const bool left_out = item->report && s->options->wanted &&
                              !json_object_get(item->report, "error") &&
                              !s->options->wanted(s->options->context, item->report);
        if (left_out) {
            s->result->unwanted++;
            json_decref(TAKE_PTR(item->report));
            continue;
        }
        const bool copy = is_copy(s, item);
        count(s, item, copy);
        if (item->report && !copy && !inq_groups_add(s->groups, item->report, s->options->group_by))
            return &inq_error_oom;
        if (s->options->row)
            s->options->row(s->options->context, &row);
        json_decref(TAKE_PTR(item->report));
        free(TAKE_PTR(item->skipped));
    }
    return NULL;
}

/* The largest of the next ones; NULL when none waits. */
static struct item *next_item(struct scan *s)
{
    struct item *best = NULL;
    size_t n = 0;

    while (s->first_waiting < s->walk.entries.count &&
           s->items[s->first_waiting].progress != WAITING)
        s->first_waiting++;
    for (size_t i = s->first_waiting; i < s->walk.entries.count && n < LOOK_AHEAD; i++, n++) {
        struct item *item = &s->items[i];

        if (item->progress == WAITING &&
            (!best || entry_of(s, item)->size_bytes > entry_of(s, best)->size_bytes))
            best = item;
    }
    return best;
}

static void job_destroy(struct inq_job *job)
{
    if (!job)
        return;
    inq_job_deinit(job);
    free(job);
}

/* Another scan may have been faster since the files were looked through. */
static struct inq_error *claim_item(struct scan *s, struct item *item)
{
    _cleanup_(inq_store_claim_deinit) struct inq_store_claim claim;

    inq_records_claim(s->options->job.records, item->job->path, &item->job->stat, &claim);
    if (claim.state == INQ_STORE_CLAIMED) {
        item->claim = claim.id;
        return NULL;
    }
    return recall(s, item, &claim);
}

/* Opens one and claims it: CLAIMED; or DONE, or (no room for another open file) still WAITING. */
static struct inq_error *claim(struct scan *s, struct item *item)
{
    int fd;

    INQ_TRY(open_item(s, item, &fd));
    if (fd < 0) {
        s->candidates -= item->progress == DONE;
        return NULL;
    }
    item->job = calloc(1, sizeof(*item->job));
    if (!item->job) {
        close(fd);
        return &inq_error_oom;
    }
    inq_job_init(item->job, fd, entry_of(s, item)->path);
    INQ_TRY(claim_item(s, item));
    if (item->progress == DONE) {
        job_destroy(TAKE_PTR(item->job));
        s->candidates--;
        return NULL;
    }
    item->progress = CLAIMED;
    s->claimed[s->n_claimed++] = item;
    return NULL;
}

/* The next dumps, when none is left. */
static struct inq_error *claim_some(struct scan *s)
{
    bool small = true;

    if (s->first_claimed < s->n_claimed)
        return NULL;
    s->first_claimed = s->n_claimed = 0;
    while (small && s->n_claimed < TURN_ITEMS) {
        struct item *item = next_item(s);

        if (!item)
            break;
        INQ_TRY(claim(s, item));
        if (item->progress == WAITING)
            break;
        small = entry_of(s, item)->size_bytes <= SMALL_BYTES;
    }
    return NULL;
}

/* *ret_later: there is no room for it now. */
static struct inq_error *start(struct scan *s, struct item *item, bool *ret_later)
{
    bool transient = false;
    struct inq_error *error = inq_pool_start(s->pool, item->job->fd, item->job->path,
                                             item->job->packed_bytes, item, &transient);

    *ret_later = error && transient && inq_pool_running(s->pool) > 0;
    if (*ret_later) {
        inq_error_destroy(error);
        return NULL;
    }
    if (error)
        return error;
    item->progress = RUNNING;
    s->first_claimed++;
    return NULL;
}

/*
 * What the worker found to be something else than a core is no failure. A file that ends inside its
 * ELF header may well have been one: that is a failure, and has its row.
 */
static struct inq_error *settle(struct scan *s, struct item *item)
{
    const json_t *error = json_object_get(item->report, "error");
    enum inq_code code = inq_code_by_name(json_string_value(json_object_get(error, "code")));
    const char *message = json_string_value(json_object_get(error, "message"));

    item->progress = DONE;
    if (code == INQ_E_NOT_CORE || (code == INQ_E_NOT_ELF && !item->elf)) {
        item->exit_code = 0;
        INQ_TRY(skip(item, "%s", message ? message : inq_code_text(code)));
        inq_records_pass_over(s->options->job.records, item->claim, item->skipped);
        json_decref(TAKE_PTR(item->report));
        return NULL;
    }
    if (item->exit_code == 3)
        item->exit_code = 1; /* not analysable; its row says so */
    inq_records_add_seen(s->options->job.records, item->report);
    inq_records_keep(s->options->job.records, item->claim, item->report, item->exit_code);
    return s->options->full_reports ? NULL : slim(item);
}

/* One turn at the database, see above. */
static struct inq_error *take_turn(struct scan *s)
{
    struct inq_records *records = s->options->job.records;
    struct inq_error *error = NULL;

    if (s->n_found == 0 && !next_item(s))
        return NULL;
    inq_records_begin(records);
    for (size_t i = 0; i < s->n_found && !error; i++) {
        error = settle(s, s->found[i]);
        s->found[i]->claim = 0;
    }
    if (!error && !inq_pipeline_interrupted())
        error = claim_some(s);
    if (!inq_records_commit(records))
        for (size_t i = 0; i < s->n_found; i++) /* they have no record then */
            json_object_del(s->found[i]->report, "uid");
    s->n_found = 0;
    return error;
}

static struct inq_error *start_next(struct scan *s)
{
    bool later;

    return s->first_claimed < s->n_claimed && !inq_pool_full(s->pool)
               ? start(s, s->claimed[s->first_claimed], &later)
               : NULL;
}

static struct inq_error *finish_one(struct scan *s)
{
    struct inq_answer answer = {0};
    const uint64_t now = inq_pool_msec();
    const uint64_t left = s->n_found == 0                   ? UINT64_MAX
                          : s->found_msec + TURN_MSEC > now ? s->found_msec + TURN_MSEC - now
                                                            : 0;
    bool some;

    INQ_TRY(inq_pool_next_within(s->pool, left, &some, &answer));
    if (!some)
        return take_turn(s);
    struct item *item = answer.tag;
    if (answer.ending == INQ_ENDING_INTERRUPTED ||
        inq_job_try_again(item->job, s->pool, &answer, item))
        return NULL;
    /* the next one reads while this one is judged */
    struct inq_error *error = start_next(s),
                     *failed = inq_job_report(item->job, &answer, &s->options->job, &item->report,
                                              &item->exit_code);
    job_destroy(TAKE_PTR(item->job));
    if (error || failed) {
        inq_error_destroy(error ? failed : NULL);
        return error ? error : failed;
    }
    item->progress = FOUND;
    if (s->n_found == 0)
        s->found_msec = inq_pool_msec();
    s->found[s->n_found++] = item;
    s->finished++;
    if (s->options->progress)
        s->options->progress(s->options->context, s->finished, s->candidates);
    return s->n_found == TURN_ITEMS ? take_turn(s) : NULL;
}

static struct inq_error *run_workers(struct scan *s)
{
    if (s->candidates >= MANY)
        inq_pool_expect_many(s->pool);
    INQ_TRY(emit_rows(s));
    while (!inq_pipeline_interrupted()) {
        const bool room = !inq_pool_full(s->pool);
        bool later = false;

        if (room && s->first_claimed == s->n_claimed && next_item(s))
            INQ_TRY(take_turn(s));
        if (room && s->first_claimed < s->n_claimed)
            INQ_TRY(start(s, s->claimed[s->first_claimed], &later));
        else if (inq_pool_running(s->pool) > 0)
            later = true;
        else if (!next_item(s))
            break;
        if (later)
            INQ_TRY(finish_one(s));
        INQ_TRY(emit_rows(s));
    }
    INQ_TRY(take_turn(s));
    return emit_rows(s);
}

static unsigned jobs_of(const struct inq_scan_options *options)
{
    cpu_set_t cpus;
    unsigned jobs = options->jobs;

    if (jobs == 0)
        jobs = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
    return jobs > MAX_JOBS ? MAX_JOBS : jobs;
}

static void scan_deinit(struct scan *s)
{
    inq_pool_destroy(s->pool);
    for (size_t i = 0; s->items && i < s->walk.entries.count; i++) {
        if (s->items[i].claim != 0) /* interrupted */
            inq_records_release(s->options->job.records, s->items[i].claim);
        job_destroy(s->items[i].job);
        json_decref(s->items[i].report);
        free(s->items[i].skipped);
    }
    free(s->items);
    inq_walk_deinit(&s->walk);
    json_decref(s->groups);
    json_decref(s->identities);
}

struct inq_error *inq_pipeline_scan(const char *const *paths, size_t n_paths,
                                    const struct inq_scan_options *options,
                                    struct inq_scan_result *ret_result)
{
    struct inq_scan_result result = {0};
    _cleanup_(scan_deinit) struct scan s = {.options = options, .result = &result};

    INQ_TRY(inq_walk_list(paths, n_paths, options->recursive, &s.walk));
    s.items = calloc(s.walk.entries.count + 1, sizeof(*s.items));
    s.groups = json_object();
    s.identities = json_object();
    if (!s.items || !s.groups || !s.identities)
        return &inq_error_oom;
    INQ_TRY(inq_pool_create(&options->job, jobs_of(options), &s.pool));
    INQ_TRY(classify_all(&s));
    if (!inq_pipeline_interrupted())
        INQ_TRY(run_workers(&s));
    result.groups = inq_groups_sorted(s.groups);
    if (!result.groups)
        return &inq_error_oom;
    if (options->job.records && options->job.records->failed)
        result.exit_code = graver(result.exit_code, 6);
    if (inq_pipeline_interrupted())
        result.exit_code = 128 + inq_pipeline_interrupted();
    *ret_result = result;
    return NULL;
}

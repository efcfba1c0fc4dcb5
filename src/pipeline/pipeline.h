/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_PIPELINE_H
#define INQ_PIPELINE_PIPELINE_H

/*
 * The parent's side: starts one worker per dump, guards it, and turns its evidence into a report.
 * The parent never parses a byte of a dump.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "evidence.h"
#include "files.h"
#include "kernel_log.h"
#include "rules.h"

struct inq_known_issues;
struct inq_records;

struct inq_job_options {
    const char *worker_path; /* the inquest-worker executable; NULL: found beside this program */
    struct inq_file_policy policy;
    const struct inq_rules *rules; /* NULL: no verdicts */
    bool stacks_only, no_sandbox, require_sandbox;
    const char *engine; /* "libunwind", "dwfl", "ucd" */
    const char *redact;
    uint32_t timeout_seconds;    /* wall; 0: default, more for large compressed input */
    uint64_t max_memory_bytes;   /* 0: default */
    bool debuginfod;             /* fetch by build-id what is not here, from `debuginfod_urls` */
    const char *debuginfod_urls; /* DEBUGINFOD_URLS; NULL: none */
    const char *cache_home;      /* XDG_CACHE_HOME, where fetched files are kept; NULL: nowhere */
    const char
        *pattern; /* core_pattern-like, to read facts off the file's name; NULL: the kernel's */
    bool all_owners; /* owners of every module: `libs`; else of those that matter for the crash */
    const struct inq_known_issues *issues; /* known_issues.h; NULL: none */
    /*
     * Called when a worker has answered, before its report is made: what of these options takes its
     * time (rules, kernel_log) may have been prepared meanwhile. NULL: they are complete.
     */
    void (*complete)(void *context);
    void *complete_context;
    struct inq_kernel_log *kernel_log;     /* its lines are joined to the cores; NULL: no log */
    struct inq_records *records;           /* the crash database: records.h; NULL: none */
    bool unmapped;      /* files are read instead of mapped: the pool's, for a second attempt */
    bool worker_stderr; /* the workers write to our stderr instead of nowhere: for tests */
};

/*
 * One dump. Always gives a report, if only a stub that says how it failed (field `error`: {code,
 * exit, message, file, offset}); *ret_exit is its exit code by interface.md. `fd` is the open core
 * (taken); `path` is its name for the report. The returned error is for failures of our own (no
 * memory, no worker).
 */
struct inq_error *inq_pipeline_run(int fd, const char *path, const struct inq_job_options *options,
                                   json_t **ret_report, int *ret_exit);

/*
 * The parent's part of a report once there is evidence: tool, names and sizes, facts of the file's
 * name, group, verdicts, gaps for refused signature files. `path` may be NULL for stdin.
 */
struct inq_error *inq_pipeline_finish(struct inq_evidence *evidence, const char *path,
                                      const struct inq_job_options *options);

/*
 * Judges a report again, as it lies in a file or a store: verdicts, group, and the gaps of refused
 * signature files are made anew; all else stays.
 */
struct inq_error *inq_pipeline_rejudge(struct inq_evidence *evidence,
                                       const struct inq_rules *rules);

/* Opens a core named by the user ("-" is stdin), then as above. */
struct inq_error *inq_pipeline_triage(const char *path, const struct inq_job_options *options,
                                      json_t **ret_report, int *ret_exit);

/*
 * An environment before it runs: a folder (venv, conda prefix, site-packages, an image's root) with
 * its libraries, who owns them, and the pairs that could be mistaken for each other. Read in a
 * worker, like a dump; nothing outside the folder is looked at. Always gives a report: `prefix`,
 * `modules` (the files) and `pairs`, or a stub with `error`. *ret_exit is 1 when a pair is "high".
 */
struct inq_error *inq_pipeline_prefix(const char *path, const struct inq_job_options *options,
                                      json_t **ret_report, int *ret_exit);

/*
 * One row of a scan: a report (of a crash, or a stub with `error`), or an entry that is no core
 * (report NULL, reason set). All of it lives until the callback returns.
 */
struct inq_scan_row {
    const char *path;
    const json_t *report;
    int exit_code;       /* what it adds to the scan's: 0, 1, 4, 5 or 6 */
    const char *skipped; /* why it is no core: "not an ELF core (found: text)"; NULL for a report */
    bool deferred;       /* skipped only for now: still being written, or another scan is at it */
    bool known;          /* the report is of an earlier scan */
    uint64_t disk_bytes; /* what the file takes on its disk */
};

struct inq_scan_options {
    struct inq_job_options job;
    unsigned jobs; /* workers at once; 0: as many as CPUs */
    bool recursive;
    bool young;        /* look also at files that somebody holds open for writing */
    bool full_reports; /* rows carry whole reports; else without modules and other threads */
    /* What crashes are grouped by: "bug" (NULL), "exact", "program", "signature" or "host". */
    const char *group_by;
    /* False: the crash is left out of rows and groups; NULL: all are wanted. */
    bool (*wanted)(void *context, const json_t *report);
    /* Called for each row in the order of the paths, as soon as those before it are done. */
    void (*row)(void *context, const struct inq_scan_row *row);
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};

struct inq_scan_result {
    uint64_t files, crashes, partial, skipped, failed;
    uint64_t known;    /* of the crashes: done by an earlier scan */
    uint64_t copies;   /* not counted as crashes or in groups: dumps that were there before */
    uint64_t unwanted; /* crashes that were left out */
    json_t *groups;    /* for inq_report_groups() */
    int exit_code;     /* the gravest: 6 > 5 > 8 > 4 > 1 > 0 */
};

/*
 * Every core under the paths (files or directories; these themselves may be symbolic links). Below
 * them symbolic links, FIFOs and devices are never opened. Fails only for reasons of our own; an
 * interrupt is no failure: the result's exit code is then 128 + the signal.
 */
struct inq_error *inq_pipeline_scan(const char *const *paths, size_t n_paths,
                                    const struct inq_scan_options *options,
                                    struct inq_scan_result *ret_result);

/* Set from a signal handler: stop soon, end the workers, leave everything consistent. */
void inq_pipeline_interrupt(int signal_number);
int inq_pipeline_interrupted(void); /* the signal, or 0 */

/*
 * Facts in a file name by core_pattern (core(5): %p %P %i %I %u %g %d %s %t %h %e %f %E %c %C %%):
 * an object with pid, tid, uid, gid, signal, time, hostname, comm, path; NULL when the name does
 * not fit. New reference.
 */
json_t *inq_pattern_match(const char *pattern, const char *file_name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_CLI_CLI_H
#define INQ_CLI_CLI_H

/*
 * What the commands share: the parsed command line, and the two voices of the program (standard
 * output with every write checked, and a few escaped lines on standard error).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"
#include "array.h"
#include "error.h"
#include "nearest.h"
#include "pipeline.h"
#include "report.h"
#include "rules.h"
#include "crash_db.h"
#include "text.h"

/* Exit codes that are not those of a report: interface.md of the design. */
#define CLI_EXIT_USAGE 2
#define CLI_EXIT_IO 6
#define CLI_EXIT_FOUND 8 /* --fail-on */
#define CLI_EXIT_SIGNAL 128 /* + the signal */

enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };

struct cli_options {
    struct inq_job_options job;
    INQ_ARRAY(const char *) debug_dirs;
    INQ_ARRAY(const char *) signatures;
    enum cli_color color;
    uint32_t jobs;
    bool json, quiet, verbose, help, version;
    bool young, flat, all;
    uint32_t pid;     /* doctor: a running process; 0: none */
    const char *unit; /* doctor: a unit of systemd's */
    bool trial;       /* doctor --try */
    const char *klog; /* a file, or "none"; NULL: the kernel's own log */
    struct inq_kernel_log *kernel_log; /* owned */
    char *cache_home; /* owned */
    const char *db;   /* --db; NULL: the default place */
    bool no_store, again, dry_run;
    bool only_new, watch, advice;
    const char *fail_on;      /* "proven", "strong" or "any"; NULL: nothing */
    const char *markdown;     /* a file to write behind; "-" is standard output */
    const char *known_issues; /* a file: known_issues.h */
    const char *group_by;
    struct inq_store_filter filter; /* --since, --until, --program, --group */
    const char *not_yet; /* an option of the interface that this version does not have */
};

struct cli {
    struct cli_options options;
    const struct cli_command *command;
    const char *const *args; /* after the command's name */
    size_t n_args;
    _Atomic unsigned messages; /* lines on standard error so far */
    bool write_failed; /* standard output is gone or full */
    bool progress_shown;
    struct inq_records records; /* cli_open_store() */
    struct inq_store *store;
    char *setting;
    struct inq_text pending; /* not written yet */
};

struct cli_command {
    const char *name;
    const char *usage; /* arguments */
    const char *help;  /* one line */
    char letter;       /* options that name it in options.c */
    int (*run)(struct cli *cli);
};

/* The handlers: one file each. They return an exit code. */
int cli_export(struct cli *cli);
int cli_groups(struct cli *cli);
int cli_history(struct cli *cli);
int cli_import(struct cli *cli);
int cli_libs(struct cli *cli);
int cli_purge(struct cli *cli);
int cli_rejudge(struct cli *cli);
int cli_doctor(struct cli *cli);
int cli_klog(struct cli *cli);
int cli_scan(struct cli *cli);
int cli_show(struct cli *cli);
int cli_signatures(struct cli *cli);
int cli_triage(struct cli *cli);

/* options.c */

/*
 * Parses all of argv (options may stand anywhere) and permutes it; *ret_first is the index of the
 * first argument that is no option. false after a message: a usage error.
 */
bool cli_options_parse(struct cli *cli, int argc, char **argv, int *ret_first);
/* The options of a command, or of all, as help text. */
void cli_options_help(struct inq_text *text, char letter);
void cli_options_deinit(struct cli_options *options);

/* output.c */

/*
 * One line on standard error, with the program's name in front; foreign bytes are escaped. At most
 * 20 lines a run; of the others only the fact that there were more is told.
 */
void cli_message(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An error, with its place and code; destroys it and returns its exit code. */
int cli_fail(struct cli *cli, struct inq_error *error);
/* Text for standard output; kept until cli_flush(). Text that has failed is an error of its own. */
void cli_print(struct cli *cli, const struct inq_text *text);
void cli_flush(struct cli *cli);
/* Last thing before the exit: flushes, closes, and turns a failed write into CLI_EXIT_IO. */
int cli_close(struct cli *cli, int exit_code);
/* Colour and width of standard output. */
struct inq_style cli_style(const struct cli *cli);
/* A document on standard output: indented, or on one line. */
void cli_print_json(struct cli *cli, const json_t *document, bool indent);
/* A bar on standard error, where that is a terminal; wiped before other output. */
void cli_progress(struct cli *cli, uint64_t done, uint64_t total);
void cli_progress_wipe(struct cli *cli);

/* read_file.c: a report, of at most INQ_MAX_WORKER_OUTPUT bytes; "-" is standard input. */
struct inq_error *cli_read_report(const char *path, char **ret_bytes, size_t *ret_size);

/* setup.c */

bool cli_is_directory(const char *path);
/* One more directory, as by --signatures. False without memory. */
bool cli_add_signatures(struct cli *cli, const char *directory);
/*
 * The shipped signatures, then those of /etc/inquest/signatures.d, of
 * ~/.config/inquest/signatures.d and of --signatures. A shipped directory that is missing is a
 * message and no error unless `required`; one of --signatures that is missing is an error.
 */
struct inq_error *cli_load_rules(struct cli *cli, bool required, struct inq_rules **ret_rules);
/*
 * Reads the log of --klog, by default the kernel's own; NULL stays NULL for none. A file that
 * cannot be read is an error; the kernel's log that may not be is not.
 */
struct inq_error *cli_load_klog(const struct cli *cli, struct inq_kernel_log **ret_log);
/* Gives it to the job; the command owns it from now on. */
void cli_use_klog(struct cli *cli, struct inq_kernel_log *log);
/* Points the job's options at what the command line gave. */
void cli_prepare_job(struct cli *cli, const struct inq_rules *rules);

/* store.c */

/*
 * Opens the crash database for a triage or a scan and points the job at it, unless --no-store was
 * given. `options` are complete by then. One that was asked for by name and cannot be opened is an
 * error; the default one is missed with a message, and one that nobody could have made (no home,
 * a read-only disk) without.
 */
struct inq_error *cli_open_store(struct cli *cli);
/*
 * For a triage: opened while the worker is busy. The default database is only asked then ("seen
 * before?"); a record is kept in one that was named. A failure is a message and `records.failed`.
 */
void cli_put_off_store(struct cli *cli);
void cli_close_store(struct cli *cli);
/* For commands that ask or tend it: INQ_E_STORE when there is none. */
struct inq_error *cli_need_store(struct cli *cli, enum inq_store_mode mode);

/* when.c: "2026-11-21", "2026-11-21 10:30" (local), "…Z" (UTC), or "7d", "24h" ago. */
bool cli_parse_when(const char *text, int64_t *ret_seconds);

/* The nearest of the names, or NULL when none is near. */
static inline const char *cli_suggest(const char *word, const char *const *names, size_t n)
{
    return inq_nearest(word, names, n);
}

#endif

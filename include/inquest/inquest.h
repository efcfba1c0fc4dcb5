/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_H
#define INQUEST_H

/*
 * libinquest: why did this process die?
 *
 *     struct inq_report *report = NULL;
 *     struct inq_error *error = inq_report_open("core.4711", NULL, &report);
 *     if (error) {
 *         fprintf(stderr, "%s\n", inq_error_text(error));
 *         inq_error_free(error);
 *     } else {
 *         puts(inq_report_get_text(report, "verdicts[0].cause"));
 *         inq_report_free(report);
 *     }
 *
 * The library never prints and never exits. One report is used by one thread at a time; different
 * reports are independent of each other. Link with `pkg-config --libs inquest`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define INQ_PUBLIC __attribute__((visibility("default")))
#else
#define INQ_PUBLIC
#endif

struct inq_error;  /* why something could not be done; NULL is success */
struct inq_report; /* what is known about one dead process, and the likely causes */

/* What to do, and where things are. Fill with inq_report_options_init(), then change fields. */
struct inq_report_options {
    size_t struct_bytes;           /* set by init: how much of the structure the caller knows */
    const char *sysroot;           /* root of the machine the dump comes from; NULL: this one's */
    const char *executable;        /* the program's file, NULL: as the dump names it */
    const char *const *debug_dirs; /* folders with .build-id/xx/yyyy.debug; may be NULL */
    size_t n_debug_dirs;
    const char *signatures; /* folder of signature files; NULL: the installed ones */
    const char *worker;     /* path of inquest-worker; NULL: the installed one */
    bool stacks_only;       /* threads and their frames, nothing else */
    /*
     * true: parse the dump in this process. A dump is hostile input; isolation (one sandboxed
     * worker process for each dump, as the command line does) is the default. In process, a file
     * that shrinks while it is read ends the caller with SIGBUS.
     */
    bool in_process;
    uint32_t timeout_seconds; /* of the worker; 0: default */
};

INQ_PUBLIC void inq_report_options_init(struct inq_report_options *options);

/*
 * Analyzes the core dump at `path`. `options` may be NULL. Errors: the file cannot be opened, is no
 * core dump, or the worker could not do its work; a dump that is damaged but holds something usable
 * gives a report with gaps[]. The report is the caller's: inq_report_free().
 */
INQ_PUBLIC struct inq_error *inq_report_open(const char *path,
                                             const struct inq_report_options *options,
                                             struct inq_report **ret_report);
INQ_PUBLIC void inq_report_free(struct inq_report *report); /* takes NULL */

/* The whole report as one JSON document (docs/report.md). Lives as long as the report. */
INQ_PUBLIC const char *inq_report_json(struct inq_report *report);

/* The report for people: plain text, `columns` wide (0: not wrapped). Lives as long as the report.
 */
INQ_PUBLIC const char *inq_report_as_text(struct inq_report *report, unsigned columns);

/*
 * One fact, by its path in the report: "signal.name", "crashed.frames[0].function",
 * "verdicts[0].grade", "modules[3].path". NULL or false when there is none, or it has another type.
 */
INQ_PUBLIC const char *inq_report_get_text(const struct inq_report *report, const char *path);
INQ_PUBLIC bool inq_report_get_int(const struct inq_report *report, const char *path,
                                   int64_t *ret_value);
INQ_PUBLIC bool inq_report_get_address(const struct inq_report *report, const char *path,
                                       uint64_t *ret_address);
/* Entries of a list ("threads", "modules", "verdicts", ...); 0 when there is none. */
INQ_PUBLIC size_t inq_report_count(const struct inq_report *report, const char *path);

/* "file: message (offset 0x10) [INQ-032]"; terminal-safe; lives as long as the error. */
INQ_PUBLIC const char *inq_error_text(struct inq_error *error);
/* The stable code, "INQ-032". */
INQ_PUBLIC const char *inq_error_name(const struct inq_error *error);
INQ_PUBLIC void inq_error_free(struct inq_error *error); /* takes NULL */

/* The library's version, "0.1.0". */
INQ_PUBLIC const char *inq_version(void);

#ifdef __cplusplus
}
#endif

#endif

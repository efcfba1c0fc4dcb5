/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_CLI_SCAN_EXTRAS_H
#define INQ_CLI_SCAN_EXTRAS_H

/* What a scan does with its rows besides printing them. */

#include "cli.h"
#include "known_issues.h"

struct cli_scan {
    struct cli *cli;
    struct inq_known_issues issues;
    struct inq_text markdown; /* of --markdown, written at the end */
    json_t *shown;            /* --new: uid → true of rows, to be marked once they are really out */
    json_t *kept;             /* --advice: group → [{path, when, bytes}] */
    uint64_t rows;            /* crashes that were shown */
    uint64_t fail_on;         /* crashes that --fail-on looks for */
    bool watching;            /* the first pass is over */
    json_t *told;             /* --watch: path → what its line said last, when it is no crash */
};

/* Is a crash wanted by --since, --until, --program, --new? */
bool cli_scan_wanted(const struct cli_scan *scan, const json_t *report);
/*
 * Has a watch shown this already? A crash that is known; a failure, or a file that is still being
 * written, of which the line before said the same.
 */
bool cli_scan_was_shown(struct cli_scan *scan, const struct inq_scan_row *row);
/* Notes a row that was shown. */
void cli_scan_note(struct cli_scan *scan, const struct inq_scan_row *row);
/* --markdown, --advice: at the end. An error is INQ_E_IO. */
struct inq_error *cli_scan_write_markdown(struct cli_scan *scan, const json_t *groups);
/*
 * --new: from now on these are not new. After everything was written: what nobody could read is
 * told again.
 */
void cli_scan_mark_shown(struct cli_scan *scan);
void cli_scan_print_advice(struct cli_scan *scan);
void cli_scan_deinit(struct cli_scan *scan);

/*
 * scan_watch.c: --watch. Scans again whenever a file below the paths is complete, until a signal
 * ends it.
 */
int cli_scan_watch(struct cli_scan *scan, const char *const *paths, size_t n,
                   int (*scan_paths)(struct cli_scan *scan, const char *const *paths, size_t n));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_REPORT_REPORT_H
#define INQ_REPORT_REPORT_H

/* A report document for people: interface.md of the design, "The text report, in this order". */

#include <jansson.h>
#include <stdbool.h>

#include "text.h"

struct inq_style {
    bool color;
    unsigned width; /* columns; 0: do not wrap or cut */
    bool verbose;   /* -v: everything */
};

/* The whole report, appended to `text`. Everything from the dump is escaped. */
void inq_report_text(const json_t *report, const struct inq_style *style, struct inq_text *text);

/* One line of a scan: time, program, pid, signal, group, answer, grade. No newline. */
void inq_report_line(const json_t *report, const struct inq_style *style, struct inq_text *text);

/*
 * The groups of a scan, most frequent first: an array of {title, bug, count, first, last,
 * programs[]}.
 */
void inq_report_groups(const json_t *groups, const struct inq_style *style, struct inq_text *text);

/* The document of `inquest klog` (docs/klog.md). */
void inq_report_klog(const json_t *document, const struct inq_style *style, struct inq_text *text);

/* Deaths in a kernel log that no core was there for: an array of {line, time}, oldest first. */
void inq_report_without_core(const json_t *lines, const struct inq_style *style,
                             struct inq_text *text);

/*
 * A scan in Markdown: a table of crashes (begin, then rows), then one of groups. Everything foreign
 * is escaped for Markdown and HTML.
 */
void inq_report_markdown_begin(struct inq_text *text);
void inq_report_markdown_row(const json_t *report, struct inq_text *text);
void inq_report_markdown_groups(const json_t *groups, struct inq_text *text);

/* 1 when the report has gaps that mean "partial", 4 when a limit was hit, else 0. */
int inq_report_exit_code(const json_t *report);

#endif

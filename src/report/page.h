/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_REPORT_PAGE_H
#define INQ_REPORT_PAGE_H

/*
 * A page of text being written: colour, wrapping, cutting. Private to the layer and its tests.
 *
 * Two kinds of string go in. Our own words go through inq_page_put() and inq_page_printf();
 * whatever a document holds goes through one of the functions that take `foreign` text, which
 * escape it. A document's own backslashes pass: what was no UTF-8 in the dump already stands there
 * as `\xff`.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "report.h"
#include "text.h"

struct inq_page {
    struct inq_text *text;
    const struct inq_style *style;
    const json_t *report;
    bool toned; /* a colour is on */
};

enum inq_tone {
    INQ_TONE_BOLD,
    INQ_TONE_DIM,
    INQ_TONE_SURE,  /* a grade one can act on */
    INQ_TONE_MAYBE, /* one that is worth a look */
    INQ_TONE_WRONG, /* something failed */
    INQ_TONE_NAME,  /* a function */
    INQ_TONE_ADDRESS,
};

void inq_page_put(struct inq_page *page, const char *words);
void inq_page_printf(struct inq_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void inq_page_tone(struct inq_page *page, enum inq_tone tone);
void inq_page_plain(struct inq_page *page);
/* Our own words in one tone. */
void inq_page_toned(struct inq_page *page, enum inq_tone tone, const char *words);
void inq_page_foreign(struct inq_page *page, const char *foreign);

/* "\nHeading\n" */
void inq_page_heading(struct inq_page *page, const char *words);
/*
 * A paragraph: `lead` (our own words), then `foreign`, wrapped; further lines are indented by
 * `indent` columns. Ends the line.
 */
void inq_page_prose(struct inq_page *page, const char *lead, size_t indent, const char *foreign);

/* The same after `column` columns of the line are written already. */
void inq_page_prose_from(struct inq_page *page, size_t column, size_t indent, const char *foreign);

/* Columns left of the page's width, at least `least`; SIZE_MAX when the width is not limited. */
size_t inq_page_columns(const struct inq_page *page, size_t used, size_t least);
/* Escaped for a terminal; to be freed, NULL without memory. Takes NULL as "". */
char *inq_page_escape(const char *foreign);
/* Escaped and at most `columns` wide: the middle or the end of what is longer is left out. To be
 * freed. */
char *inq_page_cut_middle(const char *foreign, size_t columns);
char *inq_page_cut_end(const char *foreign, size_t columns);
/* Puts an escaped string and pads it to `columns`. */
void inq_page_cell(struct inq_page *page, const char *escaped, size_t columns);

/* A member as a word for the shell, whatever bytes it holds. */
void inq_page_shell_member(struct inq_page *page, const json_t *object, const char *key,
                           const char *otherwise);

/* Members of an object: NULL or `otherwise` when they are not there or of another type. */
const char *inq_page_text(const json_t *object, const char *key);
json_int_t inq_page_int(const json_t *object, const char *key, json_int_t otherwise);
bool inq_page_true(const json_t *object, const char *key);
/* The module a frame points to, NULL without. */
const json_t *inq_page_module(const struct inq_page *page, const json_t *frame);
/* The main program among the modules, NULL when it is not known. */
const json_t *inq_page_main_module(const struct inq_page *page);
/* The crashing thread, NULL when the dump does not tell. */
const json_t *inq_page_crashed(const struct inq_page *page);
/* "2024-03-01T12:00:00Z" in local time, "2024-03-01 13:00:00"; false when it is no such time. */
bool inq_page_local_time(const char *utc, char ret_time[32]);
/* "704 KiB" */
void inq_page_size(json_int_t bytes, char ret_size[32]);
/* Eight hex digits that stand for a group's long key. */
void inq_page_group_id(const char *key, char ret_id[9]);

/* Longer chains than this are a ring, or a document that somebody made up. */
#define INQ_PAGE_LINKS 8u

/* The answer, the symptom that it explains, the symptom of that, and so on; returns how many. They
 * live as long as `verdicts`. A NULL answer has no links. */
size_t inq_page_links(const json_t *verdicts, const json_t *answer,
                      const json_t *ret_links[INQ_PAGE_LINKS]);
/* The sections, in their order (text.c). */
void inq_page_state(struct inq_page *page); /* exit, dlopen, fork, ...: one line each */
void inq_page_headline(struct inq_page *page);
void inq_page_answer(struct inq_page *page);
void inq_page_chain(struct inq_page *page, const json_t *verdicts, const json_t *answer);
void inq_page_group(struct inq_page *page);
void inq_page_signatures(struct inq_page *page); /* where they are not as shipped */
void inq_page_crashed_thread(struct inq_page *page);
void inq_page_collisions(struct inq_page *page);
void inq_page_other_threads(struct inq_page *page);
void inq_page_kernel_log(struct inq_page *page);
void inq_page_details(struct inq_page *page); /* -v: modules, environment, sandbox, time */
void inq_page_gaps(struct inq_page *page);
void inq_page_missing_names(struct inq_page *page); /* below the gap: how to get them */
void inq_page_gdb(struct inq_page *page);
void inq_page_stub(struct inq_page *page, const json_t *error);

/* One frame and its newline; `crash` marks the frame the fault is in. */
void inq_page_stack(struct inq_page *page, const json_t *thread, size_t most, bool crashed);
/* A function that was inlined into that of the next frame. */
bool inq_page_is_inlined(const json_t *frame);
/* How a frame is named where there is room for one word only; to be freed. */
char *inq_page_frame_name(const struct inq_page *page, const json_t *frame);

#endif

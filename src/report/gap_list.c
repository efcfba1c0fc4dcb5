/* SPDX-License-Identifier: Apache-2.0 */

/* Gaps, folded by code, each with the command that would close it. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "error.h"
#include "page.h"

#define PLACES_SHOWN 4
#define LIMITS_SHOWN 3

static const struct {
    enum inq_code code;
    const char *advice;
} advices[] = {
    {INQ_G_STREAM_CUT, "copy the dump again, whole"},
    {INQ_G_STREAM_LIMIT, "give it more with --timeout SECONDS, or unpack it first"},
    {INQ_G_DROPPED, "unpack the dump first (zstd -d), then all of it can be read"},
    {INQ_G_CHANGED, "wait until the dump is written, then run inquest again"},
    {INQ_G_TRUNCATED, "make room and raise `ulimit -c` (and -f) before the next crash"},
    {INQ_G_FILTERED, "write 0x3f to /proc/PID/coredump_filter before the next crash"},
    {INQ_G_FILE_MISSING,
     "--sysroot DIR, a copy of the file system it ran on; --executable FILE for "
     "the program"},
    {INQ_G_FILE_MISMATCH,
     "--sysroot DIR with the builds that crashed, --executable FILE for the program"},
    {INQ_G_FILE_REFUSED, "--sysroot DIR with a plain copy of that file"},
    {INQ_G_FILE_UNVERIFIED,
     "link with -Wl,--build-id, or --trust-paths if you know the file is it"},
    {INQ_G_FOREIGN_ROOT, "--sysroot DIR, a copy of the file system it ran on"},
    {INQ_G_SYMBOLS, "--debuginfod fetches its debug symbols; or install them, or --debug-dir DIR"},
    {INQ_G_LINES_SKIPPED, "the gdb line at the end shows them"},
    {INQ_G_RULE_FILE, "inquest signatures check FILE says what is wrong with it"},
    {INQ_G_STACK_LIMIT, "-v shows all frames that were kept"},
};

struct fold {
    const char *code;
    size_t first, count;
};

static const char *advice_for(const char *code)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(advices); i++)
        if (!strcmp(code, inq_code_name(advices[i].code)))
            return advices[i].advice;
    return NULL;
}

static enum inq_code code_of(const char *name)
{
    unsigned number = 0;
    if (sscanf(name, "INQ-%3u", &number) != 1)
        return INQ_OK;
    return (enum inq_code)number;
}

/* "  INQ-070  text"; takes the text. */
static void put_entry(struct inq_page *page, const char *code, struct inq_text *line)
{
    _cleanup_free_ char *shown = inq_page_cut_end(code, 7);
    inq_page_put(page, "  ");
    inq_page_cell(page, shown, 9);
    inq_page_prose_from(page, 11, 11, line->failed ? "" : line->bytes);
    inq_text_deinit(line);
}

/* "libfoo.so: what is missing (why)" */
static void append_gap(struct inq_text *line, const json_t *gap)
{
    const char *where = inq_page_text(gap, "where");
    const char *what = inq_page_text(gap, "what");
    const char *why = inq_page_text(gap, "why");
    if (where)
        inq_text_printf(line, "%s: ", where);
    inq_text_append(line, what ? what : "");
    if (why)
        inq_text_printf(line, " (%s)", why);
}

static void put_single(struct inq_page *page, const char *code, const json_t *gap)
{
    struct inq_text line = {0};
    append_gap(&line, gap);
    put_entry(page, code, &line);
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* "INQ-070  a file the process had mapped is not here (12): libfoo.so, libbar.so, ... 8 more" */
static void put_fold(struct inq_page *page, const json_t *gaps, const struct fold *fold)
{
    struct inq_text line = {0};
    size_t i, shown = 0, count = json_array_size(gaps);
    inq_text_printf(&line, "%s (%zu)", inq_code_text(code_of(fold->code)), fold->count);
    for (i = fold->first; i < count && shown < PLACES_SHOWN; i++) {
        const json_t *gap = json_array_get(gaps, i);
        const char *code = inq_page_text(gap, "code");
        const char *where = inq_page_text(gap, "where");
        if (!code || strcmp(code, fold->code) != 0)
            continue;
        _cleanup_free_ char *place =
            inq_page_cut_middle(where ? last_component(where) : inq_page_text(gap, "what"), 40);
        inq_text_printf(&line, "%s%s", shown ? ", " : ": ", place ? place : "?");
        shown++;
    }
    if (fold->count > shown)
        inq_text_printf(&line, ", ... %zu more", fold->count - shown);
    put_entry(page, fold->code, &line);
}

static void put_all(struct inq_page *page, const json_t *gaps, const struct fold *fold)
{
    size_t i;
    json_t *gap;
    json_array_foreach (gaps, i, gap) {
        const char *code = inq_page_text(gap, "code");
        if (code && !strcmp(code, fold->code))
            put_single(page, code, gap);
    }
}

static void put_advice(struct inq_page *page, const struct fold *fold)
{
    const char *advice = advice_for(fold->code);
    if (!advice)
        return;
    inq_page_tone(page, INQ_TONE_DIM);
    inq_page_prose(page, "           -> ", 14, advice);
    inq_page_plain(page);
    if (!strcmp(fold->code, inq_code_name(INQ_G_SYMBOLS)))
        inq_page_missing_names(page);
}

/* In nearly every report where libc's debug symbols are installed, and of no use to most readers.
 */
static bool is_for_verbose(const char *code)
{
    return !strcmp(code, inq_code_name(INQ_G_LINES_SKIPPED));
}

void inq_page_gaps(struct inq_page *page)
{
    const json_t *gaps = json_object_get(page->report, "gaps");
    const json_t *limits = json_object_get(page->report, "limits");
    struct fold folds[256]; /* codes: the registry has fewer */
    size_t count = 0, i, j;
    json_t *gap, *limit;
    json_array_foreach (gaps, i, gap) {
        const char *code = inq_page_text(gap, "code");
        if (!code || (is_for_verbose(code) && !page->style->verbose))
            continue;
        for (j = 0; j < count && strcmp(folds[j].code, code) != 0;)
            j++;
        if (j < count)
            folds[j].count++;
        else if (count < INQ_ARRAY_SIZE(folds))
            folds[count++] = (struct fold){.code = code, .first = i, .count = 1};
    }
    if (count == 0 && json_array_size(limits) == 0)
        return;
    inq_page_heading(page, "What could not be looked at");
    for (i = 0; i < count; i++) {
        if (page->style->verbose)
            put_all(page, gaps, &folds[i]);
        else if (folds[i].count == 1)
            put_single(page, folds[i].code, json_array_get(gaps, folds[i].first));
        else
            put_fold(page, gaps, &folds[i]);
        put_advice(page, &folds[i]);
    }
    json_array_foreach (limits, i, limit) {
        if (i == LIMITS_SHOWN && !page->style->verbose) {
            inq_page_printf(page, "  ... %zu more limits\n", json_array_size(limits) - i);
            break;
        }
        inq_page_prose(page, "  limit: ", 11, json_string_value(limit));
    }
}

/* interface.md of the design: the gravest that a scan or triage meets. */
static int gravity(int exit_code)
{
    static const int order[] = {0, 1, 4, 8, 5, 6};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(order); i++)
        if (order[i] == exit_code)
            return (int)i;
    return 1; /* a code that ends a command, among the gaps: the report is partial */
}

int inq_report_exit_code(const json_t *report)
{
    const json_t *error = json_object_get(report, "error");
    int gravest = 0;
    size_t i;
    json_t *gap;
    if (json_is_object(error)) {
        json_int_t exit_code = inq_page_int(error, "exit", 0);
        return exit_code > 0 && exit_code < 256 ? (int)exit_code : 3;
    }
    json_array_foreach (json_object_get(report, "gaps"), i, gap) {
        const char *name = inq_page_text(gap, "code");
        enum inq_code code = name ? code_of(name) : INQ_OK;
        int exit_code = code ? inq_code_exit(code) : 1;
        if (gravity(exit_code) > gravity(gravest))
            gravest = exit_code;
    }
    return gravest == 2 || gravest == 3 ? 1 : gravest;
}

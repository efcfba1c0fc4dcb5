/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A scan as GitHub-flavoured Markdown, for the summary of a CI job or a ticket. Everything foreign
 * stands in table cells: what Markdown or HTML could read as its own is escaped, so that a dump can
 * neither make a link nor end the table.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

#define LONGEST_CELL 300

/* Backslash escapes for ASCII punctuation (CommonMark 2.4); < > & as entities; @ so that nobody is
 * notified. */
static void put_cell(struct inq_text *text, const char *foreign)
{
    _cleanup_free_ char *shown = inq_page_cut_end(foreign, LONGEST_CELL);

    inq_text_append(text, "| ");
    for (const char *at = shown ? shown : ""; *at; at++) {
        if (*at == '<')
            inq_text_append(text, "&lt;");
        else if (*at == '>')
            inq_text_append(text, "&gt;");
        else if (*at == '&')
            inq_text_append(text, "&amp;");
        else if (*at == '@')
            inq_text_append(text, "&#64;");
        else if (strchr("\\`*_[]|~#!", *at))
            inq_text_printf(text, "\\%c", *at);
        else if (inq_starts_with(at, "://"))
            inq_text_append(text, "&#58;"); /* no link is made of a bare address */
        else if (inq_starts_with(at, "www."))
            inq_text_append(text, "w&#8203;");
        else
            inq_text_append_bytes(text, at, 1);
    }
    inq_text_append(text, " ");
    if (!shown)
        text->failed = true;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash && slash[1] ? slash + 1 : path;
}

void inq_report_markdown_begin(struct inq_text *text)
{
    inq_text_append(text, "### Crashes\n\n"
                          "| time | program | pid | signal | group | answer | grade | core |\n"
                          "|---|---|---|---|---|---|---|---|\n");
}

void inq_report_markdown_row(const json_t *report, struct inq_text *text)
{
    const json_t *process = json_object_get(report, "process"), *group;
    const json_t *error = json_object_get(report, "error");
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    const char *grade = inq_page_text(best, "grade"), *program;
    char pid[24] = "", id[9] = "", when[32] = "";
    const bool answer = grade && (!strcmp(grade, "proven") || !strcmp(grade, "strong") ||
                                  !strcmp(grade, "plausible"));

    group = json_object_get(report, "group");
    if (inq_page_text(group, "bug"))
        inq_page_group_id(inq_page_text(group, "bug"), id);
    if (json_is_integer(json_object_get(process, "pid")))
        snprintf(pid, sizeof(pid), "%" PRIdMAX, (intmax_t)inq_page_int(process, "pid", 0));
    if (!inq_page_local_time(inq_page_text(process, "crashed_at"), when))
        *when = '\0';
    program = base_name(inq_page_text(process, "executable"));
    put_cell(text, when);
    put_cell(text, program ? program : inq_page_text(process, "comm"));
    put_cell(text, pid);
    put_cell(text, inq_page_text(json_object_get(report, "signal"), "name"));
    put_cell(text, id);
    if (json_is_object(error))
        put_cell(text, inq_page_text(error, "message"));
    else
        put_cell(text, answer ? inq_page_text(best, "title") : "no known signature");
    put_cell(text, json_is_object(error) ? "error" : answer ? grade : "");
    put_cell(text, inq_page_text(json_object_get(report, "core"), "path"));
    inq_text_append(text, "|\n");
}

static void put_group(const json_t *group, struct inq_text *text)
{
    const char *bug = inq_page_text(group, "bug");
    char id[9] = "", count[24], when[32] = "";

    if (bug)
        inq_page_group_id(bug, id);
    snprintf(count, sizeof(count), "%" PRIdMAX, (intmax_t)inq_page_int(group, "count", 0));
    if (!inq_page_local_time(inq_page_text(group, "last"), when))
        *when = '\0';
    put_cell(text, count);
    put_cell(text, id);
    put_cell(text, inq_page_text(group, "title"));
    put_cell(text, inq_page_text(group, "answer"));
    put_cell(text, inq_page_text(group, "grade"));
    put_cell(text, when);
    put_cell(text, inq_page_text(group, "known_issue"));
    inq_text_append(text, "|\n");
}

void inq_report_markdown_groups(const json_t *groups, struct inq_text *text)
{
    const json_t *group;
    size_t i;

    if (json_array_size(groups) == 0) {
        inq_text_append(text, "\nNo crashes.\n");
        return;
    }
    inq_text_append(text, "\n### Groups\n\n"
                          "| crashes | group | what | answer | grade | last | known issue |\n"
                          "|---|---|---|---|---|---|---|\n");
    json_array_foreach (groups, i, group)
        put_group(group, text);
}

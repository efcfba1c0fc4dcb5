/* SPDX-License-Identifier: Apache-2.0 */

/* A scan: one line a crash, then the groups. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

#define PROGRAM_COLUMNS 16 /* a comm has 15 */
#define LEAST_OUTCOME 24
#define LEAST_PATH 16
#define GROUPS_SHOWN 40
#define PROGRAMS_SHOWN 4
#define LINES_SHOWN 10

static const char *last_component(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash && slash[1] ? slash + 1 : path;
}

static void put_cut_cell(struct inq_page *page, const char *foreign, size_t columns)
{
    _cleanup_free_ char *shown = inq_page_cut_middle(foreign, columns);
    inq_page_cell(page, shown, columns);
    inq_page_put(page, "  ");
}

static void put_process(struct inq_page *page)
{
    const json_t *process = json_object_get(page->report, "process");
    const json_t *core = json_object_get(page->report, "core");
    const json_t *signal = json_object_get(page->report, "signal");
    const char *program = last_component(inq_page_text(process, "executable"));
    const char *name = inq_page_text(signal, "name");
    char when[32], number[24] = "-";
    if (!inq_page_local_time(inq_page_text(process, "crashed_at"), when))
        snprintf(when, sizeof(when), "-");
    if (!program)
        program = inq_page_text(process, "comm");
    if (!program) /* nothing but the file is known */
        program = last_component(inq_page_text(core, "path"));
    inq_page_printf(page, "%-16.16s  ", when);
    put_cut_cell(page, program ? program : "-", PROGRAM_COLUMNS);
    if (json_is_integer(json_object_get(process, "pid")))
        snprintf(number, sizeof(number), "%" PRIdMAX, (intmax_t)inq_page_int(process, "pid", 0));
    inq_page_printf(page, "%7s  ", number);
    if (!name && json_is_integer(json_object_get(signal, "number")))
        snprintf(number, sizeof(number), "%" PRIdMAX, (intmax_t)inq_page_int(signal, "number", 0));
    else
        snprintf(number, sizeof(number), "-");
    put_cut_cell(page, name ? name : number, 7);
}

static void put_grade_cell(struct inq_page *page, const char *grade)
{
    char upper[16] = "";
    for (size_t i = 0; grade[i] && i + 1 < sizeof(upper); i++)
        upper[i] = (char)toupper((unsigned char)grade[i]);
    bool sure = !strcmp(grade, "proven") || !strcmp(grade, "strong");
    inq_page_tone(page, sure                          ? INQ_TONE_SURE
                        : !strcmp(grade, "plausible") ? INQ_TONE_MAYBE
                                                      : INQ_TONE_DIM);
    put_cut_cell(page, upper, 9);
    inq_page_plain(page);
}

/* The file, for the next command; NULL where the line has no room for it. To be freed. */
static char *path_cell(const struct inq_page *page, size_t room, size_t *ret_columns)
{
    const char *path = inq_page_text(json_object_get(page->report, "core"), "path");
    const bool wide = page->style->width == 0;

    if (!path || room < LEAST_OUTCOME + LEAST_PATH)
        return NULL;
    size_t most = room - LEAST_OUTCOME - 2 < room / 2 ? room - LEAST_OUTCOME - 2 : room / 2;
    char *cell = inq_page_cut_middle(path, wide ? SIZE_MAX : most);
    if (cell && !wide)
        *ret_columns = inq_text_width(cell) + 2;
    return cell;
}

/* The answer, or what is known instead. */
static void put_outcome(struct inq_page *page)
{
    const json_t *error = json_object_get(page->report, "error");
    const json_t *verdict = json_array_get(json_object_get(page->report, "verdicts"), 0);
    const char *grade = inq_page_text(verdict, "grade");
    bool answer = grade && (!strcmp(grade, "proven") || !strcmp(grade, "strong") ||
                            !strcmp(grade, "plausible"));
    struct inq_text line = {0};
    if (json_is_object(error)) {
        put_grade_cell(page, "error");
        inq_text_printf(&line, "%s %s",
                        inq_page_text(error, "code") ? inq_page_text(error, "code") : "",
                        inq_page_text(error, "message") ? inq_page_text(error, "message") : "");
    } else if (answer) {
        const char *title = inq_page_text(verdict, "title");
        put_grade_cell(page, grade);
        inq_text_append(&line, title ? title : "");
    } else {
        const json_t *fault = json_object_get(page->report, "fault");
        const char *function = inq_page_text(fault, "function");
        const char *class_word = inq_page_text(fault, "address_class");
        put_grade_cell(page, "-");
        inq_text_append(&line, "no known signature");
        if (class_word)
            inq_text_printf(&line, ", %s", class_word);
        if (function)
            inq_text_printf(&line, " in %s", function);
    }
    size_t room = inq_page_columns(page, 75, LEAST_OUTCOME), used = 0;
    _cleanup_free_ char *path = path_cell(page, room, &used);
    _cleanup_free_ char *shown = inq_page_cut_end(line.bytes, room - used);
    inq_page_cell(page, shown, 0);
    if (path) {
        inq_page_put(page, "  ");
        inq_page_tone(page, INQ_TONE_DIM);
        inq_page_cell(page, path, 0);
        inq_page_plain(page);
    }
    inq_text_deinit(&line);
}

void inq_report_line(const json_t *report, const struct inq_style *style, struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style, .report = report};
    const char *bug = inq_page_text(json_object_get(report, "group"), "bug");
    char id[9] = "-";
    put_process(&page);
    if (bug)
        inq_page_group_id(bug, id);
    inq_page_printf(&page, "%-8s  ", id);
    put_outcome(&page);
}

/* "; hosts web1 ×3, web2": of this scan by name, of the crash database a number. */
static void put_hosts(struct inq_text *line, const json_t *hosts)
{
    const char *name;
    json_t *count;
    size_t i = 0;

    if (json_is_integer(hosts) && json_integer_value(hosts) > 1)
        inq_text_printf(line, "; %" PRIdMAX " hosts", (intmax_t)json_integer_value(hosts));
    if (json_object_size(hosts) < 2) /* where one is all, it is all */
        return;
    inq_text_printf(line, "; %zu hosts: ", json_object_size(hosts));
    json_object_foreach ((json_t *)hosts, name, count) {
        if (i == PROGRAMS_SHOWN) {
            inq_text_append(line, ", ...");
            break;
        }
        inq_text_printf(line, "%s%s", i++ ? ", " : "", name);
        if (json_integer_value(count) > 1)
            inq_text_printf(line, " \303\227%" PRIdMAX, (intmax_t)json_integer_value(count));
    }
}

static void put_build(struct inq_text *line, size_t i, const char *build_id, json_int_t count)
{
    inq_text_printf(line, "%s%.8s", i ? ", " : "", build_id ? build_id : "?");
    if (count > 1)
        inq_text_printf(line, " \303\227%" PRIdMAX, (intmax_t)count);
}

/* "; builds a52c956a ×12, 0f3311aa": a map, or of the crash database a list. */
static void put_builds(struct inq_text *line, const json_t *builds)
{
    const size_t n = json_is_array(builds) ? json_array_size(builds) : json_object_size(builds);
    const char *build_id;
    json_t *item;
    size_t i = 0;

    if (n == 0)
        return;
    inq_text_append(line, n == 1 ? "; build " : "; builds ");
    if (json_is_array(builds)) {
        json_array_foreach (builds, i, item) {
            if (i < PROGRAMS_SHOWN)
                put_build(line, i, inq_page_text(item, "build_id"), inq_page_int(item, "count", 0));
        }
    } else {
        json_object_foreach ((json_t *)builds, build_id, item) {
            if (i < PROGRAMS_SHOWN)
                put_build(line, i, build_id, json_integer_value(item));
            i++;
        }
    }
    if (n > PROGRAMS_SHOWN)
        inq_text_append(line, ", ...");
}

static void put_spread(struct inq_text *line, const json_t *group)
{
    const char *issue = inq_page_text(group, "known_issue");

    put_hosts(line, json_object_get(group, "hosts"));
    put_builds(line, json_object_get(group, "builds"));
    if (issue)
        inq_text_printf(line, "; known: %s", issue);
}

/*
 * "cpu 3: 7, cpu 0: 1": crashes of one bug that gather on one processor are the hardware's, where
 * the rest of the machine is as busy.
 */
static void put_cpus(struct inq_page *page, const json_t *group)
{
    const json_t *cpus = json_object_get(group, "cpus");
    struct inq_text line = {0};
    const char *cpu;
    json_t *count;
    size_t i = 0;

    if (json_object_size(cpus) == 0 || inq_page_int(group, "count", 0) < 2)
        return;
    inq_text_append(&line, "on CPU ");
    json_object_foreach ((json_t *)cpus, cpu, count)
        inq_text_printf(&line, "%s%s: %" PRIdMAX, i++ ? ", " : "", cpu,
                        (intmax_t)json_integer_value(count));
    inq_page_printf(page, "%*s", 17, "");
    inq_page_prose(page, "", 17, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

/* "  14  9f21c0aa  free() of a small number  2024-03-01 .. 2024-03-14  python3.11, uwsgi" */
static void put_group(struct inq_page *page, const json_t *group)
{
    const char *bug = inq_page_text(group, "bug");
    const char *title = inq_page_text(group, "title");
    const json_t *programs = json_object_get(group, "programs");
    char id[9] = "-", first[32] = "", last[32] = "";
    struct inq_text line = {0};
    size_t i;
    json_t *program;
    if (bug)
        inq_page_group_id(bug, id);
    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_printf(page, "%5" PRIdMAX, (intmax_t)inq_page_int(group, "count", 0));
    inq_page_plain(page);
    inq_page_printf(page, "  %-8s  ", id);
    const char *answer = inq_page_text(group, "answer");
    const char *grade = inq_page_text(group, "grade");
    inq_text_append(&line, title ? title : bug ? bug : "(no title)");
    if (answer)
        inq_text_printf(&line, ": %s", answer);
    if (answer && grade)
        inq_text_printf(&line, " (%s)", grade);
    if (inq_page_local_time(inq_page_text(group, "first"), first) &&
        inq_page_local_time(inq_page_text(group, "last"), last)) {
        inq_text_printf(&line, "; %.10s", first);
        if (strncmp(first, last, 10) != 0)
            inq_text_printf(&line, " to %.10s", last);
    }
    json_int_t more = 0;
    json_array_foreach (programs, i, program) {
        if (i == PROGRAMS_SHOWN) {
            more = (json_int_t)(json_array_size(programs) - i);
            break;
        }
        inq_text_printf(&line, "%s%s", i ? ", " : "; ",
                        json_is_string(program) ? json_string_value(program) : "?");
    }
    if (more > 0)
        inq_text_printf(&line, ", ... %" PRIdMAX " more", (intmax_t)more);
    if (inq_page_true(group, "programs_more")) /* the list itself was cut */
        inq_text_append(&line, " at least");
    put_spread(&line, group);
    inq_page_prose(page, "", 17, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
    put_cpus(page, group);
}

void inq_report_groups(const json_t *groups, const struct inq_style *style, struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style};
    size_t i, count = json_array_size(groups);
    json_t *group;
    if (count == 0)
        return;
    inq_page_tone(&page, INQ_TONE_BOLD);
    inq_page_printf(&page, "%zu group%s", count, count == 1 ? "" : "s");
    inq_page_plain(&page);
    inq_page_put(&page, "\n");
    json_array_foreach (groups, i, group) {
        if (i == GROUPS_SHOWN && !style->verbose) {
            inq_page_printf(&page, "  ... %zu more groups (-v shows them)\n", count - i);
            break;
        }
        put_group(&page, group);
    }
}

void inq_report_without_core(const json_t *lines, const struct inq_style *style,
                             struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style};
    const size_t count = json_array_size(lines);
    const size_t first = style->verbose || count <= LINES_SHOWN ? 0 : count - LINES_SHOWN;
    if (count == 0)
        return;
    inq_page_tone(&page, INQ_TONE_BOLD);
    inq_page_printf(&page, "%zu death%s in the kernel log without a core here", count,
                    count == 1 ? "" : "s");
    inq_page_plain(&page);
    inq_page_put(&page, "\n");
    if (first > 0)
        inq_page_printf(&page, "  ... %zu before (-v shows them, inquest klog groups them)\n",
                        first);
    for (size_t i = first; i < count; i++) {
        const json_t *row = json_array_get(lines, i);
        char when[32];
        if (!inq_page_local_time(inq_page_text(row, "time"), when))
            snprintf(when, sizeof(when), "-");
        inq_page_printf(&page, "  %-16.16s  ", when);
        _cleanup_free_ char *line =
            inq_page_cut_end(inq_page_text(row, "line"), inq_page_columns(&page, 20, 40));
        inq_page_cell(&page, line, 0);
        inq_page_put(&page, "\n");
    }
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The document of `inquest klog` for people: groups first, then processors, then what follows. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

#define GROUPS_IN_FULL 8u
#define GROUPS_SHOWN 40u
#define CORES_SHOWN 12u

static intmax_t count_of(const json_t *object, const char *key)
{
    return (intmax_t)inq_page_int(object, key, 0);
}

static void put_summary(struct inq_page *page)
{
    static const struct {
        const char *key, *one, *many;
    } kinds[] = {
        {"fault", "crash", "crashes"},
        {"oom-kill", "OOM kill", "OOM kills"},
        {"memory-failure-kill", "kill for broken memory", "kills for broken memory"},
        {"seccomp", "seccomp record", "seccomp records"},
        {"abend", "record of a signal", "records of signals"},
        {"coredump", "line about core dumps", "lines about core dumps"},
        {"kernel", "record of kernel trouble", "records of kernel trouble"},
        {"hardware", "record of failing hardware", "records of failing hardware"},
    };
    const json_t *counts = json_object_get(page->report, "counts"), *source;
    struct inq_text line = {0};
    intmax_t lines = 0;
    size_t i, n = 0;

    for (size_t k = 0; k < INQ_ARRAY_SIZE(kinds); k++) {
        intmax_t count = count_of(counts, kinds[k].key);

        if (count > 0)
            inq_text_printf(&line, "%s%" PRIdMAX " %s", n++ ? ", " : "", count,
                            count == 1 ? kinds[k].one : kinds[k].many);
    }
    if (n == 0)
        inq_text_append(&line, "No crash");
    json_array_foreach (json_object_get(page->report, "sources"), i, source)
        lines += count_of(source, "lines");
    inq_text_printf(&line, " in %" PRIdMAX " line%s of log", lines, lines == 1 ? "" : "s");
    if (count_of(counts, "duplicates") > 0)
        inq_text_printf(&line, " (%" PRIdMAX " told twice)", count_of(counts, "duplicates"));
    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_prose(page, "", 0, line.failed ? "" : line.bytes);
    inq_page_plain(page);
    inq_text_deinit(&line);
    if (n == 0)
        inq_page_prose(
            page, "  ", 2,
            "The kernel writes no line for a process that handles the signal itself (JVM, "
            "Go, faulthandler), for abort() and kill, beyond its rate limit, or with "
            "debug.exception-trace=0: no line is no proof that nothing crashed.");
}

/* "python 10, wavepy 11; 2026-03-01T14:58:06 to 2026-03-02T00:45:40; 2.0 an hour" */
static void put_who(struct inq_page *page, const json_t *group)
{
    const char *first = inq_page_text(group, "first"), *last = inq_page_text(group, "last");
    const json_t *program, *rate = json_object_get(group, "per_hour");
    struct inq_text line = {0};
    size_t i, n = 0;

    json_array_foreach (json_object_get(group, "programs"), i, program) {
        const char *comm = inq_page_text(program, "comm");

        inq_text_printf(&line, "%s%s", n++ ? ", " : "", comm ? comm : "?");
        if (json_array_size(json_object_get(group, "programs")) > 1)
            inq_text_printf(&line, " %" PRIdMAX, count_of(program, "count"));
    }
    if (count_of(group, "other_programs") > 0)
        inq_text_printf(&line, ", others %" PRIdMAX, count_of(group, "other_programs"));
    if (first)
        inq_text_printf(&line, "%s%s", n ? "; " : "", first);
    if (first && last && strcmp(first, last) != 0)
        inq_text_printf(&line, " to %s", last);
    if (json_is_real(rate))
        inq_text_printf(&line, "; %.3g an hour", json_real_value(rate));
    if (line.size > 0)
        inq_page_prose(page, "      ", 6, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

static void put_list(struct inq_page *page, const json_t *list, const char *lead)
{
    const json_t *item;
    size_t i;

    json_array_foreach (list, i, item)
        if (json_is_string(item))
            inq_page_prose(page, lead, 8, json_string_value(item));
}

/* What stands before the colon of each: the reasons are for -v. */
static void put_excluded(struct inq_page *page, const json_t *list)
{
    struct inq_text line = {0};
    const json_t *item;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    json_array_foreach (list, i, item) {
        const char *text = json_is_string(item) ? json_string_value(item) : "";

        inq_text_append(&line, i ? "; " : "");
        inq_text_append_bytes(&line, text, strcspn(text, ":"));
    }
    inq_page_prose(page, "      excluded: ", 8, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

static void put_group(struct inq_page *page, const json_t *group, bool in_full)
{
    const json_t *meaning = json_object_get(group, "meaning");
    const json_t *excludes = json_object_get(group, "excludes");
    const char *title = inq_page_text(group, "title");

    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_printf(page, "%4" PRIdMAX " x ", count_of(group, "count"));
    inq_page_plain(page);
    inq_page_prose_from(page, 7, 7, title ? title : "?");
    put_who(page, group);
    if (!in_full)
        return;
    put_list(page, meaning, "      - ");
    if (page->style->verbose) {
        put_list(page, excludes, "      excluded: ");
        put_list(page, json_object_get(group, "open"), "      open: ");
        inq_page_prose(page, "      ", 8, inq_page_text(group, "example"));
    } else {
        put_excluded(page, excludes);
    }
}

static void put_groups(struct inq_page *page)
{
    const json_t *groups = json_object_get(page->report, "kernel_groups"), *group;
    size_t i;

    json_array_foreach (groups, i, group) {
        if (i == GROUPS_SHOWN && !page->style->verbose) {
            inq_page_printf(page, "  ... %zu more groups (-v shows them)\n",
                            json_array_size(groups) - i);
            break;
        }
        if (i < GROUPS_IN_FULL || page->style->verbose)
            inq_page_put(page, "\n");
        put_group(page, group, i < GROUPS_IN_FULL || page->style->verbose);
    }
}

/* One line a core: "socket 0 core 16   10  (CPU 8: 8, CPU 9: 2)". Places come sorted by core. */
static size_t put_core(struct inq_page *page, const json_t *places, size_t i)
{
    const json_t *first = json_array_get(places, i);
    json_int_t core = inq_page_int(first, "core", -1), socket = inq_page_int(first, "socket", -1);
    struct inq_text cpus = {0}, head = {0};
    intmax_t total = 0;
    size_t n = 0;

    for (; i < json_array_size(places); i++) {
        const json_t *place = json_array_get(places, i);

        json_int_t other = inq_page_int(place, "socket", -1);

        if (inq_page_int(place, "core", -1) != core || (core < 0 && n > 0) ||
            (socket >= 0 && other >= 0 && other != socket))
            break;
        if (socket < 0)
            socket = other; /* not every line tells it */
        total += count_of(place, "count");
        inq_text_printf(&cpus, "%sCPU %" PRIdMAX ": %" PRIdMAX, n++ ? ", " : "",
                        count_of(place, "cpu"), count_of(place, "count"));
    }
    if (socket >= 0)
        inq_text_printf(&head, "socket %" PRIdMAX " ", (intmax_t)socket);
    if (core >= 0)
        inq_text_printf(&head, "core %" PRIdMAX, (intmax_t)core);
    inq_page_printf(page, "  %-20s %6" PRIdMAX "  (", head.failed || !head.bytes ? "" : head.bytes,
                    total);
    inq_page_put(page, cpus.failed || !cpus.bytes ? "?" : cpus.bytes);
    inq_page_put(page, ")\n");
    inq_text_deinit(&cpus);
    inq_text_deinit(&head);
    return i;
}

static const char *judgement_words(const char *word)
{
    static const struct {
        const char *word, *text;
    } words[] = {
        {"too-few", "Too few lines to say anything about processors."},
        {"scheduling", "The same crash on several cores: it follows the code. That some cores have "
                       "more of it is scheduling."},
        {"one-core", "All on one core: a bound process, a machine with one core, and a defect look "
                     "alike."},
        {"hardware",
         "Different crashes on one core and hardly any elsewhere: a defect of that core "
         "is plausible."},
        {"several-hosts", "Lines of several machines: their processors cannot be compared; look at "
                          "one machine's log at a time."},
        {"spread", "Different crashes on several cores: no core stands out."},
    };

    for (size_t i = 0; word && i < INQ_ARRAY_SIZE(words); i++)
        if (!strcmp(word, words[i].word))
            return words[i].text;
    return NULL;
}

static void put_processors(struct inq_page *page)
{
    const json_t *places = json_object_get(page->report, "cpus");
    const json_t *verdict = json_object_get(page->report, "processors");
    const char *words = judgement_words(inq_page_text(verdict, "judgement"));
    size_t shown = 0;

    if (json_array_size(places) == 0)
        return;
    inq_page_heading(page, "Processors");
    for (size_t i = 0; i < json_array_size(places); shown++) {
        if (shown == CORES_SHOWN && !page->style->verbose) {
            inq_page_put(page, "  ... more (-v shows them)\n");
            break;
        }
        i = put_core(page, places, i);
    }
    if (words) {
        struct inq_text line = {0};

        inq_text_printf(
            &line, "%s (%" PRIdMAX " lines, %" PRIdMAX " cores, %" PRIdMAX " different crashes)",
            words, count_of(verdict, "lines"), count_of(verdict, "cores"),
            count_of(verdict, "crashes"));
        inq_page_prose(page, "  ", 2, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

static void put_readings(struct inq_page *page)
{
    const json_t *readings = json_object_get(page->report, "readings"), *reading;
    size_t i;

    if (json_array_size(readings) == 0)
        return;
    inq_page_heading(page, "What this log says for or against");
    json_array_foreach (readings, i, reading) {
        const char *grade = inq_page_text(reading, "grade");
        char upper[16] = "";

        for (size_t k = 0; grade && grade[k] && k + 1 < sizeof(upper); k++)
            upper[k] = (char)toupper((unsigned char)grade[k]);
        inq_page_tone(page, grade && !strcmp(grade, "plausible") ? INQ_TONE_MAYBE : INQ_TONE_DIM);
        inq_page_printf(page, "  %-12s ", upper);
        inq_page_plain(page);
        inq_page_prose_from(page, 15, 15, inq_page_text(reading, "text"));
    }
}

static void put_lines(struct inq_page *page)
{
    const json_t *lines = json_object_get(page->report, "kernel_log"), *line;
    intmax_t more = count_of(page->report, "kernel_log_more");
    size_t i;

    if (!page->style->verbose || json_array_size(lines) == 0)
        return;
    inq_page_heading(page, "Lines");
    json_array_foreach (lines, i, line) {
        const char *time = inq_page_text(line, "time");

        inq_page_printf(page, "  %7" PRIdMAX "  ", count_of(line, "line_number"));
        if (time) {
            inq_page_foreign(page, time);
            inq_page_put(page, "  ");
        }
        inq_page_foreign(page, inq_page_text(line, "line"));
        inq_page_put(page, "\n");
    }
    if (more > 0)
        inq_page_printf(page, "  ... %" PRIdMAX " more are not listed\n", more);
}

static void put_gaps(struct inq_page *page)
{
    const json_t *gaps = json_object_get(page->report, "gaps"), *gap;
    size_t i;

    if (json_array_size(gaps) == 0)
        return;
    inq_page_heading(page, "Not seen");
    json_array_foreach (gaps, i, gap) {
        const char *where = inq_page_text(gap, "where"), *what = inq_page_text(gap, "what");
        struct inq_text line = {0};

        inq_text_printf(&line, "%s%s%s", where ? where : "", where ? ": " : "", what ? what : "?");
        inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

void inq_report_klog(const json_t *document, const struct inq_style *style, struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style, .report = document};

    put_summary(&page);
    put_groups(&page);
    put_processors(&page);
    put_readings(&page);
    put_lines(&page);
    put_gaps(&page);
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Library collisions: the section of a triage, and the page of `inquest libs CORE`, which has the
 * whole table.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "libs_text.h"

/* A process of 300 modules has twenty families twice: with a triage the others are in `libs`. */
#define MOST_CONTEXT 5

static void put_graded(struct inq_page *page, enum inq_crossing crossing, bool whole)
{
    size_t i, shown = 0, hidden = 0;
    json_t *collision;
    json_array_foreach (json_object_get(page->report, "collisions"), i, collision) {
        if (inq_libs_crossing(collision) != crossing)
            continue;
        if (whole)
            inq_libs_put_collision(page, collision);
        else if (shown < MOST_CONTEXT || page->style->verbose)
            inq_libs_put_title(page, collision);
        else
            hidden++;
        shown++;
    }
    if (hidden > 0)
        inq_page_printf(page, "  ... %zu more like these; inquest libs CORE lists them\n", hidden);
}

void inq_page_collisions(struct inq_page *page)
{
    const json_t *collisions = json_object_get(page->report, "collisions");
    if (json_array_size(collisions) == 0)
        return;
    inq_page_heading(page, "Libraries that are loaded more than once");
    for (enum inq_crossing crossing = 0; crossing < INQ_CROSSING_NONE; crossing++)
        put_graded(page, crossing, crossing <= INQ_CROSSING_PLAUSIBLE || page->style->verbose);
    inq_libs_put_acquitted(page, collisions);
}

/* ------------------------------------------------------------------------------- inquest libs */

static void put_counts(struct inq_page *page)
{
    const json_t *bindings = json_object_get(page->report, "bindings");
    const json_t *foreign = json_object_get(bindings, "foreign");
    const json_t *main_module = inq_page_main_module(page);
    struct inq_text line = {0};
    inq_text_printf(&line, "%s: %zu modules", inq_libs_short_path(main_module),
                    json_array_size(json_object_get(page->report, "modules")));
    if (json_is_integer(json_object_get(bindings, "slots")))
        inq_text_printf(&line, ", %" PRIdMAX " slots read",
                        (intmax_t)inq_page_int(bindings, "slots", 0));
    if (json_is_integer(json_object_get(foreign, "strong")))
        inq_text_printf(&line,
                        "; bound to another library than their own would have given: %" PRIdMAX
                        " strong, %" PRIdMAX " that C++ merges, %" PRIdMAX
                        " in the ordinary search order",
                        (intmax_t)inq_page_int(foreign, "strong", 0),
                        (intmax_t)inq_page_int(foreign, "vague", 0),
                        (intmax_t)inq_page_int(foreign, "in_scope", 0));
    if (json_is_false(json_object_get(bindings, "complete")))
        inq_text_append(&line, "; not all could be read");
    if (line.failed)
        page->text->failed = true;
    inq_page_prose(page, "", 2, line.bytes);
    inq_text_deinit(&line);
}

/* Why there is no table: the reason that stands in the document. */
static void put_unknown(struct inq_page *page)
{
    static const char *const facts[] = {"collisions", "bindings"};
    const json_t *unknown = json_object_get(page->report, "unknown");
    for (size_t i = 0; i < INQ_ARRAY_SIZE(facts); i++) {
        const char *why = inq_page_text(unknown, facts[i]);
        if (why) {
            inq_page_prose(page, "Not known: ", 2, why);
            return;
        }
    }
}

/* A library of the whole list: what `--all` adds. */
struct row {
    const char *family;
    const json_t *module;
    size_t index;
};

static int by_family(const void *a, const void *b)
{
    const struct row *one = a, *two = b;
    int order = strcmp(one->family, two->family);
    return order ? order : (one->index > two->index) - (one->index < two->index);
}

static void put_families(struct inq_page *page)
{
    const json_t *modules = json_object_get(page->report, "modules");
    _cleanup_free_ struct row *rows = calloc(json_array_size(modules) + 1, sizeof(*rows));
    size_t i, n = 0;
    json_t *module;
    if (!rows) {
        page->text->failed = true;
        return;
    }
    json_array_foreach (modules, i, module) {
        if (inq_page_text(module, "family"))
            rows[n++] = (struct row){inq_page_text(module, "family"), module, i};
    }
    qsort(rows, n, sizeof(*rows), by_family);
    if (n > 0)
        inq_page_heading(page, "Every family");
    for (i = 0; i < n; i++) {
        if (i == 0 || strcmp(rows[i].family, rows[i - 1].family) != 0)
            inq_page_prose(page, "  ", 4, rows[i].family);
        inq_libs_put_copy(page, rows[i].module, true);
    }
}

/* A module that asked for one file and got another that was loaded before under its soname. */
static void put_captures(struct inq_page *page)
{
    const json_t *captures = json_object_get(json_object_get(page->report, "bindings"), "captures");
    size_t i;
    json_t *capture;
    if (json_array_size(captures) > 0)
        inq_page_heading(page, "Taken for another of the same soname");
    json_array_foreach (captures, i, capture) {
        const char *soname = inq_page_text(capture, "soname"), *own = inq_page_text(capture, "own");
        struct inq_text line = {0};
        inq_text_printf(
            &line, "%s asked for %s, has %s of its own, and got %s",
            inq_libs_short_path(inq_libs_module(page, json_object_get(capture, "from"))),
            soname ? soname : "?", own ? own : "one",
            inq_libs_short_path(inq_libs_module(page, json_object_get(capture, "actual"))));
        if (line.failed)
            page->text->failed = true;
        inq_page_prose(page, "  ", 4, line.bytes);
        inq_text_deinit(&line);
    }
}

static void put_page(struct inq_page *page, bool all)
{
    const json_t *collisions = json_object_get(page->report, "collisions");
    size_t i;
    json_t *collision;
    put_counts(page);
    put_unknown(page);
    if (json_array_size(collisions) > 0)
        inq_page_heading(page, "Libraries that are loaded more than once");
    else if (json_is_array(collisions))
        inq_page_put(page, "No library is loaded more than once.\n");
    for (enum inq_crossing crossing = 0; crossing < INQ_CROSSINGS; crossing++)
        json_array_foreach (collisions, i, collision)
            if (inq_libs_crossing(collision) == crossing)
                inq_libs_put_collision(page, collision);
    put_captures(page);
    if (all)
        put_families(page);
}

void inq_report_libs(const json_t *report, const struct inq_style *style, bool all,
                     struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style, .report = report};
    const uint64_t losses = inq_text_losses();
    put_page(&page, all);
    if (inq_text_losses() != losses)
        text->failed = true;
}

bool inq_report_has_crossing(const json_t *report)
{
    size_t i;
    json_t *collision;
    json_array_foreach (json_object_get(report, "collisions"), i, collision) {
        if (inq_page_int(json_object_get(collision, "foreign"), "strong", 0) > 0)
            return true;
    }
    return false;
}

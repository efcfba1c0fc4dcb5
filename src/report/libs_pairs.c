/* SPDX-License-Identifier: Apache-2.0 */

/* `inquest libs PREFIX`: what in an environment could be mistaken for each other, before it runs.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "libs_text.h"

#define MOST_FOLDERS 12

static const struct {
    const char *word, *shown;
    enum inq_tone tone;
} hazards[] = {
    {"high", "HIGH", INQ_TONE_WRONG},
    {"possible", "POSSIBLE", INQ_TONE_MAYBE},
    {"low", "LOW", INQ_TONE_DIM},
};

static bool hazard_is(const json_t *pair, size_t hazard)
{
    const char *found = inq_page_text(pair, "hazard");
    return found && !strcmp(found, hazards[hazard].word);
}

static size_t count_of(const json_t *pairs, size_t hazard)
{
    size_t i, count = 0;
    json_t *pair;
    json_array_foreach (pairs, i, pair)
        count += hazard_is(pair, hazard);
    return count;
}

/* "HIGH  libldap: 253 of 262 names in common", the two files, and why. */
static void put_pair(struct inq_page *page, const json_t *pair, size_t hazard)
{
    const char *family = inq_page_text(pair, "family"), *reason = inq_page_text(pair, "reason");
    struct inq_text line = {0};
    size_t i;
    json_t *copy;
    inq_page_put(page, "  ");
    inq_page_toned(page, hazards[hazard].tone, hazards[hazard].shown);
    inq_page_put(page, "  ");
    inq_text_printf(&line, "%s: %" PRIdMAX, family ? family : "?",
                    (intmax_t)inq_page_int(pair, "common", 0));
    if (inq_page_int(pair, "smaller", 0) > 0)
        inq_text_printf(&line, " of %" PRIdMAX, (intmax_t)inq_page_int(pair, "smaller", 0));
    inq_text_append(&line, " exported names in common");
    if (line.failed)
        page->text->failed = true;
    inq_page_prose_from(page, 4 + strlen(hazards[hazard].shown), 4, line.bytes);
    inq_text_deinit(&line);
    json_array_foreach (json_object_get(pair, "copies"), i, copy)
        inq_libs_put_copy(page, inq_libs_module(page, copy), false);
    if (reason)
        inq_page_prose(page, "    ", 4, reason);
}

static void put_pairs(struct inq_page *page, size_t hazard)
{
    size_t i;
    json_t *pair;
    json_array_foreach (json_object_get(page->report, "pairs"), i, pair) {
        if (hazard_is(pair, hazard))
            put_pair(page, pair, hazard);
    }
}

static void put_head(struct inq_page *page)
{
    const json_t *prefix = json_object_get(page->report, "prefix");
    const json_t *pairs = json_object_get(page->report, "pairs");
    const char *path = inq_page_text(prefix, "path"), *kind = inq_page_text(prefix, "kind");
    struct inq_text line = {0};
    inq_text_append(&line, path ? path : "?");
    if (kind)
        inq_text_printf(&line, " (%s)", kind);
    inq_text_printf(&line, ": %" PRIdMAX " libraries, %" PRIdMAX " packages",
                    (intmax_t)inq_page_int(prefix, "libraries", 0),
                    (intmax_t)inq_page_int(prefix, "packages", 0));
    if (line.failed)
        page->text->failed = true;
    inq_page_prose(page, "", 2, line.bytes);
    inq_text_deinit(&line);
    if (inq_page_int(prefix, "sharing", 0) > 0)
        inq_page_printf(page,
                        "%" PRIdMAX " pairs of files have 20 exported names or more in common\n",
                        (intmax_t)inq_page_int(prefix, "sharing", 0));
    if (json_array_size(pairs) == 0)
        return;
    inq_page_printf(page,
                    "%zu pair%s of libraries that could be taken for each other: %zu high, %zu "
                    "possible, %zu low\n",
                    json_array_size(pairs), json_array_size(pairs) == 1 ? "" : "s",
                    count_of(pairs, 0), count_of(pairs, 1), count_of(pairs, 2));
}

/* ------------------------------------------------------------------------- the clean state */

/* A folder below site-packages: a package, or the libraries that were bundled for one. */
struct folder {
    const char *name; /* not terminated */
    size_t size;
    bool bundled; /* NAME.libs */
};

/* numpy of "…/site-packages/numpy/_core/x.so" and of "…/site-packages/numpy.libs/y.so". */
static bool folder_of(const char *path, struct folder *ret_folder)
{
    static const char *const parents[] = {"/site-packages/", "/dist-packages/"};
    for (size_t i = 0; path && i < INQ_ARRAY_SIZE(parents); i++) {
        const char *at = strstr(path, parents[i]);
        if (!at)
            continue;
        at += strlen(parents[i]);
        size_t size = strcspn(at, "/");
        if (at[size] != '/' || size == 0)
            return false;
        bool bundled = size > 5 && !memcmp(at + size - 5, ".libs", 5);
        *ret_folder = (struct folder){at, bundled ? size - 5 : size, bundled};
        return true;
    }
    return false;
}

static int fold(char c)
{
    return c == '-' || c == '.' ? '_' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int compare_names(const struct folder *one, const struct folder *two)
{
    size_t least = one->size < two->size ? one->size : two->size;
    int order = 0;

    /* netCDF4 comes with netcdf4.libs, and a-b with a_b.libs */
    for (size_t i = 0; i < least && order == 0; i++)
        order = fold(one->name[i]) - fold(two->name[i]);
    return order ? order : (one->size > two->size) - (one->size < two->size);
}

/* Those with bundled libraries first among equals. */
static int by_name(const void *a, const void *b)
{
    const struct folder *one = a, *two = b;
    int order = compare_names(one, two);
    return order ? order : (int)two->bundled - (int)one->bundled;
}

static void put_list(struct inq_page *page, struct inq_text *line, size_t count, const char *lead,
                     const char *after)
{
    if (count > MOST_FOLDERS)
        inq_text_printf(line, " and %zu more", count - MOST_FOLDERS);
    inq_text_append(line, after);
    if (line->failed)
        page->text->failed = true;
    if (count > 0)
        inq_page_prose(page, lead, 4, line->bytes);
    inq_text_deinit(line);
}

static void append_folder(struct inq_text *line, size_t count, const struct folder *folder)
{
    if (count >= MOST_FOLDERS)
        return;
    inq_text_append(line, count ? ", " : "");
    inq_text_append_bytes(line, folder->name, folder->size);
    inq_text_append(line, ".libs");
}

/* Which packages with code of their own have a folder of bundled libraries, and which have none. */
static void put_folders(struct inq_page *page)
{
    const json_t *modules = json_object_get(page->report, "modules");
    _cleanup_free_ struct folder *folders =
        calloc(json_array_size(modules) + 1, sizeof(struct folder));
    size_t i, n = 0, n_bundled = 0, n_without = 0;
    struct inq_text bundled = {0}, without = {0};
    json_t *module;
    if (!folders) {
        page->text->failed = true;
        return;
    }
    json_array_foreach (modules, i, module) {
        if (folder_of(inq_page_text(module, "path"), &folders[n]))
            n++;
    }
    qsort(folders, n, sizeof(*folders), by_name);
    for (i = 0; i < n; i++) {
        if (i > 0 && compare_names(&folders[i], &folders[i - 1]) == 0)
            continue;
        if (folders[i].bundled)
            append_folder(&bundled, n_bundled++, &folders[i]);
        else
            append_folder(&without, n_without++, &folders[i]);
    }
    put_list(page, &bundled, n_bundled, "  bundled by wheels, each for one package: ", "");
    put_list(page, &without, n_without, "  ",
             n_without == 1 ? " → does not exist ✓" : " → do not exist ✓");
}

static void put_clean(struct inq_page *page, const json_t *pairs)
{
    bool loader = false;
    size_t i;
    json_t *pair;
    json_array_foreach (pairs, i, pair)
        loader = loader || inq_page_text(pair, "loader");
    inq_page_heading(page, "Nothing here makes two libraries cross");
    inq_page_put(page, "  pairs that something makes cross → none ✓\n");
    if (!loader)
        inq_page_put(page,
                     "  a package that loads one of a pair for everybody → not installed ✓\n");
    put_folders(page);
}

static void put_page(struct inq_page *page, bool all)
{
    const json_t *pairs = json_object_get(page->report, "pairs");
    put_head(page);
    if (inq_page_int(json_object_get(page->report, "prefix"), "libraries", 0) == 0) {
        inq_page_put(page, "No shared library is below it.\n");
        return;
    }
    if (count_of(pairs, 0) > 0) {
        inq_page_heading(page, "Something here makes these cross");
        put_pairs(page, 0);
    } else {
        put_clean(page, pairs);
    }
    if (count_of(pairs, 1) > 0) {
        inq_page_heading(page, "Something here may make these cross");
        put_pairs(page, 1);
    }
    if (all && count_of(pairs, 2) > 0) {
        inq_page_heading(page, "Kept apart: their names are unique and they are loaded locally");
        put_pairs(page, 2);
    } else if (count_of(pairs, 2) > 0) {
        inq_page_printf(page, "\n%zu kept apart (low); --all lists what is\n", count_of(pairs, 2));
    }
}

/* Each by itself: they are few, and all are of one folder. */
static void put_gaps(struct inq_page *page)
{
    const struct inq_style *style = page->style;
    struct inq_style each = *style;
    each.verbose = true;
    page->style = &each;
    inq_page_gaps(page);
    page->style = style;
}

void inq_report_pairs(const json_t *report, const struct inq_style *style, bool all,
                      struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style, .report = report};
    const uint64_t losses = inq_text_losses();
    put_page(&page, all);
    put_gaps(&page);
    if (inq_text_losses() != losses)
        text->failed = true;
}

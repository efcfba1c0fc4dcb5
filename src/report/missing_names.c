/* SPDX-License-Identifier: Apache-2.0 */

/* The commands that would name functions without a name, the most useful one first. */

#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "error.h"
#include "page.h"

#define MODULES_SHOWN 2

struct modules {
    const json_t *items[MODULES_SHOWN];
    size_t count;
};

static bool is_build_id(const char *text)
{
    return text && *text && strlen(text) <= 128 && strspn(text, "0123456789abcdef") == strlen(text);
}

/* Once each, and only those that can be looked up. */
static void add(struct modules *modules, const json_t *module)
{
    if (!module || modules->count == MODULES_SHOWN ||
        !is_build_id(inq_page_text(module, "build_id")))
        return;
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i] == module)
            return;
    modules->items[modules->count++] = module;
}

/* Is the gap, whose place is "libfoo.so" or "module libfoo.so", about this module? */
static bool is_about(const json_t *gap, const json_t *module)
{
    const char *where = inq_page_text(gap, "where"), *name = inq_page_text(module, "name");

    return where && name &&
           (!strcmp(where, name) ||
            (inq_starts_with(where, "module ") && !strcmp(where + 7, name)));
}

static bool is_gap(const json_t *gap, enum inq_code code)
{
    const char *name = inq_page_text(gap, "code");

    return name && !strcmp(name, inq_code_name(code));
}

static bool has_gap(const json_t *gaps, const json_t *module)
{
    const json_t *gap;
    size_t i;

    json_array_foreach (gaps, i, gap)
        if (is_gap(gap, INQ_G_SYMBOLS) && is_about(gap, module))
            return true;
    return false;
}

/* Those of the crashing thread's nameless frames, from the innermost, then all others. */
static struct modules choose(const struct inq_page *page, const json_t *gaps)
{
    const json_t *frames = json_object_get(inq_page_crashed(page), "frames");
    const json_t *all = json_object_get(page->report, "modules");
    const json_t *frame, *gap, *module;
    struct modules modules = {0};
    size_t i, k;

    json_array_foreach (frames, i, frame) {
        module = inq_page_text(frame, "function") ? NULL : inq_page_module(page, frame);
        if (modules.count < MODULES_SHOWN && module && has_gap(gaps, module))
            add(&modules, module);
    }
    json_array_foreach (gaps, i, gap) {
        if (modules.count == MODULES_SHOWN || !is_gap(gap, INQ_G_SYMBOLS))
            continue;
        json_array_foreach (all, k, module)
            if (is_about(gap, module))
                add(&modules, module);
    }
    return modules;
}

/* Does its path look as if a package of the distribution owned it? */
static bool is_packaged(const json_t *module)
{
    static const char *const places[] = {"/usr/lib", "/usr/bin/", "/usr/sbin/", "/lib",
                                         "/bin/",    "/sbin/",    "/usr/games/"};
    const char *path = inq_page_text(module, "path");

    for (size_t i = 0; path && i < INQ_ARRAY_SIZE(places); i++)
        if (inq_starts_with(path, places[i]))
            return true;
    return false;
}

void inq_page_missing_names(struct inq_page *page)
{
    const json_t *gaps = json_object_get(page->report, "gaps"), *gap;
    const json_t *core = json_object_get(page->report, "core");
    const struct modules modules = choose(page, gaps);
    const char *path = inq_page_text(core, "path");
    bool tried = false;
    size_t i;

    json_array_foreach (gaps, i, gap)
        tried |= is_gap(gap, INQ_G_FETCH);
    if (modules.count > 0 && !tried) {
        inq_page_put(page, "           $ inquest triage --debuginfod ");
        if (path && !strcmp(path, "-"))
            inq_page_put(page, "CORE");
        else
            inq_page_shell_member(page, core, "path", "CORE");
        inq_page_put(page, "\n");
    }
    for (i = 0; i < modules.count; i++) {
        const json_t *module = modules.items[i];
        const char *name = inq_page_text(module, "name");
        _cleanup_free_ char *shown = inq_page_cut_middle(name ? name : "", 40);

        /* Debian's tool of that name says which -dbgsym package holds a build-id */
        inq_page_put(page, is_packaged(module) ? "           $ find-dbgsym-packages "
                                               : "             build-id ");
        inq_page_put(page, inq_page_text(module, "build_id"));
        if (!is_packaged(module) && shown)
            inq_page_printf(page, " (%s)", shown);
        inq_page_put(page, "\n");
    }
}

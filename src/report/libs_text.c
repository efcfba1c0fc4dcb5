/* SPDX-License-Identifier: Apache-2.0 */

/* The libraries that a process has more than once, in words. */

#include "libs_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"

#define MOST_SYMBOLS 5
#define MOST_BINDERS 4
/* Ways by which a package was asked for: the shortest come first. */
#define MOST_CHAINS 2

static const struct {
    const char *grade;
    enum inq_tone tone;
} crossings[] = {
    [INQ_CROSSING_PROVEN] = {"proven", INQ_TONE_SURE},
    [INQ_CROSSING_STRONG] = {"strong", INQ_TONE_SURE},
    [INQ_CROSSING_PLAUSIBLE] = {"plausible", INQ_TONE_MAYBE},
    [INQ_CROSSING_CONTEXT] = {"context", INQ_TONE_DIM},
    [INQ_CROSSING_OPEN] = {"inconclusive", INQ_TONE_DIM},
    [INQ_CROSSING_NONE] = {"refuted", INQ_TONE_DIM},
};

enum inq_crossing inq_libs_crossing(const json_t *collision)
{
    const char *grade = inq_page_text(collision, "grade");
    for (size_t i = 0; grade && i < INQ_ARRAY_SIZE(crossings); i++)
        if (!strcmp(grade, crossings[i].grade))
            return (enum inq_crossing)i;
    return INQ_CROSSING_OPEN;
}

const json_t *inq_libs_module(const struct inq_page *page, const json_t *index)
{
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return NULL;
    return json_array_get(json_object_get(page->report, "modules"),
                          (size_t)json_integer_value(index));
}

/* Below a folder of Python packages, else its last two components: whose file it is, and which. */
const char *inq_libs_short_path(const json_t *module)
{
    static const char *const roots[] = {"/site-packages/", "/dist-packages/"};
    const char *path = inq_page_text(module, "path");
    const char *last = path ? strrchr(path, '/') : NULL;
    if (!path)
        return inq_page_text(module, "name") ? inq_page_text(module, "name") : "?";
    for (size_t i = 0; i < INQ_ARRAY_SIZE(roots); i++) {
        const char *at = strstr(path, roots[i]);
        if (at && at[strlen(roots[i])])
            return at + strlen(roots[i]);
    }
    for (const char *at = last; at && at > path; at--)
        if (at[-1] == '/')
            return at;
    return path;
}

void inq_libs_owner(const json_t *module, struct inq_text *text)
{
    const json_t *owner = json_object_get(module, "owner");
    const json_t *requesters = json_object_get(owner, "requested_by");
    const char *kind = inq_page_text(owner, "kind"), *package = inq_page_text(owner, "package");
    const char *version = inq_page_text(owner, "version");
    const char *installer = inq_page_text(owner, "installer");
    size_t i;
    json_t *requester;
    if (!kind && !package)
        return;
    inq_text_append(text, kind ? kind : "package");
    if (package)
        inq_text_printf(text, " %s", package);
    if (version)
        inq_text_printf(text, " %s", version);
    if (installer)
        inq_text_printf(text, " (%s)", installer);
    json_array_foreach (requesters, i, requester) {
        const char *chain = json_string_value(requester);
        if (i == MOST_CHAINS) {
            inq_text_printf(text, " and %" PRIdMAX " more",
                            (intmax_t)(inq_page_int(owner, "requested_by_total",
                                                    (json_int_t)json_array_size(requesters)) -
                                       MOST_CHAINS));
            break;
        }
        inq_text_printf(text, "%s ← %s", i ? ", or" : "", chain ? chain : "?");
    }
}

void inq_libs_put_copy(struct inq_page *page, const json_t *module, bool scoped)
{
    static const char *const names[] = {"abi", "config"};
    const char *scope = inq_page_text(module, "scope");
    struct inq_text line = {0}, owner = {0};
    inq_page_put(page, "    ");
    if (scoped) {
        _cleanup_free_ char *shown = inq_page_cut_end(scope ? scope : "-", 6);
        inq_page_cell(page, shown, 8);
    }
    inq_text_append(&line, inq_libs_short_path(module));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (inq_page_text(module, names[i]))
            inq_text_printf(&line, ", %s", inq_page_text(module, names[i]));
    inq_libs_owner(module, &owner);
    if (owner.bytes)
        inq_text_printf(&line, "; %s", owner.bytes);
    if (inq_page_true(module, "deleted"))
        inq_text_append(&line, " (deleted)");
    if (inq_page_int(module, "namespace", 0) > 0)
        inq_text_printf(&line, " (link namespace %" PRIdMAX ")",
                        (intmax_t)inq_page_int(module, "namespace", 0));
    size_t column = scoped ? 12 : 4;
    if (line.failed || owner.failed)
        page->text->failed = true;
    inq_page_prose_from(page, column, column + 2, line.bytes ? line.bytes : "?");
    inq_text_deinit(&line);
    inq_text_deinit(&owner);
}

static void append_count(struct inq_text *text, json_int_t count, const char *one, const char *many)
{
    inq_text_printf(text, "%" PRIdMAX " %s", (intmax_t)count, count == 1 ? one : many);
}

void inq_libs_put_title(struct inq_page *page, const json_t *collision)
{
    const json_t *foreign = json_object_get(collision, "foreign");
    const char *family = inq_page_text(collision, "family");
    enum inq_crossing crossing = inq_libs_crossing(collision);
    struct inq_text line = {0};
    inq_page_put(page, "  ");
    inq_page_toned(page, crossings[crossing].tone, crossings[crossing].grade);
    inq_page_put(page, "  ");
    json_int_t copies = (json_int_t)json_array_size(json_object_get(collision, "copies"));
    if (family) {
        inq_text_printf(&line, "%s: ", family);
        append_count(&line, copies, "copy", "copies");
    } else { /* by the names that they export, not by their own */
        inq_text_printf(&line, "%" PRIdMAX " libraries of other names that export the same",
                        (intmax_t)copies);
    }
    if (json_is_integer(json_object_get(foreign, "strong"))) {
        inq_text_append(&line, ", ");
        append_count(&line, inq_page_int(foreign, "strong", 0), "slot", "slots");
        if (json_is_integer(json_object_get(collision, "judged")))
            inq_text_printf(&line, " of %" PRIdMAX, (intmax_t)inq_page_int(collision, "judged", 0));
        inq_text_append(&line, " bound across");
    }
    if (inq_page_int(foreign, "vague", 0) > 0)
        inq_text_printf(&line, " (and %" PRIdMAX " that C++ merges)",
                        (intmax_t)inq_page_int(foreign, "vague", 0));
    if (line.failed)
        page->text->failed = true;
    inq_page_prose_from(page, 4 + strlen(crossings[crossing].grade), 4, line.bytes);
    inq_text_deinit(&line);
}

/* "ldap_int_global_options (544 bytes, there 408)" */
static void append_symbol(struct inq_text *text, const json_t *binding)
{
    const char *symbol = inq_page_text(binding, "symbol");
    json_int_t expected = inq_page_int(binding, "size_expected", 0);
    json_int_t actual = inq_page_int(binding, "size_actual", 0);
    const char *kind = inq_page_text(binding, "kind");
    inq_text_append(text, symbol ? symbol : "?");
    if (expected > 0 && actual > 0 && expected != actual && kind && strcmp(kind, "function") != 0)
        inq_text_printf(text, " (%" PRIdMAX " bytes, there %" PRIdMAX ")", (intmax_t)expected,
                        (intmax_t)actual);
}

static bool same_modules(const json_t *one, const json_t *two)
{
    static const char *const keys[] = {"from", "expected", "actual"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++)
        if (!json_equal(json_object_get(one, keys[i]), json_object_get(two, keys[i])))
            return false;
    return json_is_true(json_object_get(one, "on_crash_path")) ==
           json_is_true(json_object_get(two, "on_crash_path"));
}

/* Slots of one module that hold what another one defines, from `first` up; returns how many. */
static size_t put_bindings_of(struct inq_page *page, const json_t *bindings, size_t first)
{
    const json_t *binding = json_array_get(bindings, first);
    const json_t *from = inq_libs_module(page, json_object_get(binding, "from"));
    const json_t *expected = inq_libs_module(page, json_object_get(binding, "expected"));
    const json_t *actual = inq_libs_module(page, json_object_get(binding, "actual"));
    const size_t most = page->style->verbose ? SIZE_MAX : MOST_SYMBOLS;
    struct inq_text line = {0};
    size_t n = 0;
    inq_text_append(&line, inq_libs_short_path(from));
    inq_text_printf(&line, "%s has bound to ",
                    inq_page_true(binding, "on_crash_path") ? ", on the crashing path," : "");
    inq_text_append(&line, inq_libs_short_path(actual));
    if (expected != from)
        inq_text_printf(&line, ", not %s", inq_libs_short_path(expected));
    do {
        if (n < most) {
            inq_text_append(&line, n ? ", " : ": ");
            append_symbol(&line, json_array_get(bindings, first + n));
        }
        n++;
    } while (first + n < json_array_size(bindings) &&
             same_modules(binding, json_array_get(bindings, first + n)));
    if (n > most)
        inq_text_printf(&line, " and %zu more", n - most);
    if (line.failed)
        page->text->failed = true;
    inq_page_prose(page, "      ", 8, line.bytes);
    inq_text_deinit(&line);
    return n;
}

static void put_bindings(struct inq_page *page, const json_t *collision)
{
    const json_t *bindings = json_object_get(collision, "bindings");
    const size_t count = json_array_size(bindings);
    size_t groups = 0;
    for (size_t i = 0; i < count; groups++) {
        if (groups == MOST_BINDERS && !page->style->verbose) {
            inq_page_printf(page, "      ... %zu more slots are listed with -v\n", count - i);
            break;
        }
        i += put_bindings_of(page, bindings, i);
    }
}

void inq_libs_put_collision(struct inq_page *page, const json_t *collision)
{
    const char *proof = inq_page_text(json_object_get(collision, "crash"), "text");
    const char *why = inq_page_text(collision, "why");
    size_t i;
    json_t *copy;
    inq_libs_put_title(page, collision);
    json_array_foreach (json_object_get(collision, "copies"), i, copy)
        inq_libs_put_copy(page, inq_libs_module(page, copy), true);
    if (proof)
        inq_page_prose(page, "    ", 4, proof);
    if (why && (!proof || strcmp(why, proof) != 0))
        inq_page_prose(page, "    ", 4, why);
    put_bindings(page, collision);
}

void inq_libs_put_acquitted(struct inq_page *page, const json_t *collisions)
{
    struct inq_text line = {0};
    size_t i, nameless = 0;
    json_t *collision;
    json_array_foreach (collisions, i, collision) {
        const char *family = inq_page_text(collision, "family");
        if (inq_libs_crossing(collision) != INQ_CROSSING_NONE)
            continue;
        if (family)
            inq_text_printf(&line, "%s%s (%zu)", line.size ? ", " : "", family,
                            json_array_size(json_object_get(collision, "copies")));
        else
            nameless++;
    }
    if (nameless > 0)
        inq_text_printf(&line, "%s%zu %s of libraries that only share names", line.size ? ", " : "",
                        nameless, nameless == 1 ? "pair" : "pairs");
    if (line.failed)
        page->text->failed = true;
    if (line.size > 0)
        inq_page_prose(page, "  No slot is bound across, so not involved: ", 4, line.bytes);
    inq_text_deinit(&line);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* What the process was doing as a whole: below the headline, one line each, only what is so. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "page.h"

static void put_exiting(struct inq_page *page, const json_t *state)
{
    const json_t *exiting = json_object_get(state, "exiting");
    const json_t *status = json_object_get(exiting, "status");
    const char *phase = inq_page_text(exiting, "phase");
    const char *module = inq_page_text(exiting, "module");
    struct inq_text line = {0};

    if (!json_is_object(exiting))
        return;
    if (json_is_integer(status))
        inq_text_printf(&line, "exit(%" PRIdMAX ") was running",
                        (intmax_t)json_integer_value(status));
    else
        inq_text_append(&line, "exit() was running");
    if (phase)
        inq_text_printf(&line, ": %s",
                        !strcmp(phase, "atexit")       ? "a handler of atexit() or a C++ object's "
                                                         "destructor"
                        : !strcmp(phase, "destructor") ? "a destructor"
                                                       : "a thread_local object's destructor");
    if (module)
        inq_text_printf(&line, "%s of %s", phase ? "" : ": code", module);
    inq_page_prose(page, "  state: ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

static void put_loading(struct inq_page *page, const json_t *state)
{
    bool load = inq_page_true(state, "in_dlopen"), unload = inq_page_true(state, "in_dlclose");
    const char *module = inq_page_text(json_object_get(state, "loading"), "module");
    struct inq_text line = {0};

    if (!load && !unload)
        return;
    inq_text_append(&line, load ? "a library was being loaded (dlopen)"
                                : "a library was being unloaded (dlclose)");
    if (module)
        inq_text_printf(&line, ": code of %s ran", module);
    inq_page_prose(page, "  state: ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

static void put_seccomp(struct inq_page *page, const json_t *state)
{
    const json_t *seccomp = json_object_get(state, "seccomp");
    const char *name = inq_page_text(seccomp, "name");
    char line[160];

    if (!json_is_integer(json_object_get(seccomp, "number")))
        return;
    snprintf(line, sizeof(line), "a seccomp filter refused system call %" PRIdMAX "%s%.64s",
             (intmax_t)inq_page_int(seccomp, "number", 0), name ? ", " : "", name ? name : "");
    inq_page_prose(page, "  state: ", 4, line);
}

static void put_map_count(struct inq_page *page, const json_t *state)
{
    const json_t *maps = json_object_get(state, "map_count");
    char line[160];

    if (!inq_page_true(maps, "near_limit"))
        return;
    snprintf(line, sizeof(line),
             "%" PRIdMAX " mappings; the kernel's default limit (vm.max_map_count) is %" PRIdMAX,
             (intmax_t)inq_page_int(maps, "now", 0), (intmax_t)inq_page_int(maps, "limit", 0));
    inq_page_prose(page, "  state: ", 4, line);
}

static void put_runtimes(struct inq_page *page)
{
    const json_t *runtimes = json_object_get(page->report, "runtimes");
    size_t i;
    json_t *runtime;

    if (!page->style->verbose)
        return;
    json_array_foreach (runtimes, i, runtime) {
        const char *name = inq_page_text(runtime, "name");
        const char *version = inq_page_text(runtime, "version");
        const char *where = inq_page_text(runtime, "message_in");
        struct inq_text line = {0};
        inq_text_printf(&line, "%s%s%s is in the process; its own words would be in: %s",
                        name ? name : "?", version ? " " : "", version ? version : "",
                        where ? where : "?");
        inq_page_prose(page, "  runtime: ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

void inq_page_state(struct inq_page *page)
{
    const json_t *state = json_object_get(page->report, "state");
    const char *runtime = inq_page_text(state, "finalizing_runtime");
    struct inq_text line = {0};

    put_exiting(page, state);
    put_loading(page, state);
    if (inq_page_true(state, "forked_child"))
        inq_page_prose(page, "  state: ", 4,
                       "a child of fork() that is without the other threads of its parent");
    if (inq_page_true(state, "on_signal_stack"))
        inq_page_prose(page, "  state: ", 4, "the crashing thread stood on its signal stack");
    if (inq_page_true(state, "finalizing")) {
        inq_text_printf(&line, "the %s runtime was shutting down, or had",
                        runtime ? runtime : "language");
        inq_page_prose(page, "  state: ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
    put_seccomp(page, state);
    put_map_count(page, state);
    put_runtimes(page);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* What follows threads and collisions: kernel log, details of -v, gaps, and the way into gdb. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "error.h"
#include "page.h"

/* What equals by what a line was found: words for those that are not sure. */
static const char *likely_by(const json_t *line)
{
    static const char *const words[][2] = {
        {"ip-sp", "the addresses are equal, but of several crashes"},
        {"ip-tid", "thread id and instruction are equal"},
        {"tid-address-time", "thread id, address and time are equal"},
        {"tid-time", "thread id and time are equal"},
        {"tid-address", "thread id and address are equal"},
    };
    const char *by = inq_page_text(line, "matched_by");
    for (size_t i = 0; by && i < INQ_ARRAY_SIZE(words); i++)
        if (!strcmp(by, words[i][0]))
            return words[i][1];
    return "how is not known";
}

/* A log without a line about the crash: only what may surprise, unless all is wanted. */
static void put_absence(struct inq_page *page)
{
    const json_t *absence = json_object_get(page->report, "kernel_log_absence");
    const char *why = inq_page_text(absence, "why");
    const char *source = inq_page_text(json_object_get(page->report, "fault"), "source");
    const bool handled = source && !strcmp(source, "signal-frame");
    if (!why ||
        (inq_page_true(absence, "expected") && !handled && !page->style->verbose))
        return;
    inq_page_heading(page, "Kernel log");
    inq_page_prose(page, "  no line about this crash: ", 4, why);
}

void inq_page_kernel_log(struct inq_page *page)
{
    const json_t *lines = json_object_get(page->report, "kernel_log");
    size_t i, j;
    json_t *line, *against;
    if (json_array_size(lines) == 0) {
        put_absence(page);
        return;
    }
    inq_page_heading(page, "Kernel log");
    json_array_foreach (lines, i, line) {
        inq_page_prose(page, "  ", 4, inq_page_text(line, "line"));
        if (inq_page_true(line, "likely"))
            inq_page_printf(page, "    likely this crash, not surely: %s\n", likely_by(line));
        json_array_foreach (json_object_get(line, "contradictions"), j, against)
            inq_page_prose(page, "    does not agree: ", 6, json_string_value(against));
    }
}

static void put_modules(struct inq_page *page)
{
    const json_t *modules = json_object_get(page->report, "modules");
    size_t i;
    json_t *module;
    if (json_array_size(modules) == 0)
        return;
    inq_page_heading(page, "Modules");
    json_array_foreach(modules, i, module)
    {
        const char *start = inq_page_text(module, "start");
        const char *build = inq_page_text(module, "build_id");
        const char *on_disk = inq_page_text(module, "on_disk");
        const char *path = inq_page_text(module, "path");
        _cleanup_free_ char *shown_start = inq_page_cut_end(start ? start : "?", 18);
        _cleanup_free_ char *shown_build = inq_page_cut_end(build ? build : "-", 11);
        _cleanup_free_ char *shown_disk = inq_page_cut_end(on_disk ? on_disk : "-", 10);
        _cleanup_free_ char *shown_path = inq_page_cut_middle(
            path ? path : inq_page_text(module, "name"), inq_page_columns(page, 46, 30));
        inq_page_put(page, "  ");
        inq_page_cell(page, shown_start, 19);
        inq_page_cell(page, shown_build, 12);
        inq_page_cell(page, shown_disk, 11);
        inq_page_cell(page, shown_path, 0);
        inq_page_put(page, inq_page_true(module, "deleted") ? " (deleted)\n" : "\n");
    }
}

static void put_environment(struct inq_page *page)
{
    const char *name;
    json_t *value;
    json_t *environment = json_object_get(page->report, "environment");
    if (json_object_size(environment) == 0)
        return;
    inq_page_heading(page, "Environment (only what is on the allow-list)");
    json_object_foreach(environment, name, value)
    {
        struct inq_text line = {0};
        inq_text_printf(&line, "%s=%s", name,
                        json_is_string(value) ? json_string_value(value) : "");
        inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

static void put_unknown(struct inq_page *page)
{
    const char *path;
    json_t *why;
    json_t *unknown = json_object_get(page->report, "unknown");
    if (json_object_size(unknown) == 0)
        return;
    inq_page_heading(page, "Facts that could not be known");
    json_object_foreach(unknown, path, why)
    {
        struct inq_text line = {0};
        inq_text_printf(&line, "%s: %s", path, json_is_string(why) ? json_string_value(why) : "");
        inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

static void put_run(struct inq_page *page)
{
    const json_t *sandbox = json_object_get(page->report, "sandbox");
    const json_t *timing = json_object_get(page->report, "timing");
    const json_t *tool = json_object_get(page->report, "tool");
    const char *identity = inq_page_text(json_object_get(page->report, "core"), "identity");
    const json_t *total = json_object_get(timing, "total_ms");
    inq_page_heading(page, "This analysis");
    if (identity)
        inq_page_prose(page, "  identity of the dump: ", 4, identity);
    if (json_is_object(sandbox))
        inq_page_printf(page, "  sandbox:%s%s%s, landlock %" PRIdMAX "\n",
                        inq_page_true(sandbox, "rlimits") ? " rlimits" : "",
                        inq_page_true(sandbox, "no_new_privs") ? " no_new_privs" : "",
                        inq_page_true(sandbox, "seccomp") ? " seccomp" : "",
                        (intmax_t)inq_page_int(sandbox, "landlock_abi", 0));
    if (inq_page_text(tool, "version"))
        inq_page_prose(page, "  inquest ", 4, inq_page_text(tool, "version"));
    if (json_is_number(total))
        inq_page_printf(page, "  %.1f ms\n", json_number_value(total));
}

void inq_page_details(struct inq_page *page)
{
    if (!page->style->verbose)
        return;
    put_modules(page);
    put_environment(page);
    put_unknown(page);
    put_run(page);
}

/* "name" is plain enough for every shell. */
static bool needs_no_quotes(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+,:@%";
    return *name && name[0] != '-' && strspn(name, plain) == strlen(name);
}

/*
 * A word for the shell. Bytes that must not be shown are written in the $'...' form of bash, whose
 * escapes are ours. `escaped_before`: the document could not hold the bytes and has `\xff` for
 * them.
 */
static void put_shell_word(struct inq_page *page, const char *word, bool escaped_before)
{
    if (needs_no_quotes(word)) {
        inq_page_put(page, word);
        return;
    }
    inq_page_put(page, "$'");
    if (word[0] == '-')
        inq_page_put(page, "./");
    while (*word) {
        size_t size = strcspn(word, "'\\");
        inq_text_append_escaped(page->text, word, size);
        word += size;
        if (*word == '\'')
            inq_page_put(page, "\\'");
        else if (*word == '\\')
            inq_page_put(page, escaped_before ? "\\" : "\\\\");
        word += *word != '\0';
    }
    inq_page_put(page, "'");
}

void inq_page_shell_member(struct inq_page *page, const json_t *object, const char *key,
                           const char *otherwise)
{
    char twin[64];
    snprintf(twin, sizeof(twin), "%s_base64", key);
    const char *word = inq_page_text(object, key);
    if (word)
        put_shell_word(page, word, json_object_get(object, twin) != NULL);
    else
        inq_page_put(page, otherwise);
}

/* The dump as gdb can read it: unpacked, and how to get there. */
static bool put_unpacking(struct inq_page *page, const json_t *core)
{
    const char *compression = inq_page_text(core, "compression");
    if (!compression || !strcmp(compression, "none"))
        return false;
    inq_page_put(page, compression); /* the programs are called as the formats are */
    inq_page_put(page, " -dc < ");
    inq_page_shell_member(page, core, "path", "CORE");
    inq_page_put(page, " > core.unpacked && ");
    return true;
}

void inq_page_gdb(struct inq_page *page)
{
    const json_t *core = json_object_get(page->report, "core");
    const json_t *module = inq_page_main_module(page);
    const char *on_disk = inq_page_text(module, "on_disk");
    bool here = on_disk && (!strcmp(on_disk, "match") || !strcmp(on_disk, "unverified"));
    inq_page_heading(page, "Open it in gdb");
    inq_page_put(page, "  ");
    bool unpacked = put_unpacking(page, core);
    inq_page_put(page, "gdb ");
    if (inq_page_true(core, "foreign_root"))
        inq_page_put(page, "-iex 'set sysroot SYSROOT' ");
    if (here)
        inq_page_shell_member(page, module, "path", "EXECUTABLE");
    else
        inq_page_put(page, "EXECUTABLE");
    inq_page_put(page, " ");
    if (unpacked)
        inq_page_put(page, "core.unpacked");
    else
        inq_page_shell_member(page, core, "path", "CORE");
    inq_page_put(page, "\n");
    if (inq_page_true(core, "foreign_root"))
        inq_page_prose(page, "  ", 2,
                       "SYSROOT is a copy of the file system that the process ran on, EXECUTABLE "
                       "its program in there.");
    else if (!here)
        inq_page_prose(page, "  ", 2, "EXECUTABLE is the program, in the build that crashed.");
}

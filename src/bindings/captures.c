/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Captured sonames. The dynamic linker looks among what is loaded before it looks for a file
 * (_dl_map_object() of glibc): a library that asks for libfoo.so.1 and has one in its own RUNPATH
 * gets whichever libfoo.so.1 came first.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "bounds.h"
#include "cleanup.h"
#include "private.h"

#define MAX_ASKED 64u /* files that are asked for: of healthy processes hardly any */
#define BATCH 16u

struct captures {
    const struct inq_bindings *b;
    struct inq_graph *graph;
    INQ_ARRAY(struct inq_capture) asked;
    bool failed;
};

static bool is_in(struct captures *c, const struct inq_module *m, const char *folder)
{
    const char *const paths[] = {m->path, m->link_name};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(paths); i++) {
        const char *slash = paths[i] ? strrchr(paths[i], '/') : NULL;
        char *of = slash ? inq_path_normalize(c->graph->arena, paths[i], (size_t)(slash - paths[i]))
                         : NULL;

        if (of && !strcmp(of, folder))
            return true;
    }
    return false;
}

static void ask(struct captures *c, size_t from, size_t actual, const char *soname,
                const char *folder)
{
    struct inq_capture *item;
    const char *own = inq_arena_printf(c->graph->arena, "%s/%s", folder, soname);

    if (c->asked.count >= MAX_ASKED)
        return;
    item = own ? INQ_ARRAY_PUSH(&c->asked) : NULL;
    if (item)
        *item = (struct inq_capture){from, actual, soname, own};
    else
        c->failed = true;
}

/* One DT_NEEDED of a module: is there a folder of its own that the one it got is not from? */
static void look_at(struct captures *c, size_t from, size_t need)
{
    const struct inq_bound_module *b = &c->b->modules[from];
    const struct inq_dynamic *d = &c->graph->dynamic[from];
    const char *soname = d->needed[need], *folder;
    size_t actual = SIZE_MAX;

    if (strchr(soname, '/'))
        return;
    for (size_t i = 0; i < b->n_needs && actual == SIZE_MAX; i++) {
        const struct inq_dynamic *got = &c->graph->dynamic[b->needs[i]];

        if (got->read && got->soname && !strcmp(got->soname, soname))
            actual = b->needs[i];
    }
    if (actual == SIZE_MAX || inq_set_has(c->graph->main, actual))
        return;
    for (size_t i = 0; (folder = inq_runpath_entry(c->graph, from, i)) != NULL; i++)
        if (*folder && is_in(c, &c->graph->modules->items[actual], folder))
            return;
    for (size_t i = 0; (folder = inq_runpath_entry(c->graph, from, i)) != NULL; i++)
        if (*folder)
            ask(c, from, actual, soname, folder);
}

/*
 * Did both begin as one file? A name with a hash stands for the content that the file had when the
 * wheel was made, so that two wheels with one such library may share it. The hash has eight digits,
 * after a dash and before what ends the name or a part of it.
 */
static bool is_named_by_content(const char *soname)
{
    for (const char *p = strchr(soname, '-'); p; p = strchr(p + 1, '-'))
        if (strspn(p + 1, "0123456789abcdef") == 8 && (p[9] == '.' || p[9] == '-' || !p[9]))
            return true;
    return false;
}

/* Keeps those whose file is there and is of another build. */
static struct inq_error *ask_files(struct captures *c)
{
    struct inq_opener *opener = c->graph->modules->opener;
    size_t kept = 0;

    for (size_t i = 0; i < c->asked.count; i += BATCH) {
        struct inq_file_request requests[BATCH] = {0};
        struct inq_file_reply replies[BATCH];
        size_t n = c->asked.count - i < BATCH ? c->asked.count - i : BATCH;

        for (size_t k = 0; k < n; k++) {
            const struct inq_capture *item = &c->asked.items[i + k];
            const struct inq_module *actual = &c->graph->modules->items[item->actual];

            requests[k] = (struct inq_file_request){.kind = INQ_FILE_MODULE, .path = item->own};
            memcpy(requests[k].build_id, actual->build_id, actual->build_id_size);
            requests[k].build_id_size = actual->build_id_size;
        }
        INQ_TRY(opener->ask(opener, requests, n, replies));
        for (size_t k = 0; k < n; k++) {
            if (replies[k].fd >= 0)
                close(replies[k].fd);
            /* a mismatch is a file of another build; what has no build-id may be one */
            if (replies[k].status == INQ_ON_DISK_MISMATCH ||
                (replies[k].status == INQ_ON_DISK_UNVERIFIED &&
                 !is_named_by_content(c->asked.items[i + k].soname)))
                c->asked.items[kept++] = c->asked.items[i + k];
        }
    }
    c->asked.count = kept;
    return NULL;
}

struct inq_error *inq_bindings_captures(const struct inq_bindings *bindings,
                                        struct inq_capture **ret_captures, size_t *ret_count)
{
    struct captures c = {.b = bindings, .graph = inq_bindings_graph(bindings)};
    struct inq_error *error = NULL;
    struct inq_capture *items = NULL;

    for (size_t m = 0; !bindings->none && m < bindings->count; m++)
        for (size_t i = 0; bindings->modules[m].read && c.graph->dynamic[m].runpath &&
                           i < c.graph->dynamic[m].n_needed;
             i++)
            look_at(&c, m, i);
    if (c.failed)
        error = &inq_error_oom;
    if (!error && c.asked.count > 0)
        error = ask_files(&c);
    if (!error) {
        items = INQ_ARENA_ARRAY(c.graph->arena, c.asked.count + 1, struct inq_capture);
        error = items ? NULL : &inq_error_oom;
    }
    if (!error) {
        if (c.asked.count > 0)
            memcpy(items, c.asked.items, c.asked.count * sizeof(*items));
        *ret_captures = items;
        *ret_count = c.asked.count;
    }
    INQ_ARRAY_FREE(&c.asked);
    return error;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the dynamic linker bound to what: scopes, counts of slots, and what they say by themselves
 * (captured sonames, mixed allocators, runtimes of which there are two). Which copy of a library
 * the crash went through is the question of collisions.c.
 */

#include "bindings.h"

#include <string.h>

#include "cleanup.h"
#include "crash_path.h"
#include "detectors.h"
#include "record_json.h"
#include "runtime_copies.h"

#define MAX_UNREAD_LISTED 32u

struct inq_error *inq_dump_bindings(struct inq_dump *dump, const struct inq_bindings **ret_bindings)
{
    struct inq_bindings *bindings;

    if (!dump->bindings) {
        INQ_TRY(inq_bindings_read(dump->modules, dump->arena, &bindings));
        dump->bindings = bindings;
    }
    *ret_bindings = dump->bindings;
    return NULL;
}

/* ---- modules[] ---------------------------------------------------------------------------------
 */

static void add_scopes(const struct inq_bindings *b, struct inq_evidence *evidence,
                       struct inq_json_writer *w)
{
    json_t *modules = json_object_get(evidence->document, "modules"), *module;
    size_t i;

    json_array_foreach (modules, i, module) {
        const json_int_t index = json_integer_value(json_object_get(module, "index"));
        const struct inq_bound_module *m;

        if (index < 0 || (size_t)index >= b->count || !b->modules[index].loaded)
            continue;
        m = &b->modules[index];
        if (inq_scope_name(m->scope))
            inq_json_put_text(w, module, "scope", inq_scope_name(m->scope));
        if (m->space >= 0)
            inq_json_put_int(w, module, "namespace", m->space);
        if (m->preloaded)
            inq_json_put_bool(w, module, "preloaded", true);
    }
    if (b->no_scope)
        inq_evidence_set_unknown(evidence, "modules[].scope", "%s", b->no_scope);
}

/* ---- counts -------------------------------------------------------------------------- */

static json_t *unread_json(struct inq_dump *dump, const struct inq_bindings *b,
                           struct inq_json_writer *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < b->count && json_array_size(list) < MAX_UNREAD_LISTED; i++) {
        const struct inq_bound_module *m = &b->modules[i];
        const char *line;

        if (!m->loaded || m->read || m->is_linker)
            continue;
        line = inq_arena_printf(dump->arena, "%s: %s", dump->modules->items[i].name,
                                m->unread ? m->unread : "not read");
        inq_json_push(w, list, inq_json_text(line ? line : ""));
    }
    return list;
}

static void set_counts(struct inq_dump *dump, const struct inq_bindings *b,
                       struct inq_evidence *evidence, struct inq_json_writer *w)
{
    inq_evidence_set_int(evidence, "bindings.modules", (int64_t)b->n_read);
    inq_evidence_set_int(evidence, "bindings.slots", (int64_t)b->slots);
    inq_evidence_set_int(evidence, "bindings.judged", (int64_t)b->judged);
    inq_evidence_set_int(evidence, "bindings.lazy", (int64_t)b->lazy);
    inq_evidence_set_int(evidence, "bindings.undecided", (int64_t)b->undecided);
    inq_evidence_set_bool(evidence, "bindings.complete", b->n_unread == 0 && b->undecided == 0);
    if (b->n_unread > 0)
        inq_evidence_set(evidence, "bindings.unread", unread_json(dump, b, w));
    inq_evidence_set_int(evidence, "bindings.foreign.strong", (int64_t)b->strong);
    inq_evidence_set_int(evidence, "bindings.foreign.vague", (int64_t)b->vague);
    inq_evidence_set_int(evidence, "bindings.foreign.in_scope", (int64_t)b->in_scope);
    inq_evidence_set_int(evidence, "bindings.namespaces", b->n_spaces);
    if (b->has_unloaded)
        inq_evidence_set_int(evidence, "bindings.unloaded", (int64_t)b->n_unloaded);
    else
        inq_evidence_set_unknown(evidence, "bindings.unloaded",
                                 "the dynamic linker's counter was not found");
}

/* ---- what that says by itself ------------------------------------------------------------------
 */

/*
 * Does a frame of the one call a frame of the other, and is what failed that one, or what it needs?
 * Where it called somebody else back, the failure is theirs.
 */
static bool fails_in_call(struct inq_dump *dump, const struct inq_bindings *b,
                          const struct inq_crash_path *path, size_t caller, size_t callee)
{
    for (size_t i = 0; i + 1 < path->count; i++) {
        const size_t module = path->frames[i].module;

        if (module == callee && path->frames[i + 1].module == caller)
            return true;
        if (module == SIZE_MAX || module == callee)
            continue;
        if (dump->modules->items[module].is_main ||
            (b->modules[module].scope != INQ_SCOPE_MAIN && !b->modules[module].is_linker &&
             !inq_bindings_needs(b, callee, module)))
            return false;
    }
    return false;
}

static bool is_crashing_module(const struct inq_crash_path *path, size_t module)
{
    return path->fit == INQ_FIT_ANY && path->culprit < path->count &&
           path->frames[path->culprit].module == module;
}

static struct inq_error *add_captures(struct inq_dump *dump, const struct inq_bindings *b,
                                      const struct inq_crash_path *path, json_t *list,
                                      struct inq_json_writer *w)
{
    struct inq_capture *captures;
    size_t n;

    INQ_TRY(inq_bindings_captures(b, &captures, &n));
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();

        inq_json_put_int(w, o, "from", (int64_t)captures[i].from);
        inq_json_put_text(w, o, "soname", captures[i].soname);
        inq_json_put_text(w, o, "own", captures[i].own);
        inq_json_put_int(w, o, "actual", (int64_t)captures[i].actual);
        inq_json_put_bool(w, o, "on_crash_path",
                          fails_in_call(dump, b, path, captures[i].from, captures[i].actual));
        inq_json_put_bool(w, o, "in_crashing_module", is_crashing_module(path, captures[i].from));
        inq_json_push(w, list, o);
    }
    return NULL;
}

static struct inq_error *add_lists(struct inq_dump *dump, const struct inq_bindings *b,
                                   struct inq_evidence *evidence, struct inq_json_writer *w)
{
    json_t *captures = json_array(), *allocators = json_array(), *runtimes = json_array();
    struct inq_crash_path *path = INQ_ARENA_NEW(dump->arena, struct inq_crash_path);
    struct inq_error *error = path ? NULL : &inq_error_oom;

    if (!error) {
        inq_crash_path(dump, b, evidence, path);
        error = add_captures(dump, b, path, captures, w);
    }
    if (!error)
        error = inq_allocator_mixes(b, path, allocators, w);
    if (!error)
        error = inq_runtime_copies(b, runtimes, w);
    inq_evidence_set(evidence, "bindings.captures", captures);
    inq_evidence_set(evidence, "bindings.allocators", allocators);
    inq_evidence_set(evidence, "bindings.runtimes", runtimes);
    return error;
}

struct inq_error *inq_detect_bindings(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_json_writer w = {0};
    const struct inq_bindings *b;

    INQ_TRY(inq_dump_bindings(dump, &b));
    if (b->none)
        inq_evidence_set_unknown(evidence, "bindings", "%s", b->none);
    else {
        set_counts(dump, b, evidence, &w);
        INQ_TRY(add_lists(dump, b, evidence, &w));
    }
    add_scopes(b, evidence, &w);
    return w.failed || evidence->failed ? &inq_error_oom : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Copies of a library in one process, what is bound across, and whether the crash went that way.
 * Copies are found by the names of their files, by the names that they export, and by slots that
 * are bound to the wrong one: the last of these needs no name at all.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bindings.h"
#include "cleanup.h"
#include "crash_path.h"
#include "detectors.h"
#include "library_name.h"
#include "record_json.h"

#define MAX_COLLISIONS 512u
#define MAX_BINDINGS 64u
#define MAX_COPIES 256u
#define MOST_RANK 15u    /* of rank_of() */
#define LEAST_COMMON 20u /* strong names that make a pair, and a tenth of the smaller table */

struct collision {
    char family[INQ_LIBRARY_TEXT]; /* "" when the copies have different ones */
    INQ_ARRAY(size_t) copies;      /* modules, sorted */
    uint32_t common;
    bool has_common, same_exports;
    uint64_t strong, vague, in_scope, judged;
    uint64_t others;                   /* mixed, and displaced ones: in vague, and in in_scope */
    uint64_t by_program;               /* in none of these */
    uint64_t on_path;                  /* strong slots of modules that are on the crashing stack */
    size_t first, last;                /* its foreign slots: see `next`; SIZE_MAX: none */
    size_t unread;                     /* a copy that could not be read; SIZE_MAX */
    const struct inq_crash_link *link; /* the best; NULL */
    bool failed;
};

struct finder {
    struct inq_dump *dump;
    const struct inq_bindings *b;
    struct inq_library *names; /* by module */
    struct inq_crash_path path;
    struct inq_crash_link *links;
    size_t n_links;
    INQ_ARRAY(struct collision) found;
    size_t *next; /* by foreign slot: the next one of the same collision; SIZE_MAX at the end */
    struct inq_json_writer w;
};

/* ---- which copies -------------------------------------------------------------------- */

/* The one place that says which library a module is, by its name. */
static void name_modules(struct finder *f)
{
    for (size_t i = 0; i < f->b->count; i++) {
        const struct inq_module *m = &f->dump->modules->items[i];

        inq_library_name(m->path ? m->path : m->name, &f->names[i]);
        if (!f->b->modules[i].loaded)
            f->names[i].family[0] = '\0';
    }
}

static bool same_file(const struct finder *f, size_t a, size_t b)
{
    const struct inq_module *x = &f->dump->modules->items[a], *y = &f->dump->modules->items[b];

    if (x->build_id_size > 0 && y->build_id_size > 0)
        return x->build_id_size == y->build_id_size &&
               !memcmp(x->build_id, y->build_id, x->build_id_size);
    return x->path && y->path && !strcmp(x->path, y->path);
}

static bool same_space(const struct finder *f, size_t a, size_t b)
{
    return f->b->modules[a].space == f->b->modules[b].space;
}

static void add_copy(struct collision *c, size_t module)
{
    size_t at = 0, *slot;

    while (at < c->copies.count && c->copies.items[at] < module)
        at++;
    if ((at < c->copies.count && c->copies.items[at] == module) || c->copies.count >= MAX_COPIES)
        return;
    slot = INQ_ARRAY_PUSH(&c->copies);
    if (!slot) {
        c->failed = true;
        return;
    }
    memmove(c->copies.items + at + 1, c->copies.items + at,
            (c->copies.count - 1 - at) * sizeof(*slot));
    c->copies.items[at] = module;
}

static struct collision *new_collision(struct finder *f, const char *family)
{
    struct collision *c = f->found.count < MAX_COLLISIONS ? INQ_ARRAY_PUSH(&f->found) : NULL;

    if (!c)
        return NULL;
    c->unread = c->first = c->last = SIZE_MAX;
    snprintf(c->family, sizeof(c->family), "%s", family);
    return c;
}

/* The collision of a family, or of two modules without one in common. */
static struct collision *collision_of(struct finder *f, size_t a, size_t b)
{
    const bool family = inq_library_same(&f->names[a], &f->names[b]);
    struct collision *c;

    for (size_t i = 0; i < f->found.count; i++) {
        c = &f->found.items[i];
        if (family ? !strcmp(c->family, f->names[a].family)
                   : c->family[0] == '\0' && c->copies.items[0] == (a < b ? a : b) &&
                         c->copies.items[1] == (a < b ? b : a))
            return c;
    }
    return new_collision(f, family ? f->names[a].family : "");
}

struct by_family {
    const char *family;
    size_t module;
};

static int compare_families(const void *a, const void *b)
{
    const struct by_family *x = a, *y = b;
    int order = strcmp(x->family, y->family);

    return order ? order : x->module < y->module ? -1 : x->module > y->module;
}

static bool is_copy(const struct finder *f, size_t a, size_t b)
{
    struct inq_common common;

    if (same_file(f, a, b) || !same_space(f, a, b))
        return false;
    if (!f->b->modules[a].read || !f->b->modules[b].read)
        return true;
    /* a program that is named after a library may be no more than its launcher */
    if (f->names[a].known && !f->dump->modules->items[a].is_main &&
        !f->dump->modules->items[b].is_main)
        return true;
    common = inq_bindings_common(f->b, a, b);
    return common.common > 0;
}

/* Two files of one family; a file mapped twice is none, nor is one in another namespace. */
static bool find_families(struct finder *f)
{
    _cleanup_free_ struct by_family *list = calloc(f->b->count + 1, sizeof(*list));
    size_t n = 0;

    if (!list)
        return false;
    for (size_t i = 0; i < f->b->count; i++)
        if (f->names[i].family[0])
            list[n++] = (struct by_family){f->names[i].family, i};
    if (n > 0)
        qsort(list, n, sizeof(*list), compare_families);
    for (size_t i = 1; i < n; i++) {
        const size_t a = list[i - 1].module, b = list[i].module;
        struct collision *c;

        if (strcmp(list[i - 1].family, list[i].family) != 0 || !is_copy(f, a, b))
            continue;
        c = collision_of(f, a, b);
        if (!c)
            return f->found.count >= MAX_COLLISIONS;
        add_copy(c, a);
        add_copy(c, b);
    }
    return true;
}

/*
 * May two modules with much in common, but not their name, be taken for copies? Parts of one
 * package share static libraries, and so do extension modules; the program's own libraries have
 * what others bring along (libm in Intel's libimf). What is bound across counts anyway.
 */
static bool is_rival(const struct finder *f, size_t a, size_t b)
{
    if (inq_library_same(&f->names[a], &f->names[b]))
        return true;
    return !f->names[a].extension && !f->names[b].extension &&
           f->b->modules[a].scope != INQ_SCOPE_MAIN && f->b->modules[b].scope != INQ_SCOPE_MAIN &&
           !inq_bindings_together(f->b, a, b);
}

/* Different names, the same content: one library inside another, or renamed. */
static struct inq_error *find_pairs(struct finder *f)
{
    struct inq_common *pairs;
    size_t n;

    INQ_TRY(inq_bindings_pairs(f->b, LEAST_COMMON, &pairs, &n));
    for (size_t i = 0; i < n; i++) {
        const struct inq_common *p = &pairs[i];
        const uint32_t smaller = p->of_a < p->of_b ? p->of_a : p->of_b;
        struct collision *c;

        if (p->common < smaller / 10 || same_file(f, p->a, p->b) || !is_rival(f, p->a, p->b))
            continue;
        c = collision_of(f, p->a, p->b);
        if (!c)
            return f->found.count >= MAX_COLLISIONS ? NULL : &inq_error_oom;
        add_copy(c, p->a);
        add_copy(c, p->b);
        if (!c->has_common || p->common > c->common) {
            c->common = p->common;
            c->same_exports = p->common == p->of_a && p->common == p->of_b;
        }
        c->has_common = true;
    }
    return NULL;
}

/* ---- what is bound across ------------------------------------------------------------ */

static bool has_copy(const struct collision *c, size_t module)
{
    for (size_t i = 0; i < c->copies.count; i++)
        if (c->copies.items[i] == module)
            return true;
    return false;
}

/*
 * Both definitions are those of copies. An inline function may stand in the caller itself: then it
 * is the copy that the caller needs that counts.
 */
static bool belongs(const struct finder *f, const struct collision *c,
                    const struct inq_binding *binding)
{
    const struct inq_bound_module *from = &f->b->modules[binding->from];

    if (!has_copy(c, binding->actual))
        return false;
    if (has_copy(c, binding->expected))
        return true;
    for (size_t i = 0; binding->mixed && binding->expected == binding->from && i < from->n_needs;
         i++)
        if (from->needs[i] != binding->actual && has_copy(c, from->needs[i]))
            return true;
    return false;
}

static void take_crossing(struct finder *f, struct collision *c, size_t binding)
{
    const struct inq_binding *x = &f->b->foreign[binding];

    c->strong += x->strong && !x->displaced && !x->by_program;
    c->vague += !x->strong;
    c->others += x->mixed || x->displaced;
    c->by_program += x->by_program;
    c->on_path +=
        f->b->foreign[binding].strong && inq_crash_path_has(&f->path, f->b->foreign[binding].from);
    f->next[binding] = SIZE_MAX;
    if (c->last != SIZE_MAX)
        f->next[c->last] = binding;
    else
        c->first = binding;
    c->last = binding;
}

/* Is it enough to call the two libraries rivals, though nothing else does? */
static bool makes_rivals(const struct finder *f, size_t binding)
{
    if (f->b->foreign[binding].strong && !f->b->foreign[binding].displaced &&
        !f->b->foreign[binding].by_program)
        return true;
    for (size_t i = 0; i < f->n_links; i++)
        if (f->links[i].binding == binding && f->links[i].how != INQ_LINK_NONE)
            return true;
    return false;
}

static bool find_crossings(struct finder *f)
{
    const struct inq_binding *last = NULL;
    struct collision *c = NULL;

    for (size_t i = 0; i < f->b->n_foreign; i++) {
        const struct inq_binding *x = &f->b->foreign[i];
        bool known = last && x->expected == last->expected && x->actual == last->actual &&
                     x->mixed == last->mixed && x->from == last->from;

        if (!known) {
            c = NULL;
            for (size_t k = 0; k < f->found.count && !c; k++)
                if (belongs(f, &f->found.items[k], x))
                    c = &f->found.items[k];
            last = x;
        }
        if (!c && makes_rivals(f, i)) {
            c = collision_of(f, x->expected, x->actual);
            if (!c)
                return f->found.count >= MAX_COLLISIONS;
            add_copy(c, x->expected);
            add_copy(c, x->actual);
        }
        if (c)
            take_crossing(f, c, i);
    }
    return true;
}

/* Has it slots that nobody knows about? */
static bool is_unjudged(const struct inq_bound_module *m)
{
    return m->loaded && !m->is_linker && (!m->read || m->undecided > 0);
}

static void describe(struct finder *f, struct collision *c)
{
    for (size_t i = 0; i < c->copies.count; i++) {
        const struct inq_bound_module *m = &f->b->modules[c->copies.items[i]];

        c->judged += m->bound_here;
        if (is_unjudged(m) && c->unread == SIZE_MAX)
            c->unread = c->copies.items[i];
    }
    /* nor can they be acquitted while somebody on the crashing path may have used them */
    for (size_t i = 0; i < f->path.count && c->unread == SIZE_MAX; i++)
        if (f->path.frames[i].module != SIZE_MAX &&
            is_unjudged(&f->b->modules[f->path.frames[i].module]))
            c->unread = f->path.frames[i].module;
    for (size_t i = 0; i < f->b->n_in_scope_pairs; i++)
        if (has_copy(c, f->b->in_scope_pairs[i].expected) &&
            has_copy(c, f->b->in_scope_pairs[i].actual))
            c->in_scope += f->b->in_scope_pairs[i].slots;
    if (!c->has_common && c->copies.count >= 2 && f->b->modules[c->copies.items[0]].read &&
        f->b->modules[c->copies.items[1]].read) {
        struct inq_common common =
            inq_bindings_common(f->b, c->copies.items[0], c->copies.items[1]);

        c->has_common = true;
        c->common = common.common;
        c->same_exports = common.common == common.of_a && common.common == common.of_b;
    }
    for (size_t i = 0; i < f->n_links && !c->link; i++)
        if (belongs(f, c, &f->b->foreign[f->links[i].binding]))
            c->link = &f->links[i];
}

/* ---- the verdict on one of them ------------------------------------------------------ */

/*
 * Of such a library there must be one in a process, bound across or not (two OpenMP runtimes, two
 * event loops): while the crash is below one of them, they are not out of it.
 */
static bool is_single_on_path(const struct finder *f, const struct collision *c)
{
    if (!c->family[0] || !f->names[c->copies.items[0]].single)
        return false;
    for (size_t i = 0; i < c->copies.count; i++)
        if (inq_crash_path_has(&f->path, c->copies.items[i]) &&
            !f->dump->modules->items[c->copies.items[i]].is_main)
            return true;
    return false;
}

static const char *grade_of(const struct finder *f, const struct collision *c)
{
    static const char *const grades[] = {[INQ_GRADE_PLAUSIBLE] = "plausible",
                                         [INQ_GRADE_STRONG] = "strong",
                                         [INQ_GRADE_PROVEN] = "proven"};

    if (c->link)
        return grades[c->link->grade];
    if (c->strong > 0 || c->others > 0 || c->by_program > 0)
        return "context";
    if (f->b->none || c->unread != SIZE_MAX)
        return "inconclusive";
    return is_single_on_path(f, c) ? "context" : "refuted";
}

static const char *why_of(const struct finder *f, const struct collision *c)
{
    struct inq_arena *arena = f->dump->arena;

    if (c->link)
        return c->link->text;
    if (c->strong > 0 && f->path.no_fit)
        return inq_arena_printf(arena, "%llu slots are bound across; %s",
                                (unsigned long long)c->strong, f->path.no_fit);
    if (c->strong > 0 && c->on_path == 0 && f->path.cut)
        return inq_arena_printf(arena, "%llu slots are bound across; %s",
                                (unsigned long long)c->strong, f->path.cut);
    if (c->strong > 0)
        return inq_arena_printf(arena,
                                c->on_path > 0 ? "%llu slots are bound across, and what is seen of "
                                                 "the code on the crashing stack used none of them"
                                               : "%llu slots are bound across, none of them in a "
                                                 "module on the crashing stack",
                                (unsigned long long)c->strong);
    if (c->others > 0)
        return inq_arena_printf(
            arena,
            "%llu slots are bound across: %s, and no function on the crashing stack was seen to "
            "use one",
            (unsigned long long)c->others,
            c->vague > 0 ? "functions of C++ that one of the two has inline and the other has not"
                         : "the two were loaded together, too, but no order of theirs explains it");
    if (c->by_program > 0)
        return inq_arena_printf(
            arena,
            "%llu slots of what brought a copy of its own lead to the copy that the program was "
            "started with, which everybody gets first; what is seen of the code on the crashing "
            "stack used none of them",
            (unsigned long long)c->by_program);
    if (f->b->none)
        return f->b->none;
    if (c->unread != SIZE_MAX)
        return inq_arena_printf(
            arena, "%s could not be judged: %s", f->dump->modules->items[c->unread].name,
            f->b->modules[c->unread].unread ? f->b->modules[c->unread].unread
                                            : "not all of its slots can be judged");
    if (is_single_on_path(f, c))
        return "no slot is bound across, but a process should have one of them, and the crash is "
               "below one";
    if (c->judged == 0)
        return "no slot is bound across: none that was used leads to either of them";
    if (c->vague > 0)
        return inq_arena_printf(arena,
                                "no slot is bound across but for %llu of what C++ has once in a "
                                "process: %llu that lead to one of them were judged",
                                (unsigned long long)c->vague, (unsigned long long)c->judged);
    return inq_arena_printf(arena,
                            "no slot is bound across: %llu that lead to one of them were "
                            "judged",
                            (unsigned long long)c->judged);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static json_t *binding_json(struct finder *f, const struct inq_binding *x, bool on_path)
{
    json_t *o = json_object();

    inq_json_put_int(&f->w, o, "from", (int64_t)x->from);
    inq_json_put_text(&f->w, o, "symbol", x->symbol);
    inq_json_put_text(&f->w, o, "kind", x->kind == INQ_BINDING_DATA ? "data" : "function");
    inq_json_put_addr(&f->w, o, "slot", x->slot);
    inq_json_put_int(&f->w, o, "expected", (int64_t)x->expected);
    inq_json_put_int(&f->w, o, "actual", (int64_t)x->actual);
    inq_json_put_int(&f->w, o, "size_expected", (int64_t)(x->size_expected & INT64_MAX));
    inq_json_put_int(&f->w, o, "size_actual", (int64_t)(x->size_actual & INT64_MAX));
    if (x->version_expected)
        inq_json_put_text(&f->w, o, "version_expected", x->version_expected);
    if (x->version_actual)
        inq_json_put_text(&f->w, o, "version_actual", x->version_actual);
    inq_json_put_bool(&f->w, o, "strong", x->strong);
    inq_json_put_bool(&f->w, o, "on_crash_path", on_path);
    return o;
}

/* The one the crash went through, then the crashing path's, data before functions, strong ones. */
static unsigned rank_of(const struct finder *f, const struct collision *c,
                        const struct inq_binding *x)
{
    if (c->link && &f->b->foreign[c->link->binding] == x)
        return 0;
    return 1u + (inq_crash_path_has(&f->path, x->from) ? 0u : 4u) +
           (x->kind == INQ_BINDING_DATA ? 0u : 2u) + (x->strong ? 0u : 8u);
}

static json_t *bindings_json(struct finder *f, const struct collision *c)
{
    json_t *list = json_array();

    for (unsigned rank = 0; rank <= MOST_RANK && json_array_size(list) < MAX_BINDINGS; rank++)
        for (size_t i = c->first; i != SIZE_MAX && json_array_size(list) < MAX_BINDINGS;
             i = f->next[i]) {
            const struct inq_binding *x = &f->b->foreign[i];

            if (rank_of(f, c, x) == rank)
                inq_json_push(&f->w, list,
                              binding_json(f, x, inq_crash_path_has(&f->path, x->from)));
        }
    return list;
}

static json_t *crash_json(struct finder *f, const struct inq_crash_link *link)
{
    const struct inq_binding *x = &f->b->foreign[link->binding];
    json_t *o = json_object();

    inq_json_put_text(&f->w, o, "how", inq_link_name(link->how));
    inq_json_put_text(&f->w, o, "text", link->text);
    inq_json_put_text(&f->w, o, "symbol", x->symbol);
    inq_json_put_int(&f->w, o, "from", (int64_t)x->from);
    inq_json_put_int(&f->w, o, "expected", (int64_t)x->expected);
    inq_json_put_int(&f->w, o, "actual", (int64_t)x->actual);
    inq_json_put_int(&f->w, o, "size_expected", (int64_t)(x->size_expected & INT64_MAX));
    inq_json_put_int(&f->w, o, "size_actual", (int64_t)(x->size_actual & INT64_MAX));
    if (link->has_offset)
        inq_json_put_addr(&f->w, o, "offset", link->offset);
    if (link->has_value)
        inq_json_put_addr(&f->w, o, "value", link->value);
    inq_json_put_int(&f->w, o, "frame", (int64_t)link->frame);
    return o;
}

static json_t *collision_json(struct finder *f, const struct collision *c)
{
    json_t *o = json_object(), *copies = json_array(), *foreign = json_object();

    if (c->family[0])
        inq_json_put_text(&f->w, o, "family", c->family);
    for (size_t i = 0; i < c->copies.count; i++)
        inq_json_push(&f->w, copies, json_integer((json_int_t)c->copies.items[i]));
    inq_json_put(&f->w, o, "copies", copies);
    if (c->has_common) {
        inq_json_put_bool(&f->w, o, "same_exports", c->same_exports);
        inq_json_put_int(&f->w, o, "common_exports", c->common);
    }
    inq_json_put_int(&f->w, o, "judged", (int64_t)c->judged);
    inq_json_put(&f->w, o, "bindings", bindings_json(f, c));
    inq_json_put_int(&f->w, foreign, "strong", (int64_t)c->strong);
    inq_json_put_int(&f->w, foreign, "vague", (int64_t)c->vague);
    inq_json_put_int(&f->w, foreign, "in_scope", (int64_t)c->in_scope);
    if (!f->path.cut || c->on_path > 0) /* else it is not known */
        inq_json_put_int(&f->w, foreign, "on_path", (int64_t)c->on_path);
    inq_json_put(&f->w, o, "foreign", foreign);
    inq_json_put_text(&f->w, o, "grade", grade_of(f, c));
    inq_json_put_text(&f->w, o, "why", why_of(f, c));
    if (c->link && c->link->how != INQ_LINK_NONE)
        inq_json_put(&f->w, o, "crash", crash_json(f, c->link));
    return o;
}

/* ---- the detector -------------------------------------------------------------------- */

/* The gravest first: by the link, then by how much is bound across. */
static int compare_collisions(const void *a, const void *b)
{
    const struct collision *x = a, *y = b;
    const int left = x->link ? (int)x->link->grade : 0, right = y->link ? (int)y->link->grade : 0;

    if (left != right)
        return left > right ? -1 : 1;
    if (x->strong != y->strong)
        return x->strong > y->strong ? -1 : 1;
    if (x->family[0] && y->family[0] && strcmp(x->family, y->family) != 0)
        return strcmp(x->family, y->family);
    if (x->copies.items[0] != y->copies.items[0])
        return x->copies.items[0] < y->copies.items[0] ? -1 : 1;
    return x->copies.items[1] < y->copies.items[1] ? -1 : 1;
}

static struct inq_error *find_all(struct finder *f, struct inq_evidence *evidence)
{
    struct inq_dump *dump = f->dump;
    json_t *list;

    INQ_TRY(inq_dump_bindings(dump, &f->b));
    f->names = INQ_ARENA_ARRAY(dump->arena, f->b->count + 1, struct inq_library);
    f->next = INQ_ARENA_ARRAY(dump->arena, f->b->n_foreign + 1, size_t);
    if (!f->names || !f->next)
        return &inq_error_oom;
    name_modules(f);
    inq_crash_path(dump, f->b, evidence, &f->path);
    INQ_TRY(inq_crash_links(dump, f->b, &f->path, &f->links, &f->n_links));
    if (!find_families(f))
        return &inq_error_oom;
    INQ_TRY(find_pairs(f));
    if (!find_crossings(f))
        return &inq_error_oom;
    for (size_t i = 0; i < f->found.count; i++) {
        if (f->found.items[i].failed)
            return &inq_error_oom;
        describe(f, &f->found.items[i]);
    }
    if (f->found.count > 0)
        qsort(f->found.items, f->found.count, sizeof(f->found.items[0]), compare_collisions);
    list = json_array();
    for (size_t i = 0; i < f->found.count; i++)
        inq_json_push(&f->w, list, collision_json(f, &f->found.items[i]));
    inq_evidence_set(evidence, "collisions", list);
    return NULL;
}

struct inq_error *inq_detect_collisions(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct finder f = {.dump = dump};
    struct inq_error *error = find_all(&f, evidence);

    for (size_t i = 0; i < f.found.count; i++)
        INQ_ARRAY_FREE(&f.found.items[i].copies);
    INQ_ARRAY_FREE(&f.found);
    if (error)
        return error;
    return f.w.failed || evidence->failed ? &inq_error_oom : NULL;
}

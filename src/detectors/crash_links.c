/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a crash to a foreign slot. Proven is what can be seen: the value at hand stands in the other
 * copy's object, at the offset at which the code reads it; a frame was called through the slot; the
 * pointer at hand leads into the other copy's object; the object stands twice in the list of what
 * exit() destroys. A slot that the crashing function merely uses is less.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "code_refs.h"
#include "crash_path.h"
#include "exit_objects.h"

struct linker {
    struct inq_dump *dump;
    const struct inq_bindings *b;
    const struct inq_crash_path *path;
    INQ_ARRAY(struct inq_crash_link) links;
    bool failed;
};

const char *inq_link_name(enum inq_link_how how)
{
    static const char *const names[] = {
        [INQ_LINK_OBJECT_READ] = "object-read",
        [INQ_LINK_OBJECT_AT_HAND] = "object-at-hand",
        [INQ_LINK_CALL] = "call",
        [INQ_LINK_RETURN] = "return",
        [INQ_LINK_EXIT_OBJECT] = "exit-object",
    };

    return (size_t)how < INQ_ARRAY_SIZE(names) ? names[how] : NULL;
}

static const char *name_of(const struct linker *l, size_t module)
{
    return l->dump->modules->items[module].name;
}

static void add(struct linker *l, const struct inq_crash_link *link)
{
    struct inq_crash_link *item = INQ_ARRAY_PUSH(&l->links);

    if (item && link->text)
        *item = *link;
    else
        l->failed = true;
}

static uint64_t frame_index(const struct linker *l, size_t i)
{
    return l->path->frames[i].frame->index;
}

/* ---- fields of the other copy's object ----------------------------------------------- */

static bool value_is_at_hand(const struct linker *l, uint64_t value)
{
    for (size_t i = 0; i < l->path->n_values; i++)
        if (l->path->values[i] == value)
            return true;
    return false;
}

/* What a slot is worth that a function on the stack uses, and nothing more is seen. */
static enum inq_link_grade grade_of_use(const struct linker *l, size_t at)
{
    return l->path->many_causes || at > l->path->culprit ? INQ_GRADE_PLAUSIBLE : INQ_GRADE_STRONG;
}

/*
 * The code reads a field of the object. Proven when that field's value is what the crash was about:
 * it went to the function that failed, or was the base of the failing operand, and is still there.
 */
static void link_field(struct linker *l, size_t at, const struct inq_code_ref *ref)
{
    const struct inq_binding *f = &l->b->foreign[ref->binding];
    struct inq_arena *arena = l->dump->arena;
    struct inq_crash_link link = {.binding = ref->binding, .frame = frame_index(l, at)};
    uint64_t end;
    bool outside, at_hand;

    if (__builtin_add_overflow(ref->offset, ref->width, &end) || ref->offset > UINT32_MAX)
        return;
    outside = f->size_actual > 0 && end > f->size_actual && end <= f->size_expected;
    link.has_offset = true;
    link.offset = ref->offset;
    link.has_value =
        ref->width == 8 && inq_memory_word(l->dump->memory, f->target + ref->offset, &link.value);
    at_hand = link.has_value && (ref->is_argument || ref->is_base || link.value != 0) &&
              (value_is_at_hand(l, link.value) || (ref->is_argument && l->path->n_values == 0));
    if (at_hand && (outside || ref->is_argument || ref->is_base)) {
        link.grade = INQ_GRADE_PROVEN;
        link.how = outside ? INQ_LINK_OBJECT_READ : INQ_LINK_OBJECT_AT_HAND;
        link.text = inq_arena_printf(
            arena,
            outside ? "%s reads offset 0x%" PRIx64 " of %s, which has %" PRIu64
                      " bytes in its own copy; its slot leads to the copy in %s, which has %" PRIu64
                      ": behind its end stands 0x%" PRIx64 ", the value that the crash was about"
                    : "%s reads offset 0x%" PRIx64 " of %s (%" PRIu64
                      " bytes), and its slot leads to the object in %s (%" PRIu64
                      " bytes): there stands 0x%" PRIx64 ", the value that the crash was about",
            name_of(l, f->from), ref->offset, f->symbol, f->size_expected, name_of(l, f->actual),
            f->size_actual, link.value);
    } else if (outside) {
        link.grade = INQ_GRADE_STRONG;
        link.how = INQ_LINK_OBJECT_READ;
        link.text = inq_arena_printf(
            arena,
            "the function on the stack in %s reads offset 0x%" PRIx64
            " of %s, and its slot leads to the copy in %s, which ends at %" PRIu64 " bytes",
            name_of(l, f->from), ref->offset, f->symbol, name_of(l, f->actual), f->size_actual);
    } else {
        link.has_offset = link.has_value = false;
        link.grade = grade_of_use(l, at);
        link.text = inq_arena_printf(arena, "the function on the stack in %s uses %s of %s",
                                     name_of(l, f->from), f->symbol, name_of(l, f->actual));
    }
    add(l, &link);
}

/* An array that is walked, perhaps: what lies behind the shorter one is taken for a part of it. */
static void link_short(struct linker *l, size_t at, const struct inq_code_ref *ref)
{
    const struct inq_binding *f = &l->b->foreign[ref->binding];

    add(l,
        &(struct inq_crash_link){
            .binding = ref->binding,
            .frame = frame_index(l, at),
            .grade = INQ_GRADE_STRONG,
            .text = inq_arena_printf(
                l->dump->arena,
                "the function on the stack in %s uses %s, which has %" PRIu64
                " bytes in its own copy; its slot leads to the one in %s, which ends at %" PRIu64,
                name_of(l, f->from), f->symbol, f->size_expected, name_of(l, f->actual),
                f->size_actual)});
}

static void link_use(struct linker *l, size_t at, const struct inq_code_ref *ref)
{
    const struct inq_binding *f = &l->b->foreign[ref->binding];

    if (ref->has_offset && f->kind == INQ_BINDING_DATA) {
        link_field(l, at, ref);
        return;
    }
    if (f->kind == INQ_BINDING_DATA && f->strong && f->size_actual > 0 &&
        f->size_actual < f->size_expected && at <= l->path->culprit) {
        link_short(l, at, ref);
        return;
    }
    add(l, &(struct inq_crash_link){
               .binding = ref->binding,
               .frame = frame_index(l, at),
               .grade = grade_of_use(l, at),
               .text =
                   inq_arena_printf(l->dump->arena, "the function on the stack in %s uses %s of %s",
                                    name_of(l, f->from), f->symbol, name_of(l, f->actual))});
}

/* ---- calls that are on the stack ----------------------------------------------------- */

/*
 * Below the call only copies of the two, what they need, and the program's own libraries? Where a
 * function of others was called back, the failure may be its own.
 */
static bool stays_inside(const struct linker *l, const struct inq_binding *f, size_t caller,
                         bool *ret_returned)
{
    *ret_returned = false;
    for (size_t i = 0; i < caller; i++) {
        const size_t module = l->path->frames[i].module;

        if (module == SIZE_MAX || module == f->actual)
            continue;
        if (module == f->expected) {
            *ret_returned = true;
            continue;
        }
        if (l->dump->modules->items[module].is_main || module == f->from ||
            (l->b->modules[module].scope != INQ_SCOPE_MAIN && !l->b->modules[module].is_linker &&
             !inq_bindings_needs(l->b, f->actual, module)))
            return false;
    }
    return true;
}

/* Is the innermost frame that is not a helper's (abort(), raise()) in the copy that was called? */
static bool ended_by_callee(const struct linker *l, const struct inq_binding *f, size_t caller)
{
    for (size_t i = 0; i < caller; i++) {
        const size_t module = l->path->frames[i].module;

        if (module == f->actual)
            return true;
        if (module == f->from || module == f->expected || i >= l->path->culprit)
            return false;
    }
    return false;
}

/* A fault right below the call is what such a call does. An end that the code chose is less. */
static enum inq_link_grade grade_of_call(const struct linker *l, const struct inq_binding *f,
                                         size_t caller, bool inside)
{
    /* everybody calls what the program began with, and few crash of it */
    if (f->by_program)
        return l->path->fit == INQ_FIT_ANY && inside ? INQ_GRADE_PLAUSIBLE : INQ_GRADE_NONE;
    /* C++ merges weak functions; that the two were made of different sources is not seen in all */
    if (!f->strong)
        return l->path->fit != INQ_FIT_ANY ? INQ_GRADE_NONE
               : inside                    ? INQ_GRADE_STRONG
                                           : INQ_GRADE_PLAUSIBLE;
    if (l->path->fit == INQ_FIT_ANY)
        return inside ? INQ_GRADE_PROVEN : INQ_GRADE_PLAUSIBLE;
    if (!inside)
        return INQ_GRADE_NONE;
    return l->path->own_end && ended_by_callee(l, f, caller) ? INQ_GRADE_STRONG
                                                             : INQ_GRADE_PLAUSIBLE;
}

static void link_call(struct linker *l, size_t caller, size_t binding)
{
    const struct inq_binding *f = &l->b->foreign[binding];
    bool returned, inside = stays_inside(l, f, caller, &returned);
    const enum inq_link_grade grade = grade_of_call(l, f, caller, inside);

    if (grade == INQ_GRADE_NONE)
        return;
    add(l,
        &(struct inq_crash_link){
            .binding = binding,
            .frame = frame_index(l, caller),
            .grade = grade,
            .how = returned ? INQ_LINK_RETURN : INQ_LINK_CALL,
            .text = inq_arena_printf(
                l->dump->arena,
                returned ? "%s called %s, which its slot has in %s instead of %s, and that "
                           "called back"
                         : "%s called %s, which its slot has in %s instead of %s",
                name_of(l, f->from), f->symbol, name_of(l, f->actual), name_of(l, f->expected))});
}

/* ---- one frame ----------------------------------------------------------------------- */

/* The frame below was called by this one: is its function what a foreign slot here holds? */
static void link_callee(struct linker *l, size_t at, size_t first, size_t n)
{
    const struct inq_path_frame *callee = &l->path->frames[at - 1];

    if (!callee->has_start || !l->path->frames[at].frame->pc_is_return)
        return;
    for (size_t i = first; i < first + n; i++)
        if ((l->b->foreign[i].strong || l->b->foreign[i].mixed) &&
            l->b->foreign[i].target == callee->start && l->b->foreign[i].actual == callee->module) {
            link_call(l, at, i);
            return;
        }
}

/* Is the frame one of those in the module that failed, or of the helpers it called? */
static bool is_crashing_module(const struct linker *l, size_t at)
{
    const size_t culprit = l->path->culprit;

    if (l->path->fit != INQ_FIT_ANY)
        return false;
    for (size_t i = culprit; i < at && i < l->path->count; i++)
        if (l->path->frames[i].module != l->path->frames[culprit].module)
            return false;
    return at <= culprit || (culprit < l->path->count &&
                             l->path->frames[at].module == l->path->frames[culprit].module);
}

/* One link for each slot that the function uses; the call that is going on counts for itself. */
static void link_refs(struct linker *l, size_t at, const struct inq_code_refs *refs)
{
    for (size_t i = 0; i < refs->count && !l->failed; i++) {
        const struct inq_code_ref *ref = &refs->items[i];
        const struct inq_binding *f = &l->b->foreign[ref->binding];

        if (!f->strong && !(f->mixed && ref->is_call))
            continue;
        if (ref->is_call && ref->is_last && at > 0 && l->path->frames[at - 1].module == f->actual)
            link_call(l, at, ref->binding);
        else if (f->strong && !f->by_program && is_crashing_module(l, at))
            link_use(l, at, ref);
    }
}

static struct inq_error *link_frame(struct linker *l, size_t at)
{
    const struct inq_path_frame *frame = &l->path->frames[at];
    struct inq_code_refs refs;
    size_t first, n;

    if (frame->module == SIZE_MAX)
        return NULL;
    n = inq_bindings_of(l->b, frame->module, &first);
    if (n == 0)
        return NULL;
    if (at > 0)
        link_callee(l, at, first, n);
    INQ_TRY(inq_code_refs(l->dump, l->b, frame->frame, first, n, &refs));
    if (refs.examined) {
        link_refs(l, at, &refs);
        return NULL;
    }
    for (size_t i = first; at == l->path->culprit && is_crashing_module(l, at) && i < first + n;
         i++)
        if (l->b->foreign[i].strong && !l->b->foreign[i].by_program) {
            add(l, &(struct inq_crash_link){
                       .binding = i,
                       .frame = frame_index(l, at),
                       .grade = INQ_GRADE_PLAUSIBLE,
                       .text = "the crashing module holds slots that are bound to another copy; "
                               "whether its function uses them could not be seen in its code"});
            break;
        }
    return NULL;
}

/* ---- pointers into the other copy's objects ------------------------------------------ */

static bool on_path(const struct linker *l, size_t module)
{
    for (size_t i = 0; i <= l->path->culprit && i < l->path->count; i++)
        if (l->path->frames[i].module == module)
            return true;
    return false;
}

static void link_pointer(struct linker *l, size_t binding)
{
    const struct inq_binding *f = &l->b->foreign[binding];
    const uint64_t size = f->size_expected > f->size_actual ? f->size_expected : f->size_actual;
    struct inq_crash_link link = {
        .binding = binding, .grade = INQ_GRADE_PROVEN, .frame = frame_index(l, l->path->culprit)};

    if (l->path->has_address && l->path->address - f->target >= f->size_actual &&
        l->path->address - f->target < f->size_expected) {
        link.how = INQ_LINK_OBJECT_READ;
        link.has_offset = true;
        link.offset = l->path->address - f->target;
        link.text = inq_arena_printf(l->dump->arena,
                                     "the fault is at offset 0x%" PRIx64
                                     " of %s, for which the slot of %s has the copy in %s: it ends "
                                     "at %" PRIu64 " bytes",
                                     link.offset, f->symbol, name_of(l, f->from),
                                     name_of(l, f->actual), f->size_actual);
        add(l, &link);
        return;
    }
    for (size_t i = 0; i < l->path->n_values; i++) {
        if (l->path->values[i] - f->target >= size)
            continue;
        link.how = INQ_LINK_OBJECT_AT_HAND;
        link.has_offset = link.has_value = true;
        link.offset = l->path->values[i] - f->target;
        link.value = l->path->values[i];
        link.text = inq_arena_printf(l->dump->arena,
                                     "the crash was at work on %s of %s, to which the slot of %s "
                                     "leads instead of to that of %s",
                                     f->symbol, name_of(l, f->actual), name_of(l, f->from),
                                     name_of(l, f->expected));
        add(l, &link);
        return;
    }
}

static void link_exit_object(struct linker *l, size_t binding)
{
    const struct inq_binding *f = &l->b->foreign[binding];

    if (!inq_exit_object_is_shared(l->dump, f->target, f->from, f->actual))
        return;
    add(l,
        &(struct inq_crash_link){
            .binding = binding,
            .grade = INQ_GRADE_PROVEN,
            .how = INQ_LINK_EXIT_OBJECT,
            .frame = frame_index(l, l->path->culprit),
            .text = inq_arena_printf(
                l->dump->arena,
                "%s and %s have both registered %s of %s to be destroyed at exit, since the slot "
                "of the former leads there",
                name_of(l, f->from), name_of(l, f->actual), f->symbol, name_of(l, f->actual))});
}

static void link_objects(struct linker *l)
{
    for (size_t i = 0; i < l->b->n_foreign && !l->failed; i++) {
        const struct inq_binding *f = &l->b->foreign[i];
        bool from, actual;

        if (l->path->fit != INQ_FIT_ANY || !f->strong || f->by_program ||
            f->kind != INQ_BINDING_DATA || l->path->culprit >= l->path->count)
            continue;
        from = on_path(l, f->from);
        actual = on_path(l, f->actual);
        if (from)
            link_pointer(l, i);
        if ((from || actual) && l->path->exiting)
            link_exit_object(l, i);
    }
}

/* ---- all of it ----------------------------------------------------------------------- */

static int compare_links(const void *a, const void *b)
{
    const struct inq_crash_link *x = a, *y = b;

    if (x->grade != y->grade)
        return x->grade > y->grade ? -1 : 1;
    if ((x->how == INQ_LINK_NONE) != (y->how == INQ_LINK_NONE))
        return x->how != INQ_LINK_NONE ? -1 : 1;
    if (x->how != y->how)
        return x->how < y->how ? -1 : 1;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return x->binding < y->binding ? -1 : x->binding > y->binding;
}

/* Where one slot is proven, that a function uses others as well says nothing more. */
static void drop_mere_uses(struct linker *l)
{
    size_t kept = 0;
    bool proven = false;

    for (size_t i = 0; i < l->links.count; i++)
        proven |= l->links.items[i].grade == INQ_GRADE_PROVEN;
    for (size_t i = 0; proven && i < l->links.count; i++)
        if (l->links.items[i].grade == INQ_GRADE_PROVEN)
            l->links.items[kept++] = l->links.items[i];
    if (proven)
        l->links.count = kept;
}

static struct inq_error *link_all(struct linker *l)
{
    for (size_t i = 0; i < l->path->count && !l->failed; i++)
        INQ_TRY(link_frame(l, i));
    link_objects(l);
    drop_mere_uses(l);
    return l->failed ? &inq_error_oom : NULL;
}

struct inq_error *inq_crash_links(struct inq_dump *dump, const struct inq_bindings *bindings,
                                  const struct inq_crash_path *path,
                                  struct inq_crash_link **ret_links, size_t *ret_count)
{
    struct linker l = {.dump = dump, .b = bindings, .path = path};
    struct inq_error *error = NULL;
    struct inq_crash_link *links;

    *ret_count = 0;
    *ret_links = NULL;
    if (path->fit == INQ_FIT_NONE || bindings->n_foreign == 0)
        return NULL;
    error = link_all(&l);
    links = INQ_ARENA_ARRAY(dump->arena, l.links.count + 1, struct inq_crash_link);
    if (!error && !links)
        error = &inq_error_oom;
    if (!error && l.links.count > 0) {
        memcpy(links, l.links.items, l.links.count * sizeof(*links));
        qsort(links, l.links.count, sizeof(*links), compare_links);
        *ret_count = l.links.count;
    }
    *ret_links = links;
    INQ_ARRAY_FREE(&l.links);
    return error;
}

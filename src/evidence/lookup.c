/* SPDX-License-Identifier: Apache-2.0 */

/* Paths as signatures write them, walked through the dictionary and a document side by side. */

#include <stdio.h>
#include <string.h>

#include "evidence.h"
#include "fact_table.h"
#include "facts.h"

static const char not_looked_for[] = "this version does not look for it";
static const char no_such_fact[] = "there is no such fact";
static const char no_crashed_thread[] = "the dump does not tell which thread crashed";
static const char no_such_element[] = "no element of the list is known to fit";
static const char no_such_frame[] = "this frame was left out, or the stack was not followed so far";

struct walk {
    int node;            /* where the path is in the dictionary */
    const json_t *value; /* and in the document; NULL once something on the way is not there */
    int absent;          /* the node at which the value was lost; INQ_FACT_NODE_NONE: not lost */
    const char *why;     /* static: the value was lost for a reason that is known */
};

static void step_to(struct walk *walk, int node, const json_t *value)
{
    walk->node = node;
    if (!walk->value)
        return;
    if (!value || json_is_null(value)) {
        walk->value = NULL;
        walk->absent = node;
    } else {
        walk->value = value;
    }
}

static const json_t *member_value(const json_t *object, const char *key, size_t size)
{
    char name[256];
    if (size >= sizeof(name) || !json_is_object(object))
        return NULL;
    memcpy(name, key, size);
    name[size] = '\0';
    return json_object_get(object, name);
}

static const json_t *crashed_thread(const json_t *threads)
{
    size_t i;
    json_t *thread;
    json_array_foreach (threads, i, thread) {
        if (json_is_true(json_object_get(thread, "crashed")))
            return thread;
    }
    return NULL;
}

static void walk_to_crashed(struct walk *walk, const json_t *document)
{
    int node = inq_fact_node_member(INQ_FACT_NODE_ROOT, "threads", 7);
    const json_t *thread = crashed_thread(json_object_get(document, "threads"));
    if (walk->value && !thread)
        walk->why = no_crashed_thread;
    step_to(walk, node, thread);
}

/*
 * Frame by its index, which is its place in the list unless the middle was left out or functions
 * were inlined: these come first and have the index of the frame they are part of. That one is
 * meant, so that a fact is the same with debug information and without.
 */
static const json_t *frame_at(const json_t *frames, size_t index)
{
    const json_t *frame = json_array_get(frames, index);
    size_t low = 0, high = json_array_size(frames);

    if (frame && (size_t)json_integer_value(json_object_get(frame, "index")) == index &&
        !json_is_true(json_object_get(frame, "inlined")))
        return frame;
    while (low < high) { /* to the last whose index is not greater */
        size_t middle = low + (high - low) / 2;
        frame = json_array_get(frames, middle);
        if (json_integer_value(json_object_get(frame, "index")) <= (json_int_t)index)
            low = middle + 1;
        else
            high = middle;
    }
    frame = low > 0 ? json_array_get(frames, low - 1) : NULL;
    return frame && json_integer_value(json_object_get(frame, "index")) == (json_int_t)index ? frame
                                                                                             : NULL;
}

/* From the crashing thread to frame N, counted from the one that the fault happened in. */
static void walk_to_frame(struct walk *walk, const json_t *document, size_t index)
{
    const json_t *thread = walk->value;
    json_int_t first =
        json_integer_value(json_object_get(json_object_get(document, "fault"), "frame"));
    if (first > 0 && __builtin_add_overflow(index, (size_t)first, &index))
        index = SIZE_MAX;
    int node = inq_fact_node_member(walk->node, "frames", 6);
    const json_t *frame = frame_at(json_object_get(thread, "frames"), index);
    if (thread && !frame) {
        json_int_t total = json_integer_value(json_object_get(thread, "frames_total"));
        bool all = json_is_true(json_object_get(thread, "complete")) && total > 0 &&
                   (json_int_t)index >= total;
        if (!all)
            walk->why = no_such_frame;
    }
    step_to(walk, node, frame);
}

static const json_t *module_at(const json_t *document, const json_t *index)
{
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return NULL;
    return json_array_get(json_object_get(document, "modules"), (size_t)json_integer_value(index));
}

const json_t *inq_evidence_element(const json_t *document, const struct inq_fact *list,
                                   const json_t *values, size_t index)
{
    const json_t *value = json_array_get(values, index);
    return inq_fact_is_module(list) ? module_at(document, value) : value;
}

/*
 * From indexes[2] to one of them: the path goes on as from a single index. (A list's own node
 * stands for its elements.)
 */
static bool is_module_of_list(const struct walk *walk, const struct inq_path_step *last)
{
    const struct inq_fact *fact = inq_fact_node_fact(walk->node);
    return last->indexed && fact && fact->type == INQ_FACT_NUMBERS && inq_fact_is_module(fact);
}

/* From an index into modules[] to that module. */
static void walk_to_module(struct walk *walk, const json_t *document,
                           const struct inq_path_step *last)
{
    const struct inq_fact *fact = inq_fact_node_fact(walk->node);
    bool single = fact && (fact->type == INQ_FACT_INT || is_module_of_list(walk, last));
    if (!single || !inq_fact_is_module(fact))
        return;
    step_to(walk, inq_fact_node_of_list(fact), module_at(document, walk->value));
}

static void walk_member(struct walk *walk, const struct inq_path_step *step)
{
    int node = inq_fact_node_member(walk->node, step->key, step->key_size);
    const json_t *value = member_value(walk->value, step->key, step->key_size);
    if (step->indexed)
        value = json_array_get(value, step->index);
    step_to(walk, node, value);
}

/* The values of a map have free names, dots and brackets included. */
static bool walk_map(struct walk *walk, const char *key)
{
    const struct inq_fact *fact = inq_fact_node_fact(walk->node);
    if (!fact || fact->type != INQ_FACT_MAP)
        return false;
    int node = inq_fact_node_member(walk->node, "*", 1);
    step_to(walk, node, member_value(walk->value, key, strlen(key)));
    return true;
}

static const struct inq_element *element_named(const struct inq_fact_scope *scope,
                                               const struct inq_path_step *step)
{
    for (size_t i = scope && !step->indexed ? scope->count : 0; i > 0; i--)
        if (inq_path_step_is(step, scope->items[i - 1].name))
            return &scope->items[i - 1];
    return NULL;
}

/* The first step of a path, where aliases and elements stand. False for a malformed path. */
static bool walk_first(struct walk *walk, const json_t *document, const char **path,
                       const struct inq_fact_scope *scope)
{
    struct inq_path_step step;
    if (!inq_path_next(path, &step))
        return false;
    const struct inq_element *element = element_named(scope, &step);
    if (element) {
        if (document && !element->value)
            walk->why = no_such_element;
        step_to(walk, inq_fact_node_of_list(element->list), element->value);
    } else if (inq_path_step_is(&step, "crashed")) {
        walk_to_crashed(walk, document);
        const char *rest = *path;
        if (rest && inq_path_next(&rest, &step) && step.indexed &&
            inq_path_step_is(&step, "frame")) {
            walk_to_frame(walk, document, step.index);
            *path = rest;
        }
    } else if (inq_path_step_is(&step, "frame") && step.indexed) {
        walk_to_crashed(walk, document);
        walk_to_frame(walk, document, step.index);
    } else if (inq_path_step_is(&step, "frames")) {
        walk_to_crashed(walk, document);
        walk_member(walk, &step);
    } else {
        walk_member(walk, &step);
    }
    return true;
}

/* `document` may be NULL: then only walk->node means anything. False for a malformed path. */
static bool walk_path(struct walk *walk, const json_t *document, const char *path,
                      const struct inq_fact_scope *scope)
{
    struct inq_path_step step = {0};
    *walk =
        (struct walk){.node = INQ_FACT_NODE_ROOT, .value = document, .absent = INQ_FACT_NODE_NONE};
    if (!walk_first(walk, document, &path, scope))
        return false;
    while (path && walk->node != INQ_FACT_NODE_NONE) {
        if (walk_map(walk, path))
            break;
        walk_to_module(walk, document, &step);
        if (!inq_path_next(&path, &step))
            return false;
        walk_member(walk, &step);
    }
    return true;
}

const struct inq_fact *inq_fact_find_in(const char *path, const struct inq_fact_scope *scope)
{
    struct walk walk;
    if (!walk_path(&walk, NULL, path, scope))
        return NULL;
    return inq_fact_node_fact(walk.node);
}

static struct inq_fact_scope scope_of(const char *name, const json_t *value)
{
    const struct inq_fact *list = name ? inq_fact_list_of_element(name) : NULL;
    struct inq_fact_scope scope = {.count = list ? 1 : 0};
    scope.items[0] = (struct inq_element){.name = name, .list = list, .value = value};
    return scope;
}

const struct inq_fact *inq_fact_find(const char *path, const char *element)
{
    struct inq_fact_scope scope = scope_of(element, NULL);
    return inq_fact_find_in(path, &scope);
}

/* The reason for `path` or for anything it is part of. */
static const char *reason_for(const json_t *unknown, const char *path)
{
    char name[256];
    size_t size = strlen(path);
    if (size >= sizeof(name))
        return NULL;
    memcpy(name, path, size + 1);
    while (size > 0) {
        const char *why = json_string_value(json_object_get(unknown, name));
        if (why)
            return why;
        if (name[size - 1] == ']') {
            while (size > 0 && name[size - 1] != '[')
                size--;
            size -= size > 0;
        } else {
            while (size > 0 && name[size - 1] != '.')
                size--;
            size -= size > 0;
        }
        name[size] = '\0';
    }
    return NULL;
}

static struct inq_fact_value unknown_because(const char *why)
{
    return (struct inq_fact_value){.known = INQ_UNKNOWN, .why = why};
}

struct inq_fact_value inq_evidence_get(const json_t *document, const char *path,
                                       const char *element_name, const json_t *element)
{
    struct inq_fact_scope scope = scope_of(element_name, element);
    return inq_evidence_get_in(document, path, &scope);
}

struct inq_fact_value inq_evidence_get_in(const json_t *document, const char *path,
                                          const struct inq_fact_scope *scope)
{
    struct walk walk;
    if (!walk_path(&walk, document, path, scope))
        return unknown_because(no_such_fact);
    if (walk.value)
        return (struct inq_fact_value){.known = INQ_KNOWN, .value = walk.value};

    const struct inq_fact *fact = inq_fact_node_fact(walk.node);
    const json_t *unknown = json_object_get(document, "unknown");
    if (json_object_size(unknown) > 0) {
        const char *why = reason_for(unknown, path);
        if (!why && fact)
            why = reason_for(unknown, fact->path);
        if (why)
            return unknown_because(why);
    }
    if (!fact)
        return unknown_because(no_such_fact);
    const struct inq_fact *absent = inq_fact_node_fact(walk.absent);
    if (!fact->source || (absent && !absent->source))
        return unknown_because(not_looked_for);
    if (walk.why)
        return unknown_because(walk.why);
    return (struct inq_fact_value){.known = INQ_NONE};
}

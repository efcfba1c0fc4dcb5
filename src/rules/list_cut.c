/* SPDX-License-Identifier: Apache-2.0 */

/* Lists that may be longer in truth than in the document. */

#include <stdio.h>
#include <string.h>

#include "evaluator.h"

static bool is_true(const json_t *document, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN && json_is_true(fact.value);
}

static bool is_false(const json_t *document, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN && json_is_false(fact.value);
}

static bool has_gap(const json_t *document, enum inq_code code)
{
    size_t index;
    json_t *gap;
    json_array_foreach (json_object_get(document, "gaps"), index, gap) {
        const char *name = json_string_value(json_object_get(gap, "code"));
        if (name && strcmp(name, inq_code_name(code)) == 0)
            return true;
    }
    return false;
}

/* The fact `key` of what the list belongs to: "thread.frames" → "thread.complete". */
static struct inq_fact_value owner_fact(const json_t *document, const struct inq_condition *list,
                                        const struct inq_fact_scope *scope, const char *key)
{
    char path[256];
    const char *dot = strrchr(list->path, '.');
    int size = dot ? (int)(dot - list->path) : 0;
    /* "frames" alone are the crashing thread's */
    int done = size ? snprintf(path, sizeof(path), "%.*s.%s", size, list->path, key)
                    : snprintf(path, sizeof(path), "crashed.%s", key);
    if (done < 0 || (size_t)done >= sizeof(path))
        return (struct inq_fact_value){.known = INQ_UNKNOWN, .why = "its name is too long"};
    return inq_evidence_get_in(document, path, scope);
}

static bool known_true(struct inq_fact_value fact)
{
    return fact.known == INQ_KNOWN && json_is_true(fact.value);
}

static const char *frames_are_cut(const json_t *document, const struct inq_condition *condition,
                                  const struct inq_fact_scope *scope, size_t size,
                                  uint64_t *ret_missing)
{
    if (!known_true(owner_fact(document, condition, scope, "complete")))
        return "the stack could not be followed to its end";
    if (!known_true(owner_fact(document, condition, scope, "truncated")))
        return NULL;
    struct inq_fact_value total = owner_fact(document, condition, scope, "frames_total");
    json_int_t count = total.known == INQ_KNOWN ? json_integer_value(total.value) : 0;
    if (count > 0 && (uint64_t)count > size)
        *ret_missing = (uint64_t)count - size;
    return "frames in the middle of the stack were left out";
}

static const char *threads_are_cut(const json_t *document, size_t size, uint64_t *ret_missing)
{
    json_int_t total = json_integer_value(json_object_get(document, "threads_total"));
    if (is_true(document, "core.notes_cut"))
        return "the dump ends inside its notes: threads may be missing";
    if (total <= 0 || (uint64_t)total <= size)
        return NULL;
    *ret_missing = (uint64_t)total - size;
    return "more threads than are listed";
}

/* Of the bindings of a collision only the first are listed; `foreign` counts all. */
static const char *bindings_are_cut(const json_t *document, const struct inq_condition *condition,
                                    const struct inq_fact_scope *scope, size_t size)
{
    struct inq_fact_value strong = owner_fact(document, condition, scope, "foreign.strong");
    json_int_t count = strong.known == INQ_KNOWN ? json_integer_value(strong.value) : 0;
    return count > 0 && (uint64_t)count > size ? "more of them than are listed" : NULL;
}

const char *inq_list_is_cut(const json_t *document, const struct inq_condition *condition,
                            const struct inq_fact_scope *scope, size_t size, uint64_t *ret_missing)
{
    const char *list = condition->fact->path;
    *ret_missing = UINT64_MAX;
    if (strcmp(list, "threads[].frames") == 0)
        return frames_are_cut(document, condition, scope, size, ret_missing);
    if (strcmp(list, "threads") == 0)
        return threads_are_cut(document, size, ret_missing);
    if (strcmp(list, "modules") == 0) {
        if (is_true(document, "core.notes_cut"))
            return "the dump ends inside its notes: modules may be missing";
        return has_gap(document, INQ_G_MODULES) ? "more modules than are listed" : NULL;
    }
    if (strcmp(list, "collisions[].bindings") == 0)
        return bindings_are_cut(document, condition, scope, size);
    bool slots = strcmp(list, "collisions") == 0 || strncmp(list, "bindings.", 9) == 0;
    return slots && is_false(document, "bindings.complete") ? "not every slot could be read" : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading a document back. It comes from a worker that a hostile dump may have taken over, or from
 * a file that somebody handed in, so nothing about it is believed: bounds first, over the plain
 * bytes (jansson would make a hundred bytes of each three), then every value against the
 * dictionary.
 */

#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "evidence.h"
#include "fact_table.h"
#include "text.h"

#define MAX_DEPTH 16
#define MAX_VALUES 4000000u    /* in a document: 256 stacks of 256 frames have a quarter of it */
#define MAX_TEXT_BYTES 262144u /* of one string */
#define MAX_KEY_BYTES 256u
#define MAX_MAP_KEYS 4096u

/* How long a list may be; INQ_MAX_MODULES for the others. */
static const struct {
    const char *path;
    size_t limit;
} list_limits[] = {
    {"threads", INQ_MAX_THREADS_LISTED},
    {"threads[].frames", INQ_MAX_FRAMES_SHOWN + INQ_MAX_INLINED_SHOWN},
    {"modules", INQ_MAX_MODULES},
    {"collisions", 1024},
    {"collisions[].bindings", 64},
    {"kernel_log", 1024},
    {"verdicts", 4096},
    {"gaps", INQ_MAX_GAPS + 64u}, /* the parent adds some */
};

struct check {
    struct inq_text where; /* only filled on failure, from the inside out */
    const char *problem;   /* static; NULL: good */
};

/* Counts what is between the strings. Whether it is JSON at all is left to the parser. */
static const char *check_bounds(const char *bytes, size_t size, size_t *ret_offset)
{
    size_t depth = 0, values = 0;
    for (size_t i = 0; i < size; i++) {
        *ret_offset = i;
        switch (bytes[i]) {
        case '"':
            for (i++; i < size && bytes[i] != '"'; i++)
                i += bytes[i] == '\\';
            break;
        case '{':
        case '[':
            if (++depth > MAX_DEPTH)
                return "nested too deeply";
            values++;
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ',':
            values++;
            break;
        default:
            break;
        }
        if (values > MAX_VALUES)
            return "too many values";
    }
    return NULL;
}

static size_t list_limit(const struct inq_fact *fact)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(list_limits); i++)
        if (!strcmp(fact->path, list_limits[i].path))
            return list_limits[i].limit;
    return INQ_MAX_MODULES;
}

/* "a|b|c" holds the word. */
static bool word_allowed(const char *values, const char *word)
{
    size_t size = strlen(word);
    if (size == 0 || strchr(word, '|'))
        return false;
    for (const char *at = values; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, word, size) && (at[size] == '|' || at[size] == '\0'))
            return true;
    }
    return false;
}

static const char *check_scalar(const struct inq_fact *fact, const json_t *value)
{
    uint64_t addr;
    switch (fact->type) {
    case INQ_FACT_TEXT:
        if (!json_is_string(value))
            return "is no text";
        return json_string_length(value) > MAX_TEXT_BYTES ? "is too long" : NULL;
    case INQ_FACT_WORD:
        if (!json_is_string(value) || !word_allowed(fact->values, json_string_value(value)))
            return "is none of its words";
        return NULL;
    case INQ_FACT_INT:
        return json_is_integer(value) ? NULL : "is no whole number";
    case INQ_FACT_REAL:
        return json_is_number(value) ? NULL : "is no number";
    case INQ_FACT_BOOL:
        return json_is_boolean(value) ? NULL : "is neither true nor false";
    case INQ_FACT_ADDR:
        return inq_json_addr_value(value, &addr) ? NULL : "is no address";
    default:
        return "has an odd type";
    }
}

static const char *check_plain_list(const struct inq_fact *fact, const json_t *value)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return "is no list";
    if (json_array_size(value) > list_limit(fact))
        return "is too long a list";
    json_array_foreach (value, i, item) {
        bool good = fact->type == INQ_FACT_TEXTS
                        ? json_is_string(item) && json_string_length(item) <= MAX_TEXT_BYTES
                        : json_is_integer(item);
        if (!good)
            return "holds something of another type";
    }
    return NULL;
}

/* "path_base64": the original bytes of a text that was no UTF-8. */
static bool is_twin(int parent, const char *key, const json_t *value)
{
    static const char suffix[] = "_base64";
    size_t size = strlen(key);
    if (size < sizeof(suffix) || !inq_ends_with(key, suffix))
        return false;
    const struct inq_fact *fact =
        inq_fact_node_fact(inq_fact_node_member(parent, key, size - (sizeof(suffix) - 1)));
    return fact && fact->type == INQ_FACT_TEXT && json_is_string(value) &&
           json_string_length(value) <= 2 * MAX_TEXT_BYTES;
}

static void fail(struct check *check, const char *problem)
{
    if (!check->problem)
        check->problem = problem;
}

/* Builds "threads[3].frames[0].pc" from its end; keys are foreign. */
static void fail_inside(struct check *check, const char *key, bool indexed, size_t index)
{
    struct inq_text where = {0};
    if (indexed)
        inq_text_printf(&where, "[%zu]", index);
    else
        inq_text_append_escaped(&where, key, strnlen(key, 64));
    if (check->where.size > 0 && check->where.bytes[0] != '[')
        inq_text_append(&where, ".");
    if (check->where.size > 0)
        inq_text_append_bytes(&where, check->where.bytes, check->where.size);
    inq_text_deinit(&check->where);
    check->where = where;
}

static void check_value(struct check *check, int node, const json_t *value);

static void check_members(struct check *check, int node, const json_t *object)
{
    const char *key;
    json_t *value;
    int member = INQ_FACT_NODE_NONE;
    if (!json_is_object(object)) {
        fail(check, "is no object");
        return;
    }
    json_object_foreach ((json_t *)object, key, value) {
        member = inq_fact_node_member_after(node, member, key, strlen(key));
        if (member >= 0)
            check_value(check, member, value);
        else if (!json_is_null(value) && !is_twin(node, key, value))
            fail(check, "is in no dictionary");
        if (check->problem) {
            fail_inside(check, key, false, 0);
            return;
        }
    }
}

static void check_list(struct check *check, int node, const json_t *value)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value)) {
        fail(check, "is no list");
        return;
    }
    if (json_array_size(value) > list_limit(inq_fact_node_fact(node))) {
        fail(check, "is too long a list");
        return;
    }
    json_array_foreach (value, i, item) {
        check_members(check, node, item);
        if (check->problem) {
            fail_inside(check, NULL, true, i);
            return;
        }
    }
}

static void check_map(struct check *check, int node, const json_t *value)
{
    const struct inq_fact *fact = inq_fact_node_fact(inq_fact_node_member(node, "*", 1));
    const char *key;
    json_t *item;
    if (!json_is_object(value) || json_object_size(value) > MAX_MAP_KEYS) {
        fail(check, "is no object, or has too many names");
        return;
    }
    json_object_foreach ((json_t *)value, key, item) {
        if (strlen(key) > MAX_KEY_BYTES)
            fail(check, "has too long a name");
        else if (!json_is_null(item))
            fail(check, check_scalar(fact, item));
        if (check->problem) {
            fail_inside(check, key, false, 0);
            return;
        }
    }
}

static void check_value(struct check *check, int node, const json_t *value)
{
    const struct inq_fact *fact = inq_fact_node_fact(node);
    if (json_is_null(value))
        return;
    switch (fact->type) {
    case INQ_FACT_OBJECT:
        check_members(check, node, value);
        break;
    case INQ_FACT_LIST:
        check_list(check, node, value);
        break;
    case INQ_FACT_MAP:
        check_map(check, node, value);
        break;
    case INQ_FACT_TEXTS:
    case INQ_FACT_NUMBERS:
        fail(check, check_plain_list(fact, value));
        break;
    default:
        fail(check, check_scalar(fact, value));
        break;
    }
}

static struct inq_error *check_document(const json_t *document, const char *name)
{
    struct check check = {0};
    const char *format = json_string_value(json_object_get(document, "format"));
    json_t *version = json_object_get(document, "version");
    if ((format && strcmp(format, "inquest-report") != 0) ||
        (json_is_integer(version) && json_integer_value(version) != 1))
        return inq_error_in(
            inq_error_create(INQ_E_WORKER_OUTPUT, "not an inquest report of version 1"), name);
    check_members(&check, INQ_FACT_NODE_ROOT, document);
    struct inq_error *error = NULL;
    if (check.problem)
        error = inq_error_in(
            inq_error_create(INQ_E_WORKER_OUTPUT, "not an inquest report: %s %s",
                             check.where.bytes ? check.where.bytes : "the document", check.problem),
            name);
    inq_text_deinit(&check.where);
    return error;
}

struct inq_error *inq_evidence_parse(const char *bytes, size_t size, const char *name,
                                     struct inq_evidence **ret_evidence)
{
    size_t offset = 0;
    const char *problem = check_bounds(bytes, size, &offset);
    if (problem)
        return inq_error_at(
            inq_error_in(
                inq_error_create(INQ_E_WORKER_OUTPUT, "not an inquest report: %s", problem), name),
            offset);
    json_error_t details;
    json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &details);
    if (!document && json_error_code(&details) == json_error_out_of_memory)
        return &inq_error_oom;
    if (!document)
        return inq_error_at(
            inq_error_in(inq_error_create(INQ_E_WORKER_OUTPUT, "not JSON: %s", details.text), name),
            details.position > 0 ? (uint64_t)details.position : 0);
    struct inq_evidence *evidence = NULL;
    struct inq_error *error = check_document(document, name);
    if (!error) {
        evidence = calloc(1, sizeof(*evidence));
        error = evidence ? NULL : &inq_error_oom;
    }
    if (error) {
        json_decref(document);
        return error;
    }
    evidence->document = document;
    *ret_evidence = evidence;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evaluator.h"
#include "text.h"

/* What one template may grow to: a path in it can stand for a 4 KiB name many times over. */
#define RENDERED_BYTES 65536u
#define LONG_NAME 80u /* of a function, in bytes */
/* Of a list a sentence names a few. */
#define MAX_LISTED 8u

/*
 * The next piece of a template at `*at`: plain text, or a fact in braces. `{{` is one brace. False
 * at the end; *ret_bad is set when a brace is not closed.
 */
static bool next_piece(const char **at, const char **ret_start, size_t *ret_size, bool *ret_fact,
                       bool *ret_bad)
{
    const char *p = *at;
    *ret_bad = false;
    *ret_fact = false;
    if (!*p)
        return false;
    if (p[0] == '{' && p[1] == '{') {
        *ret_start = p;
        *ret_size = 1;
        *at = p + 2;
        return true;
    }
    if (p[0] == '{') {
        size_t size = strcspn(p + 1, "{} \t\n|");
        if (p[1 + size] == '|') /* "{fact|what stands there when it is not known}" */
            size += strcspn(p + 1 + size, "{}");
        *ret_start = p + 1;
        *ret_size = size;
        *ret_fact = true;
        *ret_bad = size == 0 || p[1 + size] != '}';
        *at = *ret_bad ? p + 1 : p + 2 + size;
        return true;
    }
    size_t size = strcspn(p, "{");
    *ret_start = p;
    *ret_size = size;
    *at = p + size;
    return true;
}

/* Of "fact|otherwise": the fact. */
static size_t path_size(const char *start, size_t size)
{
    const char *bar = memchr(start, '|', size);
    return bar ? (size_t)(bar - start) : size;
}

/* Facts that a command may hold: none whose text the dead process or its files chose. */
static bool is_safe_in_command(const struct inq_fact *fact)
{
    return fact->type == INQ_FACT_ADDR || fact->type == INQ_FACT_INT ||
           fact->type == INQ_FACT_REAL || fact->type == INQ_FACT_BOOL ||
           fact->type == INQ_FACT_WORD;
}

struct inq_error *inq_template_check(struct inq_rule_source *source, const struct inq_node *node,
                                     const struct inq_fact_scope *scope, bool command)
{
    const char *at = node->text, *start;
    size_t size;
    bool is_fact, bad;
    while (next_piece(&at, &start, &size, &is_fact, &bad)) {
        size_t place = (size_t)(start - node->text);
        if (bad)
            return inq_node_error(source, node, place,
                                  "a fact in braces is expected here; write {{ for a brace");
        if (!is_fact)
            continue;
        _cleanup_free_ char *path = strndup(start, path_size(start, size));
        if (!path)
            return &inq_error_oom;
        const struct inq_fact *fact = inq_fact_find_in(path, scope);
        if (!fact)
            return inq_node_error(source, node, place,
                                  "there is no fact \"%.200s\" (docs/facts.md lists them)%s", path,
                                  inq_fact_suggestion(source, path, scope));
        if (command && !is_safe_in_command(fact))
            return inq_node_error(source, node, place,
                                  "%.200s holds text from the dead process: it may not stand in a "
                                  "command that people paste into a shell",
                                  path);
    }
    return NULL;
}

/* "numpy, scipy": a list of texts, and of numbers. */
static char *list_text(const json_t *list)
{
    struct inq_text out = {0};
    size_t i;
    json_t *item;
    inq_text_append(&out, "");
    json_array_foreach (list, i, item) {
        if (i == MAX_LISTED) {
            inq_text_printf(&out, " and %zu more", json_array_size(list) - i);
            break;
        }
        inq_text_append(&out, i ? ", " : "");
        if (json_is_string(item))
            inq_text_append(&out, json_string_value(item));
        else if (json_is_integer(item))
            inq_text_printf(&out, "%lld", (long long)json_integer_value(item));
        else
            inq_text_append(&out, "?");
    }
    if (out.failed) {
        inq_text_deinit(&out);
        return NULL;
    }
    return out.bytes;
}

static bool is_plain_list(const json_t *list)
{
    const json_t *first = json_array_get(list, 0);
    return json_is_string(first) || json_is_integer(first);
}

/* Below a folder of Python packages, else its last two components: whose file it is, and which. */
static const char *short_path(const char *path)
{
    static const char *const roots[] = {"/site-packages/", "/dist-packages/"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(roots); i++) {
        const char *below = strstr(path, roots[i]);
        if (below && below[strlen(roots[i])])
            return below + strlen(roots[i]);
    }
    const char *last = strrchr(path, '/');
    for (const char *at = last; at && at > path; at--)
        if (at[-1] == '/')
            return at;
    return path;
}

static const char *module_text(const json_t *document, const json_t *index)
{
    const json_t *modules = json_object_get(document, "modules");
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return "(unknown)";
    const json_t *module = json_array_get(modules, (size_t)json_integer_value(index));
    const char *path = json_string_value(json_object_get(module, "path"));
    const char *name = json_string_value(json_object_get(module, "name"));
    return path ? short_path(path) : name ? name : "(unknown)";
}

/* Indexes into modules[] mean nothing to a reader. */
static char *modules_text(const json_t *document, const json_t *value)
{
    struct inq_text out = {0};
    size_t i;
    json_t *index;
    inq_text_append(&out, json_is_array(value) ? "" : module_text(document, value));
    json_array_foreach (value, i, index) {
        if (i == MAX_LISTED) {
            inq_text_printf(&out, " and %zu more", json_array_size(value) - i);
            break;
        }
        inq_text_append(&out, i ? ", " : "");
        inq_text_append(&out, module_text(document, index));
    }
    if (out.failed)
        inq_text_deinit(&out);
    return out.bytes;
}

char *inq_fact_text(const json_t *document, const struct inq_fact *fact, const json_t *value)
{
    return inq_fact_is_module(fact) ? modules_text(document, value) : inq_value_text(value);
}

char *inq_value_text(const json_t *value)
{
    char *text = NULL;
    int done = 0;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strdup(json_string_value(value));
    case JSON_INTEGER:
        done = asprintf(&text, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        done = asprintf(&text, "%g", json_real_value(value));
        break;
    case JSON_TRUE:
        return strdup("true");
    case JSON_FALSE:
        return strdup("false");
    case JSON_ARRAY:
        if (is_plain_list(value))
            return list_text(value);
        done = asprintf(&text, "(%zu entries)", json_array_size(value));
        break;
    case JSON_OBJECT:
        return strdup("(present)");
    default:
        return strdup("(unknown)");
    }
    return done < 0 ? NULL : text;
}

/* What stands for a fact that is not known. */
static const char *unknown_text(const char *path, bool at_start)
{
    const char *last = strrchr(path, '.');

    last = last ? last + 1 : path;
    if (!strcmp(last, "module"))
        return at_start ? "An unknown module" : "an unknown module";
    if (!strcmp(last, "functions"))
        return at_start ? "Code without names" : "code without names";
    if (strcmp(last, "function") != 0)
        return "(unknown)";
    return at_start ? "A function without a name" : "a function without a name";
}

static bool says_something(struct inq_fact_value value)
{
    return value.known == INQ_KNOWN && !json_is_null(value.value) &&
           !(json_is_array(value.value) && json_array_size(value.value) == 0);
}

/*
 * "std::map<int, std::vector<...>, ...>::at" repeated in each sentence hides what these say: where
 * a name of C++ is long, its template arguments are left out. Those of operators stay as they are.
 */
static void append_name(struct inq_text *out, const char *name)
{
    size_t depth = 0, open = 0, closed = 0;

    for (const char *at = name; *at; at++) {
        open += *at == '<';
        closed += *at == '>';
        if (closed > open)
            break;
    }
    if (strlen(name) <= LONG_NAME || open != closed || strstr(name, "operator") ||
        strstr(name, "->")) {
        inq_text_append(out, name);
        return;
    }
    for (const char *at = name; *at; at++) {
        depth -= *at == '>';
        if (depth == 0)
            inq_text_append_bytes(out, at, 1);
        if (*at == '<' && depth++ == 0)
            inq_text_append(out, "...");
    }
}

static bool is_function(const char *path)
{
    const char *last = strrchr(path, '.');

    return !strcmp(last ? last + 1 : path, "function");
}

static void append_fact(struct inq_text *out, const char *start, size_t size,
                        const json_t *document, const struct inq_fact_scope *scope)
{
    const size_t name_size = path_size(start, size);
    _cleanup_free_ char *path = strndup(start, name_size);
    if (!path) {
        out->failed = true;
        return;
    }
    struct inq_fact_value value = inq_evidence_get_in(document, path, scope);
    if (name_size < size && !says_something(value)) {
        inq_text_append_bytes(out, start + name_size + 1, size - name_size - 1);
        return;
    }
    if (value.known != INQ_KNOWN || json_is_null(value.value)) {
        inq_text_append(out, unknown_text(path, out->size == 0));
        return;
    }
    _cleanup_free_ char *text = inq_fact_text(document, inq_fact_find_in(path, scope), value.value);
    if (!text)
        out->failed = true;
    else if (is_function(path))
        append_name(out, text);
    else
        inq_text_append(out, text);
}

char *inq_render_in(const char *text, const json_t *document, const struct inq_fact_scope *scope)
{
    struct inq_text out = {0};
    const char *at = text, *start;
    size_t size;
    bool is_fact, bad;
    inq_text_append(&out, "");
    while (next_piece(&at, &start, &size, &is_fact, &bad)) {
        if (bad) /* refused when the rule was read; shown as it stands */
            inq_text_append(&out, "{");
        else if (is_fact)
            append_fact(&out, start, size, document, scope);
        else
            inq_text_append_bytes(&out, start, size);
        if (out.size > RENDERED_BYTES) {
            inq_text_append(&out, "...");
            break;
        }
    }
    if (out.failed || !out.bytes) {
        inq_text_deinit(&out);
        return NULL;
    }
    return out.bytes;
}

char *inq_rule_render(const char *text, const json_t *document, const struct inq_match *match)
{
    return inq_render_in(text, document, match ? &match->scope : NULL);
}

char *inq_rule_cause(const json_t *document, const struct inq_match *match)
{
    const struct inq_rule *rule = match->rule;
    struct inq_text out = {0};
    inq_text_append(&out, "");
    for (size_t i = 0; i < rule->n_cause; i++) {
        bool holds;
        if (!inq_rule_part_holds(&rule->cause[i].when, document, match, &holds)) {
            out.failed = true;
            break;
        }
        if (!holds)
            continue;
        _cleanup_free_ char *part = inq_rule_render(rule->cause[i].text, document, match);
        inq_text_append(&out, out.size > 0 ? " " : "");
        if (part)
            inq_text_append(&out, part);
        else
            out.failed = true;
    }
    if (out.failed)
        inq_text_deinit(&out);
    return out.bytes;
}

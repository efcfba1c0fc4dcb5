/* SPDX-License-Identifier: Apache-2.0 */
#include "requirement.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define MAX_TOKENS 256u
#define MAX_DEPTH 32u

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool inq_dist_normalise(const char *name, size_t size, char ret_name[INQ_DIST_NAME])
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        const bool dash = c == '-' || c == '_' || c == '.';

        if (dash && n > 0 && ret_name[n - 1] == '-')
            continue;
        if (n + 1 >= INQ_DIST_NAME)
            return false;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        ret_name[n++] = dash ? '-' : c;
    }
    ret_name[n] = '\0';
    return n > 0;
}

bool inq_requirement_parse(const char *line, size_t size, struct inq_requirement *ret_requirement)
{
    struct inq_requirement r = {0};
    const char *semicolon;
    size_t begin = 0, end;

    while (begin < size && is_space(line[begin]))
        begin++;
    end = begin;
    while (end < size && is_name_char(line[end]))
        end++;
    if (!inq_dist_normalise(line + begin, end - begin, r.name))
        return false;
    while (end < size && is_space(line[end]))
        end++;
    if (end < size && line[end] == '[') {
        const char *close = memchr(line + end, ']', size - end);

        if (close) {
            r.extras = line + end + 1;
            r.extras_size = (size_t)(close - r.extras);
            end = (size_t)(close - line) + 1;
        }
    }
    /* A URL may hold a semicolon; PEP 508 wants a space before the one of the marker then. */
    semicolon = end < size ? memchr(line + end, ';', size - end) : NULL;
    if (semicolon) {
        r.marker = semicolon + 1;
        r.marker_size = size - (size_t)(r.marker - line);
    }
    *ret_requirement = r;
    return true;
}

/* ---- markers ------------------------------------------------------------------------------- */

enum kind {
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_OPERATOR,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_AND,
    TOKEN_OR
};

struct token {
    enum kind kind;
    const char *text;
    size_t size;
};

static bool token_is(const struct token *t, const char *word)
{
    return t->size == strlen(word) && memcmp(t->text, word, t->size) == 0;
}

/* One token at *pos; false when there is none, or nothing that is one (*ret_bad). */
static bool next_token(const char *text, size_t size, size_t *pos, struct token *ret, bool *ret_bad)
{
    size_t at = *pos;

    *ret_bad = false;
    while (at < size && is_space(text[at]))
        at++;
    if (at >= size)
        return false;
    *ret = (struct token){.text = text + at, .size = 1};
    if (text[at] == '(' || text[at] == ')') {
        ret->kind = text[at] == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
    } else if (text[at] == '"' || text[at] == '\'') {
        const char *end = memchr(text + at + 1, text[at], size - at - 1);

        if (!end) {
            *ret_bad = true;
            return false;
        }
        *ret = (struct token){TOKEN_STRING, text + at + 1, (size_t)(end - text) - at - 1};
        *pos = (size_t)(end - text) + 1;
        return true;
    } else if (memchr("<>=!~", text[at], 5)) {
        ret->kind = TOKEN_OPERATOR;
        while (at + ret->size < size && memchr("<>=!~", text[at + ret->size], 5))
            ret->size++;
    } else if (is_name_char(text[at])) {
        while (at + ret->size < size && is_name_char(text[at + ret->size]))
            ret->size++;
        ret->kind = token_is(ret, "and")                          ? TOKEN_AND
                    : token_is(ret, "or")                         ? TOKEN_OR
                    : token_is(ret, "in") || token_is(ret, "not") ? TOKEN_OPERATOR
                                                                  : TOKEN_WORD;
    } else {
        *ret_bad = true;
        return false;
    }
    *pos = at + ret->size;
    return true;
}

static enum inq_marker of_bool(bool value)
{
    return value ? INQ_MARKER_YES : INQ_MARKER_NO;
}

/* "3.9" against "3.11", number by number; a missing one is 0. */
static int compare_versions(const char *a, size_t a_size, const char *b, size_t b_size)
{
    for (size_t i = 0, k = 0; i < a_size || k < b_size; i++, k++) {
        unsigned long x = 0, y = 0;

        for (; i < a_size && a[i] >= '0' && a[i] <= '9'; i++)
            x = x * 10 + (unsigned long)(a[i] - '0');
        for (; k < b_size && b[k] >= '0' && b[k] <= '9'; k++)
            y = y * 10 + (unsigned long)(b[k] - '0');
        if (x != y)
            return x < y ? -1 : 1;
        if ((i < a_size && a[i] != '.') || (k < b_size && b[k] != '.'))
            break;
    }
    return 0;
}

static enum inq_marker compare(const struct token *op, int order)
{
    if (token_is(op, "<"))
        return of_bool(order < 0);
    if (token_is(op, "<="))
        return of_bool(order <= 0);
    if (token_is(op, ">"))
        return of_bool(order > 0);
    if (token_is(op, ">=") || token_is(op, "~="))
        return of_bool(order >= 0);
    if (token_is(op, "==") || token_is(op, "==="))
        return of_bool(order == 0);
    return token_is(op, "!=") ? of_bool(order != 0) : INQ_MARKER_MAYBE;
}

static enum inq_marker compare_text(const struct token *op, const struct token *value,
                                    const char *have)
{
    const bool equal = token_is(value, have);

    if (token_is(op, "==") || token_is(op, "==="))
        return of_bool(equal);
    return token_is(op, "!=") ? of_bool(!equal) : INQ_MARKER_MAYBE;
}

static bool has_extra(const struct token *value, const char *const *extras, size_t n)
{
    char name[INQ_DIST_NAME];

    if (!inq_dist_normalise(value->text, value->size, name))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(name, extras[i]))
            return true;
    return false;
}

struct evaluation {
    const struct inq_markers *markers;
    const char *const *extras;
    size_t n_extras;
};

/* One comparison of a variable with a text, either way round. */
static enum inq_marker compare_one(const struct evaluation *e, const struct token *left,
                                   const struct token *op, const struct token *right)
{
    static const struct {
        const char *name, *value;
    } known[] = {{"os_name", "posix"},
                 {"os.name", "posix"},
                 {"sys_platform", "linux"},
                 {"sys.platform", "linux"},
                 {"platform_system", "Linux"}};
    const bool turned = left->kind == TOKEN_STRING;
    const struct token *name = turned ? right : left, *value = turned ? left : right;

    if (name->kind != TOKEN_WORD || value->kind != TOKEN_STRING)
        return INQ_MARKER_MAYBE;
    if (token_is(name, "extra")) {
        const bool active = has_extra(value, e->extras, e->n_extras);

        if (token_is(op, "=="))
            return of_bool(active);
        return token_is(op, "!=") ? of_bool(!active) : INQ_MARKER_MAYBE;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (token_is(name, known[i].name))
            return compare_text(op, value, known[i].value);
    if ((token_is(name, "python_version") || token_is(name, "python_full_version")) &&
        e->markers->python[0] && !turned && value->size > 0 && value->text[value->size - 1] != '*')
        return compare(op, compare_versions(e->markers->python, strlen(e->markers->python),
                                            value->text, value->size));
    return INQ_MARKER_MAYBE;
}

static enum inq_marker both(enum inq_marker a, enum inq_marker b)
{
    if (a == INQ_MARKER_NO || b == INQ_MARKER_NO)
        return INQ_MARKER_NO;
    return a == INQ_MARKER_YES && b == INQ_MARKER_YES ? INQ_MARKER_YES : INQ_MARKER_MAYBE;
}

static enum inq_marker either(enum inq_marker a, enum inq_marker b)
{
    if (a == INQ_MARKER_YES || b == INQ_MARKER_YES)
        return INQ_MARKER_YES;
    return a == INQ_MARKER_NO && b == INQ_MARKER_NO ? INQ_MARKER_NO : INQ_MARKER_MAYBE;
}

/* An "or" of "and"s; a parenthesis puts a fresh one on the stack. */
struct level {
    enum inq_marker sum, product;
};

static void level_take(struct level *level, enum inq_marker value)
{
    level->product = both(level->product, value);
}

static enum inq_marker level_value(const struct level *level)
{
    return either(level->sum, level->product);
}

static size_t tokenise(const char *text, size_t size, struct token *tokens, bool *ret_bad)
{
    size_t n = 0, pos = 0;

    while (n < MAX_TOKENS && next_token(text, size, &pos, &tokens[n], ret_bad))
        n++;
    *ret_bad |= n == MAX_TOKENS;
    return n;
}

enum inq_marker inq_marker_evaluate(const char *marker, size_t size,
                                    const struct inq_markers *markers, const char *const *extras,
                                    size_t n_extras)
{
    static const struct level fresh = {INQ_MARKER_NO, INQ_MARKER_YES};
    const struct evaluation e = {markers, extras, n_extras};
    struct token tokens[MAX_TOKENS];
    struct level levels[MAX_DEPTH] = {fresh};
    size_t depth = 0, n;
    bool bad = false;

    n = tokenise(marker, size, tokens, &bad);
    if (bad || n == 0)
        return n == 0 && !bad ? INQ_MARKER_YES : INQ_MARKER_MAYBE;
    for (size_t i = 0; i < n;) {
        switch (tokens[i].kind) {
        case TOKEN_OPEN:
            if (++depth == MAX_DEPTH)
                return INQ_MARKER_MAYBE;
            levels[depth] = fresh;
            i++;
            break;
        case TOKEN_CLOSE:
            if (depth == 0)
                return INQ_MARKER_MAYBE;
            depth--;
            level_take(&levels[depth], level_value(&levels[depth + 1]));
            i++;
            break;
        case TOKEN_OR:
            levels[depth].sum = level_value(&levels[depth]);
            levels[depth].product = INQ_MARKER_YES;
            i++;
            break;
        case TOKEN_AND:
            i++;
            break;
        default: {
            const bool not_in = i + 2 < n && token_is(&tokens[i + 1], "not");

            if (i + (not_in ? 3 : 2) >= n || tokens[i + 1].kind != TOKEN_OPERATOR)
                return INQ_MARKER_MAYBE;
            level_take(&levels[depth],
                       not_in ? INQ_MARKER_MAYBE
                              : compare_one(&e, &tokens[i], &tokens[i + 1], &tokens[i + 2]));
            i += not_in ? 4 : 3;
            break;
        }
        }
    }
    return depth == 0 ? level_value(&levels[0]) : INQ_MARKER_MAYBE;
}

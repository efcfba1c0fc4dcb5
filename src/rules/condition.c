/* SPDX-License-Identifier: Apache-2.0 */
#include "condition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "text.h"

/* A reader over one line; `at` is what an error points to. */
struct line {
    struct inq_rule_source *source;
    const struct inq_node *node;
    const struct inq_fact_scope *scope;
    size_t at;
};

static void skip_spaces(struct line *line)
{
    while (line->node->text[line->at] == ' ' || line->node->text[line->at] == '\t' ||
           line->node->text[line->at] == '\n')
        line->at++;
}

static const char *rest(const struct line *line)
{
    return line->node->text + line->at;
}

static bool is_space_or_end(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

static bool is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '[' || c == ']';
}

/* ------------------------------------------------------------------------------- operators */

/* Longer spellings first. */
static const struct {
    const char *words[3];
    enum inq_operator op;
} operators[] = {
    {{"does", "not", "exist"}, INQ_OP_NOT_EXISTS},
    {{"is", "not"}, INQ_OP_IS_NOT},
    {{"is"}, INQ_OP_IS},
    {{"not", "in"}, INQ_OP_NOT_IN},
    {{"in"}, INQ_OP_IN},
    {{"not", "like"}, INQ_OP_NOT_LIKE},
    {{"like"}, INQ_OP_LIKE},
    {{"has"}, INQ_OP_HAS},
    {{"<="}, INQ_OP_LESS_EQUAL},
    {{">="}, INQ_OP_GREATER_EQUAL},
    {{"<"}, INQ_OP_LESS},
    {{">"}, INQ_OP_GREATER},
    {{"exists"}, INQ_OP_EXISTS},
};

static bool read_word(struct line *line, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(rest(line), word, size) != 0)
        return false;
    bool symbol = word[0] == '<' || word[0] == '>';
    if (!symbol && !is_space_or_end(rest(line)[size]) && rest(line)[size] != '[')
        return false;
    line->at += size;
    skip_spaces(line);
    return true;
}

static struct inq_error *read_operator(struct line *line, enum inq_operator *ret_op)
{
    size_t start = line->at;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(operators); i++) {
        bool fits = true;
        for (size_t w = 0; fits && w < 3 && operators[i].words[w]; w++)
            fits = read_word(line, operators[i].words[w]);
        if (fits) {
            *ret_op = operators[i].op;
            return NULL;
        }
        line->at = start;
    }
    return inq_node_error(line->source, line->node, start,
                          "an operator is expected after the fact: is, is not, in, not in, like, "
                          "not like, has, <, <=, >, >=, exists, does not exist");
}

static bool op_is_order(enum inq_operator op)
{
    return op == INQ_OP_LESS || op == INQ_OP_LESS_EQUAL || op == INQ_OP_GREATER ||
           op == INQ_OP_GREATER_EQUAL;
}

/* ---------------------------------------------------------------------------------- values */

/* Quoted with " or ' (\ quotes the next character), or bare up to a space, comma or bracket. */
static struct inq_error *read_value(struct line *line, bool in_list, char **ret_text)
{
    const char *text = rest(line);
    char quote = text[0] == '"' || text[0] == '\'' ? text[0] : '\0';
    char *copy = inq_arena_strdup(line->source->arena, text);
    if (!copy)
        return &inq_error_oom;
    size_t in = quote ? 1 : 0, out = 0;
    while (text[in] && (quote ? text[in] != quote : !is_space_or_end(text[in]))) {
        if (!quote && in_list && (text[in] == ',' || text[in] == ']'))
            break;
        if (quote && text[in] == '\\' && text[in + 1])
            in++;
        copy[out++] = text[in++];
    }
    if (quote && text[in] != quote)
        return inq_node_error(line->source, line->node, line->at, "the quote is never closed");
    if (!quote && out == 0)
        return inq_node_error(line->source, line->node, line->at, "a value is expected here");
    copy[out] = '\0';
    line->at += in + (quote ? 1 : 0);
    skip_spaces(line);
    *ret_text = copy;
    return NULL;
}

static bool parse_unsigned(const char *text, uint64_t *ret_value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    const char *allowed = hex ? "0123456789abcdefABCDEF" : "0123456789";
    if (!*digits || strspn(digits, allowed) != strlen(digits))
        return false;
    errno = 0;
    *ret_value = strtoull(digits, NULL, hex ? 16 : 10);
    return errno == 0;
}

static bool parse_signed(const char *text, int64_t *ret_value)
{
    uint64_t size;
    bool negative = text[0] == '-';
    if (!parse_unsigned(text + (negative ? 1 : 0), &size))
        return false;
    if (size > (uint64_t)INT64_MAX)
        return false;
    *ret_value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool parse_real(const char *text, double *ret_value)
{
    if (!*text || strspn(text, "0123456789.-") != strlen(text))
        return false;
    char *end = NULL;
    errno = 0;
    *ret_value = strtod(text, &end);
    return errno == 0 && *end == '\0';
}

/* Is `word` one of "read|write|execute"? */
static bool word_is_one_of(const char *word, const char *values)
{
    size_t size = strlen(word);
    for (const char *at = values; at && *at;) {
        const char *bar = strchr(at, '|');
        size_t length = bar ? (size_t)(bar - at) : strlen(at);
        if (length == size && memcmp(at, word, size) == 0)
            return true;
        at = bar ? bar + 1 : NULL;
    }
    return false;
}

/* Gives the literal its type; `at` is where it stands. */
static struct inq_error *type_literal(struct line *line, const struct inq_fact *fact,
                                      enum inq_operator op, size_t at, struct inq_literal *literal)
{
    const char *wanted = NULL;
    switch (fact->type) {
    case INQ_FACT_INT:
        if (!parse_signed(literal->text, &literal->as.number))
            wanted = "a whole number, decimal or 0x hex";
        break;
    case INQ_FACT_ADDR:
        if (!parse_unsigned(literal->text, &literal->as.address))
            wanted = "an address, 0x hex or decimal, below 2^64";
        break;
    case INQ_FACT_REAL:
        if (!parse_real(literal->text, &literal->as.real))
            wanted = "a number";
        break;
    case INQ_FACT_BOOL:
        literal->as.boolean = strcmp(literal->text, "true") == 0;
        if (!literal->as.boolean && strcmp(literal->text, "false") != 0)
            wanted = "true or false";
        break;
    case INQ_FACT_WORD:
        if (op != INQ_OP_LIKE && op != INQ_OP_NOT_LIKE &&
            !word_is_one_of(literal->text, fact->values))
            return inq_node_error(line->source, line->node, at,
                                  "\"%.100s\" is none of the values of this fact: %.600s%s",
                                  literal->text, fact->values,
                                  inq_word_suggestion(line->source, literal->text, fact->values));
        break;
    case INQ_FACT_NUMBERS:
        if (!parse_signed(literal->text, &literal->as.number))
            wanted = "a whole number, decimal or 0x hex";
        break;
    default:
        break;
    }
    if (wanted)
        return inq_node_error(line->source, line->node, at, "\"%.100s\" is not %s, as %.200s is",
                              literal->text, wanted, fact->path);
    return NULL;
}

static struct inq_error *read_one_literal(struct line *line, const struct inq_fact *fact,
                                          enum inq_operator op, bool in_list,
                                          struct inq_literal *ret_literal)
{
    size_t at = line->at;
    char *text = NULL;
    INQ_TRY(read_value(line, in_list, &text));
    *ret_literal = (struct inq_literal){.text = text};
    return type_literal(line, fact, op, at, ret_literal);
}

static struct inq_error *read_list(struct line *line, const struct inq_fact *fact,
                                   struct inq_condition *condition)
{
    if (*rest(line) != '[')
        return inq_node_error(line->source, line->node, line->at,
                              "\"in\" takes a list: in [one, two]");
    const enum inq_operator op = condition->op;
    /* No more values than commas + 1. */
    size_t most = 1;
    for (const char *c = rest(line); *c; c++)
        most += *c == ',';
    struct inq_literal *literals = INQ_ARENA_ARRAY(line->source->arena, most, struct inq_literal);
    if (!literals)
        return &inq_error_oom;
    size_t count = 0;
    line->at++;
    skip_spaces(line);
    while (*rest(line) != ']') {
        INQ_TRY(read_one_literal(line, fact, op, true, &literals[count]));
        count++;
        if (*rest(line) == ',') {
            line->at++;
            skip_spaces(line);
        } else if (*rest(line) != ']') {
            return inq_node_error(line->source, line->node, line->at,
                                  "a comma or the end of the list is expected here");
        }
    }
    if (count == 0)
        return inq_node_error(line->source, line->node, line->at, "an empty list never fits");
    line->at++;
    skip_spaces(line);
    condition->literals = literals;
    condition->n_literals = count;
    return NULL;
}

/* --------------------------------------------------------------------------------- a line */

static bool op_is_like(enum inq_operator op)
{
    return op == INQ_OP_LIKE || op == INQ_OP_NOT_LIKE;
}

/* Comparing what cannot be compared is a mistake in the rule, and is said before it is used. */
static struct inq_error *check_types(struct line *line, const struct inq_fact *fact,
                                     enum inq_operator op, size_t at)
{
    if (op == INQ_OP_EXISTS || op == INQ_OP_NOT_EXISTS)
        return NULL;
    const char *problem = NULL;
    switch (fact->type) {
    case INQ_FACT_TEXTS:
    case INQ_FACT_NUMBERS:
        if (op != INQ_OP_HAS)
            problem = "is a list: only has, exists and does not exist can be asked of it";
        break;
    case INQ_FACT_OBJECT:
    case INQ_FACT_LIST:
    case INQ_FACT_MAP:
        problem = "is not a single value: only exists and does not exist can be asked of it";
        break;
    case INQ_FACT_TEXT:
    case INQ_FACT_WORD:
        if (op_is_order(op))
            problem = "is a text: it has no order, only is, is not, in and like";
        break;
    case INQ_FACT_BOOL:
        if (op_is_order(op) || op_is_like(op))
            problem = "is true or false: only is, is not and in can be asked of it";
        break;
    default:
        if (op_is_like(op))
            problem = "is a number: like is for texts";
        break;
    }
    if (!problem && op == INQ_OP_HAS && fact->type != INQ_FACT_TEXTS &&
        fact->type != INQ_FACT_NUMBERS)
        problem = "is a single value: has is for lists";
    return problem ? inq_node_error(line->source, line->node, at, "%.200s %s", fact->path, problem)
                   : NULL;
}

/* The element that a path begins with; its place in the scope, or `count` for none. */
static size_t element_of_path(const struct inq_fact_scope *scope, const char *path)
{
    size_t size = strcspn(path, ".[");
    for (size_t i = scope ? scope->count : 0; i > 0 && path[size] != '['; i--)
        if (strlen(scope->items[i - 1].name) == size &&
            strncmp(scope->items[i - 1].name, path, size) == 0)
            return i - 1;
    return scope ? scope->count : 0;
}

static struct inq_error *read_path(struct line *line, const char **ret_path,
                                   const struct inq_fact **ret_fact, unsigned *uses)
{
    size_t start = line->at, size = 0;
    while (is_path_char(rest(line)[size]))
        size++;
    if (size == 0)
        return inq_node_error(line->source, line->node, start,
                              "a condition begins with a fact, as signal.name");
    char *path = inq_arena_copy(line->source->arena, rest(line), size);
    if (!path)
        return &inq_error_oom;
    const struct inq_fact *fact = inq_fact_find_in(path, line->scope);
    if (!fact)
        return inq_node_error(line->source, line->node, start,
                              "there is no fact \"%.200s\" (docs/facts.md lists them)%s", path,
                              inq_fact_suggestion(line->source, path, line->scope));
    line->at += size;
    size_t level = element_of_path(line->scope, path);
    if (line->scope && level < line->scope->count)
        *uses |= 1u << level;
    *ret_path = path;
    *ret_fact = fact;
    return NULL;
}

static struct inq_error *read_fact(struct line *line, struct inq_condition *condition)
{
    INQ_TRY(read_path(line, &condition->path, &condition->fact, &condition->uses));
    skip_spaces(line);
    condition->type = condition->fact->type;
    /* ELEMENT.KEY is looked up in the element itself: the inner loop of a quantifier. */
    size_t level = element_of_path(line->scope, condition->path);
    const char *dot = strchr(condition->path, '.');
    if (line->scope && level < line->scope->count && dot && !strpbrk(dot + 1, ".[")) {
        condition->level = (unsigned)level;
        condition->member = dot + 1;
    }
    return NULL;
}

static bool is_number(enum inq_fact_type type)
{
    return type == INQ_FACT_INT || type == INQ_FACT_ADDR;
}

static bool is_text(enum inq_fact_type type)
{
    return type == INQ_FACT_TEXT || type == INQ_FACT_WORD;
}

/* Can the two facts be compared with this operator? */
static bool fits_fact(const struct inq_condition *condition, const struct inq_fact *right)
{
    enum inq_fact_type type = condition->type;
    if (inq_fact_is_module(condition->fact) != inq_fact_is_module(right))
        return false;
    if (condition->op == INQ_OP_HAS)
        return type == INQ_FACT_TEXTS ? is_text(right->type) : right->type == INQ_FACT_INT;
    return type == right->type || (is_number(type) && is_number(right->type)) ||
           (is_text(type) && is_text(right->type));
}

/* "{FACT}" on the right: compared fact with fact. */
static struct inq_error *read_right(struct line *line, struct inq_condition *condition)
{
    size_t at = line->at++;
    if (condition->op == INQ_OP_IN || condition->op == INQ_OP_NOT_IN || op_is_like(condition->op))
        return inq_node_error(line->source, line->node, at,
                              "a fact in braces can only be compared with is, is not, has, <, <=, "
                              "> and >=");
    INQ_TRY(read_path(line, &condition->right, &condition->right_fact, &condition->uses));
    if (*rest(line) != '}')
        return inq_node_error(line->source, line->node, line->at,
                              "the brace is not closed: {FACT} is expected");
    line->at++;
    skip_spaces(line);
    if (!fits_fact(condition, condition->right_fact))
        return inq_node_error(line->source, line->node, at + 1,
                              "%.200s and %.200s are not of one kind", condition->fact->path,
                              condition->right_fact->path);
    return NULL;
}

static struct inq_error *read_right_side(struct line *line, struct inq_condition *condition)
{
    const struct inq_fact *fact = condition->fact;
    enum inq_operator op = condition->op;
    if (op == INQ_OP_EXISTS || op == INQ_OP_NOT_EXISTS)
        return NULL;
    if (*rest(line) == '{')
        return read_right(line, condition);
    /* A pattern that begins with a bracket is quoted. */
    bool list = op == INQ_OP_IN || op == INQ_OP_NOT_IN || (op_is_like(op) && *rest(line) == '[');
    if (list)
        return read_list(line, fact, condition);
    struct inq_literal *literal = INQ_ARENA_NEW(line->source->arena, struct inq_literal);
    if (!literal)
        return &inq_error_oom;
    INQ_TRY(read_one_literal(line, fact, op, false, literal));
    condition->literals = literal;
    condition->n_literals = 1;
    return NULL;
}

static struct inq_error *nothing_more(struct line *line)
{
    if (!*rest(line))
        return NULL;
    return inq_node_error(line->source, line->node, line->at,
                          "nothing more is expected here: quote a value that holds spaces");
}

static bool begins_with_word(const char *text, const char *word)
{
    size_t size = strlen(word);
    return strncmp(text, word, size) == 0 && (text[size] == ' ' || text[size] == '\t');
}

struct inq_error *inq_condition_parse(struct inq_rule_source *source, const struct inq_node *node,
                                      const struct inq_fact_scope *scope, bool nested,
                                      struct inq_condition *ret_condition)
{
    struct line line = {.source = source, .node = node, .scope = scope};
    struct inq_condition condition = {.kind = INQ_CONDITION_COMPARE, .text = node->text};

    skip_spaces(&line);
    if (begins_with_word(rest(&line), "count"))
        return inq_quantifier_parse(source, node, scope, nested, ret_condition);
    INQ_TRY(read_fact(&line, &condition));
    size_t at = line.at;
    INQ_TRY(read_operator(&line, &condition.op));
    INQ_TRY(check_types(&line, condition.fact, condition.op, at));
    INQ_TRY(read_right_side(&line, &condition));
    INQ_TRY(nothing_more(&line));
    *ret_condition = condition;
    return NULL;
}

/* ------------------------------------------------------------------------------ quantifiers */

static const struct {
    const char *word;
    enum inq_condition_kind kind;
} quantifiers[] = {
    {"any", INQ_CONDITION_ANY}, {"all", INQ_CONDITION_ALL}, {"count", INQ_CONDITION_COUNT}};

static struct inq_error *read_quantifier_word(struct line *line, enum inq_condition_kind *ret_kind)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(quantifiers); i++) {
        size_t size = strlen(quantifiers[i].word);
        if (strncmp(rest(line), quantifiers[i].word, size) == 0 &&
            is_space_or_end(rest(line)[size])) {
            *ret_kind = quantifiers[i].kind;
            line->at += size;
            skip_spaces(line);
            return NULL;
        }
    }
    return inq_node_error(line->source, line->node, line->at,
                          "not a quantifier: any LIST, all LIST, count LIST >= NUMBER or either is "
                          "expected (a condition that holds \": \" must stand in single quotes as "
                          "a whole)");
}

static struct inq_error *read_list_path(struct line *line, bool nested,
                                        struct inq_condition *condition)
{
    size_t at = line->at, size = strcspn(rest(line), " \t\n");
    char *path = inq_arena_copy(line->source->arena, rest(line), size);
    if (!path)
        return &inq_error_oom;
    const struct inq_fact *fact = size > 0 ? inq_fact_find_in(path, line->scope) : NULL;
    const char *element = inq_fact_element_of(fact);
    if (!element)
        return inq_node_error(line->source, line->node, at,
                              "\"%.100s\" is no list that a quantifier can run over%s", path,
                              fact ? "" : inq_list_suggestion(line->source, path));
    size_t level = element_of_path(line->scope, path);
    bool own = line->scope && level < line->scope->count;
    if (nested && !own)
        return inq_node_error(line->source, line->node, at,
                              "inside a quantifier only lists of its element can be run over, not "
                              "\"%.100s\"",
                              path);
    if (line->scope && line->scope->count >= INQ_SCOPE_DEPTH)
        return inq_node_error(line->source, line->node, at, "more than %u quantifiers in another",
                              INQ_SCOPE_DEPTH);
    line->at += size;
    skip_spaces(line);
    condition->path = path;
    condition->fact = fact;
    condition->type = fact->type;
    condition->element = element;
    if (own)
        condition->uses |= 1u << level;
    return NULL;
}

static struct inq_error *read_limit(struct line *line, struct inq_condition *condition)
{
    size_t at = line->at;
    INQ_TRY(read_operator(line, &condition->op));
    if (!op_is_order(condition->op) && condition->op != INQ_OP_IS && condition->op != INQ_OP_IS_NOT)
        return inq_node_error(line->source, line->node, at,
                              "a count is compared with is, is not, <, <=, > or >=");
    char *text = NULL;
    at = line->at;
    INQ_TRY(read_value(line, false, &text));
    if (!parse_unsigned(text, &condition->limit))
        return inq_node_error(line->source, line->node, at, "\"%.100s\" is not a whole number",
                              text);
    return NULL;
}

struct inq_error *inq_quantifier_parse(struct inq_rule_source *source, const struct inq_node *node,
                                       const struct inq_fact_scope *scope, bool nested,
                                       struct inq_condition *ret_condition)
{
    struct line line = {.source = source, .node = node, .scope = scope};
    struct inq_condition condition = {.text = node->text, .path = ""};
    skip_spaces(&line);
    if (strcmp(rest(&line), "either") == 0) {
        condition.kind = INQ_CONDITION_EITHER;
        *ret_condition = condition;
        return NULL;
    }
    INQ_TRY(read_quantifier_word(&line, &condition.kind));
    INQ_TRY(read_list_path(&line, nested, &condition));
    if (condition.kind == INQ_CONDITION_COUNT)
        INQ_TRY(read_limit(&line, &condition));
    INQ_TRY(nothing_more(&line));
    *ret_condition = condition;
    return NULL;
}

const struct inq_condition *inq_first_any(const struct inq_conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->items[i]->kind == INQ_CONDITION_ANY)
            return conditions->items[i];
    return NULL;
}

void inq_scope_add(struct inq_fact_scope *scope, const struct inq_condition *condition)
{
    for (; condition; condition = inq_first_any(&condition->inner)) {
        for (size_t i = 0; i < scope->count; i++)
            if (strcmp(scope->items[i].name, condition->element) == 0)
                return;
        if (scope->count >= INQ_SCOPE_DEPTH)
            return;
        scope->items[scope->count++] =
            (struct inq_element){.name = condition->element, .list = condition->fact};
    }
}

const char *inq_condition_text(const struct inq_condition *condition)
{
    return condition->text;
}

const char *inq_condition_fact(const struct inq_condition *condition)
{
    return condition->path;
}

bool inq_condition_is_compound(const struct inq_condition *condition)
{
    return condition->kind != INQ_CONDITION_COMPARE;
}

/* Depth is bounded: lines nest no deeper than INQ_RULES_NESTING. */
void inq_condition_facts(const struct inq_condition *condition,
                         void (*visit)(void *context, const struct inq_fact *fact), void *context)
{
    if (condition->fact)
        visit(context, condition->fact);
    if (condition->right_fact)
        visit(context, condition->right_fact);
    for (size_t i = 0; i < condition->inner.count; i++)
        inq_condition_facts(condition->inner.items[i], visit, context);
}

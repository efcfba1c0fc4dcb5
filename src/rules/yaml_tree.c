/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "cleanup.h"
#include "rule_source.h"

__attribute__((format(printf, 4, 0))) static struct inq_error *
source_error_v(struct inq_rule_source *source, unsigned line, unsigned column, const char *format,
               va_list args)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char *place = NULL;
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
        return &inq_error_oom;
    }
    int size = asprintf(&place, "%s:%u:%u: ", source->file, line, column);
    if (size < 0) {
        place = NULL;
        return &inq_error_oom;
    }
    source->error_line = line;
    source->error_column = column;
    source->place_size = (size_t)size;
    /* No inq_error_in(): the message begins with the file already. */
    return inq_error_create(INQ_E_RULE, "%s%s", place, text);
}

struct inq_error *inq_rule_source_error(struct inq_rule_source *source, unsigned line,
                                        unsigned column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct inq_error *error = source_error_v(source, line, column, format, args);
    va_end(args);
    return error;
}

struct inq_error *inq_node_error(struct inq_rule_source *source, const struct inq_node *node,
                                 size_t at, const char *format, ...)
{
    unsigned column = node->column;
    /* Columns count characters, `at` counts bytes: skip UTF-8 continuation bytes. */
    if (node->text_column) {
        column = node->text_column;
        for (size_t i = 0; i < at && i < node->size; i++)
            column += ((unsigned char)node->text[i] & 0xc0) != 0x80;
    }
    va_list args;
    va_start(args, format);
    struct inq_error *error = source_error_v(source, node->line, column, format, args);
    va_end(args);
    return error;
}

/* ------------------------------------------------------------------------------------------- */

struct tree {
    struct inq_rule_source *source;
    const char *bytes; /* the file, for places that libyaml gives as an offset */
    size_t size;
    struct inq_node *open[INQ_RULES_NESTING]; /* lists and maps not yet closed */
    struct inq_node *last[INQ_RULES_NESTING]; /* their last child */
    size_t depth, nodes;
    struct inq_node *root;
    bool ended; /* the one document is over */
};

static unsigned from_one(size_t zero_based)
{
    return zero_based < 0x7fffffff ? (unsigned)zero_based + 1 : 0x7fffffff;
}

/* libyaml names unreadable bytes by offset only. */
static struct inq_error *reader_error(struct tree *tree, const yaml_parser_t *parser)
{
    size_t end = parser->problem_offset < tree->size ? parser->problem_offset : tree->size;
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < end; i++) {
        if (tree->bytes[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)tree->bytes[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return inq_rule_source_error(tree->source, line, column, "not a text file in UTF-8: %s",
                                 parser->problem ? parser->problem : "unreadable");
}

static struct inq_error *parser_error(struct tree *tree, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return &inq_error_oom;
    if (parser->error == YAML_READER_ERROR)
        return reader_error(tree, parser);
    const char *problem = parser->problem ? parser->problem : "not YAML";
    const char *hint = "";
    if (strstr(problem, "mapping values are not allowed"))
        hint = " (a line that holds \": \" must stand in single quotes)";
    else if (strstr(problem, "expected ',' or ']'"))
        hint = " (inside [ ] a line that holds brackets, braces or commas must stand in single "
               "quotes)";
    return inq_rule_source_error(tree->source, from_one(parser->problem_mark.line),
                                 from_one(parser->problem_mark.column), "%s%s", problem, hint);
}

static struct inq_error *add_node(struct tree *tree, enum inq_node_kind kind,
                                  const yaml_event_t *event, struct inq_node **ret_node)
{
    unsigned line = from_one(event->start_mark.line), column = from_one(event->start_mark.column);
    if (tree->nodes >= INQ_RULES_NODES)
        return inq_rule_source_error(tree->source, line, column, "more than %u values in one file",
                                     INQ_RULES_NODES);
    struct inq_node *node = INQ_ARENA_NEW(tree->source->arena, struct inq_node);
    if (!node)
        return &inq_error_oom;
    tree->nodes++;
    node->kind = kind;
    node->line = line;
    node->column = column;
    if (tree->depth > 0) {
        struct inq_node *parent = tree->open[tree->depth - 1], *last = tree->last[tree->depth - 1];
        if (last)
            last->next = node;
        else
            parent->first = node;
        tree->last[tree->depth - 1] = node;
        parent->count++;
    } else {
        tree->root = node;
    }
    *ret_node = node;
    return NULL;
}

static struct inq_error *open_node(struct tree *tree, enum inq_node_kind kind,
                                   const yaml_event_t *event)
{
    if (tree->depth >= INQ_RULES_NESTING)
        return inq_rule_source_error(tree->source, from_one(event->start_mark.line),
                                     from_one(event->start_mark.column),
                                     "nested deeper than %u levels", INQ_RULES_NESTING);
    struct inq_node *node = NULL;
    INQ_TRY(add_node(tree, kind, event, &node));
    tree->open[tree->depth] = node;
    tree->last[tree->depth] = NULL;
    tree->depth++;
    return NULL;
}

static struct inq_error *add_text(struct tree *tree, const yaml_event_t *event)
{
    struct inq_node *node = NULL;
    INQ_TRY(add_node(tree, INQ_NODE_TEXT, event, &node));
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    if (size > INQ_RULES_STRING)
        return inq_node_error(tree->source, node, 0, "a text of more than %u bytes",
                              INQ_RULES_STRING);
    if (memchr(text, 0, size))
        return inq_node_error(tree->source, node, 0, "a text with a NUL byte in it");
    node->text = inq_arena_copy(tree->source->arena, text, size);
    if (!node->text)
        return &inq_error_oom;
    node->size = size;

    /* Marks count characters. Text that was unescaped or folded has no column of its own. */
    size_t characters = 0;
    for (size_t i = 0; i < size; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    size_t spelt = event->end_mark.index - event->start_mark.index;
    if (event->start_mark.line != event->end_mark.line)
        return NULL;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && spelt == characters)
        node->text_column = node->column;
    else if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE && spelt == characters + 2)
        node->text_column = node->column + 1;
    return NULL;
}

/* What the language has no use for, and says so. */
static struct inq_error *refuse_extras(struct tree *tree, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_ALIAS_EVENT) {
        anchor = event->data.alias.anchor;
    }
    const char *what = NULL;
    if (anchor)
        what = "YAML anchors and aliases (& and *) are not allowed here: quote the text if it "
               "begins with one";
    else if (tag)
        what = "YAML tags (!) are not allowed here: quote the text if it begins with one";
    else if (tree->ended && event->type == YAML_DOCUMENT_START_EVENT)
        what = "only one YAML document in a file";
    if (!what)
        return NULL;
    return inq_rule_source_error(tree->source, from_one(event->start_mark.line),
                                 from_one(event->start_mark.column), "%s", what);
}

static struct inq_error *take_event(struct tree *tree, const yaml_event_t *event)
{
    INQ_TRY(refuse_extras(tree, event));
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_text(tree, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(tree, INQ_NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return open_node(tree, INQ_NODE_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        tree->depth--;
        return NULL;
    case YAML_DOCUMENT_END_EVENT:
        tree->ended = true;
        return NULL;
    default:
        return NULL;
    }
}

struct inq_error *inq_yaml_read(struct inq_rule_source *source, const char *bytes, size_t size,
                                const struct inq_node **ret_root)
{
    /* The mark U+FEFF that some editors put first; libyaml skips it only when it guesses the
     * encoding, and a guess would let UTF-16 in. */
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    struct tree tree = {.source = source, .bytes = bytes, .size = size};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return &inq_error_oom;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);

    struct inq_error *error = NULL;
    for (bool over = false; !over && !error;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            error = parser_error(&tree, &parser);
            break;
        }
        over = event.type == YAML_STREAM_END_EVENT;
        error = take_event(&tree, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!error)
        *ret_root = tree.root;
    return error;
}

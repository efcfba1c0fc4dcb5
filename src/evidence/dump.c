/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our own writer, because jansson has no "keys in the order of a dictionary". A row of a list
 * mostly has its keys in order already, so sorting is one comparison a key.
 */

#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "fact_table.h"
#include "text.h"

#define MAX_DEPTH 20

struct writer {
    struct inq_text text;
    bool indent;
};

struct member {
    int node; /* in the dictionary; its order is the order of keys */
    size_t place;
    const char *key;
    size_t key_size;
    json_t *value;
};

static void write_char(struct writer *writer, char c)
{
    struct inq_text *text = &writer->text;
    if (text->failed || text->capacity - text->size < 2) { /* it, and the NUL */
        inq_text_append_bytes(text, &c, 1);
        return;
    }
    text->bytes[text->size++] = c;
    text->bytes[text->size] = '\0';
}

static void write_break(struct writer *writer, size_t depth)
{
    static const char blanks[] = "                                        ";
    if (!writer->indent)
        return;
    write_char(writer, '\n');
    size_t size = 2 * depth;
    inq_text_append_bytes(&writer->text, blanks,
                          size < sizeof(blanks) - 1 ? size : sizeof(blanks) - 1);
}

/* A \u escape for one UTF-16 unit. */
static size_t put_unit(char *out, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = digits[unit >> (12 - 4 * i) & 15];
    return 6;
}

/* jansson's strings are valid UTF-8, so a lead byte tells the size and the rest is there. */
static size_t decode(const char *bytes, uint32_t *ret_point)
{
    uint8_t lead = (uint8_t)bytes[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        point = point << 6 | ((uint8_t)bytes[i] & 0x3f);
    *ret_point = point;
    return size;
}

static size_t escape_point(char *out, uint32_t point)
{
    static const char short_names[] = "\b\t\n\f\r\"\\";
    static const char short_letters[] = "btnfr\"\\";
    const char *found = point && point < 0x80 ? strchr(short_names, (int)point) : NULL;
    if (found) {
        out[0] = '\\';
        out[1] = short_letters[found - short_names];
        return 2;
    }
    if (point < 0x10000)
        return put_unit(out, point);
    point -= 0x10000;
    size_t size = put_unit(out, 0xd800 + (point >> 10));
    return size + put_unit(out + size, 0xdc00 + (point & 0x3ff));
}

/* A byte that stands for itself: printable ASCII but for the quote and the backslash. */
static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define HAS_ZERO(word) (((word)-EACH_BYTE(0x01u)) & ~(word)&EACH_BYTE(0x80u))

/* Eight bytes at once; it may say no where all of them are plain, never yes where one is not. */
static bool are_plain(uint64_t word)
{
    return ((word | (word - EACH_BYTE(0x20u)) | HAS_ZERO(word ^ EACH_BYTE(0x7fu)) |
             HAS_ZERO(word ^ EACH_BYTE((uint64_t)'"')) |
             HAS_ZERO(word ^ EACH_BYTE((uint64_t)'\\'))) &
            EACH_BYTE(0x80u)) == 0;
}

static size_t plain_size(const char *bytes, size_t size)
{
    size_t i = 0;
    uint64_t word;
    for (; size - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        if (!are_plain(word))
            break;
    }
    while (i < size && is_plain((uint8_t)bytes[i]))
        i++;
    return i;
}

static void write_string(struct writer *writer, const char *bytes, size_t size)
{
    size_t i = plain_size(bytes, size);
    char *end = i == size ? inq_text_room(&writer->text, size + 2) : NULL;
    if (end) { /* nearly all of them */
        end[0] = '"';
        memcpy(end + 1, bytes, size);
        memcpy(end + 1 + size, "\"", 2);
        writer->text.size += size + 2;
        return;
    }
    write_char(writer, '"');
    inq_text_append_bytes(&writer->text, bytes, i);
    while (i < size) {
        char out[12];
        uint32_t point;
        i += decode(bytes + i, &point);
        inq_text_append_bytes(&writer->text, out, escape_point(out, point));
        size_t plain = plain_size(bytes + i, size - i);
        inq_text_append_bytes(&writer->text, bytes + i, plain);
        i += plain;
    }
    write_char(writer, '"');
}

static void write_integer(struct writer *writer, json_int_t value)
{
    char out[24];
    size_t at = sizeof(out);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        out[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        out[--at] = '-';
    inq_text_append_bytes(&writer->text, out + at, sizeof(out) - at);
}

static void write_number(struct writer *writer, const json_t *value)
{
    char out[64];
    if (json_is_integer(value)) {
        write_integer(writer, json_integer_value(value));
        return;
    }
    /* jansson knows how to keep the locale's comma out; six digits are more than a time has */
    size_t size = json_dumpb(value, out, sizeof(out), JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    if (size == 0 || size > sizeof(out))
        writer->text.failed = true;
    else
        inq_text_append_bytes(&writer->text, out, size);
}

static void write_scalar(struct writer *writer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        write_string(writer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        write_number(writer, value);
        break;
    case JSON_TRUE:
        inq_text_append(&writer->text, "true");
        break;
    case JSON_FALSE:
        inq_text_append(&writer->text, "false");
        break;
    default:
        inq_text_append(&writer->text, "null");
        break;
    }
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    if (left->node != right->node)
        return left->node < right->node ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* Known keys in the dictionary's order; others, and the names in a map, as they came, at the end.
 */
static size_t sort_members(json_t *object, int node, struct member *members)
{
    size_t count = 0;
    bool sorted = true;
    const char *key;
    json_t *value;
    int at = INQ_FACT_NODE_NONE;
    json_object_foreach (object, key, value) {
        size_t size = strlen(key);
        at = inq_fact_node_member_after(node, at, key, size);
        if (at == INQ_FACT_NODE_NONE)
            at = INT16_MAX;
        members[count] = (struct member){
            .node = at, .place = count, .key = key, .key_size = size, .value = value};
        if (count > 0 && members[count - 1].node > at)
            sorted = false;
        count++;
    }
    if (!sorted)
        qsort(members, count, sizeof(*members), compare_members);
    return count;
}

static void write_value(struct writer *writer, json_t *value, int node, size_t depth);

static void write_object(struct writer *writer, json_t *object, int node, size_t depth)
{
    struct member few[48];
    _cleanup_free_ struct member *many = NULL;
    struct member *members = few;
    size_t count = json_object_size(object);
    if (count > INQ_ARRAY_SIZE(few)) {
        members = many = malloc(count * sizeof(*many));
        if (!many) {
            writer->text.failed = true;
            return;
        }
    }
    count = sort_members(object, node, members);
    write_char(writer, '{');
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &members[i];
        if (i > 0)
            write_char(writer, ',');
        write_break(writer, depth + 1);
        write_string(writer, member->key, member->key_size);
        write_char(writer, ':');
        if (writer->indent)
            write_char(writer, ' ');
        write_value(writer, member->value,
                    member->node == INT16_MAX ? INQ_FACT_NODE_NONE : member->node, depth + 1);
    }
    if (count > 0)
        write_break(writer, depth);
    write_char(writer, '}');
}

static void write_array(struct writer *writer, json_t *array, int node, size_t depth)
{
    size_t i;
    json_t *item;
    write_char(writer, '[');
    json_array_foreach (array, i, item) {
        if (i > 0)
            write_char(writer, ',');
        write_break(writer, depth + 1);
        write_value(writer, item, node, depth + 1);
    }
    if (json_array_size(array) > 0)
        write_break(writer, depth);
    write_char(writer, ']');
}

static void write_value(struct writer *writer, json_t *value, int node, size_t depth)
{
    if (depth > MAX_DEPTH)
        writer->text.failed = true;
    else if (json_is_object(value))
        write_object(writer, value, node, depth);
    else if (json_is_array(value))
        write_array(writer, value, node, depth);
    else
        write_scalar(writer, value);
}

char *inq_evidence_dump(const json_t *document, bool indent)
{
    struct writer writer = {.indent = indent};
    write_value(&writer, (json_t *)document, INQ_FACT_NODE_ROOT, 0);
    if (indent)
        write_char(&writer, '\n');
    if (writer.text.failed || !writer.text.bytes) {
        inq_text_deinit(&writer.text);
        return NULL;
    }
    return writer.text.bytes;
}

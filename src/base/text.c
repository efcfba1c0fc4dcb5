/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void inq_text_deinit(struct inq_text *text)
{
    free(text->bytes);
    *text = (struct inq_text){0};
}

/* A thread's own: threads work on different dumps. */
static _Thread_local uint64_t losses;

uint64_t inq_text_losses(void)
{
    return losses;
}

void inq_text_note_loss(void)
{
    losses++;
}

static void fail(struct inq_text *text)
{
    text->failed = true;
    losses++;
}

/* Room for `more` bytes and the NUL. */
static bool reserve(struct inq_text *text, size_t more)
{
    size_t need, capacity = text->capacity ? text->capacity : 64;
    char *grown;

    if (text->failed)
        return false;
    if (__builtin_add_overflow(text->size, more, &need) ||
        __builtin_add_overflow(need, (size_t)1, &need) || need > PTRDIFF_MAX) {
        fail(text);
        return false;
    }
    if (need <= text->capacity)
        return true;
    while (capacity < need)
        capacity *= 2; /* need <= PTRDIFF_MAX: this ends before it can wrap */
    grown = realloc(text->bytes, capacity);
    if (!grown) {
        fail(text);
        return false;
    }
    text->bytes = grown;
    text->capacity = capacity;
    return true;
}

char *inq_text_room(struct inq_text *text, size_t size)
{
    return reserve(text, size) ? text->bytes + text->size : NULL;
}

void inq_text_append_bytes(struct inq_text *text, const void *bytes, size_t size)
{
    if (!reserve(text, size))
        return;
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void inq_text_append(struct inq_text *text, const char *string)
{
    inq_text_append_bytes(text, string, strlen(string));
}

void inq_text_printf(struct inq_text *text, const char *format, ...)
{
    va_list args;
    int n;

    /* most fit into what is there already */
    size_t left = text->failed ? 0 : text->capacity - text->size;

    va_start(args, format);
    n = vsnprintf(left > 0 ? text->bytes + text->size : NULL, left, format, args);
    va_end(args);
    if (n < 0)
        fail(text);
    if (n < 0 || (size_t)n >= left) {
        if (left > 0)
            text->bytes[text->size] = '\0';
        if (n < 0 || !reserve(text, (size_t)n))
            return;
        va_start(args, format);
        vsnprintf(text->bytes + text->size, (size_t)n + 1, format, args);
        va_end(args);
    }
    text->size += (size_t)n;
}

/*
 * One code point at p (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 * Returns its length in bytes, 0 when the bytes are not well-formed UTF-8.
 */
static size_t decode_utf8(const uint8_t *p, size_t left, uint32_t *ret_cp)
{
    uint32_t cp, least;
    size_t n;

    if (left == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_cp = p[0];
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2, cp = p[0] & 0x1fu, least = 0x80;
    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3, cp = p[0] & 0x0fu, least = 0x800;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4, cp = p[0] & 0x07u, least = 0x10000;
    } else {
        return 0;
    }
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return 0;
    *ret_cp = cp;
    return n;
}

/*
 * Code points that a terminal may act on, or that make a line look like another one: controls,
 * Unicode's bidirectional and other invisible formatting (general category Cf and the line and
 * paragraph separators), blank fillers, variation selectors, tags and non-characters.
 */
static bool is_printable(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
    } unprintable[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f},    {0x00ad, 0x00ad},   {0x034f, 0x034f},
        {0x0600, 0x0605},   {0x061c, 0x061c},    {0x06dd, 0x06dd},   {0x070f, 0x070f},
        {0x115f, 0x1160},   {0x17b4, 0x17b5},    {0x180b, 0x180f},   {0x200b, 0x200f},
        {0x2028, 0x202e},   {0x2060, 0x206f},    {0x3164, 0x3164},   {0xe000, 0xf8ff},
        {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
        {0xfff0, 0xfffb},   {0x13430, 0x1343f},  {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
        if (cp >= unprintable[i].first && cp <= unprintable[i].last)
            return false;
    return (cp & 0xfffe) != 0xfffe;
}

void inq_text_append_escaped(struct inq_text *text, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    size_t clean = 0; /* start of the run that passes unchanged */

    for (size_t i = 0; i < size;) {
        uint32_t cp = 0;
        size_t n = decode_utf8(p + i, size - i, &cp);

        if (n > 0 && cp != '\\' && is_printable(cp)) {
            i += n;
            continue;
        }
        if (i > clean)
            inq_text_append_bytes(text, p + clean, i - clean);
        if (n == 0)
            inq_text_printf(text, "\\x%02x", p[i]);
        else if (cp < 0x80)
            inq_text_printf(text, "\\x%02x", cp);
        else if (cp <= 0xffff)
            inq_text_printf(text, "\\u%04x", cp);
        else
            inq_text_printf(text, "\\U%08x", cp);
        i += n ? n : 1;
        clean = i;
    }
    if (size > clean)
        inq_text_append_bytes(text, p + clean, size - clean);
}

void inq_text_append_escaped_string(struct inq_text *text, const char *string)
{
    if (string)
        inq_text_append_escaped(text, string, strlen(string));
}

/* The bytes for the caller, "" for an empty text; NULL when memory ran out on the way. */
static char *take_bytes(struct inq_text *text)
{
    inq_text_append_bytes(text, "", 0);
    if (text->failed) {
        inq_text_deinit(text);
        return NULL;
    }
    return text->bytes;
}

char *inq_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int done = vasprintf(&text, format, args);
    va_end(args);
    return done < 0 ? NULL : text;
}

char *inq_escape(const char *string)
{
    struct inq_text text = {0};

    inq_text_append_escaped_string(&text, string);
    return take_bytes(&text);
}

char *inq_utf8_from_bytes(const void *bytes, size_t size, bool *ret_lossy)
{
    struct inq_text text = {0};
    const uint8_t *p = bytes;
    bool lossy = false;
    size_t clean = 0;
    char *result;

    for (size_t i = 0; i < size;) {
        uint32_t cp = 0;
        size_t n = decode_utf8(p + i, size - i, &cp);

        if (n > 0 && cp != 0 && cp != 0x7f) {
            i += n;
            continue;
        }
        if (i > clean)
            inq_text_append_bytes(&text, p + clean, i - clean);
        inq_text_printf(&text, "\\x%02x", p[i]);
        lossy = true;
        clean = ++i;
    }
    if (size > clean)
        inq_text_append_bytes(&text, p + clean, size - clean);
    result = take_bytes(&text);
    if (result)
        *ret_lossy = lossy;
    return result;
}

char *inq_base64(const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    char *result, *out;

    if (size > (size_t)PTRDIFF_MAX / 4 * 3 - 3)
        return NULL;
    result = out = malloc((size + 2) / 3 * 4 + 1);
    if (!result)
        return NULL;
    while (size > 0) {
        uint32_t three = (uint32_t)p[0] << 16;

        if (size > 1)
            three |= (uint32_t)p[1] << 8;
        if (size > 2)
            three |= p[2];
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = size > 1 ? digits[three >> 6 & 63] : '=';
        *out++ = size > 2 ? digits[three & 63] : '=';
        if (size <= 3)
            break;
        p += 3;
        size -= 3;
    }
    *out = '\0';
    return result;
}

size_t inq_text_width(const char *string)
{
    size_t columns = 0, left = strlen(string);
    const uint8_t *p = (const uint8_t *)string;

    while (left > 0) {
        uint32_t cp;
        size_t n;

        /* A colour that we wrote ourselves: ESC [ parameters, up to a letter. */
        if (left >= 2 && p[0] == 0x1b && p[1] == '[') {
            p += 2, left -= 2;
            while (left > 0 && (*p < 0x40 || *p > 0x7e))
                p++, left--;
            if (left > 0)
                p++, left--;
            continue;
        }
        n = decode_utf8(p, left, &cp);
        if (n == 0)
            n = 1;
        columns++;
        p += n, left -= n;
    }
    return columns;
}

bool inq_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool inq_ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

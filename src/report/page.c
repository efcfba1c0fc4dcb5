/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"

static const char *const tones[] = {
    [INQ_TONE_BOLD] = "\033[1m",     [INQ_TONE_DIM] = "\033[2m",
    [INQ_TONE_SURE] = "\033[1;32m",  [INQ_TONE_MAYBE] = "\033[33m",
    [INQ_TONE_WRONG] = "\033[1;31m", [INQ_TONE_NAME] = "\033[1m",
    [INQ_TONE_ADDRESS] = "\033[36m",
};

void inq_page_put(struct inq_page *page, const char *words)
{
    inq_text_append(page->text, words);
}

void inq_page_printf(struct inq_page *page, const char *format, ...)
{
    char line[512]; /* our own words and numbers: never longer */
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    inq_text_append(page->text, line);
}

void inq_page_tone(struct inq_page *page, enum inq_tone tone)
{
    if (page->style->color)
        inq_text_append(page->text, tones[tone]);
    page->toned = true;
}

void inq_page_plain(struct inq_page *page)
{
    if (page->style->color && page->toned)
        inq_text_append(page->text, "\033[0m");
    page->toned = false;
}

void inq_page_toned(struct inq_page *page, enum inq_tone tone, const char *words)
{
    inq_page_tone(page, tone);
    inq_page_put(page, words);
    inq_page_plain(page);
}

/* Backslashes pass, the rest is escaped. */
static void append_foreign(struct inq_text *text, const char *foreign)
{
    while (foreign && *foreign) {
        size_t size = strcspn(foreign, "\\");
        inq_text_append_escaped(text, foreign, size);
        foreign += size;
        if (*foreign == '\\') {
            inq_text_append(text, "\\");
            foreign++;
        }
    }
}

void inq_page_foreign(struct inq_page *page, const char *foreign)
{
    append_foreign(page->text, foreign);
}

char *inq_page_escape(const char *foreign)
{
    struct inq_text text = {0};
    append_foreign(&text, foreign);
    inq_text_append(&text, "");
    if (text.failed || !text.bytes) {
        inq_text_deinit(&text);
        return text.failed ? NULL : strdup("");
    }
    return text.bytes;
}

void inq_page_heading(struct inq_page *page, const char *words)
{
    inq_page_put(page, "\n");
    inq_page_toned(page, INQ_TONE_BOLD, words);
    inq_page_put(page, "\n");
}

size_t inq_page_columns(const struct inq_page *page, size_t used, size_t least)
{
    if (page->style->width == 0)
        return SIZE_MAX;
    return page->style->width > used + least ? page->style->width - used : least;
}

/* Bytes of the first `columns` code points. */
static size_t prefix_bytes(const char *string, size_t columns)
{
    size_t i = 0;
    while (string[i]) {
        if (((uint8_t)string[i] & 0xc0) != 0x80 && columns-- == 0)
            break;
        i++;
    }
    return i;
}

static void new_line(struct inq_page *page, size_t indent)
{
    inq_page_put(page, "\n");
    for (size_t i = 0; i < indent; i++)
        inq_page_put(page, " ");
}

/* One word, broken where it is wider than a whole line. */
static void put_word(struct inq_page *page, const char *word, size_t size, size_t indent,
                     size_t width, size_t *column)
{
    while (size > 0) {
        size_t fits = width > *column ? width - *column : 0;
        size_t bytes = prefix_bytes(word, fits);
        if (bytes > size)
            bytes = size;
        if (bytes == 0) {
            new_line(page, indent);
            *column = indent;
            bytes = size < 4 ? size : 4; /* a page that is narrower than its indent */
            if (width > indent)
                continue;
        }
        inq_text_append_bytes(page->text, word, bytes);
        *column += bytes;
        word += bytes;
        size -= bytes;
    }
}

static void wrap(struct inq_page *page, size_t column, size_t indent, const char *escaped)
{
    size_t width = inq_page_columns(page, 0, indent + 20);
    bool first = true;
    while (*escaped) {
        size_t size = strcspn(escaped, " ");
        char *word = strndup(escaped, size);
        if (!word) {
            page->text->failed = true;
            return;
        }
        size_t columns = inq_text_width(word);
        if (!first && size > 0 && (column > width || columns + 1 > width - column)) {
            new_line(page, indent);
            column = indent;
        } else if (!first && size > 0) {
            inq_page_put(page, " ");
            column++;
        }
        if (width == SIZE_MAX || columns <= width - indent) {
            inq_page_put(page, word);
            column += columns;
        } else {
            put_word(page, word, size, indent, width, &column);
        }
        first = first && size == 0;
        free(word);
        escaped += size + (escaped[size] == ' ');
    }
}

void inq_page_prose_from(struct inq_page *page, size_t column, size_t indent, const char *foreign)
{
    _cleanup_free_ char *escaped = inq_page_escape(foreign);
    if (escaped)
        wrap(page, column, indent, escaped);
    else
        page->text->failed = true;
    inq_page_plain(page); /* colour does not run over the end of a line */
    inq_page_put(page, "\n");
}

void inq_page_prose(struct inq_page *page, const char *lead, size_t indent, const char *foreign)
{
    inq_page_put(page, lead);
    inq_page_prose_from(page, inq_text_width(lead), indent, foreign);
}

static char *cut(const char *foreign, size_t columns, bool middle)
{
    _cleanup_free_ char *whole = inq_page_escape(foreign);
    if (!whole)
        return NULL;
    size_t width = inq_text_width(whole);
    if (width <= columns)
        return TAKE_PTR(whole);
    if (columns < 4)
        columns = 4;
    size_t room = columns - 3;
    size_t tail = middle ? room - room / 3 : 0; /* a path's end tells more */
    struct inq_text text = {0};
    inq_text_append_bytes(&text, whole, prefix_bytes(whole, room - tail));
    inq_text_append(&text, "...");
    inq_text_append(&text, whole + prefix_bytes(whole, width - tail));
    if (text.failed) {
        inq_text_deinit(&text);
        return NULL;
    }
    return text.bytes;
}

char *inq_page_cut_middle(const char *foreign, size_t columns)
{
    return cut(foreign, columns, true);
}

char *inq_page_cut_end(const char *foreign, size_t columns)
{
    return cut(foreign, columns, false);
}

void inq_page_cell(struct inq_page *page, const char *escaped, size_t columns)
{
    if (!escaped) {
        page->text->failed = true;
        return;
    }
    inq_page_put(page, escaped);
    for (size_t i = inq_text_width(escaped); i < columns; i++)
        inq_page_put(page, " ");
}

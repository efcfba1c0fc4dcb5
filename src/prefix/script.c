/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <string.h>

#include "cleanup.h"

#define MAX_NESTING 64

/* Reading position in the text; comments and strings are skipped as a whole. */
struct reader {
    const char *text;
    size_t size, at;
    unsigned line;
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void skip_comment(struct reader *r)
{
    while (r->at < r->size && r->text[r->at] != '\n')
        r->at++;
}

/* From the opening quote to behind the closing one; "" and ''' alike, with backslashes. */
static void skip_string(struct reader *r)
{
    const char quote = r->text[r->at];
    const bool triple =
        r->size - r->at >= 3 && r->text[r->at + 1] == quote && r->text[r->at + 2] == quote;

    r->at += triple ? 3 : 1;
    while (r->at < r->size) {
        const char c = r->text[r->at];

        if (c == '\\' && r->at + 1 < r->size) {
            r->line += r->text[r->at + 1] == '\n';
            r->at += 2;
            continue;
        }
        if (c == '\n') {
            r->line++;
            if (!triple) { /* not closed: the line's end closes it */
                r->at++;
                return;
            }
        }
        if (c == quote && (!triple || (r->size - r->at >= 3 && r->text[r->at + 1] == quote &&
                                       r->text[r->at + 2] == quote))) {
            r->at += triple ? 3 : 1;
            return;
        }
        r->at++;
    }
}

static bool word_is(const char *word, size_t size, const char *name)
{
    return strlen(name) == size && !memcmp(word, name, size);
}

static bool is_loader(const char *word, size_t size)
{
    static const char *const names[] = {"CDLL", "PyDLL", "dlopen", "LoadLibrary", "setdlopenflags"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (word_is(word, size, names[i]))
            return true;
    return false;
}

bool inq_script_loads_globally(const char *text, size_t size, unsigned *ret_line)
{
    struct reader r = {.text = text, .size = size, .line = 1};
    bool calls[MAX_NESTING] = {false}; /* by depth of parentheses: those of a loader's call */
    bool defines = false;              /* the word before is "def": no call */
    bool loader = false;               /* the last thing was the name of a loader */
    unsigned depth = 0;

    while (r.at < r.size) {
        const char c = r.text[r.at];

        if (c == '#') {
            skip_comment(&r);
        } else if (c == '"' || c == '\'') {
            skip_string(&r);
            loader = false;
        } else if (is_word(c)) {
            const size_t begin = r.at;

            while (r.at < r.size && is_word(r.text[r.at]))
                r.at++;
            if (depth > 0 && calls[depth < MAX_NESTING ? depth : MAX_NESTING - 1] &&
                word_is(text + begin, r.at - begin, "RTLD_GLOBAL")) {
                *ret_line = r.line;
                return true;
            }
            loader = !defines && is_loader(text + begin, r.at - begin);
            defines = word_is(text + begin, r.at - begin, "def");
        } else {
            if (c == '(') {
                if (++depth < MAX_NESTING)
                    calls[depth] = loader || (depth > 1 && calls[depth - 1]);
            } else if (c == ')' && depth > 0) {
                depth--;
            }
            r.line += c == '\n';
            loader = loader && (c == ' ' || c == '\t');
            r.at++;
        }
    }
    return false;
}

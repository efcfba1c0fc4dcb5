/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stddef.h>

/* A `[...]` at p matched against c; *ret_next is behind the `]`. False also when it never closes.
 */
static bool match_set(const char *p, unsigned char c, const char **ret_next, bool *ret_closed)
{
    bool negate = false, hit = false, first = true;

    p++;
    if (*p == '!' || *p == '^') {
        negate = true;
        p++;
    }
    for (; *p != '\0' && (*p != ']' || first); first = false) {
        unsigned char low, high;

        if (*p == '\\' && p[1] != '\0')
            p++;
        low = high = (unsigned char)*p++;
        if (*p == '-' && p[1] != '\0' && p[1] != ']') {
            p++;
            if (*p == '\\' && p[1] != '\0')
                p++;
            high = (unsigned char)*p++;
        }
        if (c >= low && c <= high)
            hit = true;
    }
    *ret_closed = *p == ']';
    *ret_next = *ret_closed ? p + 1 : p;
    return hit != negate;
}

/* One element of the pattern, which is no `*`, against one character. */
static bool match_one(const char *p, unsigned char c, const char **ret_next)
{
    const char *next;
    bool closed, hit;

    switch (*p) {
    case '\0':
        return false;
    case '?':
        *ret_next = p + 1;
        return true;
    case '[':
        hit = match_set(p, c, &next, &closed);
        if (closed) {
            *ret_next = next;
            return hit;
        }
        break; /* never closed: a plain bracket, as fnmatch(3) has it */
    case '\\':
        if (p[1] != '\0')
            p++;
        break;
    default:
        break;
    }
    *ret_next = p + 1;
    return (unsigned char)*p == c;
}

bool inq_glob_match(const char *pattern, const char *text)
{
    const char *p = pattern, *t = text;
    const char *star = NULL, *star_text = NULL; /* behind the last `*`, and what it has eaten */

    while (*t != '\0') {
        const char *next;

        if (*p == '*') {
            star = ++p;
            star_text = t;
            if (*p == '\0')
                return true;
            continue;
        }
        if (match_one(p, (unsigned char)*t, &next)) {
            p = next;
            t++;
            continue;
        }
        if (!star)
            return false;
        p = star;
        t = ++star_text;
    }
    while (*p == '*')
        p++;
    return *p == '\0';
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file name read backwards through core_pattern.
 *
 * The kernel (fs/coredump.c, format_corename) only prints; reading is ambiguous: in
 * "core.python3.11.4242.web.1700000000" made by core.%e.%p.%h.%t the 11 could be the pid. So all
 * readings are counted through (a table says beforehand which positions can still fit, so no step
 * is wasted) and the most likely one wins: numbers as the kernel prints them, a time in this age, a
 * pid that Linux gives out, and then the longest program name.
 */

#include "pattern.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "text.h"

#define MAX_TOKENS 256u
#define MAX_NAME 1024u
#define MAX_READINGS 4096u
#define COMM_BYTES 15u /* TASK_COMM_LEN - 1 */
#define NUMBER_DIGITS 20u
#define PID_LIMIT 4194304u /* PID_MAX_LIMIT on 64-bit Linux */

struct token {
    char conversion; /* 0: the literal character */
    char literal;
};

struct reading {
    const struct token *tokens;
    size_t n_tokens;
    const char *name;
    size_t name_size;
    unsigned char *fits;    /* [token][position]: tokens from here on can read the rest */
    size_t end[MAX_TOKENS]; /* exclusive end of each token's text, in the reading at hand */
};

static bool is_number(char conversion)
{
    return conversion && strchr("pPiIugdstcC", conversion) != NULL;
}

static bool is_text(char conversion)
{
    return conversion && strchr("hefE" INQ_PATTERN_SYSTEMD_COMM INQ_PATTERN_BOOT_ID, conversion);
}

/* What the kernel does not know it leaves out, and so does a lone % at the end. */
static size_t parse(const char *pattern, struct token *tokens)
{
    size_t n = 0;

    for (const char *at = pattern; *at; at++) {
        if (n == MAX_TOKENS)
            return 0;
        if (*at != '%') {
            tokens[n++] = (struct token){.literal = *at};
            continue;
        }
        at++;
        if (*at == '\0')
            break;
        if (*at == '%')
            tokens[n++] = (struct token){.literal = '%'};
        else if (is_number(*at) || is_text(*at))
            tokens[n++] = (struct token){.conversion = *at};
    }
    return n;
}

static bool accepts(char conversion, char byte)
{
    if (is_number(conversion))
        return byte >= '0' && byte <= '9';
    if (conversion == INQ_PATTERN_BOOT_ID[0])
        return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
    return byte != '/';
}

/* Shortest and longest text of a conversion. */
static void bounds(char conversion, size_t *ret_least, size_t *ret_most)
{
    size_t least = 1, most = MAX_NAME;

    if (is_number(conversion))
        most = NUMBER_DIGITS;
    else if (conversion == 'e')
        most = COMM_BYTES;
    else if (conversion == INQ_PATTERN_BOOT_ID[0])
        least = most = 32;
    *ret_least = least;
    *ret_most = most;
}

static unsigned char *cell(const struct reading *r, size_t token, size_t pos)
{
    return &r->fits[token * (r->name_size + 1) + pos];
}

static bool number_is_printed_so(const struct reading *r, size_t from, size_t to)
{
    return r->name[from] != '0' || to - from == 1; /* %d has no leading zeros */
}

/* Can the conversion take name[from, to)? The bytes were looked at already. */
static bool may_end(const struct reading *r, size_t token, size_t from, size_t to)
{
    char conversion = r->tokens[token].conversion;

    if (!*cell(r, token + 1, to))
        return false;
    return !is_number(conversion) || number_is_printed_so(r, from, to);
}

/* Longest text that the conversion could take at `from`, by its bytes alone. */
static size_t run_length(const struct reading *r, size_t token, size_t from)
{
    char conversion = r->tokens[token].conversion;
    size_t least, most, n = 0;

    bounds(conversion, &least, &most);
    while (n < most && from + n < r->name_size && accepts(conversion, r->name[from + n]))
        n++;
    return n < least ? 0 : n;
}

static void fill_row(struct reading *r, size_t token)
{
    struct token t = r->tokens[token];
    size_t least, most, run = 0, reach = SIZE_MAX;

    bounds(t.conversion, &least, &most);
    for (size_t pos = r->name_size + 1; pos-- > 0;) {
        bool fits = false;

        if (pos == r->name_size) {
            *cell(r, token, pos) = 0;
            continue;
        }
        if (!t.conversion) {
            *cell(r, token, pos) = r->name[pos] == t.literal && *cell(r, token + 1, pos + 1);
            continue;
        }
        if (!accepts(t.conversion, r->name[pos])) {
            *cell(r, token, pos) = 0;
            run = 0;
            reach = SIZE_MAX;
            continue;
        }
        run++;
        if (most == MAX_NAME) { /* any length: the nearest end to the right is enough */
            if (*cell(r, token + 1, pos + 1))
                reach = pos + 1;
            fits = reach != SIZE_MAX;
        } else {
            for (size_t n = least; n <= most && n <= run && !fits; n++)
                fits = may_end(r, token, pos, pos + n);
        }
        *cell(r, token, pos) = fits;
    }
}

static uint64_t number_at(const struct reading *r, size_t from, size_t to, bool *ret_fits)
{
    uint64_t value = 0;

    *ret_fits = true;
    for (size_t i = from; i < to; i++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(r->name[i] - '0'), &value))
            *ret_fits = false;
    }
    return value;
}

static int score_number(char conversion, uint64_t value)
{
    switch (conversion) {
    case 'p':
    case 'P':
    case 'i':
    case 'I':
        return value > 0 && value <= PID_LIMIT ? 2 : -8;
    case 'u':
    case 'g':
        return value <= UINT32_MAX ? 1 : -8;
    case 's':
        return value >= 1 && value <= 64 ? 2 : -8;
    case 'd':
        return value <= 2 ? 1 : -8;
    case 't': /* seconds between 2001 and 2096; systemd writes microseconds */
        return (value >= 1000000000u && value < 4000000000u) ||
                       (value >= 1000000000000000u && value < 4000000000000000u)
                   ? 4
                   : -2;
    default:
        return 0;
    }
}

/* The higher the likelier; -1000 for a reading that contradicts itself. */
static int score(const struct reading *r)
{
    uint64_t seen[128] = {0};
    bool have[128] = {false};
    int sum = 0;

    for (size_t t = 0, from = 0; t < r->n_tokens; from = r->end[t++]) {
        char conversion = r->tokens[t].conversion;

        if (is_number(conversion)) {
            bool fits;
            uint64_t value = number_at(r, from, r->end[t], &fits);
            size_t index = (unsigned char)conversion & 127u;

            if (!fits || (have[index] && seen[index] != value))
                return -1000;
            have[index] = true;
            seen[index] = value;
            sum += score_number(conversion, value);
        } else if (conversion == 'h') { /* few machines have a name that begins with a number */
            size_t label = from;

            while (label < r->end[t] && r->name[label] >= '0' && r->name[label] <= '9')
                label++;
            if (label > from && (label == r->end[t] || r->name[label] == '.'))
                sum -= 1;
        }
    }
    return sum;
}

/* The next reading after the one in r->end whose first `kept` tokens stay; false after the last. */
static bool next_reading(struct reading *r, size_t *kept)
{
    size_t t = *kept;
    bool descend = *kept == 0 && r->end[0] == 0; /* the first call */

    if (!descend)
        t = r->n_tokens;
    for (;;) {
        if (descend) {
            if (t == r->n_tokens) {
                *kept = t;
                return true;
            }
            size_t from = t ? r->end[t - 1] : 0;

            /* one past the longest: the step below takes the longest that fits */
            r->end[t] = from + (r->tokens[t].conversion ? run_length(r, t, from) : 1) + 1;
        } else {
            if (t == 0)
                return false;
            t--;
        }
        size_t from = t ? r->end[t - 1] : 0;
        size_t least = 1, most;
        size_t to = r->end[t];

        if (r->tokens[t].conversion)
            bounds(r->tokens[t].conversion, &least, &most);
        descend = false;
        while (to > from + least) {
            to--;
            if (may_end(r, t, from, to)) {
                descend = true;
                break;
            }
        }
        r->end[t] = to;
        if (descend)
            t++;
    }
}

/* systemd-coredump writes bytes that a file name had better not hold as \xNN. */
static void set_unescaped(json_t *object, const char *key, const char *text, size_t size)
{
    _cleanup_(inq_text_deinit) struct inq_text plain = {0};

    for (size_t i = 0; i < size; i++) {
        unsigned value;
        char hex[3] = {0};

        if (size - i >= 4 && text[i] == '\\' && text[i + 1] == 'x') {
            memcpy(hex, text + i + 2, 2);
            if (strspn(hex, "0123456789abcdef") == 2 && sscanf(hex, "%x", &value) == 1) {
                char byte = (char)value;

                inq_text_append_bytes(&plain, &byte, 1);
                i += 3;
                continue;
            }
        }
        inq_text_append_bytes(&plain, text + i, 1);
    }
    if (!plain.failed && plain.bytes)
        inq_json_set_bytes(object, key, plain.bytes, plain.size);
}

static void set_path(json_t *object, const char *text, size_t size)
{
    char path[MAX_NAME];

    for (size_t i = 0; i < size; i++)
        path[i] = text[i] == '!' ? '/' : text[i]; /* the kernel's own replacement */
    inq_json_set_bytes(object, "path", path, size);
}

static const char *key_of(char conversion)
{
    switch (conversion) {
    case 'p':
    case 'P':
        return "pid";
    case 'i':
    case 'I':
        return "tid";
    case 'u':
        return "uid";
    case 'g':
        return "gid";
    case 'd':
        return "dump_mode";
    case 's':
        return "signal";
    case 't':
        return "time";
    case 'c':
        return "core_limit";
    case 'C':
        return "cpu";
    case 'h':
        return "hostname";
    default:
        return "comm";
    }
}

static void set_number(json_t *object, char conversion, uint64_t value)
{
    const char *key = key_of(conversion);

    /* The namespace's own number (%p, %i) is the one in the notes; the outer one stands in for it.
     */
    if ((conversion == 'P' || conversion == 'I') && json_object_get(object, key))
        return;
    if (conversion == 't' && value >= 1000000000000000u)
        value /= 1000000u;
    if (value <= INT64_MAX) /* RLIM_INFINITY is no number of bytes */
        json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *object_of(const struct reading *r)
{
    json_t *object = json_object();

    for (size_t t = 0, from = 0; object && t < r->n_tokens; from = r->end[t++]) {
        char conversion = r->tokens[t].conversion;
        const char *text = r->name + from;
        size_t size = r->end[t] - from;
        bool fits;

        if (is_number(conversion))
            set_number(object, conversion, number_at(r, from, r->end[t], &fits));
        else if (conversion == 'E')
            set_path(object, text, size);
        else if (conversion == INQ_PATTERN_SYSTEMD_COMM[0])
            set_unescaped(object, "comm", text, size);
        else if (conversion == 'f' && json_object_get(object, "comm"))
            continue; /* %e says it as well, and as the notes do */
        else if (conversion == 'h' || conversion == 'e' || conversion == 'f')
            inq_json_set_bytes(object, key_of(conversion), text, size);
    }
    return object;
}

/*
 * From the component on that holds the first conversion: what lies before it is a directory that
 * may have any name by now.
 */
static const char *telling_part(const char *pattern)
{
    const char *first = strchr(pattern, '%');
    const char *part = strrchr(pattern, '/');

    part = part ? part + 1 : pattern;
    if (first && first < part) {
        part = first;
        while (part > pattern && part[-1] != '/')
            part--;
    }
    return part;
}

/* As many last components of the name as the pattern has; NULL when it has fewer. */
static const char *last_components(const char *name, const char *pattern)
{
    size_t slashes = 0;
    const char *at = name + strlen(name);

    for (const char *p = pattern; *p; p++)
        slashes += *p == '/';
    for (;;) {
        while (at > name && at[-1] != '/')
            at--;
        if (slashes == 0)
            return at;
        if (at == name)
            return NULL;
        slashes--;
        at--;
    }
}

json_t *inq_pattern_match(const char *pattern, const char *file_name)
{
    struct token tokens[MAX_TOKENS];
    const char *part = telling_part(pattern);
    const char *name = last_components(file_name, part);
    struct reading r = {.tokens = tokens, .name = name, .name_size = name ? strlen(name) : 0};
    size_t best_end[MAX_TOKENS], kept = 0, readings = 0;
    int best = -1000;

    if (!name || r.name_size == 0 || r.name_size >= MAX_NAME)
        return NULL;
    r.n_tokens = parse(part, tokens);
    if (r.n_tokens == 0)
        return NULL;
    _cleanup_free_ unsigned char *fits = calloc(r.n_tokens + 1, r.name_size + 1);
    if (!fits)
        return NULL;
    r.fits = fits;
    *cell(&r, r.n_tokens, r.name_size) = 1;
    for (size_t t = r.n_tokens; t-- > 0;)
        fill_row(&r, t);
    if (!*cell(&r, 0, 0))
        return NULL;
    while (readings++ < MAX_READINGS && next_reading(&r, &kept)) {
        int value = score(&r);

        if (value > best) { /* of equals the first: it has the longest texts at the front */
            best = value;
            memcpy(best_end, r.end, sizeof(best_end));
        }
    }
    if (best <= -1000)
        return NULL;
    memcpy(r.end, best_end, sizeof(best_end));
    return object_of(&r);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Secrets that are known by their looks, wherever they stand. */

#include <string.h>

#include "cleanup.h"
#include "redact_parts.h"

enum alphabet {
    A_ALNUM,
    A_WORD /* and _ - */,
    A_UPPER /* and digits */,
    A_DOTTED /* A_WORD and . */
};

static bool is_in(enum alphabet alphabet, char c)
{
    switch (alphabet) {
    case A_ALNUM:
        return inq_is_alnum(c);
    case A_UPPER:
        return inq_is_upper(c) || inq_is_digit(c);
    case A_DOTTED:
        return inq_is_alnum(c) || c == '_' || c == '-' || c == '.';
    case A_WORD:
        break;
    }
    return inq_is_alnum(c) || c == '_' || c == '-';
}

static size_t run(struct inq_piece text, size_t at, enum alphabet alphabet)
{
    size_t size = 0;

    while (at + size < text.size && is_in(alphabet, text.text[at + size]))
        size++;
    return size;
}

/*
 * Prefixes that the services chose so that their tokens can be found. `least` is what must follow:
 * short enough that a token cut off by the kernel's 80 bytes is still known.
 */
static const struct {
    const char *prefix;
    enum alphabet alphabet;
    size_t least;
} prefixes[] = {
    {"AKIA", A_UPPER, 12},          {"ASIA", A_UPPER, 12},
    {"AROA", A_UPPER, 12},          {"AIDA", A_UPPER, 12},
    {"ABIA", A_UPPER, 12},          {"AIza", A_WORD, 16},
    {"GOCSPX-", A_WORD, 8},         {"ya29.", A_DOTTED, 8},
    {"ghp_", A_ALNUM, 6},           {"gho_", A_ALNUM, 6},
    {"ghu_", A_ALNUM, 6},           {"ghs_", A_ALNUM, 6},
    {"ghr_", A_ALNUM, 6},           {"github_pat_", A_WORD, 6},
    {"glpat-", A_DOTTED, 6},        {"gldt-", A_WORD, 6},
    {"glrt-", A_WORD, 6},           {"glcbt-", A_WORD, 6},
    {"xoxb-", A_WORD, 6},           {"xoxp-", A_WORD, 6},
    {"xoxa-", A_WORD, 6},           {"xoxr-", A_WORD, 6},
    {"xoxs-", A_WORD, 6},           {"xoxe-", A_WORD, 6},
    {"xapp-", A_WORD, 6},           {"sk-", A_WORD, 16},
    {"sk_live_", A_ALNUM, 6},       {"sk_test_", A_ALNUM, 6},
    {"rk_live_", A_ALNUM, 6},       {"pk_live_", A_ALNUM, 6},
    {"whsec_", A_ALNUM, 8},         {"npm_", A_ALNUM, 16},
    {"pypi-Ag", A_WORD, 16},        {"hf_", A_ALNUM, 20},
    {"hvs.", A_WORD, 16},           {"hvb.", A_WORD, 16},
    {"dop_v1_", A_ALNUM, 16},       {"SG.", A_DOTTED, 24},
    {"shpat_", A_ALNUM, 16},        {"sq0atp-", A_WORD, 16},
    {"AGE-SECRET-KEY-", A_WORD, 8}, {"dckr_pat_", A_WORD, 8},
    {"lin_api_", A_ALNUM, 16},      {"ATATT3", A_WORD, 16},
    {"rubygems_", A_ALNUM, 16},
};

/* Random characters hold a digit; "sk-learn-contrib-examples" does not. */
static bool has_digit(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (inq_is_digit(text[i]))
            return true;
    return false;
}

static bool match_prefix(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(prefixes); i++) {
        if (prefixes[i].prefix[0] != text.text[at])
            continue;
        size_t size = strlen(prefixes[i].prefix);
        if (text.size - at < size || memcmp(text.text + at, prefixes[i].prefix, size) != 0)
            continue;
        size_t rest = run(text, at + size, prefixes[i].alphabet);
        if (rest < prefixes[i].least || !has_digit(text.text + at + size, rest))
            continue;
        *ret_span = (struct inq_span){0, size + rest};
        return true;
    }
    return false;
}

/* header.payload.signature, base64url; the header is JSON and begins with {" */
static bool match_jwt(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    if (!inq_at_word_start(text, at) || text.size - at < 3 || memcmp(text.text + at, "eyJ", 3) != 0)
        return false;
    size_t size = run(text, at, A_DOTTED);
    if (size < 20 || !memchr(text.text + at, '.', size))
        return false;
    *ret_span = (struct inq_span){0, size};
    return true;
}

static bool match_pem(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";

    if (text.size - at < sizeof(begin) - 1 || memcmp(text.text + at, begin, sizeof(begin) - 1) != 0)
        return false;
    const char *stop = memmem(text.text + at, text.size - at, end, sizeof(end) - 1);
    size_t size = text.size - at;
    if (stop) {
        /* up to the dashes that end the last line, or to the end of what was cut */
        size_t from = (size_t)(stop - text.text) + sizeof(end) - 1;
        const char *dashes = memmem(text.text + from, text.size - from, "-----", 5);
        if (dashes)
            size = (size_t)(dashes - text.text) + 5 - at;
    }
    *ret_span = (struct inq_span){0, size};
    return true;
}

/* https://hooks.slack.com/services/T…/B…/… is a secret as a whole */
static bool match_hook(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    static const char host[] = "hooks.slack.com/services/";
    size_t size = sizeof(host) - 1, rest = 0;

    if (text.size - at < size || memcmp(text.text + at, host, size) != 0)
        return false;
    while (at + size + rest < text.size &&
           (is_in(A_ALNUM, text.text[at + size + rest]) || text.text[at + size + rest] == '/'))
        rest++;
    *ret_span = (struct inq_span){size, rest};
    return rest > 0;
}

/* Telegram's bots: 8 to 10 digits, a colon, 35 characters */
static bool match_bot(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    size_t digits = 0;

    if (!inq_at_word_start(text, at))
        return false;
    while (at + digits < text.size && digits < 11 && inq_is_digit(text.text[at + digits]))
        digits++;
    if (digits < 8 || digits > 10 || at + digits >= text.size || text.text[at + digits] != ':')
        return false;
    size_t rest = run(text, at + digits + 1, A_WORD);
    *ret_span = (struct inq_span){0, digits + 1 + rest};
    return rest >= 30;
}

bool inq_match_shape(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    char c = text.text[at];

    if (c == '-')
        return match_pem(text, at, ret_span);
    if (inq_is_digit(c))
        return match_bot(text, at, ret_span);
    if (at > 0 && inq_is_alnum(text.text[at - 1]))
        return false;
    return match_prefix(text, at, ret_span) || match_jwt(text, at, ret_span) ||
           match_hook(text, at, ret_span);
}

bool inq_match_bearer(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    size_t skip, size = 0;

    if (inq_piece_has(text, at, "bearer "))
        skip = 7;
    else if (inq_piece_has(text, at, "basic "))
        skip = 6;
    else
        return false;
    bool digit = false;
    while (at + skip + size < text.size) {
        char c = text.text[at + skip + size];
        if (!inq_is_alnum(c) && !strchr("._~+/=-", c))
            break;
        digit |= inq_is_digit(c) || c == '=';
        size++;
    }
    /* "basic authentication", "bearer token": words, and no secret */
    if (size < 6 || !digit)
        return false;
    *ret_span = (struct inq_span){skip, size};
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_WORKER_REDACT_PARTS_H
#define INQ_WORKER_REDACT_PARTS_H

/*
 * The pieces of redact.h. Every matcher is written by hand, looks at a place of a text and either
 * consumes what it found or gives up after a bounded look or at the end of the word it stands at,
 * so that a whole text takes linear time.
 */

#include <stdbool.h>
#include <stddef.h>

struct inq_piece { /* a text that need not be terminated */
    const char *text;
    size_t size;
};

/* From the place a matcher stands at: `keep` bytes stay as they are, the next `drop` are replaced.
 */
struct inq_span {
    size_t keep, drop;
};

enum inq_secrecy {
    INQ_NAME_PLAIN,
    INQ_NAME_WEAK,   /* "key", "token", "auth": a secret unless the value is plainly none */
    INQ_NAME_STRONG, /* "password", "secret" */
};

/* What a name of an option, variable or field says about its value. */
enum inq_secrecy inq_name_secrecy(struct inq_piece name);
/* true when the value beside such a name is to be dropped. */
bool inq_value_is_secret(enum inq_secrecy secrecy, struct inq_piece name, struct inq_piece value);
/* Letters and digits mixed, long, and no path: the look of a key. */
bool inq_looks_random(struct inq_piece value);

/* Known shapes: tokens of well-known services, PEM blocks, JWTs. */
bool inq_match_shape(struct inq_piece text, size_t at, struct inq_span *ret_span);
/* "://user:password@": drops what stands before the @. */
bool inq_match_userinfo(struct inq_piece text, size_t at, struct inq_span *ret_span);
/* "/home/NAME": drops NAME. */
bool inq_match_home(struct inq_piece text, size_t at, struct inq_span *ret_span);
/* An e-mail address; to be asked at the start of a word alone. */
bool inq_match_mail(struct inq_piece text, size_t at, struct inq_span *ret_span);
/* NAME=VALUE, "NAME": "VALUE", Header: VALUE; to be asked at the start of a word alone. */
bool inq_match_assignment(struct inq_piece text, size_t at, struct inq_span *ret_span);
/* "Bearer TOKEN"; to be asked at the start of a word alone. */
bool inq_match_bearer(struct inq_piece text, size_t at, struct inq_span *ret_span);

/* Characters, without the locale. */
static inline bool inq_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool inq_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static inline bool inq_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static inline bool inq_is_alnum(char c)
{
    return inq_is_digit(c) || inq_is_upper(c) || inq_is_lower(c);
}
static inline char inq_to_lower(char c)
{
    return inq_is_upper(c) ? (char)(c - 'A' + 'a') : c;
}
static inline bool inq_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool inq_is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}
/* Of names of options and variables. */
static inline bool inq_is_name_char(char c)
{
    return inq_is_alnum(c) || c == '_' || c == '-' || c == '.';
}
static inline bool inq_at_word_start(struct inq_piece text, size_t at)
{
    return at == 0 || !(inq_is_name_char(text.text[at - 1]) || text.text[at - 1] == '+' ||
                        text.text[at - 1] == '%');
}
/* Does the text go on with `word` (lower case) at `at`, whatever the case of its letters? */
bool inq_piece_has(struct inq_piece text, size_t at, const char *word);

#endif

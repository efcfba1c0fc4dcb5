/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_SPAN_H
#define INQ_KLOG_SPAN_H

/*
 * A piece of a line that is being read from its left. Every take moves on only when all of it is
 * there; nothing looks past `end`. Private to the layer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct inq_span {
    const char *at, *end; /* at <= end */
};

static inline struct inq_span inq_span_of(const char *bytes, size_t size)
{
    return (struct inq_span){bytes, bytes + size};
}
static inline size_t inq_span_size(const struct inq_span *s)
{
    return (size_t)(s->end - s->at);
}
static inline bool inq_span_is(const struct inq_span *s, const char *word)
{
    return inq_span_size(s) == strlen(word) && !memcmp(s->at, word, strlen(word));
}

/* The literal, exactly. */
bool inq_span_take(struct inq_span *s, const char *literal);
/* Spaces and tabs; never fails. */
void inq_span_skip_blanks(struct inq_span *s);
void inq_span_trim(struct inq_span *s); /* blanks at both ends */
/* Decimal digits, at least one; false beyond 2^64. */
bool inq_span_take_decimal(struct inq_span *s, uint64_t *ret_value);
/* Two digits and nothing less; for times. */
bool inq_span_take_digits(struct inq_span *s, size_t n, unsigned *ret_value);
/*
 * 1 to 16 hex digits, "0x" or not, or "(null)" as old kernels print %p of zero. ret_digits (may be
 * NULL): how many there were, 0 for "(null)".
 */
bool inq_span_take_hex(struct inq_span *s, uint64_t *ret_value, unsigned *ret_digits);
/* What stands before the literal; the literal itself is taken, too. */
bool inq_span_take_until(struct inq_span *s, const char *literal, struct inq_span *ret_before);
/* Up to a blank or the end; false when there is nothing. */
bool inq_span_take_word(struct inq_span *s, struct inq_span *ret_word);
/* The first place of the literal from `s` on; NULL without. */
const char *inq_span_find(const struct inq_span *s, const char *literal);
/* The last one. */
const char *inq_span_find_last(const struct inq_span *s, const char *literal);

/* NUL-terminated, cut at the size of the field. */
void inq_span_copy(const struct inq_span *s, char *field, size_t size);

/* The same of our own words. */
static inline void inq_span_set(char *field, size_t size, const char *words)
{
    const struct inq_span s = {words, words + strlen(words)};

    inq_span_copy(&s, field, size);
}

static inline bool inq_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool inq_is_hex(char c)
{
    return inq_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static inline bool inq_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif

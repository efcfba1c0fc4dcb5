/* SPDX-License-Identifier: Apache-2.0 */
#include "span.h"

bool inq_span_take(struct inq_span *s, const char *literal)
{
    const size_t size = strlen(literal);

    if (inq_span_size(s) < size || memcmp(s->at, literal, size) != 0)
        return false;
    s->at += size;
    return true;
}

void inq_span_skip_blanks(struct inq_span *s)
{
    while (s->at < s->end && inq_is_blank(*s->at))
        s->at++;
}

void inq_span_trim(struct inq_span *s)
{
    inq_span_skip_blanks(s);
    while (s->at < s->end && inq_is_blank(s->end[-1]))
        s->end--;
}

bool inq_span_take_decimal(struct inq_span *s, uint64_t *ret_value)
{
    const char *at = s->at;
    uint64_t value = 0;

    for (; at < s->end && inq_is_digit(*at); at++)
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    if (at == s->at)
        return false;
    s->at = at;
    *ret_value = value;
    return true;
}

bool inq_span_take_digits(struct inq_span *s, size_t n, unsigned *ret_value)
{
    unsigned value = 0;

    if (inq_span_size(s) < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!inq_is_digit(s->at[i]))
            return false;
        value = value * 10 + (unsigned)(s->at[i] - '0');
    }
    s->at += n;
    *ret_value = value;
    return true;
}

static unsigned hex_digit(char c)
{
    return inq_is_digit(c) ? (unsigned)(c - '0') : ((unsigned)c | 0x20u) - 'a' + 10u;
}

bool inq_span_take_hex(struct inq_span *s, uint64_t *ret_value, unsigned *ret_digits)
{
    const char *at = s->at;
    uint64_t value = 0;
    unsigned digits = 0;

    if (inq_span_take(s, "(null)")) {
        *ret_value = 0;
        if (ret_digits)
            *ret_digits = 0;
        return true;
    }
    if (s->end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && inq_is_hex(at[2]))
        at += 2;
    for (; at < s->end && inq_is_hex(*at); at++) {
        if (++digits > 16)
            return false;
        value = value << 4 | hex_digit(*at);
    }
    if (digits == 0)
        return false;
    s->at = at;
    *ret_value = value;
    if (ret_digits)
        *ret_digits = digits;
    return true;
}

const char *inq_span_find(const struct inq_span *s, const char *literal)
{
    return memmem(s->at, inq_span_size(s), literal, strlen(literal));
}

const char *inq_span_find_last(const struct inq_span *s, const char *literal)
{
    const size_t size = strlen(literal);

    if (size == 0 || inq_span_size(s) < size)
        return NULL;
    for (const char *at = s->end - size;; at--) {
        if (!memcmp(at, literal, size))
            return at;
        if (at == s->at)
            return NULL;
    }
}

bool inq_span_take_until(struct inq_span *s, const char *literal, struct inq_span *ret_before)
{
    const char *at = inq_span_find(s, literal);

    if (!at)
        return false;
    *ret_before = (struct inq_span){s->at, at};
    s->at = at + strlen(literal);
    return true;
}

bool inq_span_take_word(struct inq_span *s, struct inq_span *ret_word)
{
    const char *at = s->at;

    while (at < s->end && !inq_is_blank(*at))
        at++;
    if (at == s->at)
        return false;
    *ret_word = (struct inq_span){s->at, at};
    s->at = at;
    return true;
}

void inq_span_copy(const struct inq_span *s, char *field, size_t size)
{
    size_t n = inq_span_size(s) < size - 1 ? inq_span_size(s) : size - 1;

    memcpy(field, s->at, n);
    for (size_t i = 0; i < n; i++)
        if (field[i] == '\0')
            field[i] = '?'; /* a NUL would hide the rest */
    field[n] = '\0';
}

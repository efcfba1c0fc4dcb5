/* SPDX-License-Identifier: Apache-2.0 */
#include "armor.h"

#include <string.h>

static const char begin[] = "ProblemType: ";
static const char key[] = "CoreDump: base64\n";

bool inq_armor_begins(const uint8_t *bytes, size_t size)
{
    return size >= sizeof(begin) - 1 && memcmp(bytes, begin, sizeof(begin) - 1) == 0;
}

/* The value of a base64 digit (RFC 4648), 64 for padding, -1 for anything else. */
static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : -1;
}

/* A character of the body; true when `out` got a byte. */
static bool take_digit(struct inq_armor *armor, uint8_t c, uint8_t *out)
{
    int value = digit(c);

    if (value < 0) {
        armor->damaged = true;
        armor->state = INQ_ARMOR_DONE;
        return false;
    }
    if (value == 64) { /* what is left are bits of no byte; the next line starts anew */
        armor->n_bits = 0;
        return false;
    }
    armor->bits = armor->bits << 6 | (uint32_t)value;
    armor->n_bits += 6;
    if (armor->n_bits < 8)
        return false;
    armor->n_bits -= 8;
    *out = (uint8_t)(armor->bits >> armor->n_bits);
    return true;
}

static void find_key(struct inq_armor *armor, uint8_t c)
{
    if (armor->state == INQ_ARMOR_LINE_START) {
        armor->state = INQ_ARMOR_KEY;
        armor->matched = 0;
    }
    if (armor->state == INQ_ARMOR_KEY) {
        if (c == (uint8_t)key[armor->matched]) {
            if (key[++armor->matched] == '\0')
                armor->state = INQ_ARMOR_INDENT;
            return;
        }
        armor->state = INQ_ARMOR_OTHER;
    }
    if (c == '\n')
        armor->state = INQ_ARMOR_LINE_START;
}

size_t inq_armor_decode(struct inq_armor *armor, const uint8_t *text, size_t size, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < size && armor->state != INQ_ARMOR_DONE; i++) {
        const uint8_t c = text[i];

        if (armor->state == INQ_ARMOR_BODY) {
            if (c == '\n')
                armor->state = INQ_ARMOR_INDENT;
            else if (c != '\r' && c != ' ')
                n += take_digit(armor, c, &out[n]);
        } else if (armor->state == INQ_ARMOR_INDENT) {
            armor->state = c == ' ' ? INQ_ARMOR_BODY : INQ_ARMOR_DONE;
            armor->n_bits = 0;
        } else {
            find_key(armor, c);
        }
    }
    return n;
}

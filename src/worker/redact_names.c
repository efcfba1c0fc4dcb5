/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which names tell that a secret follows. A name is cut into its parts (at punctuation and at
 * the humps of camel case), and each part is looked at: "max_tokens", "keyboard" and "bypass" hold
 * the same letters as "token", "key" and "pass", and hide nothing.
 */

#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "redact_parts.h"

#define PART_BYTES 32u
#define MAX_PARTS 16u

struct parts {
    char items[MAX_PARTS][PART_BYTES];
    size_t count;
};

static void split(struct inq_piece name, struct parts *parts)
{
    size_t size = 0;

    parts->count = 0;
    for (size_t i = 0; i < name.size && parts->count < MAX_PARTS; i++) {
        char c = name.text[i];
        bool hump = i > 0 && inq_is_upper(c) && inq_is_lower(name.text[i - 1]);
        if (size > 0 && (hump || !inq_is_alnum(c))) {
            parts->items[parts->count++][size] = '\0';
            size = 0;
            if (parts->count == MAX_PARTS)
                return;
        }
        if (inq_is_alnum(c) && size < PART_BYTES - 1)
            parts->items[parts->count][size++] = inq_to_lower(c);
    }
    if (size > 0)
        parts->items[parts->count++][size] = '\0';
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (word[0] == words[i][0] && !strcmp(word, words[i]))
            return true;
    return false;
}
#define IS_ONE_OF(word, words) is_one_of((word), (words), INQ_ARRAY_SIZE(words))

static const char *const innocent[] = {
    /* pass */
    "passive",
    "bypass",
    "bypasses",
    "passthrough",
    "passthru",
    "compass",
    "passes",
    "passed",
    "passing",
    "passage",
    "passenger",
    "encompass",
    "passport",
    /* key */
    "keyboard",
    "keyboards",
    "keymap",
    "keyword",
    "keywords",
    "keyframe",
    "keyframes",
    "keycode",
    "keysym",
    "keypad",
    "keynote",
    "keystroke",
    "keyserver",
    "keysize",
    "keylen",
    "keytype",
    "monkey",
    "donkey",
    "turkey",
    "hockey",
    "hotkey",
    "hotkeys",
    "whiskey",
    "keystone",
    "keyspace",
    /* token */
    "tokenizer",
    "tokenizers",
    "tokenize",
    "tokenized",
    "tokenization",
    "tokeniser",
    /* secret, pwd */
    "secretary",
    "secretion",
    "oldpwd",
};
static const char *const strong[] = {"pw", "pwd", "pswd", "otp", "passin", "passout", "cookie"};
static const char *const strong_inside[] = {"pass", "secret", "credential", "pwd", "cryptkey"};
static const char *const weak[] = {"auth", "jwt",   "sig", "signature",
                                   "cred", "creds", "sas", "bearer"};
static const char *const weak_inside[] = {"token", "key", "sessid", "sessionid", "authorization"};

/* A bit for each letter that a word has: one that lacks the first two of another is not around it.
 */
static uint32_t letters_of(const char *word)
{
    uint32_t letters = 0;

    for (; *word; word++)
        letters |= inq_is_lower(*word) ? 1u << (*word - 'a') : 0;
    return letters;
}

static bool is_around(const char *word, uint32_t letters, const char *const *insides, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((letters >> (insides[i][0] - 'a') & letters >> (insides[i][1] - 'a') & 1) &&
            strstr(word, insides[i]))
            return true;
    return false;
}
#define IS_AROUND(word, letters, words) is_around((word), (letters), (words), INQ_ARRAY_SIZE(words))

static enum inq_secrecy part_secrecy(const char *part)
{
    const uint32_t letters = letters_of(part);
    enum inq_secrecy found = INQ_NAME_PLAIN;

    if (IS_ONE_OF(part, strong) || IS_AROUND(part, letters, strong_inside))
        found = INQ_NAME_STRONG;
    else if (IS_ONE_OF(part, weak) || IS_AROUND(part, letters, weak_inside))
        found = INQ_NAME_WEAK;
    return found != INQ_NAME_PLAIN && IS_ONE_OF(part, innocent) ? INQ_NAME_PLAIN : found;
}

enum inq_secrecy inq_name_secrecy(struct inq_piece name)
{
    enum inq_secrecy found = INQ_NAME_PLAIN;
    struct parts parts;

    split(name, &parts);
    if (parts.count == 0 || !strcmp(parts.items[0], "no") ||
        !strcmp(parts.items[parts.count - 1], "stdin") ||
        !strcmp(parts.items[parts.count - 1], "prompt"))
        return INQ_NAME_PLAIN;
    if (parts.count == 1 && !strcmp(parts.items[0], "pwd"))
        return INQ_NAME_PLAIN; /* the working directory */
    for (size_t i = 0; i < parts.count; i++) {
        enum inq_secrecy secrecy = part_secrecy(parts.items[i]);
        if (secrecy > found)
            found = secrecy;
    }
    /* words written in capitals have no humps: "PGPASSWORD" is one part and is found in it */
    return found;
}

static bool is_path(struct inq_piece value)
{
    return value.size > 0 && (value.text[0] == '/' || value.text[0] == '~' ||
                              (value.text[0] == '.' && value.size > 1 &&
                               (value.text[1] == '/' || value.text[1] == '.')));
}

static bool ends_with(struct inq_piece piece, const char *end)
{
    size_t size = strlen(end);
    return piece.size > size && !memcmp(piece.text + piece.size - size, end, size);
}

static bool is_file_of_keys(struct inq_piece name, struct inq_piece value)
{
    static const char *const places[] = {"file", "path",     "dir",        "store",   "sock",  "fd",
                                         "ring", "keystore", "truststore", "keyring", "keytab"};
    static const char *const ends[] = {".pem", ".key", ".crt",  ".cer",  ".p12", ".pfx",
                                       ".jks", ".pub", ".json", ".conf", ".gpg", ".asc"};
    struct parts parts;

    if (!is_path(value))
        return false;
    split(name, &parts);
    if (parts.count > 0 && IS_ONE_OF(parts.items[parts.count - 1], places))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(ends); i++)
        if (ends_with(value, ends[i]))
            return true;
    return false;
}

static bool is_small_word(struct inq_piece value)
{
    static const char *const words[] = {"true", "false", "yes",  "no",   "on",
                                        "off",  "none",  "null", "auto", "default"};
    size_t digits = 0;

    while (digits < value.size && inq_is_digit(value.text[digits]))
        digits++;
    if (digits == value.size && digits <= 6)
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == value.size && inq_piece_has(value, 0, words[i]))
            return true;
    return false;
}

bool inq_value_is_secret(enum inq_secrecy secrecy, struct inq_piece name, struct inq_piece value)
{
    if (secrecy == INQ_NAME_PLAIN || value.size == 0)
        return false;
    if (is_file_of_keys(name, value))
        return false;
    return secrecy == INQ_NAME_STRONG || !is_small_word(value);
}

bool inq_looks_random(struct inq_piece value)
{
    size_t digits = 0, letters = 0;

    if (value.size < 16 || is_path(value))
        return false;
    for (size_t i = 0; i < value.size; i++) {
        char c = value.text[i];
        digits += inq_is_digit(c);
        letters += inq_is_upper(c) || inq_is_lower(c);
        if (!inq_is_alnum(c) && !strchr("+/=_-", c))
            return false;
    }
    return digits >= 3 && letters >= 3;
}

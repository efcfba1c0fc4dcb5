/* SPDX-License-Identifier: Apache-2.0 */

/* Secrets that are known by what stands around them, and the walk over a text. */

#include <string.h>

#include "cleanup.h"
#include "redact.h"
#include "redact_parts.h"
#include "text.h"

#define AUTHORITY_LOOK 1024u

bool inq_piece_has(struct inq_piece text, size_t at, const char *word)
{
    for (; *word; word++, at++)
        if (at >= text.size || inq_to_lower(text.text[at]) != *word)
            return false;
    return true;
}

static bool ends_authority(char c)
{
    return c == '/' || c == '?' || c == '#' || c == '\\' || c == '<' || c == '>' ||
           inq_is_space(c) || inq_is_quote(c);
}

/* Is what follows the first colon a port? Then the part before it is a host. */
static bool is_port(struct inq_piece text, size_t colon, size_t end)
{
    for (size_t i = colon + 1; i < end; i++)
        if (!inq_is_digit(text.text[i]))
            return false;
    return true;
}

bool inq_match_userinfo(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    size_t start = at + 3, end = start, at_sign = 0, colon = 0;

    if (text.size - at < 4 || memcmp(text.text + at, "://", 3) != 0)
        return false;
    for (; end < text.size && !ends_authority(text.text[end]); end++) {
        if (text.text[end] == '@')
            at_sign = end;
        if (text.text[end] == ':' && !colon)
            colon = end;
    }
    /* a password may hold a slash or a question mark that nobody quoted */
    if (colon && (!at_sign || at_sign > colon) && !is_port(text, colon, at_sign ? at_sign : end))
        for (size_t i = end; i < text.size && i < end + AUTHORITY_LOOK &&
                             !inq_is_space(text.text[i]) && !inq_is_quote(text.text[i]);
             i++)
            if (text.text[i] == '@')
                at_sign = i;
    if (!at_sign || at_sign == start)
        return false;
    /* "git@host" is a user; a long word alone is a token */
    if ((!colon || colon > at_sign) && at_sign - start < 16)
        return false;
    *ret_span = (struct inq_span){3, at_sign - start};
    return true;
}

static bool is_path_end(char c)
{
    return c == '/' || c == ':' || c == ';' || c == ',' || inq_is_space(c) || inq_is_quote(c) ||
           c == ')' || c == ']' || c == '}' || c == '<' || c == '>' || c == '=';
}

/* Homes lie below these too: Fedora's /var/home, NFS exports, BSD. */
static bool is_home_parent(struct inq_piece text, size_t at)
{
    static const char *const parents[] = {"/var", "/usr", "/export", "/nfs", "/mnt", "/net"};

    if (at == 0 || !(inq_is_name_char(text.text[at - 1]) || text.text[at - 1] == '/'))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(parents); i++) {
        size_t size = strlen(parents[i]);
        if (at >= size && !memcmp(text.text + at - size, parents[i], size))
            return true;
    }
    return false;
}

bool inq_match_home(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    static const char root[] = "/home/";
    size_t keep = sizeof(root) - 1, size = 0;

    if (text.size - at < keep || memcmp(text.text + at, root, keep) != 0 ||
        !is_home_parent(text, at))
        return false;
    while (at + keep + size < text.size && !is_path_end(text.text[at + keep + size]))
        size++;
    *ret_span = (struct inq_span){keep, size};
    return size > 0 && !(size == 1 && text.text[at + keep] == '~');
}

/* Units of systemd and versions of symbols hold an @ too. */
static bool is_mail_domain(struct inq_piece domain)
{
    static const char *const no_tld[] = {"service", "socket", "target", "timer", "mount",
                                         "slice",   "device", "path",   "scope", "swap"};
    size_t dot = domain.size;

    while (dot > 0 && domain.text[dot - 1] != '.')
        dot--;
    if (dot < 2 || domain.size - dot < 2 || domain.text[0] == '.' || domain.text[0] == '-')
        return false;
    for (size_t i = dot; i < domain.size; i++)
        if (!inq_is_lower(inq_to_lower(domain.text[i])))
            return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(no_tld); i++)
        if (strlen(no_tld[i]) == domain.size - dot && inq_piece_has(domain, dot, no_tld[i]))
            return false;
    return true;
}

bool inq_match_mail(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    size_t local = 0, domain = 0;

    while (at + local < text.size && (inq_is_name_char(text.text[at + local]) ||
                                      text.text[at + local] == '+' || text.text[at + local] == '%'))
        local++;
    if (local == 0 || at + local >= text.size || text.text[at + local] != '@')
        return false;
    if (local == 3 && inq_piece_has(text, at, "git"))
        return false;
    const char *name = text.text + at + local + 1;
    while (at + local + 1 + domain < text.size &&
           (inq_is_alnum(name[domain]) || name[domain] == '.' || name[domain] == '-'))
        domain++;
    if (at + local + 1 + domain < text.size && name[domain] == '_')
        return false;
    while (domain > 0 && name[domain - 1] == '.')
        domain--; /* the full stop of a sentence */
    if (!is_mail_domain((struct inq_piece){name, domain}))
        return false;
    *ret_span = (struct inq_span){0, local + 1 + domain};
    return true;
}

/* From `at` to the end of the value: of a quotation, or of a word. */
static size_t value_size(struct inq_piece text, size_t at, char quote)
{
    size_t size = 0;

    for (; at + size < text.size; size++) {
        char c = text.text[at + size];
        if (quote ? c == quote : inq_is_space(c) || inq_is_quote(c) || c == '&' || c == ';')
            break;
    }
    return size;
}

static bool is_header(struct inq_piece name)
{
    static const char *const headers[] = {"authorization", "proxy-authorization", "cookie",
                                          "set-cookie"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(headers); i++)
        if (strlen(headers[i]) == name.size && inq_piece_has(name, 0, headers[i]))
            return true;
    return false;
}

/* How the value is tied to the name: the characters to skip, 0 when it is not. */
static size_t separator(struct inq_piece text, size_t at, enum inq_secrecy secrecy,
                        struct inq_piece name, bool *ret_loose)
{
    size_t skip = 0;
    bool quoted = at < text.size && (text.text[at] == '"' || text.text[at] == '\'');

    *ret_loose = false;
    if (quoted)
        skip++;
    if (at + skip >= text.size)
        return 0;
    char c = text.text[at + skip], next = at + skip + 1 < text.size ? text.text[at + skip + 1] : 0;
    if (c == '=')
        return next == '=' ? 0 : skip + 1;                   /* a comparison in an assertion */
    bool dashed = memchr(name.text, '-', name.size) != NULL; /* X-Auth-Token: */
    if (c == ':' && next != ':' && next != '/' &&
        (quoted || dashed || secrecy == INQ_NAME_STRONG || is_header(name)))
        skip++;
    else if (c == ' ' && !quoted)
        *ret_loose = true;
    else
        return 0;
    while (at + skip < text.size && text.text[at + skip] == ' ')
        skip++;
    return skip;
}

bool inq_match_assignment(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    struct inq_piece name = {text.text + at, 0};
    bool loose;
    char quote = 0;

    while (at + name.size < text.size && inq_is_name_char(name.text[name.size]))
        name.size++;
    enum inq_secrecy secrecy = inq_name_secrecy(name);
    if (secrecy == INQ_NAME_PLAIN)
        return false;
    size_t skip = separator(text, at + name.size, secrecy, name, &loose);
    size_t start = at + name.size + skip;
    if (skip == 0 || start >= text.size)
        return false;
    if (inq_is_quote(text.text[start]))
        quote = text.text[start++];
    size_t size = value_size(text, start, quote);
    if (is_header(name) && !loose && !quote)
        while (start + size < text.size && text.text[start + size] != '\n' &&
               !inq_is_quote(text.text[start + size]))
            size++;
    struct inq_piece value = {text.text + start, size};
    if (loose ? !inq_looks_random(value) : !inq_value_is_secret(secrecy, name, value))
        return false;
    *ret_span = (struct inq_span){start - at, size};
    return true;
}

static bool match(struct inq_piece text, size_t at, struct inq_span *ret_span)
{
    char c = text.text[at];

    if (c == ':')
        return inq_match_userinfo(text, at, ret_span);
    if (c == '/')
        return inq_match_home(text, at, ret_span);
    if (!inq_is_name_char(c))
        return false;
    if (inq_match_shape(text, at, ret_span))
        return true;
    if (!inq_at_word_start(text, at))
        return false;
    return inq_match_bearer(text, at, ret_span) || inq_match_mail(text, at, ret_span) ||
           inq_match_assignment(text, at, ret_span);
}

char *inq_redact_text(const char *text, enum inq_redact_level level)
{
    struct inq_piece piece = {text, strlen(text)};
    struct inq_text out = {0};
    size_t kept = 0;

    if (level == INQ_REDACT_NONE)
        return strdup(text);
    for (size_t at = 0; at < piece.size;) {
        struct inq_span span = {0, 0};
        if (!match(piece, at, &span)) {
            at++;
            continue;
        }
        bool home = text[at] == '/';
        inq_text_append_bytes(&out, text + kept, at + span.keep - kept);
        inq_text_append(&out, home ? "~" : "[redacted]");
        at += span.keep + span.drop;
        kept = at;
    }
    inq_text_append_bytes(&out, text + kept, piece.size - kept);
    if (out.failed) {
        inq_text_deinit(&out);
        return NULL;
    }
    return out.bytes ? out.bytes : strdup("");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <string.h>
#include <strings.h>

/* A loopback address in dotted decimal: "127." and three numbers, nothing else. */
static bool is_loopback4(const char *host, size_t size)
{
    unsigned parts = 0;
    size_t i = 0;

    while (i < size && parts < 4) {
        unsigned value = 0, digits = 0;

        while (i < size && host[i] >= '0' && host[i] <= '9' && digits < 4) {
            value = value * 10 + (unsigned)(host[i++] - '0');
            digits++;
        }
        /* a leading zero is octal to some */
        if (digits == 0 || value > 255 || (digits > 1 && host[i - digits] == '0'))
            return false;
        if (parts == 0 && value != 127)
            return false;
        parts++;
        if (parts < 4 && (i == size || host[i++] != '.'))
            return false;
    }
    return parts == 4 && i == size;
}

static bool is_loopback(const char *host, size_t size)
{
    return is_loopback4(host, size) || (size == 5 && memcmp(host, "[::1]", 5) == 0) ||
           (size == 9 && strncasecmp(host, "localhost", 9) == 0);
}

/*
 * No '@' (a user name), no '\\' (a separator to some), no '%': what is left of a host is read in
 * the same way by everybody.
 */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !memchr(".-_:[]", c, 6))
            return false;
    }
    return true;
}

bool inq_file_server_allowed(const char *url, size_t size)
{
    static const char https[] = "https://", http[] = "http://";
    const bool safe = size > 8 && strncasecmp(url, https, 8) == 0;
    const char *host, *end;
    size_t host_size;

    if (!safe && (size <= 7 || strncasecmp(url, http, 7) != 0))
        return false;
    for (size_t i = 0; i < size; i++)
        if (url[i] <= ' ' || url[i] > '~')
            return false;
    host = url + (safe ? 8 : 7);
    for (end = host; end < url + size && !memchr("/?#", *end, 3);)
        end++;
    if (end == host || !is_plain(host, (size_t)(end - host)))
        return false;
    if (safe)
        return true;
    if (*host == '[') {
        const char *bracket = memchr(host, ']', (size_t)(end - host));

        host_size = bracket ? (size_t)(bracket + 1 - host) : 0;
    } else {
        const char *colon = memchr(host, ':', (size_t)(end - host));

        host_size = (size_t)((colon ? colon : end) - host);
    }
    if (host + host_size < end && host[host_size] != ':')
        return false;
    return is_loopback(host, host_size);
}

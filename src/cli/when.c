/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

#define DAY 86400

/* "90m", "24h", "7d", "2w": so long ago. */
static bool parse_ago(const char *text, int64_t *ret_seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}};
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    long long n = strtoll(text, &end, 10);
    if (n > 100000 || end[0] == '\0' || end[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (*end == units[i].letter) {
            *ret_seconds = time(NULL) - n * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* 2026-11-21, 2026-11-21 10:30, 2026-11-21T10:30:00: local time; with a Z behind it UTC. */
static bool parse_date(const char *text, int64_t *ret_seconds)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *rest = strptime(text, forms[i], &tm);

        if (rest && (!*rest || !strcmp(rest, "Z"))) {
            *ret_seconds = *rest ? timegm(&tm) : mktime(&tm);
            return true;
        }
    }
    return false;
}

bool cli_parse_when(const char *text, int64_t *ret_seconds)
{
    return parse_ago(text, ret_seconds) || parse_date(text, ret_seconds);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "known_issues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "evidence.h"
#include "text.h"

#define MAX_LINES 100000u
#define MAX_LINE 4096
#define LEAST_GROUP 8

void inq_known_issues_deinit(struct inq_known_issues *issues)
{
    for (size_t i = 0; i < issues->items.count; i++) {
        free(issues->items.items[i].which);
        free(issues->items.items[i].link);
    }
    INQ_ARRAY_FREE(&issues->items);
}

static struct inq_error *wrong(const char *path, unsigned line, const char *why)
{
    return inq_error_create(INQ_E_CONFIG, "%s:%u: %s", path, line, why);
}

/* The day itself still counts. */
static bool parse_day(const char *text, int64_t *ret_until)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);

    if (!rest || *rest)
        return false;
    *ret_until = timegm(&tm) + 86400;
    return true;
}

static struct inq_error *read_line(struct inq_known_issues *issues, char *line, const char *path,
                                   unsigned number)
{
    char *save = NULL;
    const char *what = strtok_r(line, " \t\r\n", &save);
    const char *which = strtok_r(NULL, " \t\r\n", &save), *link = strtok_r(NULL, " \t\r\n", &save);
    const char *day = strtok_r(NULL, " \t\r\n", &save);
    int64_t until = 0;

    if (!what || *what == '#')
        return NULL;
    if (strcmp(what, "group") != 0 && strcmp(what, "signature") != 0)
        return wrong(path, number, "a line begins with \"group\" or \"signature\"");
    if (!which || !link)
        return wrong(path, number, "an id and a link are missing");
    if (*what == 'g' && strlen(which) < LEAST_GROUP)
        return wrong(path, number, "8 characters of a group's id are the least");
    if (day && *day != '#' && !parse_day(day, &until))
        return wrong(path, number, "the day is no date like 2027-01-31");
    struct inq_known_issue *issue = INQ_ARRAY_PUSH(&issues->items);
    if (!issue)
        return &inq_error_oom;
    *issue = (struct inq_known_issue){
        .by_group = *what == 'g', .which = strdup(which), .link = strdup(link), .until = until};
    return issue->which && issue->link ? NULL : &inq_error_oom;
}

struct inq_error *inq_known_issues_read(const char *path, struct inq_known_issues *ret_issues)
{
    _cleanup_(inq_known_issues_deinit) struct inq_known_issues issues = {0};
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    char line[MAX_LINE];
    unsigned number = 0;

    if (!file)
        return inq_error_create(INQ_E_CONFIG, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file)) {
        if (++number > MAX_LINES)
            return wrong(path, number, "too many lines");
        if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n')
            return wrong(path, number, "the line is too long");
        INQ_TRY(read_line(&issues, line, path, number));
    }
    if (ferror(file))
        return inq_error_create(INQ_E_CONFIG, "%s: %s", path, strerror(errno));
    *ret_issues = issues;
    issues = (struct inq_known_issues){0};
    return NULL;
}

/* "v1:9f21…" may be written with its version or without. */
static bool is_group(const char *key, const char *which)
{
    const char *colon = key ? strchr(key, ':') : NULL;

    return key && (inq_starts_with(key, which) || (colon && inq_starts_with(colon + 1, which)));
}

const char *inq_known_issues_find(const struct inq_known_issues *issues, const json_t *report,
                                  int64_t now)
{
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    const char *signature = json_string_value(json_object_get(best, "signature"));
    const char *key = json_string_value(json_object_get(json_object_get(report, "group"), "bug"));

    for (size_t i = 0; issues && i < issues->items.count; i++) {
        const struct inq_known_issue *issue = &issues->items.items[i];

        if (issue->until != 0 && issue->until <= now)
            continue;
        if (issue->by_group ? is_group(key, issue->which)
                            : signature && !strcmp(signature, issue->which))
            return issue->link;
    }
    return NULL;
}

void inq_known_issues_apply(const struct inq_known_issues *issues, json_t *report, int64_t now)
{
    const char *link = inq_known_issues_find(issues, report, now);
    json_t *group = json_object_get(report, "group"), *seen;

    if (!link || !json_is_object(group))
        return;
    seen = json_object_get(group, "seen");
    if (!json_is_object(seen)) {
        json_object_set_new(group, "seen", json_object());
        seen = json_object_get(group, "seen");
    }
    inq_json_set_foreign(seen, "known_issue", link);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* What a report says of itself, for the columns of the tables. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "evidence.h"
#include "sql.h"

const char *inq_doc_text(const json_t *report, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(report, path, NULL, NULL);

    return value.known == INQ_KNOWN ? json_string_value(value.value) : NULL;
}

bool inq_doc_time(const char *text, int64_t *ret_seconds)
{
    struct tm tm = {0};
    char zone;

    if (!text ||
        sscanf(text, "%d-%d-%dT%d:%d:%d%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &zone) != 7 ||
        zone != 'Z' || tm.tm_year < 1970 || tm.tm_year > 9999)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *ret_seconds = timegm(&tm);
    return true;
}

json_t *inq_time_json(int64_t seconds)
{
    char text[32];
    time_t when = seconds;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return json_null();
    return json_string(text);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* What a document holds, and how it is put in words. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "page.h"

const char *inq_page_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : NULL;
}

json_int_t inq_page_int(const json_t *object, const char *key, json_int_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool inq_page_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const json_t *inq_page_module(const struct inq_page *page, const json_t *frame)
{
    json_int_t index = inq_page_int(frame, "module", -1);
    if (index < 0)
        return NULL;
    return json_array_get(json_object_get(page->report, "modules"), (size_t)index);
}

const json_t *inq_page_main_module(const struct inq_page *page)
{
    const char *path = inq_page_text(json_object_get(page->report, "process"), "executable");
    const json_t *by_path = NULL;
    size_t i;
    json_t *module;
    json_array_foreach(json_object_get(page->report, "modules"), i, module)
    {
        const char *module_path = inq_page_text(module, "path");
        if (inq_page_int(module, "load_order", -1) == 0)
            return module;
        if (!by_path && path && module_path && !strcmp(path, module_path))
            by_path = module;
    }
    return by_path;
}

const json_t *inq_page_crashed(const struct inq_page *page)
{
    size_t i;
    json_t *thread;
    json_array_foreach(json_object_get(page->report, "threads"), i, thread)
    {
        if (inq_page_true(thread, "crashed"))
            return thread;
    }
    return NULL;
}

bool inq_page_local_time(const char *utc, char ret_time[32])
{
    struct tm tm = {0}, local;
    const char *end = utc ? strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!end || (*end != 'Z' && *end != '\0' && *end != '.'))
        return false;
    time_t seconds = timegm(&tm);
    if (!localtime_r(&seconds, &local))
        return false;
    return strftime(ret_time, 32, "%Y-%m-%d %H:%M:%S", &local) > 0;
}

void inq_page_size(json_int_t bytes, char ret_size[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < INQ_ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(ret_size, 32, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* FNV-1a: it only has to look different. */
void inq_page_group_id(const char *key, char ret_id[9])
{
    const char *colon = strchr(key, ':'), *digits = colon ? colon + 1 : key;
    uint64_t hash = 14695981039346656037u;
    if (strspn(digits, "0123456789abcdef") >= 8) { /* what `inquest show` takes */
        snprintf(ret_id, 9, "%.8s", digits);
        return;
    }
    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 1099511628211u;
    snprintf(ret_id, 9, "%08" PRIx32, (uint32_t)(hash ^ hash >> 32));
}

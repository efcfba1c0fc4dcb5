/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* The first wins where two folders have a file of the same name. */
static const char *const folders[] = {
    "etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd",
};

struct drop_in {
    const char *name; /* sorted by it, whatever folder it is in */
    char *path;
};

struct wanted {
    const struct inq_machine *machine;
    const char *section, *key;
    struct inq_conf_value got;
    bool failed;
};

void inq_conf_value_deinit(struct inq_conf_value *value)
{
    free(value->value);
    free(value->file);
    *value = (struct inq_conf_value){0};
}

/* "1.5G", "2 G", "1G 500M": parse_size() of systemd's basic/parse-util.c takes them all. */
static bool take_size(const char **text, uint64_t *ret_bytes)
{
    static const char units[] = "KMGTPE";
    uint64_t bytes, fraction = 0, scale = 1;
    const char *at;
    unsigned shift = 0;
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    bytes = strtoull(*text, &end, 10);
    if (errno)
        return false;
    at = end;
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++)
            if (scale < 1000000000) {
                fraction = fraction * 10 + (uint64_t)(*at - '0');
                scale *= 10;
            }
    at += strspn(at, " \t");
    if (*at && strchr(units, *at))
        shift = 10u * (unsigned)(strchr(units, *at++) - units + 1);
    if (*at == 'B')
        at++;
    if (bytes > UINT64_MAX >> shift)
        return false;
    bytes <<= shift;
    /* less than one unit: no more than 2^60, exact enough for a limit */
    if (__builtin_add_overflow(
            bytes, (uint64_t)((double)fraction / (double)scale * (double)(1ull << shift)), &bytes))
        return false;
    *text = at + strspn(at, " \t");
    *ret_bytes = bytes;
    return true;
}

bool inq_conf_size(const char *text, uint64_t *ret_bytes)
{
    uint64_t sum = 0, part;

    if (!strcmp(text, "infinity")) {
        *ret_bytes = INQ_LIMIT_NONE;
        return true;
    }
    do
        if (!take_size(&text, &part) || __builtin_add_overflow(sum, part, &sum))
            return false;
    while (*text);
    *ret_bytes = sum;
    return true;
}

static char *trim(char *text)
{
    size_t size;

    text += strspn(text, " \t\r");
    size = strlen(text);
    while (size > 0 && strchr(" \t\r", text[size - 1]))
        text[--size] = '\0';
    return text;
}

static void take(struct wanted *wanted, const char *value, const char *path)
{
    struct inq_conf_value got = {.value = strdup(value)};

    if (asprintf(&got.file, "/%s", path) < 0)
        got.file = NULL;
    inq_conf_value_deinit(&wanted->got);
    if (!got.value || !got.file) {
        wanted->failed = true;
        inq_conf_value_deinit(&got);
    } else if (*value == '\0') {
        inq_conf_value_deinit(&got); /* back to the default */
    }
    wanted->got = got;
}

/* False when there is no such file. */
static bool read_file(struct wanted *wanted, const char *path)
{
    _cleanup_free_ char *text = inq_machine_read(wanted->machine, path);
    char section[64] = "", *rest = text, *line;

    if (!text)
        return false;
    while ((line = strsep(&rest, "\n"))) {
        char *equals;

        line = trim(line);
        if (*line == '#' || *line == ';' || *line == '\0')
            continue;
        if (*line == '[') {
            snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
            continue;
        }
        equals = strchr(line, '=');
        if (!equals || strcmp(section, wanted->section) != 0)
            continue;
        *equals = '\0';
        if (!strcmp(trim(line), wanted->key))
            take(wanted, trim(equals + 1), path);
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

typedef INQ_ARRAY(struct drop_in) drop_in_array;

static void drop_ins_deinit(drop_in_array *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    INQ_ARRAY_FREE(list);
}

static void add_drop_ins(struct wanted *wanted, const char *directory, drop_in_array *list)
{
    _cleanup_(inq_names_freep) char **names = inq_machine_list(wanted->machine, directory);

    for (size_t i = 0; names && names[i]; i++) {
        struct drop_in *slot;
        bool known = false;

        for (size_t j = 0; j < list->count && !known; j++)
            known = !strcmp(list->items[j].name, names[i]);
        if (known || !inq_ends_with(names[i], ".conf"))
            continue;
        slot = INQ_ARRAY_PUSH(list);
        if (!slot || asprintf(&slot->path, "%s/%s", directory, names[i]) < 0) {
            wanted->failed = true;
            if (slot)
                list->count--;
            return;
        }
        slot->name = slot->path + strlen(directory) + 1;
    }
}

/* `sub` is "" or "/system". */
static bool read_all(struct wanted *wanted, const char *sub, const char *name)
{
    _cleanup_(drop_ins_deinit) drop_in_array list = {0};
    char path[512];
    bool found = false;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(folders) && !found; i++) {
        snprintf(path, sizeof(path), "%s%s/%s", folders[i], sub, name);
        found = read_file(wanted, path);
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof(path), "%s%s/%s.d", folders[i], sub, name);
        add_drop_ins(wanted, path, &list);
    }
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(*list.items), by_name);
    for (size_t i = 0; i < list.count; i++)
        found |= read_file(wanted, list.items[i].path);
    return found;
}

struct inq_conf_value inq_conf_get(const struct inq_machine *machine, const char *name,
                                   const char *section, const char *key, bool *failed)
{
    struct wanted wanted = {.machine = machine, .section = section, .key = key};

    read_all(&wanted, "", name);
    *failed |= wanted.failed;
    return wanted.got;
}

struct inq_conf_value inq_conf_unit_get(const struct inq_machine *machine, const char *unit,
                                        const char *key, bool *ret_found, bool *failed)
{
    struct wanted wanted = {.machine = machine, .section = "Service", .key = key};

    *ret_found = read_all(&wanted, "/system", unit);
    *failed |= wanted.failed;
    return wanted.got;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the program that caught a dump wrote down beside it: systemd-coredump in extended attributes
 * of the file, ABRT in small files of the same folder. Both read /proc while the process was dying,
 * so this may belong to another process that took its number: the dump's own notes come first.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "evidence.h"
#include "io.h"
#include "pattern.h"

#define VALUE_BYTES 256

struct place {
    const char *name; /* of the attribute or the file */
    const char *key;  /* of name_facts */
    bool number;
    uint64_t unit; /* the number is in 1/unit of ours; 0: as it is */
};

static const struct place attributes[] = {
    {"user.coredump.pid", "pid", true, 0},
    {"user.coredump.uid", "uid", true, 0},
    {"user.coredump.gid", "gid", true, 0},
    {"user.coredump.signal", "signal", true, 0},
    {"user.coredump.timestamp", "time", true, 1000000},
    {"user.coredump.rlimit", "core_limit", true, 0},
    {"user.coredump.hostname", "hostname", false, 0},
    {"user.coredump.comm", "comm", false, 0},
    {"user.coredump.exe", "path", false, 0},
};

static const struct place files[] = {
    {"pid", "pid", true, 0},          {"uid", "uid", true, 0},
    {"time", "time", true, 0},        {"hostname", "hostname", false, 0},
    {"executable", "path", false, 0},
};

static void put(json_t *facts, const struct place *place, char *value, size_t size)
{
    unsigned long long number;
    char *end;

    value[size] = '\0';
    value[strcspn(value, "\n")] = '\0';
    if (!place->number) {
        if (*value)
            inq_json_set_foreign(facts, place->key, value);
        return;
    }
    if (*value < '0' || *value > '9')
        return;
    errno = 0;
    number = strtoull(value, &end, 10);
    if (!errno && !*end && number <= INT64_MAX)
        json_object_set_new(
            facts, place->key,
            json_integer((json_int_t)(place->unit ? number / place->unit : number)));
}

static json_t *of_attributes(int fd)
{
    json_t *facts = json_object();

    for (size_t i = 0; facts && i < INQ_ARRAY_SIZE(attributes); i++) {
        char value[VALUE_BYTES];
        ssize_t n = fgetxattr(fd, attributes[i].name, value, sizeof(value) - 1);

        if (n > 0)
            put(facts, &attributes[i], value, (size_t)n);
    }
    return facts;
}

/* A problem directory of ABRT holds "coredump" and, beside it, files of one line each. */
static json_t *of_problem_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    json_t *facts = json_object();

    if (strcmp(slash ? slash + 1 : path, "coredump") != 0)
        return facts;
    for (size_t i = 0; facts && i < INQ_ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *name = NULL;
        const char *not_regular;
        char value[VALUE_BYTES];

        if (asprintf(&name, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, files[i].name) < 0)
            return facts;
        _cleanup_close_ int fd = inq_open_regular(AT_FDCWD, name, 0, &not_regular);
        ssize_t n = fd < 0 ? -1 : inq_read_full(fd, value, sizeof(value) - 1);
        if (n > 0)
            put(facts, &files[i], value, (size_t)n);
    }
    return facts;
}

json_t *inq_handler_facts(int fd, const char *path, const char **ret_handler)
{
    json_t *facts = fd >= 0 ? of_attributes(fd) : NULL;

    *ret_handler = "systemd-coredump";
    if (json_object_size(facts) > 0)
        return facts;
    json_decref(facts);
    facts = of_problem_directory(path);
    *ret_handler = "abrt";
    if (json_object_size(facts) > 0)
        return facts;
    json_decref(facts);
    return NULL;
}

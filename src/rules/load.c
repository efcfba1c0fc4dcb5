/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "cleanup.h"
#include "io.h"
#include "rule_read.h"
#include "text.h"

/* ---------------------------------------------------------------------------------- a file */

static struct inq_error *file_error(struct inq_rule_source *source, const char *what,
                                    const char *why)
{
    return inq_rule_source_error(source, 1, 1, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

/*
 * Root's conclusions must not depend on what another user can change behind its back: as root a
 * symbolic link is not followed, and a file that others may write is not read.
 */
static struct inq_error *open_rules(struct inq_rule_source *source, int directory, const char *name,
                                    int *ret_fd, size_t *ret_size)
{
    const char *not_regular = NULL;
    bool root = geteuid() == 0;
    struct stat link, file;
    if (root && fstatat(directory, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode))
        return file_error(source, "a symbolic link is not followed when run as root", NULL);
    _cleanup_close_ int fd = inq_open_regular(directory, name, !root, &not_regular);
    if (fd < 0)
        return not_regular ? file_error(source, "not a regular file", not_regular)
                           : file_error(source, "cannot be opened", strerror(errno));
    if (fstat(fd, &file) < 0)
        return file_error(source, "cannot be read", strerror(errno));
    bool others = (file.st_mode & S_IWOTH) || ((file.st_mode & S_IWGRP) && file.st_gid != 0);
    if (root && others)
        return file_error(source,
                          "other users may write to it: refused when run as root "
                          "(chmod go-w)",
                          NULL);
    if (file.st_size > (off_t)INQ_RULES_FILE_BYTES)
        return file_error(source, "larger than 4 MiB", NULL);
    *ret_fd = TAKE_FD(fd);
    *ret_size = (size_t)file.st_size;
    return NULL;
}

/* FNV-1a, 64 bits: tells files apart that nobody made to look alike. */
static uint64_t fnv1a(const char *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return hash;
}

static struct inq_error *read_file(struct inq_rule_source *source, int directory, const char *name,
                                   struct inq_rule **ret_rules, size_t *ret_count)
{
    _cleanup_close_ int fd = -1;
    size_t size = 0;
    INQ_TRY(open_rules(source, directory, name, &fd, &size));
    _cleanup_free_ char *bytes = malloc(size + 1);
    if (!bytes)
        return &inq_error_oom;
    ssize_t got = inq_read_full(fd, bytes, size);
    if (got < 0)
        return file_error(source, "cannot be read", strerror(errno));
    source->fingerprint = fnv1a(bytes, (size_t)got);
    return inq_rules_read(source, bytes, (size_t)got, ret_rules, ret_count);
}

struct inq_error *inq_rules_check_file(const char *path)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    if (!arena)
        return &inq_error_oom;
    struct inq_rule_source source = {.arena = arena, .file = path};
    struct inq_rule *rules = NULL;
    size_t count = 0;
    return read_file(&source, AT_FDCWD, path, &rules, &count);
}

/* ------------------------------------------------------------------------------- many files */

struct loader {
    struct inq_rules *rules;
    INQ_ARRAY(struct inq_rule) all;
    json_t *files_of_ids; /* id → the file it was first seen in */
};

static struct inq_error *refuse(struct loader *loader, const struct inq_rule_source *source,
                                struct inq_error *error)
{
    if (error->code == INQ_E_MEMORY)
        return error;
    _cleanup_(inq_error_destroyp) struct inq_error *owned = error;
    bool lossy = false;
    _cleanup_free_ char *file = inq_utf8_from_bytes(source->file, strlen(source->file), &lossy);
    const char *text = owned->message + source->place_size;
    _cleanup_free_ char *message = inq_utf8_from_bytes(text, strlen(text), &lossy);
    if (!file || !message)
        return &inq_error_oom;
    json_t *entry = json_pack("{s:s, s:i, s:i, s:s}", "file", file, "line", (int)source->error_line,
                              "column", (int)source->error_column, "message", message);
    return json_array_append_new(loader->rules->refused, entry) == 0 ? NULL : &inq_error_oom;
}

/* Ids are for ever: a file that takes one that another file has is refused. */
static struct inq_error *check_taken(struct loader *loader, struct inq_rule_source *source,
                                     const struct inq_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *other = json_string_value(json_object_get(loader->files_of_ids, rules[i].id));
        if (other)
            return inq_rule_source_error(source, rules[i].line, 1,
                                         "the id \"%s\" is already used in %s", rules[i].id, other);
    }
    return NULL;
}

static struct inq_error *load_file(struct loader *loader, int directory, const char *directory_name,
                                   const char *name)
{
    struct inq_rule_source source = {.arena = loader->rules->arena};
    source.file = inq_arena_printf(source.arena, "%s%s%s", directory_name,
                                   inq_ends_with(directory_name, "/") ? "" : "/", name);
    if (!source.file)
        return &inq_error_oom;
    struct inq_rule *rules = NULL;
    size_t count = 0;
    struct inq_error *error = read_file(&source, directory, name, &rules, &count);
    if (!error)
        error = check_taken(loader, &source, rules, count);
    if (error)
        return refuse(loader, &source, error);

    bool lossy = false;
    _cleanup_free_ char *file = inq_utf8_from_bytes(source.file, strlen(source.file), &lossy);
    for (size_t i = 0; i < count; i++) {
        struct inq_rule *slot = INQ_ARRAY_PUSH(&loader->all);
        if (!slot || !file ||
            json_object_set_new(loader->files_of_ids, rules[i].id, json_string(file)) != 0)
            return &inq_error_oom;
        *slot = rules[i];
    }
    loader->rules->files_loaded++;
    loader->rules->fingerprint = loader->rules->fingerprint * 0x100000001b3u + source.fingerprint;
    return NULL;
}

static int is_rule_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && inq_ends_with(entry->d_name, ".yaml");
}

/* Byte order, whatever the locale: which file wins an id must not depend on it. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static struct inq_error *load_directory(struct loader *loader, const char *name, bool required)
{
    struct dirent **entries = NULL;
    _cleanup_close_ int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_rule_file, by_name);
    if (count < 0) {
        int problem = errno;
        if (required)
            return inq_error_in(inq_error_create(INQ_E_RULES_NONE,
                                                 "the signatures cannot be read: %s",
                                                 strerror(problem)),
                                name);
        struct inq_rule_source source = {.arena = loader->rules->arena, .file = name};
        return refuse(loader, &source, file_error(&source, "cannot be read", strerror(problem)));
    }
    struct inq_error *error = NULL;
    for (int i = 0; i < count; i++) {
        if (!error)
            error = load_file(loader, fd, name, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return error;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct inq_rule *)a)->id, ((const struct inq_rule *)b)->id);
}

static struct inq_error *keep_sorted(struct loader *loader)
{
    size_t count = loader->all.count;
    struct inq_rule *items = INQ_ARENA_ARRAY(loader->rules->arena, count + 1, struct inq_rule);
    if (!items)
        return &inq_error_oom;
    if (count > 0) {
        memcpy(items, loader->all.items, count * sizeof(*items));
        qsort(items, count, sizeof(*items), compare_ids);
    }
    loader->rules->items = items;
    loader->rules->count = count;
    return NULL;
}

struct inq_error *inq_rules_load(const char *const *directories, size_t n,
                                 struct inq_rules **ret_rules)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = calloc(1, sizeof(*rules));
    if (!rules)
        return &inq_error_oom;
    rules->arena = inq_arena_create();
    rules->refused = json_array();
    struct loader loader = {.rules = rules, .files_of_ids = json_object()};
    struct inq_error *error = NULL;
    if (!rules->arena || !rules->refused || !loader.files_of_ids)
        error = &inq_error_oom;
    for (size_t i = 0; i < n && !error; i++)
        error = load_directory(&loader, directories[i], i == 0);
    if (!error)
        error = keep_sorted(&loader);
    INQ_ARRAY_FREE(&loader.all);
    json_decref(loader.files_of_ids);
    if (!error)
        *ret_rules = TAKE_PTR(rules);
    return error;
}

void inq_rules_destroy(struct inq_rules *rules)
{
    if (!rules)
        return;
    json_decref(rules->refused);
    inq_arena_destroy(rules->arena);
    free(rules);
}

const struct inq_rule *inq_rules_find(const struct inq_rules *rules, const char *id)
{
    struct inq_rule key = {.id = id};
    if (rules->count == 0)
        return NULL;
    return bsearch(&key, rules->items, rules->count, sizeof(key), compare_ids);
}

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
#include "condition.h"
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
 * symbolic link is not followed, and a file that others own or may write is not read. The shipped
 * ones lie beside the program, and whoever owns them owns that, too.
 */
static struct inq_error *open_rules(struct inq_rule_source *source, int directory, const char *name,
                                    bool shipped, int *ret_fd, size_t *ret_size)
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
    if (root && !shipped && file.st_uid != 0)
        return file_error(source, "belongs to another user: refused when run as root (chown root)",
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
                                   bool shipped, struct inq_rule **ret_rules, size_t *ret_count)
{
    _cleanup_close_ int fd = -1;
    size_t size = 0;
    INQ_TRY(open_rules(source, directory, name, shipped, &fd, &size));
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
    return read_file(&source, AT_FDCWD, path, false, &rules, &count);
}

/* ------------------------------------------------------------------------------- many files */

struct loader {
    struct inq_rules *rules;
    INQ_ARRAY(struct inq_rule) all;
    json_t *places; /* id → its index in `all`; of one that was disabled: DISABLED */
};
#define DISABLED (-1)

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

/* The rule that has the id now; NULL when it is free. */
static const struct inq_rule *holder(const struct loader *loader, const char *id)
{
    const json_t *place = json_object_get(loader->places, id);
    json_int_t index = json_integer_value(place);
    return json_is_integer(place) && index >= 0 ? &loader->all.items[index] : NULL;
}

static struct inq_error *no_such_id(const struct loader *loader, struct inq_rule_source *source,
                                    const struct inq_rule *rule)
{
    size_t n = loader->all.count;
    _cleanup_free_ const char **ids = calloc(n + 1, sizeof(*ids));
    for (size_t i = 0; ids && i < n; i++)
        ids[i] = loader->all.items[i].id;
    return inq_rule_source_error(source, rule->line, 1,
                                 "\"%s\": there is no signature \"%s\" before this file%s",
                                 rule->change == INQ_RULE_DISABLES ? "disable" : "override",
                                 rule->id, ids ? inq_did_you_mean(source, rule->id, ids, n) : "");
}

/*
 * Ids are for ever: a file that takes one that another file has is refused, unless it says that and
 * why it means to.
 */
static struct inq_error *check_taken(struct loader *loader, struct inq_rule_source *source,
                                     const struct inq_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct inq_rule *other = holder(loader, rules[i].id);
        if (rules[i].change != INQ_RULE_ADDS && !other)
            return no_such_id(loader, source, &rules[i]);
        if (rules[i].change == INQ_RULE_ADDS && other)
            return inq_rule_source_error(source, rules[i].line, 1,
                                         "the id \"%s\" is already used in %s (to put this rule in "
                                         "its place, add \"override: REASON\")",
                                         rules[i].id, other->file);
        if (rules[i].change == INQ_RULE_ADDS && json_object_get(loader->places, rules[i].id))
            return inq_rule_source_error(source, rules[i].line, 1,
                                         "the id \"%s\" was disabled: ids are for ever",
                                         rules[i].id);
    }
    return NULL;
}

static bool note_change(struct loader *loader, const struct inq_rule *rule)
{
    json_t *entry = json_object();
    if (!entry)
        return false;
    inq_json_set_foreign(entry, "id", rule->id);
    inq_json_set_foreign(entry, "change",
                         rule->change == INQ_RULE_DISABLES ? "disable" : "override");
    inq_json_set_foreign(entry, "reason", rule->reason);
    inq_json_set_foreign(entry, "file", rule->file);
    json_object_set_new(entry, "line", json_integer((json_int_t)rule->line));
    return json_array_append_new(loader->rules->changes, entry) == 0;
}

static struct inq_error *add_rule(struct loader *loader, const struct inq_rule *rule)
{
    json_int_t place = DISABLED;
    if (rule->change != INQ_RULE_ADDS && !note_change(loader, rule))
        return &inq_error_oom;
    if (rule->change != INQ_RULE_DISABLES) {
        struct inq_rule *slot = INQ_ARRAY_PUSH(&loader->all);
        if (!slot)
            return &inq_error_oom;
        *slot = *rule;
        place = (json_int_t)loader->all.count - 1;
    }
    return json_object_set_new(loader->places, rule->id, json_integer(place)) == 0 ? NULL
                                                                                   : &inq_error_oom;
}

static struct inq_error *load_file(struct loader *loader, int directory,
                                   const struct inq_rules_place *place, const char *name)
{
    struct inq_rule_source source = {.arena = loader->rules->arena};
    source.file = inq_arena_printf(source.arena, "%s%s%s", place->directory,
                                   inq_ends_with(place->directory, "/") ? "" : "/", name);
    if (!source.file)
        return &inq_error_oom;
    struct inq_rule *rules = NULL;
    size_t count = 0;
    struct inq_error *error = read_file(&source, directory, name, place->shipped, &rules, &count);
    if (!error)
        error = check_taken(loader, &source, rules, count);
    if (error)
        return refuse(loader, &source, error);
    for (size_t i = 0; i < count; i++) {
        rules[i].shipped = place->shipped;
        INQ_TRY(add_rule(loader, &rules[i]));
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

static struct inq_error *load_directory(struct loader *loader, const struct inq_rules_place *place)
{
    const char *name = place->directory;
    struct dirent **entries = NULL;
    _cleanup_close_ int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_rule_file, by_name);
    if (count < 0) {
        int problem = errno;
        if (place->required)
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
            error = load_file(loader, fd, place, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return error;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct inq_rule *)a)->id, ((const struct inq_rule *)b)->id);
}

/* Those that were neither disabled nor overridden. */
static struct inq_error *keep_sorted(struct loader *loader)
{
    size_t count = 0;
    struct inq_rule *items =
        INQ_ARENA_ARRAY(loader->rules->arena, loader->all.count + 1, struct inq_rule);
    if (!items)
        return &inq_error_oom;
    for (size_t i = 0; i < loader->all.count; i++)
        if (holder(loader, loader->all.items[i].id) == &loader->all.items[i])
            items[count++] = loader->all.items[i];
    if (count > 0)
        qsort(items, count, sizeof(*items), compare_ids);
    loader->rules->items = items;
    loader->rules->count = count;
    return NULL;
}

struct inq_error *inq_rules_load_places(const struct inq_rules_place *places, size_t n,
                                        struct inq_rules **ret_rules)
{
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = calloc(1, sizeof(*rules));
    if (!rules)
        return &inq_error_oom;
    rules->arena = inq_arena_create();
    rules->refused = json_array();
    rules->changes = json_array();
    struct loader loader = {.rules = rules, .places = json_object()};
    struct inq_error *error = NULL;
    if (!rules->arena || !rules->refused || !rules->changes || !loader.places)
        error = &inq_error_oom;
    for (size_t i = 0; i < n && !error; i++)
        error = load_directory(&loader, &places[i]);
    if (!error)
        error = keep_sorted(&loader);
    INQ_ARRAY_FREE(&loader.all);
    json_decref(loader.places);
    if (!error)
        *ret_rules = TAKE_PTR(rules);
    return error;
}

struct inq_error *inq_rules_load(const char *const *directories, size_t n,
                                 struct inq_rules **ret_rules)
{
    _cleanup_free_ struct inq_rules_place *places = calloc(n + 1, sizeof(*places));
    if (!places)
        return &inq_error_oom;
    for (size_t i = 0; i < n; i++)
        places[i] = (struct inq_rules_place){
            .directory = directories[i], .shipped = i == 0, .required = i == 0};
    return inq_rules_load_places(places, n, ret_rules);
}

void inq_rules_destroy(struct inq_rules *rules)
{
    if (!rules)
        return;
    json_decref(rules->refused);
    json_decref(rules->changes);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "conda.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "site.h"
#include "text.h"

#define BATCH 16u
#define MAX_PACKAGES 8192u

/* "NAME-VERSION-BUILD.json": names may hold dashes, versions and builds do not. */
static bool parse_file(const char *file, struct inq_arena *arena, struct inq_conda_package *package)
{
    const size_t n = strlen(file);
    size_t dashes[2] = {0}, seen = 0;

    for (size_t i = n; i > 0 && seen < 2; i--)
        if (file[i - 1] == '-')
            dashes[seen++] = i - 1;
    if (seen < 2 || dashes[1] == 0)
        return false;
    package->file = inq_arena_strdup(arena, file);
    package->name = inq_arena_copy(arena, file, dashes[1]);
    package->version = inq_arena_copy(arena, file + dashes[1] + 1, dashes[0] - dashes[1] - 1);
    return true;
}

static int compare_packages(const void *a, const void *b)
{
    const struct inq_conda_package *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->file, y->file);
}

struct inq_error *inq_conda_open(struct inq_opener *opener, const char *path,
                                 struct inq_arena *arena, struct inq_conda **ret_conda)
{
    _cleanup_(inq_blob_deinit) struct inq_blob names = {0};
    struct inq_conda *conda = INQ_ARENA_NEW(arena, struct inq_conda);
    const char *folder = inq_arena_printf(arena, "%s/conda-meta", path);
    size_t count = 0;

    if (!conda || !folder || !(conda->path = inq_arena_strdup(arena, path)))
        return &inq_error_oom;
    INQ_TRY(inq_blob_read(opener, INQ_FILE_LISTING, folder, &names));
    for (size_t i = 0; i < names.size; i++)
        count += names.text[i] == '\0';
    if (count > MAX_PACKAGES)
        count = MAX_PACKAGES;
    if (count > 0 && !(conda->packages = INQ_ARENA_ARRAY(arena, count, struct inq_conda_package)))
        return &inq_error_oom;
    for (size_t at = 0; at < names.size && conda->n_packages < count;) {
        const char *name = names.text + at;

        at += strlen(name) + 1;
        if (inq_ends_with(name, ".json") &&
            parse_file(name, arena, &conda->packages[conda->n_packages]))
            conda->n_packages++;
    }
    if (inq_arena_failed(arena))
        return &inq_error_oom;
    if (conda->n_packages > 0)
        qsort(conda->packages, conda->n_packages, sizeof(conda->packages[0]), compare_packages);
    *ret_conda = conda;
    return NULL;
}

const struct inq_conda_package *inq_conda_find(const struct inq_conda *conda, const char *key)
{
    for (size_t i = 0; i < conda->n_packages; i++) {
        char name[INQ_DIST_NAME];

        if (inq_dist_normalise(conda->packages[i].name, strlen(conda->packages[i].name), name) &&
            !strcmp(name, key))
            return &conda->packages[i];
    }
    return NULL;
}

/* ---- whose file is it? --------------------------------------------------------------------- */

/* The name in quotes anywhere decides whether it is worth a parser; the list `files` decides. */
static bool names_file(const struct inq_blob *blob, const char *below)
{
    const json_t *file;
    json_t *document;
    bool found = false;
    size_t i;

    if (!blob->text || !memmem(blob->text, blob->size, below, strlen(below)))
        return false;
    document = json_loadb(blob->text, blob->size, 0, NULL);
    json_array_foreach (json_object_get(document, "files"), i, file) {
        const char *text = json_string_value(file);

        found = text && !strcmp(text, below);
        if (found)
            break;
    }
    json_decref(document);
    return found;
}

static struct inq_error *read_batch(const struct inq_conda *conda, struct inq_opener *opener,
                                    struct inq_arena *arena, const size_t *which, size_t count,
                                    struct inq_blob *blobs)
{
    const char *paths[BATCH];

    for (size_t k = 0; k < count; k++) {
        paths[k] = inq_arena_printf(arena, "%s/conda-meta/%s", conda->path,
                                    conda->packages[which[k]].file);
        if (!paths[k])
            return &inq_error_oom;
    }
    return inq_blobs_read(opener, INQ_FILE_METADATA, paths, count, blobs);
}

static bool is_like(const struct inq_conda_package *package, const char *hint)
{
    char name[INQ_DIST_NAME];
    const char *key = name;

    if (!hint[0] || !inq_dist_normalise(package->name, strlen(package->name), name))
        return false;
    if (inq_starts_with(key, "lib"))
        key += 3;
    return inq_starts_with(key, hint) || inq_starts_with(hint, key);
}

/* ---- every file of every package, for when many are asked for ------------------------------- */

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct inq_conda_file *)a)->path,
                  ((const struct inq_conda_file *)b)->path);
}

static bool index_package(struct inq_conda *conda, struct inq_arena *arena, size_t package,
                          const struct inq_blob *blob, size_t *capacity)
{
    json_t *document = blob->text ? json_loadb(blob->text, blob->size, 0, NULL) : NULL;
    const json_t *file;
    bool ok = true;
    size_t i;

    json_array_foreach (json_object_get(document, "files"), i, file) {
        const char *text = json_string_value(file);

        if (!ok || !text || !strstr(text, ".so"))
            continue;
        ok =
            inq_array_grow((void **)&conda->files, conda->n_files, capacity, sizeof(*conda->files));
        if (!ok)
            break;
        conda->files[conda->n_files].path = inq_arena_strdup(arena, text);
        conda->files[conda->n_files].package = (uint32_t)package;
        ok = conda->files[conda->n_files].path != NULL;
        conda->n_files += ok;
    }
    json_decref(document);
    return ok;
}

static struct inq_error *build_index(struct inq_conda *conda, struct inq_opener *opener,
                                     struct inq_arena *arena)
{
    size_t capacity = 0;
    bool ok = true;

    conda->indexed = true;
    for (size_t i = 0; ok && i < conda->n_packages; i += BATCH) {
        const size_t left = conda->n_packages - i, count = left < BATCH ? left : BATCH;
        struct inq_blob blobs[BATCH];
        size_t which[BATCH];

        for (size_t k = 0; k < count; k++)
            which[k] = i + k;
        INQ_TRY(read_batch(conda, opener, arena, which, count, blobs));
        for (size_t k = 0; k < count; k++) {
            ok = ok && index_package(conda, arena, i + k, &blobs[k], &capacity);
            inq_blob_deinit(&blobs[k]);
        }
    }
    if (!ok)
        return &inq_error_oom;
    if (conda->n_files > 0)
        qsort(conda->files, conda->n_files, sizeof(*conda->files), compare_files);
    return NULL;
}

void inq_conda_close(struct inq_conda *conda)
{
    if (conda)
        free(conda->files);
}

struct inq_error *inq_conda_owner(struct inq_conda *conda, struct inq_opener *opener,
                                  struct inq_arena *arena, const char *below, const char *hint,
                                  size_t hint_size, bool thorough,
                                  const struct inq_conda_package **ret_package)
{
    _cleanup_free_ size_t *which = NULL;
    char key[INQ_DIST_NAME] = "";
    size_t n = 0;

    *ret_package = NULL;
    if (conda->n_packages == 0)
        return NULL;
    if (!inq_dist_normalise(hint, hint_size, key))
        key[0] = '\0';
    if (thorough) {
        const struct inq_conda_file wanted = {.path = below}, *found;

        if (!conda->indexed)
            INQ_TRY(build_index(conda, opener, arena));
        found = conda->n_files > 0 ? bsearch(&wanted, conda->files, conda->n_files,
                                             sizeof(*conda->files), compare_files)
                                   : NULL;
        *ret_package = found ? &conda->packages[found->package] : NULL;
        return NULL;
    }
    which = calloc(conda->n_packages, sizeof(*which));
    if (!which)
        return &inq_error_oom;
    for (size_t i = 0; i < conda->n_packages; i++)
        if (is_like(&conda->packages[i], key))
            which[n++] = i;
    for (size_t i = 0; i < n && !*ret_package; i += BATCH) {
        const size_t count = n - i < BATCH ? n - i : BATCH;
        struct inq_blob blobs[BATCH];

        INQ_TRY(read_batch(conda, opener, arena, which + i, count, blobs));
        for (size_t k = 0; k < count; k++) {
            if (!*ret_package && names_file(&blobs[k], below))
                *ret_package = &conda->packages[which[i + k]];
            inq_blob_deinit(&blobs[k]);
        }
    }
    return NULL;
}

/* ---- who needs it -------------------------------------------------------------------------- */

/* "libgfortran5 >=13.3.0" needs libgfortran5; "__glibc >=2.17" is no package. */
static bool add_depends(struct inq_dist *dist, struct inq_arena *arena, const json_t *depends)
{
    const json_t *item;
    size_t i, count = json_array_size(depends);

    if (count > INQ_MAX_REQUIREMENTS)
        count = INQ_MAX_REQUIREMENTS;
    if (count == 0)
        return true;
    dist->needs = INQ_ARENA_ARRAY(arena, count, struct inq_dist_need);
    if (!dist->needs)
        return false;
    json_array_foreach (depends, i, item) {
        const char *text = json_string_value(item);
        char name[INQ_DIST_NAME];

        if (i >= count || !text || !inq_dist_normalise(text, strcspn(text, " =<>!~;["), name))
            continue;
        dist->needs[dist->n_needs].name = inq_arena_strdup(arena, name);
        if (!dist->needs[dist->n_needs++].name)
            return false;
    }
    return true;
}

/* The packages as distributions, so that one walk serves both. */
static struct inq_error *build_graph(struct inq_conda *conda, struct inq_opener *opener,
                                     struct inq_arena *arena)
{
    struct inq_site *site = INQ_ARENA_NEW(arena, struct inq_site);
    bool ok = site != NULL;

    if (ok)
        site->dists = INQ_ARENA_ARRAY(arena, conda->n_packages, struct inq_dist);
    ok = ok && site->dists;
    for (size_t i = 0; ok && i < conda->n_packages; i += BATCH) {
        const size_t left = conda->n_packages - i, count = left < BATCH ? left : BATCH;
        struct inq_blob blobs[BATCH];
        size_t which[BATCH];

        for (size_t k = 0; k < count; k++)
            which[k] = i + k;
        INQ_TRY(read_batch(conda, opener, arena, which, count, blobs));
        for (size_t k = 0; k < count; k++) {
            json_t *document =
                ok && blobs[k].text ? json_loadb(blobs[k].text, blobs[k].size, 0, NULL) : NULL;
            struct inq_dist *dist = &site->dists[site->n_dists];
            char key[INQ_DIST_NAME];

            if (inq_dist_normalise(conda->packages[i + k].name, strlen(conda->packages[i + k].name),
                                   key)) {
                site->n_dists++;
                dist->folder = conda->packages[i + k].file;
                dist->name = conda->packages[i + k].name;
                dist->key = inq_arena_strdup(arena, key);
                ok = ok && dist->key &&
                     add_depends(dist, arena, json_object_get(document, "depends"));
            }
            json_decref(document);
            inq_blob_deinit(&blobs[k]);
        }
    }
    if (!ok)
        return &inq_error_oom;
    INQ_TRY(inq_site_link(site, arena));
    conda->graph = site;
    return NULL;
}

struct inq_error *inq_conda_chains(struct inq_conda *conda, struct inq_opener *opener,
                                   struct inq_arena *arena, const struct inq_conda_package *package,
                                   const char *const **ret_chains, size_t *ret_count,
                                   size_t *ret_total)
{
    const struct inq_dist *dist;
    char key[INQ_DIST_NAME];

    *ret_count = *ret_total = 0;
    *ret_chains = NULL;
    if (!conda->graph)
        INQ_TRY(build_graph(conda, opener, arena));
    if (!inq_dist_normalise(package->name, strlen(package->name), key) ||
        !(dist = inq_site_find(conda->graph, key)))
        return NULL;
    *ret_chains = inq_site_chains(conda->graph, dist, arena, ret_count, ret_total);
    return *ret_chains ? NULL : &inq_error_oom;
}

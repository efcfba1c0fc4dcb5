/* SPDX-License-Identifier: Apache-2.0 */
#include "owners.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "conda.h"
#include "distro.h"
#include "library_name.h"
#include "provenance.h"
#include "site.h"
#include "text.h"

#define MAX_SITES 64u
#define MAX_UPS 4u      /* ".." of a file that a wheel puts outside of its folder */
#define MAX_PREFIXES 4u /* folders above a "lib" that are asked for conda's records */
/* In a triage: reading what so many distributions need takes no time that anybody notices. */
#define FEW_DISTS 256u

struct inq_owners {
    struct inq_opener *opener;
    struct inq_arena *arena;
    INQ_ARRAY(struct inq_site *) sites;
    INQ_ARRAY(struct inq_conda *) condas;
    struct inq_distro distro;
};

struct inq_owners *inq_owners_create(struct inq_opener *opener, struct inq_arena *arena)
{
    struct inq_owners *owners = calloc(1, sizeof(*owners));

    if (!owners)
        return NULL;
    owners->opener = opener;
    owners->arena = arena;
    inq_distro_init(&owners->distro, opener, arena);
    return owners;
}

void inq_owners_destroy(struct inq_owners *owners)
{
    if (!owners)
        return;
    inq_distro_deinit(&owners->distro);
    for (size_t i = 0; i < owners->sites.count; i++)
        inq_site_close(owners->sites.items[i]);
    for (size_t i = 0; i < owners->condas.count; i++)
        inq_conda_close(owners->condas.items[i]);
    INQ_ARRAY_FREE(&owners->sites);
    INQ_ARRAY_FREE(&owners->condas);
    free(owners);
}

const struct inq_site *inq_owners_site(const struct inq_owners *owners, size_t i)
{
    return i < owners->sites.count ? owners->sites.items[i] : NULL;
}

/* ---- folders ------------------------------------------------------------------------------- */

/* The folder, read the first time it is asked for; NULL beyond the limit. */
static struct inq_error *site_at(struct inq_owners *o, const char *path, struct inq_site **ret_site)
{
    struct inq_site **slot;

    *ret_site = NULL;
    for (size_t i = 0; i < o->sites.count; i++)
        if (!strcmp(o->sites.items[i]->path, path)) {
            *ret_site = o->sites.items[i];
            return NULL;
        }
    if (o->sites.count == MAX_SITES)
        return NULL;
    INQ_TRY(inq_site_open(o->opener, path, o->arena, ret_site));
    slot = INQ_ARRAY_PUSH(&o->sites);
    if (!slot)
        return &inq_error_oom;
    *slot = *ret_site;
    return NULL;
}

static struct inq_error *conda_at(struct inq_owners *o, const char *path,
                                  struct inq_conda **ret_conda)
{
    struct inq_conda **slot;

    *ret_conda = NULL;
    for (size_t i = 0; i < o->condas.count; i++)
        if (!strcmp(o->condas.items[i]->path, path)) {
            *ret_conda = o->condas.items[i];
            return NULL;
        }
    if (o->condas.count == MAX_SITES)
        return NULL;
    INQ_TRY(inq_conda_open(o->opener, path, o->arena, ret_conda));
    slot = INQ_ARRAY_PUSH(&o->condas);
    if (!slot)
        return &inq_error_oom;
    *slot = *ret_conda;
    return NULL;
}

struct inq_error *inq_owners_add_site(struct inq_owners *owners, const char *path,
                                      size_t *ret_dists)
{
    struct inq_site *site;

    INQ_TRY(site_at(owners, path, &site));
    *ret_dists = site ? site->n_dists : 0;
    return NULL;
}

struct inq_error *inq_owners_add_conda(struct inq_owners *owners, const char *path,
                                       size_t *ret_packages)
{
    struct inq_conda *conda;

    INQ_TRY(conda_at(owners, path, &conda));
    *ret_packages = conda ? conda->n_packages : 0;
    return NULL;
}

/* Is the file below the folder? Gives what follows it. */
static const char *below(const char *path, const char *folder)
{
    const size_t n = strlen(folder);

    return !strncmp(path, folder, n) && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

/*
 * What a list of the folder calls a file: below it, or outside in the same environment with as many
 * ".." ("../../libmkl_rt.so.2" for PREFIX/lib/libmkl_rt.so.2). NULL when it is farther away.
 */
static const char *listed_name(struct inq_owners *o, const char *path, const char *folder)
{
    const char *name = below(path, folder);
    size_t n = strlen(folder), ups = 0;
    char *text;

    for (; !name && n > 0 && ups < MAX_UPS; ups++) {
        while (n > 0 && folder[n - 1] != '/')
            n--;
        n -= n > 0;
        name = !strncmp(path, folder, n) && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
    }
    if (!name || ups == 0)
        return name;
    text = INQ_ARENA_ARRAY(o->arena, 3 * ups + strlen(name) + 1, char);
    for (size_t i = 0; text && i < ups; i++)
        memcpy(text + 3 * i, "../", 3);
    if (text)
        memcpy(text + 3 * ups, name, strlen(name) + 1);
    return text;
}

/* The folder of Python packages that the file is in, the innermost known; NULL without. */
static struct inq_error *find_site(struct inq_owners *o, const char *path,
                                   struct inq_site **ret_site)
{
    const size_t n = inq_site_packages(path);
    struct inq_site *best = NULL;

    *ret_site = NULL;
    if (n > 0 && n < PATH_MAX) {
        char folder[PATH_MAX];

        memcpy(folder, path, n);
        folder[n] = '\0';
        INQ_TRY(site_at(o, folder, ret_site));
        if (*ret_site)
            return NULL;
    }
    for (size_t i = 0; i < o->sites.count; i++)
        if (o->sites.items[i]->n_dists > 0 && below(path, o->sites.items[i]->path) &&
            (!best || strlen(o->sites.items[i]->path) > strlen(best->path)))
            best = o->sites.items[i];
    *ret_site = best;
    return NULL;
}

/* The one whose environment a library in PREFIX/lib belongs to, as far as it is known already. */
static struct inq_site *site_beside(struct inq_owners *o, const char *path)
{
    for (size_t i = 0; i < o->sites.count; i++) {
        const char *folder = o->sites.items[i]->path, *python = strstr(folder, "/lib/python");

        if (o->sites.items[i]->n_dists > 0 && python &&
            !strncmp(path, folder, (size_t)(python - folder) + 1))
            return o->sites.items[i];
    }
    return NULL;
}

/* The environment that the file is in, of those that were read. */
static struct inq_conda *known_conda(const struct inq_owners *o, const char *path)
{
    for (size_t i = 0; i < o->condas.count; i++)
        if (o->condas.items[i]->n_packages > 0 && below(path, o->condas.items[i]->path))
            return o->condas.items[i];
    return NULL;
}

static bool is_system_prefix(const char *path, size_t n)
{
    return n == 4 && (!memcmp(path, "/usr", 4) || !memcmp(path, "/var", 4));
}

/*
 * The conda environment that the file is in: the folder above its "lib" or "bin"; the home of the
 * user may have such a name, too (/var/lib/jenkins/miniconda3).
 */
static struct inq_error *find_conda(struct inq_owners *o, const char *path,
                                    struct inq_conda **ret_conda)
{
    static const char *const folders[] = {"/lib/", "/bin/"};
    const size_t site = inq_site_packages(path);
    char folder[PATH_MAX];

    *ret_conda = known_conda(o, path);
    if (*ret_conda)
        return NULL;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(folders); i++) {
        unsigned tries = MAX_PREFIXES;

        for (const char *at = strstr(path, folders[i]); at && tries > 0;
             at = strstr(at + 1, folders[i]), tries--) {
            const size_t n = (size_t)(at - path);

            /* of the system itself, or of nobody, or inside a package */
            if (n == 0 || n >= PATH_MAX || is_system_prefix(path, n) || (site > 0 && n > site))
                continue;
            memcpy(folder, path, n);
            folder[n] = '\0';
            INQ_TRY(conda_at(o, folder, ret_conda));
            if (*ret_conda && (*ret_conda)->n_packages > 0)
                return NULL;
            *ret_conda = NULL;
        }
    }
    return NULL;
}

/* ---- the owners ---------------------------------------------------------------------------- */

static struct inq_error *wheel_owner(struct inq_owners *o, const char *path,
                                     const struct inq_origin *origin, bool thorough, bool beside,
                                     struct inq_owner *owner)
{
    struct inq_site *site;
    struct inq_dist *dist = NULL;
    const char *name;

    if (beside)
        site = site_beside(o, path);
    else
        INQ_TRY(find_site(o, path, &site));
    name = site ? listed_name(o, path, site->path) : NULL;
    if (!name)
        return inq_arena_failed(o->arena) ? &inq_error_oom : NULL;
    INQ_TRY(inq_site_owner(site, o->opener, o->arena, name,
                           origin->package_size > 0 ? origin->package : "", origin->package_size,
                           thorough, &dist));
    if (!dist)
        return NULL;
    if (thorough || site->n_dists <= FEW_DISTS)
        INQ_TRY(inq_site_read_needs(site, o->opener, o->arena));
    owner->kind = "wheel";
    owner->package = dist->name;
    owner->version = dist->version;
    owner->installer = dist->installer;
    if (site->needs_read) {
        owner->requested_by = inq_site_chains(site, dist, o->arena, &owner->n_requested_by,
                                              &owner->requested_by_total);
        if (!owner->requested_by)
            return &inq_error_oom;
    }
    return NULL;
}

static struct inq_error *conda_owner(struct inq_owners *o, const char *path, const char *stem,
                                     const struct inq_origin *origin, bool thorough,
                                     struct inq_owner *owner)
{
    const struct inq_conda_package *package = NULL;
    struct inq_conda *conda;
    const char *hint = origin->package_size > 0 ? origin->package : stem;
    const size_t hint_size = origin->package_size > 0 ? origin->package_size : strlen(stem);

    INQ_TRY(find_conda(o, path, &conda));
    if (!conda)
        return NULL;
    if (owner->kind && (!owner->installer || strcmp(owner->installer, "conda") != 0)) {
        /* The mapped file is a wheel's, by the wheel's own list. Does conda think it is its own? */
        char key[INQ_DIST_NAME];

        if (inq_dist_normalise(owner->package, strlen(owner->package), key) &&
            inq_conda_find(conda, key))
            owner->contradiction = "conda-pip-overlay";
        return NULL;
    }
    INQ_TRY(inq_conda_owner(conda, o->opener, o->arena, below(path, conda->path), hint, hint_size,
                            thorough, &package));
    if (!package)
        return NULL;
    *owner = (struct inq_owner){.kind = "conda",
                                .package = package->name,
                                .version = package->version,
                                .installer = "conda"};
    return thorough ? inq_conda_chains(conda, o->opener, o->arena, package, &owner->requested_by,
                                       &owner->n_requested_by, &owner->requested_by_total)
                    : NULL;
}

/* JAVA_VERSION="17.0.9" */
static const char *release_value(struct inq_owners *o, const struct inq_blob *blob, const char *key)
{
    const size_t n = strlen(key);
    const char *line;
    size_t size, pos = 0;

    while (blob->text && inq_blob_line(blob, &pos, &line, &size))
        if (size > n + 3 && !memcmp(line, key, n) && line[n] == '=' && line[n + 1] == '"' &&
            line[size - 1] == '"')
            return inq_arena_copy(o->arena, line + n + 2, size - n - 3);
    return NULL;
}

/* A JDK's folder is what lies above "/lib/" or, in old ones, "/jre/lib/"; it holds `release`. */
static struct inq_error *jdk_owner(struct inq_owners *o, const char *path, struct inq_owner *owner)
{
    _cleanup_(inq_blob_deinit) struct inq_blob release = {0};
    const char *at = NULL, *file, *slash;
    size_t n;

    for (const char *p = strstr(path, "/lib/"); p; p = strstr(p + 1, "/lib/"))
        at = p;
    if (!at || at == path)
        return NULL;
    n = (size_t)(at - path);
    if (n > 4 && !memcmp(path + n - 4, "/jre", 4))
        n -= 4;
    file = inq_arena_printf(o->arena, "%.*s/release", (int)n, path);
    if (!file)
        return &inq_error_oom;
    INQ_TRY(inq_blob_read(o->opener, INQ_FILE_METADATA, file, &release));
    owner->version = release_value(o, &release, "JAVA_VERSION");
    if (!owner->version)
        return NULL;
    owner->kind = "jdk";
    owner->installer = release_value(o, &release, "IMPLEMENTOR");
    slash = memrchr(path, '/', n);
    owner->package =
        slash ? inq_arena_copy(o->arena, slash + 1, n - (size_t)(slash + 1 - path)) : "jdk";
    return inq_arena_failed(o->arena) ? &inq_error_oom : NULL;
}

static bool is_store(enum inq_provenance p)
{
    return p == INQ_FROM_NIX || p == INQ_FROM_GUIX || p == INQ_FROM_SPACK || p == INQ_FROM_SNAP ||
           (p == INQ_FROM_FLATPAK);
}

static struct inq_error *store_owner(struct inq_owners *o, const struct inq_origin *origin,
                                     struct inq_owner *owner)
{
    if (origin->package_size == 0)
        return NULL;
    owner->kind = inq_provenance_name(origin->provenance);
    owner->package = inq_arena_copy(o->arena, origin->package, origin->package_size);
    if (origin->version_size > 0)
        owner->version = inq_arena_copy(o->arena, origin->version, origin->version_size);
    return inq_arena_failed(o->arena) ? &inq_error_oom : NULL;
}

static struct inq_error *system_owner(struct inq_owners *o, const char *path, const char *stem,
                                      const char *version, bool thorough, struct inq_owner *owner)
{
    struct inq_distro_package package;

    INQ_TRY(inq_distro_owner(&o->distro, path, stem, version, thorough, &package));
    if (package.manager)
        *owner = (struct inq_owner){.kind = "system",
                                    .package = package.name,
                                    .version = package.version,
                                    .installer = package.manager};
    return NULL;
}

struct inq_error *inq_owners_find(struct inq_owners *owners, const char *path, bool thorough,
                                  struct inq_owner *ret_owner)
{
    const struct inq_origin origin = inq_origin_of(path);
    struct inq_library library;
    struct inq_owner owner = {0};

    inq_library_name(path, &library);
    if (origin.provenance == INQ_FROM_MEMORY || path[0] != '/') {
        *ret_owner = owner;
        return NULL;
    }
    if (is_store(origin.provenance))
        INQ_TRY(store_owner(owners, &origin, &owner));
    if (!owner.kind)
        INQ_TRY(wheel_owner(owners, path, &origin, thorough, false, &owner));
    if (origin.provenance != INQ_FROM_SYSTEM || known_conda(owners, path))
        INQ_TRY(conda_owner(owners, path, library.stem, &origin, thorough, &owner));
    if (!owner.kind && origin.provenance == INQ_FROM_JDK)
        INQ_TRY(jdk_owner(owners, path, &owner));
    if (!owner.kind && (origin.provenance == INQ_FROM_SYSTEM || inq_starts_with(path, "/usr/") ||
                        inq_starts_with(path, "/lib") || inq_starts_with(path, "/opt/")))
        INQ_TRY(system_owner(owners, path, library.stem, library.version, thorough, &owner));
    if (!owner.kind && thorough)
        INQ_TRY(wheel_owner(owners, path, &origin, thorough, true, &owner));
    *ret_owner = owner;
    return NULL;
}

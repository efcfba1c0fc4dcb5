/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What loads a library for everybody. A library that is opened with RTLD_GLOBAL, and all that it
 * needs, is searched before a later library's own: its symbols win. Known loaders are a table; a
 * call in another package's Python source makes its libraries suspects.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "cleanup.h"
#include "prefix_parts.h"
#include "script.h"
#include "site.h"
#include "text.h"

/* ---- look-ups ------------------------------------------------------------------------------- */

static const char *soname_of(const struct inq_prefix_file *file)
{
    return file->links.soname && file->links.soname[0] ? file->links.soname : file->name;
}

static int compare_paths(const void *a, const void *b, void *context)
{
    const struct inq_prefix_file *files = context;

    return strcmp(files[*(const uint32_t *)a].path, files[*(const uint32_t *)b].path);
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct inq_prefix_file *files = context;
    int order =
        strcmp(soname_of(&files[*(const uint32_t *)a]), soname_of(&files[*(const uint32_t *)b]));

    return order ? order : compare_paths(a, b, context);
}

struct inq_error *inq_prefix_index(struct inq_prefix *prefix)
{
    prefix->by_path = INQ_ARENA_ARRAY(prefix->arena, prefix->n_files + 1, uint32_t);
    prefix->by_name = INQ_ARENA_ARRAY(prefix->arena, prefix->n_files + 1, uint32_t);
    if (!prefix->by_path || !prefix->by_name)
        return &inq_error_oom;
    for (uint32_t i = 0; i < prefix->n_files; i++)
        prefix->by_path[i] = prefix->by_name[i] = i;
    qsort_r(prefix->by_path, prefix->n_files, sizeof(uint32_t), compare_paths, prefix->files);
    qsort_r(prefix->by_name, prefix->n_files, sizeof(uint32_t), compare_names, prefix->files);
    return NULL;
}

static struct inq_prefix_file *file_at(const struct inq_prefix *prefix, const char *path)
{
    size_t low = 0, high = prefix->n_files;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct inq_prefix_file *file = &prefix->files[prefix->by_path[middle]];
        int order = strcmp(file->path, path);

        if (order == 0)
            return file->is_library ? file : NULL;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The first of by_name with that soname, as an index into by_name; n_files without. */
static size_t first_named(const struct inq_prefix *prefix, const char *name)
{
    size_t low = 0, high = prefix->n_files;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(soname_of(&prefix->files[prefix->by_name[middle]]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_named(const struct inq_prefix *prefix, size_t at, const char *name)
{
    return at < prefix->n_files && !strcmp(soname_of(&prefix->files[prefix->by_name[at]]), name);
}

/* ---- whom does a DT_NEEDED entry mean? ------------------------------------------------------- */

/* "/a/b/../c/./d" to "/a/c/d", in place. */
static void normalise(char *path)
{
    char *to = path;

    for (const char *from = path; *from;) {
        size_t n;

        while (*from == '/')
            from++;
        n = strcspn(from, "/");
        if (n == 0)
            break;
        if (n == 2 && from[0] == '.' && from[1] == '.') {
            while (to > path && *--to != '/')
                ;
        } else if (!(n == 1 && from[0] == '.')) {
            *to++ = '/';
            memmove(to, from, n);
            to += n;
        }
        from += n;
    }
    *to = '\0';
}

/* The file that one folder of the run path gives: by its name, or by the soname of a file there. */
static struct inq_prefix_file *in_folder(const struct inq_prefix *prefix, const char *folder,
                                         const char *needed)
{
    char path[PATH_MAX];
    const size_t n = strlen(folder);
    struct inq_prefix_file *file;

    if (n + strlen(needed) + 2 > sizeof(path))
        return NULL;
    memcpy(path, folder, n);
    path[n] = '/';
    memcpy(path + n + 1, needed, strlen(needed) + 1);
    file = file_at(prefix, path);
    for (size_t at = first_named(prefix, needed); !file && is_named(prefix, at, needed); at++) {
        struct inq_prefix_file *other = &prefix->files[prefix->by_name[at]];
        const size_t folder_size = (size_t)(other->name - other->path) - 1;

        /* the name itself is a symbolic link, which is not listed */
        if (other->is_library && folder_size == n && !memcmp(other->path, folder, n))
            file = other;
    }
    return file;
}

/* By DT_RUNPATH or DT_RPATH, with $ORIGIN; NULL when that does not lead to a file here. */
static struct inq_prefix_file *by_run_path(const struct inq_prefix *prefix,
                                           const struct inq_prefix_file *from, const char *needed)
{
    const char *at = from->links.run_path;
    const int origin_size = (int)(from->name - from->path) - 1;

    while (at && *at) {
        const size_t n = strcspn(at, ":");
        size_t word = 0;
        char folder[PATH_MAX];
        int size;

        if (n >= 7 && !memcmp(at, "$ORIGIN", 7))
            word = 7;
        else if (n >= 9 && !memcmp(at, "${ORIGIN}", 9))
            word = 9;
        if (word > 0) {
            size = snprintf(folder, sizeof(folder), "%.*s%.*s", origin_size, from->path,
                            (int)(n - word), at + word);
            if (size > 0 && (size_t)size < sizeof(folder)) {
                struct inq_prefix_file *file;

                normalise(folder);
                file = in_folder(prefix, folder, needed);
                if (file)
                    return file;
            }
        }
        at += n + (at[n] == ':' ? 1 : 0);
    }
    return NULL;
}

/* The one that is meant: by the run path, or because only one file has the name. */
static struct inq_prefix_file *resolve(const struct inq_prefix *prefix,
                                       const struct inq_prefix_file *from, const char *needed)
{
    struct inq_prefix_file *file = by_run_path(prefix, from, needed);
    size_t at;

    if (file)
        return file;
    at = first_named(prefix, needed);
    if (!is_named(prefix, at, needed) || is_named(prefix, at + 1, needed))
        return NULL;
    file = &prefix->files[prefix->by_name[at]];
    return file->is_library ? file : NULL;
}

static bool same_owner(const struct inq_prefix_file *a, const struct inq_prefix_file *b)
{
    return a->owner.package && b->owner.package && !strcmp(a->owner.package, b->owner.package);
}

const struct inq_prefix_file *inq_prefix_capturer(const struct inq_prefix *prefix,
                                                  const struct inq_prefix_file *of)
{
    const char *name = soname_of(of);

    for (size_t i = 0; i < prefix->n_files; i++) {
        const struct inq_prefix_file *file = &prefix->files[i];

        if (!file->is_library || file == of || same_owner(file, of) ||
            file->machine != of->machine || file->elf_class != of->elf_class)
            continue;
        for (size_t k = 0; k < file->links.n_needed; k++)
            if (!strcmp(file->links.needed[k], name)) {
                const struct inq_prefix_file *own = by_run_path(prefix, file, name);

                /* its own search leads to another file, or to none here: the system's */
                if (own != of)
                    return file;
            }
    }
    return NULL;
}

/* ---- known loaders --------------------------------------------------------------------------- */

/* A distribution that opens files with RTLD_GLOBAL: to add one is a line. */
static const struct {
    const char *dist;  /* normalised name */
    const char *files; /* glob over the path below the folder of packages */
    const char *how;
} known[] = {
    {"torch", "torch/lib/libtorch_global_deps.so", "torch/__init__.py, _load_global_deps()"},
    {"mpi4py", "*libmpi.so*", "mpi4py opens MPI's library so that its plug-ins find it"},
    {"mpi4py", "*libmpi_*.so*", "mpi4py opens MPI's library so that its plug-ins find it"},
    {"mkl-service", "*libmkl_rt.so*", "mkl/__init__.py imports its helper with RTLD_GLOBAL"},
    {"mkl-service", "../../libmkl_rt.so*", "mkl/__init__.py imports its helper with RTLD_GLOBAL"},
    {"cppyy-backend", "cppyy_backend/lib/lib*.so", "cppyy_backend/loader.py, load_cpp_backend()"},
};

/* What `file` is below the folder of packages; NULL when it is elsewhere. */
static const char *below_site(const struct inq_prefix_file *file, const struct inq_site *site)
{
    const size_t n = strlen(site->path);

    return !strncmp(file->path, site->path, n) && file->path[n] == '/' ? file->path + n + 1 : NULL;
}

/* A file that is opened, and what it needs, breadth first: each becomes visible to everybody. */
static struct inq_error *spread(struct inq_prefix *prefix, struct inq_prefix_file *start,
                                enum inq_hazard reach, const char *loader, const char *how)
{
    INQ_ARRAY(struct inq_prefix_file *) queue = {0};
    struct inq_prefix_file **slot = INQ_ARRAY_PUSH(&queue);
    bool ok = slot != NULL;

    if (start->reach >= reach) {
        INQ_ARRAY_FREE(&queue);
        return ok ? NULL : &inq_error_oom;
    }
    if (ok)
        *slot = start;
    for (size_t i = 0; ok && i < queue.count; i++) {
        struct inq_prefix_file *file = queue.items[i];

        if (file->reach >= reach)
            continue;
        file->reach = reach;
        file->loader = loader;
        file->reason =
            file == start
                ? inq_arena_printf(prefix->arena, "%s %s %s RTLD_GLOBAL (%s)", loader,
                                   reach == INQ_HAZARD_HIGH ? "loads" : "may load", file->name, how)
                : inq_arena_printf(prefix->arena,
                                   "%s %s %s RTLD_GLOBAL (%s), and with it %s, which that needs",
                                   loader, reach == INQ_HAZARD_HIGH ? "loads" : "may load",
                                   start->name, how, file->name);
        ok = file->reason != NULL;
        for (size_t k = 0; ok && k < file->links.n_needed; k++) {
            struct inq_prefix_file *needs = resolve(prefix, file, file->links.needed[k]);

            if (!needs || needs->reach >= reach)
                continue;
            slot = INQ_ARRAY_PUSH(&queue);
            ok = slot != NULL;
            if (ok)
                *slot = needs;
        }
    }
    INQ_ARRAY_FREE(&queue);
    return ok ? NULL : &inq_error_oom;
}

/* Is it a file of the table? "../" at the beginning leads out of the folder of packages. */
static bool is_listed(const struct inq_prefix_file *file, const struct inq_site *site,
                      const char *glob)
{
    size_t n = strlen(site->path);

    for (; !strncmp(glob, "../", 3) && n > 0; glob += 3) {
        while (n > 0 && site->path[n - 1] != '/')
            n--;
        n -= n > 0;
    }
    return !strncmp(file->path, site->path, n) && file->path[n] == '/' &&
           inq_glob_match(glob, file->path + n + 1);
}

static struct inq_error *apply_table(struct inq_prefix *prefix, const struct inq_site *site)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++) {
        const struct inq_dist *dist = inq_site_find(site, known[i].dist);

        for (size_t k = 0; dist && k < prefix->n_files; k++) {
            struct inq_prefix_file *file = &prefix->files[k];

            if (file->is_library && is_listed(file, site, known[i].files))
                INQ_TRY(spread(prefix, file, INQ_HAZARD_HIGH, dist->name, known[i].how));
        }
    }
    return NULL;
}

/* ---- findlibs -------------------------------------------------------------------------------- */

/* findlibs' pattern for what it opens: "^.*\.so(.[0-9]+)?$" */
static bool findlibs_name(const char *name)
{
    const char *end = name + strlen(name), *digits = end;

    if (inq_ends_with(name, ".so"))
        return true;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    return digits < end && digits - name >= 4 && !memcmp(digits - 4, ".so", 3);
}

/* PACKAGE/lib/FILE or PACKAGE/lib64/FILE, nothing deeper. */
static bool in_library_folder(const char *below)
{
    const char *slash = strchr(below, '/');

    if (!slash)
        return false;
    if (!strncmp(slash, "/lib/", 5))
        return !strchr(slash + 5, '/');
    return !strncmp(slash, "/lib64/", 7) && !strchr(slash + 7, '/');
}

/*
 * A package that uses findlibs asks it for "NAMElib", whose distribution it requires. findlibs
 * first opens, with RTLD_GLOBAL, every library in lib/ and lib64/ of what that one depends on
 * (`findlibs_dependencies`, which mirror its requirements); the found library itself it opens so
 * only when it was asked to load it.
 */
static struct inq_error *apply_findlibs(struct inq_prefix *prefix, const struct inq_site *site)
{
    const struct inq_dist *findlibs = inq_site_find(site, "findlibs");
    _cleanup_free_ bool *users = calloc(site->n_dists + 1, sizeof(*users));
    _cleanup_free_ uint8_t *served = calloc(site->n_dists + 1, sizeof(*served));
    _cleanup_free_ bool *needed_by = calloc(site->n_dists + 1, sizeof(*needed_by));

    if (!users || !served || !needed_by)
        return &inq_error_oom;
    if (!findlibs)
        return NULL;
    INQ_TRY(inq_site_users(site, (size_t)(findlibs - site->dists), users));
    for (size_t i = 0; i < site->n_dists; i++) {
        if (&site->dists[i] == findlibs || !inq_ends_with(site->dists[i].key, "lib"))
            continue;
        INQ_TRY(inq_site_users(site, i, needed_by));
        for (size_t k = 0; k < site->n_dists; k++) {
            /* asked for by name, or needed by another "…lib" */
            if (!needed_by[k] || k == i)
                continue;
            if (inq_ends_with(site->dists[k].key, "lib"))
                served[i] = 2;
            else if (users[k] && served[i] == 0)
                served[i] = 1;
        }
        if (served[i] == 2) {
            bool asked = false;

            for (size_t k = 0; k < site->n_dists; k++)
                asked |= users[k] && needed_by[k];
            served[i] = asked ? 2 : 0;
        }
    }
    for (size_t i = 0; i < prefix->n_files; i++) {
        struct inq_prefix_file *file = &prefix->files[i];
        const char *below = below_site(file, site);
        char key[INQ_DIST_NAME];
        const struct inq_dist *dist;

        if (!file->is_library || !below || !file->owner.package || !in_library_folder(below) ||
            !findlibs_name(file->name) ||
            !inq_dist_normalise(file->owner.package, strlen(file->owner.package), key) ||
            !(dist = inq_site_find(site, key)) || served[dist - site->dists] == 0)
            continue;
        if (served[dist - site->dists] == 2)
            INQ_TRY(spread(prefix, file, INQ_HAZARD_HIGH, "findlibs",
                           "it preloads what the package that it looks for needs"));
        else
            INQ_TRY(spread(prefix, file, INQ_HAZARD_POSSIBLE, "findlibs",
                           "findlibs.load(), when its user calls that"));
    }
    return NULL;
}

/* ---- calls in other packages ------------------------------------------------------------------
 */

static bool is_known_loader(const char *package)
{
    char key[INQ_DIST_NAME];

    if (!inq_dist_normalise(package, strlen(package), key))
        return true;
    if (!strcmp(key, "findlibs"))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (!strcmp(key, known[i].dist))
            return true;
    return false;
}

static struct inq_error *apply_script(struct inq_prefix *prefix, const char *path, unsigned line)
{
    struct inq_owner owner;
    const char *how;

    INQ_TRY(inq_owners_find(prefix->owners, path, true, &owner));
    if (!owner.package || is_known_loader(owner.package))
        return NULL;
    how = inq_arena_printf(prefix->arena, "a call in %s, line %u", path + 1, line);
    if (!how)
        return &inq_error_oom;
    for (size_t i = 0; i < prefix->n_files; i++) {
        struct inq_prefix_file *file = &prefix->files[i];

        if (file->is_library && !file->library.extension && file->owner.package &&
            !strcmp(file->owner.package, owner.package))
            INQ_TRY(spread(prefix, file, INQ_HAZARD_POSSIBLE, owner.package, how));
    }
    return NULL;
}

static struct inq_error *apply_scripts(struct inq_prefix *prefix)
{
    for (size_t i = 0; i < prefix->inventory.n_scripts; i++) {
        _cleanup_(inq_blob_deinit) struct inq_blob text = {0};
        unsigned line;

        INQ_TRY(
            inq_blob_read(prefix->opener, INQ_FILE_SCRIPT, prefix->inventory.scripts[i], &text));
        if (text.text && inq_script_loads_globally(text.text, text.size, &line))
            INQ_TRY(apply_script(prefix, prefix->inventory.scripts[i], line));
    }
    return NULL;
}

struct inq_error *inq_prefix_find_loaders(struct inq_prefix *prefix)
{
    const struct inq_site *site;

    for (size_t i = 0; (site = inq_owners_site(prefix->owners, i)); i++) {
        INQ_TRY(apply_table(prefix, site));
        INQ_TRY(apply_findlibs(prefix, site));
    }
    return apply_scripts(prefix);
}

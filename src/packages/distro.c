/* SPDX-License-Identifier: Apache-2.0 */
#include "distro.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"
#include "text.h"

#define BATCH 16u
#define MAX_LISTS 4096u /* opened in one analysis */
#define MAX_NAME 200u
#define NT_FDO_PACKAGING_METADATA 0xcafe1a7eu

#define DPKG_INFO "/var/lib/dpkg/info"
#define PACMAN_LOCAL "/var/lib/pacman/local"

void inq_distro_init(struct inq_distro *distro, struct inq_opener *opener, struct inq_arena *arena)
{
    *distro = (struct inq_distro){.opener = opener, .arena = arena, .lists_left = MAX_LISTS};
}

void inq_distro_deinit(struct inq_distro *distro)
{
    inq_blob_deinit(&distro->status);
    inq_blob_deinit(&distro->apk);
    inq_blob_deinit(&distro->listing);
    inq_blob_deinit(&distro->pacman);
}

/* A listing, or a package manager's database: those are replaced by rename(). */
static struct inq_error *read_once(struct inq_distro *d, enum inq_file_kind kind, const char *path,
                                   bool *done, struct inq_blob *blob)
{
    if (*done)
        return NULL;
    *done = true;
    return kind == INQ_FILE_LISTING ? inq_blob_read(d->opener, kind, path, blob)
                                    : inq_blob_map(d->opener, kind, path, blob);
}

/* ---- dpkg ---------------------------------------------------------------------------------- */

/* A whole line of the list. */
static bool has_line(const struct inq_blob *list, const char *text, size_t n)
{
    const char *at = list->text, *end = list->text + list->size;

    while (n > 0 && (at = memmem(at, (size_t)(end - at), text, n))) {
        if ((at == list->text || at[-1] == '\n') && (at + n == end || at[n] == '\n'))
            return true;
        at++;
    }
    return false;
}

bool inq_dpkg_list_names(const struct inq_blob *list, const char *path)
{
    if (!list->text)
        return false;
    if (has_line(list, path, strlen(path)))
        return true;
    /* Since the two were merged a file of /lib is mapped as /usr/lib, and the other way round. */
    if (inq_starts_with(path, "/usr/"))
        return has_line(list, path + 4, strlen(path + 4));
    if (inq_starts_with(path, "/lib") || inq_starts_with(path, "/bin/") ||
        inq_starts_with(path, "/sbin/")) {
        char usr[4096];
        int n = snprintf(usr, sizeof(usr), "/usr%s", path);

        return n > 0 && (size_t)n < sizeof(usr) && has_line(list, usr, (size_t)n);
    }
    return false;
}

/* "Key: value" of a paragraph; the value's text and size. */
static bool paragraph_value(const char *paragraph, size_t size, const char *key,
                            const char **ret_value, size_t *ret_size)
{
    const size_t n = strlen(key);

    for (size_t at = 0; at < size;) {
        const char *line = paragraph + at;
        const char *end = memchr(line, '\n', size - at);
        const size_t line_size = end ? (size_t)(end - line) : size - at;

        if (line_size > n && !memcmp(line, key, n)) {
            *ret_value = line + n;
            *ret_size = line_size - n;
            return true;
        }
        at += line_size + 1;
    }
    return false;
}

const char *inq_dpkg_version(const struct inq_blob *status, const char *package, const char *arch,
                             struct inq_arena *arena)
{
    char wanted[MAX_NAME + 16];
    const int n = snprintf(wanted, sizeof(wanted), "Package: %s\n", package);
    const char *at = status->text, *end;

    if (!at || n < 0 || (size_t)n >= sizeof(wanted))
        return NULL;
    end = status->text + status->size;
    for (; (at = memmem(at, (size_t)(end - at), wanted, (size_t)n)); at++) {
        const char *stop, *value;
        size_t size, paragraph;

        if (at != status->text && at[-1] != '\n')
            continue;
        stop = memmem(at, (size_t)(end - at), "\n\n", 2);
        paragraph = (size_t)((stop ? stop : end) - at);
        if (arch && paragraph_value(at, paragraph, "Architecture: ", &value, &size) &&
            (size != strlen(arch) || memcmp(value, arch, size) != 0) &&
            !(size == 3 && !memcmp(value, "all", 3)))
            continue;
        if (paragraph_value(at, paragraph, "Version: ", &value, &size))
            return inq_arena_copy(arena, value, size);
    }
    return NULL;
}

/* Debian's word for the architecture of "/usr/lib/x86_64-linux-gnu"; NULL when the path has none.
 */
static const char *debian_arch(const char *path)
{
    static const struct {
        const char *triplet, *arch;
    } archs[] = {
        {"/x86_64-linux-gnu/", "amd64"},           {"/i386-linux-gnu/", "i386"},
        {"/aarch64-linux-gnu/", "arm64"},          {"/arm-linux-gnueabihf/", "armhf"},
        {"/arm-linux-gnueabi/", "armel"},          {"/powerpc64le-linux-gnu/", "ppc64el"},
        {"/riscv64-linux-gnu/", "riscv64"},        {"/s390x-linux-gnu/", "s390x"},
        {"/mips64el-linux-gnuabi64/", "mips64el"},
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(archs); i++)
        if (strstr(path, archs[i].triplet))
            return archs[i].arch;
    return NULL;
}

struct guesses {
    char names[BATCH][MAX_NAME];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void guess(struct guesses *g, const char *format, ...)
{
    va_list list;
    char *name = g->names[g->count];
    int n;

    if (g->count == BATCH)
        return;
    va_start(list, format);
    n = vsnprintf(name, MAX_NAME, format, list);
    va_end(list);
    if (n <= 0 || (size_t)n >= MAX_NAME || strchr(name, '/'))
        return;
    g->count++;
}

/*
 * Debian Policy 8.1: the package of a library is named for its soname, with a dash where two digits
 * would meet: libssl.so.3 is in libssl3, libldap-2.5.so.0 in libldap-2.5-0. A "t64" behind it came
 * with 64-bit time.
 */
static void guess_debian(struct guesses *g, const char *stem, const char *soversion)
{
    char name[MAX_NAME], major[32];
    size_t n = 0;
    const char *dash;

    snprintf(name, sizeof(name), "lib%s", stem);
    for (char *p = name; *p; p++, n++)
        *p = *p == '_' ? '-' : *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    snprintf(major, sizeof(major), "%.*s", (int)strcspn(soversion, "."), soversion);
    dash = n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9' ? "-" : "";
    if (major[0]) {
        guess(g, "%s%s%s", name, dash, major);
        guess(g, "%s%s%st64", name, dash, major);
        guess(g, "%s%s%s", name, dash, soversion);
    }
    guess(g, "%s", name);
    guess(g, "%st64", name);
}

static void guess_well_known(struct guesses *g, const char *path)
{
    static const struct {
        const char *part, *package;
    } known[] = {
        {"/libc.so", "libc6"},
        {"/libc-2", "libc6"},
        {"/ld-", "libc6"},
        {"/libm.so", "libc6"},
        {"/libpthread", "libc6"},
        {"/libdl", "libc6"},
        {"/librt", "libc6"},
        {"/libutil", "libc6"},
        {"/libresolv", "libc6"},
        {"/libnss_", "libc6"},
        {"/libstdc++", "libstdc++6"},
        {"/libgcc_s", "libgcc-s1"},
        {"/libcrypto.so.3", "libssl3"},
        {"/libcrypto.so.1.1", "libssl1.1"},
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (strstr(path, known[i].part))
            guess(g, "%s", known[i].package);
}

/* Opens the lists of the guesses, each under its two names; the first that names the path wins. */
static struct inq_error *try_lists(struct inq_distro *d, const char *path, const char *arch,
                                   const char *const *names, size_t n, size_t *ret_which)
{
    struct inq_blob blobs[2 * BATCH];
    const char *paths[2 * BATCH] = {0};
    const size_t each = arch ? 2 : 1;

    *ret_which = SIZE_MAX;
    if (n * each > d->lists_left)
        return NULL;
    d->lists_left -= (unsigned)(n * each);
    for (size_t i = 0; i < n; i++) {
        paths[i * each] = inq_arena_printf(d->arena, DPKG_INFO "/%s.list", names[i]);
        if (arch)
            paths[i * each + 1] =
                inq_arena_printf(d->arena, DPKG_INFO "/%s:%s.list", names[i], arch);
        if (!paths[i * each] || (arch && !paths[i * each + 1]))
            return &inq_error_oom;
    }
    INQ_TRY(inq_blobs_read(d->opener, INQ_FILE_METADATA, paths, n * each, blobs));
    for (size_t i = 0; i < n * each; i++) {
        if (*ret_which == SIZE_MAX && inq_dpkg_list_names(&blobs[i], path))
            *ret_which = i / each;
        inq_blob_deinit(&blobs[i]);
    }
    return NULL;
}

static struct inq_error *found_debian(struct inq_distro *d, const char *name,
                                      struct inq_distro_package *ret_package)
{
    const char *colon = strchr(name, ':');

    INQ_TRY(read_once(d, INQ_FILE_METADATA, "/var/lib/dpkg/status", &d->status_read, &d->status));
    ret_package->manager = "dpkg";
    ret_package->name =
        inq_arena_copy(d->arena, name, colon ? (size_t)(colon - name) : strlen(name));
    ret_package->version = ret_package->name ? inq_dpkg_version(&d->status, ret_package->name,
                                                                colon ? colon + 1 : NULL, d->arena)
                                             : NULL;
    return inq_arena_failed(d->arena) ? &inq_error_oom : NULL;
}

/* Every list there is whose name is worth it: with the stem in it, or all with `all`. */
static struct inq_error *search_debian(struct inq_distro *d, const char *path, const char *stem,
                                       bool all, struct inq_distro_package *ret_package)
{
    const char *names[BATCH];
    size_t n = 0, which;

    INQ_TRY(read_once(d, INQ_FILE_LISTING, DPKG_INFO, &d->listing_read, &d->listing));
    for (size_t at = 0; at < d->listing.size && !ret_package->manager;) {
        const char *name = d->listing.text + at;
        const size_t size = strlen(name);

        at += size + 1;
        if (size <= 5 || size >= MAX_NAME || (!all && (!stem[0] || !strcasestr(name, stem))))
            continue;
        names[n] = inq_arena_copy(d->arena, name, size - 5);
        if (!names[n])
            return &inq_error_oom;
        if (++n < BATCH && at < d->listing.size)
            continue;
        INQ_TRY(try_lists(d, path, NULL, names, n, &which));
        if (which != SIZE_MAX)
            return found_debian(d, names[which], ret_package);
        n = 0;
    }
    if (n > 0) {
        INQ_TRY(try_lists(d, path, NULL, names, n, &which));
        if (which != SIZE_MAX)
            return found_debian(d, names[which], ret_package);
    }
    return NULL;
}

static struct inq_error *try_guesses(struct inq_distro *d, const char *path, const char *arch,
                                     const struct guesses *g,
                                     struct inq_distro_package *ret_package)
{
    const char *names[BATCH];
    char full[MAX_NAME + 16];
    size_t which;

    for (size_t i = 0; i < g->count; i++)
        names[i] = g->names[i];
    INQ_TRY(try_lists(d, path, arch, names, g->count, &which));
    if (which == SIZE_MAX)
        return NULL;
    snprintf(full, sizeof(full), "%s%s%s", names[which], arch ? ":" : "", arch ? arch : "");
    return found_debian(d, full, ret_package);
}

static struct inq_error *debian_owner(struct inq_distro *d, const char *path, const char *stem,
                                      const char *soversion, bool thorough,
                                      struct inq_distro_package *ret_package)
{
    const char *arch = debian_arch(path);
    struct guesses known = {0}, named = {0};

    guess_well_known(&known, path);
    INQ_TRY(try_guesses(d, path, arch, &known, ret_package));
    if (!ret_package->manager && stem[0]) {
        guess_debian(&named, stem, soversion);
        INQ_TRY(try_guesses(d, path, arch, &named, ret_package));
    }
    if (!thorough || ret_package->manager)
        return NULL;
    INQ_TRY(search_debian(d, path, stem, false, ret_package));
    return ret_package->manager ? NULL : search_debian(d, path, stem, true, ret_package);
}

/* ---- apk ----------------------------------------------------------------------------------- */

/* Paragraphs of "P:name", "V:version", "F:folder" and, below it, "R:file". */
static struct inq_error *apk_owner(struct inq_distro *d, const char *path,
                                   struct inq_distro_package *ret_package)
{
    const char *line, *slash = strrchr(path, '/'), *name = NULL, *version = NULL;
    size_t size, pos = 0, name_size = 0, version_size = 0;
    bool in_folder = false;

    INQ_TRY(read_once(d, INQ_FILE_METADATA, "/lib/apk/db/installed", &d->apk_read, &d->apk));
    if (!d->apk.text || !slash || path[0] != '/')
        return NULL;
    while (inq_blob_line(&d->apk, &pos, &line, &size)) {
        const size_t folder_size = (size_t)(slash - path - (slash > path ? 1 : 0));
        const size_t n = size >= 2 ? size - 2 : 0;

        if (size < 2 || line[1] != ':')
            continue;
        if (line[0] == 'P') {
            name = line + 2;
            name_size = n;
            in_folder = false;
        } else if (line[0] == 'V') {
            version = line + 2;
            version_size = n;
        } else if (line[0] == 'F') {
            in_folder = n == folder_size && !memcmp(line + 2, path + 1, n);
        } else if (line[0] == 'R' && in_folder && name && n == strlen(slash + 1) &&
                   !memcmp(line + 2, slash + 1, n)) {
            ret_package->manager = "apk";
            ret_package->name = inq_arena_copy(d->arena, name, name_size);
            ret_package->version = version ? inq_arena_copy(d->arena, version, version_size) : NULL;
            return inq_arena_failed(d->arena) ? &inq_error_oom : NULL;
        }
    }
    return NULL;
}

/* ---- pacman -------------------------------------------------------------------------------- */

/* "openssl-3.2.1-1": the version and the release are the last two parts. */
static struct inq_error *found_pacman(struct inq_distro *d, const char *folder,
                                      struct inq_distro_package *ret_package)
{
    size_t n = strlen(folder), dashes = 0, cut = n;

    while (cut > 0 && dashes < 2)
        dashes += folder[--cut] == '-';
    ret_package->manager = "pacman";
    ret_package->name = inq_arena_copy(d->arena, folder, dashes == 2 ? cut : n);
    ret_package->version = dashes == 2 ? inq_arena_strdup(d->arena, folder + cut + 1) : NULL;
    return inq_arena_failed(d->arena) ? &inq_error_oom : NULL;
}

static struct inq_error *pacman_try(struct inq_distro *d, const char *path,
                                    const char *const *folders, size_t n,
                                    struct inq_distro_package *ret_package)
{
    struct inq_blob blobs[BATCH];
    const char *paths[BATCH];
    size_t which = SIZE_MAX;

    if (n == 0 || n > d->lists_left)
        return NULL;
    d->lists_left -= (unsigned)n;
    for (size_t i = 0; i < n; i++)
        if (!(paths[i] = inq_arena_printf(d->arena, PACMAN_LOCAL "/%s/files", folders[i])))
            return &inq_error_oom;
    INQ_TRY(inq_blobs_read(d->opener, INQ_FILE_METADATA, paths, n, blobs));
    for (size_t i = 0; i < n; i++) {
        /* without the leading slash */
        if (which == SIZE_MAX && blobs[i].text && has_line(&blobs[i], path + 1, strlen(path + 1)))
            which = i;
        inq_blob_deinit(&blobs[i]);
    }
    return which == SIZE_MAX ? NULL : found_pacman(d, folders[which], ret_package);
}

static struct inq_error *pacman_owner(struct inq_distro *d, const char *path, const char *stem,
                                      bool thorough, struct inq_distro_package *ret_package)
{
    const char *folders[BATCH];
    size_t n = 0;

    if (path[0] != '/' || (!thorough && !stem[0]))
        return NULL;
    INQ_TRY(read_once(d, INQ_FILE_LISTING, PACMAN_LOCAL, &d->pacman_read, &d->pacman));
    for (int like = 1; like >= (thorough ? 0 : 1); like--) {
        for (size_t at = 0; at < d->pacman.size && !ret_package->manager;) {
            const char *name = d->pacman.text + at;

            at += strlen(name) + 1;
            if ((stem[0] && strcasestr(name, stem)) != (like == 1))
                continue;
            folders[n++] = name;
            if (n == BATCH) {
                INQ_TRY(pacman_try(d, path, folders, n, ret_package));
                n = 0;
            }
        }
        if (!ret_package->manager)
            INQ_TRY(pacman_try(d, path, folders, n, ret_package));
        if (ret_package->manager)
            return NULL;
        n = 0;
    }
    return NULL;
}

struct inq_error *inq_distro_owner(struct inq_distro *distro, const char *path, const char *stem,
                                   const char *soversion, bool thorough,
                                   struct inq_distro_package *ret_package)
{
    *ret_package = (struct inq_distro_package){0};
    INQ_TRY(debian_owner(distro, path, stem, soversion, thorough, ret_package));
    if (!ret_package->manager)
        INQ_TRY(apk_owner(distro, path, ret_package));
    if (!ret_package->manager)
        INQ_TRY(pacman_owner(distro, path, stem, thorough, ret_package));
    return NULL;
}

/* ---- .note.package ------------------------------------------------------------------------- */

bool inq_package_note(const void *section, size_t size, bool big_endian, struct inq_arena *arena,
                      struct inq_distro_package *ret_package)
{
    struct inq_cursor c = inq_cursor_init(section, size, big_endian, 8);
    uint32_t name_size, desc_size, type;
    const uint8_t *name, *desc;
    json_t *document;
    bool found = false;

    if (!inq_cursor_u32(&c, &name_size) || !inq_cursor_u32(&c, &desc_size) ||
        !inq_cursor_u32(&c, &type) || type != NT_FDO_PACKAGING_METADATA || name_size != 4 ||
        !inq_cursor_bytes(&c, 4, &name) || memcmp(name, "FDO", 4) != 0 || desc_size > 65536 ||
        !inq_cursor_bytes(&c, desc_size, &desc))
        return false;
    document = json_loadb((const char *)desc, strnlen((const char *)desc, desc_size), 0, NULL);
    const char *kind = json_string_value(json_object_get(document, "type"));
    const char *package = json_string_value(json_object_get(document, "name"));
    const char *version = json_string_value(json_object_get(document, "version"));
    if (kind && package && strlen(package) < MAX_NAME) {
        ret_package->manager = inq_arena_printf(arena, "%.32s", kind);
        ret_package->name = inq_arena_strdup(arena, package);
        ret_package->version = version ? inq_arena_printf(arena, "%.100s", version) : NULL;
        found = ret_package->manager && ret_package->name;
    }
    json_decref(document);
    return found;
}

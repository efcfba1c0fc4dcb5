/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

#define FEW_RECORDS 64u /* read in full also when nobody asked for thoroughness */

/* ---- the names ----------------------------------------------------------------------------- */

/* "psycopg2_binary-2.9.11.dist-info", "foo-1.0-py3.11.egg-info": name and version. */
static bool parse_folder(const char *folder, struct inq_arena *arena, struct inq_dist *dist)
{
    const bool egg = inq_ends_with(folder, ".egg-info");
    const size_t n = strlen(folder) - (egg ? 9 : 10);
    const char *dash = memchr(folder, '-', n);
    size_t name_size = dash ? (size_t)(dash - folder) : n;
    char key[INQ_DIST_NAME];

    if (!inq_dist_normalise(folder, name_size, key))
        return false;
    *dist = (struct inq_dist){.is_egg = egg};
    dist->folder = inq_arena_strdup(arena, folder);
    dist->name = inq_arena_copy(arena, folder, name_size);
    dist->key = inq_arena_strdup(arena, key);
    if (dash) {
        const char *version = dash + 1;
        size_t size = n - name_size - 1;
        const char *next = egg ? memchr(version, '-', size) : NULL;

        dist->version = inq_arena_copy(arena, version, next ? (size_t)(next - version) : size);
    }
    return true;
}

static int compare_dists(const void *a, const void *b)
{
    const struct inq_dist *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : strcmp(x->folder, y->folder);
}

/* "/…/lib/python3.11/site-packages": the interpreter's release. */
static void guess_python(const char *path, struct inq_markers *markers)
{
    const char *at = strstr(path, "/python3.");
    size_t n;

    if (!at)
        return;
    at += 7;
    n = strspn(at, "0123456789.");
    if (n < sizeof(markers->python)) {
        memcpy(markers->python, at, n);
        markers->python[n] = '\0';
    }
}

struct inq_error *inq_site_open(struct inq_opener *opener, const char *path,
                                struct inq_arena *arena, struct inq_site **ret_site)
{
    _cleanup_(inq_blob_deinit) struct inq_blob names = {0};
    struct inq_site *site = INQ_ARENA_NEW(arena, struct inq_site);
    size_t count = 0;

    if (!site || !(site->path = inq_arena_strdup(arena, path)))
        return &inq_error_oom;
    guess_python(path, &site->markers);
    INQ_TRY(inq_blob_read(opener, INQ_FILE_LISTING, path[0] ? path : "/", &names));
    for (size_t i = 0; i < names.size; i++)
        count += names.text[i] == '\0';
    if (count > INQ_MAX_DISTS)
        count = INQ_MAX_DISTS;
    if (count > 0 && !(site->dists = INQ_ARENA_ARRAY(arena, count, struct inq_dist)))
        return &inq_error_oom;
    for (size_t at = 0; at < names.size && site->n_dists < count;) {
        const char *name = names.text + at;

        at += strlen(name) + 1;
        if ((inq_ends_with(name, ".dist-info") || inq_ends_with(name, ".egg-info")) &&
            parse_folder(name, arena, &site->dists[site->n_dists]))
            site->n_dists++;
    }
    if (inq_arena_failed(arena))
        return &inq_error_oom;
    if (site->n_dists > 0)
        qsort(site->dists, site->n_dists, sizeof(site->dists[0]), compare_dists);
    *ret_site = site;
    return NULL;
}

void inq_site_close(struct inq_site *site)
{
    for (size_t i = 0; site && i < site->n_dists; i++)
        inq_blob_deinit(&site->dists[i].record);
}

struct inq_dist *inq_site_find(const struct inq_site *site, const char *key)
{
    size_t low = 0, high = site->n_dists;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(site->dists[middle].key, key);

        if (order == 0)
            return &site->dists[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- whose file is it? --------------------------------------------------------------------- */

/* RECORD is CSV: a path with a comma or a quote is quoted, and holds quotes twice. */
bool inq_record_names(const struct inq_blob *record, const char *below)
{
    const size_t n = strlen(below);
    const char *at = record->text, *end = record->text + record->size;

    if (!record->text || n == 0)
        return false;
    while ((at = memmem(at, (size_t)(end - at), below, n))) {
        const bool quoted = at > record->text && at[-1] == '"';
        const char *before = at - (quoted ? 1 : 0);
        const char *after = at + n;

        if ((before == record->text || before[-1] == '\n') && after < end &&
            (quoted ? after + 1 < end && after[0] == '"' && after[1] == ',' : after[0] == ','))
            return true;
        at++;
    }
    return false;
}

bool inq_installed_files_name(const struct inq_blob *list, const char *below)
{
    const char *line;
    size_t size, pos = 0, n = strlen(below);

    while (list->text && inq_blob_line(list, &pos, &line, &size))
        if (size == n + 3 && !memcmp(line, "../", 3) && !memcmp(line + 3, below, n))
            return true;
    return false;
}

/* How alike are a distribution's name and what the path says? 2 equal, 1 one begins the other. */
static int likeness(const struct inq_dist *dist, const char *hint)
{
    if (!hint[0])
        return 0;
    if (!strcmp(dist->key, hint))
        return 2;
    return inq_starts_with(dist->key, hint) || inq_starts_with(hint, dist->key) ? 1 : 0;
}

#define BATCH 16u

/* "pip" */
static void take_installer(struct inq_dist *dist, struct inq_arena *arena,
                           const struct inq_blob *blob)
{
    const char *line;
    size_t size, pos = 0;

    if (blob->text && inq_blob_line(blob, &pos, &line, &size) && size > 0 && size < 64)
        dist->installer = inq_arena_copy(arena, line, size);
}

/*
 * The lists of files of up to 16 distributions, and what installed them; those that were read
 * before are not read again.
 */
static struct inq_error *read_records(struct inq_site *site, struct inq_opener *opener,
                                      struct inq_arena *arena, const size_t *which, size_t n)
{
    struct inq_dist *dists[BATCH];
    struct inq_blob blobs[2 * BATCH];
    const char *paths[2 * BATCH] = {0};
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        struct inq_dist *dist = &site->dists[which[i]];

        if (dist->record_read)
            continue;
        paths[2 * count] = inq_arena_printf(arena, "%s/%s/%s", site->path, dist->folder,
                                            dist->is_egg ? "installed-files.txt" : "RECORD");
        paths[2 * count + 1] = inq_arena_printf(arena, "%s/%s/INSTALLER", site->path, dist->folder);
        if (!paths[2 * count] || !paths[2 * count + 1])
            return &inq_error_oom;
        dists[count++] = dist;
    }
    if (count == 0)
        return NULL;
    INQ_TRY(inq_blobs_read(opener, INQ_FILE_METADATA, paths, 2 * count, blobs));
    for (size_t i = 0; i < count; i++) {
        dists[i]->record = blobs[2 * i];
        dists[i]->record_read = true;
        take_installer(dists[i], arena, &blobs[2 * i + 1]);
        inq_blob_deinit(&blobs[2 * i + 1]);
    }
    return inq_arena_failed(arena) ? &inq_error_oom : NULL;
}

static struct inq_error *search(struct inq_site *site, struct inq_opener *opener,
                                struct inq_arena *arena, const char *below, const size_t *which,
                                size_t n, struct inq_dist **ret_dist)
{
    for (size_t i = 0; i < n; i += BATCH) {
        const size_t count = n - i < BATCH ? n - i : BATCH;

        INQ_TRY(read_records(site, opener, arena, which + i, count));
        for (size_t k = 0; k < count; k++) {
            struct inq_dist *dist = &site->dists[which[i + k]];

            if (dist->is_egg ? inq_installed_files_name(&dist->record, below)
                             : inq_record_names(&dist->record, below)) {
                *ret_dist = dist;
                return NULL;
            }
        }
    }
    return NULL;
}

struct inq_error *inq_site_owner(struct inq_site *site, struct inq_opener *opener,
                                 struct inq_arena *arena, const char *below, const char *hint,
                                 size_t hint_size, bool thorough, struct inq_dist **ret_dist)
{
    char key[INQ_DIST_NAME] = "";
    _cleanup_free_ size_t *which = NULL;
    size_t n = 0;

    *ret_dist = NULL;
    if (site->n_dists == 0)
        return NULL;
    if (!inq_dist_normalise(hint, hint_size, key))
        key[0] = '\0';
    which = calloc(site->n_dists, sizeof(*which));
    if (!which)
        return &inq_error_oom;
    for (int want = 2; want >= 0 && !*ret_dist; want--) {
        n = 0;
        for (size_t i = 0; i < site->n_dists; i++)
            if (likeness(&site->dists[i], key) == want)
                which[n++] = i;
        if (want == 0 && !thorough && n > FEW_RECORDS)
            break;
        INQ_TRY(search(site, opener, arena, below, which, n, ret_dist));
    }
    return NULL;
}

/* ---- what they need ------------------------------------------------------------------------ */

/* "Key: value" when the line begins with that key; keys compare without case. */
static bool header_value(const char *line, size_t size, const char *key, const char **ret_value,
                         size_t *ret_size)
{
    const size_t n = strlen(key);
    size_t at = n + 1;

    if (size <= n || line[n] != ':' || strncasecmp(line, key, n) != 0)
        return false;
    while (at < size && (line[at] == ' ' || line[at] == '\t'))
        at++;
    *ret_value = line + at;
    *ret_size = size - at;
    return true;
}

static bool add_need(struct inq_dist *dist, struct inq_arena *arena, const char *line, size_t size)
{
    struct inq_requirement r;
    struct inq_dist_need *need;

    if (dist->n_needs == INQ_MAX_REQUIREMENTS || !inq_requirement_parse(line, size, &r))
        return true;
    need = &dist->needs[dist->n_needs++];
    need->name = inq_arena_strdup(arena, r.name);
    need->extras = r.extras_size > 0 ? inq_arena_copy(arena, r.extras, r.extras_size) : NULL;
    need->marker = r.marker_size > 0 ? inq_arena_copy(arena, r.marker, r.marker_size) : NULL;
    return need->name != NULL;
}

/* METADATA is an e-mail's header; the description follows an empty line. */
static bool parse_metadata(struct inq_dist *dist, struct inq_arena *arena,
                           const struct inq_blob *blob)
{
    const char *line, *value;
    size_t size, value_size, pos = 0, count = 0;

    while (inq_blob_line(blob, &pos, &line, &size) && size > 0)
        count += header_value(line, size, "Requires-Dist", &value, &value_size);
    if (count > INQ_MAX_REQUIREMENTS)
        count = INQ_MAX_REQUIREMENTS;
    if (count > 0 && !(dist->needs = INQ_ARENA_ARRAY(arena, count, struct inq_dist_need)))
        return false;
    pos = 0;
    while (inq_blob_line(blob, &pos, &line, &size) && size > 0) {
        if (header_value(line, size, "Requires-Dist", &value, &value_size)) {
            if (dist->n_needs < count && !add_need(dist, arena, value, value_size))
                return false;
        } else if (header_value(line, size, "Name", &value, &value_size)) {
            char key[INQ_DIST_NAME];

            /* One that says it is somebody else is not believed: the folder's name is unique. */
            if (inq_dist_normalise(value, value_size, key) && !strcmp(key, dist->key))
                dist->name = inq_arena_copy(arena, value, value_size);
        } else if (header_value(line, size, "Version", &value, &value_size) && value_size < 64) {
            dist->version = inq_arena_copy(arena, value, value_size);
        }
    }
    dist->has_needs = true;
    return true;
}

/*
 * The extras of each distribution that an installed one asks for: "foo[bar]" asks for bar of foo.
 * An extra may ask for further ones, so this goes on until nothing is new.
 */
struct extras {
    const char *names[32];
    size_t count;
};

static bool extras_add(struct extras *extras, struct inq_arena *arena, const char *text)
{
    bool added = false;

    while (text && *text) {
        const size_t n = strcspn(text, ",");
        size_t begin = 0, end = n;
        char name[INQ_DIST_NAME];
        bool known = false;

        while (begin < end && text[begin] == ' ')
            begin++;
        while (end > begin && text[end - 1] == ' ')
            end--;
        if (inq_dist_normalise(text + begin, end - begin, name)) {
            for (size_t i = 0; i < extras->count && !known; i++)
                known = !strcmp(extras->names[i], name);
            if (!known && extras->count < INQ_ARRAY_SIZE(extras->names)) {
                const char *copy = inq_arena_strdup(arena, name);

                if (copy) {
                    extras->names[extras->count++] = copy;
                    added = true;
                }
            }
        }
        text += n + (text[n] == ',' ? 1 : 0);
    }
    return added;
}

static bool need_holds(const struct inq_site *site, const struct extras *extras,
                       const struct inq_dist_need *need)
{
    return !need->marker || inq_marker_evaluate(need->marker, strlen(need->marker), &site->markers,
                                                extras->names, extras->count) != INQ_MARKER_NO;
}

#define MAX_ROUNDS 16

static void spread_extras(const struct inq_site *site, struct inq_arena *arena,
                          struct extras *extras)
{
    bool changed = true;

    for (int round = 0; round < MAX_ROUNDS && changed; round++) {
        changed = false;
        for (size_t i = 0; i < site->n_dists; i++)
            for (size_t k = 0; k < site->dists[i].n_needs; k++) {
                const struct inq_dist_need *need = &site->dists[i].needs[k];
                const struct inq_dist *to = need->extras ? inq_site_find(site, need->name) : NULL;

                if (to && need_holds(site, &extras[i], need))
                    changed |= extras_add(&extras[to - site->dists], arena, need->extras);
            }
    }
}

/* Who is needed by whom, as one array of users for each. */
static struct inq_error *build_edges(struct inq_site *site, struct inq_arena *arena)
{
    _cleanup_free_ struct extras *extras = calloc(site->n_dists, sizeof(*extras));
    uint32_t *starts = INQ_ARENA_ARRAY(arena, site->n_dists + 2, uint32_t);

    if (!extras || !starts)
        return &inq_error_oom;
    spread_extras(site, arena, extras);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < site->n_dists; i++)
            for (size_t k = 0; k < site->dists[i].n_needs; k++) {
                const struct inq_dist_need *need = &site->dists[i].needs[k];
                const struct inq_dist *to = inq_site_find(site, need->name);

                if (!to || to == &site->dists[i] || !need_holds(site, &extras[i], need))
                    continue;
                if (pass == 0)
                    starts[to - site->dists + 2]++;
                else
                    site->edges[starts[to - site->dists + 1]++] = (uint32_t)i;
            }
        if (pass == 0) {
            for (size_t i = 2; i < site->n_dists + 2; i++)
                starts[i] += starts[i - 1];
            site->edges = INQ_ARENA_ARRAY(arena, (size_t)starts[site->n_dists + 1] + 1, uint32_t);
            if (!site->edges)
                return &inq_error_oom;
        }
    }
    site->edge_starts = starts;
    return NULL;
}

struct inq_error *inq_site_link(struct inq_site *site, struct inq_arena *arena)
{
    if (site->n_dists == 0)
        return NULL;
    qsort(site->dists, site->n_dists, sizeof(site->dists[0]), compare_dists);
    INQ_TRY(build_edges(site, arena));
    site->needs_read = true;
    return NULL;
}

static struct inq_error *read_metadata(struct inq_site *site, struct inq_opener *opener,
                                       struct inq_arena *arena, size_t first, size_t count)
{
    struct inq_blob blobs[BATCH];
    const char *paths[BATCH];
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        const struct inq_dist *dist = &site->dists[first + i];

        paths[i] = inq_arena_printf(arena, "%s/%s/%s", site->path, dist->folder,
                                    dist->is_egg ? "PKG-INFO" : "METADATA");
        if (!paths[i])
            return &inq_error_oom;
    }
    INQ_TRY(inq_blobs_read(opener, INQ_FILE_METADATA, paths, count, blobs));
    for (size_t i = 0; i < count; i++) {
        if (ok && blobs[i].text)
            ok = parse_metadata(&site->dists[first + i], arena, &blobs[i]);
        inq_blob_deinit(&blobs[i]);
    }
    return ok && !inq_arena_failed(arena) ? NULL : &inq_error_oom;
}

struct inq_error *inq_site_read_needs(struct inq_site *site, struct inq_opener *opener,
                                      struct inq_arena *arena)
{
    if (site->needs_read || site->n_dists == 0)
        return NULL;
    for (size_t i = 0; i < site->n_dists; i += BATCH)
        INQ_TRY(read_metadata(site, opener, arena, i,
                              site->n_dists - i < BATCH ? site->n_dists - i : BATCH));
    return inq_site_link(site, arena);
}

/* ---- chains -------------------------------------------------------------------------------- */

/* Breadth first from the needed to its users; `from` holds through whom each was reached. */
static size_t walk_users(const struct inq_site *site, size_t start, uint32_t *from, uint32_t *order)
{
    size_t head = 0, tail = 0;

    for (size_t i = 0; i < site->n_dists; i++)
        from[i] = UINT32_MAX;
    from[start] = (uint32_t)start;
    order[tail++] = (uint32_t)start;
    while (head < tail) {
        const uint32_t at = order[head++];

        for (uint32_t e = site->edge_starts[at]; e < site->edge_starts[at + 1]; e++) {
            const uint32_t user = site->edges[e];

            if (from[user] != UINT32_MAX)
                continue;
            from[user] = at;
            order[tail++] = user;
        }
    }
    return tail;
}

static const char *chain_text(const struct inq_site *site, const uint32_t *from, size_t start,
                              size_t end, struct inq_arena *arena)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    uint32_t path[64];
    size_t n = 0;

    /* from its end to the start, then printed the other way */
    for (size_t at = end; at != start && n < INQ_ARRAY_SIZE(path); at = from[at])
        path[n++] = (uint32_t)at;
    while (n-- > 0)
        inq_text_printf(&text, "%s%s", text.size > 0 ? " \u2190 " : "", site->dists[path[n]].name);
    return text.failed || !text.bytes ? NULL : inq_arena_strdup(arena, text.bytes);
}

const char *const *inq_site_chains(const struct inq_site *site, const struct inq_dist *dist,
                                   struct inq_arena *arena, size_t *ret_count, size_t *ret_total)
{
    const size_t start = (size_t)(dist - site->dists);
    const char **chains = INQ_ARENA_ARRAY(arena, INQ_MAX_CHAINS, const char *);
    _cleanup_free_ uint32_t *from = calloc(site->n_dists, sizeof(*from));
    _cleanup_free_ uint32_t *order = calloc(site->n_dists, sizeof(*order));
    size_t n, total = 0, count = 0;

    if (!chains || !from || !order)
        return NULL;
    n = site->edge_starts ? walk_users(site, start, from, order) : 0;
    for (int only_tops = 1; only_tops >= 0 && total == 0; only_tops--)
        for (size_t i = 1; i < n; i++) {
            const uint32_t at = order[i];
            const bool top = site->edge_starts[at] == site->edge_starts[at + 1];

            /* Where all need each other in a circle nobody is on top: then its direct users. */
            if (only_tops ? !top : from[at] != start)
                continue;
            total++;
            if (count < INQ_MAX_CHAINS &&
                !(chains[count++] = chain_text(site, from, start, at, arena)))
                return NULL;
        }
    *ret_count = count;
    *ret_total = total;
    return chains;
}

struct inq_error *inq_site_users(const struct inq_site *site, size_t needed, bool *users)
{
    _cleanup_free_ uint32_t *from = calloc(site->n_dists + 1, sizeof(*from));
    _cleanup_free_ uint32_t *order = calloc(site->n_dists + 1, sizeof(*order));

    if (!from || !order)
        return &inq_error_oom;
    if (!site->edge_starts)
        return NULL;
    walk_users(site, needed, from, order);
    for (size_t i = 0; i < site->n_dists; i++)
        users[i] = from[i] != UINT32_MAX;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The result as facts: `prefix`, `modules` (the files), `pairs`. */

#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "owner_facts.h"
#include "prefix_parts.h"
#include "provenance.h"
#include "record_json.h"

static json_t *build_id_json(const struct inq_prefix_file *file)
{
    char hex[2 * INQ_MAX_BUILD_ID];

    if (file->build_id_size == 0)
        return json_null();
    for (size_t i = 0; i < file->build_id_size; i++) {
        hex[2 * i] = "0123456789abcdef"[file->build_id[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[file->build_id[i] & 15];
    }
    return json_stringn_nocheck(hex, 2u * file->build_id_size);
}

static void put_if(struct inq_json_writer *w, json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        inq_json_put_text(w, object, key, text);
}

static struct inq_error *module_json(const struct inq_prefix *prefix, size_t i, size_t index,
                                     struct inq_json_writer *w, json_t **ret_object)
{
    const struct inq_prefix_file *file = &prefix->files[i];
    const char *path =
        inq_arena_printf(prefix->arena, "%s%s", prefix->inventory.folder, file->path);
    json_t *object = json_object();

    *ret_object = object;
    if (!path || !object)
        return &inq_error_oom;
    inq_json_put_int(w, object, "index", (int64_t)index);
    inq_json_put_text(w, object, "path", path);
    inq_json_put_text(w, object, "name", file->name);
    inq_json_put_text(w, object, "soname", file->links.soname);
    inq_json_put(w, object, "build_id", build_id_json(file));
    put_if(w, object, "family", file->library.family);
    put_if(w, object, "abi", file->library.abi);
    put_if(w, object, "release", file->library.version);
    put_if(w, object, "provenance", inq_provenance_name(inq_origin_of(path).provenance));
    put_if(w, object, "config", file->config);
    return inq_owner_record(object, &file->owner);
}

/* The folder by what lies in it. */
static const char *kind_of(const struct inq_inventory *inventory)
{
    bool site_is_folder = false;

    for (size_t i = 0; i < inventory->n_condas; i++)
        if (!inventory->condas[i][0])
            return "conda";
    for (size_t i = 0; i < inventory->n_sites; i++)
        site_is_folder |= !inventory->sites[i][0];
    if (site_is_folder)
        return "site-packages";
    for (size_t i = 0; i < inventory->n_sites; i++)
        if (!strncmp(inventory->sites[i], "/lib/python", 11) ||
            !strncmp(inventory->sites[i], "/lib64/python", 13))
            return "venv";
    for (size_t i = 0; i < inventory->n_libraries; i++)
        if (!strncmp(inventory->libraries[i], "/usr/lib", 8))
            return "root";
    return "folder";
}

static json_t *pair_json(const struct inq_prefix_pair *p, const uint32_t *index,
                         struct inq_json_writer *w)
{
    static const char *const hazards[] = {"low", "possible", "high"};
    json_t *object = json_object(), *copies = json_array();

    inq_json_push(w, copies, json_integer(index[p->pair.a]));
    inq_json_push(w, copies, json_integer(index[p->pair.b]));
    inq_json_put(w, object, "copies", copies);
    put_if(w, object, "family", p->family);
    inq_json_put_int(w, object, "common", p->pair.common);
    inq_json_put_int(w, object, "confusable", p->pair.confusable);
    inq_json_put_int(w, object, "smaller", p->smaller);
    inq_json_put(w, object, "share",
                 json_real(p->smaller ? (double)p->pair.common / (double)p->smaller : 0.0));
    inq_json_put_text(w, object, "hazard", hazards[p->hazard]);
    inq_json_put_text(w, object, "reason", p->reason);
    put_if(w, object, "loader", p->loader);
    return object;
}

/*
 * A list in a report is bounded (INQ_MAX_MODULES): files of pairs go before others, those of the
 * most dangerous pairs before all. Returns how many pairs have both their files listed.
 */
static size_t choose(const struct inq_prefix *prefix, const struct inq_prefix_pair *pairs,
                     size_t n_pairs, bool *listed)
{
    size_t count = 0, kept = 0;

    for (; kept < n_pairs && kept < INQ_MAX_MODULES; kept++) {
        bool *a = &listed[pairs[kept].pair.a], *b = &listed[pairs[kept].pair.b];

        if (count + !*a + !*b > INQ_MAX_MODULES)
            break;
        count += (size_t) !*a + (size_t) !*b;
        *a = *b = true;
    }
    for (size_t i = 0; i < prefix->n_files && count < INQ_MAX_MODULES; i++) {
        if (!prefix->files[i].is_library || listed[i])
            continue;
        listed[i] = true;
        count++;
    }
    return kept;
}

struct inq_error *inq_prefix_record(const struct inq_prefix *prefix,
                                    const struct inq_prefix_pair *pairs, size_t n_pairs,
                                    struct inq_evidence *evidence)
{
    uint32_t *index = INQ_ARENA_ARRAY(prefix->arena, prefix->n_files + 1, uint32_t);
    bool *listed = INQ_ARENA_ARRAY(prefix->arena, prefix->n_files + 1, bool);
    json_t *modules = json_array(), *list = json_array();
    struct inq_json_writer w = {0};
    struct inq_error *error = index && listed && modules && list ? NULL : &inq_error_oom;
    const size_t n_listed = error ? 0 : choose(prefix, pairs, n_pairs, listed);
    uint32_t count = 0, left_out = 0;

    for (size_t i = 0; i < prefix->n_files && !error; i++) {
        json_t *object = NULL;

        if (!prefix->files[i].is_library)
            continue;
        if (!listed[i]) {
            left_out++;
            continue;
        }
        index[i] = count;
        error = module_json(prefix, i, count++, &w, &object);
        inq_json_push(&w, modules, object);
    }
    if (left_out > 0 || n_listed < n_pairs)
        inq_evidence_add_gap(evidence, INQ_G_MODULES, prefix->inventory.folder,
                             inq_arena_printf(prefix->arena, "%u libraries and %zu pairs", left_out,
                                              n_pairs - n_listed),
                             "more than are listed; the most dangerous pairs are");
    for (size_t i = 0; i < n_listed && !error; i++)
        inq_json_push(&w, list, pair_json(&pairs[i], index, &w));
    inq_evidence_set_text(evidence, "prefix.path", prefix->inventory.folder);
    inq_evidence_set_text(evidence, "prefix.kind", kind_of(&prefix->inventory));
    inq_evidence_set_int(evidence, "prefix.libraries", (int64_t)prefix->n_libraries);
    inq_evidence_set_int(evidence, "prefix.sharing", (int64_t)prefix->n_sharing);
    inq_evidence_set_int(evidence, "prefix.packages", (int64_t)prefix->n_packages);
    inq_evidence_set(evidence, "modules", modules);
    inq_evidence_set(evidence, "pairs", list);
    evidence->failed |= w.failed;
    return error;
}

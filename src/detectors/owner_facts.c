/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which package does each module belong to, and who asked for that package? In a triage only for
 * the modules that may matter: libraries that are there more than once, and those that the crashing
 * thread was in.
 */

#include "detectors.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "distro.h"
#include "library_name.h"
#include "owner_facts.h"
#include "owners.h"
#include "record_json.h"

#define MAX_RELEVANT 512u /* in a triage */

struct family_of {
    char family[INQ_LIBRARY_TEXT];
    size_t module;
};

static int compare_families(const void *a, const void *b)
{
    return strcmp(((const struct family_of *)a)->family, ((const struct family_of *)b)->family);
}

/* Those of a family that another module has, too. */
static struct inq_error *mark_copies(const struct inq_modules *modules, bool *wanted)
{
    _cleanup_free_ struct family_of *families = calloc(modules->count + 1, sizeof(*families));
    size_t n = 0;

    if (!families)
        return &inq_error_oom;
    for (size_t i = 0; i < modules->count; i++) {
        const struct inq_module *module = &modules->items[i];
        struct inq_library library;

        inq_library_name(module->path ? module->path : module->name, &library);
        if (!library.family[0])
            continue;
        memcpy(families[n].family, library.family, sizeof(library.family));
        families[n++].module = i;
    }
    qsort(families, n, sizeof(*families), compare_families);
    for (size_t i = 0; i + 1 < n; i++)
        if (!strcmp(families[i].family, families[i + 1].family))
            wanted[families[i].module] = wanted[families[i + 1].module] = true;
    return NULL;
}

static void mark_crash_path(const struct inq_dump *dump, bool *wanted)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);

    for (size_t i = 0; stack && i < stack->n_frames; i++)
        if (stack->frames[i].module)
            wanted[stack->frames[i].module - dump->modules->items] = true;
}

/* Fedora and others stamp the package on each file. */
static bool by_note(const struct inq_module *module, struct inq_arena *arena,
                    struct inq_owner *owner)
{
    struct inq_distro_package package;
    struct inq_image_section section;

    if (!module->image || !inq_image_section(module->image, ".note.package", &section) ||
        !inq_package_note(section.bytes, section.size, module->image->big_endian, arena, &package))
        return false;
    *owner = (struct inq_owner){.kind = "system",
                                .package = package.name,
                                .version = package.version,
                                .installer = package.manager};
    return true;
}

static json_t *owner_json(const struct inq_owner *owner, struct inq_json_writer *w)
{
    json_t *object = json_object();

    inq_json_put_text(w, object, "kind", owner->kind);
    inq_json_put_text(w, object, "package", owner->package);
    inq_json_put_text(w, object, "version", owner->version);
    inq_json_put_text(w, object, "installer", owner->installer);
    if (owner->contradiction)
        inq_json_put_text(w, object, "contradiction", owner->contradiction);
    if (owner->requested_by) {
        json_t *list = json_array();

        for (size_t i = 0; i < owner->n_requested_by; i++)
            inq_json_push(w, list, inq_json_text(owner->requested_by[i]));
        inq_json_put(w, object, "requested_by", list);
        inq_json_put_int(w, object, "requested_by_total", (int64_t)owner->requested_by_total);
    }
    return object;
}

struct inq_error *inq_owner_record(json_t *module, const struct inq_owner *owner)
{
    struct inq_json_writer w = {0};

    if (owner->kind)
        inq_json_put(&w, module, "owner", owner_json(owner, &w));
    return w.failed ? &inq_error_oom : NULL;
}

static struct inq_error *find_all(struct inq_dump *dump, struct inq_owners *owners,
                                  const bool *wanted, const json_t *list)
{
    size_t asked = 0;

    for (size_t i = 0; i < dump->modules->count; i++) {
        const struct inq_module *module = &dump->modules->items[i];
        json_t *object = json_array_get(list, module->index);
        struct inq_owner owner = {0};

        if (module->index == SIZE_MAX || !object || !module->path || module->is_vdso ||
            !(dump->all_owners || wanted[i]))
            continue;
        if (!dump->all_owners && ++asked > MAX_RELEVANT) {
            inq_gaps_add(dump->gaps, INQ_G_DETECTOR, "owners", "`inquest libs` looks them all up",
                         "owners of the first %u libraries that are there twice", MAX_RELEVANT);
            break;
        }
        INQ_TRY(inq_owners_find(owners, module->path, dump->all_owners, &owner));
        if (!owner.kind)
            by_note(module, dump->arena, &owner);
        INQ_TRY(inq_owner_record(object, &owner));
    }
    return NULL;
}

struct inq_error *inq_detect_owners(struct inq_dump *dump, struct inq_evidence *evidence)
{
    _cleanup_free_ bool *wanted = calloc(dump->modules->count + 1, sizeof(*wanted));
    _cleanup_(inq_owners_destroyp) struct inq_owners *owners =
        inq_owners_create(dump->modules->opener, dump->arena);

    if (!wanted || !owners)
        return &inq_error_oom;
    /* Somebody else's machine: what is installed here says nothing about it. */
    if (dump->modules->foreign_root)
        return NULL;
    if (!dump->all_owners)
        INQ_TRY(mark_copies(dump->modules, wanted));
    mark_crash_path(dump, wanted);
    return find_all(dump, owners, wanted, json_object_get(evidence->document, "modules"));
}

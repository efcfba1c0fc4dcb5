/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which library is each module, by the name of its file; and in its own words, where it has some:
 * OpenBLAS keeps a line about its build, OpenSSL its release.
 */

#include "detectors.h"

#include <string.h>

#include "library_config.h"
#include "library_name.h"
#include "provenance.h"
#include "record_json.h"

static void describe(struct inq_dump *dump, const struct inq_module *module, json_t *object,
                     struct inq_json_writer *w)
{
    const char *path = module->path ? module->path : module->name, *word;
    struct inq_library library;
    char config[INQ_CONFIG_TEXT];

    (void)dump;
    inq_library_name(path, &library);
    word = inq_provenance_name(inq_origin_of(path).provenance);
    if (word)
        inq_json_put_text(w, object, "provenance", word);
    if (!library.family[0])
        return;
    inq_json_put_text(w, object, "family", library.family);
    if (library.abi[0])
        inq_json_put_text(w, object, "abi", library.abi);
    if (library.version[0])
        inq_json_put_text(w, object, "release", library.version);
    if (module->image && inq_library_config(module->image, &library, config))
        inq_json_put_text(w, object, "config", config);
}

struct inq_error *inq_detect_families(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const json_t *modules = json_object_get(evidence->document, "modules");
    struct inq_json_writer w = {0};

    for (size_t i = 0; i < dump->modules->count; i++) {
        const struct inq_module *module = &dump->modules->items[i];
        json_t *object = json_array_get(modules, module->index);

        if (module->index != SIZE_MAX && object && !module->is_vdso)
            describe(dump, module, object, &w);
    }
    evidence->failed |= w.failed;
    return NULL;
}

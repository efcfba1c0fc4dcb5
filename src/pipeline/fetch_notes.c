/* SPDX-License-Identifier: Apache-2.0 */
/* What could not be fetched, as gaps of the report. */
#include <stdio.h>
#include <string.h>

#include "fetch.h"

/* The module with that build-id, as other gaps name it; NULL when it is none of the report's. */
static const char *module_with(const json_t *document, const char *hex)
{
    const json_t *module;
    size_t i;

    json_array_foreach (json_object_get(document, "modules"), i, module) {
        const char *build = json_string_value(json_object_get(module, "build_id"));

        if (build && !strcmp(build, hex))
            return json_string_value(json_object_get(module, "name"));
    }
    return NULL;
}

void inq_fetch_notes_report(const struct inq_fetch_notes *notes, struct inq_evidence *evidence)
{
    for (size_t i = 0; i < notes->list.count; i++) {
        const struct inq_fetch_note *n = &notes->list.items[i];
        char hex[2 * INQ_MAX_BUILD_ID + 1] = "";
        const char *where;

        for (size_t k = 0; k < n->build_id_size; k++)
            snprintf(hex + 2 * k, 3, "%02x", n->build_id[k]);
        where = n->build_id_size > 0 ? module_with(evidence->document, hex) : "debuginfod";
        inq_evidence_add_gap(evidence, INQ_G_FETCH, where ? where : hex,
                             n->build_id_size > 0 ? "its file could not be fetched"
                                                  : "a file could not be fetched",
                             n->why);
    }
}

void inq_fetch_notes_deinit(struct inq_fetch_notes *notes)
{
    INQ_ARRAY_FREE(&notes->list);
}

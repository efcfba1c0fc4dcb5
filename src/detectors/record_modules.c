/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"
#include "record_json.h"

static json_t *build_id_json(const struct inq_module *module)
{
    char hex[2 * INQ_MAX_BUILD_ID];
    size_t n = module->build_id_size;

    if (n == 0 || n > INQ_MAX_BUILD_ID)
        return json_null();
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = "0123456789abcdef"[module->build_id[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[module->build_id[i] & 15];
    }
    return json_stringn_nocheck(hex, 2 * n);
}

static json_t *module_json(const struct inq_module *module, struct inq_json_writer *w)
{
    json_t *object = json_object();
    const char *on_disk = inq_on_disk_name(module->on_disk);
    uint64_t end;

    inq_json_put_int(w, object, "index", (int64_t)module->index);
    inq_json_put_text(w, object, "path", module->path);
    inq_json_put_text(w, object, "name", module->name);
    inq_json_put_text(w, object, "soname", module->soname);
    inq_json_put(w, object, "build_id", build_id_json(module));
    inq_json_put_addr(w, object, "start", module->start);
    /* a module up to the end of the address space has no first address above it */
    if (!__builtin_add_overflow(module->start, module->size, &end))
        inq_json_put_addr(w, object, "end", end);
    if (module->has_bias)
        inq_json_put_addr(w, object, "load_bias", module->load_bias);
    inq_json_put_text(w, object, "on_disk", on_disk);
    if (module->on_disk_reason && module->on_disk_reason[0])
        inq_json_put_text(w, object, "on_disk_reason", module->on_disk_reason);
    inq_json_put_bool(w, object, "deleted", module->deleted);
    if (module->load_order >= 0)
        inq_json_put_int(w, object, "load_order", module->load_order);
    return object;
}

void inq_record_modules(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_json_writer w = {0};
    json_t *modules = json_array();

    for (size_t i = 0; i < dump->modules->count; i++)
        if (dump->modules->items[i].index != SIZE_MAX)
            inq_json_push(&w, modules, module_json(&dump->modules->items[i], &w));
    inq_evidence_set(evidence, "modules", modules);
    if (dump->modules->main < dump->modules->count &&
        dump->modules->items[dump->modules->main].build_id_size > 0)
        inq_evidence_set(evidence, "process.build_id",
                         build_id_json(&dump->modules->items[dump->modules->main]));
    else
        inq_evidence_set_unknown(evidence, "process.build_id",
                                 "the dump does not hold the program's build-id");
    evidence->failed |= w.failed;
}

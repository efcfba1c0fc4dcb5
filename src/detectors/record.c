/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

/*
 * --stacks: only modules that a frame is in are listed. They are numbered anew, the others get no
 * number; nothing looks modules up by number from here on.
 */
static void list_used_modules(struct inq_dump *dump)
{
    struct inq_modules *modules = dump->modules;
    size_t next = 0;

    for (size_t i = 0; i < modules->count; i++)
        modules->items[i].index = SIZE_MAX;
    for (size_t i = 0; i < dump->stacks->count; i++)
        for (size_t k = 0; k < dump->stacks->items[i].n_frames; k++)
            if (dump->stacks->items[i].frames[k].module)
                dump->stacks->items[i].frames[k].module->index = 0;
    for (size_t i = dump->stacks->count; i < dump->core->n_threads; i++) {
        const struct inq_core_thread *thread = &dump->core->threads[i];
        struct inq_module *module =
            thread->has_registers ? inq_modules_find(modules, inq_core_pc(dump->core, thread))
                                  : NULL;
        if (module)
            module->index = 0;
    }
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i].index != SIZE_MAX)
            modules->items[i].index = next++;
}

struct inq_error *inq_record(struct inq_dump *dump, struct inq_evidence *evidence)
{
    dump->thread_stacks = NULL; /* the dump may have been changed since */
    inq_record_core(dump, evidence);
    if (dump->stacks_only)
        list_used_modules(dump);
    inq_record_process(dump, evidence);
    inq_record_signal(dump, evidence);
    inq_record_threads(dump, evidence);
    inq_record_modules(dump, evidence);
    return evidence->failed ? &inq_error_oom : NULL;
}

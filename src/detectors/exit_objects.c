/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_objects.h"

#include "modules.h"
#include "text.h"

#define MAX_DATA (1u << 20) /* bytes of libc's data that are searched; it has some 24 KiB */
#define CXA 4u /* enum of stdlib/exit.h: ef_free 0 (has run), ef_us, ef_on, ef_at, ef_cxa */

struct registered {
    bool a, b;
};

/* Entries in [start, start + size) with this argument; who registered them. */
static void search(struct inq_dump *dump, uint64_t start, uint64_t size, uint64_t addr, size_t a,
                   size_t b, struct registered *r)
{
    const uint64_t word = dump->core->elf_class / 8u;
    uint64_t flavor, argument, handle;

    for (uint64_t at = start; at + 4 * word <= start + size; at += word) {
        const struct inq_module *module;

        if (!inq_memory_word(dump->memory, at + 2 * word, &argument) || argument != addr ||
            !inq_memory_word(dump->memory, at, &flavor) || (flavor != CXA && flavor != 0) ||
            !inq_memory_word(dump->memory, at + 3 * word, &handle))
            continue;
        module = inq_modules_find(dump->modules, handle);
        r->a |= module && module->index == a;
        r->b |= module && module->index == b;
    }
}

bool inq_exit_object_is_shared(struct inq_dump *dump, uint64_t addr, size_t a, size_t b)
{
    struct registered r = {0};

    for (size_t i = 0; i < dump->modules->count && !(r.a && r.b); i++) {
        const struct inq_module *m = &dump->modules->items[i];
        struct inq_memory_region region;
        uint64_t end = m->start + m->size;

        if (!m->soname || !inq_starts_with(m->soname, "libc."))
            continue;
        for (uint64_t at = m->start; at < end; at = region.start + region.size) {
            if (!inq_memory_region_at(dump->memory, at, &region) &&
                !inq_memory_region_above(dump->memory, at, &region))
                break;
            if (region.start >= end || region.size == 0)
                break;
            if (region.flags & 2) /* PF_W */
                search(dump, region.start, region.size < MAX_DATA ? region.size : MAX_DATA, addr, a,
                       b, &r);
        }
    }
    return r.a && r.b;
}

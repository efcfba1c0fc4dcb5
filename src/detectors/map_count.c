/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many mappings the process had: each has a segment in the dump, also those that were left out
 * of it, and the kernel's own vsyscall page, which does not count. The limit, vm.max_map_count, is
 * in no dump: 65530 where nobody changed it (DEFAULT_MAX_MAP_COUNT in linux/mm.h).
 */

#include "detectors.h"

#define DEFAULT_LIMIT 65530u
#define NEAR_PERCENT 98u
#define VSYSCALL UINT64_C(0xffffffffff600000)

struct inq_error *inq_detect_map_count(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    size_t count = core->n_segments;

    for (size_t i = 0; i < dump->gaps->count; i++)
        if (dump->gaps->items[i].code == INQ_G_PHDRS) {
            inq_evidence_set_unknown(evidence, "state.map_count.now",
                                     "program headers are missing from the dump");
            return NULL;
        }
    for (size_t i = 0; i < core->n_segments; i++)
        count -= core->elf_class == 64 && core->segments[i].addr == VSYSCALL;
    inq_evidence_set_int(evidence, "state.map_count.now", (int64_t)count);
    if (count > DEFAULT_LIMIT + 1) { /* the kernel allows one above the limit */
        inq_evidence_set_unknown(evidence, "state.map_count.limit",
                                 "vm.max_map_count was raised above its default of %u: there are "
                                 "more mappings than that allows",
                                 DEFAULT_LIMIT);
        inq_evidence_set_unknown(evidence, "state.map_count.near_limit",
                                 "vm.max_map_count was raised, and is not in the dump");
        return NULL;
    }
    inq_evidence_set_int(evidence, "state.map_count.limit", DEFAULT_LIMIT);
    inq_evidence_set_text(evidence, "state.map_count.limit_source", "kernel-default");
    inq_evidence_set_bool(evidence, "state.map_count.near_limit",
                          count >= (size_t)DEFAULT_LIMIT * NEAR_PERCENT / 100);
    return NULL;
}

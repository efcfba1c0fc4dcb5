/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A child of fork() has one thread, and the memory of all of its parent's. The others are missed:
 * locks that they held are never opened, pools wait for workers that are not there. What tells:
 *
 * - The first thread of a process begins on the main stack. One that stands on a stack that a
 *   thread library made was forked by another thread than the first.
 * - glibc's child sets the ids of the threads that it did not get to 0 (reclaim_stacks() in
 *   nptl/allocatestack.c); a thread that ended by itself is marked as ending in its control block.
 * - musl's child sets them to -1 (src/process/fork.c).
 */

#include <elf.h>
#include <string.h>

#include "detectors.h"
#include "frame_search.h"
#include "pthread_block.h"
#include "thread_stacks.h"

#define EXITING 0x30u    /* EXITING_BITMASK | TERMINATED_BITMASK of nptl/descr.h */
#define TOP_BYTES 12288u /* where a control block lies at the top of a stack */
#define MUSL_TID_OFF 48u
#define MOST_REGIONS 65536u
#define MOST_BLOCKS 16384u
#define MOST_RING 4096u
#define STACK_LOOK 65536u

struct search {
    struct inq_dump *dump;
    struct inq_pthread_layout layout;
    bool musl;
    size_t lost;
    size_t odd;    /* neither lost nor ended: not understood */
    size_t looked; /* control blocks */
};

static bool is_own(const struct inq_dump *dump, uint64_t block)
{
    uint64_t base;

    for (size_t i = 0; i < dump->core->n_threads; i++)
        if (inq_core_register(dump->core, &dump->core->threads[i], "fs_base", &base) &&
            base == block)
            return true;
    return false;
}

static bool is_block(const struct search *search, uint64_t addr)
{
    uint64_t self, again;

    return inq_memory_u64(search->dump->memory, addr, &self) && self == addr &&
           (search->musl ||
            (inq_memory_u64(search->dump->memory, addr + 16, &again) && again == addr));
}

/* Somebody has run there: a return address into the C library below the control block. */
static bool has_run(const struct search *search, uint64_t block)
{
    struct inq_memory_region region;
    uint64_t word, from = block > STACK_LOOK ? block - STACK_LOOK : 0;

    if (!inq_memory_region_at(search->dump->memory, block, &region))
        return false;
    if (from < region.start)
        from = region.start;
    for (uint64_t at = block & ~UINT64_C(7); at > from; at -= 8) {
        struct inq_memory_region code;
        if (!inq_memory_u64(search->dump->memory, at - 8, &word) || word < 65536 ||
            !inq_memory_region_at(search->dump->memory, word, &code) || !(code.flags & PF_X))
            continue;
        const struct inq_module *module = inq_modules_find(search->dump->modules, word);
        if (inq_module_is_libc(module) || (module && !strncmp(module->name, "libpthread", 10)) ||
            (module && module->is_main))
            return true;
    }
    return false;
}

static void look_at(struct search *search, uint64_t block)
{
    uint32_t tid, cancel;

    search->looked++;
    if (is_own(search->dump, block))
        return;
    if (search->musl) {
        search->lost +=
            inq_memory_u32(search->dump->memory, block + MUSL_TID_OFF, &tid) && tid == UINT32_MAX;
        return;
    }
    if (inq_memory_u32(search->dump->memory, block + search->layout.tid_off, &tid) && tid == 0 &&
        inq_memory_u32(search->dump->memory, block + search->layout.cancel_off, &cancel) &&
        !(cancel & EXITING) && has_run(search, block))
        search->lost++;
}

/* The other stacks of the same list, which may lie in the middle of a mapping. */
static void look_along(struct search *search, uint64_t block)
{
    uint64_t node = block + search->layout.list_off, at = node, next;

    for (size_t i = 0; i < MOST_RING; i++) {
        if (!inq_memory_u64(search->dump->memory, at, &next) || next == node || next < 65536 ||
            next % 8 != 0)
            return;
        at = next;
        if (is_block(search, at - search->layout.list_off))
            look_at(search, at - search->layout.list_off);
    }
}

static void look_at_tops(struct search *search)
{
    struct inq_memory *memory = search->dump->memory;
    size_t count = inq_memory_region_count(memory);

    for (size_t i = 0; i < count && i < MOST_REGIONS && search->looked < MOST_BLOCKS; i++) {
        struct inq_memory_region region = inq_memory_region_get(memory, i);
        uint64_t end = region.start + region.saved_bytes;
        if ((region.flags & (PF_R | PF_W | PF_X)) != (PF_R | PF_W) ||
            region.saved_bytes < TOP_BYTES || inq_core_file_at(search->dump->core, region.start))
            continue;
        uint64_t step = search->musl ? 8 : 64; /* how they are aligned */
        for (uint64_t at = (end - TOP_BYTES + 63) & ~UINT64_C(63); at < end; at += step) {
            if (!is_block(search, at) || is_own(search->dump, at))
                continue;
            look_at(search, at);
            if (!search->musl && search->lost == 0)
                look_along(search, at);
            break;
        }
    }
}

/* The first thread of a process never stands on a stack of pthread_create(). */
static bool leader_is_on_thread_stack(struct inq_dump *dump)
{
    const struct inq_thread_stacks *stacks = inq_thread_stacks(dump);
    const struct inq_core *core = dump->core;

    for (size_t i = 0; stacks && core->has_prpsinfo && i < stacks->count; i++)
        if ((int64_t)core->threads[i].tid == core->prpsinfo.pid &&
            stacks->items[i].source == INQ_STACK_PTHREAD)
            return true;
    return false;
}

static bool has_musl(const struct inq_dump *dump)
{
    for (size_t i = 0; i < dump->modules->count; i++)
        if (inq_module_is_musl(&dump->modules->items[i]))
            return true;
    return false;
}

struct inq_error *inq_detect_fork(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct search search = {.dump = dump, .musl = has_musl(dump)};
    const struct inq_core *core = dump->core;

    if (core->machine != EM_X86_64 || core->elf_class != 64 || core->n_threads == 0) {
        inq_evidence_set_unknown(evidence, "state.forked_child",
                                 "threads that are gone are not looked for on this CPU");
        return NULL;
    }
    if (leader_is_on_thread_stack(dump)) {
        inq_evidence_set_bool(evidence, "state.forked_child", true);
        return NULL;
    }
    if (core->n_threads_total > 1) {
        /* it has made threads of its own, or never lost any: what is left does not tell */
        inq_evidence_set_unknown(evidence, "state.forked_child",
                                 "a process with several threads may have been forked before it "
                                 "made them");
        return NULL;
    }
    search.layout = inq_pthread_layout(dump);
    if (!search.musl && (search.layout.tid_off == 0 || search.layout.cancel_off == 0 ||
                         search.layout.list_off == 0)) {
        inq_evidence_set_unknown(evidence, "state.forked_child",
                                 "the C library's file is not here, so the records of threads "
                                 "cannot be read");
        return NULL;
    }
    look_at_tops(&search);
    if (search.lost == 0 && search.odd > 0) {
        inq_evidence_set_unknown(evidence, "state.forked_child",
                                 "there are records of threads that the dump does not have");
        return NULL;
    }
    inq_evidence_set_bool(evidence, "state.forked_child", search.lost > 0);
    return NULL;
}

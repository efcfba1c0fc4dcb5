/* SPDX-License-Identifier: Apache-2.0 */
#include "address_class.h"

#include <elf.h>
#include <string.h>

#include "address.h"
#include "thread_stacks.h"

/* How far from a stack something still belongs to it: the kernel keeps 1 MiB (256 pages) free below
 * the main stack (stack_guard_gap), and guards are smaller than that. */
#define STACK_REACH (1ull << 20)
#define MOST_FRAME (256ull << 20)
#define RED_ZONE 136u /* x86-64: 128 bytes below the stack pointer, and a push */

static bool is_64_bit(const struct inq_core *core)
{
    return core->cpu ? core->cpu->word_bytes == 8 : core->elf_class == 64;
}

bool inq_is_noncanonical(uint64_t addr)
{
    uint64_t top = addr >> 47;
    return top != 0 && top != 0x1ffff;
}

bool inq_is_kernel_half(const struct inq_core *core, uint64_t addr)
{
    if (!is_64_bit(core))
        return false; /* the border of a 32-bit process depends on the kernel it ran under */
    switch (core->machine) {
    case EM_X86_64: /* with five-level paging; page faults have canonical addresses only */
        return addr >= 0xff00000000000000ull;
    case EM_AARCH64: /* at most 52 bits, all ones above in the kernel's half */
        return addr >= 0xfff0000000000000ull;
    case EM_RISCV: /* sign-extended from at most 57 bits */
        return addr >= 0xff00000000000000ull;
    default:
        return false;
    }
}

static const char *class_by_value(const struct inq_core *core, uint64_t addr)
{
    uint64_t top = is_64_bit(core) ? UINT64_MAX : UINT32_MAX;

    if (addr <= top && addr >= top - 4094)
        return "neg-errno";
    if (addr < 4096)
        return "null-page";
    if (addr < 65536)
        return "near-null";
    return inq_is_kernel_half(core, addr) ? "kernel-half" : NULL;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Does some thread's stack pointer lie in [start, start + size)? */
static bool holds_stack_pointer(const struct inq_dump *dump, uint64_t start, uint64_t size)
{
    const struct inq_core *core = dump->core;

    if (!core->cpu || core->cpu->sp < 0)
        return false;
    for (size_t i = 0; i < core->n_threads; i++)
        if (core->threads[i].has_registers && inq_core_sp(core, &core->threads[i]) - start < size)
            return true;
    return false;
}

/* The process's first thread has its control block elsewhere than on its stack. */
static bool is_first_thread(const struct inq_dump *dump, const struct inq_core_thread *thread)
{
    return dump->core->has_prpsinfo && (int64_t)thread->tid == dump->core->prpsinfo.pid;
}

/*
 * The kernel makes the main stack and AT_RANDOM points into it; a thread's own stack holds its
 * thread control block, which fs_base points to on x86-64.
 */
static bool is_crashed_stack(const struct inq_dump *dump, const struct inq_memory_region *region)
{
    uint64_t sp, random, fs_base;

    if (!(region->flags & PF_W))
        return false;
    if (inq_crash_sp(dump, &sp) && sp - region->start < region->size)
        return true;
    if (inq_core_auxv(dump->core, AT_RANDOM, &random) && random - region->start < region->size)
        return true;
    return inq_crashed_thread(dump) && !is_first_thread(dump, inq_crashed_thread(dump)) &&
           inq_core_register(dump->core, inq_crashed_thread(dump), "fs_base", &fs_base) &&
           fs_base != 0 && fs_base - region->start < region->size;
}

/* A mapping without any right, right below a stack: where overflowing stacks end. */
static bool is_guard(const struct inq_dump *dump, uint64_t addr,
                     const struct inq_memory_region *region)
{
    struct inq_memory_region above;
    uint64_t end;

    if ((region->flags & (PF_R | PF_W | PF_X)) != 0 ||
        __builtin_add_overflow(region->start, region->size, &end) || end - addr > STACK_REACH ||
        !inq_memory_region_at(dump->memory, end, &above) || !(above.flags & PF_W))
        return false;
    /* a stack pointer may have run into the guard before anything was written there */
    return holds_stack_pointer(dump, above.start, above.size) ||
           (holds_stack_pointer(dump, region->start, region->size) &&
            is_crashed_stack(dump, &above));
}

/*
 * "Nothing is mapped" in the middle of a writable mapping: since glibc 2.42 guards are made with
 * MADV_GUARD_INSTALL, which leaves no border in the list of mappings.
 */
static bool is_invisible_guard(const struct inq_dump *dump, uint64_t addr,
                               const struct inq_memory_region *region)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);
    uint64_t sp;

    return signal.kind == INQ_SIGNAL_SEGV && signal.code == INQ_SEGV_MAPERR &&
           (region->flags & PF_W) && inq_crash_sp(dump, &sp) && sp - region->start < region->size &&
           distance(sp, addr) <= STACK_REACH;
}

/* The first byte of a page that may not be run, reached from an instruction right before it. */
static bool may_be_fetch(const struct inq_dump *dump, uint64_t addr,
                         const struct inq_memory_region *region)
{
    uint64_t pc;

    return addr == region->start && !(region->flags & PF_X) && inq_crash_pc(dump, &pc) &&
           addr - pc < 16;
}

/* NULL when two classes fit alike. */
static const char *class_of_region(const struct inq_dump *dump, uint64_t addr,
                                   enum inq_access access, bool worked_out,
                                   const struct inq_memory_region *region)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);
    bool refused = worked_out || (signal.kind == INQ_SIGNAL_SEGV && signal.code == INQ_SEGV_ACCERR);
    bool executes = access == INQ_ACCESS_EXECUTE;

    if (is_guard(dump, addr, region) || is_invisible_guard(dump, addr, region) ||
        inq_is_hidden_guard(dump, addr))
        return "stack-guard";
    if (signal.kind == INQ_SIGNAL_BUS && signal.code == INQ_BUS_ADRERR &&
        inq_core_file_at(dump->core, addr))
        return "past-eof";
    if (refused && executes && !(region->flags & PF_X))
        return "no-exec";
    if (refused && access == INQ_ACCESS_UNKNOWN && may_be_fetch(dump, addr, region))
        return NULL;
    if (refused && !executes && (region->flags & PF_R) && !(region->flags & PF_W))
        return "read-only";
    return "mapped";
}

/*
 * The thread stands below the end of its own stack, on what a large frame needed: the address is
 * from there up to the stack.
 */
bool inq_is_in_frame_below(const struct inq_dump *dump, uint64_t addr)
{
    const struct inq_thread_stacks *stacks = dump->thread_stacks;
    const struct inq_thread_stack *own = stacks && stacks->count > 0 ? &stacks->items[0] : NULL;
    struct inq_memory_region region;
    uint64_t sp;

    /* in memory that may be used it stands on another stack, of signals or a coroutine */
    if (inq_crash_sp(dump, &sp) && inq_memory_region_at(dump->memory, sp, &region) &&
        region.flags != 0)
        return false;
    return own && (own->source == INQ_STACK_PTHREAD || own->source == INQ_STACK_AUXV) &&
           inq_crash_sp(dump, &sp) && sp < own->start && own->start - sp <= MOST_FRAME &&
           addr < own->start && (addr >= sp || sp - addr <= RED_ZONE);
}

static bool is_stack_near(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region above;

    if (inq_is_in_frame_below(dump, addr))
        return true;
    return inq_memory_region_above(dump->memory, addr, &above) &&
           above.start - addr <= STACK_REACH && is_crashed_stack(dump, &above);
}

/* Program headers that are missing leave holes in the map that were none in the process. */
bool inq_map_is_whole(const struct inq_dump *dump)
{
    if (dump->core->n_segments == 0)
        return false;
    for (size_t i = 0; dump->gaps && i < dump->gaps->count; i++)
        if (dump->gaps->items[i].code == INQ_G_PHDRS || dump->gaps->items[i].code == INQ_G_SEGMENT)
            return false;
    return true;
}

const char *inq_address_class(const struct inq_dump *dump, uint64_t addr, enum inq_access access,
                              bool worked_out, const char **ret_why)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);
    const char *by_value = class_by_value(dump->core, addr);
    struct inq_memory_region region;

    if (by_value)
        return by_value;
    if (inq_memory_region_at(dump->memory, addr, &region)) {
        *ret_why = "an instruction that runs on into the page and one that writes there look alike";
        return class_of_region(dump, addr, access, worked_out, &region);
    }
    if (is_stack_near(dump, addr))
        return "stack-near";
    if ((worked_out || signal.kind == INQ_SIGNAL_SEGV) &&
        inq_is_unloaded_library(dump, addr, access == INQ_ACCESS_EXECUTE))
        return "library-gap";
    if (worked_out || (signal.kind == INQ_SIGNAL_SEGV && signal.code == INQ_SEGV_MAPERR))
        return "unmapped"; /* the kernel's own word, or the same by the list of mappings */
    if (signal.code > 0 && !inq_map_is_whole(dump))
        *ret_why = "program headers are missing from the dump";
    else
        *ret_why = "the kernel found a mapping at the address, the dump lists none";
    return NULL;
}

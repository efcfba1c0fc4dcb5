/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "address_class.h"
#include "crash.h"
#include "demangle.h"
#include "fault_site.h"
#include "size_text.h"
#include "text.h"
#include "thread_stacks.h"
#include "unloaded.h"

#define VSYSCALL 0xffffffffff600000ull
#define NEVER_MAPPED 65536u
#define STACK_REACH (1ull << 20) /* stack_guard_gap of the kernel */
/* arch_randomize_brk(): how far the heap begins behind the program, at most. */
#define BRK_REACH (1ull << 30)
/* Farther away is another part of the address space: no distance from there says anything. */
#define NEIGHBOURHOOD (64ull << 30)
#define RED_ZONE 128u /* x86-64: functions that call none use it without moving rsp */
#define MOST_LIBRARY (64ull << 20)
#define LEAST_LIBRARY_PAGES 3u

const char *inq_place_name(enum inq_place place)
{
    static const char *const names[] = {
        [INQ_PLACE_UNKNOWN] = "unknown",
        [INQ_PLACE_NULL] = "null",
        [INQ_PLACE_NONCANONICAL] = "non-canonical",
        [INQ_PLACE_VSYSCALL] = "vsyscall",
        [INQ_PLACE_KERNEL] = "kernel",
        [INQ_PLACE_GUARD] = "stack-guard",
        [INQ_PLACE_STACK] = "stack",
        [INQ_PLACE_BELOW_STACK] = "below-stack",
        [INQ_PLACE_MODULE] = "module",
        [INQ_PLACE_SHM] = "shared-memory",
        [INQ_PLACE_MEMFD] = "memfd",
        [INQ_PLACE_SYSV] = "sysv-shm",
        [INQ_PLACE_HUGETLB] = "hugetlb",
        [INQ_PLACE_PAST_EOF] = "past-eof",
        [INQ_PLACE_FILE] = "file",
        [INQ_PLACE_HEAP] = "heap",
        [INQ_PLACE_NO_RIGHTS] = "no-rights",
        [INQ_PLACE_ANONYMOUS] = "anonymous",
        [INQ_PLACE_LIBRARY_GAP] = "library-gap",
        [INQ_PLACE_GAP] = "gap",
    };
    return names[place];
}

struct question {
    struct inq_dump *dump;
    uint64_t addr;
    struct inq_address *out;
};

/* True: answered. */
static bool answer(struct question *q, enum inq_place place, const char *text)
{
    q->out->place = place;
    q->out->text = text;
    return true;
}

static bool by_value(struct question *q)
{
    const struct inq_core *core = q->dump->core;

    if (q->addr < NEVER_MAPPED)
        return answer(q, INQ_PLACE_NULL, "the first 64 KiB, where no program has memory");
    if (core->machine != EM_X86_64)
        return inq_is_kernel_half(core, q->addr) &&
               answer(q, INQ_PLACE_KERNEL, "the half of the address space that is the kernel's");
    if (q->addr - VSYSCALL < 4096)
        return answer(q, INQ_PLACE_VSYSCALL,
                      "the vsyscall page, which only programs of before 2012 or so call");
    if (inq_is_noncanonical(q->addr))
        return answer(q, INQ_PLACE_NONCANONICAL, "no x86-64 address");
    return inq_is_kernel_half(core, q->addr) &&
           answer(q, INQ_PLACE_KERNEL, "the half of the address space that is the kernel's");
}

static const char *below_stack_text(const struct question *q, const struct inq_thread_stack *stack,
                                    size_t thread)
{
    struct inq_arena *arena = q->dump->arena;
    const char *size = inq_size_text(arena, stack->start - q->addr);
    const char *beyond =
        stack->guard_bytes > 0 && q->addr < stack->guard_start ? ", beyond its guard" : "";

    if (stack->source == INQ_STACK_AUXV)
        return inq_arena_printf(arena, "%s below the main stack", size);
    return inq_arena_printf(arena, "%s below the stack of thread %" PRIu32 "%s", size,
                            q->dump->core->threads[thread].tid, beyond);
}

static bool by_stack(struct question *q)
{
    const struct inq_thread_stacks *stacks = inq_thread_stacks(q->dump);
    struct inq_arena *arena = q->dump->arena;
    struct inq_memory_region region;
    size_t i;

    if (!stacks)
        return false;
    if ((i = inq_stack_guard_at(stacks, q->addr)) != SIZE_MAX) {
        q->out->thread = i;
        return answer(q, INQ_PLACE_GUARD,
                      inq_arena_printf(arena, "the guard below the stack of thread %" PRIu32,
                                       q->dump->core->threads[i].tid));
    }
    i = inq_stack_at(stacks, q->addr);
    for (size_t k = 0; i == SIZE_MAX && k < stacks->count; k++) {
        const struct inq_thread_stack *stack = &stacks->items[k];
        if (inq_memory_region_at(q->dump->memory, q->addr, &region) || q->addr >= stack->start)
            continue;
        bool main = stack->source == INQ_STACK_AUXV && stack->start - q->addr <= STACK_REACH;
        /* the thread itself stands down there */
        bool frame = k == 0 && inq_is_in_frame_below(q->dump, q->addr);
        if (main || frame) {
            q->out->thread = k;
            return answer(q, INQ_PLACE_BELOW_STACK, below_stack_text(q, stack, k));
        }
    }
    if (i == SIZE_MAX || stacks->items[i].source == INQ_STACK_SEGMENT)
        return false;
    const struct inq_thread_stack *stack = &stacks->items[i];
    const char *where = "";
    if (stack->has_sp && inq_stack_covers(stack, stack->sp))
        where = q->addr >= stack->sp              ? ", in the part in use"
                : stack->sp - q->addr <= RED_ZONE ? ", right below the stack pointer"
                                                  : ", in the part that is not in use";
    q->out->thread = i;
    q->out->has_depth = true;
    q->out->depth_bytes = stack->start + stack->size - q->addr;
    return answer(q, INQ_PLACE_STACK,
                  inq_arena_printf(arena, "the stack of thread %" PRIu32 ", %s from its top%s",
                                   q->dump->core->threads[i].tid,
                                   inq_size_text(arena, q->out->depth_bytes), where));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The variable that covers an address, by the symbols that are here; NULL when none does. */
static const char *object_at(const struct question *q, const struct inq_module *module,
                             uint64_t *ret_offset)
{
    const struct inq_image *const images[] = {module->image, module->debug_image};
    uint64_t addr = inq_modules_file_addr(q->dump->modules, module, q->addr);
    const char *name = NULL, *raw;
    struct inq_symbol symbol;

    for (size_t i = 0; !name && i < 4; i++) {
        const struct inq_image *image = images[i / 2];
        const struct inq_image_symbols *table = !image       ? NULL
                                                : i % 2 == 0 ? &image->symtab
                                                             : &image->dynsym;
        for (size_t k = 0; table && !name && k < table->count; k++)
            if (inq_image_symbol(image, table, k, &symbol) && symbol.type == STT_OBJECT &&
                symbol.section != SHN_UNDEF && addr - symbol.addr < symbol.size) {
                name = symbol.name;
                *ret_offset = addr - symbol.addr;
            }
    }
    if (!name || !name[0])
        return NULL;
    struct inq_demangler demangler = inq_demangler_init(q->dump->arena);
    return inq_readable_names(&demangler, name, &name, &raw) ? name : NULL;
}

static bool by_module(struct question *q)
{
    struct inq_module *module = inq_modules_find(q->dump->modules, q->addr);
    struct inq_arena *arena = q->dump->arena;

    if (!module || !module->is_elf)
        return false;
    struct inq_symbol_at at = inq_symbol_at(q->dump->modules, q->addr);
    if (!at.function && module->has_bias)
        at.function = object_at(q, module, &at.offset);
    q->out->module = module;
    q->out->has_offset = true;
    q->out->symbol = at.function;
    q->out->offset = at.function        ? at.offset
                     : module->has_bias ? q->addr - module->load_bias
                                        : q->addr - module->start;
    return answer(q, INQ_PLACE_MODULE,
                  at.function
                      ? inq_arena_printf(arena, "%s+0x%" PRIx64 " in %s", at.function,
                                         q->out->offset, module->name)
                      : inq_arena_printf(arena, "%s+0x%" PRIx64, module->name, q->out->offset));
}

/* Files by what the kernel calls them; the last part of the name only, folders name people. */
static bool by_file(struct question *q)
{
    static const struct {
        const char *prefix, *words;
        enum inq_place place;
    } kinds[] = {
        {"/dev/shm/", "shared memory", INQ_PLACE_SHM},
        {"/memfd:", "a memory file", INQ_PLACE_MEMFD},
        {"/SYSV", "System V shared memory", INQ_PLACE_SYSV},
        {"/anon_hugepage", "huge pages", INQ_PLACE_HUGETLB},
        {"/dev/hugepages/", "huge pages", INQ_PLACE_HUGETLB},
        {"/dev/zero", "shared anonymous memory", INQ_PLACE_ANONYMOUS},
    };
    const struct inq_map_file *file = inq_core_file_at(q->dump->core, q->addr);
    struct inq_crash_signal signal = inq_crash_signal(q->dump);
    struct inq_arena *arena = q->dump->arena;
    enum inq_place place = INQ_PLACE_FILE;
    const char *words = "the mapping of a file";

    if (!file)
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (inq_starts_with(file->path, kinds[i].prefix)) {
            place = kinds[i].place;
            words = kinds[i].words;
            break;
        }
    bool past = signal.kind == INQ_SIGNAL_BUS && signal.code == INQ_BUS_ADRERR &&
                inq_crash_has_address(q->dump) && q->dump->core->siginfo.addr == q->addr;
    if (past && place == INQ_PLACE_FILE)
        place = INQ_PLACE_PAST_EOF;
    return answer(q, place,
                  inq_arena_printf(arena, "%s: %s at 0x%" PRIx64 "%s", words, base_name(file->path),
                                   file->file_off + (q->addr - file->start),
                                   past ? ", which could not be had" : ""));
}

/* brk(): the first anonymous memory behind the program. */
static bool is_heap(const struct question *q, const struct inq_memory_region *region)
{
    const struct inq_modules *modules = q->dump->modules;
    struct inq_memory_region at;
    uint64_t end;

    if (modules->main == SIZE_MAX)
        return false;
    const struct inq_module *program = &modules->items[modules->main];
    if (__builtin_add_overflow(program->start, program->size, &end) || region->start < end ||
        region->start - end > BRK_REACH)
        return false;
    if (!inq_memory_region_at(q->dump->memory, end, &at) &&
        !inq_memory_region_above(q->dump->memory, end, &at))
        return false;
    uint32_t first_flags = at.flags;
    /* mprotect() and core_sort_vma may have cut it: pieces that touch belong together */
    for (unsigned i = 0; i < 16 && at.start < region->start; i++)
        if (!inq_memory_region_at(q->dump->memory, at.start + at.size, &at))
            return false;
    return at.start == region->start && (first_flags & PF_W) &&
           !inq_core_file_at(q->dump->core, at.start);
}

static bool by_region(struct question *q)
{
    struct inq_arena *arena = q->dump->arena;
    struct inq_memory_region region;

    if (!inq_memory_region_at(q->dump->memory, q->addr, &region))
        return false;
    uint64_t offset = q->addr - region.start;
    if ((region.flags & (PF_R | PF_W | PF_X)) == 0)
        return answer(q, INQ_PLACE_NO_RIGHTS,
                      inq_arena_printf(arena, "%s that nobody may use (no rights)",
                                       inq_size_text(arena, region.size)));
    if (is_heap(q, &region))
        return answer(
            q, INQ_PLACE_HEAP,
            inq_arena_printf(arena, "the heap, 0x%" PRIx64 " from where it begins", offset));
    return answer(q, INQ_PLACE_ANONYMOUS,
                  inq_arena_printf(arena, "anonymous memory (%s%s%s), 0x%" PRIx64 " into %s",
                                   region.flags & PF_R ? "r" : "-", region.flags & PF_W ? "w" : "-",
                                   region.flags & PF_X ? "x" : "-", offset,
                                   inq_size_text(arena, region.size)));
}

static const struct inq_module *library_at(const struct inq_dump *dump, uint64_t addr)
{
    const struct inq_module *module = inq_modules_find(dump->modules, addr);
    return module && module->is_elf && !module->is_main && !module->is_vdso ? module : NULL;
}

bool inq_is_library_gap(const struct inq_dump *dump, uint64_t addr, bool executed)
{
    uint64_t page = dump->core->page_bytes > 0 ? dump->core->page_bytes : 4096;
    struct inq_memory_region below, above;

    if (addr < NEVER_MAPPED || !inq_map_is_whole(dump) ||
        inq_memory_region_at(dump->memory, addr, &below) ||
        !inq_memory_region_above(dump->memory, addr, &above) ||
        !inq_memory_region_below(dump->memory, addr, &below))
        return false;
    uint64_t hole = above.start - (below.start + below.size);
    const struct inq_module *low = library_at(dump, below.start + below.size - 1);
    const struct inq_module *high = library_at(dump, above.start);
    if (hole < LEAST_LIBRARY_PAGES * page || hole > MOST_LIBRARY)
        return false;
    return executed ? low || high : low && high && low != high;
}

bool inq_is_unloaded_library(const struct inq_dump *dump, uint64_t addr, bool executed)
{
    struct inq_unloaded unloaded;

    return addr >= NEVER_MAPPED && inq_map_is_whole(dump) &&
           (inq_unloaded_at(dump, addr, &unloaded) ||
            (executed && inq_is_library_gap(dump, addr, true) && inq_unloaded_count(dump) > 0));
}

/* "libfoo.so", "the heap", "the main stack", else what the neighbour is by its rights. */
static const char *neighbour(const struct question *q, uint64_t addr)
{
    const struct inq_dump *dump = q->dump;
    const struct inq_module *module = inq_modules_find(dump->modules, addr);
    const struct inq_map_file *file = inq_core_file_at(dump->core, addr);
    const struct inq_thread_stacks *stacks = inq_thread_stacks(q->dump);
    struct inq_memory_region region;

    if (module)
        return module->name;
    if (file)
        return base_name(file->path);
    size_t i = stacks ? inq_stack_at(stacks, addr) : SIZE_MAX;
    if (i != SIZE_MAX && stacks->items[i].source == INQ_STACK_AUXV)
        return "the main stack";
    if (i != SIZE_MAX && stacks->items[i].source != INQ_STACK_SEGMENT)
        return inq_arena_printf(dump->arena, "the stack of thread %" PRIu32,
                                dump->core->threads[i].tid);
    if (inq_memory_region_at(dump->memory, addr, &region) && is_heap(q, &region))
        return "the heap";
    return "anonymous memory";
}

/* What lies below and above, where it is near enough to have to do with the address. */
static const char *neighbours(const struct question *q)
{
    struct inq_arena *arena = q->dump->arena;
    struct inq_memory_region region;
    const char *below = NULL, *above = NULL;

    if (inq_memory_region_below(q->dump->memory, q->addr, &region) &&
        q->addr - (region.start + region.size) < NEIGHBOURHOOD) {
        const char *name = neighbour(q, region.start + region.size - 1);
        uint64_t distance = q->addr - (region.start + region.size);
        below = distance == 0
                    ? inq_arena_printf(arena, "right behind the end of %s", name)
                    : inq_arena_printf(arena, "0x%" PRIx64 " behind the end of %s", distance, name);
    }
    if (inq_memory_region_above(q->dump->memory, q->addr, &region) &&
        region.start - q->addr < NEIGHBOURHOOD)
        above = inq_arena_printf(arena, "0x%" PRIx64 " before %s", region.start - q->addr,
                                 neighbour(q, region.start));
    if (!below && !above)
        return "nothing is mapped there";
    return inq_arena_printf(arena, "not mapped: %s%s%s", below ? below : "",
                            below && above ? ", " : "", above ? above : "");
}

static void by_unloaded(struct question *q, const struct inq_unloaded *unloaded)
{
    struct inq_arena *arena = q->dump->arena;
    const char *name = unloaded->name ? unloaded->name : "a library";

    q->out->unloaded = unloaded->name;
    q->out->has_offset = unloaded->size > 0;
    q->out->offset = q->out->has_offset ? q->addr - unloaded->start : 0;
    answer(q, INQ_PLACE_LIBRARY_GAP,
           unloaded->size > 0 ? inq_arena_printf(arena, "%s+0x%" PRIx64 ", which had been unloaded",
                                                 name, q->out->offset)
                              : inq_arena_printf(arena, "%s, which had been unloaded", name));
}

static void by_gap(struct question *q)
{
    const struct inq_dump *dump = q->dump;
    uint64_t pc;
    bool executed = inq_crash_pc(dump, &pc) && pc == q->addr;
    const char *text = neighbours(q);
    struct inq_unloaded unloaded;

    if (inq_unloaded_at(dump, q->addr, &unloaded))
        by_unloaded(q, &unloaded);
    else if (inq_is_library_gap(dump, q->addr, executed) && inq_unloaded_count(dump) != 0)
        answer(q, INQ_PLACE_LIBRARY_GAP,
               inq_arena_printf(dump->arena, "a hole that a library may have left (%s)", text));
    else if (inq_map_is_whole(dump))
        answer(q, INQ_PLACE_GAP, text);
    else
        answer(q, INQ_PLACE_UNKNOWN, "the list of mappings in the dump is not whole");
}

bool inq_address_describe(struct inq_dump *dump, uint64_t addr, struct inq_address *ret_address)
{
    struct question q = {.dump = dump, .addr = addr, .out = ret_address};

    *ret_address = (struct inq_address){.place = INQ_PLACE_UNKNOWN, .thread = SIZE_MAX};
    if (!by_value(&q) && !by_stack(&q) && !by_module(&q) && !by_file(&q) && !by_region(&q))
        by_gap(&q);
    return ret_address->text != NULL;
}

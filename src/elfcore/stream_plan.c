/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What of a compressed dump is worth keeping while it goes by. Header and notes come first, so
 * every stack pointer and every file mapping is known before the first byte of memory. The aim is
 * that the report of a compressed dump equals that of the plain one in a few dozen megabytes: what
 * inquest reads is kept as it is, what it may read (heaps) is kept packed, and arrays of numbers go
 * by.
 */

#include "core.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "core_reader.h"
#include "bounds.h"
#include "link_map_pages.h"

#define KIB 1024ull
/*
 * What is planned fits: memory is set aside for all that is RAW, and for what is PACKED to little
 * more than half, which real heaps and data never need. Beyond that the plan goes by priority, and
 * what it leaves out is searched for link maps instead; memory.c says so when it is asked for.
 */
#define RAW_PLANNED (16 * INQ_MIB)
#define PACKED_PLANNED (48 * INQ_MIB)
#define PACKED_BUDGET (26 * INQ_MIB)
#define SMALL_SEGMENT (64 * KIB)
#define MODULE_RAW (1 * INQ_MIB)
#define MODULE_PACKED (32 * INQ_MIB)
#define BSS_RAW (256 * KIB)
#define BSS_PACKED (4 * INQ_MIB)
#define BELOW_SP (64 * KIB) /* and the red zone: signal frames that were popped, at most */
#define NEAR_SP (64 * KIB)
#define STACK_RAW (256 * KIB)
#define STACK_PACKED (16 * INQ_MIB)
#define ARENA_ALIGN (64 * INQ_MIB) /* HEAP_MAX_SIZE of glibc on 64-bit machines */
#define PAGE 4096ull

/* What goes last when the budget does not reach. */
enum {
    FIRST,  /* the crashed thread's stack */
    STACKS, /* the others' innermost frames, headers of modules, vdso */
    DATA,   /* writable data of modules, what registers point to */
    LARGE,  /* the same of large modules: their slots, too, say who is bound to whom */
    DEEP,   /* deeper stacks, large bss */
    SMALL,  /* small segments: altstacks, messages, TLS */
    HEAP,
    ARENA,
    CODE, /* code that was generated, or dumped against the usual filter */
    PRIORITIES,
};

struct builder {
    const struct inq_core *core;
    const struct inq_segment **by_addr;
    size_t n_segments;
    INQ_ARRAY(struct inq_keep_range) ranges;
    bool failed;
};

static int by_addr(const void *a, const void *b)
{
    const struct inq_segment *x = *(const struct inq_segment *const *)a;
    const struct inq_segment *y = *(const struct inq_segment *const *)b;

    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Index of the last segment that starts at or below addr; SIZE_MAX when there is none. */
static size_t segment_below(const struct builder *b, uint64_t addr)
{
    size_t low = 0, high = b->n_segments;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b->by_addr[mid]->addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low - 1;
}

static const struct inq_segment *segment_at(const struct builder *b, uint64_t addr)
{
    size_t i = segment_below(b, addr);

    return i != SIZE_MAX && addr - b->by_addr[i]->addr < b->by_addr[i]->size ? b->by_addr[i] : NULL;
}

/* Bytes [from, from + size) of one segment, widened to pages and clipped to what was saved. */
static void keep(struct builder *b, const struct inq_segment *s, uint64_t from, uint64_t size,
                 enum inq_keep how, uint8_t priority)
{
    struct inq_keep_range *range;
    uint64_t end = size > UINT64_MAX - from - PAGE ? UINT64_MAX - PAGE : from + size;

    from &= ~(PAGE - 1);
    end = (end + PAGE - 1) & ~(PAGE - 1);
    if (end > s->saved_bytes)
        end = s->saved_bytes;
    if (from >= end)
        return;
    range = INQ_ARRAY_PUSH(&b->ranges);
    if (!range) {
        b->failed = true;
        return;
    }
    *range = (struct inq_keep_range){s->off + from, end - from, how, priority};
}

static void keep_segment(struct builder *b, const struct inq_segment *s, enum inq_keep how,
                         uint8_t priority)
{
    keep(b, s, 0, s->saved_bytes, how, priority);
}

/* Around an address, inside its segment. */
static void keep_around(struct builder *b, uint64_t addr, uint64_t below, uint64_t above,
                        enum inq_keep how, uint8_t priority)
{
    const struct inq_segment *s = segment_at(b, addr);
    uint64_t at;

    if (!s)
        return;
    at = addr - s->addr;
    keep(b, s, at > below ? at - below : 0, (at > below ? below : at) + above, how, priority);
}

/*
 * A stack: from below its pointer to the end of its segment. A thread's stack ends at its struct
 * pthread (glibc, musl), and others may follow in the same segment.
 */
static void keep_stack(struct builder *b, uint64_t sp, uint64_t tls, bool crashed)
{
    uint64_t deep = tls > sp && tls - sp < STACK_PACKED ? tls - sp + PAGE : STACK_PACKED;
    uint64_t raw = deep < STACK_RAW ? deep : STACK_RAW;
    uint64_t near = crashed || raw < NEAR_SP ? raw : NEAR_SP;

    keep_around(b, sp, crashed ? BELOW_SP + 128 : PAGE, near, INQ_KEEP_RAW,
                crashed ? FIRST : STACKS);
    if (near < raw)
        keep_around(b, sp, 0, raw, INQ_KEEP_RAW, DEEP);
    if (raw < deep)
        keep_around(b, sp, 0, deep, INQ_KEEP_PACKED, crashed ? STACKS : DEEP);
}

static void keep_threads(struct builder *b)
{
    const struct inq_core *core = b->core;

    for (size_t i = 0; i < core->n_threads; i++) {
        const struct inq_core_thread *t = &core->threads[i];
        uint64_t tls = 0;

        if (!t->has_registers)
            continue;
        (void)inq_core_register(core, t, "fs_base", &tls);
        keep_stack(b, inq_core_sp(core, t), tls, i == 0);
        keep_around(b, inq_core_pc(core, t), PAGE, PAGE, INQ_KEEP_RAW, DATA);
        if (tls == 0)
            continue;
        keep_around(b, tls, 4 * PAGE, 2 * PAGE, INQ_KEEP_RAW, STACKS);
        if (i == 0) /* its own stack, while a handler runs on another one */
            keep_around(b, tls, STACK_PACKED, PAGE, INQ_KEEP_PACKED, DEEP);
    }
    if (core->n_threads > 0 && core->threads[0].has_registers) {
        for (size_t i = 0; i < core->cpu->n_registers; i++)
            keep_around(b, core->threads[0].registers[i], PAGE, PAGE, INQ_KEEP_RAW, DATA);
    }
}

/* The main stack holds arguments, environment and the auxiliary vector at its top. */
static void keep_auxv(struct builder *b)
{
    static const uint64_t pages_at[] = {AT_PHDR, AT_BASE, AT_ENTRY, AT_RANDOM};
    const struct inq_segment *s;
    uint64_t addr;

    for (size_t i = 0; i < sizeof(pages_at) / sizeof(pages_at[0]); i++) {
        if (inq_core_auxv(b->core, pages_at[i], &addr))
            keep_around(b, addr, PAGE, PAGE, INQ_KEEP_RAW, STACKS);
    }
    if (inq_core_auxv(b->core, AT_SYSINFO_EHDR, &addr))
        keep_around(b, addr, 0, SMALL_SEGMENT, INQ_KEEP_RAW, STACKS);
    if (inq_core_auxv(b->core, AT_EXECFN, &addr) && (s = segment_at(b, addr))) {
        uint64_t top = s->saved_bytes > SMALL_SEGMENT ? s->saved_bytes - SMALL_SEGMENT : 0;
        keep(b, s, top, SMALL_SEGMENT, INQ_KEEP_RAW, FIRST);
        top = s->saved_bytes > STACK_PACKED ? s->saved_bytes - STACK_PACKED : 0;
        keep(b, s, top, STACK_PACKED, INQ_KEEP_PACKED, DEEP);
        /* where an overflowing stack ends, when the handler runs on another one */
        keep(b, s, 0, SMALL_SEGMENT, INQ_KEEP_RAW, DEEP);
    }
}

/* Is any mapping of this file executable? Data files, however large, are not modules. */
static bool run_is_module(const struct builder *b, uint64_t start, uint64_t end)
{
    for (size_t i = segment_below(b, start); i < b->n_segments && b->by_addr[i]->addr < end; i++) {
        if ((b->by_addr[i]->flags & PF_X) && b->by_addr[i]->addr >= start)
            return true;
    }
    return false;
}

struct run { /* the mappings of one file that lie together */
    uint64_t start, end;
    bool module;
};

/* The runs of NT_FILE, in address order; to be freed by the caller. */
static struct run *find_runs(const struct builder *b, size_t *ret_count)
{
    const struct inq_core *core = b->core;
    struct run *runs = calloc(core->n_files + 1, sizeof(*runs));
    size_t n = 0;

    for (size_t i = 0; runs && i < core->n_files; i++) {
        const struct inq_map_file *f = &core->files[i];
        if (n > 0 && strcmp(f->path, core->files[i - 1].path) == 0 && f->file_off != 0)
            runs[n - 1].end = f->start + f->size;
        else
            runs[n++] = (struct run){.start = f->start, .end = f->start + f->size};
    }
    for (size_t i = 0; i < n; i++)
        runs[i].module = run_is_module(b, runs[i].start, runs[i].end);
    *ret_count = n;
    return runs;
}

static void keep_file_segment(struct builder *b, const struct inq_segment *s,
                              const struct inq_map_file *file, bool module)
{
    if (file->file_off == 0 && s->addr == file->start)
        keep(b, s, 0, b->core->page_bytes, INQ_KEEP_RAW, STACKS);
    if (module && s->saved_bytes <= MODULE_RAW)
        keep_segment(b, s, INQ_KEEP_RAW, DATA);
    else if (module && s->saved_bytes <= MODULE_PACKED)
        keep_segment(b, s, INQ_KEEP_PACKED, s->flags & PF_X ? CODE : LARGE);
    else if (s->saved_bytes <= SMALL_SEGMENT)
        keep_segment(b, s, INQ_KEEP_RAW, SMALL);
}

static void keep_anonymous(struct builder *b, const struct inq_segment *s, bool behind_module,
                           bool heap)
{
    bool writable = s->flags & PF_W;

    if (behind_module && s->saved_bytes <= BSS_RAW)
        keep_segment(b, s, INQ_KEEP_RAW, DATA);
    else if (behind_module && s->saved_bytes <= BSS_PACKED)
        keep_segment(b, s, INQ_KEEP_PACKED, DEEP);
    if (s->saved_bytes <= SMALL_SEGMENT)
        keep_segment(b, s, INQ_KEEP_RAW, SMALL);
    else if (b->core->n_files == 0 && s->saved_bytes <= MODULE_RAW)
        keep_segment(b, s, INQ_KEEP_RAW, SMALL); /* no NT_FILE: it may be anything */
    else if (heap && writable)
        keep_segment(b, s, INQ_KEEP_PACKED, HEAP);
    else if (writable && s->addr % ARENA_ALIGN == 0)
        keep_segment(b, s, INQ_KEEP_PACKED, ARENA);
    else if (s->flags & PF_X)
        keep_segment(b, s, INQ_KEEP_PACKED, CODE);
    else if (b->core->n_files == 0 && s->saved_bytes <= STACK_PACKED)
        keep_segment(b, s, INQ_KEEP_PACKED, HEAP);
}

/* One walk over segments and file runs together, both in address order. */
static void keep_segments(struct builder *b, const struct run *runs, size_t n_runs)
{
    uint64_t entry = 0, module_end = 0;
    bool has_entry =
        inq_core_auxv(b->core, AT_ENTRY, &entry) || inq_core_auxv(b->core, AT_PHDR, &entry);
    bool in_heap = false; /* between the program and the next file: brk */
    size_t r = 0;

    for (size_t i = 0; i < b->n_segments; i++) {
        const struct inq_segment *s = b->by_addr[i];
        const struct inq_map_file *file = inq_core_file_at(b->core, s->addr);

        while (r < n_runs && runs[r].end <= s->addr)
            r++;
        if (file && r < n_runs && runs[r].start <= s->addr) {
            in_heap = has_entry && entry >= runs[r].start && entry < runs[r].end;
            keep_file_segment(b, s, file, runs[r].module);
            if (runs[r].module)
                module_end = s->addr + s->size;
        } else {
            keep_anonymous(b, s, s->addr == module_end && module_end != 0, in_heap);
        }
    }
}

/*
 * Cuts the ranges of one kind to what is planned, the best first; overlaps count twice. What is too
 * much of RAW becomes PACKED, what is too much of PACKED is left out.
 */
static void limit_ranges(struct builder *b, enum inq_keep kind, uint64_t left)
{
    for (unsigned priority = 0; priority < PRIORITIES; priority++) {
        for (size_t i = 0; i < b->ranges.count; i++) {
            struct inq_keep_range *r = &b->ranges.items[i];

            if (r->keep != kind || r->priority != priority)
                continue;
            if (r->size <= left) {
                left -= r->size;
            } else if (kind == INQ_KEEP_RAW) {
                r->keep = INQ_KEEP_PACKED;
            } else {
                r->size = left & ~(PAGE - 1);
                left = 0;
            }
        }
    }
}

static struct inq_error *collect(struct builder *b, struct inq_link_map_pages *pages)
{
    const struct inq_core *core = b->core;
    struct run *runs;
    size_t n_runs = 0;

    b->by_addr = calloc(core->n_segments + 1, sizeof(struct inq_segment *));
    if (!b->by_addr)
        return &inq_error_oom;
    for (size_t i = 0; i < core->n_segments; i++)
        b->by_addr[i] = &core->segments[i];
    b->n_segments = core->n_segments;
    qsort(b->by_addr, b->n_segments, sizeof(struct inq_segment *), by_addr);
    runs = find_runs(b, &n_runs);
    if (!runs)
        return &inq_error_oom;
    keep_threads(b);
    keep_auxv(b);
    keep_segments(b, runs, n_runs);
    for (size_t i = 0; i < n_runs && !b->failed; i++) {
        /* a program at a fixed address has load base 0; nothing else lies below 4 GiB on 64 bits */
        if (runs[i].module && (core->elf_class == 32 || runs[i].start >> 32 != 0) &&
            !inq_link_map_pages_add(pages, runs[i].start, runs[i].end))
            b->failed = true;
    }
    free(runs);
    limit_ranges(b, INQ_KEEP_RAW, RAW_PLANNED);
    limit_ranges(b, INQ_KEEP_PACKED, PACKED_PLANNED);
    return b->failed ? &inq_error_oom : NULL;
}

struct inq_error *inq_core_stream(struct inq_core *core, struct inq_source *source,
                                  struct inq_arena *arena, struct inq_gaps *gaps)
{
    struct inq_source_info info = inq_source_info(source);
    struct builder b = {.core = core};
    struct inq_link_map_pages pages = {.core = core};
    struct inq_error *error;

    (void)arena;
    if (!info.stream)
        return NULL;
    error = collect(&b, &pages);
    if (!error) {
        struct inq_source_plan plan = {
            .ranges = b.ranges.items,
            .count = b.ranges.count,
            .raw_budget_bytes = RAW_PLANNED,
            .packed_budget_bytes = PACKED_BUDGET,
            .want_page = inq_link_map_pages_want,
            .context = &pages,
        };
        pages.by_addr = b.by_addr;
        pages.n_segments = b.n_segments;
        error = inq_source_stream(source, &plan);
    }
    INQ_ARRAY_FREE(&b.ranges);
    free(b.by_addr);
    inq_link_map_pages_deinit(&pages);
    if (!error) {
        info = inq_source_info(source);
        inq_core_note_present(core, &info, gaps);
    }
    return error;
}

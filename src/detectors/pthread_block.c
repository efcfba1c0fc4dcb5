/* SPDX-License-Identifier: Apache-2.0 */
#include "pthread_block.h"

#include <elf.h>

#include "cursor.h"

/* glibc's struct pthread takes 2304 to 2368 bytes, musl's 200: all that is looked at. */
#define BLOCK_BYTES 4096u
/* Above the control block lies only what the alignment of static TLS leaves. */
#define MOST_ABOVE 131072u
#define MOST_STACK (1ull << 40)
/* A stack is one mapping or a few (a JVM's guard zones); more than this is none. */
#define MOST_PIECES 64u

struct block { /* words of a control block */
    const struct inq_dump *dump;
    uint64_t self;
    uint64_t page;
    size_t word;
    const uint8_t *bytes;
    size_t count; /* words that are there */
};

static uint64_t word_at(const struct block *b, size_t i)
{
    bool big = b->dump->core->big_endian;
    const uint8_t *at = b->bytes + i * b->word;

    return b->word == 4 ? inq_load_u32(at, big) : inq_load_u64(at, big);
}

static bool find_symbol(const struct inq_dump *dump, const char *name, uint64_t *ret_addr)
{
    static const char *const libraries[] = {"libc.so", "libc-", "libpthread"};

    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        if (inq_modules_symbol(dump->modules, libraries[i], name, ret_addr, NULL))
            return true;
    return false;
}

/* Offset of a field in a struct of `size` bytes, by its descriptor {bits, elements, offset}; or 0.
 */
static uint32_t find_field(const struct inq_dump *dump, const char *name, uint32_t size)
{
    uint64_t addr;
    uint32_t bits, off;

    if (!find_symbol(dump, name, &addr) || !inq_memory_u32(dump->memory, addr, &bits) ||
        bits < 32 || bits / 8 > size || !inq_memory_u32(dump->memory, addr + 8, &off) ||
        off > size - bits / 8)
        return 0;
    return off;
}

struct inq_pthread_layout inq_pthread_layout(const struct inq_dump *dump)
{
    struct inq_pthread_layout layout = {0};
    uint64_t addr;
    uint32_t size;

    if (!find_symbol(dump, "_thread_db_sizeof_pthread", &addr) ||
        !inq_memory_u32(dump->memory, addr, &size) || size < 64 || size > BLOCK_BYTES)
        return layout;
    layout.size = size;
    layout.tid_off = find_field(dump, "_thread_db_pthread_tid", size);
    layout.list_off = find_field(dump, "_thread_db_pthread_list", size);
    layout.cancel_off = find_field(dump, "_thread_db_pthread_cancelhandling", size);
    return layout;
}

/* [start, start + size) is mapped without a hole. */
static bool is_mapped(const struct inq_dump *dump, uint64_t start, uint64_t size)
{
    uint64_t end, at = start;
    struct inq_memory_region region;

    if (__builtin_add_overflow(start, size, &end))
        return false;
    for (unsigned pieces = 0; at < end; pieces++) {
        if (pieces >= MOST_PIECES || !inq_memory_region_at(dump->memory, at, &region) ||
            region.size == 0 || __builtin_add_overflow(region.start, region.size, &at))
            return false;
    }
    return true;
}

/* The control block lies near the top of the stack's memory, and all of that is there. */
static bool fits(const struct block *b, uint64_t start, uint64_t size, uint64_t guard)
{
    struct inq_memory_region region;
    uint64_t end;

    return start >= b->page && start % b->page == 0 && size >= 2 * b->page && size <= MOST_STACK &&
           guard < size && guard % b->page == 0 && !__builtin_add_overflow(start, size, &end) &&
           start < b->self && b->self < end && end - b->self <= MOST_ABOVE &&
           inq_memory_region_at(b->dump->memory, b->self, &region) && (region.flags & PF_W) &&
           is_mapped(b->dump, start, size);
}

/* musl, src/internal/pthread_impl.h; pthread_create() sets stack - stack_size to map_base + guard.
 */
static size_t find_musl(const struct block *b, struct inq_pthread_block *ret_block)
{
    size_t hits = 0;

    for (size_t i = 1; i + 5 <= b->count && i < 32; i++) {
        uint64_t start = word_at(b, i), size = word_at(b, i + 1), top = word_at(b, i + 2);
        uint64_t stack = word_at(b, i + 3), guard = word_at(b, i + 4), low;

        if (__builtin_add_overflow(start, guard, &low) || top <= low || top - low != stack ||
            top > b->self || !fits(b, start, size, guard))
            continue;
        hits++;
        *ret_block = (struct inq_pthread_block){start, size, guard, true};
    }
    return hits;
}

/* glibc, nptl/descr.h: stackblock, stackblock_size and guardsize stand side by side. */
static size_t find_glibc(const struct block *b, struct inq_pthread_block *ret_block)
{
    size_t hits = 0;

    for (size_t i = 3; i + 3 <= b->count; i++) {
        struct inq_pthread_block block = {word_at(b, i), word_at(b, i + 1), word_at(b, i + 2),
                                          false};

        if (block.start >= b->self || !fits(b, block.start, block.size, block.guard_bytes))
            continue;
        if (hits > 0 && block.start == ret_block->start && block.size == ret_block->size &&
            block.guard_bytes == ret_block->guard_bytes)
            continue;
        hits++;
        *ret_block = block;
    }
    return hits;
}

static bool is_of_thread(const struct inq_dump *dump, const struct inq_pthread_layout *layout,
                         const struct block *b, uint32_t tid)
{
    if (layout->tid_off == 0 || (layout->tid_off + 4) > b->count * b->word)
        return true; /* nothing is known */
    return inq_load_u32(b->bytes + layout->tid_off, dump->core->big_endian) == tid;
}

bool inq_pthread_block_find(const struct inq_dump *dump, const struct inq_pthread_layout *layout,
                            const struct inq_core_thread *thread,
                            struct inq_pthread_block *ret_block)
{
    const struct inq_core *core = dump->core;
    uint8_t bytes[BLOCK_BYTES];
    struct inq_pthread_block found;
    size_t want = layout->size > 0 ? layout->size : sizeof(bytes), got = 0;
    struct block b = {.dump = dump, .page = core->page_bytes ? core->page_bytes : 4096};

    if (core->machine != EM_X86_64 || !thread->has_registers || !core->cpu ||
        !inq_core_register(core, thread, "fs_base", &b.self) || b.self == 0)
        return false;
    inq_memory_read(dump->memory, b.self, bytes, want, &got);
    b.word = core->cpu->word_bytes;
    b.bytes = bytes;
    b.count = got / b.word;
    /* both libraries keep the block's own address first; glibc again in the third word, tcbhead_t
     */
    if (b.count < 8 || word_at(&b, 0) != b.self)
        return false;
    size_t hits = find_musl(&b, &found);
    if (hits == 0 && word_at(&b, 2) == b.self && is_of_thread(dump, layout, &b, thread->tid))
        hits = find_glibc(&b, &found);
    if (hits != 1)
        return false;
    *ret_block = found;
    return true;
}

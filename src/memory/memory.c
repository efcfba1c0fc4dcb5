/* SPDX-License-Identifier: Apache-2.0 */

#include "memory.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backing.h"
#include "cursor.h"
#include "ranges.h"
#include "source.h"

#define PAGE 4096ull
#define WINDOWS 64u /* a power of two */
#define STRING_STEP 256u

/*
 * Unwinding reads millions of words, most of them near the last one. A window is a piece of memory
 * whose bytes can be pointed to; each page of addresses remembers the window it was found in.
 */
struct window {
    uint64_t addr, size;
    const uint8_t *bytes;
};

struct inq_memory {
    struct window windows[WINDOWS];
    const struct inq_core *core;
    struct inq_source *source;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    const uint8_t *dump; /* the whole plain file, NULL for a stream */
    uint8_t word_bytes;
    bool big_endian;
    bool dropped_noted;
    struct inq_memory_range *ranges;
    size_t n_ranges;
    struct inq_backing backing;
    uint8_t *pages; /* of windows that had to be copied: slot i owns page i; made on first use */
};

struct inq_error *inq_memory_create(const struct inq_core *core, struct inq_source *source,
                                    struct inq_arena *arena, struct inq_gaps *gaps,
                                    struct inq_memory **ret_memory)
{
    struct inq_memory *m = INQ_ARENA_NEW(arena, struct inq_memory);
    struct inq_source_info info = inq_source_info(source);
    struct inq_memory_range *ranges = NULL;
    size_t overlaps = 0;

    if (!m)
        return &inq_error_oom;
    m->core = core;
    m->source = source;
    m->arena = arena;
    m->gaps = gaps;
    m->word_bytes = core->cpu ? core->cpu->word_bytes : core->elf_class / 8;
    m->big_endian = core->big_endian;
    INQ_TRY(inq_memory_ranges_build(core, &ranges, &m->n_ranges, &overlaps));
    m->ranges = INQ_ARENA_ARRAY(arena, m->n_ranges + 1, struct inq_memory_range);
    if (m->ranges)
        memcpy(m->ranges, ranges, m->n_ranges * sizeof(*ranges));
    free(ranges);
    if (!m->ranges)
        return &inq_error_oom;
    if (overlaps > 0)
        inq_gaps_add(gaps, INQ_G_OVERLAP, NULL, "the first in the file wins",
                     "%zu segment(s) lie over others", overlaps);
    if (!info.stream && info.present_bytes > 0 && info.present_bytes <= SIZE_MAX)
        m->dump = inq_source_view(source, 0, (size_t)info.present_bytes);
    *ret_memory = m;
    return NULL;
}

/* Index of the first range that starts above addr. */
static size_t upper_bound(const struct inq_memory *m, uint64_t addr)
{
    size_t low = 0, high = m->n_ranges;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->ranges[mid].start <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct inq_memory_range *range_at(const struct inq_memory *m, uint64_t addr)
{
    size_t i = upper_bound(m, addr);

    return i > 0 && addr - m->ranges[i - 1].start < m->ranges[i - 1].size ? &m->ranges[i - 1]
                                                                          : NULL;
}

static inline struct window *slot_of(struct inq_memory *m, uint64_t addr)
{
    return &m->windows[(addr / PAGE) % WINDOWS];
}

/* The verified file's bytes from addr to the end of what it and the range share. */
static bool open_backing(struct inq_memory *m, const struct inq_memory_range *range, uint64_t addr,
                         struct window *window)
{
    const struct inq_backing_range *b;
    uint64_t left = range->size - (addr - range->start), there;

    if (range->flags & PF_W)
        return false;
    b = inq_backing_find(&m->backing, addr);
    if (!b)
        return false;
    there = b->size - (addr - b->addr);
    *window = (struct window){addr, there < left ? there : left, b->bytes + (addr - b->addr)};
    return true;
}

static void note_dropped(struct inq_memory *m, uint64_t addr)
{
    char where[48];

    if (m->dropped_noted)
        return;
    m->dropped_noted = true;
    snprintf(where, sizeof(where), "address 0x%" PRIx64, addr);
    inq_gaps_add(m->gaps, INQ_G_DROPPED, where, "unpack the dump to have all of it",
                 "memory that was asked for later, this being the first of it");
}

/* Bytes of the dump that cannot be pointed to as a whole: page by page. */
static enum inq_memory_status open_page(struct inq_memory *m, const struct inq_memory_range *range,
                                        uint64_t addr, struct window *window)
{
    size_t slot = (size_t)(window - m->windows), got = 0;
    uint64_t at = addr - range->start, from = at - at % PAGE;
    uint64_t end = from + PAGE < range->present ? from + PAGE : range->present;
    enum inq_read status;
    const void *view = inq_source_view(m->source, range->off + from, (size_t)(end - from));

    if (view) {
        *window = (struct window){range->start + from, end - from, view};
        return INQ_MEMORY_OK;
    }
    if (!m->pages)
        m->pages = INQ_ARENA_ARRAY(m->arena, WINDOWS * PAGE, uint8_t);
    if (!m->pages)
        return INQ_MEMORY_NOT_SAVED;
    *window = (struct window){0}; /* its page is about to be overwritten */
    status = inq_source_read(m->source, range->off + from, m->pages + slot * PAGE,
                             (size_t)(end - from), &got);
    if (got <= at - from) { /* what was kept may begin in the middle of the page */
        from = at;
        status = inq_source_read(m->source, range->off + from, m->pages + slot * PAGE,
                                 (size_t)(end - from), &got);
    }
    if (got > at - from) {
        *window = (struct window){range->start + from, got, m->pages + slot * PAGE};
        return INQ_MEMORY_OK;
    }
    if (status == INQ_READ_DROPPED && open_backing(m, range, addr, window))
        return INQ_MEMORY_OK;
    if (status == INQ_READ_DROPPED)
        note_dropped(m, addr);
    return INQ_MEMORY_NOT_SAVED;
}

/* Makes the window of addr's page cover addr; anything but OK leaves it as it was, or empty. */
static enum inq_memory_status open_window(struct inq_memory *m, uint64_t addr)
{
    const struct inq_memory_range *range = range_at(m, addr);
    struct window *window = slot_of(m, addr);
    uint64_t at;

    if (!range)
        return INQ_MEMORY_NOT_MAPPED;
    at = addr - range->start;
    if (at < range->present) {
        if (!m->dump)
            return open_page(m, range, addr, window);
        *window = (struct window){range->start, range->present, m->dump + range->off};
        return INQ_MEMORY_OK;
    }
    /* cut off is not left out: only what the kernel did not save is the same as in the file */
    if (at < range->saved || !open_backing(m, range, addr, window))
        return INQ_MEMORY_NOT_SAVED;
    return INQ_MEMORY_OK;
}

/* A pointer to the bytes from addr on, valid until the next look-up; *ret_left is how many. */
static inline enum inq_memory_status locate(struct inq_memory *m, uint64_t addr,
                                            const uint8_t **ret_bytes, uint64_t *ret_left)
{
    const struct window *w = slot_of(m, addr);

    if (__builtin_expect(addr - w->addr >= w->size, 0)) {
        enum inq_memory_status status = open_window(m, addr);
        if (status != INQ_MEMORY_OK)
            return status;
    }
    *ret_bytes = w->bytes + (addr - w->addr);
    *ret_left = w->size - (addr - w->addr);
    return INQ_MEMORY_OK;
}

enum inq_memory_status inq_memory_read(struct inq_memory *memory, uint64_t addr, void *buf,
                                       size_t size, size_t *ret_got)
{
    enum inq_memory_status status = INQ_MEMORY_OK;
    size_t done = 0;

    while (done < size) {
        const uint8_t *bytes = NULL;
        uint64_t left = 0, at;
        size_t n;

        if (__builtin_add_overflow(addr, done, &at)) { /* the end of memory */
            status = INQ_MEMORY_NOT_MAPPED;
            break;
        }
        status = locate(memory, at, &bytes, &left);
        if (status != INQ_MEMORY_OK)
            break;
        n = left < size - done ? (size_t)left : size - done;
        memcpy((uint8_t *)buf + done, bytes, n);
        done += n;
    }
    if (ret_got)
        *ret_got = done;
    return status;
}

const void *inq_memory_view(struct inq_memory *memory, uint64_t addr, size_t size)
{
    const struct inq_memory_range *range = range_at(memory, addr);
    struct window backed;
    uint64_t at;

    if (!range)
        return NULL;
    at = addr - range->start;
    if (at < range->present) {
        if (size > range->present - at)
            return NULL;
        return memory->dump ? memory->dump + range->off + at
                            : inq_source_view(memory->source, range->off + at, size);
    }
    if (at < range->saved || !open_backing(memory, range, addr, &backed) || size > backed.size)
        return NULL;
    return backed.bytes;
}

/* A small value: in one piece nearly always, else put together. */
static inline const uint8_t *small(struct inq_memory *m, uint64_t addr, size_t size, uint8_t buf[8])
{
    const uint8_t *bytes = NULL;
    uint64_t left = 0;

    if (locate(m, addr, &bytes, &left) != INQ_MEMORY_OK)
        return NULL;
    if (__builtin_expect(left >= size, 1))
        return bytes;
    return inq_memory_read(m, addr, buf, size, NULL) == INQ_MEMORY_OK ? buf : NULL;
}

bool inq_memory_u16(struct inq_memory *memory, uint64_t addr, uint16_t *ret_value)
{
    uint8_t buf[8];
    const uint8_t *bytes = small(memory, addr, 2, buf);

    if (!bytes)
        return false;
    *ret_value = inq_load_u16(bytes, memory->big_endian);
    return true;
}

bool inq_memory_u32(struct inq_memory *memory, uint64_t addr, uint32_t *ret_value)
{
    uint8_t buf[8];
    const uint8_t *bytes = small(memory, addr, 4, buf);

    if (!bytes)
        return false;
    *ret_value = inq_load_u32(bytes, memory->big_endian);
    return true;
}

/* The unwinder's way in: inlined here, since it runs millions of times. */
static inline bool load_u64(struct inq_memory *m, uint64_t addr, uint64_t *ret_value)
{
    uint8_t buf[8];
    const uint8_t *bytes = small(m, addr, 8, buf);
    uint64_t value;

    if (!bytes)
        return false;
    memcpy(&value, bytes, sizeof(value));
    *ret_value = m->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
                     ? value
                     : __builtin_bswap64(value);
    return true;
}

bool inq_memory_u64(struct inq_memory *memory, uint64_t addr, uint64_t *ret_value)
{
    return load_u64(memory, addr, ret_value);
}

bool inq_memory_word(struct inq_memory *memory, uint64_t addr, uint64_t *ret_value)
{
    uint32_t narrow;

    if (memory->word_bytes == 8)
        return load_u64(memory, addr, ret_value);
    if (!inq_memory_u32(memory, addr, &narrow))
        return false;
    *ret_value = narrow;
    return true;
}

const char *inq_memory_string(struct inq_memory *memory, uint64_t addr, size_t max)
{
    size_t size = 0;
    const uint8_t *bytes = NULL;
    uint64_t left = 0, at;
    char *text;

    while (size < max) { /* first its length, then one copy */
        size_t n, found;

        if (__builtin_add_overflow(addr, size, &at) ||
            locate(memory, at, &bytes, &left) != INQ_MEMORY_OK)
            return NULL;
        n = left < max - size ? (size_t)left : max - size;
        found = strnlen((const char *)bytes, n);
        size += found;
        if (found < n)
            break;
    }
    text = INQ_ARENA_ARRAY(memory->arena, size + 1, char);
    if (!text || inq_memory_read(memory, addr, text, size, NULL) != INQ_MEMORY_OK)
        return NULL;
    return text;
}

static struct inq_memory_region region_of(const struct inq_memory_range *range)
{
    return (struct inq_memory_region){range->start, range->size, range->flags, range->saved};
}

bool inq_memory_region_at(const struct inq_memory *memory, uint64_t addr,
                          struct inq_memory_region *ret_region)
{
    const struct inq_memory_range *range = range_at(memory, addr);

    if (!range)
        return false;
    *ret_region = region_of(range);
    return true;
}

bool inq_memory_region_below(const struct inq_memory *memory, uint64_t addr,
                             struct inq_memory_region *ret_region)
{
    size_t i = upper_bound(memory, addr);

    if (i > 0 && addr - memory->ranges[i - 1].start < memory->ranges[i - 1].size)
        i--; /* addr is mapped: the one below that */
    if (i == 0)
        return false;
    *ret_region = region_of(&memory->ranges[i - 1]);
    return true;
}

bool inq_memory_region_above(const struct inq_memory *memory, uint64_t addr,
                             struct inq_memory_region *ret_region)
{
    size_t i = upper_bound(memory, addr);

    if (i == memory->n_ranges)
        return false;
    *ret_region = region_of(&memory->ranges[i]);
    return true;
}

size_t inq_memory_region_count(const struct inq_memory *memory)
{
    return memory->n_ranges;
}

struct inq_memory_region inq_memory_region_get(const struct inq_memory *memory, size_t index)
{
    return region_of(&memory->ranges[index]);
}

struct inq_error *inq_memory_add_backing(struct inq_memory *memory, uint64_t addr,
                                         const void *bytes, size_t size)
{
    uint64_t end;

    if (__builtin_add_overflow(addr, size, &end))
        return inq_error_at_addr(
            inq_error_create(INQ_E_INTERNAL, "a file's bytes run over the end of memory"), addr);
    if (!inq_backing_add(&memory->backing, memory->arena, addr, bytes, size))
        return &inq_error_oom;
    return NULL;
}

uint64_t inq_memory_unsaved_writable_bytes(const struct inq_memory *memory)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < memory->n_ranges; i++) {
        const struct inq_memory_range *r = &memory->ranges[i];
        if ((r->flags & PF_W) && __builtin_add_overflow(sum, r->size - r->saved, &sum))
            return UINT64_MAX;
    }
    return sum;
}

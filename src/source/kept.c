/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "array.h"
#include "bounds.h"

/*
 * Measured on the heap of a Python process (403 MB), packed while the stream waits: level 1 takes
 * 0.55 s and leaves 15 %, -1 0.45 s and 17 %, -5 0.38 s and 28 %; a memory budget that keeps half
 * more is worth the difference between the last two. Blocks of 32 KiB pack as well as those of 64
 * KiB, and a word in one of them is found in half the time (19 us).
 */
#define PACK_LEVEL (-1)
/* Packed blocks and small raw pieces are laid into pieces of memory of this size. */
#define SLAB_BYTES (1024u * 1024u)
#define CACHE_SLOTS 64u /* 2 MiB once all are used */
#define NO_EXTENT SIZE_MAX

enum extent_kind {
    EXTENT_RAW,
    EXTENT_PACKED,
    EXTENT_ZERO,
    EXTENT_DROPPED, /* was packed, and made room for something better */
};

struct extent {
    uint64_t off;
    uint64_t size;
    const uint8_t *bytes; /* RAW, PACKED */
    uint32_t stored;      /* PACKED: size of the frame at bytes */
    uint8_t kind;
    uint8_t slot; /* PACKED: where it may be unpacked in the cache */
};

/* Memory for packed blocks of one priority, freed as a whole. */
struct slab {
    uint8_t *bytes;
    size_t used;
    size_t first, last; /* extents that lie in it are among these */
    size_t previous;    /* of the same priority: index + 1, 0 for none */
    uint8_t priority;
};

struct slot {
    size_t extent;
    uint64_t used_at;
    uint8_t *bytes; /* INQ_KEPT_BLOCK_BYTES */
};

struct inq_kept {
    INQ_ARRAY(struct extent) extents;
    INQ_ARRAY(struct slab) slabs;
    INQ_ARRAY(uint8_t *) reserved;
    size_t open_slab[256]; /* by priority: index + 1 of the slab that is filled, 0 for none */
    unsigned full_from;    /* blocks of this priority and worse find no room any more */
    uint8_t *raw_slab;     /* the one of `reserved` that small pieces go to */
    size_t raw_used;
    uint64_t packed_bytes, packed_budget; /* blocks and their extents */
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    struct slot cache[CACHE_SLOTS];
    uint64_t clock;
    size_t hot; /* the extent found last */
};

bool inq_bytes_are_zero(const uint8_t *bytes, size_t size)
{
    size_t head = size < 16 ? size : 16;

    for (size_t i = 0; i < head; i++)
        if (bytes[i] != 0)
            return false;
    /* Each byte equals the one 16 before it: all zero. */
    return size <= 16 || memcmp(bytes, bytes + 16, size - 16) == 0;
}

struct inq_kept *inq_kept_create(uint64_t packed_budget_bytes)
{
    struct inq_kept *kept = calloc(1, sizeof(*kept));

    if (!kept)
        return NULL;
    kept->packed_budget = packed_budget_bytes;
    kept->full_from = 256;
    kept->hot = NO_EXTENT;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        kept->cache[i].extent = NO_EXTENT;
    kept->packer = ZSTD_createCCtx();
    kept->unpacker = ZSTD_createDCtx();
    if (!kept->packer || !kept->unpacker ||
        ZSTD_isError(ZSTD_CCtx_setParameter(kept->packer, ZSTD_c_compressionLevel, PACK_LEVEL))) {
        inq_kept_destroy(kept);
        return NULL;
    }
    return kept;
}

void inq_kept_destroy(struct inq_kept *kept)
{
    if (!kept)
        return;
    for (size_t i = 0; i < kept->slabs.count; i++)
        free(kept->slabs.items[i].bytes);
    for (size_t i = 0; i < kept->reserved.count; i++)
        free(kept->reserved.items[i]);
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        free(kept->cache[i].bytes);
    INQ_ARRAY_FREE(&kept->slabs);
    INQ_ARRAY_FREE(&kept->reserved);
    INQ_ARRAY_FREE(&kept->extents);
    ZSTD_freeCCtx(kept->packer);
    ZSTD_freeDCtx(kept->unpacker);
    free(kept);
}

size_t inq_kept_extents(const struct inq_kept *kept)
{
    return kept->extents.count;
}

static struct extent *last_extent(struct inq_kept *kept)
{
    return kept->extents.count ? &kept->extents.items[kept->extents.count - 1] : NULL;
}

/* Joined to the extent before it where both are raw and lie side by side, or both are zeros. */
static bool add(struct inq_kept *kept, struct extent e)
{
    struct extent *last = last_extent(kept);

    if (e.size == 0)
        return true;
    if (last && last->kind == e.kind && last->off + last->size == e.off &&
        (e.kind == EXTENT_ZERO || (e.kind == EXTENT_RAW && last->bytes + last->size == e.bytes))) {
        last->size += e.size;
        return true;
    }
    last = INQ_ARRAY_PUSH(&kept->extents);
    if (!last)
        return false;
    *last = e;
    return true;
}

bool inq_kept_add_raw(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, uint64_t size)
{
    return add(kept, (struct extent){.off = off, .size = size, .bytes = bytes});
}

bool inq_kept_add_zeros(struct inq_kept *kept, uint64_t off, uint64_t size)
{
    return add(kept, (struct extent){.off = off, .size = size, .kind = EXTENT_ZERO});
}

uint8_t *inq_kept_reserve(struct inq_kept *kept, uint64_t size)
{
    bool small = size < SLAB_BYTES / 4;
    uint8_t **slot, *bytes;

    if (small && kept->raw_slab && size <= SLAB_BYTES - kept->raw_used) {
        bytes = kept->raw_slab + kept->raw_used;
        kept->raw_used += (size_t)size;
        return bytes;
    }
    if (size > PTRDIFF_MAX)
        return NULL;
    slot = INQ_ARRAY_PUSH(&kept->reserved);
    if (!slot)
        return NULL;
    *slot = bytes = calloc(1, small ? SLAB_BYTES : (size_t)size);
    if (bytes && small) {
        kept->raw_slab = bytes;
        kept->raw_used = (size_t)size;
    }
    return bytes;
}

bool inq_kept_copy_raw(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = inq_kept_reserve(kept, size);

    if (!copy)
        return false;
    memcpy(copy, bytes, size);
    return inq_kept_add_raw(kept, off, copy, size);
}

/* The newest slab of the worst priority, if that is worse than `priority`; else NULL. */
static struct slab *worst_slab(struct inq_kept *kept, uint8_t priority)
{
    for (unsigned i = 255; i > priority; i--)
        if (kept->open_slab[i] > 0)
            return &kept->slabs.items[kept->open_slab[i] - 1];
    return NULL;
}

static void drop_slab(struct inq_kept *kept, struct slab *slab, uint64_t *dropped_bytes)
{
    for (size_t i = slab->first; i <= slab->last && i < kept->extents.count; i++) {
        struct extent *e = &kept->extents.items[i];

        if (e->kind == EXTENT_ZERO || e->bytes < slab->bytes ||
            e->bytes >= slab->bytes + slab->used)
            continue;
        e->kind = EXTENT_DROPPED;
        e->bytes = NULL;
        *dropped_bytes += e->size;
    }
    kept->packed_bytes -= slab->used;
    free(slab->bytes);
    slab->bytes = NULL;
    slab->used = 0;
    kept->open_slab[slab->priority] = slab->previous;
}

/* The slab of this priority with room for `need` bytes, a new one if must be; NULL without memory.
 */
static struct slab *slab_with_room(struct inq_kept *kept, uint8_t priority, size_t need)
{
    struct slab *s = NULL;

    if (kept->open_slab[priority] > 0)
        s = &kept->slabs.items[kept->open_slab[priority] - 1];
    if (s && need <= SLAB_BYTES - s->used)
        return s;
    s = INQ_ARRAY_PUSH(&kept->slabs);
    if (!s)
        return NULL;
    s->bytes = malloc(SLAB_BYTES);
    if (!s->bytes)
        return NULL;
    s->priority = priority;
    s->first = kept->extents.count;
    s->previous = kept->open_slab[priority];
    kept->open_slab[priority] = kept->slabs.count;
    return s;
}

bool inq_kept_pack(struct inq_kept *kept, uint64_t off, const uint8_t *bytes, size_t size,
                   uint8_t priority, uint64_t *dropped_bytes)
{
    struct extent e = {.off = off, .size = size, .kind = EXTENT_PACKED};
    size_t room = ZSTD_compressBound(size), stored, charge;
    struct slab *slab;

    if (inq_bytes_are_zero(bytes, size))
        return inq_kept_add_zeros(kept, off, size);
    if (priority >= kept->full_from) {
        *dropped_bytes += size;
        return true;
    }
    slab = slab_with_room(kept, priority, room);
    if (!slab)
        return false;
    stored = ZSTD_compress2(kept->packer, slab->bytes + slab->used, room, bytes, size);
    if (ZSTD_isError(stored))
        return false;
    if (stored >= size - size / 16) {
        memcpy(slab->bytes + slab->used, bytes, size);
        stored = size;
        e.kind = EXTENT_RAW;
    }
    charge = stored + sizeof(e);
    while (charge > kept->packed_budget - kept->packed_bytes) {
        struct slab *worse = worst_slab(kept, priority);

        if (!worse) {
            kept->full_from = priority;
            *dropped_bytes += size;
            return true;
        }
        drop_slab(kept, worse, dropped_bytes);
    }
    e.bytes = slab->bytes + slab->used;
    e.stored = (uint32_t)stored;
    slab->used += stored;
    slab->last = kept->extents.count;
    kept->packed_bytes += charge;
    return add(kept, e);
}

/* Index of the extent that holds `off`; NO_EXTENT when none does. */
static size_t find(const struct inq_kept *kept, uint64_t off)
{
    size_t low = 0, high = kept->extents.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct extent *e = &kept->extents.items[middle];

        if (off < e->off)
            high = middle;
        else if (off - e->off >= e->size)
            low = middle + 1;
        else
            return middle;
    }
    return NO_EXTENT;
}

/* The unpacked bytes of a packed extent, for as long as nothing else is unpacked; NULL on failure.
 */
static const uint8_t *unpack(struct inq_kept *kept, size_t index)
{
    struct extent *e = &kept->extents.items[index];
    struct slot *slot = &kept->cache[e->slot];
    size_t n;

    if (slot->extent == index) {
        slot->used_at = ++kept->clock;
        return slot->bytes;
    }
    slot = &kept->cache[0];
    for (size_t i = 1; i < CACHE_SLOTS; i++)
        if (kept->cache[i].used_at < slot->used_at)
            slot = &kept->cache[i];
    if (!slot->bytes)
        slot->bytes = malloc(INQ_KEPT_BLOCK_BYTES);
    if (!slot->bytes)
        return NULL;
    slot->extent = NO_EXTENT;
    n = ZSTD_decompressDCtx(kept->unpacker, slot->bytes, INQ_KEPT_BLOCK_BYTES, e->bytes, e->stored);
    if (ZSTD_isError(n) || n != e->size)
        return NULL;
    slot->extent = index;
    slot->used_at = ++kept->clock;
    e->slot = (uint8_t)(slot - kept->cache);
    return slot->bytes;
}

bool inq_kept_read(struct inq_kept *kept, uint64_t off, uint8_t *buf, size_t size, size_t *ret_got)
{
    size_t done = 0, index = kept->hot;

    *ret_got = 0;
    while (done < size) {
        const struct extent *e;
        const uint8_t *bytes = NULL;
        uint64_t skip;
        size_t n;

        e = index < kept->extents.count ? &kept->extents.items[index] : NULL;
        if (!e || off < e->off || off - e->off >= e->size) {
            index = find(kept, off);
            if (index == NO_EXTENT)
                break;
            e = &kept->extents.items[index];
        }
        if (e->kind == EXTENT_DROPPED)
            break;
        kept->hot = index;
        skip = off - e->off;
        n = e->size - skip < size - done ? (size_t)(e->size - skip) : size - done;
        if (e->kind == EXTENT_PACKED && !(bytes = unpack(kept, index)))
            return false;
        if (e->kind == EXTENT_RAW)
            bytes = e->bytes;
        if (bytes)
            memcpy(buf + done, bytes + skip, n);
        else
            memset(buf + done, 0, n);
        done += n;
        *ret_got = done;
        if (__builtin_add_overflow(off, n, &off))
            break;
        index++;
    }
    return true;
}

const void *inq_kept_view(const struct inq_kept *kept, uint64_t off, size_t size)
{
    size_t index = find(kept, off);
    const struct extent *e;

    if (index == NO_EXTENT)
        return NULL;
    e = &kept->extents.items[index];
    if (e->kind != EXTENT_RAW || size > e->size - (off - e->off))
        return NULL;
    return e->bytes + (off - e->off);
}

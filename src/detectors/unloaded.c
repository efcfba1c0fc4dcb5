/* SPDX-License-Identifier: Apache-2.0 */
#include "unloaded.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"

/* struct link_map: include/link.h of glibc, the same in 2.31 to 2.43. */
#define L_REAL 40u
#define L_NS 48u
#define L_LIBNAME 56u
#define L_INFO 64u
#define MOST_RECORD 1536u
#define MOST_NAMESPACES 16u
#define MOST_NAME 4096u

#define MOST_LIBRARY (1ull << 30)
#define MOST_SCANNED (256ull << 20)
#define CHUNK 16384u
#define MOST_TRIED 4096u /* words that look like a record's */

struct hole { /* nothing is mapped in [start, end) */
    uint64_t start, end;
};

static struct hole hole_around(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region region;
    struct hole hole = {0, UINT64_MAX};

    if (inq_memory_region_below(dump->memory, addr, &region))
        hole.start = region.start + region.size;
    if (inq_memory_region_above(dump->memory, addr, &region))
        hole.end = region.start;
    return hole;
}

/* l_info[] follows: pointers to the entries of the dynamic section, in the order of their tags. */
static bool has_dynamic_entries(const struct inq_dump *dump, uint64_t record, uint64_t start,
                                uint64_t size)
{
    uint64_t entry;
    unsigned inside = 0;

    for (uint64_t tag = DT_PLTGOT; tag <= DT_SONAME; tag++)
        if (inq_memory_u64(dump->memory, record + L_INFO + 8 * tag, &entry) && entry - start < size)
            inside++;
    return inside >= 4; /* DT_STRTAB, DT_SYMTAB, DT_STRSZ and DT_SYMENT are in every library */
}

/* l_map_start and l_map_end stand side by side, in the hole and around addr. */
static bool find_extent(const struct inq_dump *dump, const struct hole *hole, uint64_t record,
                        uint64_t addr, struct inq_unloaded *out)
{
    uint64_t page = dump->core->page_bytes > 0 ? dump->core->page_bytes : 4096, start, end;

    for (uint64_t at = record + L_INFO; at < record + MOST_RECORD; at += 8) {
        if (!inq_memory_u64(dump->memory, at, &start) ||
            !inq_memory_u64(dump->memory, at + 8, &end))
            return false;
        /* the end is that of .bss, the mapping goes on to the end of the page */
        if (start % page != 0 || start < hole->start || start > addr || end <= start ||
            end > hole->end || end - start > MOST_LIBRARY || addr - start > end - start + page)
            continue;
        out->start = start;
        out->size = end - start;
        return has_dynamic_entries(dump, record, start, end - start);
    }
    return false;
}

/*
 * free() writes the size of the piece of memory into its last word, which may be the end of the
 * name: how many bytes of it are left.
 */
static size_t name_left(const struct inq_dump *dump, uint64_t record, uint64_t text, size_t size)
{
    uint64_t chunk, footer, footer_at;

    if (!inq_memory_u64(dump->memory, record - 8, &chunk))
        return size;
    chunk &= ~UINT64_C(7);
    if (chunk > 2 * MOST_RECORD || __builtin_add_overflow(record - 16, chunk, &footer_at) ||
        !inq_memory_u64(dump->memory, footer_at, &footer) || footer != chunk ||
        footer_at >= text + size)
        return size;
    return footer_at > text ? (size_t)(footer_at - text) : 0;
}

/* struct libname_list {name, next, dont_free}: behind the record, in the same piece of memory. */
static const char *find_name(const struct inq_dump *dump, uint64_t record)
{
    uint64_t list, text;
    const char *name, *slash = NULL;

    if (!inq_memory_u64(dump->memory, record + L_LIBNAME, &list) || list < record ||
        list - record > MOST_RECORD || !inq_memory_u64(dump->memory, list, &text) ||
        text < record || text - record > 2 * MOST_RECORD)
        return NULL;
    name = inq_memory_string(dump->memory, text, MOST_NAME);
    if (!name)
        return NULL;
    size_t left = name_left(dump, record, text, strlen(name));
    for (size_t i = 0; i < left; i++)
        slash = name[i] == '/' ? name + i : slash;
    size_t skip = slash ? (size_t)(slash - name) + 1 : 0;
    if (skip >= left)
        return NULL;
    return left == strlen(name)
               ? name + skip
               : inq_arena_printf(dump->arena, "%.*s...", (int)(left - skip), name + skip);
}

static bool is_record(const struct inq_dump *dump, const struct hole *hole, uint64_t record,
                      uint64_t addr, struct inq_unloaded *ret_unloaded)
{
    struct inq_unloaded found = {0};
    uint64_t ns;

    if (!inq_memory_u64(dump->memory, record + L_NS, &ns) || ns >= MOST_NAMESPACES ||
        !find_extent(dump, hole, record, addr, &found))
        return false;
    found.name = find_name(dump, record);
    *ret_unloaded = found;
    return true;
}

/* Words that hold their own place, less L_REAL. */
static bool scan_region(const struct inq_dump *dump, const struct hole *hole, uint64_t start,
                        uint64_t size, uint64_t addr, unsigned *tried,
                        struct inq_unloaded *ret_unloaded)
{
    uint8_t bytes[CHUNK];
    uint64_t end = start + size;

    for (uint64_t at = start; at < end && *tried < MOST_TRIED; at += CHUNK) {
        size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK, got = 0;

        inq_memory_read(dump->memory, at, bytes, want, &got);
        for (size_t i = 0; i + 8 <= got; i += 8) {
            uint64_t record = at + i - L_REAL;
            if (inq_load_u64(bytes + i, dump->core->big_endian) != record)
                continue;
            ++*tried;
            if (is_record(dump, hole, record, addr, ret_unloaded))
                return true;
        }
    }
    return false;
}

bool inq_unloaded_at(const struct inq_dump *dump, uint64_t addr, struct inq_unloaded *ret_unloaded)
{
    struct hole hole = hole_around(dump, addr);
    struct inq_memory_region region;
    uint64_t left = MOST_SCANNED;
    unsigned tried = 0;

    if (!dump->core->cpu || dump->core->cpu->word_bytes != 8 ||
        inq_memory_region_at(dump->memory, addr, &region))
        return false;
    for (size_t i = 0; left > 0 && i < inq_memory_region_count(dump->memory); i++) {
        region = inq_memory_region_get(dump->memory, i);
        /* malloc()'s memory: written, and of no file */
        if (!(region.flags & PF_W) || region.saved_bytes == 0 ||
            inq_core_file_at(dump->core, region.start))
            continue;
        uint64_t size = region.saved_bytes < left ? region.saved_bytes : left;
        left -= size;
        if (scan_region(dump, &hole, region.start, size, addr, &tried, ret_unloaded))
            return true;
    }
    return false;
}

/* A mutex of {lock, count, owner, nusers, kind, ...} that is recursive. */
static bool is_recursive_mutex(const struct inq_dump *dump, uint64_t addr)
{
    uint32_t kind;
    return inq_memory_u32(dump->memory, addr + 16, &kind) && kind == 1;
}

/*
 * struct rtld_global (sysdeps/generic/ldsodefs.h): _dl_ns[16], each with its number of libraries in
 * the second word; _dl_nns; two recursive mutexes of 40 bytes, since 2.35 three; _dl_load_adds. The
 * size of one _dl_ns moves between versions: 112, 144 and 160 bytes were seen.
 */
int64_t inq_unloaded_count(const struct inq_dump *dump)
{
    uint64_t global, namespaces, loaded, adds, total = 0, at;

    if (!dump->core->cpu || dump->core->cpu->word_bytes != 8 ||
        !inq_modules_symbol(dump->modules, "ld-", "_rtld_global", &global, NULL))
        return -1;
    for (uint64_t size = 96; size <= 256; size += 8) {
        at = global + MOST_NAMESPACES * size;
        if (!inq_memory_u64(dump->memory, at, &namespaces) || namespaces < 1 ||
            namespaces > MOST_NAMESPACES || !is_recursive_mutex(dump, at + 8) ||
            !is_recursive_mutex(dump, at + 48))
            continue;
        for (uint64_t i = 0; i < namespaces; i++) {
            if (!inq_memory_u64(dump->memory, global + i * size + 8, &loaded) ||
                loaded > UINT32_MAX)
                return -1;
            total += loaded;
        }
        at += is_recursive_mutex(dump, at + 88) ? 128 : 88;
        if (!inq_memory_u64(dump->memory, at, &adds) || adds < total || adds > UINT32_MAX)
            return -1;
        return (int64_t)(adds - total);
    }
    return -1;
}

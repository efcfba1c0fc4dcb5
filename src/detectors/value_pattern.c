/* SPDX-License-Identifier: Apache-2.0 */
#include "value_pattern.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "address_class.h"
#include "cleanup.h"
#include "crash.h"
#include "cursor.h"

#define STACK_BYTES 65536u
#define MOST_POINTERS 16384u
#define LEAST_TEXT 6u
#define LEAST_POINTER 65536u
/* Numbers below are mostly just numbers, and where regions begin at multiples of 4 GiB (Go) offsets
 * too. */
#define LEAST_HALF (1u << 24)
/* Text that is near memory of the process is an address that happens to spell something. */
#define NEAR (1ull << 32)

const char *inq_pattern_name(enum inq_pattern pattern)
{
    static const char *const names[] = {NULL,        "text",    "poison", "errno", "sign-extended",
                                        "truncated", "one-bit", "freed"};
    return names[pattern];
}

static bool is_mapped(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region region;
    return inq_memory_region_at(dump->memory, addr, &region);
}

static bool is_near_memory(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region region;

    return (inq_memory_region_below(dump->memory, addr, &region) &&
            addr - (region.start + region.size) < NEAR) ||
           (inq_memory_region_above(dump->memory, addr, &region) && region.start - addr < NEAR);
}

/* Printable bytes from the lowest, the order they have in memory; the rest must be zero. */
static size_t text_size(const struct inq_dump *dump, uint64_t value, char text[9])
{
    size_t size = 0;

    for (uint64_t rest = value; rest; rest >>= 8) {
        uint8_t byte = rest & 0xff;
        if (byte < 0x20 || byte > 0x7e)
            return 0;
        text[size++] = (char)byte;
    }
    text[size] = '\0';
    if (dump->core->big_endian)
        for (size_t i = 0; i < size / 2; i++) {
            char c = text[i];
            text[i] = text[size - 1 - i];
            text[size - 1 - i] = c;
        }
    return size;
}

static const char *poison_words(uint64_t value)
{
    static const struct {
        uint32_t word;
        const char *words;
    } fills[] = {
        {0xdddddddd, "memory that a debug allocator freed (CPython, MSVC)"},
        {0xcdcdcdcd, "fresh memory of a debug allocator (CPython, MSVC)"},
        {0xfdfdfdfd, "the fence of a debug allocator (CPython, MSVC)"},
        {0xcbcbcbcb, "fresh memory of CPython's debug allocator before 3.8"},
        {0xdbdbdbdb, "memory that CPython's debug allocator freed, before 3.8"},
        {0xfbfbfbfb, "the fence of CPython's debug allocator before 3.8"},
        {0x5a5a5a5a, "memory that jemalloc freed with junk filling on"},
        {0xa5a5a5a5, "fresh memory of jemalloc with junk filling on"},
        {0x6b6b6b6b, "freed memory, filled as the kernel's slab does"},
        {0xbebebebe, "fresh memory under AddressSanitizer"},
        {0xfefefefe, "freed memory, as some debug allocators fill it"},
        {0xabababab, "the fence of a debug heap"},
        {0xcccccccc, "a local variable that was never set (MSVC's /RTC)"},
        {0xdeadbeef, "a mark that programs put into dead objects"},
        {0xfeeefeee, "freed memory (HeapFree of Windows, and copies of it)"},
        {0xbaadf00d, "fresh memory (LocalAlloc of Windows, and copies of it)"},
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(fills); i++) {
        uint64_t once = fills[i].word, twice = once << 32 | once;
        if (value == twice || value == once)
            return fills[i].words;
    }
    return NULL;
}

/* asm-generic/errno-base.h and errno.h: the same on all CPUs but mips, sparc, alpha and parisc. */
static const char *errno_name(uint64_t number)
{
    static const char *const names[] = {
        NULL,      "EPERM",  "ENOENT",  "ESRCH",   "EINTR",        "EIO",    "ENXIO",  "E2BIG",
        "ENOEXEC", "EBADF",  "ECHILD",  "EAGAIN",  "ENOMEM",       "EACCES", "EFAULT", "ENOTBLK",
        "EBUSY",   "EEXIST", "EXDEV",   "ENODEV",  "ENOTDIR",      "EISDIR", "EINVAL", "ENFILE",
        "EMFILE",  "ENOTTY", "ETXTBSY", "EFBIG",   "ENOSPC",       "ESPIPE", "EROFS",  "EMLINK",
        "EPIPE",   "EDOM",   "ERANGE",  "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS",
    };
    if (number == 95)
        return "EOPNOTSUPP";
    if (number == 110)
        return "ETIMEDOUT";
    if (number == 111)
        return "ECONNREFUSED";
    return number < INQ_ARRAY_SIZE(names) ? names[number] : NULL;
}

static bool by_value(struct inq_dump *dump, uint64_t value, struct inq_value_pattern *out)
{
    char text[9];
    size_t size = text_size(dump, value, text);
    const char *words = poison_words(value);

    if (words) {
        out->pattern = INQ_PATTERN_POISON;
        out->text = inq_arena_printf(dump->arena, "0x%" PRIx64 ": %s", value, words);
        return true;
    }
    if (value >= (uint64_t)-4095) {
        const char *name = errno_name(-value);
        out->pattern = INQ_PATTERN_ERRNO;
        out->text = inq_arena_printf(dump->arena, "-%" PRIu64 "%s%s%s", -value,
                                     name ? ", an error code: -" : "", name ? name : "",
                                     value == UINT64_MAX ? "; MAP_FAILED and many errors too" : "");
        return true;
    }
    if (size >= LEAST_TEXT && (size == 8 || !is_near_memory(dump, value))) {
        out->pattern = INQ_PATTERN_TEXT;
        out->text = inq_arena_printf(dump->arena, "the text \"%s\"", text);
        return true;
    }
    return false;
}

struct pointers {
    const struct inq_dump *dump;
    uint64_t value; /* the bad one: not counted itself */
    uint64_t *items;
    size_t count;
};

static void add_pointer(struct pointers *p, uint64_t value)
{
    if (value >= LEAST_POINTER && value != p->value && p->count < MOST_POINTERS &&
        is_mapped(p->dump, value))
        p->items[p->count++] = value;
}

static int compare_values(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Sorted, each once. False without memory. */
static bool collect(struct pointers *p)
{
    const struct inq_core *core = p->dump->core;
    uint8_t *bytes;
    size_t got = 0, unique = 0;
    uint64_t sp;

    p->items = calloc(MOST_POINTERS, sizeof(*p->items));
    bytes = malloc(STACK_BYTES);
    if (!p->items || !bytes) {
        free(bytes);
        return false;
    }
    for (size_t i = 0; core->cpu && i < core->n_threads; i++)
        for (size_t k = 0; core->threads[i].has_registers && k < core->cpu->n_registers; k++)
            add_pointer(p, core->threads[i].registers[k]);
    if (inq_crash_sp(p->dump, &sp))
        inq_memory_read(p->dump->memory, sp, bytes, STACK_BYTES, &got);
    for (size_t at = 0; at + 8 <= got; at += 8)
        add_pointer(p, inq_load_u64(bytes + at, core->big_endian));
    free(bytes);
    qsort(p->items, p->count, sizeof(*p->items), compare_values);
    for (size_t i = 0; i < p->count; i++)
        if (i == 0 || p->items[i] != p->items[i - 1])
            p->items[unique++] = p->items[i];
    p->count = unique;
    return true;
}

static size_t lower_bound(const struct pointers *p, uint64_t value)
{
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->items[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many of the pointers share all bits from `bit` up with value. */
static size_t count_in_block(const struct pointers *p, uint64_t value, unsigned bit)
{
    uint64_t first = bit < 64 ? value >> bit << bit : 0;
    uint64_t last = bit < 64 ? first + ((1ull << bit) - 1) : UINT64_MAX;
    size_t end = last == UINT64_MAX ? p->count : lower_bound(p, last + 1);

    return end - lower_bound(p, first);
}

/*
 * docs/folklore.md, "One bit off". A value that is in the block of 2^(bit + 1) bytes where the
 * pointer is, and is otherwise any multiple of 8 there, is one bit off one of the n pointers of
 * that block n * (bit - 2) times in 2^(bit - 2).
 */
static double bit_odds(const struct pointers *p, uint64_t value, unsigned bit)
{
    if (bit < 4)
        return 1;
    double values = (double)(1ull << (bit - 2)), near = (double)count_in_block(p, value, bit + 1);
    return near * (double)(bit - 2) / values;
}

/*
 * Who runs over the end of a mapping of a page, or of any power of two, fails one bit away from
 * where it began: right behind (or before) the mapping of the pointer no bit need have flipped.
 */
static bool is_run_over(const struct inq_dump *dump, uint64_t value, uint64_t other)
{
    struct inq_memory_region region;
    uint64_t page = dump->core->page_bytes ? dump->core->page_bytes : 4096;

    return inq_memory_region_at(dump->memory, other, &region) &&
           (value - (region.start + region.size) < page || region.start - value - 1 < page);
}

static bool one_bit_off(struct inq_dump *dump, const struct pointers *p, uint64_t value,
                        struct inq_value_pattern *out)
{
    for (unsigned bit = 63; bit >= 12; bit--) {
        uint64_t other = value ^ 1ull << bit;
        size_t at = lower_bound(p, other);
        if (at >= p->count || p->items[at] != other)
            continue;
        double odds = bit_odds(p, value, bit);
        if (odds >= INQ_PATTERN_MOST_ODDS || is_run_over(dump, value, other))
            continue;
        out->pattern = INQ_PATTERN_ONE_BIT;
        out->odds = odds;
        out->text = inq_arena_printf(dump->arena,
                                     "0x%" PRIx64 " is 0x%" PRIx64 ", which is in use, but for bit "
                                     "%u (a flipped bit, or a tag that was not taken off)",
                                     value, other, bit);
        return true;
    }
    return false;
}

/* Memory that malloc() may have given: writable, and of no file. */
static bool is_data(const struct inq_dump *dump, uint64_t addr,
                    struct inq_memory_region *ret_region)
{
    return inq_memory_region_at(dump->memory, addr, ret_region) && (ret_region->flags & PF_W) &&
           !inq_core_file_at(dump->core, addr);
}

/*
 * glibc 2.32 and later: the first word of a free block in the tcache or a fastbin is its own
 * address
 * >> 12, xor the address of the next one (malloc/malloc.c, PROTECT_PTR); in the tcache the second
 * is a mark, the same random number in all.
 */
static bool is_free_block(const struct inq_dump *dump, uint64_t block, uint64_t words[2],
                          double *ret_odds)
{
    struct inq_memory_region region, next_region;

    if (block % 16 != 0 || !is_data(dump, block, &region) ||
        !inq_memory_u64(dump->memory, block, &words[0]) ||
        !inq_memory_u64(dump->memory, block + 8, &words[1]))
        return false;
    uint64_t next = words[0] ^ block >> 12;
    *ret_odds = (double)region.size / (double)(1ull << 36);
    return words[0] != 0 && (next == 0 || (next % 16 == 0 && is_data(dump, next, &next_region) &&
                                           next_region.start == region.start));
}

/* A link of that list, or its mark, where a pointer of the object was expected. */
static bool is_freed(struct inq_dump *dump, const struct pointers *p, uint64_t value,
                     struct inq_value_pattern *out)
{
    double odds;
    uint64_t words[2];

    for (size_t i = 0; i < p->count; i++) {
        if (!is_free_block(dump, p->items[i], words, &odds) ||
            (value != words[0] && value != words[1]) ||
            odds * (double)p->count >= INQ_PATTERN_MOST_ODDS)
            continue;
        out->pattern = INQ_PATTERN_FREED;
        out->odds = odds * (double)p->count;
        out->text = inq_arena_printf(
            dump->arena, "0x%" PRIx64 " is %s that free() wrote into the block at 0x%" PRIx64,
            value,
            value == words[0] ? "the link to the next free block" : "the mark of a free block",
            p->items[i]);
        return true;
    }
    return false;
}

/*
 * No pointer in use has this low half; but with the upper half that pointers have here it is one to
 * data. n bytes of data are hit by chance n times in 2^32.
 */
static uint64_t half_of_data(const struct inq_dump *dump, uint64_t value, double *ret_odds)
{
    uint64_t found = 0, bytes = 0;

    for (size_t i = 0; i < inq_memory_region_count(dump->memory); i++) {
        struct inq_memory_region region = inq_memory_region_get(dump->memory, i);
        if (!(region.flags & PF_W) || region.start >> 32 == 0 ||
            inq_core_file_at(dump->core, region.start))
            continue;
        uint64_t whole = (region.start & ~0xffffffffull) | (uint32_t)value;
        if (whole < region.start) /* regions cross a multiple of 4 GiB now and then */
            whole += 1ull << 32;
        bytes = region.size < UINT64_MAX - bytes ? bytes + region.size : UINT64_MAX;
        if (!found && whole - region.start < region.size)
            found = whole;
    }
    *ret_odds = (double)bytes / 4294967296.0;
    return found;
}

/* The low half of a pointer that is in use. n pointers hit one value of 32 bits n * 8 times in
 * 2^32. */
static bool is_half(struct inq_dump *dump, const struct pointers *p, uint64_t value,
                    struct inq_value_pattern *out)
{
    bool extended = value >> 31 == 0x1ffffffff, narrow = value >> 32 == 0;
    double odds = (double)p->count * 8 / 4294967296.0;
    uint64_t twin = 0;

    if ((!extended && !narrow) || value < LEAST_HALF)
        return false;
    for (size_t i = 0; i < p->count && !twin; i++)
        if (p->items[i] >> 32 != 0 && (uint32_t)p->items[i] == (uint32_t)value)
            twin = p->items[i];
    if (twin && odds < INQ_PATTERN_MOST_ODDS) {
        out->pattern = extended ? INQ_PATTERN_SIGN_EXTENDED : INQ_PATTERN_TRUNCATED;
        out->odds = odds;
        out->text = inq_arena_printf(dump->arena, "0x%" PRIx64 " is 0x%" PRIx64 " cut to 32 bits%s",
                                     value, twin, extended ? " and widened with its sign" : "");
    } else if ((twin = half_of_data(dump, value, &odds)) && odds < INQ_PATTERN_MOST_ODDS) {
        out->pattern = extended ? INQ_PATTERN_SIGN_EXTENDED : INQ_PATTERN_TRUNCATED;
        out->odds = odds;
        out->text = inq_arena_printf(dump->arena,
                                     "0x%" PRIx64 " is the lower half of 0x%" PRIx64 ", which is "
                                     "memory of the program%s",
                                     value, twin, extended ? ", widened with its sign" : "");
    } else if (extended) {
        out->pattern = INQ_PATTERN_SIGN_EXTENDED;
        out->text = inq_arena_printf(dump->arena, "%" PRId32 ", a negative number of 32 bits",
                                     (int32_t)(uint32_t)value);
    }
    return out->pattern != INQ_PATTERN_NONE;
}

struct inq_value_pattern inq_value_pattern(struct inq_dump *dump, uint64_t value)
{
    struct inq_value_pattern out = {.pattern = INQ_PATTERN_NONE};
    struct pointers pointers = {.dump = dump, .value = value};

    if (!dump->core->cpu || dump->core->cpu->word_bytes != 8 || value < LEAST_POINTER ||
        is_mapped(dump, value) || by_value(dump, value, &out))
        return out;
    if (!collect(&pointers))
        inq_arena_set_failed(dump->arena);
    else if (!is_freed(dump, &pointers, value, &out) && !is_half(dump, &pointers, value, &out))
        one_bit_off(dump, &pointers, value, &out);
    free(pointers.items);
    return out;
}

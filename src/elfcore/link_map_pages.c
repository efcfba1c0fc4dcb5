/* SPDX-License-Identifier: Apache-2.0 */

#include "link_map_pages.h"

#include <stdlib.h>
#include <string.h>

#include "cursor.h"

#define PAGE_SHIFT 12
#define WANTED_SLOTS 32768u
#define WANTED_MAX (WANTED_SLOTS / 2)
#define MAX_ABORT_MESSAGE (64u * 1024u)

bool inq_link_map_pages_add(struct inq_link_map_pages *pages, uint64_t start, uint64_t end)
{
    struct inq_module_range *m = INQ_ARRAY_PUSH(&pages->modules);

    if (m)
        *m = (struct inq_module_range){start, end};
    return m != NULL;
}

void inq_link_map_pages_deinit(struct inq_link_map_pages *pages)
{
    INQ_ARRAY_FREE(&pages->modules);
    free(pages->wanted);
    free(pages->seen);
    pages->wanted = pages->seen = NULL;
    pages->n_wanted = pages->n_seen = 0;
}

static size_t slot_in(const uint64_t *set, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 49); /* 15 bits: WANTED_SLOTS */

    while (set[i] != 0 && set[i] != key)
        i = (i + 1) % WANTED_SLOTS;
    return i;
}

static size_t slot_of(const struct inq_link_map_pages *p, uint64_t key)
{
    return slot_in(p->wanted, key);
}

/* The address of a byte of the dump; 0 when no segment has it. Pages come in the order of the file.
 */
static uint64_t address_of(struct inq_link_map_pages *p, uint64_t off)
{
    for (size_t tries = 0; tries < p->n_segments; tries++) {
        const struct inq_segment *s = p->by_addr[p->segment];

        if (off - s->off < s->saved_bytes)
            return s->addr + (off - s->off);
        p->segment = (p->segment + 1) % p->n_segments;
    }
    return 0;
}

static void note_seen(struct inq_link_map_pages *p, uint64_t off)
{
    uint64_t addr;
    size_t i;

    if (p->n_looked_up++ >= WANTED_SLOTS) /* of foreign content: no more than this */
        return;
    addr = address_of(p, off);
    if (!p->seen)
        p->seen = calloc(WANTED_SLOTS, sizeof(*p->seen));
    if (addr == 0 || !p->seen || p->n_seen >= WANTED_MAX)
        return;
    i = slot_in(p->seen, addr);
    if (p->seen[i] == addr)
        return;
    p->seen[i] = addr;
    if (p->n_seen++ == 0)
        p->first_seen = p->last_seen = addr;
    p->first_seen = addr < p->first_seen ? addr : p->first_seen;
    p->last_seen = addr > p->last_seen ? addr : p->last_seen;
}

static inline bool was_seen(const struct inq_link_map_pages *p, uint64_t addr)
{
    return addr - p->first_seen <= p->last_seen - p->first_seen && (addr & 15) == 0 &&
           p->seen[slot_in(p->seen, addr)] == addr;
}

static void want_offset(struct inq_link_map_pages *p, uint64_t off)
{
    uint64_t key = (off >> PAGE_SHIFT) + 1;
    size_t i;

    if (!p->wanted)
        p->wanted = calloc(WANTED_SLOTS, sizeof(*p->wanted));
    if (!p->wanted || p->n_wanted >= WANTED_MAX)
        return; /* fewer names, no harm */
    i = slot_of(p, key);
    if (p->wanted[i] == 0) {
        p->wanted[i] = key;
        p->n_wanted++;
    }
}

static bool is_wanted(const struct inq_link_map_pages *p, uint64_t off)
{
    uint64_t key = (off >> PAGE_SHIFT) + 1;

    return p->wanted && p->wanted[slot_of(p, key)] == key;
}

static void want_address(struct inq_link_map_pages *p, uint64_t addr, uint64_t here)
{
    size_t low = 0, high = p->n_segments;
    const struct inq_segment *s;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->by_addr[mid]->addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return;
    s = p->by_addr[low - 1];
    if (addr - s->addr < s->saved_bytes && s->off + (addr - s->addr) > here)
        want_offset(p, s->off + (addr - s->addr));
}

static const struct inq_module_range *module_starting_at(const struct inq_link_map_pages *p,
                                                         uint64_t addr)
{
    size_t low = 0, high = p->modules.count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->modules.items[mid].start < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->modules.count && p->modules.items[low].start == addr ? &p->modules.items[low]
                                                                         : NULL;
}

static uint64_t load_word(const struct inq_link_map_pages *p, const uint8_t *at, size_t word)
{
    return word == 8 ? inq_load_u64(at, p->core->big_endian)
                     : inq_load_u32(at, p->core->big_endian);
}

/* Does a link_map begin at `at`? What it points to is wanted as well. */
static bool check_link_map(struct inq_link_map_pages *p, uint64_t page_off, const uint8_t *page,
                           size_t size, size_t at, size_t word)
{
    const struct inq_module_range *m = module_starting_at(p, load_word(p, page + at, word));
    uint64_t l_ld;

    if (!m)
        return false;
    if (size - at >= 3 * word) {
        l_ld = load_word(p, page + at + 2 * word, word);
        if (l_ld < m->start || l_ld >= m->end)
            return false;
    } /* else its third word is in the next page: the doubt speaks for it */
    note_seen(p, page_off + at);
    if (size - at >= 2 * word)
        want_address(p, load_word(p, page + at + word, word), page_off);
    for (size_t i = 3; i < 5 && size - at >= (i + 1) * word; i++)
        want_address(p, load_word(p, page + at + i * word, word), page_off);
    want_offset(p, page_off + size); /* its other half, or its name */
    return true;
}

/* Words from `at` on, one by one: a load base is page-aligned and lies among the modules. */
static bool find_in(struct inq_link_map_pages *p, uint64_t page_off, const uint8_t *page,
                    size_t size, size_t at, size_t end)
{
    size_t word = p->core->elf_class / 8;
    uint64_t low = p->modules.items[0].start;
    uint64_t span = p->modules.items[p->modules.count - 1].start - low;
    bool found = false;

    for (; at + word <= end; at += word) {
        uint64_t value = load_word(p, page + at, word);
        if ((value & 0xfff) == 0 && value - low <= span &&
            check_link_map(p, page_off, page, size, at, word))
            found = true;
    }
    return found;
}

/* Four words of 32 bits; compares give all ones or zeros. */
typedef int32_t lanes __attribute__((vector_size(16)));
#define GROUP_BYTES 64u

/*
 * Can one of these eight 64-bit words be the address of a module, by its upper half? Gigabytes pass
 * here, and numbers and text seldom look like that.
 */
static inline bool may_hold_address(const uint8_t *group, lanes above, lanes below)
{
    const lanes upper = {0, -1, 0, -1};
    lanes hits = {0}, x;

    for (size_t i = 0; i < GROUP_BYTES; i += sizeof(x)) {
        memcpy(&x, group + i, sizeof(x));
        hits |= (x > above) & (x < below);
    }
    hits &= upper;
    return (hits[1] | hits[3]) != 0;
}

static bool find_link_maps(struct inq_link_map_pages *p, uint64_t page_off, const uint8_t *page,
                           size_t size)
{
    int32_t low = (int32_t)(p->modules.items[0].start >> 32);
    int32_t high = (int32_t)(p->modules.items[p->modules.count - 1].start >> 32);
    lanes above = {low - 1, low - 1, low - 1, low - 1};
    lanes below = {high + 1, high + 1, high + 1, high + 1};
    bool found = false;
    size_t at = 0;

    /* the upper half is the second one here; user addresses leave its sign bit clear */
    if (p->core->elf_class == 64 && !p->core->big_endian && low > 0 && high > 0 &&
        high < INT32_MAX && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        for (; at + GROUP_BYTES <= size; at += GROUP_BYTES) {
            if (may_hold_address(page + at, above, below) &&
                find_in(p, page_off, page, size, at, at + GROUP_BYTES))
                found = true;
        }
    }
    return find_in(p, page_off, page, size, at, size) || found;
}

/* Two link_maps side by side: a search list. It may go on in the next page. */
static bool find_search_list(struct inq_link_map_pages *p, uint64_t page_off, const uint8_t *page,
                             size_t size)
{
    const size_t word = p->core->elf_class / 8;

    if (p->n_seen < 2)
        return false;
    for (size_t at = 0; at + 2 * word <= size; at += word) {
        if (!was_seen(p, load_word(p, page + at, word)) ||
            !was_seen(p, load_word(p, page + at + word, word)))
            continue;
        want_offset(p, page_off + size);
        return true;
    }
    return false;
}

/* struct abort_msg_s of glibc: a size in whole pages, then the text; alone at a page's start. */
static bool is_abort_message(const struct inq_link_map_pages *p, const uint8_t *page, size_t size)
{
    uint32_t declared;

    if (size < 8)
        return false;
    declared = inq_load_u32(page, p->core->big_endian);
    if (declared == 0 || declared % 4096 != 0 || declared > MAX_ABORT_MESSAGE)
        return false;
    for (size_t i = 4; i < 8; i++) {
        if (page[i] < 0x20 || page[i] >= 0x7f)
            return false;
    }
    return true;
}

bool inq_link_map_pages_want(void *context, uint64_t page_off, const uint8_t *page, size_t size)
{
    struct inq_link_map_pages *p = context;
    bool found = is_wanted(p, page_off);

    if (p->modules.count > 0 && find_link_maps(p, page_off, page, size))
        found = true;
    if (!found && find_search_list(p, page_off, page, size))
        found = true;
    return found || is_abort_message(p, page, size);
}

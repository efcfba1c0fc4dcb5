/* SPDX-License-Identifier: Apache-2.0 */
/* Which compilation unit an address belongs to: by .debug_aranges, else by the units' own ranges. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "dwarf_file.h"

/* A table of more entries than this is not worth a sorted copy. */
#define MAX_ARANGES 4000000u
#define UNIT_STEPS 4u /* a unit's header, its abbreviations and its first DIE */

struct search {
    struct inq_dwarf *dwarf;
    struct inq_spot *spots; /* sorted by address */
    size_t count, open;     /* without a unit */
    Dwarf_Off *known;       /* units that .debug_aranges speaks of, sorted; NULL without */
    size_t n_known;
};

static int compare_offsets(const void *left, const void *right)
{
    const Dwarf_Off *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Linkers and compilers may leave units out of the table (clang writes none): those are looked
 * through. */
static void note_known(struct search *search, Dwarf_Aranges *ranges, size_t count)
{
    if (count > MAX_ARANGES || !inq_dwarf_step(search->dwarf, count / 8))
        return;
    search->known = calloc(count, sizeof(*search->known));
    for (size_t i = 0; search->known && i < count; i++) {
        Dwarf_Arange *range = dwarf_onearange(ranges, i);
        Dwarf_Addr start;
        Dwarf_Word length;
        Dwarf_Off unit;
        if (range && dwarf_getarangeinfo(range, &start, &length, &unit) == 0)
            search->known[search->n_known++] = unit;
    }
    if (search->known)
        qsort(search->known, search->n_known, sizeof(*search->known), compare_offsets);
}

static void by_aranges(struct search *search)
{
    Dwarf_Aranges *ranges;
    size_t count;

    if (dwarf_getaranges(search->dwarf->dwarf, &ranges, &count) != 0 || count == 0 ||
        !inq_dwarf_step(search->dwarf, count / 8))
        return;
    for (size_t i = 0; i < search->count; i++) {
        struct inq_spot *spot = &search->spots[i];
        Dwarf_Arange *range = dwarf_getarange_addr(ranges, spot->addr);
        if (!range || dwarf_getarangeinfo(range, NULL, NULL, &spot->unit) != 0)
            continue;
        spot->has_unit = true;
        search->open--;
    }
    if (search->open > 0)
        note_known(search, ranges, count);
}

static void claim(struct search *search, Dwarf_Addr start, Dwarf_Addr end, Dwarf_Off unit)
{
    size_t low = 0, high = search->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (search->spots[middle].addr < start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < search->count && search->spots[low].addr < end; low++) {
        struct inq_spot *spot = &search->spots[low];
        if (spot->has_unit)
            continue;
        spot->has_unit = true;
        spot->unit = unit;
        search->open--;
    }
}

static bool look_at_unit(struct search *search, Dwarf_Off offset)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;
    Dwarf_Die die;

    if (search->known && bsearch(&offset, search->known, search->n_known, sizeof(offset),
                                 compare_offsets))
        return true;
    if (!dwarf_offdie(search->dwarf->dwarf, offset, &die))
        return true;
    int tag = dwarf_tag(&die);
    if (tag != DW_TAG_compile_unit && tag != DW_TAG_partial_unit && tag != DW_TAG_skeleton_unit)
        return true;
    while ((at = dwarf_ranges(&die, at, &base, &start, &end)) > 0) {
        if (!inq_dwarf_step(search->dwarf, 1))
            return false;
        claim(search, start, end, offset);
    }
    return true;
}

static void by_units(struct search *search)
{
    Dwarf_Off offset = 0, next;
    size_t header;

    while (search->open > 0 &&
           dwarf_next_unit(search->dwarf->dwarf, offset, &next, &header, NULL, NULL, NULL, NULL,
                           NULL, NULL) == 0) {
        if (next <= offset || !inq_dwarf_step(search->dwarf, UNIT_STEPS) ||
            !look_at_unit(search, offset + header))
            return;
        offset = next;
    }
}

void inq_dwarf_find_units(struct inq_dwarf *dwarf, struct inq_spot *spots, size_t count)
{
    struct search search = {.dwarf = dwarf, .spots = spots, .count = count, .open = count};

    by_aranges(&search);
    if (search.open > 0)
        by_units(&search);
    free(search.known);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which compilation unit an address belongs to: by .debug_aranges, else by the units' own ranges.
 */
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

    if (search->known &&
        bsearch(&offset, search->known, search->n_known, sizeof(offset), compare_offsets))
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

    while (search->open > 0 && dwarf_next_unit(search->dwarf->dwarf, offset, &next, &header, NULL,
                                               NULL, NULL, NULL, NULL, NULL) == 0) {
        if (next <= offset || !inq_dwarf_step(search->dwarf, UNIT_STEPS) ||
            !look_at_unit(search, offset + header))
            return;
        offset = next;
    }
}

/* Takes the units of this file from the budget, all or none: the last one may be wanted. */
static bool may_keep_units(struct inq_dwarf *dwarf)
{
    struct inq_dwarf_budget *budget = dwarf->budget;
    Dwarf_Off offset = 0, next;
    uint64_t count = 0;

    if (dwarf->units_counted)
        return true;
    while (count <= budget->units && dwarf_next_unit(dwarf->dwarf, offset, &next, NULL, NULL, NULL,
                                                     NULL, NULL, NULL, NULL) == 0) {
        if (next <= offset)
            break;
        offset = next;
        count++;
    }
    if (count > budget->units || !inq_dwarf_step(dwarf, count)) {
        budget->steps_ended = true;
        return false;
    }
    budget->units -= count;
    dwarf->units_counted = true;
    return true;
}

void inq_dwarf_find_units(struct inq_dwarf *dwarf, struct inq_spot *spots, size_t count)
{
    struct search search = {.dwarf = dwarf, .spots = spots, .count = count, .open = count};

    if (!may_keep_units(dwarf))
        return;
    by_aranges(&search);
    if (search.open > 0)
        by_units(&search);
    free(search.known);
}

/* ---- all about some addresses -------------------------------------------------------------- */

static int compare_units(const void *left, const void *right)
{
    const struct inq_spot *a = *(struct inq_spot *const *)left,
                          *b = *(struct inq_spot *const *)right;

    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static bool read_units(struct inq_dwarf *dwarf, struct inq_spot **sorted, size_t count,
                       struct inq_arena *arena)
{
    for (size_t i = 0, end; i < count && !dwarf->budget->steps_ended; i = end) {
        Dwarf_Die unit;

        for (end = i + 1; end < count && sorted[end]->unit == sorted[i]->unit; end++)
            ;
        if (!dwarf_offdie(dwarf->dwarf, sorted[i]->unit, &unit))
            continue;
        if (!inq_dwarf_find_lines(dwarf, &unit, sorted + i, end - i, arena) ||
            !inq_dwarf_find_scopes(dwarf, &unit, sorted + i, end - i, arena))
            return false;
    }
    return true;
}

bool inq_dwarf_read(struct inq_dwarf *dwarf, struct inq_spot *spots, size_t count,
                    struct inq_arena *arena)
{
    struct inq_spot **sorted = INQ_ARENA_ARRAY(arena, count, struct inq_spot *);
    size_t found = 0;

    if (!sorted)
        return false;
    inq_dwarf_find_units(dwarf, spots, count);
    for (size_t i = 0; i < count; i++)
        if (spots[i].has_unit)
            sorted[found++] = &spots[i];
    qsort(sorted, found, sizeof(struct inq_spot *), compare_units);
    return read_units(dwarf, sorted, found, arena);
}

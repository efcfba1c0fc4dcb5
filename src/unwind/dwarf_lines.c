/* SPDX-License-Identifier: Apache-2.0 */
/* Source lines of addresses, out of the line program of their compilation unit. */
#include <dwarf.h>
#include <string.h>

#include "bounds.h"
#include "cursor.h"
#include "dwarf_file.h"

/*
 * libdw decodes a line program as a whole. So its length, the first word of it, decides beforehand;
 * libdw itself makes sure that it lies in the section.
 */
static bool may_decode(struct inq_dwarf *dwarf, Dwarf_Die *unit)
{
    struct inq_dwarf_budget *budget = dwarf->budget;
    Dwarf_Attribute attribute;
    Dwarf_Word at;
    uint64_t length;

    if (!dwarf_attr(unit, DW_AT_stmt_list, &attribute) || dwarf_formudata(&attribute, &at) != 0 ||
        at > dwarf->line_size || dwarf->line_size - at < 12)
        return false;
    length = inq_load_u32(dwarf->line_section + at, dwarf->big_endian);
    if (length == UINT32_MAX) /* 64-bit DWARF */
        length = inq_load_u64(dwarf->line_section + at + 4, dwarf->big_endian);
    if (length > dwarf->line_size - at)
        return false;
    if (length > INQ_MAX_LINE_PROGRAM || length > budget->line_bytes ||
        !inq_dwarf_step(dwarf, length / 4)) {
        budget->lines_ended = true;
        return false;
    }
    budget->line_bytes -= length;
    return true;
}

/*
 * The row in force at addr: the last that is not behind it. Of several at one address the last one
 * counts, unless it is not the start of a statement and one before it is: so says gdb, too.
 */
static Dwarf_Line *row_at(Dwarf_Lines *lines, size_t count, uint64_t addr)
{
    size_t low = 0, high = count;
    Dwarf_Addr at, row_addr;
    bool end, statement;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        Dwarf_Line *line = dwarf_onesrcline(lines, middle);
        if (!line || dwarf_lineaddr(line, &at) != 0)
            return NULL;
        if (at <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    Dwarf_Line *row = dwarf_onesrcline(lines, low - 1);
    if (!row || dwarf_lineendsequence(row, &end) != 0 || end ||
        dwarf_linebeginstatement(row, &statement) != 0 || dwarf_lineaddr(row, &row_addr) != 0)
        return NULL;
    for (size_t i = low - 1; !statement && i > 0; i--) {
        Dwarf_Line *other = dwarf_onesrcline(lines, i - 1);
        bool other_end;
        int number;
        if (!other || dwarf_lineaddr(other, &at) != 0 || at != row_addr ||
            dwarf_lineendsequence(other, &other_end) != 0 || other_end ||
            dwarf_lineno(other, &number) != 0 || number == 0)
            break;
        if (dwarf_linebeginstatement(other, &statement) == 0 && statement)
            return other;
    }
    return row;
}

bool inq_dwarf_find_lines(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot **spots,
                          size_t count, struct inq_arena *arena)
{
    const char *last = NULL, *copy = NULL;
    Dwarf_Lines *lines;
    size_t n_lines;

    dwarf->lines_read = may_decode(dwarf, unit) && dwarf_getsrclines(unit, &lines, &n_lines) == 0;
    if (!dwarf->lines_read)
        return true;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *row = row_at(lines, n_lines, spots[i]->addr);
        const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
        int number;

        /* line 0: the compiler says that no line is the reason for this instruction */
        if (!file || dwarf_lineno(row, &number) != 0 || number <= 0)
            continue;
        if (strnlen(file, INQ_MAX_STRING) == INQ_MAX_STRING)
            continue;
        if (file != last)
            copy = inq_arena_strdup(arena, file);
        if (!copy)
            return false;
        last = file;
        spots[i]->file = copy;
        spots[i]->line = (uint32_t)number;
    }
    return true;
}

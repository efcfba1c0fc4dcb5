/* SPDX-License-Identifier: Apache-2.0 */
/* The function that code belongs to, and those that were inlined there: DWARF 5, 3.3. */
#include <dwarf.h>
#include <string.h>

#include "bounds.h"
#include "dwarf_file.h"
#include "text.h"

#define MAX_NAMESPACES 16u /* nested in each other */
#define MAX_SCOPES 256u    /* blocks and inlined functions, likewise */
#define MAX_INLINES 64u    /* of one address */
#define MAX_ORIGINS 8u     /* concrete, abstract, declaration: three in practice */
#define MAX_NAME 4096u

/* DW_TAG_imported_unit and the like are not followed: what they lead to has no code. */
static bool is_namespace(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module;
}

bool inq_dwarf_covers(struct inq_dwarf *dwarf, Dwarf_Die *die, uint64_t addr)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;

    while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
        if (!inq_dwarf_step(dwarf, 1))
            return false;
        if (addr >= start && addr < end)
            return true;
    }
    return false;
}

/*
 * The next DIE of one level. Without DW_AT_sibling libdw reads over all children to find it, and
 * with one it believes it: so it must lie ahead. False at the end, and when the budget is.
 */
static bool next_sibling(struct inq_dwarf *dwarf, Dwarf_Die *die)
{
    Dwarf_Off before = dwarf_dieoffset(die);
    bool jump = dwarf_haschildren(die) <= 0 || dwarf_hasattr(die, DW_AT_sibling);
    Dwarf_Die next;

    if (!inq_dwarf_step(dwarf, 1) || dwarf_siblingof(die, &next) != 0)
        return false;
    Dwarf_Off after = dwarf_dieoffset(&next);
    if (after <= before || (!jump && !inq_dwarf_step(dwarf, (after - before) / 8)))
        return false;
    *die = next;
    return true;
}

/* ---- names --------------------------------------------------------------------------------- */

/* Where this DIE's name may be: the abstract instance, the declaration. */
static bool follow_origin(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die origin;

    if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
        !dwarf_attr(die, DW_AT_specification, &attribute))
        return false;
    if (!dwarf_formref_die(&attribute, &origin))
        return false;
    *die = origin;
    return true;
}

static const char *text_attribute(Dwarf_Die *die, unsigned int name)
{
    Dwarf_Attribute attribute;
    return dwarf_attr(die, name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static const char *scope_name(Dwarf_Die *die, int tag)
{
    const char *name = text_attribute(die, DW_AT_name);
    if (name || tag == DW_TAG_namespace)
        return name ? name : "(anonymous namespace)";
    return NULL;
}

/*
 * "outer::inner::" of a DIE: from the unit's DIE down, always into the last that starts before it.
 * DWARF has no way up.
 */
static void append_scopes(struct inq_dwarf *dwarf, Dwarf_Die *die, struct inq_text *text)
{
    const Dwarf_Off wanted = dwarf_dieoffset(die);
    Dwarf_Die at, child, last;

    if (!dwarf_diecu(die, &at, NULL, NULL))
        return;
    for (unsigned int depth = 0; depth < MAX_NAMESPACES; depth++) {
        if (dwarf_child(&at, &child) != 0 || dwarf_dieoffset(&child) > wanted)
            return;
        do
            last = child;
        while (next_sibling(dwarf, &child) && dwarf_dieoffset(&child) <= wanted);
        if (dwarf_dieoffset(&last) == wanted)
            return;
        int tag = dwarf_tag(&last);
        const char *name = is_namespace(tag) || tag == DW_TAG_class_type ||
                                   tag == DW_TAG_structure_type || tag == DW_TAG_union_type
                               ? scope_name(&last, tag)
                               : NULL;
        if (!name || text->size > MAX_NAME)
            return;
        inq_text_append(text, name);
        inq_text_append(text, "::");
        at = last;
    }
}

static bool has_scopes(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Word language;
    Dwarf_Die unit;

    if (!dwarf_diecu(die, &unit, NULL, NULL) || !dwarf_attr(&unit, DW_AT_language, &attribute) ||
        dwarf_formudata(&attribute, &language) != 0)
        return false;
    return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14 ||
           language == DW_LANG_Rust;
}

/* The mangled name, which says it all; else the name with the scopes it is declared in. */
static const char *function_name(struct inq_dwarf *dwarf, Dwarf_Die *die, struct inq_arena *arena)
{
    const char *plain = NULL;
    Dwarf_Die at = *die, named = *die;

    for (unsigned int i = 0; i < MAX_ORIGINS && inq_dwarf_step(dwarf, 1); i++) {
        const char *mangled = text_attribute(&at, DW_AT_linkage_name);
        if (!mangled)
            mangled = text_attribute(&at, DW_AT_MIPS_linkage_name);
        if (mangled && mangled[0])
            return inq_arena_copy(arena, mangled, strnlen(mangled, 65536));
        if (!plain)
            plain = text_attribute(&at, DW_AT_name);
        named = at; /* the last one is the declaration, inside its class */
        if (!follow_origin(&at))
            break;
    }
    if (!plain || !plain[0])
        return NULL;
    struct inq_text text = {0};
    if (has_scopes(&named))
        append_scopes(dwarf, &named, &text);
    inq_text_append_bytes(&text, plain, strnlen(plain, MAX_NAME));
    const char *name = text.failed ? NULL : inq_arena_copy(arena, text.bytes, text.size);
    inq_text_deinit(&text);
    return name;
}

/* ---- functions ----------------------------------------------------------------------------- */

struct scan {
    struct inq_dwarf *dwarf;
    struct inq_spot **spots; /* sorted by address */
    size_t count, open;      /* without a DIE */
};

static void claim(struct scan *scan, Dwarf_Addr start, Dwarf_Addr end, const Dwarf_Die *die)
{
    size_t low = 0, high = scan->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scan->spots[middle]->addr < start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < scan->count && scan->spots[low]->addr < end; low++) {
        struct inq_spot *spot = scan->spots[low];
        if (spot->has_die)
            continue;
        spot->has_die = true;
        spot->die = *die;
        scan->open--;
    }
}

static void look_at_function(struct scan *scan, Dwarf_Die *die)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;

    while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0 && inq_dwarf_step(scan->dwarf, 1))
        claim(scan, start, end, die);
}

/* All functions of a unit, those in namespaces too, in one pass. */
static void scan_unit(struct scan *scan, Dwarf_Die *unit)
{
    Dwarf_Die levels[MAX_NAMESPACES];
    unsigned int depth = 0;

    if (dwarf_child(unit, &levels[0]) != 0)
        return;
    while (scan->open > 0) {
        Dwarf_Die *at = &levels[depth];
        int tag = dwarf_tag(at);

        if (tag == DW_TAG_subprogram)
            look_at_function(scan, at);
        else if (is_namespace(tag) && depth + 1 < MAX_NAMESPACES &&
                 dwarf_child(at, &levels[depth + 1]) == 0) {
            depth++;
            continue;
        }
        while (!next_sibling(scan->dwarf, &levels[depth])) {
            if (depth == 0 || scan->dwarf->budget->steps_ended)
                return;
            depth--;
        }
    }
}

/* ---- what is inlined there ----------------------------------------------------------------- */

static bool opens_scope(int tag)
{
    return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
           tag == DW_TAG_try_block || tag == DW_TAG_catch_block || tag == DW_TAG_with_stmt ||
           tag == DW_TAG_subprogram;
}

/* The child of a scope that holds addr. */
static bool inner_scope(struct inq_dwarf *dwarf, Dwarf_Die *scope, uint64_t addr,
                        Dwarf_Die *ret_inner)
{
    Dwarf_Die child;

    if (dwarf_child(scope, &child) != 0)
        return false;
    do {
        if (opens_scope(dwarf_tag(&child)) && inq_dwarf_covers(dwarf, &child, addr)) {
            *ret_inner = child;
            return true;
        }
    } while (next_sibling(dwarf, &child));
    return false;
}

static uint32_t number_attribute(Dwarf_Die *die, unsigned int name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;

    if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0 ||
        value > INT32_MAX)
        return 0;
    return (uint32_t)value;
}

static const char *call_file(Dwarf_Die *unit, Dwarf_Die *call, struct inq_arena *arena)
{
    uint32_t number = number_attribute(call, DW_AT_call_file);
    Dwarf_Files *files;
    size_t count;

    if (!dwarf_hasattr(call, DW_AT_call_file) || dwarf_getsrcfiles(unit, &files, &count) != 0 ||
        number >= count)
        return NULL;
    const char *file = dwarf_filesrc(files, number, NULL, NULL);
    return file && strnlen(file, INQ_MAX_STRING) < INQ_MAX_STRING ? inq_arena_strdup(arena, file)
                                                                  : NULL;
}

/* `calls` are the DIEs of inlined functions, outermost first. */
static bool note_inlines(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot *spot,
                         Dwarf_Die *calls, size_t count, struct inq_arena *arena)
{
    if (count == 0)
        return true;
    spot->inlines = INQ_ARENA_ARRAY(arena, count, struct inq_inline);
    if (!spot->inlines)
        return false;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Die *call = &calls[count - 1 - i];
        uint32_t line = number_attribute(call, DW_AT_call_line);

        spot->inlines[i] = (struct inq_inline){
            .name = function_name(dwarf, call, arena),
            /* the files are part of the line program: without its lines they were not read */
            .file = dwarf->lines_read ? call_file(unit, call, arena) : NULL,
            .line = line,
        };
    }
    spot->n_inlines = count;
    return true;
}

static bool describe(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot *spot,
                     struct inq_arena *arena)
{
    Dwarf_Die scope = spot->die, inner, calls[MAX_INLINES];
    size_t n_calls = 0;
    Dwarf_Addr entry;

    for (unsigned int depth = 0; depth < MAX_SCOPES; depth++) {
        if (!inner_scope(dwarf, &scope, spot->addr, &inner))
            break;
        int tag = dwarf_tag(&inner);
        if (tag == DW_TAG_subprogram) { /* one function inside another: it has a frame of its own */
            spot->die = inner;
            n_calls = 0;
        } else if (tag == DW_TAG_inlined_subroutine) {
            if (n_calls == MAX_INLINES)
                break;
            calls[n_calls++] = inner;
        }
        scope = inner;
    }
    spot->function = function_name(dwarf, &spot->die, arena);
    if (dwarf_entrypc(&spot->die, &entry) == 0 && entry <= spot->addr) {
        spot->entry = entry;
        spot->has_entry = true;
    }
    return note_inlines(dwarf, unit, spot, calls, n_calls, arena);
}

bool inq_dwarf_find_scopes(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot **spots,
                           size_t count, struct inq_arena *arena)
{
    struct scan scan = {.dwarf = dwarf, .spots = spots, .count = count, .open = count};

    scan_unit(&scan, unit);
    for (size_t i = 0; i < count; i++)
        if (spots[i]->has_die && !describe(dwarf, unit, spots[i], arena))
            return false;
    return true;
}

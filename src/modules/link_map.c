/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic linker's list: DT_DEBUG of the program → struct r_debug → struct link_map (<link.h>).
 * These few fields are what debuggers have always read; they are the same in every libc.
 *
 *     r_debug:  int r_version, link_map *r_map, addr r_brk, int r_state, addr r_ldbase,
 *               r_debug *r_next (from version 2 on, glibc 2.35: the other namespaces of dlmopen)
 *     link_map: addr l_addr, char *l_name, dyn *l_ld, link_map *l_next, link_map *l_prev
 *
 * Any of it may be overwritten, so nothing here is believed beyond what memory holds: entries are
 * joined by where they point, never by name.
 */
#include <elf.h>
#include <stdio.h>

#include "bounds.h"
#include "reader.h"

#define MAX_DYNAMIC 4096u  /* entries; libraries have some forty */
#define MAX_NAMESPACES 16u /* glibc's DL_NNS */
#define MAX_PROGRAM_HEADERS 256u

struct entry {
    uint64_t addr, l_addr, l_name, l_ld, l_next;
};

struct walk {
    struct inq_reader *reader;
    int order, space;
    size_t strays;     /* entries that belong to no module */
    size_t unreadable; /* names */
    const char *stop;  /* why the list ended early, NULL when it did not */
    uint64_t stop_addr;
    bool added;
    bool cut; /* the first list ends before the linker itself */
};

static bool read_word(const struct inq_reader *reader, uint64_t base, unsigned index,
                      uint64_t *ret_value)
{
    uint64_t addr = base + (uint64_t)index * reader->word_bytes;

    return inq_memory_word(reader->memory, addr & reader->addr_mask, ret_value);
}

/* ---- r_debug ------------------------------------------------------------------------------- */

/* PT_DYNAMIC of the program by AT_PHDR alone; false when its headers cannot be read. */
static bool dynamic_by_auxv(struct inq_reader *reader, uint64_t *ret_addr, uint64_t *ret_size)
{
    const struct inq_elf_header header = {.elf_class = reader->core->elf_class,
                                          .big_endian = reader->core->big_endian};
    const size_t entry_bytes = header.elf_class == 64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    uint64_t phdr, phnum, bias = 0, addr = 0, size = 0;
    bool has_bias = false;

    if (!inq_core_auxv(reader->core, AT_PHDR, &phdr) ||
        !inq_core_auxv(reader->core, AT_PHNUM, &phnum))
        return false;
    for (uint64_t i = 0; i < phnum && i < MAX_PROGRAM_HEADERS; i++) {
        uint8_t raw[INQ_ELF_SEGMENT_BYTES];
        struct inq_elf_segment s;

        if (inq_memory_read(reader->memory, phdr + i * entry_bytes, raw, entry_bytes, NULL) !=
            INQ_MEMORY_OK)
            return false;
        s = inq_elf_segment_parse(&header, raw);
        if (s.type == PT_PHDR) {
            bias = (phdr - s.addr) & reader->addr_mask;
            has_bias = true;
        } else if (s.type == PT_DYNAMIC) {
            addr = s.addr;
            size = s.size;
        }
    }
    if (!has_bias || size == 0)
        return false;
    *ret_addr = (bias + addr) & reader->addr_mask;
    *ret_size = size;
    return true;
}

/* The value of DT_DEBUG; 0 when there is none yet. False when the dynamic section is unreadable. */
static bool read_dt_debug(struct inq_reader *reader, uint64_t dynamic, uint64_t size,
                          uint64_t *ret_value)
{
    const uint64_t count = size / (2u * reader->word_bytes);

    for (unsigned i = 0; i < count && i < MAX_DYNAMIC; i++) {
        uint64_t tag, value;

        if (!read_word(reader, dynamic, 2 * i, &tag) ||
            !read_word(reader, dynamic, 2 * i + 1, &value))
            return false;
        if (tag == DT_NULL)
            break;
        if (tag == DT_DEBUG) {
            *ret_value = value;
            return true;
        }
    }
    *ret_value = 0;
    return true;
}

/* _r_debug of the dynamic linker itself, when the program cannot be read. */
static bool r_debug_of_linker(struct inq_reader *reader, uint64_t *ret_addr)
{
    struct inq_modules *modules = reader->modules;
    struct inq_module *linker;
    struct inq_symbol symbol;
    uint64_t base;
    size_t index;

    if (!inq_core_auxv(reader->core, AT_BASE, &base) || base == 0)
        return false;
    index = inq_modules_locate(modules, base);
    if (index == SIZE_MAX || index == modules->main)
        return false;
    linker = &reader->candidates.items[index].module;
    inq_module_need_file(modules, linker);
    if (!linker->image || !linker->has_bias ||
        !inq_image_find_symbol(linker->image, "_r_debug", &symbol))
        return false;
    *ret_addr = (linker->load_bias + symbol.addr) & reader->addr_mask;
    return true;
}

/* Where r_debug is. False: nowhere; *ret_why is NULL for a program without a dynamic linker. */
static bool find_r_debug(struct inq_reader *reader, uint64_t *ret_addr, const char **ret_why)
{
    struct inq_modules *modules = reader->modules;
    struct inq_candidate *main =
        modules->main != SIZE_MAX ? &reader->candidates.items[modules->main] : NULL;
    uint64_t dynamic = 0, size = 0;

    *ret_why = NULL;
    if (main && main->elf.n_segments == 0)
        inq_module_need_file(modules, &main->module);
    if (main && main->module.dynamic != 0) {
        dynamic = main->module.dynamic;
        size = main->module.dynamic_size;
    } else if (main && (main->elf.n_segments > 0 || main->module.image)) {
        return false; /* static: its headers are known and have no PT_DYNAMIC */
    } else if (!dynamic_by_auxv(reader, &dynamic, &size)) {
        *ret_why = "the program's headers are not in the dump";
        return r_debug_of_linker(reader, ret_addr);
    }
    if (!read_dt_debug(reader, dynamic, size, ret_addr)) {
        *ret_why = "the program's dynamic section is not in the dump";
        return r_debug_of_linker(reader, ret_addr);
    }
    return *ret_addr != 0; /* 0: static-pie, or it died before the linker got so far */
}

/* ---- the list ------------------------------------------------------------------------------ */

static bool read_entry(const struct inq_reader *reader, uint64_t addr, struct entry *ret_entry)
{
    struct entry e = {.addr = addr};

    if (!read_word(reader, addr, 0, &e.l_addr) || !read_word(reader, addr, 1, &e.l_name) ||
        !read_word(reader, addr, 2, &e.l_ld) || !read_word(reader, addr, 3, &e.l_next))
        return false;
    *ret_entry = e;
    return true;
}

/* The candidate that an entry is about: its dynamic section lies inside. */
static struct inq_candidate *candidate_of(struct inq_reader *reader, const struct entry *e)
{
    struct inq_candidate *items = reader->candidates.items;
    size_t index = inq_modules_locate(reader->modules, e->l_ld);

    if (index == SIZE_MAX && e->l_addr != 0) {
        index = inq_modules_locate(reader->modules, e->l_addr);
        if (index != SIZE_MAX &&
            (items[index].module.has_bias ? items[index].module.load_bias
                                          : items[index].module.start) != e->l_addr)
            index = SIZE_MAX;
    }
    return index != SIZE_MAX ? &items[index] : NULL;
}

static void name_module(struct walk *w, struct inq_module *module, const struct entry *e)
{
    struct inq_reader *reader = w->reader;
    const char *name = NULL;

    if (e->l_name != 0)
        name = inq_memory_string(reader->memory, e->l_name, INQ_MAX_STRING);
    /* The program's and the vdso's are constants of the linker, which no dump holds. */
    w->unreadable += !name && !module->path && !module->is_vdso && !module->is_main;
    if (!name || name[0] == '\0')
        return;
    module->link_name = name;
    if (!module->path && !module->is_vdso) {
        module->path = name;
        module->name = inq_base_name(name);
    }
}

static void join(struct walk *w, struct inq_candidate *candidate, const struct entry *e)
{
    struct inq_module *module = &candidate->module;

    if (candidate->tentative) {
        if (module->dynamic != e->l_ld)
            return;
        candidate->tentative = false;
    }
    if (module->load_order >= 0) /* named twice: the first entry counts */
        return;
    module->load_order = w->order;
    module->link_space = w->space;
    module->link_map = e->addr;
    name_module(w, module, e);
    if (!module->has_bias && inq_page_down(w->reader->core, e->l_addr) == e->l_addr) {
        module->load_bias = e->l_addr;
        module->has_bias = true;
    }
    if (module->dynamic == 0)
        module->dynamic = e->l_ld;
}

/* Without NT_FILE the list may know libraries whose first page was not saved. */
static bool add_entry(struct walk *w, const struct entry *e)
{
    struct inq_reader *reader = w->reader;
    struct inq_memory_region first, last;
    struct inq_candidate *candidate;

    if (reader->core->has_file_note || e->l_addr == 0 ||
        !inq_memory_region_at(reader->memory, e->l_addr, &first) ||
        !inq_memory_region_at(reader->memory, e->l_ld, &last) || last.start < first.start ||
        first.start != e->l_addr || last.start - first.start > INQ_GIB)
        return false;
    candidate = inq_reader_add(reader);
    if (!candidate)
        return false;
    candidate->module.start = first.start;
    candidate->module.size = last.start + last.size - first.start;
    candidate->module.is_elf = true;
    candidate->module.name = "";
    join(w, candidate, e);
    w->added = true;
    return true;
}

/*
 * A list that bites its own tail is found by Brent's method: a marked entry that moves up at powers
 * of two. Entries seen twice do no harm.
 */
static void walk_list(struct walk *w, uint64_t addr)
{
    uint64_t marked = 0, steps = 0, next_mark = 1;

    while (addr != 0) {
        struct inq_candidate *candidate;
        struct entry e;

        if (addr == marked) {
            w->stop = "it runs in a circle";
        } else if (w->order >= (int)INQ_MAX_LINK_MAPS) {
            w->stop = "it has too many entries";
        } else if (!read_entry(w->reader, addr, &e)) {
            w->stop = "an entry is not in the dump";
        }
        if (w->stop) {
            w->stop_addr = addr;
            return;
        }
        if (++steps == next_mark) {
            marked = addr;
            next_mark *= 2;
        }
        candidate = candidate_of(w->reader, &e);
        if (candidate)
            join(w, candidate, &e);
        else if (!add_entry(w, &e))
            w->strays++;
        w->order++;
        addr = e.l_next;
    }
}

/*
 * The linker, in whose data r_debug lies, lists itself, too; a list without it was cut by whatever
 * overwrote it. (AT_BASE is 0 for prelinked linkers.)
 */
static bool linker_is_missing(const struct inq_reader *reader)
{
    size_t index = inq_modules_locate(reader->modules, reader->modules->r_debug_addr);

    return index != SIZE_MAX && index != reader->modules->main &&
           reader->candidates.items[index].module.load_order < 0;
}

static void walk_namespaces(struct walk *w, uint64_t r_debug)
{
    struct inq_reader *reader = w->reader;
    struct inq_modules *modules = reader->modules;

    for (unsigned n = 0; n < MAX_NAMESPACES && r_debug != 0 && !w->stop; n++) {
        uint32_t version = 0, state = 0;
        uint64_t map = 0;

        if (!inq_memory_u32(reader->memory, r_debug, &version) ||
            !read_word(reader, r_debug, 1, &map)) {
            w->stop = "its head is not in the dump";
            w->stop_addr = r_debug;
            return;
        }
        if (version == 0 || version > 16) {
            if (version != 0) {
                w->stop = "its head is damaged";
                w->stop_addr = r_debug;
            }
            return; /* 0: not filled in yet */
        }
        if (n == 0) {
            inq_memory_u32(reader->memory, r_debug + 3u * reader->word_bytes, &state);
            modules->r_debug_addr = r_debug;
            modules->r_state = state;
            modules->link_map_addr = map;
        }
        w->space = (int)n;
        walk_list(w, map);
        if (n == 0) /* other namespaces list the linker again */
            w->cut = w->order > 0 && linker_is_missing(reader);
        if (version < 2 || !read_word(reader, r_debug, 5, &r_debug))
            return;
    }
}

struct inq_error *inq_link_map_read(struct inq_reader *reader, bool *ret_added)
{
    struct walk w = {.reader = reader};
    uint64_t r_debug = 0;
    const char *why;
    char where[32];

    *ret_added = false;
    if (reader->core->n_segments == 0)
        return NULL;
    if (!find_r_debug(reader, &r_debug, &why)) {
        if (why)
            inq_gaps_add(reader->gaps, INQ_G_LINK_MAP, NULL, why,
                         "the dynamic linker's list of libraries");
        return NULL;
    }
    walk_namespaces(&w, r_debug);
    if (w.stop) {
        snprintf(where, sizeof(where), "address 0x%llx", (unsigned long long)w.stop_addr);
        inq_gaps_add(reader->gaps, INQ_G_LINK_MAP, where, w.stop,
                     "the dynamic linker's list of libraries, after %d entries", w.order);
    } else if (w.unreadable > 0 || w.strays > 0) {
        inq_gaps_add(reader->gaps, INQ_G_LINK_MAP, NULL, "damaged, or not in the dump",
                     "%zu names and %zu libraries of the dynamic linker's list", w.unreadable,
                     w.strays);
    } else if (w.cut) {
        inq_gaps_add(reader->gaps, INQ_G_LINK_MAP, NULL,
                     "the linker itself is not in it: it was overwritten, or was still being made",
                     "the end of the dynamic linker's list of libraries");
    }
    *ret_added = w.added;
    return NULL;
}

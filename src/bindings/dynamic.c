/* SPDX-License-Identifier: Apache-2.0 */
#include "dynamic.h"

#include "bounds.h"
#include "elfhead.h"

#define MAX_ENTRIES 4096u        /* of a dynamic section; libraries have some forty */
#define MAX_VERSION_INDEX 32767u /* bit 15 of .gnu.version says "hidden" */

/* The tags that lead anywhere, as file addresses or sizes. */
struct tags {
    uint64_t symtab, strtab, strings_size, hash, gnu_hash, versym;
    uint64_t verdef, verdef_count, verneed, verneed_count;
    uint64_t soname, runpath, rpath, pltrel;
    bool has_soname, has_runpath, has_rpath;
    uint64_t needed[INQ_MAX_NEEDED];
    size_t n_needed;
};

struct reader {
    struct inq_tables *tables;
    struct inq_modules *modules;
    struct inq_dynamic *d;
    struct tags tags;
    uint64_t mask;
    size_t word_bytes;
};

/* ---- pieces --------------------------------------------------------------------------------- */

/* From the dump, as far as one segment has it saved. */
static struct inq_bytes from_memory(struct inq_tables *tables, uint64_t addr)
{
    struct inq_memory *memory = tables->modules->memory;
    struct inq_memory_region region;
    struct inq_bytes piece = {0};
    uint64_t left;
    size_t got = 0;
    uint8_t *copy;

    if (!inq_memory_region_at(memory, addr, &region) || addr - region.start >= region.saved_bytes)
        return piece;
    left = region.saved_bytes - (addr - region.start);
    piece.bytes = inq_memory_view(memory, addr, (size_t)left);
    piece.size = (size_t)left;
    if (piece.bytes)
        return piece;
    if (left > tables->copy_left)
        left = tables->copy_left;
    copy = left > 0 ? INQ_ARENA_ARRAY(tables->modules->arena, (size_t)left, uint8_t) : NULL;
    if (copy)
        inq_memory_read(memory, addr, copy, (size_t)left, &got);
    tables->copy_left -= (size_t)left;
    return (struct inq_bytes){got > 0 ? copy : NULL, got};
}

struct inq_bytes inq_dynamic_at(struct inq_tables *tables, const struct inq_module *module,
                                uint64_t file_addr)
{
    const uint64_t mask = tables->modules->core->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    struct inq_bytes piece = {0};

    if (module->image) {
        piece.bytes = inq_image_at(module->image, file_addr, &piece.size);
        if (piece.bytes)
            return piece;
    }
    return from_memory(tables, (module->load_bias + file_addr) & mask);
}

static struct inq_bytes at(const struct reader *r, uint64_t file_addr)
{
    return inq_dynamic_at(r->tables, r->d->module, file_addr);
}

/* ---- the section ---------------------------------------------------------------------------- */

/*
 * ld.so adds the load address to the addresses in the section, where it can write to it
 * (elf/get-dynamic-info.h of glibc; not on MIPS and RISC-V, not in the vdso, not in musl).
 */
static uint64_t unrelocated(const struct reader *r, uint64_t value)
{
    const uint64_t bias = r->d->module->load_bias;

    return bias != 0 && value >= bias ? value - bias : value;
}

static void take_tag(struct reader *r, uint64_t tag, uint64_t value)
{
    struct inq_dynamic *d = r->d;
    struct tags *t = &r->tags;

    switch (tag) {
    case DT_NEEDED:
        if (t->n_needed < INQ_MAX_NEEDED)
            t->needed[t->n_needed++] = value;
        break;
    case DT_SYMTAB:
        t->symtab = unrelocated(r, value);
        break;
    case DT_STRTAB:
        t->strtab = unrelocated(r, value);
        break;
    case DT_STRSZ:
        t->strings_size = value;
        break;
    case DT_HASH:
        t->hash = unrelocated(r, value);
        break;
    case DT_GNU_HASH:
        t->gnu_hash = unrelocated(r, value);
        break;
    case DT_VERSYM:
        t->versym = unrelocated(r, value);
        break;
    case DT_VERDEF:
        t->verdef = unrelocated(r, value);
        break;
    case DT_VERDEFNUM:
        t->verdef_count = value;
        break;
    case DT_VERNEED:
        t->verneed = unrelocated(r, value);
        break;
    case DT_VERNEEDNUM:
        t->verneed_count = value;
        break;
    case DT_RELA:
        d->rela = unrelocated(r, value);
        break;
    case DT_RELASZ:
        d->rela_size = value;
        break;
    case DT_REL:
        d->rel = unrelocated(r, value);
        break;
    case DT_RELSZ:
        d->rel_size = value;
        break;
    case DT_JMPREL:
        d->plt = unrelocated(r, value);
        break;
    case DT_PLTRELSZ:
        d->plt_size = value;
        break;
    case DT_PLTREL:
        t->pltrel = value;
        break;
    case DT_SYMBOLIC:
        d->symbolic = true;
        break;
    case DT_BIND_NOW:
        d->bind_now = true;
        break;
    case DT_FLAGS:
        d->symbolic |= (value & DF_SYMBOLIC) != 0;
        d->bind_now |= (value & DF_BIND_NOW) != 0;
        break;
    case DT_FLAGS_1:
        d->bind_now |= (value & DF_1_NOW) != 0;
        break;
    case DT_SONAME:
        t->soname = value;
        t->has_soname = true;
        break;
    case DT_RUNPATH:
        t->runpath = value;
        t->has_runpath = true;
        break;
    case DT_RPATH:
        t->rpath = value;
        t->has_rpath = true;
        break;
    default:
        break;
    }
}

/* One entry; false when it is neither in the dump nor in the file. */
static bool read_entry(const struct reader *r, size_t i, uint64_t *ret_tag, uint64_t *ret_value)
{
    const struct inq_module *module = r->d->module;
    const uint64_t addr = (module->dynamic + i * 2 * r->word_bytes) & r->mask;
    const bool be = r->d->big_endian;
    struct inq_bytes file;

    if (inq_memory_word(r->modules->memory, addr, ret_tag) &&
        inq_memory_word(r->modules->memory, (addr + r->word_bytes) & r->mask, ret_value))
        return true;
    if (!module->image)
        return false;
    file.bytes = inq_image_at(module->image, (addr - module->load_bias) & r->mask, &file.size);
    if (!file.bytes || file.size < 2 * r->word_bytes)
        return false;
    *ret_tag = r->d->is64 ? inq_load_u64(file.bytes, be) : inq_load_u32(file.bytes, be);
    file.bytes += r->word_bytes;
    *ret_value = r->d->is64 ? inq_load_u64(file.bytes, be) : inq_load_u32(file.bytes, be);
    return true;
}

static bool read_section(struct reader *r)
{
    const struct inq_module *module = r->d->module;
    size_t most = MAX_ENTRIES;

    if (module->dynamic_size != 0 && module->dynamic_size / (2 * r->word_bytes) < most)
        most = (size_t)(module->dynamic_size / (2 * r->word_bytes));
    for (size_t i = 0; i < most; i++) {
        uint64_t tag, value;

        if (!read_entry(r, i, &tag, &value))
            return false;
        if (tag == DT_NULL)
            return true;
        take_tag(r, tag, value);
    }
    return module->dynamic_size != 0;
}

/* ---- hash tables ---------------------------------------------------------------------------- */

static void take_gnu_hash(struct reader *r)
{
    struct inq_dynamic *d = r->d;
    struct inq_bytes table = at(r, r->tags.gnu_hash);
    const size_t word = d->is64 ? 8 : 4;
    uint64_t buckets, words, head;

    if (r->tags.gnu_hash == 0 || !table.bytes || table.size < 16)
        return;
    buckets = inq_bytes_u32(table, 0, d->big_endian);
    words = inq_bytes_u32(table, 2, d->big_endian);
    head = 16 + words * word + buckets * 4;
    if (words == 0 || (words & (words - 1)) != 0 || head > table.size)
        return;
    d->first_hashed = inq_bytes_u32(table, 1, d->big_endian);
    d->bloom_shift = inq_bytes_u32(table, 3, d->big_endian);
    d->bloom = (struct inq_bytes){table.bytes + 16, (size_t)(words * word)};
    d->buckets = (struct inq_bytes){table.bytes + 16 + words * word, (size_t)(buckets * 4)};
    d->chains = (struct inq_bytes){table.bytes + head, (table.size - (size_t)head) & ~(size_t)3};
}

static void take_sysv_hash(struct reader *r)
{
    struct inq_dynamic *d = r->d;
    struct inq_bytes table = at(r, r->tags.hash);
    const uint16_t machine = r->modules->core->machine;
    const size_t width = d->is64 && (machine == EM_S390 || machine == EM_ALPHA) ? 8 : 4;
    uint64_t buckets, chains;

    if (r->tags.hash == 0 || !table.bytes || table.size < 2 * width)
        return;
    buckets = width == 8 ? inq_load_u64(table.bytes, d->big_endian)
                         : inq_load_u32(table.bytes, d->big_endian);
    chains = width == 8 ? inq_load_u64(table.bytes + 8, d->big_endian)
                        : inq_load_u32(table.bytes + 4, d->big_endian);
    table.bytes += 2 * width;
    table.size = (table.size - 2 * width) / width; /* entries now */
    if (buckets > table.size || chains > table.size - buckets)
        return;
    d->sysv_bytes = (uint8_t)width;
    d->sysv_buckets = (struct inq_bytes){table.bytes, (size_t)buckets * width};
    d->sysv_chains = (struct inq_bytes){table.bytes + buckets * width, (size_t)chains * width};
}

/* ---- versions ------------------------------------------------------------------------------- */

static bool add_version(struct reader *r, uint16_t index, uint32_t hash, uint32_t name)
{
    struct inq_dynamic *d = r->d;

    index &= MAX_VERSION_INDEX;
    if (index >= d->n_versions) {
        size_t capacity = d->n_versions ? d->n_versions : 8;
        struct inq_version *items;

        while (capacity <= index)
            capacity *= 2;
        items = INQ_ARENA_ARRAY(r->modules->arena, capacity, struct inq_version);
        if (!items)
            return false;
        if (d->n_versions)
            memcpy(items, d->versions, d->n_versions * sizeof(items[0]));
        d->versions = items;
        d->n_versions = capacity;
    }
    d->versions[index] = (struct inq_version){hash ? hash : 1, name};
    return true;
}

/* Elf64_Verdef and Elf32_Verdef are the same bytes, and so are the other three. */
static bool read_definitions(struct reader *r)
{
    struct inq_bytes table = at(r, r->tags.verdef);
    const bool be = r->d->big_endian;
    uint64_t pos = 0;

    if (r->tags.verdef == 0 || !table.bytes)
        return true;
    for (uint64_t i = 0; i < r->tags.verdef_count && i <= MAX_VERSION_INDEX; i++) {
        const uint8_t *p = table.bytes + pos;
        uint64_t aux, next;

        if (table.size < sizeof(Elf64_Verdef) || pos > table.size - sizeof(Elf64_Verdef))
            return true;
        aux = pos + inq_load_u32(p + offsetof(Elf64_Verdef, vd_aux), be);
        next = inq_load_u32(p + offsetof(Elf64_Verdef, vd_next), be);
        if (aux > table.size - sizeof(Elf64_Verdaux))
            return true;
        if (!add_version(r, inq_load_u16(p + offsetof(Elf64_Verdef, vd_ndx), be),
                         inq_load_u32(p + offsetof(Elf64_Verdef, vd_hash), be),
                         inq_load_u32(table.bytes + aux, be)))
            return false;
        r->d->has_definitions = true;
        if (next == 0)
            return true;
        pos += next;
    }
    return true;
}

/* The versions that one file is asked for, from byte `pos` on. */
static bool read_needed_versions(struct reader *r, struct inq_bytes table, uint64_t pos,
                                 unsigned count)
{
    const bool be = r->d->big_endian;

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *p = table.bytes + pos;
        uint64_t next;

        if (table.size < sizeof(Elf64_Vernaux) || pos > table.size - sizeof(Elf64_Vernaux))
            return true;
        if (!add_version(r, inq_load_u16(p + offsetof(Elf64_Vernaux, vna_other), be),
                         inq_load_u32(p + offsetof(Elf64_Vernaux, vna_hash), be),
                         inq_load_u32(p + offsetof(Elf64_Vernaux, vna_name), be)))
            return false;
        next = inq_load_u32(p + offsetof(Elf64_Vernaux, vna_next), be);
        if (next == 0)
            return true;
        pos += next;
    }
    return true;
}

static bool read_needs(struct reader *r)
{
    struct inq_bytes table = at(r, r->tags.verneed);
    const bool be = r->d->big_endian;
    uint64_t pos = 0;

    if (r->tags.verneed == 0 || !table.bytes)
        return true;
    for (uint64_t i = 0; i < r->tags.verneed_count && i < INQ_MAX_NEEDED; i++) {
        const uint8_t *p = table.bytes + pos;
        uint64_t next;

        if (table.size < sizeof(Elf64_Verneed) || pos > table.size - sizeof(Elf64_Verneed))
            return true;
        if (!read_needed_versions(r, table,
                                  pos + inq_load_u32(p + offsetof(Elf64_Verneed, vn_aux), be),
                                  inq_load_u16(p + offsetof(Elf64_Verneed, vn_cnt), be)))
            return false;
        next = inq_load_u32(p + offsetof(Elf64_Verneed, vn_next), be);
        if (next == 0)
            return true;
        pos += next;
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool take_strings(struct reader *r)
{
    struct inq_bytes table = at(r, r->tags.strtab);
    const uint8_t *nul;

    if (r->tags.strtab == 0 || !table.bytes)
        return false;
    if (r->tags.strings_size < table.size)
        table.size = (size_t)r->tags.strings_size;
    nul = table.size > 0 ? memrchr(table.bytes, '\0', table.size) : NULL;
    if (!nul)
        return false;
    r->d->strings = (struct inq_bytes){table.bytes, (size_t)(nul - table.bytes) + 1};
    return true;
}

/* The string table follows the symbols in what every linker writes: that bounds their number. */
static bool take_symbols(struct reader *r)
{
    struct inq_dynamic *d = r->d;
    struct inq_bytes table = at(r, r->tags.symtab);
    const size_t entry = d->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);

    if (r->tags.symtab == 0 || !table.bytes)
        return false;
    if (r->tags.strtab > r->tags.symtab && r->tags.strtab - r->tags.symtab < table.size)
        table.size = (size_t)(r->tags.strtab - r->tags.symtab);
    d->symbols = table;
    d->n_symbols = table.size / entry;
    return d->n_symbols > 0;
}

static bool take_names(struct reader *r)
{
    struct inq_dynamic *d = r->d;
    const struct tags *t = &r->tags;

    if (t->has_soname)
        d->soname = inq_dynamic_string(d, t->soname);
    if (t->has_runpath)
        d->runpath = inq_dynamic_string(d, t->runpath);
    else if (t->has_rpath)
        d->runpath = inq_dynamic_string(d, t->rpath);
    d->needed = INQ_ARENA_ARRAY(r->modules->arena, t->n_needed + 1, const char *);
    if (!d->needed)
        return false;
    for (size_t i = 0; i < t->n_needed; i++) {
        const char *name = inq_dynamic_string(d, t->needed[i]);

        if (name)
            d->needed[d->n_needed++] = name;
    }
    return true;
}

struct inq_error *inq_dynamic_read(struct inq_tables *tables, struct inq_module *module,
                                   struct inq_dynamic *ret_dynamic)
{
    const struct inq_core *core = tables->modules->core;
    struct reader r = {.tables = tables, .modules = tables->modules, .d = ret_dynamic};

    *ret_dynamic = (struct inq_dynamic){
        .module = module, .big_endian = core->big_endian, .is64 = core->elf_class == 64};
    r.mask = core->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    r.word_bytes = core->elf_class / 8;
    if (module->dynamic == 0 || !module->has_bias) {
        ret_dynamic->unread = "where its dynamic section lies is not in the dump";
    } else if (!read_section(&r)) {
        ret_dynamic->unread = "its dynamic section is not in the dump, or has no end";
    } else if (!take_strings(&r) || !take_symbols(&r)) {
        ret_dynamic->unread = module->image ? "its symbol table lies outside the file"
                                            : "its file is not here, and the dump does not hold "
                                              "its symbol table";
    } else {
        ret_dynamic->plt_is_rela = r.tags.pltrel == DT_RELA;
        take_gnu_hash(&r);
        take_sysv_hash(&r);
        ret_dynamic->versym = r.tags.versym ? at(&r, r.tags.versym) : (struct inq_bytes){0};
        if (!take_names(&r) || !read_definitions(&r) || !read_needs(&r))
            return &inq_error_oom;
        ret_dynamic->read = true;
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image_tables.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"

/* What PT_DYNAMIC says about symbols: file addresses, 0 when absent. */
struct dynamic {
    uint64_t symtab, strtab, strings_size, hash, gnu_hash, soname;
    bool has_soname;
};

static size_t symbol_bytes(const struct inq_image *image)
{
    return image->elf_class == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

/* Cuts the strings behind their last NUL, so that every name that starts inside ends inside. */
static bool set_strings(struct inq_image_symbols *table, const uint8_t *bytes, uint64_t size)
{
    const uint8_t *nul = size > 0 ? memrchr(bytes, '\0', (size_t)size) : NULL;

    if (!nul)
        return false;
    table->strings = (const char *)bytes;
    table->strings_size = (size_t)(nul - bytes) + 1;
    return true;
}

/* False when the section cannot be a symbol table; a debug file's copy without bytes is none. */
static bool table_from_section(const struct inq_image *image, const struct inq_elf_section *s,
                               struct inq_image_symbols *ret_table)
{
    struct inq_image_symbols table = {.entry_bytes = symbol_bytes(image)};
    struct inq_elf_section strings;

    if (s->entry_bytes != table.entry_bytes || s->off > image->size ||
        s->size > image->size - s->off || s->link == 0 || s->link >= image->n_sections)
        return false;
    strings = inq_image_section_header(image, s->link);
    if (strings.type != SHT_STRTAB || strings.off > image->size ||
        strings.size > image->size - strings.off)
        return false;
    if (!set_strings(&table, image->bytes + strings.off, strings.size))
        return false;
    table.symbols = image->bytes + s->off;
    table.count = (size_t)(s->size / table.entry_bytes);
    *ret_table = table;
    return true;
}

static void tables_from_sections(struct inq_image *image)
{
    for (size_t i = 1; i < image->n_sections; i++) {
        struct inq_elf_section s = inq_image_section_header(image, i);
        struct inq_image_symbols *table = s.type == SHT_SYMTAB   ? &image->symtab
                                          : s.type == SHT_DYNSYM ? &image->dynsym
                                                                 : NULL;

        if (table && table->count == 0 && !table_from_section(image, &s, table))
            image->damaged = true;
    }
}

/* ---- PT_DYNAMIC --------------------------------------------------------------------------- */

static bool read_dynamic(const struct inq_image *image, struct dynamic *ret_dynamic)
{
    const struct inq_image_segment *segment = NULL;
    struct dynamic dynamic = {0};
    struct inq_cursor c;
    uint64_t tag, value, size;

    for (size_t i = 0; i < image->n_segments && !segment; i++)
        if (image->segments[i].type == PT_DYNAMIC)
            segment = &image->segments[i];
    if (!segment || segment->off >= image->size)
        return false;
    size = image->size - segment->off;
    if (size > segment->file_bytes)
        size = segment->file_bytes;
    c = inq_cursor_init(image->bytes + segment->off, (size_t)size, image->big_endian,
                        image->elf_class / 8);
    while (inq_cursor_word(&c, &tag) && inq_cursor_word(&c, &value) && tag != DT_NULL) {
        switch (tag) {
        case DT_SYMTAB:
            dynamic.symtab = value;
            break;
        case DT_STRTAB:
            dynamic.strtab = value;
            break;
        case DT_STRSZ:
            dynamic.strings_size = value;
            break;
        case DT_HASH:
            dynamic.hash = value;
            break;
        case DT_GNU_HASH:
            dynamic.gnu_hash = value;
            break;
        case DT_SONAME:
            dynamic.soname = value;
            dynamic.has_soname = true;
            break;
        default:
            break;
        }
    }
    *ret_dynamic = dynamic;
    return true;
}

/* DT_HASH: nbucket, nchain; there are nchain symbols. Two 64-bit ABIs have 8-byte words in it. */
static uint64_t count_by_hash(const struct inq_image *image, uint64_t addr)
{
    const bool wide =
        image->elf_class == 64 && (image->machine == EM_S390 || image->machine == EM_ALPHA ||
                                   image->machine == 0x9026 /* old Alpha */);
    const uint8_t *p;
    size_t left;

    p = inq_image_at(image, addr, &left);
    if (!p || left < (wide ? 16 : 8))
        return 0;
    return wide ? inq_load_u64(p + 8, image->big_endian) : inq_load_u32(p + 4, image->big_endian);
}

/*
 * DT_GNU_HASH: nbuckets, symoffset, bloom words, shift; bloom; buckets; chains. The last symbol is
 * at the end of the chain that starts at the highest bucket: the word with bit 0 set.
 */
static uint64_t count_by_gnu_hash(const struct inq_image *image, uint64_t addr)
{
    const bool be = image->big_endian;
    const uint8_t *p;
    uint64_t nbuckets, first, bloom_bytes, buckets_off, chains_off, at, highest = 0;
    size_t left;

    p = inq_image_at(image, addr, &left);
    if (!p || left < 16)
        return 0;
    nbuckets = inq_load_u32(p, be);
    first = inq_load_u32(p + 4, be);
    bloom_bytes = (uint64_t)inq_load_u32(p + 8, be) * (image->elf_class / 8);
    buckets_off = 16 + bloom_bytes;
    chains_off = buckets_off + nbuckets * 4;
    if (chains_off > left)
        return 0;
    for (uint64_t i = 0; i < nbuckets; i++) {
        uint32_t bucket = inq_load_u32(p + buckets_off + i * 4, be);

        if (bucket > highest)
            highest = bucket;
    }
    if (highest < first) /* nothing is exported: only the symbols before `first` are there */
        return first;
    for (;; highest++) {
        at = chains_off + (highest - first) * 4;
        if (at > left || left - at < 4)
            return 0;
        if (inq_load_u32(p + at, be) & 1)
            return highest + 1;
    }
}

static void table_from_dynamic(struct inq_image *image, const struct dynamic *dynamic)
{
    struct inq_image_symbols table = {.entry_bytes = symbol_bytes(image)};
    const uint8_t *symbols, *strings;
    size_t symbols_left, strings_left;
    uint64_t count = 0;

    symbols = inq_image_at(image, dynamic->symtab, &symbols_left);
    strings = inq_image_at(image, dynamic->strtab, &strings_left);
    if (dynamic->symtab == 0 || !symbols || !strings || dynamic->strings_size > strings_left) {
        image->damaged = true;
        return;
    }
    if (dynamic->hash != 0)
        count = count_by_hash(image, dynamic->hash);
    if (count == 0 && dynamic->gnu_hash != 0)
        count = count_by_gnu_hash(image, dynamic->gnu_hash);
    if (count > symbols_left / table.entry_bytes ||
        !set_strings(&table, strings, dynamic->strings_size)) {
        image->damaged = true;
        return;
    }
    table.symbols = symbols;
    table.count = (size_t)count;
    image->dynsym = table;
}

static const char *soname_of(const struct inq_image *image, const struct dynamic *dynamic)
{
    const uint8_t *strings;
    size_t left;

    strings = inq_image_at(image, dynamic->strtab, &left);
    if (!strings || dynamic->soname >= left ||
        !memchr(strings + dynamic->soname, '\0', left - dynamic->soname))
        return NULL;
    strings += dynamic->soname;
    return *strings ? (const char *)strings : NULL;
}

/* 64-bit PowerPC ELF ABI Supplement 1.9, 3.2.1: a function's symbol is that of its descriptor. */
static void find_opd(struct inq_image *image)
{
    struct inq_image_section section;

    if (image->machine != EM_PPC64 || image->elf_class != 64 ||
        !inq_image_section(image, ".opd", &section) || section.compressed)
        return;
    image->opd = section.bytes;
    image->opd_addr = section.addr;
    image->opd_size = section.size;
}

void inq_image_find_tables(struct inq_image *image)
{
    struct dynamic dynamic;

    tables_from_sections(image);
    find_opd(image);
    if (!read_dynamic(image, &dynamic))
        return;
    /* A debug file has the program headers of its program, but not their bytes. */
    if (dynamic.strtab == 0)
        return;
    if (dynamic.has_soname)
        image->soname = soname_of(image, &dynamic);
    if (image->dynsym.count == 0 && image->n_sections == 0)
        table_from_dynamic(image, &dynamic);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bounds.h"
#include "cursor.h"
#include "elfhead.h"
#include "io.h"
#include "image_tables.h"

/* True when [off, off + size) lies in the file. */
static bool inside(const struct inq_image *image, uint64_t off, uint64_t size)
{
    return off <= image->size && size <= image->size - off;
}

static bool read_segments(struct inq_image *image, const struct inq_elf_header *header,
                          uint64_t count, struct inq_arena *arena)
{
    uint64_t fit;

    if (count == 0)
        return true;
    fit = header->phoff <= image->size ? (image->size - header->phoff) / header->phentsize : 0;
    if (count > fit) {
        image->damaged = true;
        count = fit;
    }
    if (count == 0)
        return true;
    image->segments = INQ_ARENA_ARRAY(arena, (size_t)count, struct inq_image_segment);
    if (!image->segments)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct inq_elf_segment s =
            inq_elf_segment_parse(header, image->bytes + header->phoff + i * header->phentsize);

        image->segments[i] = (struct inq_image_segment){.type = s.type,
                                                        .flags = s.flags,
                                                        .off = s.off,
                                                        .addr = s.addr,
                                                        .file_bytes = s.file_bytes,
                                                        .size = s.size};
    }
    image->n_segments = (size_t)count;
    return true;
}

/*
 * More than 0xfeff sections, or 0xfffe program headers, are counted in section 0 (gABI, "extended
 * numbering"). Sets *phnum in that case.
 */
static void find_sections(struct inq_image *image, const struct inq_elf_header *header,
                          uint64_t *phnum)
{
    struct inq_elf_section zero;
    uint64_t count = header->shnum;

    if (header->shoff == 0 || header->shentsize == 0) {
        if (*phnum == PN_XNUM)
            image->damaged = true;
        return;
    }
    if (!inside(image, header->shoff, header->shentsize)) {
        image->damaged = true;
        return;
    }
    zero = inq_elf_section_parse(header, image->bytes + header->shoff);
    if (count == 0)
        count = zero.size;
    if (*phnum == PN_XNUM)
        *phnum = zero.info;
    if (count > (image->size - header->shoff) / header->shentsize) {
        image->damaged = true; /* cut: none of them, their links lead anywhere */
        return;
    }
    image->sections = image->bytes + header->shoff;
    image->n_sections = (size_t)count;
    image->section_names = header->shstrndx == SHN_XINDEX ? zero.link : header->shstrndx;
    if (image->section_names >= image->n_sections)
        image->section_names = 0;
}

/* Fills in all but the bytes; on an error the image is closed. */
static struct inq_error *read_image(struct inq_image *image, struct inq_arena *arena,
                                    struct inq_image **ret_image)
{
    struct inq_elf_header header;
    uint64_t phnum;

    if (!inq_elf_header_parse(image->bytes, image->size, &header)) {
        inq_image_close(image);
        return inq_error_create(INQ_G_FILE_DAMAGED, "not an ELF file, or its header is damaged");
    }
    image->elf_class = header.elf_class;
    image->big_endian = header.big_endian;
    image->machine = header.machine;
    image->type = header.type;
    image->entry = header.entry;
    image->phoff = header.phoff;

    phnum = header.phnum;
    find_sections(image, &header, &phnum);
    if (!read_segments(image, &header, phnum, arena)) {
        inq_image_close(image);
        return &inq_error_oom;
    }
    inq_image_find_tables(image);
    *ret_image = image;
    return NULL;
}

struct inq_error *inq_image_open(int fd, struct inq_arena *arena, struct inq_image **ret_image)
{
    struct inq_image *image = INQ_ARENA_NEW(arena, struct inq_image);
    struct stat st;
    void *map;

    if (!image)
        return &inq_error_oom;
    if (fstat(fd, &st) < 0)
        return inq_error_create(INQ_E_IO, "fstat: %s", strerror(errno));
    if (st.st_size < EI_NIDENT || (uint64_t)st.st_size > INQ_MAX_FILE_BYTES)
        return inq_error_create(INQ_G_FILE_DAMAGED, "too %s for an ELF file",
                                st.st_size < EI_NIDENT ? "small" : "large");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return inq_error_create(INQ_E_IO, "mmap: %s", strerror(errno));
    image->bytes = map;
    image->size = (size_t)st.st_size;
    return read_image(image, arena, ret_image);
}

struct inq_error *inq_image_read(int fd, struct inq_arena *arena, struct inq_image **ret_image)
{
    struct stat st;
    uint8_t *bytes;
    ssize_t got;

    if (fstat(fd, &st) < 0)
        return inq_error_create(INQ_E_IO, "fstat: %s", strerror(errno));
    if (st.st_size < EI_NIDENT || (uint64_t)st.st_size > INQ_MAX_FILE_BYTES)
        return inq_error_create(INQ_G_FILE_DAMAGED, "too %s for an ELF file",
                                st.st_size < EI_NIDENT ? "small" : "large");
    bytes = malloc((size_t)st.st_size);
    if (!bytes)
        return &inq_error_oom;
    got = inq_pread_full(fd, bytes, (size_t)st.st_size, 0);
    if (got == st.st_size)
        return inq_image_take(bytes, (size_t)st.st_size, arena, ret_image);
    free(bytes);
    return got < 0 ? inq_error_create(INQ_E_IO, "cannot be read: %s", strerror(errno))
                   : inq_error_create(INQ_G_FILE_DAMAGED, "it was cut short while it was read");
}

struct inq_error *inq_image_take(uint8_t *bytes, size_t size, struct inq_arena *arena,
                                 struct inq_image **ret_image)
{
    struct inq_image *image = INQ_ARENA_NEW(arena, struct inq_image);

    if (!image) {
        free(bytes);
        return &inq_error_oom;
    }
    image->bytes = bytes;
    image->size = size;
    image->on_heap = true;
    return read_image(image, arena, ret_image);
}

void inq_image_close(struct inq_image *image)
{
    union {
        const uint8_t *from;
        void *to;
    } map;

    if (!image || !image->bytes)
        return;
    map.from = image->bytes;
    if (image->on_heap)
        free(map.to);
    else
        munmap(map.to, image->size);
    image->bytes = NULL;
    image->size = 0;
    image->symtab.count = image->dynsym.count = 0;
    image->n_sections = 0;
}

const uint8_t *inq_image_at(const struct inq_image *image, uint64_t addr, size_t *ret_left)
{
    for (size_t i = 0; i < image->n_segments; i++) {
        const struct inq_image_segment *s = &image->segments[i];
        uint64_t into = addr - s->addr, left;

        if (s->type != PT_LOAD || addr < s->addr || into >= s->file_bytes || s->off > image->size ||
            into >= image->size - s->off)
            continue;
        left = image->size - s->off - into;
        if (left > s->file_bytes - into)
            left = s->file_bytes - into;
        *ret_left = (size_t)left;
        return image->bytes + s->off + into;
    }
    return NULL;
}

struct inq_elf_section inq_image_section_header(const struct inq_image *image, size_t i)
{
    const struct inq_elf_header header = {.elf_class = image->elf_class,
                                          .big_endian = image->big_endian};
    const size_t entry_bytes = image->elf_class == 64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);

    return inq_elf_section_parse(&header, image->sections + i * entry_bytes);
}

bool inq_image_section(const struct inq_image *image, const char *name,
                       struct inq_image_section *ret_section)
{
    const size_t name_size = strlen(name) + 1;
    struct inq_elf_section names;

    if (image->section_names == 0)
        return false;
    names = inq_image_section_header(image, image->section_names);
    if (names.type == SHT_NOBITS || !inside(image, names.off, names.size))
        return false;
    for (size_t i = 1; i < image->n_sections; i++) {
        struct inq_elf_section s = inq_image_section_header(image, i);

        if (s.name >= names.size || names.size - s.name < name_size ||
            memcmp(image->bytes + names.off + s.name, name, name_size) != 0)
            continue;
        if (s.type == SHT_NOBITS || !inside(image, s.off, s.size))
            return false;
        *ret_section = (struct inq_image_section){.addr = s.addr,
                                                  .bytes = image->bytes + s.off,
                                                  .size = (size_t)s.size,
                                                  .compressed = s.flags & SHF_COMPRESSED};
        return true;
    }
    return false;
}

/* ---- symbols ------------------------------------------------------------------------------ */

bool inq_image_symbol(const struct inq_image *image, const struct inq_image_symbols *table,
                      size_t i, struct inq_symbol *ret_symbol)
{
    const bool be = image->big_endian;
    const uint8_t *p;
    uint64_t addr, size;
    uint32_t name;
    uint16_t section;
    uint8_t info, other;

    if (i >= table->count)
        return false;
    p = table->symbols + i * table->entry_bytes;
    name = inq_load_u32(p, be);
    if (image->elf_class == 64) {
        info = p[offsetof(Elf64_Sym, st_info)];
        other = p[offsetof(Elf64_Sym, st_other)];
        section = inq_load_u16(p + offsetof(Elf64_Sym, st_shndx), be);
        addr = inq_load_u64(p + offsetof(Elf64_Sym, st_value), be);
        size = inq_load_u64(p + offsetof(Elf64_Sym, st_size), be);
    } else {
        info = p[offsetof(Elf32_Sym, st_info)];
        other = p[offsetof(Elf32_Sym, st_other)];
        section = inq_load_u16(p + offsetof(Elf32_Sym, st_shndx), be);
        addr = inq_load_u32(p + offsetof(Elf32_Sym, st_value), be);
        size = inq_load_u32(p + offsetof(Elf32_Sym, st_size), be);
    }
    if (image->opd && addr >= image->opd_addr && addr - image->opd_addr < image->opd_size &&
        image->opd_size - (addr - image->opd_addr) >= 8)
        addr = inq_load_u64(image->opd + (addr - image->opd_addr), be);
    /* The strings end with a NUL, so a name inside them ends inside them. */
    if (name >= table->strings_size || size > UINT64_MAX - addr)
        return false;
    *ret_symbol = (struct inq_symbol){.name = table->strings + name,
                                      .addr = addr,
                                      .size = size,
                                      .type = ELF64_ST_TYPE(info),
                                      .bind = ELF64_ST_BIND(info),
                                      .visibility = ELF64_ST_VISIBILITY(other),
                                      .section = section};
    return true;
}

/* Of both classes' symbols the name comes first. `size`: with the NUL. */
static bool is_named(const struct inq_image *image, const struct inq_image_symbols *table, size_t i,
                     const char *name, size_t size)
{
    const uint32_t at = inq_load_u32(table->symbols + i * table->entry_bytes, image->big_endian);

    /* few names end just there */
    return at < table->strings_size && table->strings_size - at >= size &&
           table->strings[at + size - 1] == '\0' && table->strings[at] == name[0] &&
           memcmp(table->strings + at, name, size) == 0;
}

/* A global symbol, else a local one (ret_symbol is then set, too). */
static bool find_in(const struct inq_image *image, const struct inq_image_symbols *table,
                    const char *name, struct inq_symbol *ret_symbol, bool *ret_local)
{
    const size_t size = strlen(name) + 1;
    struct inq_symbol symbol;

    for (size_t i = 1; i < table->count; i++) {
        if (!is_named(image, table, i, name, size) || !inq_image_symbol(image, table, i, &symbol) ||
            symbol.section == SHN_UNDEF || symbol.type == STT_TLS || symbol.type == STT_FILE ||
            symbol.type == STT_SECTION)
            continue;
        if (symbol.bind != STB_LOCAL) {
            *ret_symbol = symbol;
            return true;
        }
        if (!*ret_local) {
            *ret_symbol = symbol;
            *ret_local = true;
        }
    }
    return false;
}

bool inq_image_find_symbol(const struct inq_image *image, const char *name,
                           struct inq_symbol *ret_symbol)
{
    struct inq_symbol symbol = {0};
    bool local = false;

    if (!find_in(image, &image->symtab, name, &symbol, &local) &&
        !find_in(image, &image->dynsym, name, &symbol, &local) && !local)
        return false;
    *ret_symbol = symbol;
    return true;
}

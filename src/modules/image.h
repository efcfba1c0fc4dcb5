/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MODULES_IMAGE_H
#define INQ_MODULES_IMAGE_H

/*
 * An ELF file of this machine (a module or its debug file), mapped and validated: program headers,
 * section headers and symbol tables, any class and byte order. Formats: elf(5), the gABI.
 * Every view lies inside the mapping; a table that does not is left out (`damaged` is set).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"

struct inq_image_segment {
    uint32_t type, flags;
    uint64_t off, addr, file_bytes, size;
};

struct inq_image_symbols { /* one symbol table with its strings */
    const uint8_t *symbols;
    size_t count;
    size_t entry_bytes;
    const char *strings;
    size_t strings_size;
};

struct inq_image {
    const uint8_t *bytes;
    size_t size;
    uint8_t elf_class;
    bool big_endian;
    uint16_t machine, type;
    uint64_t entry;             /* e_entry: a file address */
    uint64_t phoff;             /* e_phoff: where the program headers lie in the file */
    struct inq_image_segment *segments;
    size_t n_segments;
    struct inq_image_symbols symtab, dynsym; /* count 0 when there is none */
    const char *soname;                      /* DT_SONAME, NULL without */
    const uint8_t *sections; /* the section header table; n_sections 0 when there is none */
    size_t n_sections;
    size_t section_names; /* index of the section with their names, 0 without */
    const uint8_t *opd;   /* ppc64, ELFv1: function descriptors, which symbols name; NULL without */
    uint64_t opd_addr, opd_size;
    bool damaged;
    bool on_heap; /* bytes came from malloc(), not from a file */
};

struct inq_image_section { /* one that has bytes in the file */
    uint64_t addr;         /* sh_addr: a file address, 0 when it is not loaded */
    const uint8_t *bytes;
    size_t size;
    bool compressed; /* SHF_COMPRESSED */
};

struct inq_symbol {
    const char *name; /* NUL-terminated inside the string table */
    uint64_t addr;    /* a file address, add the load bias: st_value, or the code that a function
                         descriptor there (ppc64) points to */
    uint64_t size;
    uint8_t type, bind, visibility;
    uint16_t section;
};

/* Maps and reads `fd` (which stays the caller's). Errors: not ELF, header damaged. */
struct inq_error *inq_image_open(int fd, struct inq_arena *arena, struct inq_image **ret_image);
/* Reads it into memory instead: for files that may be cut short or fail while they are mapped. */
struct inq_error *inq_image_read(int fd, struct inq_arena *arena, struct inq_image **ret_image);
/*
 * The same for a file that was unpacked into memory. `bytes` is malloc()ed and belongs to the image
 * from here on, also when this fails.
 */
struct inq_error *inq_image_take(uint8_t *bytes, size_t size, struct inq_arena *arena,
                                 struct inq_image **ret_image);
void inq_image_close(struct inq_image *image); /* unmaps; takes NULL */

/* Symbol number i; false when it is malformed (name outside the strings, ...). */
bool inq_image_symbol(const struct inq_image *image, const struct inq_image_symbols *table,
                      size_t i, struct inq_symbol *ret_symbol);
/* A defined symbol by name, .symtab first, then .dynsym; false when there is none. Linear. */
bool inq_image_find_symbol(const struct inq_image *image, const char *name,
                           struct inq_symbol *ret_symbol);

/* A section by name; false when there is none, or it has no bytes in this file. Linear. */
bool inq_image_section(const struct inq_image *image, const char *name,
                       struct inq_image_section *ret_section);

/*
 * The bytes of the file from a file address on, by the program headers; NULL when no segment of the
 * file covers it. *ret_left: how many follow in that segment.
 */
const uint8_t *inq_image_at(const struct inq_image *image, uint64_t addr, size_t *ret_left);

#endif

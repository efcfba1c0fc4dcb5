/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BINDINGS_DYNAMIC_H
#define INQ_BINDINGS_DYNAMIC_H

/*
 * One module as the dynamic linker saw it: its dynamic section (from the process's memory), and the
 * tables that lead on from there. Formats: gABI, chapter 5; LSB core, "Symbol Versioning"; the
 * .gnu.hash section of binutils.
 *
 * The section lies in memory that the linker wrote to, so dumps hold it. The tables lie in
 * read-only pages, which dumps leave out: those come from the verified file. Every table is cut to
 * the bytes that are there; what does not fit is not used.
 */

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cursor.h"
#include "modules.h"

#define INQ_MAX_NEEDED 1024u /* DT_NEEDED of one module; real ones have up to some hundred */

struct inq_bytes {
    const uint8_t *bytes; /* NULL: not there */
    size_t size;
};

struct inq_version { /* by its index in .gnu.version */
    uint32_t hash;   /* of its name; 0: no such index */
    uint32_t name;   /* offset into the strings */
};

struct inq_dynamic {
    struct inq_module *module;
    bool read;          /* symbols, strings and a hash table are there */
    const char *unread; /* why not; static */
    bool big_endian, is64;

    struct inq_bytes symbols, strings; /* strings end with a NUL */
    size_t n_symbols;                  /* upper bound: all indexes below are in bounds */

    struct inq_bytes bloom, buckets, chains; /* DT_GNU_HASH; bloom NULL without */
    uint32_t first_hashed, bloom_shift;
    struct inq_bytes sysv_buckets, sysv_chains; /* DT_HASH */
    uint8_t sysv_bytes;                         /* of an entry: 8 on s390x and alpha */

    struct inq_bytes versym; /* empty: no versions */
    struct inq_version *versions;
    size_t n_versions;
    bool has_definitions; /* DT_VERDEF */

    uint64_t rela, rela_size, rel, rel_size; /* file addresses and bytes */
    uint64_t plt, plt_size;
    bool plt_is_rela;

    const char *soname, *runpath; /* runpath: DT_RUNPATH, else DT_RPATH; NULL without */
    const char **needed;
    size_t n_needed;
    bool symbolic, bind_now, bind_now_known;
};

struct inq_sym {
    const char *name;
    uint64_t value, size; /* st_value: a file address */
    uint16_t section;
    uint8_t bind, type, visibility;
};

struct inq_tables { /* where tables come from */
    struct inq_modules *modules;
    size_t copy_left; /* bytes that may still be copied, where a table is not in one piece */
};

/*
 * Reads what the module's dynamic section says; tables that cannot be read leave `read` false and
 * `unread` set. Errors: no memory.
 */
struct inq_error *inq_dynamic_read(struct inq_tables *tables, struct inq_module *module,
                                   struct inq_dynamic *ret_dynamic);

/* A piece of the module at a file address, cut to what is there; NULL bytes when nothing is. */
struct inq_bytes inq_dynamic_at(struct inq_tables *tables, const struct inq_module *module,
                                uint64_t file_addr);

static inline uint32_t inq_bytes_u32(struct inq_bytes b, size_t index, bool big_endian)
{
    return inq_load_u32(b.bytes + index * 4, big_endian);
}

/* A name in the strings; NULL when it lies outside. */
static inline const char *inq_dynamic_string(const struct inq_dynamic *d, uint64_t offset)
{
    return offset < d->strings.size ? (const char *)d->strings.bytes + offset : NULL;
}

/* Symbol number i; false when it is not there or has no name inside the strings. */
static inline bool inq_dynamic_symbol(const struct inq_dynamic *d, size_t i,
                                      struct inq_sym *ret_symbol)
{
    const bool be = d->big_endian;
    const uint8_t *p;
    uint8_t info, other;

    if (i >= d->n_symbols)
        return false;
    if (d->is64) {
        p = d->symbols.bytes + i * sizeof(Elf64_Sym);
        info = p[offsetof(Elf64_Sym, st_info)];
        other = p[offsetof(Elf64_Sym, st_other)];
        ret_symbol->section = inq_load_u16(p + offsetof(Elf64_Sym, st_shndx), be);
        ret_symbol->value = inq_load_u64(p + offsetof(Elf64_Sym, st_value), be);
        ret_symbol->size = inq_load_u64(p + offsetof(Elf64_Sym, st_size), be);
    } else {
        p = d->symbols.bytes + i * sizeof(Elf32_Sym);
        info = p[offsetof(Elf32_Sym, st_info)];
        other = p[offsetof(Elf32_Sym, st_other)];
        ret_symbol->section = inq_load_u16(p + offsetof(Elf32_Sym, st_shndx), be);
        ret_symbol->value = inq_load_u32(p + offsetof(Elf32_Sym, st_value), be);
        ret_symbol->size = inq_load_u32(p + offsetof(Elf32_Sym, st_size), be);
    }
    ret_symbol->bind = ELF64_ST_BIND(info);
    ret_symbol->type = ELF64_ST_TYPE(info);
    ret_symbol->visibility = ELF64_ST_VISIBILITY(other);
    ret_symbol->name = inq_dynamic_string(d, inq_load_u32(p, be));
    return ret_symbol->name != NULL;
}

/* ---- lookup.c ------------------------------------------------------------------------------- */

/* The hash of .gnu.hash: Bernstein's, times 33. */
static inline uint32_t inq_gnu_hash(const char *name)
{
    uint32_t h = 5381;

    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        h = h * 33 + *p;
    return h;
}

struct inq_wanted { /* what is looked for */
    const char *name;
    uint32_t hash;         /* inq_gnu_hash(name) */
    uint32_t version_hash; /* 0: the reference asks for no version */
    const char *version;   /* its name; NULL then */
    uint64_t *steps_left;  /* entries that may still be looked at: the tables are foreign */
};

/* Can a definition of this hash be in the module? False is certain. */
static inline bool inq_dynamic_may_define(const struct inq_dynamic *d, uint32_t hash)
{
    const size_t word_bytes = d->is64 ? 8 : 4, bits = word_bytes * 8;
    size_t words = d->bloom.size / word_bytes;
    uint64_t word;

    if (!d->bloom.bytes)
        return d->sysv_buckets.bytes != NULL;
    if (words == 0 || d->buckets.size == 0)
        return false;
    const uint8_t *p = d->bloom.bytes + ((hash / bits) & (words - 1)) * word_bytes;
    word = d->is64 ? inq_load_u64(p, d->big_endian) : inq_load_u32(p, d->big_endian);
    return (word >> (hash % bits)) & (word >> ((hash >> (d->bloom_shift & 31)) % bits)) & 1;
}

/*
 * The definition that a reference from another module gets in this one: exported, and of the
 * version asked for (a library without versions satisfies any; do_lookup_x() and check_match() of
 * glibc). False when there is none. *ret_index may be NULL.
 */
bool inq_dynamic_find(const struct inq_dynamic *d, const struct inq_wanted *wanted,
                      struct inq_sym *ret_symbol, size_t *ret_index);
/*
 * A definition of any version by that name at that file address, or, failing that, an indirect
 * function of that name. False when there is none.
 */
bool inq_dynamic_find_at(const struct inq_dynamic *d, const struct inq_wanted *wanted,
                         uint64_t value, struct inq_sym *ret_symbol, size_t *ret_index);
/* The version that symbol i has, or asks for; NULL without one. */
const char *inq_dynamic_version(const struct inq_dynamic *d, size_t i, uint32_t *ret_hash);

/*
 * Calls `visit` for every exported definition, with its hash (without the lowest bit where only
 * that is known) and index, until it returns false.
 */
void inq_dynamic_exports(const struct inq_dynamic *d,
                         bool (*visit)(void *context, uint32_t hash, size_t index), void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PREFIX_EXPORTS_H
#define INQ_PREFIX_EXPORTS_H

/*
 * What a library offers and asks for, by its dynamic section: the strong names it defines with
 * their versions, its DT_NEEDED entries and where it looks for them. Formats: the gABI, and the LSB
 * for .gnu.version and .gnu.version_d.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "array.h"
#include "image.h"

#define INQ_MAX_PREFIX_NAMES (16u << 20) /* of all files together */
#define INQ_MAX_NEEDED_NAMES 1024u

/* One strong definition. Names and versions by 64- and 32-bit hashes; a version of 0 is none. */
struct inq_export {
    uint64_t name;
    uint32_t version;
    uint32_t file;
};

struct inq_exports {
    INQ_ARRAY(struct inq_export) items;
};

struct inq_library_links {
    const char *soname;        /* NULL without */
    const char *const *needed; /* DT_NEEDED */
    size_t n_needed;
    const char *run_path; /* DT_RUNPATH, else DT_RPATH; NULL without */
    size_t n_exports;     /* different strong names, without these: */
    uint32_t boilerplate; /* of _init, _edata and such, which it exports: a bit for each */
    uint64_t fingerprint; /* of those names: equal files have equal ones */
};

/*
 * Appends the file's names, each (name, version) once, sorted. Names that every file has (_init,
 * _edata) are only noted. The texts of ret_links are copies.
 */
struct inq_error *inq_exports_read(const struct inq_image *image, uint32_t file,
                                   struct inq_arena *arena, struct inq_exports *exports,
                                   struct inq_library_links *ret_links);

#endif

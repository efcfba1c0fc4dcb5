/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PREFIX_PREFIX_PARTS_H
#define INQ_PREFIX_PREFIX_PARTS_H

/* What the files of this layer share. */

#include "evidence.h"
#include "exports.h"
#include "inventory.h"
#include "library_name.h"
#include "owners.h"
#include "pairs.h"

enum inq_hazard { INQ_HAZARD_LOW, INQ_HAZARD_POSSIBLE, INQ_HAZARD_HIGH };

struct inq_prefix_file {
    const char *path; /* below the folder, with a leading slash */
    const char *name; /* its last component */
    struct inq_library library;
    struct inq_library_links links;
    struct inq_owner owner;
    uint8_t build_id[INQ_MAX_BUILD_ID];
    uint8_t build_id_size;
    uint64_t size;
    uint16_t machine;
    uint8_t elf_class;
    char config[192]; /* "" without */
    bool is_library;  /* a shared ELF file that could be read */
    uint32_t same_as; /* the first file with this content; its own index when it is that one */
    uint32_t n_same; /* in the first: how many files have this content, itself counted */
    uint32_t
        furthest; /* of all files with this content, the one with the most reach; in the first */
    bool capturer_known;
    const struct inq_prefix_file *capturer;
    /* What may make its symbols go before those of others: */
    enum inq_hazard reach; /* LOW: nothing known */
    const char *loader;    /* the package that does it; NULL without */
    const char *reason;    /* a sentence; NULL without */
};

struct inq_prefix {
    struct inq_inventory inventory;
    struct inq_opener *opener;
    struct inq_owners *owners;
    struct inq_arena *arena;
    struct inq_prefix_file *files;
    size_t n_files, n_unread; /* the last n_unread were not looked at */
    uint32_t *by_path, *by_name; /* indexes of files, sorted; by_name: soname, else file name */
    size_t n_packages, n_libraries;
    size_t n_sharing; /* pairs of files that differ and have many names in common; not all listed */
    struct inq_exports exports;
};

/* ---- loaders.c ------------------------------------------------------------------------------ */

/* Sorts the indexes that the look-ups below need. */
struct inq_error *inq_prefix_index(struct inq_prefix *prefix);
/* Sets reach, loader and reason of the files that something here loads for everybody. */
struct inq_error *inq_prefix_find_loaders(struct inq_prefix *prefix);
/*
 * The module that would take a library by its plain soname although its own search does not lead
 * there; NULL without. `of` has that soname.
 */
const struct inq_prefix_file *inq_prefix_capturer(const struct inq_prefix *prefix,
                                                  const struct inq_prefix_file *of);

/* ---- prefix_facts.c ------------------------------------------------------------------------- */

struct inq_prefix_pair {
    struct inq_pair pair;
    uint32_t smaller;
    enum inq_hazard hazard;
    const char *family, *reason, *loader; /* reason is never NULL */
};

struct inq_error *inq_prefix_record(const struct inq_prefix *prefix,
                                    const struct inq_prefix_pair *pairs, size_t n_pairs,
                                    struct inq_evidence *evidence);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_CONDA_H
#define INQ_PACKAGES_CONDA_H

/*
 * The packages of a conda environment: conda-meta/NAME-VERSION-BUILD.json in its folder, each with
 * `name`, `version`, `depends` and `files` (relative to that folder).
 */

#include "arena.h"
#include "blob.h"

struct inq_conda_package {
    const char *file;           /* "openssl-3.2.1-hd590300_1.json" */
    const char *name, *version; /* as the file's name has them */
};

struct inq_conda_file { /* with ".so" in its name */
    const char *path;
    uint32_t package;
};

struct inq_conda {
    const char *path;                   /* of the environment; "" when it is the root itself */
    struct inq_conda_package *packages; /* sorted by name */
    size_t n_packages;                  /* 0: not a conda environment */
    struct inq_site *graph;             /* who needs whom; NULL until it was asked for */
    struct inq_conda_file *files;       /* sorted; on the heap; of a thorough search */
    size_t n_files;
    bool indexed;
};

struct inq_error *inq_conda_open(struct inq_opener *opener, const char *path,
                                 struct inq_arena *arena, struct inq_conda **ret_conda);

/* What it holds besides the arena; takes NULL. */
void inq_conda_close(struct inq_conda *conda);

/*
 * The package whose `files` holds `below`; NULL without. Those with a name like the hint's first
 * (not terminated; may be empty), the others only with `thorough`, which reads every
 * package's file once and finds only what has ".so" in its name.
 */
struct inq_error *inq_conda_owner(struct inq_conda *conda, struct inq_opener *opener,
                                  struct inq_arena *arena, const char *below, const char *hint,
                                  size_t hint_size, bool thorough,
                                  const struct inq_conda_package **ret_package);

/* By conda's name, compared as names of Python distributions are; NULL without. */
const struct inq_conda_package *inq_conda_find(const struct inq_conda *conda, const char *key);

/*
 * Who needs it, as inq_site_chains() says it. Reads every package's file, once.
 */
struct inq_error *inq_conda_chains(struct inq_conda *conda, struct inq_opener *opener,
                                   struct inq_arena *arena, const struct inq_conda_package *package,
                                   const char *const **ret_chains, size_t *ret_count,
                                   size_t *ret_total);

#endif

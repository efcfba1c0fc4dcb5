/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_INVENTORY_H
#define INQ_FILES_INVENTORY_H

/*
 * What the parent found in the folder, as one block of NUL-terminated texts: INQ_INVENTORY_MAGIC,
 * the folder as the user named it, then one text for each find, a letter and a path below the
 * folder that begins with a slash:
 *
 *   L  a file with the name of a shared library      S  a folder with distributions of Python
 *   P  a .py file that has the word RTLD_GLOBAL      C  a conda environment's folder ("" is the
 *   !  a limit that was reached, in words                folder itself; so it is for S)
 *   -  what was left out, in words                   T  for how long files may be read: 1/1000 s
 */

#include "arena.h"
#include "error.h"

#define INQ_INVENTORY_MAGIC "inquest-inventory-1"
#define INQ_MAX_INVENTORY_BYTES (64u << 20)
#define INQ_MAX_PREFIX_LIBRARIES 16384u
#define INQ_MAX_PREFIX_SCRIPTS 1024u
#define INQ_MAX_PREFIX_SITES 64u

struct inq_inventory {
    const char *folder;
    const char *const *libraries, *const *scripts, *const *sites, *const *condas, *const *limits,
        *const *omitted;
    size_t n_libraries, n_scripts, n_sites, n_condas, n_limits, n_omitted;
    uint64_t read_msec; /* 0: as long as it takes */
};

/* Reads it from a file that does not change. INQ_E_INTERNAL when it is none. */
struct inq_error *inq_inventory_read(int fd, struct inq_arena *arena,
                                     struct inq_inventory *ret_inventory);

#endif

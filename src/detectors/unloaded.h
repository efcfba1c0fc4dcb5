/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_UNLOADED_H
#define INQ_DETECTORS_UNLOADED_H

/*
 * Libraries that are not loaded any more. dlclose() unmaps them and frees their struct link_map;
 * until that memory is used again, the record can still be read there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

struct inq_unloaded {
    const char *name; /* last component of what dlopen() was given, or it was linked as; NULL when
                         that is gone; "libfo..." when the end of it is; raw; in the arena */
    uint64_t start, size; /* where it lay */
};

/*
 * The freed record of a library that lay at addr, where nothing is mapped now. 64-bit CPUs with
 * glibc. free() overwrites its first words (l_addr, l_name, l_ld, l_next) and leaves the others: it
 * is known by l_real, which points to the record itself, by l_map_start and l_map_end around addr,
 * and by l_info[], which points in between (include/link.h; glibc 2.31 to 2.43). False when there
 * is none: then it may have been overwritten.
 */
bool inq_unloaded_at(const struct inq_dump *dump, uint64_t addr, struct inq_unloaded *ret_unloaded);

/*
 * How many libraries were unloaded in the life of the process, by the dynamic linker's count
 * (_dl_load_adds of _rtld_global, less what is loaded); -1 when that is not found.
 */
int64_t inq_unloaded_count(const struct inq_dump *dump);

#endif

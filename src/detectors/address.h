/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_ADDRESS_H
#define INQ_DETECTORS_ADDRESS_H

/* What is at that address? One answer for the address of a fault, for registers, for messages. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

enum inq_place {
    INQ_PLACE_UNKNOWN,      /* the dump's list of mappings is not whole */
    INQ_PLACE_NULL,         /* the first 64 KiB, where nothing is ever mapped */
    INQ_PLACE_NONCANONICAL, /* no address at all */
    INQ_PLACE_VSYSCALL,
    INQ_PLACE_KERNEL,      /* the kernel's half */
    INQ_PLACE_GUARD,       /* of a thread's stack */
    INQ_PLACE_STACK,       /* of a thread */
    INQ_PLACE_BELOW_STACK, /* not mapped, at most 1 MiB below one */
    INQ_PLACE_MODULE,      /* a program or library, the vdso too */
    INQ_PLACE_SHM,         /* /dev/shm */
    INQ_PLACE_MEMFD,
    INQ_PLACE_SYSV, /* shmget() */
    INQ_PLACE_HUGETLB,
    INQ_PLACE_PAST_EOF,  /* in the mapping of a file, and the fault says that the file is shorter */
    INQ_PLACE_FILE,      /* mapped, no ELF */
    INQ_PLACE_HEAP,      /* brk() */
    INQ_PLACE_NO_RIGHTS, /* mapped without any right, and no stack's guard */
    INQ_PLACE_ANONYMOUS,
    INQ_PLACE_LIBRARY_GAP, /* not mapped; a hole where a library was, by what is left of its
                              record, or, as the text says then, by the shape of the hole */
    INQ_PLACE_GAP,         /* not mapped */
};

struct inq_address {
    enum inq_place place;
    const char *text;                /* one line, printable but for foreign names; in the arena */
    const struct inq_module *module; /* NULL without */
    const char *unloaded; /* name of the library that had been there; raw; NULL without */
    const char *symbol;   /* covers the address; NULL without */
    bool has_offset;      /* offset counts */
    uint64_t offset; /* from the symbol, else from the module's load bias; in an unloaded library
                        from its start */
    size_t thread;   /* index of the thread whose stack it is; SIZE_MAX without */
    bool has_depth;
    uint64_t depth_bytes; /* of a stack: from its outermost end down to the address */
};

/* "stack-guard"; never NULL. Static. */
const char *inq_place_name(enum inq_place place);

/* False without memory. */
bool inq_address_describe(struct inq_dump *dump, uint64_t addr, struct inq_address *ret_address);

/*
 * A library was at addr and is gone: its record was found (unloaded.h), or the thread tried to run
 * what lies in a hole of the right shape, and the dynamic linker has unloaded something.
 */
bool inq_is_unloaded_library(const struct inq_dump *dump, uint64_t addr, bool executed);

/*
 * A hole in the map that a library may have left: the libraries of a process are mapped one below
 * the other without room between, so a hole of 3 pages to 64 MiB between two of them was something
 * that is gone: not always a library (the linker itself leaves one where it had mapped its cache).
 * `executed`: the thread tried to run it; then the neighbours need not both be libraries.
 */
bool inq_is_library_gap(const struct inq_dump *dump, uint64_t addr, bool executed);

#endif

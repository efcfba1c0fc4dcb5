/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_EH_TABLE_H
#define INQ_UNWIND_EH_TABLE_H

/*
 * Where the call frame information of a function is: the binary search table of `.eh_frame_hdr`
 * (LSB core, "Exception Frame Header"), read through the memory of the dead process, so only from
 * the dump's own pages or from a file that is verified to be the same. An executable without that
 * header (gcc -static) gets an index made of its `.eh_frame` section.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codemap.h"
#include "modules.h"

struct inq_eh_entry { /* addresses in the dead process */
    uint64_t start;   /* of the function */
    uint64_t fde;
};

enum inq_eh_state {
    INQ_EH_UNREAD,
    INQ_EH_TABLE, /* of .eh_frame_hdr */
    INQ_EH_INDEX, /* our own */
    INQ_EH_NONE,  /* and why says why */
};

struct inq_eh_table {
    enum inq_eh_state state;
    const char *why; /* static text: "the file is not here", ...; printable */
    uint64_t base;   /* what the table's offsets are relative to: the address of the header */
    uint64_t count;
    const uint8_t *view; /* the entries in one piece, NULL: read them one by one */
    struct inq_eh_entry *index;
};

/* Reads the module's table once; asks for its file when that was put off and the dump has no table.
 */
void inq_eh_table_read(struct inq_eh_table *table, struct inq_codemap *code,
                       struct inq_module *module);

/* The last function that begins at or below addr; false when there is none. */
bool inq_eh_table_find(const struct inq_eh_table *table, struct inq_codemap *code, uint64_t addr,
                       struct inq_eh_entry *ret_entry);

#endif

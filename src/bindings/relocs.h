/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BINDINGS_RELOCS_H
#define INQ_BINDINGS_RELOCS_H

/*
 * Relocations that leave the address of a symbol in a word of the module: its slots. One small
 * table a CPU; sources: the processor supplements of the ABI, and elf.h.
 */

#include "dynamic.h"

enum inq_slot_kind {
    INQ_SLOT_NONE, /* another relocation */
    INQ_SLOT_JUMP, /* of the PLT: may wait for the first call */
    INQ_SLOT_GLOB, /* of the GOT */
    INQ_SLOT_ABS,  /* a word of data: symbol + addend */
};

struct inq_slot_types { /* 0: the CPU has none of that kind */
    uint32_t jump, glob, absolute;
};

/* NULL for a CPU without a table. */
const struct inq_slot_types *inq_slot_types(uint16_t machine, uint8_t elf_class);

struct inq_slot {
    uint64_t addr; /* in the dead process */
    uint64_t addend;
    bool has_addend; /* false: REL, the addend was overwritten by the relocation */
    size_t symbol;   /* index */
    enum inq_slot_kind kind;
};

/* Where in the module's tables one is; zero it to begin. */
struct inq_slot_cursor {
    unsigned table; /* 0 rela, 1 rel, 2 plt; 3: at the end */
    size_t entry;
    struct inq_bytes bytes;
    bool opened;
    bool damaged; /* out: a table is not there, or is shorter than it should be */
};

/* The next slot; false at the end. */
bool inq_slot_next(struct inq_tables *tables, const struct inq_dynamic *d,
                   const struct inq_slot_types *types, struct inq_slot_cursor *cursor,
                   struct inq_slot *ret_slot);

#endif

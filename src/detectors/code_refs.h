/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CODE_REFS_H
#define INQ_DETECTORS_CODE_REFS_H

/*
 * Which foreign slots the code of a function uses, from its beginning to the program counter, and
 * at which offsets of the objects that they lead to. x86-64: `mov slot(%rip),%reg` loads the
 * address of an object, `0x1c0(%reg)` is a field of it, and a call goes through a stub of the PLT
 * or through the slot itself. Instructions are read in the order of their addresses; behind a jump
 * that is always taken nothing is known of the registers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings.h"
#include "detector.h"

struct inq_code_ref {
    size_t binding;  /* index into bindings->foreign */
    bool has_offset; /* a field of the object was used: offset and width count */
    uint64_t offset;
    unsigned width;   /* bytes; 0 for an address that was only worked out */
    bool is_call;     /* through the slot */
    bool is_last;     /* the instruction at, or right before, the program counter */
    bool is_argument; /* the field's value was the first argument of the call that is going on */
    bool is_base;     /* the field's value, or the object, was the base of the last instruction */
};

struct inq_code_refs {
    bool examined;              /* the code is there and this CPU's is understood */
    struct inq_code_ref *items; /* in the arena */
    size_t count;
};

/*
 * Of the frame's function; `first` and `n` are the foreign slots that its module holds. Errors: no
 * memory.
 */
struct inq_error *inq_code_refs(struct inq_dump *dump, const struct inq_bindings *bindings,
                                const struct inq_frame *frame, size_t first, size_t n,
                                struct inq_code_refs *ret_refs);

#endif

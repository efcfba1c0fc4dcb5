/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_DEMANGLE_H
#define INQ_UNWIND_DEMANGLE_H

/*
 * Names as people write them, from those that linkers see: C++ (Itanium ABI, "External Names") and
 * Rust (legacy and v0, RFC 2603). The work is libiberty's; this bounds what goes in and comes out.
 *
 * The parameter list is left off: `ns::Foo<int>::bar`, not `ns::Foo<int>::bar(int) const`. It is
 * what one says of a function and searches for, tables stay readable, and a key made of it is the
 * same whether the name came from a symbol or from DWARF. Overloads are told apart by the raw name,
 * which is kept.
 */

#include <stddef.h>

#include "arena.h"

#define INQ_MAX_MANGLED_BYTES 8192u          /* longer names stay as they are */
#define INQ_MAX_DEMANGLED_BYTES 16384u       /* likewise names that become longer than this */
#define INQ_MAX_DEMANGLED_TOTAL (16u << 20u) /* of one analysis */

struct inq_demangler {
    struct inq_arena *arena;
    size_t bytes_left;
};

static inline struct inq_demangler inq_demangler_init(struct inq_arena *arena)
{
    return (struct inq_demangler){.arena = arena, .bytes_left = INQ_MAX_DEMANGLED_TOTAL};
}

/* The readable name, in the arena; `name` itself when it is no mangled one or stays as it is. */
const char *inq_demangle(struct inq_demangler *demangler, const char *name);

#endif

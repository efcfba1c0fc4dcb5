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

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/* Longer names stay as they are. Of C++ libiberty takes 1024 bytes, with its limit on recursion. */
#define INQ_MAX_MANGLED_BYTES 8192u
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

/*
 * Both names of a frame: the readable one, and the raw one when it is another, else NULL. What is
 * longer than a text of the report may be (INQ_MAX_STRING) ends in "...". False without memory.
 */
bool inq_readable_names(struct inq_demangler *demangler, const char *raw, const char **ret_name,
                        const char **ret_raw);

#endif

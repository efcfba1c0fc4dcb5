/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BINDINGS_BINDINGS_H
#define INQ_BINDINGS_BINDINGS_H

/*
 * Who is bound to whom. The dynamic linker left its answers in slots: words in the writable pages
 * of every module (GOT, PLT, absolute addresses of symbols), which dumps hold. Each is held against
 * what the module's own libraries, in the order of their DT_NEEDED entries, would have given. A
 * slot that is bound elsewhere is "foreign": strong, when two ordinary definitions of one name were
 * mixed up; vague, when one of them is weak or unique, which C++ wants merged; in scope, when both
 * modules were loaded together, so that the order of search explains it.
 *
 * Nothing here is keyed on names of libraries or symbols, but for the allocator's functions and the
 * operators new and delete, which programs replace on purpose.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"
#include "gaps.h"
#include "modules.h"

enum inq_scope {
    INQ_SCOPE_UNKNOWN,
    INQ_SCOPE_MAIN,   /* the program, what it needs, and what LD_PRELOAD added */
    INQ_SCOPE_GLOBAL, /* loaded RTLD_GLOBAL: everybody's symbols are looked up there */
    INQ_SCOPE_LOCAL,  /* seen by those it was loaded with */
};
const char *inq_scope_name(enum inq_scope scope); /* "main"; NULL for unknown */

struct inq_bound_module {
    bool loaded;        /* in the linker's list, and not the vdso */
    bool read;          /* its slots were looked at */
    const char *unread; /* why not; NULL for one that is not loaded */
    enum inq_scope scope;
    int space;      /* link namespace: 0, or one of dlmopen(); -1 not known */
    bool preloaded; /* LD_PRELOAD or /etc/ld.so.preload brought it */
    bool is_linker; /* ld.so itself: it rebinds its own slots by design */
    uint64_t slots, judged, lazy, undecided;
    uint64_t strong, vague, in_scope; /* of its slots, those that are foreign */
    uint64_t bound_here;              /* judged slots, anybody's, that are bound to it */
    const size_t *needs;              /* modules that its DT_NEEDED entries stand for */
    size_t n_needs;
    bool needs_unknown; /* some stand for nothing in the list */
};

enum inq_binding_kind { INQ_BINDING_FUNCTION, INQ_BINDING_DATA };

struct inq_binding {                               /* one foreign slot that is strong or vague */
    size_t from, expected, actual;                 /* indexes of modules */
    const char *symbol;                            /* foreign text */
    uint64_t slot, target;                         /* address of the slot; of what it is bound to */
    uint64_t expected_target;                      /* address of the other definition */
    uint64_t size_expected, size_actual;           /* of the two definitions, bytes */
    const char *version_expected, *version_actual; /* NULL without */
    enum inq_binding_kind kind;
    bool strong; /* an ordinary definition on both sides */
    bool mixed;  /* a C++ function, ordinary in one and weak in the other: of two sources */
    /*
     * Counted as in scope, and strong: both were loaded together, but by no order of theirs does
     * this one come first; that it was loaded for everybody did it.
     */
    bool displaced;
    bool by_program; /* strong, and not counted: `actual` is of what the program began with */
};

struct inq_scope_pair { /* slots that are bound elsewhere in the scope they were loaded with */
    size_t expected, actual;
    uint64_t slots;
};

struct inq_capture { /* a DT_NEEDED that another file under the same soname satisfied */
    size_t from, actual;
    const char *soname, *own; /* own: path of the file that is not loaded */
};

struct inq_bindings {
    const char *none;                 /* why nothing was judged at all; NULL */
    struct inq_bound_module *modules; /* as many as modules->count, by index */
    size_t count;
    struct inq_binding *foreign; /* by module that holds them, in the order of its tables */
    size_t n_foreign;
    struct inq_scope_pair *in_scope_pairs; /* unsorted; a pair may stand there several times */
    size_t n_in_scope_pairs;
    bool foreign_cut; /* there are more than INQ_MAX_FOREIGN_LISTED */
    uint64_t slots, judged, lazy, undecided, strong, vague, in_scope;
    size_t n_read, n_unread;
    const char *no_scope; /* why local and global cannot be told apart; NULL when they can */
    unsigned n_spaces;
    bool has_unloaded;
    uint64_t n_unloaded; /* libraries that came and went */
};

/* Errors: no memory. What cannot be read is said in the result. Everything lives in the arena. */
struct inq_error *inq_bindings_read(struct inq_modules *modules, struct inq_arena *arena,
                                    struct inq_bindings **ret_bindings);

/* An exported definition of a module; false when it has none. Any of several versions. */
struct inq_export {
    uint64_t addr, size; /* in the dead process */
    bool strong, is_function;
};
bool inq_bindings_export(const struct inq_bindings *bindings, size_t module, const char *name,
                         struct inq_export *ret_export);

/* What two modules both export, strong on both sides, functions and objects alike. */
struct inq_common {
    size_t a, b;         /* a < b */
    uint32_t common;     /* names */
    uint32_t of_a, of_b; /* such names that each exports */
};
/*
 * Pairs of loaded modules of one namespace with at least `least` such names in common, in the
 * arena, sorted by a and b. Names are compared by hash (31 bits), so a count may be off by one in
 * some ten thousand; names that more than 16 modules export say nothing and are left out.
 */
struct inq_error *inq_bindings_pairs(const struct inq_bindings *bindings, uint32_t least,
                                     struct inq_common **ret_pairs, size_t *ret_count);
/* The same for one pair, by name; linear in the smaller table. */
struct inq_common inq_bindings_common(const struct inq_bindings *bindings, size_t a, size_t b);

/* Slots of a module that hold one of `n` addresses: which of them is asked for. Linear. */
struct inq_held {
    size_t from, which; /* module, index into the addresses */
    uint64_t slot;
};
struct inq_error *inq_bindings_holders(const struct inq_bindings *bindings, const uint64_t *targets,
                                       size_t n, struct inq_held **ret_held, size_t *ret_count);

/*
 * DT_NEEDED entries for which the module's own RUNPATH has a file that was not loaded, the list
 * having had another one of that name already. Asks whether files are there, at most some hundred.
 */
struct inq_error *inq_bindings_captures(const struct inq_bindings *bindings,
                                        struct inq_capture **ret_captures, size_t *ret_count);

/* Was some module loaded that needs both, directly or not? True when that is not known. */
bool inq_bindings_together(const struct inq_bindings *bindings, size_t a, size_t b);

/* Does `module` need `what`, directly or not? False when that is not known. */
bool inq_bindings_needs(const struct inq_bindings *bindings, size_t module, size_t what);

/* Foreign slots that module `from` holds: [*ret_first, *ret_first + count). */
size_t inq_bindings_of(const struct inq_bindings *bindings, size_t from, size_t *ret_first);

#endif

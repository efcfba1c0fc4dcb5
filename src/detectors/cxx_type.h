/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CXX_TYPE_H
#define INQ_DETECTORS_CXX_TYPE_H

/*
 * C++ types as programs keep them for themselves: std::type_info and its kin of the Itanium C++
 * ABI, 2.9.4 ("RTTI Layout"). No symbol is needed: the virtual table of a type_info has the
 * type_info of its own class before it, whose name tells the kind.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

/* std::string of the two libraries, mangled. */
#define INQ_CXX_GNU_STRING "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
#define INQ_CXX_LLVM_STRING "NSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE"

enum inq_cxx_kind {
    INQ_CXX_OTHER,  /* a fundamental type, a pointer, an enum, ... */
    INQ_CXX_CLASS,  /* a class without bases */
    INQ_CXX_SINGLE, /* one public base at offset 0 */
    INQ_CXX_MANY,   /* anything else */
};

struct inq_cxx_type {
    uint64_t addr;       /* of the type_info */
    const char *mangled; /* St13runtime_error; in the arena */
    enum inq_cxx_kind kind;
};

/* False when it is no type_info, or what it points to is not here. */
bool inq_cxx_type_read(const struct inq_dump *dump, uint64_t addr, struct inq_cxx_type *ret_type);

/* "std::runtime_error", in the arena; the mangled name when it cannot be read; NULL: no memory. */
const char *inq_cxx_type_name(const struct inq_dump *dump, const struct inq_cxx_type *type);

struct inq_cxx_base {
    struct inq_cxx_type type;
    uint64_t offset; /* of the base in the object */
};

/*
 * The nearest of the named classes (NULL-terminated list of mangled names) that the type is or is
 * derived from, by bases that are not virtual. False when there is none, or the bases are not here.
 */
bool inq_cxx_find_base(const struct inq_dump *dump, const struct inq_cxx_type *type,
                       const char *const *mangled, struct inq_cxx_base *ret_base);

#endif

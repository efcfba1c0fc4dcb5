/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_LIBRARY_TABLE_H
#define INQ_PACKAGES_LIBRARY_TABLE_H

/* The table of library families. To add one is a line in library_table.c. */

#include <stdbool.h>
#include <stddef.h>

/* What of a name tells whether two copies are interchangeable. */
enum inq_abi_rule {
    INQ_ABI_MAJOR,  /* the first number of the version: the soname's */
    INQ_ABI_NONE,   /* the name does not tell */
    INQ_ABI_FULL,   /* the whole version */
    INQ_ABI_MINOR,  /* its first two numbers */
    INQ_ABI_DIGITS, /* the number in the name itself: png16, LLVM-17, python3.11 */
    INQ_ABI_BLAS,
    INQ_ABI_OPENMP,
    INQ_ABI_LDAP,
    INQ_ABI_OPENSSL,
    INQ_ABI_OPENJP2,
};

struct inq_family_row {
    const char *family; /* NULL: "lib" and the name itself */
    const char *names;  /* globs on the stem without "lib", separated by '|' */
    enum inq_abi_rule abi;
    bool single;
};

extern const struct inq_family_row inq_family_table[];
extern const size_t inq_family_table_count;

/* Names whose trailing number is part of the name: globs, separated by '|'. */
extern const char inq_numbered_names[];

/* The row that a stem belongs to; NULL when it is in none. */
const struct inq_family_row *inq_family_row(const char *stem);
/* Does the text match one of the globs, which are separated by '|'? */
bool inq_match_any(const char *globs, const char *text);

#endif

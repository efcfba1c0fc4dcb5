/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_LIBRARY_NAME_H
#define INQ_PACKAGES_LIBRARY_NAME_H

/*
 * Which library is it, by the name of its file? Packagers decorate names: auditwheel puts a hash of
 * the content before the first dot (libldap-2-cea2a960.4.so.2.10.9 was libldap-2.4.so.2.10.9; twice
 * repaired: libgfortran-040039e1-0352e75f.so.5.0.0), some add their own name
 * (libopenjp2-rasterio-a166e295.so.2.4.0), OpenBLAS has a prefix, a suffix and a width of integers.
 * A name is only a hint: whether two files can be mistaken for each other is decided by the names
 * that they export. No allocation, no failure, linear in the name.
 */

#include <stdbool.h>
#include <stddef.h>

#define INQ_LIBRARY_TEXT 96u

struct inq_library {
    char family[INQ_LIBRARY_TEXT]; /* "libldap", "blas", "openmp"; two copies of one library have
                                      one family. "" when the name is not a library's */
    char stem[INQ_LIBRARY_TEXT];   /* the name without decorations, version and "lib":
                                    * "scipy_openblas64_"
                                    */
    char version[48];              /* as the name has it: "2.10.9", "3.0.30"; "" without */
    char abi[32];                  /* what must be equal for two copies to be interchangeable:
                                      "ilp64", "2.4", "kmpc", "7"; "" when the name does not tell */
    bool known;     /* in the table of families: worth a word also when little is shared */
    bool single;    /* a process is meant to have one of the family: allocators, OpenMP, Python */
    bool mangled;   /* a hash makes the name unique: nobody else's DT_NEEDED asks for it */
    bool extension; /* an interpreter's extension module, not a library; family is "" */
};

/*
 * From a path or file name, with or without " (deleted)". Always fills in *ret_library. The names
 * of programs give nothing, but for Python's own ("python3.11" holds the interpreter).
 */
void inq_library_name(const char *path, struct inq_library *ret_library);

/* Do they hold the same library? By name alone; false when either has no family. */
bool inq_library_same(const struct inq_library *a, const struct inq_library *b);

#endif

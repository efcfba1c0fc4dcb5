/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CXX_EXCEPTION_H
#define INQ_DETECTORS_CXX_EXCEPTION_H

/*
 * The C++ exception that a thread is handling: head of the list in its __cxa_eh_globals, which is
 * thread-local {caughtExceptions, uncaughtExceptions} (Itanium C++ ABI: Exception Handling, 2.2).
 * std::terminate() for an exception that nobody catches has put it there first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

enum inq_cxx_found {
    INQ_CXX_FOUND,
    INQ_CXX_NONE, /* the thread's memory is here, and it handles none */
    INQ_CXX_NOT_TOLD,
};

struct inq_cxx_exception {
    uint64_t object;      /* what was thrown */
    const char *type;     /* readable; NULL unknown */
    const char *type_why; /* then; static */
    const char *what;     /* of what(); NULL: it has none, or it is not known */
    const char *what_why; /* it has one that is not known: why; static. Else NULL */
    const char *value;    /* of a string or number that was thrown; NULL for other types */
    const char *runtime;  /* "libstdc++", "libc++abi" */
};

/* *ret_why is static, set for INQ_CXX_NOT_TOLD. x86-64 alone (tls_blocks.h). */
enum inq_cxx_found inq_cxx_exception_find(const struct inq_dump *dump,
                                          const struct inq_core_thread *thread,
                                          struct inq_cxx_exception *ret_exception,
                                          const char **ret_why);

#endif

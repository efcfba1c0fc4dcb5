/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_EXIT_OBJECTS_H
#define INQ_DETECTORS_EXIT_OBJECTS_H

/*
 * What exit() destroys: the C library's list of what __cxa_atexit(function, argument, module) was
 * given (Itanium C++ ABI, 3.3.6). Entries that have run stay where they were. glibc
 * (stdlib/exit.h): {long flavor; function, mangled; argument; module's __dso_handle}, 32 to a
 * block, the first block in libc's own data, further ones on the heap.
 */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"

/* Have both modules registered the object at addr? False when the list is not in the dump. */
bool inq_exit_object_is_shared(struct inq_dump *dump, uint64_t addr, size_t a, size_t b);

#endif

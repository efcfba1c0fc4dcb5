/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_RUNTIME_COPIES_H
#define INQ_DETECTORS_RUNTIME_COPIES_H

/* Lists of bindings_facts.c: allocators that are mixed, runtimes that are there twice. */

#include "bindings.h"
#include "crash_path.h"
#include "record_json.h"

/* Appends one object for each module whose malloc() and free() are of two libraries. */
struct inq_error *inq_allocator_mixes(const struct inq_bindings *b,
                                      const struct inq_crash_path *path, json_t *list,
                                      struct inq_json_writer *w);
/* Appends one object for each kind of runtime that several modules hold. */
struct inq_error *inq_runtime_copies(const struct inq_bindings *b, json_t *list,
                                     struct inq_json_writer *w);

#endif

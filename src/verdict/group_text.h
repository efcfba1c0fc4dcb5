/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_VERDICT_GROUP_TEXT_H
#define INQ_VERDICT_GROUP_TEXT_H

/* Names as the group key wants them: the same for the same thing on every machine. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/*
 * A module's name without what changes from machine to machine: directory, " (deleted)",
 * the version behind .so, the hash that auditwheel puts in ("libldap-1accf1ee.so.2.0.200" →
 * "libldap"), a release ("libc-2.31.so" → "libc"), Python's ABI tag. To be freed; NULL without
 * memory.
 */
char *inq_group_module_name(const char *name);
/*
 * A function's name without what a compiler adds: ".cold", ".part.0", ".constprop.1", "@@VERSION",
 * Rust's "::h0123456789abcdef". To be freed; NULL without memory.
 */
char *inq_group_function_name(const char *name);
/*
 * A message without what differs from crash to crash: hexadecimal numbers become ADDR, decimal
 * ones N, control characters spaces; at most 160 bytes. To be freed; NULL without memory.
 */
char *inq_group_message(const char *message);

/* By a normalised name: the C library, its loader, an allocator or a sanitizer's runtime. */
bool inq_group_is_runtime(const char *module);
/* By a function's name, for programs that hold their C library in themselves. */
bool inq_group_is_runtime_function(const char *function);

#endif

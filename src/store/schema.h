/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_STORE_SCHEMA_H
#define INQ_STORE_SCHEMA_H

/* The tables. PRAGMA user_version counts the steps of `inq_schema_steps` that a file has seen. */

#include <stddef.h>

#define INQ_SCHEMA_APPLICATION 0x696e7175 /* "inqu", PRAGMA application_id */

extern const char *const inq_schema_steps[];
extern const size_t inq_schema_n_steps;

#endif

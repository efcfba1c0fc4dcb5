/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_KIND_H
#define INQ_PIPELINE_KIND_H

/*
 * What a file is by its first bytes: enough to leave out, without starting a worker, what is
 * plainly no core. Magic numbers are compared and nothing is parsed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INQ_KIND_BYTES 512u /* a tar header has its magic at 257 */

enum inq_kind {
    INQ_KIND_ELF,    /* or the first bytes of one */
    INQ_KIND_ZSTD,   /* may hold a core: the worker finds out */
    INQ_KIND_PACKED, /* xz, gzip, lz4, bzip2: may hold a core, but so may anything be packed */
    INQ_KIND_EMPTY,
    INQ_KIND_OTHER,
};

/* *ret_name: "text", "gzip", ...; static. */
enum inq_kind inq_kind_of(const uint8_t *bytes, size_t size, const char **ret_name);

/* "core", "core.…", "core-…", "core_…", "….core" before any packer's ending: what dumps are called.
 */
bool inq_kind_named_core(const char *file_name);

#endif

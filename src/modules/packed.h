/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MODULES_PACKED_H
#define INQ_MODULES_PACKED_H

/*
 * Sections of a mapped file as they are meant to be read: unpacked when they are compressed. The
 * size that a section claims to have is only believed after it was held against a limit and against
 * what the method can do at best, so no claim makes us reserve memory.
 *
 * Formats: gABI, "Section Compression" (Elf32_Chdr, Elf64_Chdr; zlib and zstd); GNU's older
 * `.zdebug_*` ("ZLIB", then the size as a big-endian 64-bit number); `.gnu_debugdata` is an ELF
 * file in one xz stream.
 */

#include <stdint.h>

#include "arena.h"
#include "image.h"

/* What one analysis may unpack from debug sections, and what one `.gnu_debugdata` may become. */
#define INQ_MAX_UNPACKED_SECTIONS (256ull * 1024 * 1024)
#define INQ_MAX_UNPACKED_XZ (64ull * 1024 * 1024)

enum inq_packed {
    INQ_PACKED_OK,
    INQ_PACKED_NONE,    /* no such section, or it is empty */
    INQ_PACKED_DAMAGED, /* it does not unpack to what it says */
    INQ_PACKED_LIMIT,   /* larger than allowed: nothing was unpacked */
    INQ_PACKED_METHOD,  /* a compression that is not known */
    INQ_PACKED_MEMORY,
};

/* In words, for gaps: static. */
const char *inq_packed_text(enum inq_packed result);

/*
 * The bytes of a `.debug_*` section, given its name; `.zdebug_*` is looked for, too. They lie in
 * the file's mapping or in the arena. *bytes_left is what may still be unpacked; what was is taken
 * off.
 */
enum inq_packed inq_image_debug_section(const struct inq_image *image, const char *name,
                                        struct inq_arena *arena, uint64_t *bytes_left,
                                        const uint8_t **ret_bytes, size_t *ret_size);
/* Whether there is such a section at all, compressed or not. */
bool inq_image_has_debug_section(const struct inq_image *image, const char *name);
/* Whether it is there and would have to be unpacked; *ret_size is what it claims to become. */
bool inq_image_debug_section_packed(const struct inq_image *image, const char *name,
                                    uint64_t *ret_size);

/* Unpacks one xz stream. *ret_bytes is malloc()ed. */
enum inq_packed inq_unpack_xz(const uint8_t *bytes, size_t size, uint64_t limit,
                              uint8_t **ret_bytes, size_t *ret_size);

#endif

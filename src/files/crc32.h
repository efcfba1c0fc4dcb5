/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_CRC32_H
#define INQ_FILES_CRC32_H

/*
 * CRC-32 as .gnu_debuglink has it: polynomial 0xedb88320 (reflected), all ones before and
 * complemented after. Format: the manual of gdb, "Separate Debug Files".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The CRC of more bytes, given that of those before; 0 at the start. */
uint32_t inq_crc32(uint32_t crc, const void *bytes, size_t size);
/* Of a whole file; false when it cannot be read, or is larger than `most` bytes. */
bool inq_crc32_file(int fd, uint64_t most, uint32_t *ret_crc);

#endif

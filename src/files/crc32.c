/* SPDX-License-Identifier: Apache-2.0 */
#include "crc32.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "io.h"

#define POLYNOMIAL 0xedb88320u
#define CHUNK_BYTES (256u * 1024u)
#define SLICES 8 /* bytes a step: one table look-up each, all independent */

static void fill(uint32_t tables[SLICES][256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < SLICES; k++)
            tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
}

static uint32_t update(uint32_t (*tables)[256], uint32_t crc, const uint8_t *p, size_t size)
{
    crc = ~crc;
    for (; size >= SLICES; p += SLICES, size -= SLICES) {
        uint32_t next = tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];

        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = next ^ tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^
              tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24];
    }
    for (; size > 0; p++, size--)
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
    return ~crc;
}

uint32_t inq_crc32(uint32_t crc, const void *bytes, size_t size)
{
    uint32_t tables[SLICES][256];

    fill(tables);
    return update(tables, crc, bytes, size);
}

bool inq_crc32_file(int fd, uint64_t most, uint32_t *ret_crc)
{
    _cleanup_free_ uint8_t *chunk = malloc(CHUNK_BYTES);
    uint32_t tables[SLICES][256], crc = 0;
    uint64_t off = 0;
    ssize_t n;

    if (!chunk)
        return false;
    fill(tables);
    do {
        n = inq_pread_full(fd, chunk, CHUNK_BYTES, off);
        if (n < 0 || off > most)
            return false;
        crc = update(tables, crc, chunk, (size_t)n);
        off += (uint64_t)n;
    } while ((size_t)n == CHUNK_BYTES);
    if (off > most)
        return false;
    *ret_crc = crc;
    return true;
}

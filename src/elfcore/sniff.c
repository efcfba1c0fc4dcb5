/* SPDX-License-Identifier: Apache-2.0 */

#include "core_reader.h"

#include <string.h>

#include "cleanup.h"

static const struct {
    uint16_t off;
    uint8_t size;
    const char *magic;
    const char *name;
} magics[] = {
    {0, 2, "#!", "a script"},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG image"},
    {0, 3, "\xff\xd8\xff", "a JPEG image"},
    {0, 4, "GIF8", "a GIF image"},
    {0, 5, "%PDF-", "a PDF document"},
    {0, 2, "\x1f\x8b", "gzip data"},
    {0, 3, "BZh", "bzip2 data"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "xz data"},
    {0, 4, "\x28\xb5\x2f\xfd", "zstd data"},
    {0, 4, "\x04\x22\x4d\x18", "lz4 data"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7-zip archive"},
    {0, 4, "PK\x03\x04", "a zip archive"},
    {257, 5, "ustar", "a tar archive"},
    {0, 8, "!<arch>\n", "an ar archive"},
    {0, 4, "MDMP", "a minidump"},
    {0, 8, "KDUMP   ", "a kdump-compressed kernel dump"},
    {0, 8, "DISKDUMP", "a diskdump kernel dump"},
    {0, 4, "\xcf\xfa\xed\xfe", "a Mach-O file"},
    {0, 4, "\xfe\xed\xfa\xcf", "a Mach-O file"},
    {0, 4, "\xce\xfa\xed\xfe", "a Mach-O file"},
    {0, 2, "MZ", "a Windows program"},
    {0, 4, "\xca\xfe\xba\xbe", "Java bytecode"},
    {0, 13, "JAVA PROFILE ", "a Java heap dump"},
    {0, 15, "SQLite format 3", "an SQLite database"},
};

static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = bytes[i];

        if (c < 0x20 ? !(c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == 0x1b) : c == 0x7f)
            return false;
        if (c < 0x80)
            continue;
        /* a UTF-8 sequence: lead byte, then its tail, which the end of the piece may cut */
        size_t tail = c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c >= 0xf5)
            return false;
        for (; tail > 0 && i + 1 < size; tail--) {
            if ((bytes[++i] & 0xc0) != 0x80)
                return false;
        }
    }
    return size > 0;
}

const char *inq_sniff(const uint8_t *bytes, size_t size)
{
    size_t zeros = 0;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(magics); i++) {
        if (size >= (size_t)magics[i].off + magics[i].size &&
            memcmp(bytes + magics[i].off, magics[i].magic, magics[i].size) == 0)
            return magics[i].name;
    }
    if (is_text(bytes, size))
        return "text";
    while (zeros < size && bytes[zeros] == 0)
        zeros++;
    return zeros == size ? "zeros" : "data";
}

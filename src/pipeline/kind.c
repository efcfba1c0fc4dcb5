/* SPDX-License-Identifier: Apache-2.0 */
#include "kind.h"

#include <string.h>

#include "cleanup.h"

struct magic {
    size_t off, size;
    const char *bytes;
    enum inq_kind kind;
    const char *name;
};

#define MAGIC(off, bytes, kind, name)                                                              \
    {                                                                                              \
        off, sizeof(bytes) - 1, bytes, kind, name                                                  \
    }

static const struct magic magics[] = {
    MAGIC(0,
          "\x7f"
          "ELF",
          INQ_KIND_ELF, "ELF"),
    MAGIC(0, "\x28\xb5\x2f\xfd", INQ_KIND_ZSTD, "zstd"),
    MAGIC(1, "\x2a\x4d\x18", INQ_KIND_ZSTD, "zstd or lz4"), /* skippable frame: 0x5? in front */
    MAGIC(0,
          "\xfd"
          "7zXZ\0",
          INQ_KIND_PACKED, "xz"),
    MAGIC(0, "\x1f\x8b", INQ_KIND_PACKED, "gzip"),
    MAGIC(0, "\x04\x22\x4d\x18", INQ_KIND_PACKED, "lz4"),
    MAGIC(0, "BZh", INQ_KIND_PACKED, "bzip2"),
    MAGIC(0, "ProblemType: ", INQ_KIND_PACKED, "apport report"),
    MAGIC(0, "\x89PNG\r\n", INQ_KIND_OTHER, "PNG"),
    MAGIC(0, "\xff\xd8\xff", INQ_KIND_OTHER, "JPEG"),
    MAGIC(0, "GIF8", INQ_KIND_OTHER, "GIF"),
    MAGIC(0, "%PDF-", INQ_KIND_OTHER, "PDF"),
    MAGIC(0, "PK\x03\x04", INQ_KIND_OTHER, "zip"),
    MAGIC(0, "MDMP", INQ_KIND_OTHER, "minidump"),
    MAGIC(0, "\xcf\xfa\xed\xfe", INQ_KIND_OTHER, "Mach-O"),
    MAGIC(0, "MZ", INQ_KIND_OTHER, "DOS or Windows program"),
    MAGIC(0, "SQLite format 3", INQ_KIND_OTHER, "SQLite database"),
    MAGIC(0, "!<arch>\n", INQ_KIND_OTHER, "ar archive"),
    MAGIC(0, "KDUMP   ", INQ_KIND_OTHER, "kernel dump (kdump)"),
    MAGIC(257, "ustar", INQ_KIND_OTHER, "tar"),
    MAGIC(0, "#!", INQ_KIND_OTHER, "script"),
};

static bool matches(const struct magic *m, const uint8_t *bytes, size_t size)
{
    if (size < m->off + m->size || memcmp(bytes + m->off, m->bytes, m->size) != 0)
        return false;
    return m->off != 1 || (bytes[0] & 0xf0) == 0x50;
}

/* No control bytes but white space and escape: any encoding that is built on ASCII. */
static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0 || bytes[i] == 0x7f ||
            (bytes[i] < 0x20 && !strchr("\t\n\v\f\r\x1b", bytes[i])))
            return false;
    return true;
}

enum inq_kind inq_kind_of(const uint8_t *bytes, size_t size, const char **ret_name)
{
    *ret_name = "data";
    if (size == 0) {
        *ret_name = "nothing";
        return INQ_KIND_EMPTY;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(magics); i++) {
        if (matches(&magics[i], bytes, size)) {
            *ret_name = magics[i].name;
            return magics[i].kind;
        }
    }
    if (size < 4 && memcmp(bytes,
                           "\x7f"
                           "ELF",
                           size) == 0) {
        *ret_name = "ELF";
        return INQ_KIND_ELF;
    }
    if (is_text(bytes, size))
        *ret_name = "text";
    else if (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0)
        *ret_name = "zeros";
    return INQ_KIND_OTHER;
}

bool inq_kind_named_core(const char *file_name)
{
    static const char *const packings[] = {".zst", ".lz4", ".xz", ".gz", ".bz2"};
    size_t size = strlen(file_name);

    for (size_t i = 0; i < INQ_ARRAY_SIZE(packings); i++) {
        size_t n = strlen(packings[i]);

        if (size > n && !memcmp(file_name + size - n, packings[i], n)) {
            size -= n;
            break;
        }
    }
    if (size >= 5 && !memcmp(file_name + size - 5, ".core", 5))
        return true;
    if (size >= 6 && !memcmp(file_name + size - 6, ".crash", 6)) /* apport's */
        return true;
    return size >= 4 && !memcmp(file_name, "core", 4) &&
           (size == 4 || strchr(".-_", file_name[4]) != NULL);
}

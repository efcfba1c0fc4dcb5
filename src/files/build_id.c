/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elfhead.h"
#include "io.h"

/* The header, the program headers and the build-id of nearly every file lie in its first page. */
#define HEAD_BYTES 4096u
#define CHUNK_BYTES 8192u             /* of section headers */
#define MAX_NOTES_BYTES (64u * 1024u) /* of one segment or section: more is no build-id */
#define MAX_SEGMENTS 1024u
#define MAX_SECTIONS 65536u
#define MAX_NOTE_PARTS 64u /* segments or sections of notes that are looked at */

struct reader {
    int fd;
    size_t head_size;
    uint8_t head[HEAD_BYTES];
    struct inq_elf_header header;
    unsigned parts_left;
};

/* All of `size` bytes or nothing. */
static bool reader_get(const struct reader *r, uint64_t off, void *buf, size_t size)
{
    ssize_t n;

    if (off <= r->head_size && size <= r->head_size - off) {
        memcpy(buf, r->head + off, size);
        return true;
    }
    n = inq_pread_full(r->fd, buf, size, off);
    return n >= 0 && (size_t)n == size;
}

/* Notes may start with a large NT_GNU_PROPERTY or a package note, so they are read in one piece. */
static size_t reader_notes(struct reader *r, uint64_t off, uint64_t size, uint64_t align,
                           uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    uint8_t small[1024];
    size_t found = 0;

    if (size == 0 || size > MAX_NOTES_BYTES || r->parts_left == 0)
        return 0;
    r->parts_left--;
    if (off <= r->head_size && size <= r->head_size - off)
        return inq_elf_notes_build_id(r->head + off, (size_t)size, align, r->header.big_endian,
                                      ret_id);
    if (size <= sizeof(small)) {
        if (reader_get(r, off, small, (size_t)size))
            found =
                inq_elf_notes_build_id(small, (size_t)size, align, r->header.big_endian, ret_id);
    } else {
        uint8_t *notes = malloc((size_t)size);

        if (notes && reader_get(r, off, notes, (size_t)size))
            found =
                inq_elf_notes_build_id(notes, (size_t)size, align, r->header.big_endian, ret_id);
        free(notes);
    }
    return found;
}

static size_t from_segments(struct reader *r, uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    for (unsigned i = 0; i < r->header.phnum && i < MAX_SEGMENTS; i++) {
        uint8_t raw[INQ_ELF_SEGMENT_BYTES];
        struct inq_elf_segment segment;
        size_t found;

        if (r->header.phoff > UINT64_MAX / 2 ||
            !reader_get(r, r->header.phoff + (uint64_t)i * r->header.phentsize, raw,
                        r->header.phentsize))
            break;
        segment = inq_elf_segment_parse(&r->header, raw);
        if (segment.type != PT_NOTE)
            continue;
        found = reader_notes(r, segment.off, segment.file_bytes, segment.align, ret_id);
        if (found > 0)
            return found;
    }
    return 0;
}

/* Relocatable files and kernel modules have no program headers; strip can lose PT_NOTE. */
static size_t from_sections(struct reader *r, uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    const unsigned per_chunk = CHUNK_BYTES / INQ_ELF_SECTION_BYTES;
    uint8_t chunk[CHUNK_BYTES];

    if (r->header.shentsize == 0 || r->header.shoff == 0 || r->header.shoff > UINT64_MAX / 2)
        return 0;
    for (unsigned i = 0; i < r->header.shnum && i < MAX_SECTIONS; i += per_chunk) {
        unsigned n = r->header.shnum - i < per_chunk ? r->header.shnum - i : per_chunk;

        if (!reader_get(r, r->header.shoff + (uint64_t)i * r->header.shentsize, chunk,
                        (size_t)n * r->header.shentsize))
            break;
        for (unsigned k = 0; k < n; k++) {
            struct inq_elf_section section =
                inq_elf_section_parse(&r->header, chunk + (size_t)k * r->header.shentsize);
            size_t found;

            if (section.type != SHT_NOTE)
                continue;
            found = reader_notes(r, section.off, section.size, section.align, ret_id);
            if (found > 0)
                return found;
        }
    }
    return 0;
}

size_t inq_elf_build_id(int fd, uint8_t ret_id[INQ_MAX_BUILD_ID], bool *ret_is_elf)
{
    struct reader r = {.fd = fd, .parts_left = MAX_NOTE_PARTS};
    ssize_t n = inq_pread_full(fd, r.head, sizeof(r.head), 0);
    size_t found;

    *ret_is_elf = false;
    if (n < 0)
        return 0;
    r.head_size = (size_t)n;
    if (!inq_elf_header_parse(r.head, r.head_size, &r.header))
        return 0;
    *ret_is_elf = true;
    found = from_segments(&r, ret_id);
    return found > 0 ? found : from_sections(&r, ret_id);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_ELFHEAD_H
#define INQ_FILES_ELFHEAD_H

/*
 * The few ELF structures that name other parts of a file, decoded to host order from bytes of any
 * class and byte order. Formats: elf(5), the gABI. Nothing here knows where the bytes come from: a
 * mapped file, a file read in pieces, or the memory of a dead process.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"

#define INQ_ELF_HEADER_BYTES 64u  /* of the larger class; 52 are enough for ELFCLASS32 */
#define INQ_ELF_SEGMENT_BYTES 56u /* likewise; 32 */
#define INQ_ELF_SECTION_BYTES 64u /* likewise; 40 */

struct inq_elf_header {
    uint8_t elf_class; /* 32 or 64 */
    bool big_endian;
    uint16_t type, machine;
    uint64_t entry, phoff, shoff;
    uint16_t phnum, shnum, shstrndx;
    uint16_t phentsize; /* 0 when there are no program headers, else exactly the class's size */
    uint16_t shentsize; /* likewise */
};

struct inq_elf_segment {
    uint32_t type, flags;
    uint64_t off, addr, file_bytes, size, align;
};

struct inq_elf_section {
    uint32_t name, type, link, info;
    uint64_t flags, addr, off, size, align, entry_bytes;
};

/*
 * False when the bytes are no ELF header of a class and byte order that exists. Tables whose entry
 * size is not that of the class are dropped: their count is 0.
 */
bool inq_elf_header_parse(const void *bytes, size_t size, struct inq_elf_header *ret_header);
/* One program header; `bytes` holds at least header->phentsize bytes. */
struct inq_elf_segment inq_elf_segment_parse(const struct inq_elf_header *header,
                                             const void *bytes);
/* One section header; `bytes` holds at least header->shentsize bytes. */
struct inq_elf_section inq_elf_section_parse(const struct inq_elf_header *header,
                                             const void *bytes);

/*
 * The NT_GNU_BUILD_ID in the notes of one segment or section; its size, 0 when there is none.
 * `align` is the segment's: 8 means that notes are padded to 8 bytes (NT_GNU_PROPERTY), all else is
 * 4. Ids longer than INQ_MAX_BUILD_ID are none.
 */
size_t inq_elf_notes_build_id(const void *notes, size_t size, uint64_t align, bool big_endian,
                              uint8_t ret_id[INQ_MAX_BUILD_ID]);

#endif

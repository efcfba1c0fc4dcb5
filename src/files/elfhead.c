/* SPDX-License-Identifier: Apache-2.0 */
#include "elfhead.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"

bool inq_elf_header_parse(const void *bytes, size_t size, struct inq_elf_header *ret_header)
{
    const uint8_t *ident = bytes;
    struct inq_elf_header header = {0};
    struct inq_cursor c;
    uint32_t version, flags;
    uint16_t header_bytes;

    if (size < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return false;
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
        return false;
    if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
        return false;
    header.elf_class = ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    header.big_endian = ident[EI_DATA] == ELFDATA2MSB;

    c = inq_cursor_init(bytes, size, header.big_endian, header.elf_class / 8);
    if (!inq_cursor_skip(&c, EI_NIDENT) || !inq_cursor_u16(&c, &header.type) ||
        !inq_cursor_u16(&c, &header.machine) || !inq_cursor_u32(&c, &version) ||
        !inq_cursor_word(&c, &header.entry) || !inq_cursor_word(&c, &header.phoff) ||
        !inq_cursor_word(&c, &header.shoff) || !inq_cursor_u32(&c, &flags) ||
        !inq_cursor_u16(&c, &header_bytes) || !inq_cursor_u16(&c, &header.phentsize) ||
        !inq_cursor_u16(&c, &header.phnum) || !inq_cursor_u16(&c, &header.shentsize) ||
        !inq_cursor_u16(&c, &header.shnum) || !inq_cursor_u16(&c, &header.shstrndx))
        return false;

    if (header.phentsize != (header.elf_class == 64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        header.phnum = header.phentsize = 0;
    if (header.shentsize != (header.elf_class == 64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
        header.shnum = header.shentsize = 0;
    *ret_header = header;
    return true;
}

struct inq_elf_segment inq_elf_segment_parse(const struct inq_elf_header *header, const void *bytes)
{
    const uint8_t *p = bytes;
    const bool be = header->big_endian;

    if (header->elf_class == 64)
        return (struct inq_elf_segment){
            .type = inq_load_u32(p + offsetof(Elf64_Phdr, p_type), be),
            .flags = inq_load_u32(p + offsetof(Elf64_Phdr, p_flags), be),
            .off = inq_load_u64(p + offsetof(Elf64_Phdr, p_offset), be),
            .addr = inq_load_u64(p + offsetof(Elf64_Phdr, p_vaddr), be),
            .file_bytes = inq_load_u64(p + offsetof(Elf64_Phdr, p_filesz), be),
            .size = inq_load_u64(p + offsetof(Elf64_Phdr, p_memsz), be),
            .align = inq_load_u64(p + offsetof(Elf64_Phdr, p_align), be),
        };
    return (struct inq_elf_segment){
        .type = inq_load_u32(p + offsetof(Elf32_Phdr, p_type), be),
        .flags = inq_load_u32(p + offsetof(Elf32_Phdr, p_flags), be),
        .off = inq_load_u32(p + offsetof(Elf32_Phdr, p_offset), be),
        .addr = inq_load_u32(p + offsetof(Elf32_Phdr, p_vaddr), be),
        .file_bytes = inq_load_u32(p + offsetof(Elf32_Phdr, p_filesz), be),
        .size = inq_load_u32(p + offsetof(Elf32_Phdr, p_memsz), be),
        .align = inq_load_u32(p + offsetof(Elf32_Phdr, p_align), be),
    };
}

struct inq_elf_section inq_elf_section_parse(const struct inq_elf_header *header, const void *bytes)
{
    const uint8_t *p = bytes;
    const bool be = header->big_endian;

    if (header->elf_class == 64)
        return (struct inq_elf_section){
            .name = inq_load_u32(p + offsetof(Elf64_Shdr, sh_name), be),
            .type = inq_load_u32(p + offsetof(Elf64_Shdr, sh_type), be),
            .link = inq_load_u32(p + offsetof(Elf64_Shdr, sh_link), be),
            .info = inq_load_u32(p + offsetof(Elf64_Shdr, sh_info), be),
            .flags = inq_load_u64(p + offsetof(Elf64_Shdr, sh_flags), be),
            .addr = inq_load_u64(p + offsetof(Elf64_Shdr, sh_addr), be),
            .off = inq_load_u64(p + offsetof(Elf64_Shdr, sh_offset), be),
            .size = inq_load_u64(p + offsetof(Elf64_Shdr, sh_size), be),
            .align = inq_load_u64(p + offsetof(Elf64_Shdr, sh_addralign), be),
            .entry_bytes = inq_load_u64(p + offsetof(Elf64_Shdr, sh_entsize), be),
        };
    return (struct inq_elf_section){
        .name = inq_load_u32(p + offsetof(Elf32_Shdr, sh_name), be),
        .type = inq_load_u32(p + offsetof(Elf32_Shdr, sh_type), be),
        .link = inq_load_u32(p + offsetof(Elf32_Shdr, sh_link), be),
        .info = inq_load_u32(p + offsetof(Elf32_Shdr, sh_info), be),
        .flags = inq_load_u32(p + offsetof(Elf32_Shdr, sh_flags), be),
        .addr = inq_load_u32(p + offsetof(Elf32_Shdr, sh_addr), be),
        .off = inq_load_u32(p + offsetof(Elf32_Shdr, sh_offset), be),
        .size = inq_load_u32(p + offsetof(Elf32_Shdr, sh_size), be),
        .align = inq_load_u32(p + offsetof(Elf32_Shdr, sh_addralign), be),
        .entry_bytes = inq_load_u32(p + offsetof(Elf32_Shdr, sh_entsize), be),
    };
}

/* Moves on to the next multiple of `align` (4 or 8) from the start; the end counts as aligned. */
static bool cursor_align(struct inq_cursor *c, size_t align)
{
    size_t pad = (align - c->pos % align) % align;

    return inq_cursor_skip(c, pad < inq_cursor_left(c) ? pad : inq_cursor_left(c));
}

size_t inq_elf_notes_build_id(const void *notes, size_t size, uint64_t align, bool big_endian,
                              uint8_t ret_id[INQ_MAX_BUILD_ID])
{
    const size_t pad = align == 8 ? 8 : 4;
    struct inq_cursor c = inq_cursor_init(notes, size, big_endian, 4);
    uint32_t name_bytes, desc_bytes, type;

    while (inq_cursor_u32(&c, &name_bytes) && inq_cursor_u32(&c, &desc_bytes) &&
           inq_cursor_u32(&c, &type)) {
        const uint8_t *name, *desc;

        if (!inq_cursor_bytes(&c, name_bytes, &name) || !cursor_align(&c, pad) ||
            !inq_cursor_bytes(&c, desc_bytes, &desc) || !cursor_align(&c, pad))
            break;
        if (type == NT_GNU_BUILD_ID && name_bytes == sizeof(ELF_NOTE_GNU) &&
            memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0 && desc_bytes > 0 &&
            desc_bytes <= INQ_MAX_BUILD_ID) {
            memcpy(ret_id, desc, desc_bytes);
            return desc_bytes;
        }
    }
    return 0;
}

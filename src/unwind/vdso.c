/* SPDX-License-Identifier: Apache-2.0 */
#include "vdso.h"

#include "elfhead.h"
#include "image_tables.h"

/* It has four of them. */
#define MAX_SEGMENTS 32u

struct inq_image *inq_vdso_image(const struct inq_modules *modules, const struct inq_module *module)
{
    struct inq_elf_header header;
    if (module->size > SIZE_MAX)
        return NULL;
    const uint8_t *bytes = inq_memory_view(modules->memory, module->start, (size_t)module->size);
    if (!bytes || !inq_elf_header_parse(bytes, (size_t)module->size, &header))
        return NULL;
    if (header.phnum == 0 || header.phnum > MAX_SEGMENTS || header.phoff > module->size ||
        header.phnum > (module->size - header.phoff) / header.phentsize)
        return NULL;

    struct inq_image *image = INQ_ARENA_NEW(modules->arena, struct inq_image);
    struct inq_image_segment *segments =
        INQ_ARENA_ARRAY(modules->arena, header.phnum, struct inq_image_segment);
    if (!image || !segments)
        return NULL;
    for (size_t i = 0; i < header.phnum; i++) {
        struct inq_elf_segment segment =
            inq_elf_segment_parse(&header, bytes + header.phoff + i * header.phentsize);
        segments[i] = (struct inq_image_segment){.type = segment.type,
                                                 .flags = segment.flags,
                                                 .off = segment.off,
                                                 .addr = segment.addr,
                                                 .file_bytes = segment.file_bytes,
                                                 .size = segment.size};
    }
    *image = (struct inq_image){.bytes = bytes,
                                .size = (size_t)module->size,
                                .elf_class = header.elf_class,
                                .big_endian = header.big_endian,
                                .machine = header.machine,
                                .type = header.type,
                                .segments = segments,
                                .n_segments = header.phnum};
    inq_image_find_tables(image);
    return image;
}

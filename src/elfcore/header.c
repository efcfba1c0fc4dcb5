/* SPDX-License-Identifier: Apache-2.0 */

#include "core_reader.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "bounds.h"
#include "cursor.h"

#define SNIFF_BYTES 512u

static struct inq_error *not_elf(const uint8_t *bytes, size_t size)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

    /* shorter than the magic: cut, if what is there agrees with it */
    if (size < 4 && memcmp(bytes, magic, size) == 0)
        return inq_error_at(
            inq_error_create(INQ_E_NOT_ELF, "truncated ELF header (%zu of 64 bytes)", size), size);
    return inq_error_at(
        inq_error_create(INQ_E_NOT_ELF, "not an ELF core (found: %s)", inq_sniff(bytes, size)), 0);
}

/* A program interpreter makes an ET_DYN a program. Looks at the headers that are at hand. */
static bool has_interpreter(struct inq_core_reader *r, const struct inq_elf_header *h)
{
    bool be = r->core->big_endian;
    struct inq_core_bytes b = {0};
    bool found = false;
    struct inq_error *error;

    if (h->phentsize < 4 || r->stream)
        return false;
    error = inq_core_bytes_get(r, h->phoff, (uint64_t)h->phnum * h->phentsize, &b);
    inq_error_destroy(error);
    for (size_t i = 0; !error && i < h->phnum && b.size - i * h->phentsize >= h->phentsize; i++)
        found |= inq_load_u32(b.bytes + i * h->phentsize, be) == PT_INTERP;
    inq_core_bytes_deinit(&b);
    return found;
}

static struct inq_error *not_core(struct inq_core_reader *r, const struct inq_elf_header *h,
                                  uint16_t type)
{
    const char *what;

    switch (type) {
    case ET_EXEC:
        what = "is an executable, not a core";
        break;
    case ET_DYN:
        what = has_interpreter(r, h) ? "is an executable, not a core"
                                     : "is a shared object, not a core";
        break;
    case ET_REL:
        what = "is an object file, not a core";
        break;
    default:
        return inq_error_at(
            inq_error_create(INQ_E_NOT_CORE, "is an ELF file of type %u, not a core", type), 16);
    }
    return inq_error_at(inq_error_create(INQ_E_NOT_CORE, "%s", what), 16);
}

static struct inq_error *check_tables(const struct inq_core_reader *r,
                                      const struct inq_elf_header *h)
{
    uint16_t want = r->core->elf_class == 64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    uint64_t at_phoff = r->core->elf_class == 64 ? 32 : 28;

    if (h->phentsize != want)
        return inq_error_at(inq_error_create(INQ_E_HEADER, "program header size is %u, expected %u",
                                             h->phentsize, want),
                            r->core->elf_class == 64 ? 54 : 42);
    /* a stream is kept up to where it was read: only a table near the front makes sense there */
    if (h->phoff < h->size || h->phoff % 4 != 0 || h->phoff > UINT64_MAX / 2 ||
        (r->stream && h->phoff > INQ_MIB))
        return inq_error_at(inq_error_create(INQ_E_HEADER,
                                             "program header table at offset 0x%" PRIx64
                                             ", which makes no sense",
                                             h->phoff),
                            at_phoff);
    if (h->phoff >= r->size)
        return inq_error_at(inq_error_create(INQ_E_HEADER,
                                             "program header table beyond end: at offset 0x%" PRIx64
                                             " of 0x%" PRIx64 " bytes",
                                             h->phoff, r->size),
                            at_phoff);
    return NULL;
}

static struct inq_error *read_ident(struct inq_core_reader *r, const uint8_t *bytes, size_t size,
                                    struct inq_elf_header *h)
{
    struct inq_core *core = r->core;

    if (size < 4 || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return not_elf(bytes, size);
    h->size =
        size > EI_CLASS && bytes[EI_CLASS] == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
    if (size < h->size)
        return inq_error_at(inq_error_create(INQ_E_NOT_ELF,
                                             "truncated ELF header (%zu of %u bytes)", size,
                                             h->size),
                            size);
    if (bytes[EI_CLASS] != ELFCLASS32 && bytes[EI_CLASS] != ELFCLASS64)
        return inq_error_at(
            inq_error_create(INQ_E_HEADER, "ELF class is %u, expected 1 or 2", bytes[EI_CLASS]),
            EI_CLASS);
    if (bytes[EI_DATA] != ELFDATA2LSB && bytes[EI_DATA] != ELFDATA2MSB)
        return inq_error_at(
            inq_error_create(INQ_E_HEADER, "ELF byte order is %u, expected 1 or 2", bytes[EI_DATA]),
            EI_DATA);
    core->elf_class = bytes[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    core->big_endian = bytes[EI_DATA] == ELFDATA2MSB;
    return NULL;
}

static struct inq_error *read_fields(struct inq_core_reader *r, const uint8_t *bytes,
                                     struct inq_elf_header *h)
{
    struct inq_core *core = r->core;
    bool be = core->big_endian;
    uint16_t type = inq_load_u16(bytes + 16, be);

    core->machine = inq_load_u16(bytes + 18, be);
    if (core->elf_class == 64) {
        h->phoff = inq_load_u64(bytes + 32, be);
        h->shoff = inq_load_u64(bytes + 40, be);
        h->phentsize = inq_load_u16(bytes + 54, be);
        h->phnum = inq_load_u16(bytes + 56, be);
    } else {
        h->phoff = inq_load_u32(bytes + 28, be);
        h->shoff = inq_load_u32(bytes + 32, be);
        h->phentsize = inq_load_u16(bytes + 42, be);
        h->phnum = inq_load_u16(bytes + 44, be);
    }
    if (type != ET_CORE)
        return not_core(r, h, type);
    return check_tables(r, h);
}

static void name_machine(struct inq_core_reader *r)
{
    struct inq_core *core = r->core;
    char buf[32];
    const char *name;

    core->cpu = inq_cpu_find(core->machine, core->elf_class, core->big_endian);
    name = inq_machine_name(core->machine, core->elf_class, core->big_endian, buf);
    strncpy(core->machine_name, name, sizeof(core->machine_name) - 1);
    if (!core->cpu)
        inq_gaps_add(r->gaps, INQ_G_MACHINE, NULL, "no register table for this CPU",
                     "registers of %s (%u-bit, %s-endian)", core->machine_name, core->elf_class,
                     core->big_endian ? "big" : "little");
}

struct inq_error *inq_core_read_header(struct inq_core_reader *reader,
                                       struct inq_elf_header *ret_header)
{
    struct inq_elf_header h = {0};
    struct inq_core_bytes b = {0};
    struct inq_error *error;

    INQ_TRY(inq_core_bytes_get(reader, 0, SNIFF_BYTES, &b));
    if (b.size == 0)
        error = inq_error_at(inq_error_create(INQ_E_EMPTY, "empty file"), 0);
    else
        error = read_ident(reader, b.bytes, b.size, &h);
    if (!error)
        error = read_fields(reader, b.bytes, &h);
    inq_core_bytes_deinit(&b);
    if (error)
        return error;
    name_machine(reader);
    *ret_header = h;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dwarf_file.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "cleanup.h"

_Thread_local jmp_buf *inq_dwarf_no_memory;

/*
 * What lines, inlines and names need. Not .debug_types: type units name no code. Not .debug_frame:
 * that is the unwinder's.
 */
static const char *const section_names[] = {
    ".debug_info",   ".debug_abbrev",   ".debug_line",     ".debug_aranges", ".debug_str",
    ".debug_ranges", ".debug_rnglists", ".debug_line_str", ".debug_addr",    ".debug_str_offsets",
};

/* "\0.debug_info\0.debug_abbrev\0...": the section names of every file that we make. */
#define NAMES_BYTES 192u
struct names {
    char bytes[NAMES_BYTES];
    size_t size;
    uint32_t at[INQ_ARRAY_SIZE(section_names)];
    uint32_t own; /* of ".shstrtab" */
};

static void make_names(struct names *ret_names)
{
    static const char own[] = ".shstrtab";
    struct names names = {.size = 1};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(section_names); i++) {
        size_t size = strlen(section_names[i]) + 1;
        names.at[i] = (uint32_t)names.size;
        memcpy(names.bytes + names.size, section_names[i], size);
        names.size += size;
    }
    names.own = (uint32_t)names.size;
    memcpy(names.bytes + names.size, own, sizeof(own));
    names.size += sizeof(own);
    *ret_names = names;
}

/* It must not come back; the target is set whenever libdw is called. */
static void no_memory(void) __attribute__((noreturn));
static void no_memory(void)
{
    longjmp(*inq_dwarf_no_memory, 1);
}

/* An ELF header and the null section; sections are then added to it in memory. */
static Elf *make_elf(const struct inq_image *image, uint8_t skeleton[192])
{
    /* Host order where it is the file's; libelf swaps a foreign header. Both are bytes here. */
    const bool be = image->big_endian, wide = image->elf_class == 64;
    const size_t header = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
    const size_t section = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    const size_t at[] = {
        wide ? offsetof(Elf64_Ehdr, e_machine) : offsetof(Elf32_Ehdr, e_machine),
        wide ? offsetof(Elf64_Ehdr, e_shoff) : offsetof(Elf32_Ehdr, e_shoff),
        wide ? offsetof(Elf64_Ehdr, e_ehsize) : offsetof(Elf32_Ehdr, e_ehsize),
        wide ? offsetof(Elf64_Ehdr, e_shentsize) : offsetof(Elf32_Ehdr, e_shentsize),
        wide ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum),
        wide ? offsetof(Elf64_Ehdr, e_shstrndx) : offsetof(Elf32_Ehdr, e_shstrndx),
    };
    const size_t values[] = {image->machine, header, header, section, 1, 1};

    memset(skeleton, 0, 192);
    memcpy(skeleton, ELFMAG, SELFMAG);
    skeleton[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
    skeleton[EI_DATA] = be ? ELFDATA2MSB : ELFDATA2LSB;
    skeleton[EI_VERSION] = EV_CURRENT;
    skeleton[16 + be] = ET_DYN;         /* e_type */
    skeleton[20 + 3 * be] = EV_CURRENT; /* e_version */
    for (size_t i = 0; i < INQ_ARRAY_SIZE(at); i++) {
        /* two bytes will do for all of them, at the low end of wider fields */
        size_t low = i == 1 && be ? (wide ? 6 : 2) : 0;
        skeleton[at[i] + low + be] = (uint8_t)values[i];
        skeleton[at[i] + low + !be] = (uint8_t)(values[i] >> 8);
    }
    return elf_memory((char *)skeleton, header + section);
}

static bool add_section(Elf *elf, uint32_t name, uint32_t type, const void *bytes, size_t size)
{
    elf_errno(); /* forgets what was before */
    Elf_Scn *section = elf_newscn(elf);
    /* Without memory for its header libelf gives a section all the same: elf_newdata() faults. */
    Elf_Data *data = section && elf_errno() == 0 ? elf_newdata(section) : NULL;
    GElf_Shdr storage, *header = data ? gelf_getshdr(section, &storage) : NULL;
    union {
        const void *from;
        void *to; /* libelf and libdw only read what they are given here */
    } buf = {.from = bytes};

    if (!header)
        return false;
    header->sh_name = name;
    header->sh_type = type;
    header->sh_size = size;
    header->sh_addralign = 1;
    data->d_buf = buf.to;
    data->d_size = size;
    data->d_type = ELF_T_BYTE;
    data->d_align = 1;
    data->d_version = EV_CURRENT;
    return gelf_update_shdr(section, header) != 0;
}

struct section_bytes {
    const uint8_t *bytes;
    size_t size;
};

static Dwarf *make_dwarf(const struct inq_image *image, const struct names *names,
                         const struct section_bytes *sections, uint8_t skeleton[192], Elf **ret_elf)
{
    Elf *elf = make_elf(image, skeleton);
    Dwarf *dwarf = NULL;
    bool ok = elf != NULL;

    /* its names first: the header says section 1 */
    ok = ok && add_section(elf, names->own, SHT_STRTAB, names->bytes, names->size);
    for (size_t i = 0; ok && i < INQ_ARRAY_SIZE(section_names); i++)
        if (sections[i].size > 0)
            ok = add_section(elf, names->at[i], SHT_PROGBITS, sections[i].bytes, sections[i].size);
    if (ok)
        dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    if (!dwarf) {
        elf_end(elf);
        if (!ok)
            no_memory(); /* nothing else can go wrong with what we make */
        return NULL;
    }
    dwarf_new_oom_handler(dwarf, no_memory);
    *ret_elf = elf;
    return dwarf;
}

/* All sections that are there; false when one that cannot be missed could not be had. */
static bool get_sections(const struct inq_image *image, struct inq_arena *arena,
                         struct inq_dwarf *dwarf,
                         struct section_bytes sections[INQ_ARRAY_SIZE(section_names)])
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(section_names); i++) {
        uint64_t before = dwarf->budget->unpacked_bytes;
        enum inq_packed result =
            inq_image_debug_section(image, section_names[i], arena, &dwarf->budget->unpacked_bytes,
                                    &sections[i].bytes, &sections[i].size);

        if (result == INQ_PACKED_NONE && i < 2)
            return false;
        if (result != INQ_PACKED_OK && result != INQ_PACKED_NONE) {
            dwarf->problem = result;
            if (i < 2)
                return false;
        }
        /* unpacking is work as well: 16 bytes a step */
        if (!inq_dwarf_step(dwarf, (before - dwarf->budget->unpacked_bytes) / 16))
            return false;
    }
    return true;
}

bool inq_dwarf_open(const struct inq_image *image, const struct inq_image *alt,
                    struct inq_arena *arena, struct inq_dwarf_budget *budget,
                    struct inq_dwarf *ret_dwarf)
{
    static const uint8_t nothing[1];
    struct section_bytes sections[INQ_ARRAY_SIZE(section_names)] = {0};
    struct section_bytes others[INQ_ARRAY_SIZE(section_names)] = {{nothing, sizeof(nothing)}};
    struct names *names = INQ_ARENA_NEW(arena, struct names);

    *ret_dwarf = (struct inq_dwarf){.budget = budget, .big_endian = image->big_endian};
    if (!names || elf_version(EV_CURRENT) == EV_NONE ||
        !get_sections(image, arena, ret_dwarf, sections))
        return false;
    make_names(names);
    ret_dwarf->line_section = sections[2].bytes;
    ret_dwarf->line_size = sections[2].size;
    ret_dwarf->dwarf = make_dwarf(image, names, sections, ret_dwarf->skeleton[0], &ret_dwarf->elf);
    if (!ret_dwarf->dwarf)
        return false;
    if (alt)
        get_sections(alt, arena, ret_dwarf, others);
    /*
     * A reference into an alternate that is not there must lead nowhere. libdw would go and look
     * for the file, so it is told of one with nothing in it.
     */
    ret_dwarf->alt = make_dwarf(image, names, others, ret_dwarf->skeleton[1], &ret_dwarf->alt_elf);
    if (!ret_dwarf->alt) {
        inq_dwarf_close(ret_dwarf);
        return false;
    }
    dwarf_setalt(ret_dwarf->dwarf, ret_dwarf->alt);
    return true;
}

void inq_dwarf_close(struct inq_dwarf *dwarf)
{
    if (dwarf->dwarf)
        dwarf_end(dwarf->dwarf);
    if (dwarf->elf)
        elf_end(dwarf->elf);
    if (dwarf->alt)
        dwarf_end(dwarf->alt);
    if (dwarf->alt_elf)
        elf_end(dwarf->alt_elf);
    dwarf->dwarf = dwarf->alt = NULL;
    dwarf->elf = dwarf->alt_elf = NULL;
}

bool inq_dwarf_frames_open(const struct inq_image *image, struct inq_arena *arena,
                           uint64_t *unpacked_bytes, struct inq_dwarf_frames *ret_frames)
{
    static const char names[] = "\0.debug_frame\0.shstrtab";
    const uint8_t *bytes = NULL;
    size_t size = 0;

    *ret_frames = (struct inq_dwarf_frames){0};
    if (elf_version(EV_CURRENT) == EV_NONE ||
        inq_image_debug_section(image, ".debug_frame", arena, unpacked_bytes, &bytes, &size) !=
            INQ_PACKED_OK)
        return false;
    ret_frames->elf = make_elf(image, ret_frames->skeleton);
    if (ret_frames->elf &&
        add_section(ret_frames->elf, sizeof("\0.debug_frame"), SHT_STRTAB, names, sizeof(names)) &&
        add_section(ret_frames->elf, 1, SHT_PROGBITS, bytes, size))
        ret_frames->dwarf = dwarf_begin_elf(ret_frames->elf, DWARF_C_READ, NULL);
    if (ret_frames->dwarf)
        ret_frames->cfi = dwarf_getcfi(ret_frames->dwarf);
    if (!ret_frames->cfi)
        inq_dwarf_frames_close(ret_frames);
    return ret_frames->cfi != NULL;
}

void inq_dwarf_frames_close(struct inq_dwarf_frames *frames)
{
    dwarf_end(frames->dwarf); /* these take NULL */
    elf_end(frames->elf);
    frames->dwarf = NULL;
    frames->elf = NULL;
    frames->cfi = NULL;
}

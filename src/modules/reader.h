/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MODULES_READER_H
#define INQ_MODULES_READER_H

/*
 * Inner part of modules.c: building the list. What is known of a module while it is built is a
 * candidate; the order is: group NT_FILE (or scan memory), join the dynamic linker's list, ask for
 * the files.
 */

#include "array.h"
#include "elfhead.h"
#include "modules.h"

/* Loadable segments of one ELF file that are looked at; real ones have up to a dozen. */
#define INQ_MAX_LOADS 32u

/* An ELF file as the process had it mapped, read through its headers in memory. */
struct inq_mapped_elf {
    uint64_t header_addr; /* where the ELF header was read */
    struct inq_elf_header header;
    struct inq_elf_segment
        *segments; /* those of interest: LOAD, DYNAMIC, NOTE, EH_FRAME, PHDR, INTERP */
    size_t n_segments;
};

struct inq_candidate {
    struct inq_module module;
    struct inq_mapped_elf elf; /* n_segments 0 when the headers are not in the dump */
    bool tentative;            /* only a module when the dynamic linker says so */
    bool has_interp;
    uint64_t order; /* of discovery, to be deterministic */
};

struct inq_reader {
    const struct inq_core *core;
    struct inq_memory *memory;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_modules *modules; /* the result, half built */
    uint64_t addr_mask;          /* addresses wrap here: 2^32 - 1 or 2^64 - 1 */
    uint8_t word_bytes;
    INQ_ARRAY(struct inq_candidate) candidates;
    bool too_many;
};

static inline uint64_t inq_page_down(const struct inq_core *core, uint64_t value)
{
    return value & ~(core->page_bytes - 1);
}

/* Saturates at the last page. */
static inline uint64_t inq_page_up(const struct inq_core *core, uint64_t value)
{
    uint64_t mask = core->page_bytes - 1;

    return value > UINT64_MAX - mask ? UINT64_MAX & ~mask : (value + mask) & ~mask;
}

/* ---- mapped.c: headers in memory ---------------------------------------------------------- */

enum inq_mapped {
    INQ_MAPPED_ELF,     /* a program or library of this process's class and machine */
    INQ_MAPPED_OTHER,   /* the bytes are there and are none */
    INQ_MAPPED_UNSAVED, /* the bytes are not in the dump */
};

/* Reads the headers at an address. Allocates only for INQ_MAPPED_ELF. */
enum inq_mapped inq_mapped_read(struct inq_reader *reader, uint64_t addr,
                                struct inq_mapped_elf *ret_elf);
/* The build-id of an ELF file whose load bias is known; 0 when it cannot be read. */
size_t inq_mapped_build_id(struct inq_reader *reader, const struct inq_mapped_elf *elf,
                           uint64_t bias, uint8_t ret_id[INQ_MAX_BUILD_ID]);
/* Fills in what the headers say: dynamic, eh_frame_hdr, build-id, and the end of the range. */
void inq_mapped_describe(struct inq_reader *reader, struct inq_candidate *candidate);
/* Lowest and highest address of the loadable segments, rounded to pages; false without any. */
bool inq_mapped_span(const struct inq_reader *reader, const struct inq_mapped_elf *elf,
                     uint64_t bias, uint64_t *ret_start, uint64_t *ret_size);

/* A new candidate at the end of the list; NULL without memory or beyond the limit. */
struct inq_candidate *inq_reader_add(struct inq_reader *reader);

/* ---- group.c, scan.c: where modules come from ---------------------------------------------- */

/* From NT_FILE. */
struct inq_error *inq_modules_group(struct inq_reader *reader);
/* From ELF headers at segment starts, for dumps without NT_FILE; and the vdso of any dump. */
struct inq_error *inq_modules_scan(struct inq_reader *reader);
struct inq_error *inq_modules_add_vdso(struct inq_reader *reader);

/* ---- holes.c ------------------------------------------------------------------------------- */

/* Takes out of the pieces what lies between two segments of a module and is not mapped from it. */
struct inq_error *inq_modules_cut_holes(struct inq_reader *reader);

/* ---- link_map.c ---------------------------------------------------------------------------- */

/*
 * Reads the dynamic linker's list and joins it to the modules of `modules`, which must be sorted
 * and have their pieces. Entries that belong to no module are added to the candidates by
 * inq_link_map_read() only when NT_FILE is missing; *ret_added says so: then sort again.
 */
struct inq_error *inq_link_map_read(struct inq_reader *reader, bool *ret_added);

/* ---- attach.c: files ----------------------------------------------------------------------- */

/* Asks for the files of all modules that were not asked for yet, in batches. */
struct inq_error *inq_modules_ask_all(struct inq_modules *modules);

/* The gap of a file that was asked for alone (stacks_only); may ask for all the others. */
void inq_module_note_absence(struct inq_modules *modules, struct inq_module *module);
/* What the verified file adds: addresses that the dump's own headers did not give, names, backing.
 */
void inq_module_use_image(struct inq_modules *modules, struct inq_module *module);

/* DT_SONAME from the process's own memory; NULL when it cannot be read. */
const char *inq_module_soname_in_memory(struct inq_modules *modules,
                                        const struct inq_module *module);

/* ---- debug_files.c ------------------------------------------------------------------------- */

/* inq_image_open(), or inq_image_read() where nothing is to be mapped. */
struct inq_error *inq_module_open_image(struct inq_modules *modules, int fd,
                                        struct inq_image **ret_image);
/* Another file for a module; NULL when it is not there, or is no good: there is much without it. */
struct inq_image *inq_module_ask_image(struct inq_modules *modules,
                                       const struct inq_module *module,
                                       const struct inq_file_request *request);

/* ---- modules.c ----------------------------------------------------------------------------- */

/* The first line of NT_FILE that starts at or behind addr; n_files when there is none. */
size_t inq_modules_first_line(const struct inq_core *core, uint64_t addr);
/* Index of the innermost module that covers addr, SIZE_MAX without. While the list is built it is
 * the index of a candidate. */
size_t inq_modules_locate(const struct inq_modules *modules, uint64_t addr);
/* Last component of a path; the path itself when it ends in a slash or has none. */
const char *inq_base_name(const char *path);
/* Gap texts: "module libfoo.so". In the arena; never NULL. */
const char *inq_module_where(const struct inq_modules *modules, const struct inq_module *module);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MODULES_MODULES_H
#define INQ_MODULES_MODULES_H

/*
 * What was loaded: NT_FILE joined with the dynamic linker's list, identified by the build-ids in
 * the dump's own pages, and the files of this machine that are verified to be the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "core.h"
#include "error.h"
#include "files.h"
#include "gaps.h"
#include "image.h"
#include "memory.h"

struct inq_module {
    size_t index;
    const char *path;      /* from NT_FILE (or the link map) without " (deleted)"; raw; NULL for
                              the vdso when it has no name */
    const char *name;      /* last component of path, or "[vdso]"; never NULL */
    const char *link_name; /* l_name; NULL when not in the link map */
    const char *soname;    /* DT_SONAME, NULL without */
    uint8_t build_id[INQ_MAX_BUILD_ID];
    uint8_t build_id_size; /* 0: the dump does not hold it */
    uint64_t start, size;  /* lowest to highest mapping, the memory behind the file's data (.bss)
                              included; bytes */
    uint64_t load_bias;    /* add to a file address; valid when has_bias */
    bool has_bias;
    bool deleted, is_elf, is_main, is_vdso;
    int load_order; /* in the link map, 0 is the program; -1 when not in it */
    int link_space; /* which of the linker's lists: 0, or one that dlmopen() made */
    uint64_t link_map; /* address of its struct link_map; 0 when not in the link map */

    /* from the program headers in the dump, else from the verified file; 0 when unknown */
    uint64_t eh_frame_hdr, eh_frame_hdr_size; /* address in the process */
    uint64_t dynamic, dynamic_size;           /* address in the process */

    enum inq_on_disk on_disk;
    const char *on_disk_reason;
    struct inq_image *image;       /* verified (or trusted) file, NULL without */
    struct inq_image *debug_image; /* separate debug file, NULL without or not looked for */
    struct inq_image *mini_image;  /* .gnu_debugdata: symbols alone; NULL likewise */
    struct inq_image *alt_image;   /* what dwz moved out of its debug information; NULL likewise */
    bool debug_asked, mini_asked, alt_asked;
    bool gap_given, image_used, fetch_asked; /* private */
};

/* A piece of a module's range that belongs to no module inside it. */
struct inq_module_piece {
    uint64_t start, size;
    size_t module; /* index */
};

struct inq_modules {
    struct inq_module *items; /* sorted by start */
    size_t count;
    struct inq_module_piece *pieces; /* disjoint, sorted: what inq_modules_find() searches */
    size_t n_pieces;
    bool foreign_root;   /* none of the named files is here: the dump comes from elsewhere. With
                            stacks_only it is known only after a file was found missing */
    bool all_asked;      /* every named file was asked for */
    bool has_executable, unmapped; /* of the options */
    size_t main;         /* index of the program, or SIZE_MAX */
    uint64_t link_map_addr, r_debug_addr; /* 0 when not found */
    uint32_t r_state;                     /* r_debug.r_state; 0 is RT_CONSISTENT */
    struct inq_opener *opener;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    const struct inq_core *core;
    struct inq_memory *memory;
};

struct inq_modules_options {
    bool stacks_only;    /* leave files alone until a stack needs them */
    bool has_executable; /* --executable was given: ask for it for the main program */
    bool unmapped;       /* read the files instead of mapping them */
};

/*
 * Builds the list from what the dump says, then asks the opener for the files (all at once, or on
 * demand with stacks_only) and gives their read-only segments to the memory as backing.
 */
struct inq_error *inq_modules_read(const struct inq_core *core, struct inq_memory *memory,
                                   struct inq_opener *opener,
                                   const struct inq_modules_options *options,
                                   struct inq_arena *arena, struct inq_gaps *gaps,
                                   struct inq_modules **ret_modules);
void inq_modules_close(struct inq_modules *modules); /* unmaps the files; takes NULL */

/* The module whose range covers addr, the innermost of several; NULL without. log n. */
struct inq_module *inq_modules_find(const struct inq_modules *modules, uint64_t addr);
/* An address of the process as the module's file counts; biases of 32-bit processes wrap at 2^32.
 */
static inline uint64_t inq_modules_file_addr(const struct inq_modules *modules,
                                             const struct inq_module *module, uint64_t addr)
{
    uint64_t file_addr = addr - module->load_bias;
    return modules->core->elf_class == 32 ? file_addr & UINT32_MAX : file_addr;
}
/*
 * Asks for the module's file when that was put off; its `image` is set when it may be used. Nothing
 * here that is it: asks, once, for one from the servers of --debuginfod. `on_disk` stays what was
 * found here.
 */
void inq_module_need_file(struct inq_modules *modules, struct inq_module *module);
/*
 * Asks once for its separate debug file: by build-id, then by the name in .gnu_debuglink, then from
 * the servers of --debuginfod.
 */
void inq_module_need_debug(struct inq_modules *modules, struct inq_module *module);
/* Unpacks once the symbols that distributions leave in a stripped file ("MiniDebugInfo"). */
void inq_module_need_mini(struct inq_modules *modules, struct inq_module *module);
/*
 * Asks once for the file that .gnu_debugaltlink of `of` (its image or debug image) names. False
 * when that section is there and the file is not.
 */
bool inq_module_need_alt(struct inq_modules *modules, struct inq_module *module,
                         const struct inq_image *of);

/*
 * Address in the process of a symbol that some module defines, by .symtab or .dynsym of a verified
 * file. Only modules with a name (soname, linker's or file's) that starts with `soname_prefix` are
 * looked at; NULL is all of them. A static program holds its libraries: when no module fits the
 * prefix and nothing was loaded dynamically, the program itself is looked at.
 */
bool inq_modules_symbol(struct inq_modules *modules, const char *soname_prefix, const char *symbol,
                        uint64_t *ret_addr, struct inq_module **ret_module);

#endif

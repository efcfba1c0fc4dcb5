/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_DWARF_FILE_H
#define INQ_UNWIND_DWARF_FILE_H

/*
 * DWARF of one verified file, read with libdw, and what reading it may cost.
 *
 * libdw is not given the file. It gets an ELF object of our making that has nothing but the debug
 * sections we picked, so: it opens nothing by name (no `.dwo`, no dwz alternate), its ELF parser
 * meets no hostile header, sections are unpacked by us and within limits, and those that nobody
 * asks for (.debug_loc...) not at all.
 *
 * DWARF is a program for a machine that its author chose: loops, depth and sizes are the file's. So
 * every walk of ours takes its steps from a budget, which is the same for the same files on any
 * machine, and goes forward in the file only.
 */

#include <elfutils/libdw.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "image.h"
#include "packed.h"

/* About a second of work in the worst case; a thread's lines of a large program take 1 % of it. */
#define INQ_DWARF_STEPS 8000000u
/* A line program is decoded as a whole; each byte of it can become a row of about 100 bytes. */
#define INQ_MAX_LINE_PROGRAM (2u << 20u)
#define INQ_MAX_LINE_PROGRAMS (12u << 20u)
/* libdw keeps about a kilobyte of each unit up to the last one it is asked for. */
#define INQ_MAX_DWARF_UNITS 300000u

struct inq_dwarf_budget {
    uint64_t steps;          /* left */
    uint64_t unpacked_bytes; /* that may still be unpacked */
    uint64_t line_bytes;     /* of line programs that may still be decoded */
    uint64_t units;          /* compilation and type units that may still be kept */
    bool steps_ended, lines_ended;
};

struct inq_dwarf {
    Dwarf *dwarf; /* NULL: there is no DWARF, or it is damaged */
    struct inq_dwarf_budget *budget;
    const uint8_t *line_section; /* .debug_line */
    size_t line_size;
    bool big_endian;
    bool lines_read;         /* of the unit that is being read: its table of files is there */
    enum inq_packed problem; /* of the last section that could not be had */
    /* private */
    bool units_counted;
    Elf *elf;
    Dwarf *alt;
    Elf *alt_elf;
    _Alignas(8) uint8_t skeleton[2][192]; /* where the ELF headers are: it must not be moved */
};

/*
 * `alt` is the dwz alternate, NULL without. Sections are unpacked into the arena. False when there
 * is nothing to read; then `problem` may say why. Must be called with a jump target set (below).
 */
bool inq_dwarf_open(const struct inq_image *image, const struct inq_image *alt,
                    struct inq_arena *arena, struct inq_dwarf_budget *budget,
                    struct inq_dwarf *ret_dwarf);
void inq_dwarf_close(struct inq_dwarf *dwarf);

/* Call frame information of `.debug_frame`, read the same way: by itself, and unpacked by us. */
struct inq_dwarf_frames {
    Dwarf_CFI *cfi; /* NULL: there is none; it belongs to dwarf */
    /* private */
    Dwarf *dwarf;
    Elf *elf;
    _Alignas(8) uint8_t skeleton[192]; /* it must not be moved */
};
bool inq_dwarf_frames_open(const struct inq_image *image, struct inq_arena *arena,
                           uint64_t *unpacked_bytes, struct inq_dwarf_frames *ret_frames);
void inq_dwarf_frames_close(struct inq_dwarf_frames *frames); /* takes one with nothing in it */

/* Takes `count` steps; false when there are none left (which is then remembered). */
static inline bool inq_dwarf_step(struct inq_dwarf *dwarf, uint64_t count)
{
    if (dwarf->budget->steps < count) {
        dwarf->budget->steps = 0;
        dwarf->budget->steps_ended = true;
        return false;
    }
    dwarf->budget->steps -= count;
    return true;
}

/*
 * libdw ends the process when there is no memory, unless its handler does not come back: ours jumps
 * to this target, of the thread that set it. NULL when none is set.
 */
extern _Thread_local jmp_buf *inq_dwarf_no_memory;

/* ---- dwarf_units.c --------------------------------------------------------------------------- */

/* An address whose place in the source is wanted, and what was found out about it. */
struct inq_inline {   /* a function that was inlined, and where it was called from */
    const char *name; /* as DWARF has it: mangled, or scopes and name; NULL unknown */
    const char *file; /* of the call */
    uint32_t line;    /* of the call, 0 unknown */
};

struct inq_spot {
    uint64_t addr; /* as the file counts */
    bool has_unit;
    Dwarf_Off unit; /* offset of the DIE of its compilation unit */
    const char *file;
    uint32_t line;        /* 0: unknown */
    const char *function; /* of the code: the outermost; NULL unknown. May be mangled */
    uint64_t entry;       /* its first address, when has_entry */
    bool has_entry;
    struct inq_inline *inlines; /* innermost first */
    size_t n_inlines;
    /* private, while its unit is read */
    bool has_die;
    Dwarf_Die die;
};

/*
 * Fills in the spots, which must be sorted by address; what cannot be known stays unset. Texts are
 * copied to the arena. False without memory. Must be called with a jump target set.
 */
bool inq_dwarf_read(struct inq_dwarf *dwarf, struct inq_spot *spots, size_t count,
                    struct inq_arena *arena);

/* Sets has_unit and unit of the spots. */
void inq_dwarf_find_units(struct inq_dwarf *dwarf, struct inq_spot *spots, size_t count);

/* ---- dwarf_lines.c, dwarf_scopes.c ----------------------------------------------------------- */

/* For spots of one unit, sorted by address. Texts are copied to the arena. False without memory. */
bool inq_dwarf_find_lines(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot **spots,
                          size_t count, struct inq_arena *arena);
bool inq_dwarf_find_scopes(struct inq_dwarf *dwarf, Dwarf_Die *unit, struct inq_spot **spots,
                           size_t count, struct inq_arena *arena);

/* Whether one of the DIE's ranges holds addr; takes steps. */
bool inq_dwarf_covers(struct inq_dwarf *dwarf, Dwarf_Die *die, uint64_t addr);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_LINES_H
#define INQ_UNWIND_LINES_H

/*
 * Source files, lines and inlined functions of the frames that are kept, out of the DWARF of
 * verified files (dwarf_file.h). The crashing thread comes first; a budget of steps, and not the
 * clock, says where it ends, so a report is the same on a slow machine.
 */

#include "stacks.h"

#define INQ_LINES_UNPACK_BYTES (256ull * 1024 * 1024)

struct inq_lines_options {
    /*
     * Compressed debug sections, as Debian's -dbgsym packages have them, are left alone when they
     * would take more than this to unpack: libc's alone takes longer than all the rest of a triage.
     */
    uint64_t unpack_bytes;
};

/*
 * To be called after inq_stacks_name(). Frames get `file` and `line`; a function that was inlined
 * becomes a frame of its own in front of the one whose code it is part of, with the same index, pc,
 * sp and trust, and `inlined` set. So n_frames grows, frames_total and the cycle do not.
 */
struct inq_error *inq_stacks_add_lines(struct inq_stacks *stacks, struct inq_modules *modules,
                                       const struct inq_lines_options *options,
                                       struct inq_arena *arena, struct inq_gaps *gaps);

#endif

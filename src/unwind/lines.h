/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_LINES_H
#define INQ_UNWIND_LINES_H

/*
 * Source files, lines and inlined functions of the frames that are kept, out of the DWARF of
 * verified files (dwarf_file.h). The crashing thread comes first; a budget of steps, and not the
 * clock, says where it ends, so a report is the same on a slow machine.
 */

#include "stacks.h"

/*
 * Compressed debug sections, as Debian's -dbg and -dbgsym packages have them, are unpacked as a
 * whole. For libc's that takes some 20 ms, ten times the rest of a triage, for lines that nobody
 * will edit: they are left alone. Others are unpacked when the crashing thread has more of the
 * module than its outermost frames. What is left alone for that is a gap that costs no exit code.
 */

/*
 * To be called after inq_stacks_name(). Frames get `file` and `line`; a function that was inlined
 * becomes a frame of its own in front of the one whose code it is part of, with the same index, pc,
 * sp and trust, and `inlined` set. So n_frames grows, frames_total and the cycle do not.
 */
struct inq_error *inq_stacks_add_lines(struct inq_stacks *stacks, struct inq_modules *modules,
                                       struct inq_arena *arena, struct inq_gaps *gaps);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_FRAME_SEARCH_H
#define INQ_DETECTORS_FRAME_SEARCH_H

/* Which functions stand on a stack. Places are indexes into the list of frames, innermost first. */

#include <stdbool.h>
#include <stddef.h>

#include "detector.h"

#define INQ_NO_FRAME SIZE_MAX

/* NULL-terminated list of names as reports have them (readable, without parameters). */
bool inq_frame_is(const struct inq_frame *frame, const char *const *names);

/* The innermost frame from `from` on that is one of them; INQ_NO_FRAME without. */
size_t inq_frame_find(const struct inq_stack *stack, size_t from, const char *const *names);

/*
 * The C library (glibc or musl), the dynamic linker, and both together: also a static program,
 * which holds them, when the frame has a name.
 */
bool inq_module_is_libc(const struct inq_module *module);
bool inq_module_is_loader(const struct inq_module *module);
/* musl, whose one file is both. */
bool inq_module_is_musl(const struct inq_module *module);
/* Nothing was loaded dynamically: the program holds its libraries. */
bool inq_is_static(const struct inq_dump *dump);

/* A frame that nothing uncertain lies below of. */
bool inq_frame_is_sure(const struct inq_frame *frame);

/*
 * Whether the absence of a name on the stacks of all threads says something: they were followed to
 * their ends, and each frame without a name lies in a file whose symbols were looked at.
 */
bool inq_frames_tell(const struct inq_dump *dump);

#endif

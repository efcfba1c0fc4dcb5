/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CRASH_PATH_H
#define INQ_DETECTORS_CRASH_PATH_H

/*
 * Did the crash go through a foreign slot? The frames of the crashing thread that can be trusted,
 * the values it had in its hands at the fault, and what links the two to a slot.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings.h"
#include "detector.h"

#define INQ_MAX_PATH_FRAMES 64u
#define INQ_MAX_PATH_VALUES 4u

struct inq_path_frame {
    const struct inq_frame *frame;
    size_t module;  /* SIZE_MAX: in none */
    bool has_start; /* start counts */
    uint64_t start; /* of its function */
};

/* Which slots may have led to an end like this one? */
enum inq_path_fit {
    INQ_FIT_NONE,  /* none: the signal was sent, or nothing is known */
    INQ_FIT_CALLS, /* those of calls that are going on: an abort(), a trap, a stack that is used up
                    */
    INQ_FIT_ANY,   /* an instruction failed, or the allocator found its data damaged */
};

struct inq_crash_path {
    enum inq_path_fit fit;
    const char *no_fit; /* why not any; static */
    bool own_end;       /* a decision of the code that ended it: abort(), a trap */
    bool many_causes; /* a null pointer was followed, or a division failed: slots are rarely why */
    struct inq_path_frame frames[INQ_MAX_PATH_FRAMES]; /* innermost first, inlined ones left out */
    size_t count;
    const char *cut; /* why there may be more frames than these; NULL when they are all. Static */
    size_t culprit;  /* first frame that is not in one of the program's own libraries (free() and
                        such); count: there is none */
    bool exiting;    /* exit() or dlclose() was running destructors */
    uint64_t values[INQ_MAX_PATH_VALUES]; /* at hand: of the registers the bad operand is made of */
    size_t n_values;
    bool has_address;
    uint64_t address; /* of the fault */
};

/* `dump` as it was at the real fault (real_fault.h). */
void inq_crash_path(struct inq_dump *dump, const struct inq_bindings *bindings,
                    const struct inq_evidence *evidence, struct inq_crash_path *ret_path);
/* Is a frame of it in the module? */
bool inq_crash_path_has(const struct inq_crash_path *path, size_t module);

enum inq_link_how {
    INQ_LINK_NONE,
    INQ_LINK_OBJECT_READ,
    INQ_LINK_OBJECT_AT_HAND,
    INQ_LINK_CALL,
    INQ_LINK_RETURN,
    INQ_LINK_EXIT_OBJECT,
};
const char *inq_link_name(enum inq_link_how how); /* "object-read"; NULL for none */

enum inq_link_grade { INQ_GRADE_NONE, INQ_GRADE_PLAUSIBLE, INQ_GRADE_STRONG, INQ_GRADE_PROVEN };

struct inq_crash_link { /* the best that is known about one slot */
    size_t binding;
    enum inq_link_grade grade;
    enum inq_link_how how;
    bool has_offset, has_value;
    uint64_t offset, value;
    uint64_t frame;   /* index of the frame that used it */
    const char *text; /* the sentence; in the arena */
};

/* All links, best first. Errors: no memory. */
struct inq_error *inq_crash_links(struct inq_dump *dump, const struct inq_bindings *bindings,
                                  const struct inq_crash_path *path,
                                  struct inq_crash_link **ret_links, size_t *ret_count);

#endif

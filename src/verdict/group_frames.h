/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_VERDICT_GROUP_FRAMES_H
#define INQ_VERDICT_GROUP_FRAMES_H

/* The frames of the crashing thread as words of a group key. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "array.h"

#define INQ_GROUP_FRAMES 5u

struct inq_group_frame {
    char *word;   /* "libfoo!bar", "libfoo@0a1b2c3d+0x1234"; owned */
    bool runtime; /* of the C library, the loader or an allocator */
};

struct inq_group_frames {
    INQ_ARRAY(struct inq_group_frame) all;
    size_t first; /* the first that belongs into the key */
    size_t used;  /* how many from there */
    bool in_handler, at_exit;
};

/*
 * Reads the frames that can be trusted, skips the leading ones of the runtime, folds cycles.
 * `names`: words are made of function names where there are any; else of build-ids and offsets
 * alone, so that they are the same on a machine without symbols. False without memory.
 */
bool inq_group_frames_read(const json_t *document, bool names, struct inq_group_frames *ret_frames);
void inq_group_frames_deinit(struct inq_group_frames *frames);

#endif

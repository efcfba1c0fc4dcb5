/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_INPUT_H
#define INQ_SOURCE_INPUT_H

/*
 * The stored bytes of a stream in their order, through one buffer. A regular file is read with
 * pread(2) from offset 0, whatever the position of the descriptor; a pipe or socket with read(2).
 * Read errors are remembered and look like the end of the file otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "armor.h"

/* Holds a compressed zstd block (128 KiB at most) and its neighbour's header in one piece. */
#define INQ_INPUT_BUFFER_BYTES (256u * 1024u)

struct inq_input {
    int fd; /* borrowed */
    bool seekable;
    uint64_t size; /* of a regular file when it was opened */
    uint64_t off;  /* of the next byte to be read from the descriptor */
    uint8_t *buffer;
    size_t pos, end; /* buffer[pos, end) was read and not yet used */
    int error;       /* errno of a failed read */
    bool ended;      /* end of file, or the error above */
    bool armored;    /* what is read is the text of an apport report */
    struct inq_armor armor;
};

/* False without memory. */
bool inq_input_init(struct inq_input *input, int fd, bool seekable, uint64_t size);
void inq_input_deinit(struct inq_input *input);

/* From here on, and from its first byte, the file is the text of armor.h. */
void inq_input_unarmor(struct inq_input *input);

/* Offset in the stored file of the next unused byte. */
static inline uint64_t inq_input_off(const struct inq_input *input)
{
    return input->off - (input->end - input->pos);
}

/* Tries to have `want` (<= the buffer's size) bytes at buffer[pos]; returns how many there are. */
size_t inq_input_need(struct inq_input *input, size_t want);

/* Moves up to `size` bytes out, large pieces without the detour; short at the end only. */
size_t inq_input_take(struct inq_input *input, void *buf, size_t size);

/* Leaves `size` bytes out (a regular file is not read for that); false when there are not as many.
 */
bool inq_input_skip(struct inq_input *input, uint64_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool inq_input_init(struct inq_input *input, int fd, bool seekable, uint64_t size)
{
    *input = (struct inq_input){.fd = fd, .seekable = seekable, .size = size};
    input->buffer = malloc(INQ_INPUT_BUFFER_BYTES);
    return input->buffer != NULL;
}

void inq_input_deinit(struct inq_input *input)
{
    free(input->buffer);
    *input = (struct inq_input){.fd = -1};
}

/* One read; 0 at the end or after an error. A pipe may have been made non-blocking by its writer.
 */
static size_t read_stored(struct inq_input *input, void *buf, size_t size)
{
    while (!input->ended && size > 0) {
        ssize_t n;

        if (input->seekable && input->off > (uint64_t)INT64_MAX - size)
            n = 0;
        else if (input->seekable)
            n = pread(input->fd, buf, size, (off_t)input->off);
        else
            n = read(input->fd, buf, size);
        if (n > 0) {
            input->off += (uint64_t)n;
            return (size_t)n;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd wait = {.fd = input->fd, .events = POLLIN};

            if (poll(&wait, 1, -1) >= 0 || errno == EINTR)
                continue;
        }
        if (n < 0)
            input->error = errno;
        input->ended = true;
    }
    return 0;
}

/* One read, of text decoded in place: reads on until a byte comes out of it. */
static size_t read_once(struct inq_input *input, void *buf, size_t size)
{
    size_t n, decoded = 0;

    if (!input->armored)
        return read_stored(input, buf, size);
    while (decoded == 0 && (n = read_stored(input, buf, size)) > 0) {
        decoded = inq_armor_decode(&input->armor, buf, n, buf);
        input->ended = input->ended || input->armor.state == INQ_ARMOR_DONE;
    }
    return decoded;
}

/* What stands in the buffer was read as it is: it is decoded, too. */
void inq_input_unarmor(struct inq_input *input)
{
    uint8_t *text = input->buffer + input->pos;

    input->armored = true;
    input->end = input->pos + inq_armor_decode(&input->armor, text, input->end - input->pos, text);
}

size_t inq_input_need(struct inq_input *input, size_t want)
{
    size_t have = input->end - input->pos;

    if (have >= want || input->ended)
        return have;
    if (have > 0)
        memmove(input->buffer, input->buffer + input->pos, have);
    input->pos = 0;
    input->end = have;
    while (input->end < want) {
        size_t n =
            read_once(input, input->buffer + input->end, INQ_INPUT_BUFFER_BYTES - input->end);

        if (n == 0)
            break;
        input->end += n;
    }
    return input->end;
}

size_t inq_input_take(struct inq_input *input, void *buf, size_t size)
{
    size_t done = input->end - input->pos;

    if (done > size)
        done = size;
    if (done > 0) {
        memcpy(buf, input->buffer + input->pos, done);
        input->pos += done;
    }
    while (done < size) {
        size_t n = read_once(input, (uint8_t *)buf + done, size - done);

        if (n == 0)
            break;
        done += n;
    }
    return done;
}

bool inq_input_skip(struct inq_input *input, uint64_t size)
{
    size_t have = input->end - input->pos;

    if (size <= have) {
        input->pos += (size_t)size;
        return true;
    }
    size -= have;
    input->pos = input->end = 0;
    if (input->seekable && !input->armored) {
        if (input->off > input->size || size > input->size - input->off) {
            input->ended = true;
            return false;
        }
        input->off += size;
        return true;
    }
    while (size > 0) {
        size_t part = size < INQ_INPUT_BUFFER_BYTES ? (size_t)size : INQ_INPUT_BUFFER_BYTES;
        size_t n = read_once(input, input->buffer, part);

        if (n == 0)
            return false;
        size -= n;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "io.h"

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    bytes->data = realloc(bytes->data, bytes->size + size + 1);
    assert_non_null(bytes->data);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

struct bytes make_dump(size_t size)
{
    struct bytes dump = {.data = calloc(1, size + 1), .size = size};
    uint64_t x = 88172645463325252u;

    assert_non_null(dump.data);
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word = next_random(&x);

        switch (i / 65536 % 4) {
        case 0:
            word = i % 65536 == 0 && i % (3 * 65536) == 0 ? word | 1 : 0;
            break;
        case 1:
            break;
        case 2:
            word = 0x00007f0000000000u + word % 5000 * 16;
            break;
        default:
            word = i / 4096 % 2 ? 0 : word % 256;
            break;
        }
        memcpy(dump.data + i, &word, sizeof(word));
    }
    return dump;
}

struct bytes pack(const void *data, size_t size)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer in = {.src = data, .size = size};
    struct bytes packed = {0};
    bool fed = false; /* feeding first and ending after keeps the content size out of the header */
    size_t left = 1;

    assert_non_null(context);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    while (left > 0) {
        uint8_t piece[65536];
        ZSTD_outBuffer out = {.dst = piece, .size = sizeof(piece)};

        left = ZSTD_compressStream2(context, &out, &in, fed ? ZSTD_e_end : ZSTD_e_continue);
        assert_false(ZSTD_isError(left));
        bytes_append(&packed, piece, out.pos);
        if (!fed)
            left = 1;
        fed = in.pos == in.size;
    }
    ZSTD_freeCCtx(context);
    return packed;
}

int file_of(const void *data, size_t size)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(inq_write_full(fd, data, size), 0);
    return fd;
}

struct writer {
    struct bytes bytes;
    int fd;
};

static void *write_all(void *argument)
{
    struct writer *writer = argument;

    inq_write_full(writer->fd, writer->bytes.data, writer->bytes.size);
    close(writer->fd);
    bytes_free(&writer->bytes);
    free(writer);
    return NULL;
}

int pipe_of(const void *data, size_t size)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    pthread_t thread;
    int ends[2];

    assert_non_null(writer);
    assert_int_equal(pipe(ends), 0);
    bytes_append(&writer->bytes, data, size);
    writer->fd = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, write_all, writer), 0);
    pthread_detach(thread);
    return ends[0];
}

struct inq_source *open_ok(int fd, struct inq_gaps *gaps)
{
    struct inq_source *source = NULL;
    struct inq_error *error = inq_source_open(fd, "core.test", gaps, &source);

    if (error)
        fail_msg("opening failed: %s", error->message);
    assert_non_null(source);
    return source;
}

void open_fails(int fd, enum inq_code code, const char *part)
{
    struct inq_source *source = NULL;
    struct inq_error *error = inq_source_open(fd, "core.test", NULL, &source);

    assert_null(source);
    assert_non_null(error);
    assert_string_equal(inq_code_name(error->code), inq_code_name(code));
    assert_string_equal(error->file, "core.test");
    if (!strstr(error->message, part))
        fail_msg("\"%s\" does not say \"%s\"", error->message, part);
    inq_error_destroy(error);
}

void stream_ok(struct inq_source *source, const struct inq_source_plan *plan)
{
    struct inq_error *error = inq_source_stream(source, plan);

    if (error)
        fail_msg("streaming failed: %s", error->message);
}

size_t count_gaps(const struct inq_gaps *gaps, enum inq_code code)
{
    size_t n = 0;

    for (size_t i = 0; i < gaps->count; i++)
        n += gaps->items[i].code == code;
    return n;
}

enum inq_read read_same(struct inq_source *source, const struct bytes *dump, uint64_t off,
                        size_t size, size_t *ret_got)
{
    uint8_t *buf = malloc(size + 1);
    enum inq_read result;

    assert_non_null(buf);
    memset(buf, 0xee, size + 1);
    result = inq_source_read(source, off, buf, size, ret_got);
    assert_true(*ret_got <= size);
    assert_int_equal(result == INQ_READ_OK, *ret_got == size);
    if (*ret_got > 0) {
        assert_true(off + *ret_got <= dump->size);
        if (memcmp(buf, dump->data + off, *ret_got) != 0)
            fail_msg("%zu bytes at %#llx differ", size, (unsigned long long)off);
    }
    assert_int_equal(buf[size], 0xee);
    free(buf);
    return result;
}

void reads_back(struct inq_source *source, const struct bytes *dump, uint64_t off, size_t size)
{
    size_t got;

    assert_int_equal(read_same(source, dump, off, size, &got), INQ_READ_OK);
}

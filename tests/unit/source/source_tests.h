/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_SOURCE_TESTS_H
#define INQ_TEST_SOURCE_TESTS_H

/* cmocka wants these before its header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source.h"

/* Each runs one group and returns the number of failures. */
int run_plain_tests(void);
int run_zstd_tests(void);
int run_packings_tests(void);
int run_keep_tests(void);
int run_plan_tests(void);

/* Helpers; they fail the test when something of theirs goes wrong. */

struct bytes {
    uint8_t *data;
    size_t size;
};
void bytes_free(struct bytes *bytes);
#define _cleanup_bytes_ __attribute__((cleanup(bytes_free)))
void bytes_append(struct bytes *bytes, const void *data, size_t size);

/* 64 KiB stretches in turn: zeros, noise, text-like words, pages of which every second is zero. */
struct bytes make_dump(size_t size);
/* One frame as systemd-coredump writes it: level 3, a checksum, no content size. */
struct bytes pack(const void *data, size_t size);
/* Descriptors of a regular file, and of a pipe that a thread writes a copy to. */
int file_of(const void *data, size_t size);
int pipe_of(const void *data, size_t size);

struct inq_source *open_ok(int fd, struct inq_gaps *gaps);
/* Takes fd; the error must have this code and its message hold `part`. */
void open_fails(int fd, enum inq_code code, const char *part);
void stream_ok(struct inq_source *source, const struct inq_source_plan *plan);
/* How many gaps have this code? */
size_t count_gaps(const struct inq_gaps *gaps, enum inq_code code);
/* Reads the range whole or in the end part of it and compares; returns what the read said. */
enum inq_read read_same(struct inq_source *source, const struct bytes *dump, uint64_t off,
                        size_t size, size_t *ret_got);
void reads_back(struct inq_source *source, const struct bytes *dump, uint64_t off, size_t size);

/* A small deterministic generator (xorshift). */
uint64_t next_random(uint64_t *state);

#endif

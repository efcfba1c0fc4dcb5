/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_BUILDER_H
#define TESTS_CORE_BUILDER_H

/*
 * A small writer of ELF cores for unit tests: header, program headers, notes, memory, in the
 * kernel's order. What a test wants to be wrong it patches in the finished bytes. corewriter.py is
 * its large sister for tests from outside.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "core.h"
#include "gaps.h"
#include "source.h"

struct core_builder {
    uint8_t elf_class;
    bool big_endian;
    uint16_t machine;
    uint8_t *notes;
    size_t notes_size;
    struct builder_segment {
        uint64_t addr, size, saved, off_override;
        uint32_t flags;
        uint8_t *data;
        size_t data_size;
    } * segments;
    size_t n_segments;
};

struct built_core {
    uint8_t *bytes;
    size_t size;
    uint64_t notes_off, phoff;
};

void builder_init(struct core_builder *b, uint8_t elf_class, bool big_endian, uint16_t machine);
void builder_deinit(struct core_builder *b);

/* Numbers in the core's byte order. */
void builder_put(const struct core_builder *b, uint8_t *at, uint64_t value, size_t bytes);

void builder_note(struct core_builder *b, const char *name, uint32_t type, const void *desc,
                  size_t size);
/* Sizes that may lie; the bytes written are those of name and desc. */
void builder_note_lying(struct core_builder *b, const char *name, uint32_t type, const void *desc,
                        size_t size, uint32_t name_size, uint32_t desc_size);
/* NT_PRSTATUS as the CPU's table says, pc and sp set; size 0 is the right one. */
void builder_thread(struct core_builder *b, uint32_t tid, uint64_t pc, uint64_t sp, size_t size);
/* NT_SIGINFO with a pointer (or pid and uid as its halves) in the union. */
void builder_siginfo(struct core_builder *b, int32_t signo, int32_t code, uint64_t value);
/* NT_FILE with `count` lines of {start, end, offset in pages}; names as they are. */
void builder_file(struct core_builder *b, uint64_t count, uint64_t page, const uint64_t (*lines)[3],
                  size_t n_lines, const char *names, size_t names_size);
/* saved: p_filesz; data may be shorter (the rest is zeros). */
void builder_load(struct core_builder *b, uint64_t addr, uint64_t size, uint64_t saved,
                  uint32_t flags, const void *data, size_t data_size);

/* The file; to be freed with free(bytes). Memory begins at multiples of 4096. */
struct built_core builder_finish(const struct core_builder *b);

/* Bytes read through the layers: everything is NULL or empty until opened. */
struct opened_core {
    struct inq_arena *arena;
    struct inq_gaps gaps;
    struct inq_source *source;
    struct inq_core *core;
    struct inq_error *error;
};

/* An anonymous file with these bytes; with zstd, compressed. */
int bytes_to_fd(const void *bytes, size_t size, bool zstd);
/* Opens and reads (not streams); error is set when that failed. */
void open_core(struct opened_core *o, const void *bytes, size_t size, bool zstd);
void open_core_fd(struct opened_core *o, int fd);
void close_core(struct opened_core *o);
/* How many gaps of that code there are. */
size_t count_gaps(const struct opened_core *o, enum inq_code code);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

struct out {
    uint8_t bytes[16384];
    bool big_endian;
};

static void put(struct out *out, size_t off, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out->bytes[off + i] = (uint8_t)(value >> 8 * (out->big_endian ? size - 1 - i : i));
}

/* Notes at `at`; returns their size. */
static size_t put_notes(struct out *out, size_t at, const struct elf_shape *shape)
{
    const size_t start = at;

    if (shape->property) {
        put(out, at, 4, 4);
        put(out, at + 4, 16, 4);
        put(out, at + 8, NT_GNU_PROPERTY_TYPE_0, 4);
        memcpy(out->bytes + at + 12, "GNU", 4);
        at += 32;
    }
    if (shape->id_size > 0) {
        put(out, at, 4, 4);
        put(out, at + 4, shape->id_size, 4);
        put(out, at + 8, NT_GNU_BUILD_ID, 4);
        memcpy(out->bytes + at + 12, "GNU", 4);
        expect_id(shape, out->bytes + at + 16);
        at += 16 + shape->id_size;
    }
    return at - start;
}

void expect_id(const struct elf_shape *shape, uint8_t id[INQ_MAX_BUILD_ID])
{
    for (size_t i = 0; i < shape->id_size; i++)
        id[i] = (uint8_t)(shape->id_first + i);
}

void write_elf(const char *path, const struct elf_shape *shape)
{
    const bool wide = shape->elf_class != 32;
    const size_t word = wide ? 8 : 4, header_bytes = wide ? 64 : 52;
    const size_t notes_at = shape->note_off > 0 ? shape->note_off : 512;
    struct out out = {.big_endian = shape->big_endian};
    size_t at = 16, notes_size = put_notes(&out, notes_at, shape);
    int fd;

    memcpy(out.bytes, ELFMAG, SELFMAG);
    out.bytes[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
    out.bytes[EI_DATA] = shape->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    out.bytes[EI_VERSION] = EV_CURRENT;
    put(&out, at, ET_DYN, 2);
    put(&out, at + 2, EM_X86_64, 2);
    put(&out, at + 4, EV_CURRENT, 4);
    at += 8 + word; /* e_entry stays 0 */
    put(&out, at, shape->in_section ? 0 : 256, word);
    put(&out, at + word, shape->in_section ? 256 : 0, word);
    at += 2 * word + 4;
    put(&out, at, header_bytes, 2);
    put(&out, at + 2, wide ? 56 : 32, 2);
    put(&out, at + 4, shape->in_section ? 0 : 1, 2);
    put(&out, at + 6, wide ? 64 : 40, 2);
    put(&out, at + 8, shape->in_section ? 1 : 0, 2);

    if (shape->in_section) { /* name type flags addr off size link info align */
        put(&out, 256 + 4, SHT_NOTE, 4);
        put(&out, 256 + 8 + 2 * word, notes_at, word);
        put(&out, 256 + 8 + 3 * word, notes_size, word);
        put(&out, 256 + 16 + 4 * word, shape->property ? 8 : 4, word);
    } else if (wide) { /* type flags off vaddr paddr filesz memsz align */
        put(&out, 256, PT_NOTE, 4);
        put(&out, 256 + 8, notes_at, 8);
        put(&out, 256 + 32, notes_size, 8);
        put(&out, 256 + 48, shape->property ? 8 : 4, 8);
    } else { /* type off vaddr paddr filesz memsz flags align */
        put(&out, 256, PT_NOTE, 4);
        put(&out, 256 + 4, notes_at, 4);
        put(&out, 256 + 16, notes_size, 4);
        put(&out, 256 + 28, shape->property ? 8 : 4, 4);
    }

    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(inq_write_full(fd, out.bytes, notes_at + notes_size + 64), 0);
    assert_int_equal(close(fd), 0);
}

void make_tree(char path[64])
{
    snprintf(path, 64, "/tmp/inquest-files-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0755), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

const char *in(const char *dir, const char *name)
{
    static char buffers[8][256];
    static unsigned next;
    char *buf = buffers[next++ % 8];

    snprintf(buf, sizeof(buffers[0]), "%s/%s", dir, name);
    return buf;
}

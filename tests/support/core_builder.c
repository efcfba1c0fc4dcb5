/* SPDX-License-Identifier: Apache-2.0 */

#include "core_builder.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "io.h"

#define PAGE 4096u

static void *checked(void *p)
{
    if (!p)
        abort();
    return p;
}

void builder_init(struct core_builder *b, uint8_t elf_class, bool big_endian, uint16_t machine)
{
    *b =
        (struct core_builder){.elf_class = elf_class, .big_endian = big_endian, .machine = machine};
}

void builder_deinit(struct core_builder *b)
{
    for (size_t i = 0; i < b->n_segments; i++)
        free(b->segments[i].data);
    free(b->segments);
    free(b->notes);
    *b = (struct core_builder){0};
}

void builder_put(const struct core_builder *b, uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[b->big_endian ? bytes - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

/* Doubling: ASan moves a block at every realloc(), and some tests add 100,000 pieces. */
static void *with_room(void *items, size_t count, size_t more, size_t item_bytes)
{
    size_t have = 1, want = 1;

    while (have < count)
        have *= 2;
    while (want < count + more)
        want *= 2;
    return items && have == want ? items : checked(realloc(items, want * item_bytes));
}

static uint8_t *grow_notes(struct core_builder *b, size_t size)
{
    b->notes = with_room(b->notes, b->notes_size, size, 1);
    memset(b->notes + b->notes_size, 0, size);
    b->notes_size += size;
    return b->notes + b->notes_size - size;
}

void builder_note_lying(struct core_builder *b, const char *name, uint32_t type, const void *desc,
                        size_t size, uint32_t name_size, uint32_t desc_size)
{
    size_t n = strlen(name) + 1, padded = (n + 3) / 4 * 4;
    uint8_t *p = grow_notes(b, 12 + padded + (size + 3) / 4 * 4);

    builder_put(b, p, name_size, 4);
    builder_put(b, p + 4, desc_size, 4);
    builder_put(b, p + 8, type, 4);
    memcpy(p + 12, name, n);
    if (size > 0)
        memcpy(p + 12 + padded, desc, size);
}

void builder_note(struct core_builder *b, const char *name, uint32_t type, const void *desc,
                  size_t size)
{
    builder_note_lying(b, name, type, desc, size, (uint32_t)strlen(name) + 1, (uint32_t)size);
}

void builder_thread(struct core_builder *b, uint32_t tid, uint64_t pc, uint64_t sp, size_t size)
{
    const struct inq_cpu *cpu = inq_cpu_find(b->machine, b->elf_class, b->big_endian);
    uint8_t desc[1024] = {0};
    size_t full = cpu ? cpu->reg_off + (size_t)cpu->n_registers * cpu->register_bytes + 8 : 336;

    builder_put(b, desc + 12, 11, 2);
    builder_put(b, desc + (cpu ? cpu->pid_off : b->elf_class == 64 ? 32 : 24), tid, 4);
    if (cpu) {
        builder_put(b, desc + cpu->reg_off + (size_t)cpu->pc * cpu->register_bytes, pc,
                    cpu->register_bytes);
        builder_put(b, desc + cpu->reg_off + (size_t)cpu->sp * cpu->register_bytes, sp,
                    cpu->register_bytes);
    }
    builder_note(b, "CORE", NT_PRSTATUS, desc, size ? size : full);
}

void builder_siginfo(struct core_builder *b, int32_t signo, int32_t code, uint64_t value)
{
    uint8_t desc[128] = {0};

    builder_put(b, desc, (uint32_t)signo, 4);
    builder_put(b, desc + 8, (uint32_t)code, 4);
    builder_put(b, desc + (b->elf_class == 64 ? 16 : 12), value, b->elf_class / 8);
    builder_note(b, "CORE", NT_SIGINFO, desc, sizeof(desc));
}

void builder_file(struct core_builder *b, uint64_t count, uint64_t page, const uint64_t (*lines)[3],
                  size_t n_lines, const char *names, size_t names_size)
{
    size_t word = b->elf_class / 8, size = word * (2 + 3 * n_lines) + names_size;
    uint8_t *desc = checked(calloc(1, size));

    builder_put(b, desc, count, word);
    builder_put(b, desc + word, page, word);
    for (size_t i = 0; i < 3 * n_lines; i++)
        builder_put(b, desc + word * (2 + i), lines[i / 3][i % 3], word);
    memcpy(desc + word * (2 + 3 * n_lines), names, names_size);
    builder_note(b, "CORE", NT_FILE, desc, size);
    free(desc);
}

void builder_load(struct core_builder *b, uint64_t addr, uint64_t size, uint64_t saved,
                  uint32_t flags, const void *data, size_t data_size)
{
    struct builder_segment *s;

    b->segments = with_room(b->segments, b->n_segments, 1, sizeof(*b->segments));
    s = &b->segments[b->n_segments++];
    *s = (struct builder_segment){
        .addr = addr, .size = size, .saved = saved, .flags = flags, .data_size = data_size};
    if (data_size > 0) {
        s->data = checked(malloc(data_size));
        memcpy(s->data, data, data_size);
    }
}

static void put_phdr(const struct core_builder *b, uint8_t *p, uint32_t type, uint32_t flags,
                     uint64_t off, uint64_t addr, uint64_t saved, uint64_t size)
{
    size_t word = b->elf_class / 8;
    uint8_t *at = p + (word == 8 ? 8 : 4);

    builder_put(b, p, type, 4);
    builder_put(b, p + (word == 8 ? 4 : 24), flags, 4);
    builder_put(b, at, off, word);
    builder_put(b, at + word, addr, word);
    builder_put(b, at + 3 * word, saved, word);
    builder_put(b, at + 4 * word, size, word);
}

static void put_header(const struct core_builder *b, uint8_t *p, size_t phnum)
{
    bool wide = b->elf_class == 64;

    memcpy(p, ELFMAG, SELFMAG);
    p[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
    p[EI_DATA] = b->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    p[EI_VERSION] = EV_CURRENT;
    builder_put(b, p + 16, ET_CORE, 2);
    builder_put(b, p + 18, b->machine, 2);
    builder_put(b, p + 20, 1, 4);
    builder_put(b, p + (wide ? 32 : 28), wide ? 64 : 52, wide ? 8 : 4);
    builder_put(b, p + (wide ? 52 : 40), wide ? 64 : 52, 2);
    builder_put(b, p + (wide ? 54 : 42), wide ? 56 : 32, 2);
    builder_put(b, p + (wide ? 56 : 44), phnum < PN_XNUM ? phnum : PN_XNUM, 2);
}

struct built_core builder_finish(const struct core_builder *b)
{
    size_t head = b->elf_class == 64 ? 64 : 52, entry = b->elf_class == 64 ? 56 : 32;
    size_t phnum = b->n_segments + 1, at = head + phnum * entry, place;
    struct built_core core = {.notes_off = at, .phoff = head};

    at = (at + b->notes_size + PAGE - 1) / PAGE * PAGE;
    core.size = at;
    for (size_t i = 0; i < b->n_segments; i++)
        core.size += (b->segments[i].data_size + PAGE - 1) / PAGE * PAGE;
    core.bytes = checked(calloc(1, core.size + 1));
    put_header(b, core.bytes, phnum);
    put_phdr(b, core.bytes + head, PT_NOTE, 0, core.notes_off, 0, b->notes_size, 0);
    if (b->notes_size > 0)
        memcpy(core.bytes + core.notes_off, b->notes, b->notes_size);
    place = at;
    for (size_t i = 0; i < b->n_segments; i++) {
        const struct builder_segment *s = &b->segments[i];
        put_phdr(b, core.bytes + head + (i + 1) * entry, PT_LOAD, s->flags, place, s->addr,
                 s->saved, s->size);
        if (s->data_size > 0)
            memcpy(core.bytes + place, s->data, s->data_size);
        place += (s->data_size + PAGE - 1) / PAGE * PAGE;
    }
    return core;
}

int bytes_to_fd(const void *bytes, size_t size, bool zstd)
{
    int fd = memfd_create("core", MFD_CLOEXEC);
    void *packed = NULL;

    if (fd < 0)
        abort();
    if (zstd) {
        size_t room = ZSTD_compressBound(size);
        packed = checked(malloc(room));
        size = ZSTD_compress(packed, room, bytes, size, 1);
        bytes = packed;
        if (ZSTD_isError(size))
            abort();
    }
    if (inq_write_full(fd, bytes, size) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        abort();
    free(packed);
    return fd;
}

void open_core_fd(struct opened_core *o, int fd)
{
    *o = (struct opened_core){.arena = checked(inq_arena_create())};
    inq_gaps_init(&o->gaps, o->arena);
    o->error = inq_source_open(fd, "test.core", &o->gaps, &o->source);
    if (!o->error)
        o->error = inq_core_read(o->source, o->arena, &o->gaps, &o->core);
}

void open_core(struct opened_core *o, const void *bytes, size_t size, bool zstd)
{
    open_core_fd(o, bytes_to_fd(bytes, size, zstd));
}

void close_core(struct opened_core *o)
{
    inq_error_destroy(o->error);
    inq_source_destroy(o->source);
    inq_gaps_deinit(&o->gaps);
    inq_arena_destroy(o->arena);
    *o = (struct opened_core){0};
}

size_t count_gaps(const struct opened_core *o, enum inq_code code)
{
    size_t n = 0;

    for (size_t i = 0; i < o->gaps.count; i++)
        n += o->gaps.items[i].code == code;
    return n;
}

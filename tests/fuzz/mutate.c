/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mutations that know what an ELF file is made of. Blind ones hardly ever hit the few hundred bytes
 * of headers, notes and tables that decide; these change one field of one of them to a number that
 * means something: an address of a segment, a size of the file, an edge of its type.
 */

#include <elf.h>
#include <string.h>

#include "core_input.h"
#include "elfhead.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct mutation {
    uint8_t *bytes; /* of one ELF file */
    size_t size;
    struct inq_elf_header header;
    uint64_t random; /* xorshift64* */
};

static uint64_t next_random(struct mutation *m, uint64_t bound)
{
    uint64_t x = m->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    m->random = x;
    return ((x * 0x2545f4914f6cdd1dULL) >> 11) % (bound ? bound : 1);
}

static size_t word_bytes(const struct mutation *m)
{
    return m->header.elf_class == 64 ? 8 : 4;
}

static uint64_t load(const struct mutation *m, size_t at, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)m->bytes[at + i] << 8 * (m->header.big_endian ? width - 1 - i : i);
    return value;
}

static void store(struct mutation *m, size_t at, size_t width, uint64_t value)
{
    for (size_t i = 0; i < width; i++)
        m->bytes[at + i] = (uint8_t)(value >> 8 * (m->header.big_endian ? width - 1 - i : i));
}

static bool segment(const struct mutation *m, size_t i, struct inq_elf_segment *ret_segment,
                    size_t *ret_at)
{
    uint64_t entry = m->header.phentsize;

    if (entry == 0 || i >= m->header.phnum || m->header.phoff > m->size ||
        (m->size - m->header.phoff) / entry <= i)
        return false;
    *ret_at = (size_t)(m->header.phoff + i * entry);
    *ret_segment = inq_elf_segment_parse(&m->header, m->bytes + *ret_at);
    return true;
}

static bool random_segment(struct mutation *m, struct inq_elf_segment *ret_segment, size_t *ret_at)
{
    return segment(m, next_random(m, m->header.phnum), ret_segment, ret_at);
}

/* One of a type; the first at or behind a random one. */
static bool segment_of(struct mutation *m, uint32_t type, struct inq_elf_segment *ret_segment)
{
    size_t at, first = next_random(m, m->header.phnum);

    for (size_t i = 0; i < m->header.phnum; i++)
        if (segment(m, (first + i) % m->header.phnum, ret_segment, &at) &&
            ret_segment->type == type)
            return true;
    return false;
}

/* A number worth trying in place of `old`. */
static uint64_t number(struct mutation *m, uint64_t old, size_t width)
{
    const uint64_t edge = 1ull << (8 * width - 1);
    struct inq_elf_segment s;
    size_t at;

    switch (next_random(m, 14)) {
    case 0:
        return next_random(m, 17);
    case 1:
        return UINT64_MAX - next_random(m, 9);
    case 2:
        return edge - next_random(m, 3);
    case 3:
        return old + next_random(m, 17) - 8;
    case 4:
        return old ^ 1ull << next_random(m, 8 * width);
    case 5:
        return m->size + next_random(m, 17) - 8;
    case 6:
        return 1ull << next_random(m, 8 * width);
    case 7:
        return old * (2 + next_random(m, 8));
    case 8:
        return next_random(m, m->size);
    case 9:
        return next_random(m, UINT64_MAX);
    case 10:
        return random_segment(m, &s, &at) ? s.off + next_random(m, 65) : old;
    case 11:
        return random_segment(m, &s, &at) ? s.addr + s.size - next_random(m, 65) : old;
    default:
        return random_segment(m, &s, &at) ? s.addr + next_random(m, s.file_bytes) : old;
    }
}

static void change(struct mutation *m, uint64_t at, size_t width)
{
    if (at <= m->size && width <= m->size - at)
        store(m, (size_t)at, width, number(m, load(m, (size_t)at, width), width));
}

/* A word somewhere in a range of the file. */
static void change_word_in(struct mutation *m, uint64_t off, uint64_t bytes)
{
    static const size_t widths[] = {1, 2, 4, 8, 8, 8};
    size_t width = widths[next_random(m, sizeof(widths) / sizeof(widths[0]))];

    change(m, off + next_random(m, bytes / width) * width, width);
}

static void change_header(struct mutation *m)
{
    const size_t size = m->header.elf_class == 64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);

    if (next_random(m, 8) == 0)
        change(m, EI_CLASS + next_random(m, 4), 1);
    else if (next_random(m, 2) == 0)
        change(m, 24 + next_random(m, 3) * word_bytes(m), word_bytes(m)); /* entry, phoff, shoff */
    else
        change(m, 16 + next_random(m, (size - 16) / 2) * 2, 2);
}

static void change_segment(struct mutation *m)
{
    struct inq_elf_segment s;
    size_t at;

    if (!random_segment(m, &s, &at))
        return;
    if (next_random(m, 4) == 0)
        change(m, at + next_random(m, 2) * 4, 4);
    else
        change(m, at + next_random(m, m->header.phentsize / word_bytes(m)) * word_bytes(m),
               word_bytes(m));
}

static void swap_segments(struct mutation *m)
{
    struct inq_elf_segment s;
    uint8_t bytes[INQ_ELF_SEGMENT_BYTES];
    size_t a, b;

    if (!random_segment(m, &s, &a) || !random_segment(m, &s, &b) ||
        m->header.phentsize > sizeof(bytes))
        return;
    memcpy(bytes, m->bytes + a, m->header.phentsize);
    if (next_random(m, 2) == 0)
        memcpy(m->bytes + a, m->bytes + b, m->header.phentsize);
    memmove(m->bytes + b, bytes, m->header.phentsize);
}

/* The head of a note, or a word of its descriptor, which is where registers and counts are. */
static void change_note(struct mutation *m)
{
    struct inq_elf_segment s;
    uint64_t at, left, target = next_random(m, 16);

    if (!segment_of(m, PT_NOTE, &s) || s.off > m->size)
        return;
    at = s.off;
    left = m->size - s.off < s.file_bytes ? m->size - s.off : s.file_bytes;
    for (uint64_t i = 0; left >= sizeof(Elf64_Nhdr); i++) {
        uint64_t name = load(m, (size_t)at, 4), desc = load(m, (size_t)at + 4, 4);
        uint64_t whole = 12 + (name + 3) / 4 * 4 + (desc + 3) / 4 * 4;

        if (i == target || whole >= left) {
            if (next_random(m, 4) == 0)
                change(m, at + next_random(m, 3) * 4, 4);
            else
                change_word_in(m, at + 12 + (name + 3) / 4 * 4, desc < left ? desc : left);
            return;
        }
        at += whole;
        left -= whole;
        if (left < sizeof(Elf64_Nhdr) && i < target) { /* fewer notes than that: once around */
            target %= i + 1;
            i = UINT64_MAX;
            left = m->size - s.off < s.file_bytes ? m->size - s.off : s.file_bytes;
            at = s.off;
        }
    }
}

static void change_memory(struct mutation *m, uint32_t type)
{
    struct inq_elf_segment s;

    if (segment_of(m, type, &s) && s.off < m->size)
        change_word_in(m, s.off, s.file_bytes < m->size - s.off ? s.file_bytes : m->size - s.off);
}

static bool random_section(struct mutation *m, struct inq_elf_section *ret_section, size_t *ret_at)
{
    uint64_t entry = m->header.shentsize;
    size_t i = next_random(m, m->header.shnum);

    if (entry == 0 || m->header.shoff > m->size || (m->size - m->header.shoff) / entry <= i)
        return false;
    *ret_at = (size_t)(m->header.shoff + i * entry);
    *ret_section = inq_elf_section_parse(&m->header, m->bytes + *ret_at);
    return true;
}

static void change_section(struct mutation *m)
{
    struct inq_elf_section s;
    size_t at;

    if (!random_section(m, &s, &at))
        return;
    if (next_random(m, 2) == 0)
        change(m, at + next_random(m, m->header.shentsize / 4) * 4, 4);
    else if (s.off < m->size) /* symbols, strings, .eh_frame, .dynamic */
        change_word_in(m, s.off, s.size < m->size - s.off ? s.size : m->size - s.off);
}

/* Operations of call frame information, over those of .eh_frame, which follows its header. */
static void change_cfi(struct mutation *m)
{
    static const uint8_t operations[][8] = {
        {0x0c, 0x07, 0x08},
        {0x0d, 0x06},
        {0x0e, 0xff, 0xff, 0x7f},
        {0x0f, 0x03, 0x2f, 0xfd, 0xff},
        {0x16, 0x10, 0x02, 0x77, 0x00},
        {0x10, 0x10, 0x03, 0x77, 0x08, 0x06},
        {0x07, 0x10},
        {0x0a, 0x0a, 0x0a, 0x0a},
        {0x0b, 0x0b},
        {0x0f, 0x02, 0x77, 0x00},
        {0x05, 0x90, 0x01, 0x01},
        {0x09, 0x10, 0x7f},
        {0x14, 0x10, 0x01},
        {0x0f, 0x04, 0x12, 0x12, 0x12, 0x22},
        {0x2e, 0x10},
        {0x2f, 0x06, 0x08},
        {0x01, 0xff, 0xff, 0xff, 0xff},
        {0x02, 0xff},
        {0x0f, 0x05, 0x09, 0xff, 0x15, 0xff, 0x06},
        {0x12, 0x07, 0x7f},
        {0xd0, 0x01},
        {0x08, 0x07},
        {0x0f, 0x06, 0x14, 0x16, 0x13, 0x17, 0x94, 0x09},
        {0x0f, 0x03, 0x08, 0x00, 0x1b},
    };
    size_t i = next_random(m, sizeof(operations) / sizeof(operations[0]));
    struct inq_elf_segment s;

    if (!segment_of(m, PT_GNU_EH_FRAME, &s) || s.off >= m->size)
        return;
    uint64_t at = s.off + next_random(m, s.file_bytes + 1024);
    size_t n = 1 + next_random(m, sizeof(operations[0]));
    if (at < m->size && n <= m->size - at)
        memcpy(m->bytes + at, operations[i], n);
}

static void mutate_once(struct mutation *m, bool is_core)
{
    switch (next_random(m, 12)) {
    case 0:
        change_header(m);
        return;
    case 1:
    case 2:
        change_segment(m);
        return;
    case 3:
        swap_segments(m);
        return;
    case 4:
    case 5:
    case 6:
        if (is_core)
            change_note(m);
        else
            change_cfi(m);
        return;
    case 7:
    case 8:
        if (is_core)
            change_memory(m, PT_LOAD);
        else
            change_section(m);
        return;
    case 9:
        change_memory(m, next_random(m, 2) == 0 ? PT_DYNAMIC : PT_LOAD);
        return;
    case 10:
        change_memory(m, PT_GNU_EH_FRAME);
        return;
    default:
        change_cfi(m);
        return;
    }
}

static size_t with_sizes(uint8_t *data, size_t core_size, size_t elf_size)
{
    for (size_t i = 0; i < 4; i++)
        data[i] = (uint8_t)(elf_size >> 8 * i);
    return CORE_INPUT_HEADER + core_size + elf_size;
}

/* libFuzzer's own mutations of one part; the other stays what it is. */
static size_t mutate_blindly(uint8_t *data, const struct core_input *input, bool core,
                             size_t max_size)
{
    size_t whole = CORE_INPUT_HEADER + input->core_size + input->elf_size;
    size_t room = max_size - whole;

    if (!core) {
        uint8_t *elf = data + CORE_INPUT_HEADER + input->core_size;
        return with_sizes(data, input->core_size,
                          LLVMFuzzerMutate(elf, input->elf_size, input->elf_size + room));
    }
    /* In place: what grows would run over the second part. */
    size_t n = LLVMFuzzerMutate(data + CORE_INPUT_HEADER, input->core_size, input->core_size);
    memmove(data + CORE_INPUT_HEADER + n, data + CORE_INPUT_HEADER + input->core_size,
            input->elf_size);
    return with_sizes(data, n, input->elf_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct core_input input = core_input_split(data, size);
    struct mutation m = {.random = seed * 0x9e3779b97f4a7c15ULL | 1};

    if (!input.core || input.core_size == 0 || size > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    bool core = input.elf_size == 0 || next_random(&m, 3) != 0;
    if (next_random(&m, 32) == 0)
        data[4] = (uint8_t)(1u << next_random(&m, 8) & ~(next_random(&m, 2) ? 0u : 16u));
    m.bytes = data + CORE_INPUT_HEADER + (core ? 0 : input.core_size);
    m.size = core ? input.core_size : input.elf_size;
    if (next_random(&m, 5) == 0 || !inq_elf_header_parse(m.bytes, m.size, &m.header))
        return mutate_blindly(data, &input, core, max_size);
    if (core && next_random(&m, 64) == 0) { /* cut */
        size_t n = next_random(&m, input.core_size);
        memmove(data + CORE_INPUT_HEADER + n, data + CORE_INPUT_HEADER + input.core_size,
                input.elf_size);
        return with_sizes(data, n, input.elf_size);
    }
    for (size_t i = next_random(&m, 4) + 1; i > 0; i--)
        mutate_once(&m, core);
    return size;
}

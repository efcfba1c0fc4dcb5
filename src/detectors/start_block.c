/* SPDX-License-Identifier: Apache-2.0 */
#include "start_block.h"

#include <elf.h>

#include "cursor.h"
#include "bounds.h"

/*
 * The auxv ends a few words below the 16 bytes of AT_RANDOM; only the alignment of the stack and
 * the strings of AT_PLATFORM lie between.
 */
#define WINDOW_BYTES 8192u
/* Without AT_RANDOM (kernels before 2.6.29): how far below the program's name to look. */
#define SEARCH_BYTES (4u << 20)
/* The kernel allows 6 MiB of strings and pointers by default: more pointers than this is no vector.
 */
#define MAX_POINTERS 1048576u

static size_t word_bytes(const struct inq_dump *dump)
{
    return dump->core->cpu ? dump->core->cpu->word_bytes : (dump->core->elf_class == 32 ? 4u : 8u);
}

static uint64_t load_word(const struct inq_dump *dump, const uint8_t *bytes)
{
    bool big = dump->core->big_endian;
    return word_bytes(dump) == 4 ? inq_load_u32(bytes, big) : inq_load_u64(bytes, big);
}

/* The address of the pair (AT_EXECFN, execfn) in [start, start + size), the highest one. */
static bool find_pair(const struct inq_dump *dump, uint64_t start, size_t size, uint64_t execfn,
                      uint64_t *ret_addr)
{
    uint8_t window[WINDOW_BYTES];
    size_t word = word_bytes(dump), got = 0;

    if (size > sizeof(window))
        size = sizeof(window);
    inq_memory_read(dump->memory, start, window, size, &got);
    if (got < 2 * word)
        return false;
    for (size_t at = (got / word - 2) * word;; at -= word) {
        if (load_word(dump, window + at) == AT_EXECFN &&
            load_word(dump, window + at + word) == execfn) {
            *ret_addr = start + at;
            return true;
        }
        if (at == 0)
            return false;
    }
}

static bool find_auxv(const struct inq_dump *dump, uint64_t *ret_addr)
{
    const struct inq_core *core = dump->core;
    size_t word = word_bytes(dump), index = SIZE_MAX;
    uint64_t random = 0, execfn = 0, pair, start, value;

    for (size_t i = 0; i < core->n_auxv && index == SIZE_MAX; i++)
        if (core->auxv[i].type == AT_EXECFN)
            index = i;
    if (index == SIZE_MAX || !inq_core_auxv(core, AT_EXECFN, &execfn))
        return false;
    bool known = inq_core_auxv(core, AT_RANDOM, &random) && random > WINDOW_BYTES;
    uint64_t top = (known ? random : execfn) & ~(uint64_t)(word - 1);
    uint64_t far = known ? WINDOW_BYTES : SEARCH_BYTES;
    bool found = false;
    /* windows overlap by one pair, so that none is cut in two */
    for (uint64_t back = WINDOW_BYTES; back <= far && back < top && !found;
         back += WINDOW_BYTES - 2 * word)
        found = find_pair(dump, top - back, WINDOW_BYTES, execfn, &pair);
    if (!found || __builtin_sub_overflow(pair, (uint64_t)(2 * word * index), &start))
        return false;
    if (!inq_memory_word(dump->memory, start, &value) || value != core->auxv[0].type)
        return false;
    *ret_addr = start;
    return true;
}

/*
 * Walks down from `end` (the address of a vector's NULL) to the word that says `stop(count)`:
 * either 0 (the NULL of the vector below) or the number of words passed (argc).
 */
static bool walk_down(const struct inq_dump *dump, uint64_t end, bool to_count,
                      uint64_t *ret_stopped_at, size_t *ret_count)
{
    size_t word = word_bytes(dump);
    uint64_t value;

    if (!inq_memory_word(dump->memory, end, &value) || value != 0)
        return false;
    for (size_t count = 0; count < MAX_POINTERS; count++) {
        if (end < word * (count + 1))
            return false;
        uint64_t at = end - word * (count + 1);
        if (!inq_memory_word(dump->memory, at, &value))
            return false;
        if (value == (to_count ? count : 0)) {
            *ret_stopped_at = at;
            *ret_count = count;
            return true;
        }
        if (value == 0)
            return false;
    }
    return false;
}

bool inq_start_block_find(const struct inq_dump *dump, struct inq_start_block *ret_block)
{
    struct inq_start_block block = {0};
    size_t word = word_bytes(dump);
    uint64_t auxv, env_stop, argc;

    if (!find_auxv(dump, &auxv) || auxv < word)
        return false;
    if (!walk_down(dump, auxv - word, false, &env_stop, &block.n_variables))
        return false;
    if (!walk_down(dump, env_stop, true, &argc, &block.n_arguments))
        return false;
    block.argv = argc + word;
    block.envp = env_stop + word;
    *ret_block = block;
    return true;
}

const char *inq_start_block_string(const struct inq_dump *dump, uint64_t vector, size_t i)
{
    uint64_t pointer;

    if (!inq_memory_word(dump->memory, vector + i * word_bytes(dump), &pointer) || pointer == 0)
        return NULL;
    return inq_memory_string(dump->memory, pointer, INQ_MAX_STRING);
}

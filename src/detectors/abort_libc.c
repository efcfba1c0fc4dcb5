/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The last words of glibc. __libc_message() maps a block of whole pages, writes {u32 size; char
 * message[]} to it, and leaves its address in __abort_msg (GLIBC_PRIVATE, in libc's .dynsym) before
 * it calls abort(): stdlib/abort.c, sysdeps/posix/libc_fatal.c.
 *
 * Without libc's file the block is found by its looks: a page of anonymous rw- memory that begins
 * with a multiple of its own size, then text to the end of a line, then nothing but zeroes.
 */

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "abort_message.h"
#include "bounds.h"

#define BLOCK_MAX (1u << 20)
#define HEADER_BYTES 4u
#define MAX_PAGES 65536u             /* 256 MiB of page starts; more is not searched */
#define MAX_REGION_BYTES (64u << 20) /* the block is mapped alone, or joins a small neighbour */

static const char *read_message(struct inq_dump *dump, uint64_t block)
{
    uint32_t size;

    if (!inq_memory_u32(dump->memory, block, &size) || size <= HEADER_BYTES || size > BLOCK_MAX)
        return NULL;
    size_t max = size - HEADER_BYTES < INQ_MAX_STRING ? size - HEADER_BYTES : INQ_MAX_STRING;
    return inq_memory_string(dump->memory, block + HEADER_BYTES, max);
}

static enum inq_abort_answer by_symbol(struct inq_dump *dump, const char **ret_message,
                                       const char **ret_why)
{
    struct inq_module *module;
    uint64_t variable, block;

    if (!inq_modules_symbol(dump->modules, "libc", "__abort_msg", &variable, &module)) {
        *ret_why = inq_modules_symbol(dump->modules, "libc", "abort", &variable, &module)
                       ? "this C library keeps no message"
                       : "libc's file is not here, so __abort_msg is not found";
        return INQ_ABORT_NOT_TOLD;
    }
    if (!inq_memory_word(dump->memory, variable, &block)) {
        *ret_why = "libc's data were not saved in the dump";
        return INQ_ABORT_NOT_TOLD;
    }
    if (block == 0)
        return INQ_ABORT_NONE;
    *ret_message = read_message(dump, block);
    *ret_why = "the message was not saved in the dump";
    return *ret_message && **ret_message ? INQ_ABORT_FOUND : INQ_ABORT_NOT_TOLD;
}

static bool is_text(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* Does the page at `addr` look like the block? */
static bool is_block(struct inq_dump *dump, uint64_t addr)
{
    uint8_t page[4096];
    uint32_t size;
    size_t got = 0, at = HEADER_BYTES;

    if (!inq_memory_u32(dump->memory, addr, &size) || size == 0 || size % sizeof(page) != 0 ||
        size > BLOCK_MAX)
        return false;
    inq_memory_read(dump->memory, addr, page, sizeof(page), &got);
    while (at < got && is_text(page[at]))
        at++;
    /* every message of libc is one line and ends it */
    if (at < HEADER_BYTES + 4 || at + 1 >= got || page[at] != '\n')
        return false;
    for (at++; at < got; at++)
        if (page[at] != 0)
            return false;
    return true;
}

static bool may_hold_block(const struct inq_dump *dump, const struct inq_memory_region *region)
{
    return (region->flags & (PF_R | PF_W | PF_X)) == (PF_R | PF_W) &&
           region->saved_bytes <= MAX_REGION_BYTES && !inq_core_file_at(dump->core, region->start);
}

static enum inq_abort_answer by_looks(struct inq_dump *dump, const char **ret_message,
                                      const char **ret_why)
{
    uint64_t page_bytes = dump->core->page_bytes >= 4096 ? dump->core->page_bytes : 4096;
    size_t pages = 0, hits = 0;
    uint64_t hit = 0;

    for (size_t i = 0; i < inq_memory_region_count(dump->memory); i++) {
        struct inq_memory_region region = inq_memory_region_get(dump->memory, i);
        if (!may_hold_block(dump, &region))
            continue;
        for (uint64_t off = 0; off < region.saved_bytes; off += page_bytes) {
            if (++pages > MAX_PAGES) {
                *ret_why = "there is too much memory to search for the message without libc's file";
                return INQ_ABORT_NOT_TOLD;
            }
            if (is_block(dump, region.start + off)) {
                hit = region.start + off;
                hits++;
            }
        }
    }
    if (hits != 1)
        return INQ_ABORT_NOT_TOLD;
    *ret_message = read_message(dump, hit);
    return *ret_message ? INQ_ABORT_FOUND : INQ_ABORT_NOT_TOLD;
}

enum inq_abort_answer inq_abort_libc(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                     const char **ret_why)
{
    const char *message = NULL, *why = "nothing in the dump looks like one";
    struct inq_abort_text text = {.source = "libc", .found_in = "symbol", .grade = "proven"};
    enum inq_abort_answer answer = by_symbol(dump, &message, &why);

    if (answer == INQ_ABORT_NOT_TOLD) {
        text.found_in = "block";
        text.grade = "strong";
        answer = by_looks(dump, &message, &why);
    }
    *ret_why = why;
    if (answer != INQ_ABORT_FOUND)
        return answer;
    text.message = message;
    *ret_text = text;
    return INQ_ABORT_FOUND;
}

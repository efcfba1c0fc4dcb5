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

#include "crash.h"
#include "detectors.h"
#include "bounds.h"

#define BLOCK_MAX (1u << 20)
#define HEADER_BYTES 4u
#define MAX_PAGES 65536u /* 256 MiB of page starts; more is not searched */
#define MAX_REGION_BYTES (64u << 20) /* the block is mapped alone, or joins a small neighbour */

enum answer {
    FOUND,
    NO_MESSAGE, /* it was looked for where it would be, and is not there */
    NOT_TOLD,
};

static const char *read_message(struct inq_dump *dump, uint64_t block)
{
    uint32_t size;

    if (!inq_memory_u32(dump->memory, block, &size) || size <= HEADER_BYTES || size > BLOCK_MAX)
        return NULL;
    size_t max = size - HEADER_BYTES < INQ_MAX_STRING ? size - HEADER_BYTES : INQ_MAX_STRING;
    return inq_memory_string(dump->memory, block + HEADER_BYTES, max);
}

static enum answer by_symbol(struct inq_dump *dump, const char **ret_message, const char **ret_why)
{
    struct inq_module *module;
    uint64_t variable, block;

    if (!inq_modules_symbol(dump->modules, "libc", "__abort_msg", &variable, &module)) {
        *ret_why = "libc's file is not here, so __abort_msg is not found";
        return NOT_TOLD;
    }
    if (!inq_memory_word(dump->memory, variable, &block)) {
        *ret_why = "libc's data were not saved in the dump";
        return NOT_TOLD;
    }
    if (block == 0)
        return NO_MESSAGE;
    *ret_message = read_message(dump, block);
    *ret_why = "the message was not saved in the dump";
    return *ret_message && **ret_message ? FOUND : NOT_TOLD;
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

static enum answer by_looks(struct inq_dump *dump, const char **ret_message, const char **ret_why)
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
                return NOT_TOLD;
            }
            if (is_block(dump, region.start + off)) {
                hit = region.start + off;
                hits++;
            }
        }
    }
    if (hits != 1)
        return NOT_TOLD;
    *ret_message = read_message(dump, hit);
    return *ret_message ? FOUND : NOT_TOLD;
}

static void set_message(struct inq_dump *dump, struct inq_evidence *evidence, const char *message)
{
    size_t size = strlen(message);

    while (size > 0 && message[size - 1] == '\n')
        size--;
    char *line = inq_arena_copy(dump->arena, message, size);
    if (!line) {
        evidence->failed = true;
        return;
    }
    inq_evidence_set_text(evidence, "abort.message", line);
    inq_evidence_set_text(evidence, "abort.source", "libc");
}

struct inq_error *inq_detect_abort_message(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const char *message = NULL, *why = "nothing in the dump looks like one";
    enum answer answer;

    if (inq_crash_signal(dump).kind != INQ_SIGNAL_ABRT)
        return NULL;
    answer = by_symbol(dump, &message, &why);
    if (answer == NOT_TOLD)
        answer = by_looks(dump, &message, &why);
    if (answer == FOUND)
        set_message(dump, evidence, message);
    else if (answer == NOT_TOLD)
        inq_evidence_set_unknown(evidence, "abort.message", "%s", why);
    return evidence->failed ? &inq_error_oom : NULL;
}

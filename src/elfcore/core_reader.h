/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_ELFCORE_CORE_READER_H
#define INQ_ELFCORE_CORE_READER_H

/* What the parts of inq_core_read() share while they fill one struct inq_core. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "array.h"
#include "core.h"
#include "gaps.h"
#include "source.h"

struct inq_core_reader {
    struct inq_source *source;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_core *core;
    bool stream;
    uint64_t size; /* of the dump; UINT64_MAX for a stream, whose end is found by reading */

    /* the notes as they come */
    INQ_ARRAY(struct inq_core_thread) threads;
    bool last_thread_listed; /* FPREGSET and XSTATE belong to the PRSTATUS before them */
    uint64_t notes_seen;     /* all PT_NOTEs together: INQ_MAX_NOTES */
    uint64_t notes_copied;   /* bytes that had to be copied: INQ_MAX_NOTES_BYTES */
    bool notes_limit;
    bool kernel_dump; /* a VMCOREINFO note: the dump of a kernel */
};

void inq_core_reader_deinit(struct inq_core_reader *reader);

/* Bytes of the dump: a view where the source gives one, else a copy. */
struct inq_core_bytes {
    const uint8_t *bytes;
    size_t size; /* what is there, at most what was asked for */
    uint8_t *owned;
};
/* Clips to the end of the dump. A read error is a gap; the bytes before it are delivered. */
struct inq_error *inq_core_bytes_get(struct inq_core_reader *reader, uint64_t off, uint64_t size,
                                     struct inq_core_bytes *ret_bytes);
void inq_core_bytes_deinit(struct inq_core_bytes *bytes);

/* ELF header: class, byte order, machine. Fails for what is no core. */
struct inq_elf_header {
    uint64_t phoff, shoff;
    uint16_t phnum, phentsize;
    uint8_t size; /* 52 or 64 */
};
struct inq_error *inq_core_read_header(struct inq_core_reader *reader,
                                       struct inq_elf_header *ret_header);
/* Program headers: fills segments, notes, phdrs, phnum and expected_bytes. */
struct inq_error *inq_core_read_phdrs(struct inq_core_reader *reader,
                                      const struct inq_elf_header *header);
/* All PT_NOTEs: threads, prpsinfo, siginfo, auxv, files. */
struct inq_error *inq_core_read_notes(struct inq_core_reader *reader);

/* One note each. `desc` may be shorter than it should be; what is there is used. */
struct inq_error *inq_core_note_prstatus(struct inq_core_reader *reader, const uint8_t *desc,
                                         size_t size);
void inq_core_note_prpsinfo(struct inq_core *core, const uint8_t *desc, size_t size);
void inq_core_note_siginfo(struct inq_core_reader *reader, const uint8_t *desc, size_t size);
struct inq_error *inq_core_note_auxv(struct inq_core_reader *reader, const uint8_t *desc,
                                     size_t size);
struct inq_error *inq_core_note_file(struct inq_core_reader *reader, const uint8_t *desc,
                                     size_t size);

/* A power of two that some Linux uses for a page: 1 KiB to 1 MiB. */
static inline bool inq_page_size_fits(uint64_t bytes)
{
    return bytes >= 1024 && bytes <= 1024 * 1024 && (bytes & (bytes - 1)) == 0;
}

/* "text", "a PNG image", ...: what bytes that are not ELF look like; static. */
const char *inq_sniff(const uint8_t *bytes, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */

#include "core.h"

#include <sha2.h>

#include <stdio.h>

#include "bounds.h"

/*
 * Notes hold every thread's registers: the first of them decide. The bound keeps a dump with a
 * million threads from being hashed for seconds.
 */
#define MAX_HASHED_NOTES (16u * INQ_MIB)
#define STEP_BYTES (64u * 1024u)

/* Hashes as much of the range as is there, behind its length. False when nothing can be read. */
static bool add_range(SHA2_CTX *sha, struct inq_source *source, uint64_t off, uint64_t size)
{
    uint8_t buf[4096], length[8];
    uint64_t done = 0;

    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)(size >> (8 * i));
    SHA256Update(sha, length, sizeof(length));
    while (done < size) {
        size_t want = size - done < STEP_BYTES ? (size_t)(size - done) : STEP_BYTES, got = 0;
        const void *view = inq_source_view(source, off + done, want);

        if (view) {
            SHA256Update(sha, view, want);
            done += want;
            continue;
        }
        want = want < sizeof(buf) ? want : sizeof(buf);
        (void)inq_source_read(source, off + done, buf, want, &got);
        if (got == 0)
            break;
        SHA256Update(sha, buf, got);
        done += got;
    }
    return done > 0 || size == 0;
}

bool inq_core_identity(const struct inq_core *core, struct inq_source *source, char ret_hex[65])
{
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH], expected[8];
    uint64_t left = MAX_HASHED_NOTES;

    SHA256Init(&sha);
    if (!add_range(&sha, source, 0, core->elf_class == 64 ? 64 : 52) ||
        !add_range(&sha, source, core->phdrs.off, core->phdrs.size))
        return false;
    for (size_t i = 0; i < core->n_notes && left > 0; i++) {
        uint64_t size = core->notes[i].size < left ? core->notes[i].size : left;
        add_range(&sha, source, core->notes[i].off, size);
        left -= size;
    }
    for (unsigned i = 0; i < 8; i++)
        expected[i] = (uint8_t)(core->expected_bytes >> (8 * i));
    SHA256Update(&sha, expected, sizeof(expected));
    SHA256Final(digest, &sha);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    return true;
}

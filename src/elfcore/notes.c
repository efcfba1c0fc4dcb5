/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The note list: namesz, descsz, type, then name and descriptor, each padded to four bytes (Linux
 * cores do so in both classes, whatever p_align says). A note that does not fit ends its list; what
 * of it is there is still used when it is one that every core needs.
 */

#include "core_reader.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"
#include "bounds.h"

#define NOTE_HEADER_BYTES 12u

struct note {
    uint32_t type;
    const char *name;
    size_t name_size;
    const uint8_t *desc;
    size_t desc_size;
    uint64_t desc_off; /* in the dump */
};

static bool name_is(const struct note *note, const char *name)
{
    size_t size = strlen(name);

    /* with its NUL by the book, without it from some writers */
    return (note->name_size == size || (note->name_size == size + 1 && note->name[size] == 0)) &&
           memcmp(note->name, name, size) == 0;
}

static struct inq_error *take_core_note(struct inq_core_reader *r, const struct note *n)
{
    struct inq_core_thread *last =
        r->last_thread_listed ? &r->threads.items[r->threads.count - 1] : NULL;

    switch (n->type) {
    case NT_PRSTATUS:
        return inq_core_note_prstatus(r, n->desc, n->desc_size);
    case NT_PRPSINFO:
        inq_core_note_prpsinfo(r->core, n->desc, n->desc_size);
        return NULL;
    case NT_SIGINFO:
        inq_core_note_siginfo(r, n->desc, n->desc_size);
        return NULL;
    case NT_AUXV:
        return inq_core_note_auxv(r, n->desc, n->desc_size);
    case NT_FILE:
        return inq_core_note_file(r, n->desc, n->desc_size);
    case NT_FPREGSET:
        if (last) {
            last->fpregset_off = n->desc_off;
            last->fpregset_size = n->desc_size;
        }
        return NULL;
    default:
        return NULL;
    }
}

static struct inq_error *take_note(struct inq_core_reader *r, const struct note *n)
{
    if (name_is(n, "CORE"))
        return take_core_note(r, n);
    if (name_is(n, "LINUX") && n->type == NT_X86_XSTATE && r->last_thread_listed) {
        struct inq_core_thread *last = &r->threads.items[r->threads.count - 1];
        last->xstate_off = n->desc_off;
        last->xstate_size = n->desc_size;
    } else if (name_is(n, "VMCOREINFO")) {
        r->kernel_dump = true;
    }
    return NULL;
}

static void note_gap(struct inq_core_reader *r, uint64_t off, const char *what, uint64_t size,
                     uint64_t left)
{
    char where[48];

    if (r->notes_limit) /* our own bound cut it: that is said once */
        return;
    snprintf(where, sizeof(where), "offset 0x%" PRIx64, off);
    inq_gaps_add(r->gaps, INQ_G_NOTE, where, "the list of notes ends here",
                 "%s: %" PRIu64 " bytes, %" PRIu64 " left", what, size, left);
}

/* Padded to four bytes, as far as there are that many: the last note's padding may be missing. */
static void skip_padded(struct inq_cursor *c, size_t size)
{
    size_t padded = size + (4 - size % 4) % 4;

    inq_cursor_skip(c, padded < inq_cursor_left(c) ? padded : inq_cursor_left(c));
}

/* Padding behind the last note: fewer bytes than a note has, all of them zero. */
static bool is_padding(const struct inq_cursor *c)
{
    for (size_t i = c->pos; i < c->size; i++) {
        if (c->bytes[i] != 0)
            return false;
    }
    return true;
}

/* One note; sets *ret_end when the list ends with it. */
static struct inq_error *next_note(struct inq_core_reader *r, struct inq_cursor *c, uint64_t base,
                                   bool *ret_end)
{
    uint64_t off = base + c->pos;
    uint32_t name_size = 0, desc_size = 0, type = 0;
    struct note note = {0};
    size_t left;

    if (!inq_cursor_u32(c, &name_size) || !inq_cursor_u32(c, &desc_size) ||
        !inq_cursor_u32(c, &type)) {
        inq_cursor_seek(c, (size_t)(off - base));
        if (!is_padding(c))
            note_gap(r, off, "a note's header is cut", NOTE_HEADER_BYTES, inq_cursor_left(c));
        *ret_end = true;
        return NULL;
    }
    left = inq_cursor_left(c);
    if (name_size > left) {
        note_gap(r, off, "a note's name does not fit", name_size, left);
        *ret_end = true;
        return NULL;
    }
    note.type = type;
    note.name = (const char *)c->bytes + c->pos;
    note.name_size = name_size;
    skip_padded(c, name_size);
    left = inq_cursor_left(c);
    note.desc = c->bytes + c->pos;
    note.desc_off = base + c->pos;
    note.desc_size = desc_size < left ? desc_size : left;
    if (desc_size > left) {
        note_gap(r, off, "a note's descriptor does not fit", desc_size, left);
        *ret_end = true;
    } else {
        skip_padded(c, desc_size);
    }
    return take_note(r, &note);
}

static struct inq_error *read_list(struct inq_core_reader *r, const struct inq_core_bytes *b,
                                   uint64_t off)
{
    struct inq_cursor c =
        inq_cursor_init(b->bytes, b->size, r->core->big_endian, r->core->elf_class / 8);
    bool end = false;

    while (!end && inq_cursor_left(&c) > 0) {
        if (r->notes_seen++ >= INQ_MAX_NOTES) {
            r->notes_limit = true;
            return NULL;
        }
        INQ_TRY(next_note(r, &c, off, &end));
    }
    return NULL;
}

static struct inq_error *read_segment(struct inq_core_reader *r, struct inq_file_range *range)
{
    struct inq_core_bytes b = {0};
    struct inq_error *error;
    uint64_t size = range->size, copy_left = INQ_MAX_NOTES_BYTES - r->notes_copied;
    bool limited = r->stream && size > copy_left;

    if (limited)
        size = copy_left;
    INQ_TRY(inq_core_bytes_get(r, range->off, size, &b));
    if (b.owned)
        r->notes_copied += b.size < copy_left ? b.size : copy_left;
    if (b.size < size)
        r->core->notes_cut = true;
    else if (limited)
        r->notes_limit = true;
    error = read_list(r, &b, range->off);
    if (r->stream && b.size < range->size)
        range->size = b.size; /* what identity and re-reading can rely on */
    inq_core_bytes_deinit(&b);
    return error;
}

struct inq_error *inq_core_read_notes(struct inq_core_reader *reader)
{
    struct inq_core *core = reader->core;

    for (size_t i = 0; i < core->n_notes && !reader->notes_limit; i++) {
        /* many PT_NOTEs, each to be copied: their sum has a bound as well */
        if (reader->notes_copied >= INQ_MAX_NOTES_BYTES) {
            reader->notes_limit = true;
            break;
        }
        INQ_TRY(read_segment(reader, &core->notes[i]));
    }
    if (reader->notes_limit)
        inq_gaps_add(reader->gaps, INQ_G_NOTE, NULL, "more than any process has",
                     "notes after the first %" PRIu64, reader->notes_seen);
    if (core->notes_cut)
        inq_gaps_add(reader->gaps, INQ_G_NOTE, NULL, "the dump ends inside them",
                     "the rest of the notes");
    return NULL;
}

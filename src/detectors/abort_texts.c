/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Most programs print why they give up, and keep nothing. What may be left: text that a stream of
 * stdio had not written yet, and text that the functions right above abort() had in hand. Each is
 * a hint: told with where it was found, never as the message itself.
 */

#include <ctype.h>
#include <elf.h>
#include <string.h>

#include "abort_message.h"
#include "crash.h"
#include "evidence.h"
#include "frame_search.h"

#define MOST_TEXTS 4u
#define MOST_BYTES 400u
#define LEAST_BYTES 16u
#define MOST_FRAMES 3u         /* outside the C library */
#define MOST_FRAME_BYTES 4096u /* of each */
#define MOST_PENDING (1u << 20)
#define OLD_STACK_BYTES 16384u /* BUFSIZ, and the frames of printf(), abort() and raise() */
#define MOST_OLD_TEXTS 2u

struct texts {
    struct inq_dump *dump;
    struct inq_evidence *evidence;
    const char *seen[MOST_TEXTS];
    size_t count;
};

static bool is_printable(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

/*
 * A sentence: printable up to its end, long enough, with a space in it, mostly letters; a whole
 * line may begin with a time, a thread's id and a place.
 */
static bool is_sentence(const char *text, size_t size, bool line)
{
    size_t letters = 0, spaces = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!is_printable(c))
            return false;
        letters += (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        spaces += c == ' ';
    }
    return size >= LEAST_BYTES && spaces > 0 && letters * (line ? 3 : 2) > size;
}

static void add(struct texts *texts, const char *bytes, size_t size, const char *found_in)
{
    while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
        size--;
    /* what stands before an array may look like a part of it */
    while (size > 0 && !strchr("*[(<\"'", bytes[0]) && !isalnum((unsigned char)bytes[0])) {
        bytes++;
        size--;
    }
    if (texts->count >= MOST_TEXTS || !is_sentence(bytes, size, !strcmp(found_in, "old-stack")))
        return;
    const char *copy = inq_arena_copy(texts->dump->arena, bytes, size);
    for (size_t i = 0; copy && i < texts->count; i++)
        if (strstr(texts->seen[i], copy))
            return;
    json_t *item = json_object();
    if (!copy || !item) {
        json_decref(item);
        texts->evidence->failed = true;
        return;
    }
    inq_json_set_foreign(item, "text", copy);
    json_object_set_new(item, "found_in", json_string(found_in));
    json_object_set_new(item, "grade", json_string("plausible"));
    inq_evidence_append(texts->evidence, "abort.texts", item);
    texts->seen[texts->count++] = copy;
}

/* ---- streams --------------------------------------------------------------------------------- */

/* The last line of what a stream still holds: between two of the words of its FILE. */
static void add_pending(struct texts *texts, uint64_t file, uint64_t from_off, uint64_t to_off,
                        const char *found_in)
{
    struct inq_memory *memory = texts->dump->memory;
    char bytes[MOST_BYTES];
    uint64_t from, to;
    size_t got = 0, start;

    if (!inq_memory_u64(memory, file + from_off, &from) ||
        !inq_memory_u64(memory, file + to_off, &to) || from < 4096 || to <= from ||
        to - from > MOST_PENDING)
        return;
    if (to - from > sizeof(bytes))
        from = to - sizeof(bytes);
    inq_memory_read(memory, from, bytes, (size_t)(to - from), &got);
    while (got > 0 && (bytes[got - 1] == '\n' || bytes[got - 1] == '\r'))
        got--;
    for (start = got; start > 0 && bytes[start - 1] != '\n'; start--)
        ;
    add(texts, bytes + start, got - start, found_in);
}

static void add_streams(struct texts *texts)
{
    static const struct {
        const char *glibc, *musl, *found_in;
    } streams[] = {{"_IO_2_1_stderr_", "stderr", "stderr-buffer"},
                   {"_IO_2_1_stdout_", "stdout", "stdout-buffer"}};
    struct inq_modules *modules = texts->dump->modules;
    uint64_t addr, file;

    for (size_t i = 0; i < 2; i++) {
        /* struct _IO_FILE: _IO_write_base, _IO_write_ptr; musl's: wbase, wpos */
        if (inq_modules_symbol(modules, "libc", streams[i].glibc, &addr, NULL))
            add_pending(texts, addr, 32, 40, streams[i].found_in);
        else if (inq_modules_symbol(modules, "ld-musl-", streams[i].musl, &addr, NULL) &&
                 inq_memory_u64(texts->dump->memory, addr, &file) && file >= 4096)
            add_pending(texts, file, 56, 40, streams[i].found_in);
    }
}

/* ---- the stack ------------------------------------------------------------------------------- */

/* A pointer to text that was made while the program ran: constants say nothing by being there. */
static void add_pointed(struct texts *texts, uint64_t word)
{
    struct inq_memory_region region;
    char bytes[MOST_BYTES];
    size_t got = 0;

    if (word < 65536 || !inq_memory_region_at(texts->dump->memory, word, &region) ||
        !(region.flags & PF_W) || inq_core_file_at(texts->dump->core, word))
        return;
    inq_memory_read(texts->dump->memory, word, bytes, sizeof(bytes), &got);
    const char *end = memchr(bytes, '\0', got);
    if (end)
        add(texts, bytes, (size_t)(end - bytes), "pointer");
}

/* Arrays of characters in one frame. */
static void add_arrays(struct texts *texts, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t end = i;
        while (end < size && (is_printable((unsigned char)bytes[end]) || bytes[end] == '\n'))
            end++;
        if (end > i && end < size && bytes[end] == '\0')
            add(texts, bytes + i, end - i, "stack");
        i = end + 1;
    }
}

static void add_frame(struct texts *texts, uint64_t from, uint64_t to)
{
    char bytes[MOST_FRAME_BYTES];
    size_t got = 0;
    uint64_t word;

    if (to <= from)
        return;
    if (to - from > sizeof(bytes))
        to = from + sizeof(bytes);
    inq_memory_read(texts->dump->memory, from, bytes, (size_t)(to - from), &got);
    add_arrays(texts, bytes, got);
    for (size_t i = 0; i + 8 <= got; i += 8) {
        memcpy(&word, bytes + i, 8);
        add_pointed(texts, word);
    }
}

static void add_stack(struct texts *texts)
{
    static const char *const names[] = {"abort", "raise", NULL};
    const struct inq_stack *stack = inq_crashed_stack(texts->dump);
    size_t at = inq_frame_find(stack, 0, names);
    size_t told = 0;

    if (at == INQ_NO_FRAME)
        return;
    for (at++; at + 1 < stack->n_frames && told < MOST_FRAMES; at++) {
        const struct inq_frame *frame = &stack->frames[at], *outer = &stack->frames[at + 1];
        if (frame->inlined || inq_module_is_libc(frame->module) || !inq_frame_is_sure(frame) ||
            outer->index != frame->index + 1)
            continue;
        /* what libc calls main() from is no part of the story */
        if (frame->function && !strcmp(frame->function, "_start"))
            return;
        add_frame(texts, frame->sp, outer->sp);
        told++;
    }
}

/*
 * stderr has no buffer, so glibc's vfprintf() puts a line together on the stack. What abort() needs
 * is less than that buffer: below the stack pointer the line is still there. Lines only, and few:
 * older ones lie there too.
 */
static void add_old_stack(struct texts *texts)
{
    char *bytes = INQ_ARENA_ARRAY(texts->dump->arena, OLD_STACK_BYTES, char);
    size_t got = 0, told = texts->count;
    uint64_t sp;

    if (!bytes)
        texts->evidence->failed = true;
    if (!bytes || !inq_crash_sp(texts->dump, &sp) || sp < OLD_STACK_BYTES)
        return;
    inq_memory_read(texts->dump->memory, sp - OLD_STACK_BYTES, bytes, OLD_STACK_BYTES, &got);
    for (size_t i = 0; i < got && texts->count < told + MOST_OLD_TEXTS;) {
        size_t end = i;
        while (end < got && is_printable((unsigned char)bytes[end]))
            end++;
        if (end > i && end < got && bytes[end] == '\n' && end - i <= MOST_BYTES)
            add(texts, bytes + i, end - i, "old-stack");
        i = end + 1;
    }
}

void inq_abort_texts(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct texts texts = {.dump = dump, .evidence = evidence};

    if (dump->core->machine != EM_X86_64 || dump->core->elf_class != 64 ||
        inq_crash_kind(dump) != INQ_CRASH_SENT)
        return;
    add_streams(&texts);
    add_stack(&texts);
    add_old_stack(&texts);
}

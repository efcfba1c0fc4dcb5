/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GLib. g_assert() leaves its text in __glib_assert_msg (exported for this very purpose:
 * g_assertion_message() in glib/gtestutils.c). A fatal message of the log goes through
 * GLogField fields[] = {{key, value, gssize length}, ...} on the stack (glib/gmessages.h), whose
 * key is "MESSAGE".
 */

#include <string.h>

#include "abort_message.h"
#include "bounds.h"
#include "cleanup.h"
#include "crash.h"
#include "frame_search.h"
#include "text.h"

#define MOST_GLIB_FRAMES 12u
#define MOST_STACK (64u << 10)
#define MOST_BELOW 8192u
#define MOST_LENGTH (1u << 20)

static bool is_glib(const struct inq_module *module)
{
    return module && (inq_starts_with(module->name, "libglib-") ||
                      (module->soname && inq_starts_with(module->soname, "libglib-")));
}

/* The outermost frame of GLib near the end of the stack. */
static size_t find_frame(const struct inq_stack *stack)
{
    size_t last = INQ_NO_FRAME;

    for (size_t i = 0; stack && i < stack->n_frames && i < MOST_GLIB_FRAMES; i++)
        if (is_glib(stack->frames[i].module))
            last = i;
    return last;
}

static bool is_text(struct inq_dump *dump, uint64_t addr, const char *want)
{
    char have[16];
    size_t got = 0, size = strlen(want) + 1;

    if (addr < 4096 || size > sizeof(have))
        return false;
    inq_memory_read(dump->memory, addr, have, size, &got);
    return got == size && !memcmp(have, want, size);
}

/* The fields of one message stand side by side. */
static bool is_field(struct inq_dump *dump, uint64_t at, const char *key)
{
    uint64_t name;

    return inq_memory_u64(dump->memory, at, &name) && is_text(dump, name, key);
}

static bool is_other_field(struct inq_dump *dump, uint64_t at)
{
    static const char *const keys[] = {"PRIORITY",  "GLIB_DOMAIN", "CODE_FILE",
                                       "CODE_LINE", "CODE_FUNC",   "MESSAGE_ID"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++)
        if (is_field(dump, at, keys[i]))
            return true;
    return false;
}

/* The function that the message was given to still has it in hand: it frees it later. */
static bool is_in_hand(const struct inq_dump *dump, uint64_t value, uint64_t from, uint64_t to)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    uint64_t word;

    for (size_t i = 0; i < dump->core->cpu->n_registers; i++)
        if (thread->registers[i] == value)
            return true;
    for (uint64_t at = from; at < to; at += 8)
        if (inq_memory_u64(dump->memory, at, &word) && word == value)
            return true;
    return false;
}

/*
 * From a bit below the stack pointer: when the message was made fatal by a setting, the function
 * that had the fields has returned.
 */
static const char *find_fields(struct inq_dump *dump, const struct inq_stack *stack, size_t last)
{
    uint64_t from = (stack->frames[0].sp + 7) & ~UINT64_C(7), to = stack->frames[last].sp;
    uint64_t value, length;

    if (from < MOST_BELOW || from > UINT64_MAX - 2 * MOST_STACK)
        return NULL;
    if (to < from || to - from > MOST_STACK)
        to = from;
    to += 4096; /* the fields of its caller (g_log_structured()) lie above the last frame */
    for (uint64_t at = from - MOST_BELOW; at < to; at += 8) {
        if (!is_field(dump, at, "MESSAGE") ||
            !(is_other_field(dump, at + 24) || is_other_field(dump, at - 24)) ||
            !inq_memory_u64(dump->memory, at + 8, &value) ||
            !inq_memory_u64(dump->memory, at + 16, &length) ||
            (at < from && !is_in_hand(dump, value, from, to)))
            continue;
        if (value >= 4096 && (length == UINT64_MAX || length <= MOST_LENGTH))
            return inq_memory_string(dump->memory, value,
                                     length < INQ_MAX_STRING ? (size_t)length : INQ_MAX_STRING);
    }
    return NULL;
}

enum inq_abort_answer inq_abort_glib(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                     const char **ret_why)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);
    size_t last = find_frame(stack);
    uint64_t variable, text = 0;
    const char *message = NULL;
    bool has_symbol;

    if (last == INQ_NO_FRAME || dump->core->elf_class != 64)
        return INQ_ABORT_NONE;
    has_symbol =
        inq_modules_symbol(dump->modules, "libglib-", "__glib_assert_msg", &variable, NULL) &&
        inq_memory_word(dump->memory, variable, &text);
    if (text != 0)
        message = inq_memory_string(dump->memory, text, INQ_MAX_STRING);
    *ret_text = (struct inq_abort_text){
        .message = message, .source = "glib", .found_in = "symbol", .grade = "proven"};
    if (message && *message)
        return INQ_ABORT_FOUND;
    ret_text->message = find_fields(dump, stack, last);
    ret_text->found_in = "log-fields";
    ret_text->grade = "strong";
    if (ret_text->message && *ret_text->message)
        return INQ_ABORT_FOUND;
    *ret_why = has_symbol ? "the message that GLib wrote is no longer on its stack"
                          : "GLib's file is not here, so __glib_assert_msg is not found";
    return INQ_ABORT_NOT_TOLD;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The message a library left before it called abort(): the first of those that have one. What
 * would be printed is on a terminal or in a log by now; what is found here is what it was made
 * from.
 */

#include "abort_message.h"

#include <string.h>

#include "crash.h"
#include "detectors.h"
#include "frame_search.h"

/* abort(), and the breakpoint that GLib stops at after a fatal message. */
static bool may_have_message(const struct inq_dump *dump)
{
    enum inq_signal kind = inq_crash_signal(dump).kind;
    const struct inq_frame *frame = inq_crash_frame(dump);

    return kind == INQ_SIGNAL_ABRT || (kind == INQ_SIGNAL_TRAP && frame && frame->module &&
                                       !strncmp(frame->module->name, "libglib-", 8));
}

static void set_message(struct inq_dump *dump, struct inq_evidence *evidence,
                        const struct inq_abort_text *text)
{
    size_t size = strlen(text->message);

    while (size > 0 && text->message[size - 1] == '\n')
        size--;
    char *line = inq_arena_copy(dump->arena, text->message, size);
    if (!line) {
        evidence->failed = true;
        return;
    }
    inq_evidence_set_text(evidence, "abort.message", line);
    inq_evidence_set_text(evidence, "abort.source", text->source);
    inq_evidence_set_text(evidence, "abort.found_in", text->found_in);
    inq_evidence_set_text(evidence, "abort.grade", text->grade);
}

struct inq_error *inq_detect_abort_message(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_abort_text text, of_cxx;
    const char *why = NULL, *first_why = NULL;
    enum inq_abort_answer answer = INQ_ABORT_NONE, cxx;

    if (!may_have_message(dump))
        return NULL;
    cxx = inq_abort_cxx(dump, evidence, &of_cxx, &why);
    if (inq_crash_signal(dump).kind == INQ_SIGNAL_ABRT)
        answer = inq_abort_libc(dump, &text, &first_why);
    bool libc_told = answer != INQ_ABORT_NOT_TOLD;
    if (answer != INQ_ABORT_FOUND)
        answer = inq_abort_glib(dump, &text, libc_told ? &first_why : &why);
    bool glib_told = answer != INQ_ABORT_NOT_TOLD;
    if (answer != INQ_ABORT_FOUND && cxx == INQ_ABORT_FOUND) {
        answer = cxx;
        text = of_cxx;
    }
    if (answer != INQ_ABORT_FOUND)
        answer = inq_abort_assert(dump, &text, &why);
    if (answer == INQ_ABORT_FOUND) {
        set_message(dump, evidence, &text);
    } else {
        if (!libc_told || !glib_told || cxx == INQ_ABORT_NOT_TOLD)
            inq_evidence_set_unknown(evidence, "abort.message", "%s", first_why ? first_why : why);
        inq_abort_texts(dump, evidence);
    }
    return evidence->failed ? &inq_error_oom : NULL;
}

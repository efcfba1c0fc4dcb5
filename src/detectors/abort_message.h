/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_ABORT_MESSAGE_H
#define INQ_DETECTORS_ABORT_MESSAGE_H

/* Where the message that explains an abort() can stand: one function a library. */

#include <stdbool.h>
#include <stddef.h>

#include "detector.h"
#include "evidence.h"

enum inq_abort_answer {
    INQ_ABORT_FOUND,
    INQ_ABORT_NONE, /* it was looked for where it would be, and is not there */
    INQ_ABORT_NOT_TOLD,
};

struct inq_abort_text {
    const char *message; /* in the arena, or static */
    const char *source;  /* words of abort.source, abort.found_in and abort.grade; static */
    const char *found_in;
    const char *grade;
};

/*
 * *ret_text for INQ_ABORT_FOUND, *ret_why (static) for INQ_ABORT_NOT_TOLD.
 * libc: __abort_msg, or by its looks. glib: g_assert() and fatal log messages. cxx: what
 * std::terminate() was called for; sets abort.exception too. assert: the arguments of a failed
 * assert(), of a libc that keeps no message (musl).
 */
enum inq_abort_answer inq_abort_libc(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                     const char **ret_why);
enum inq_abort_answer inq_abort_glib(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                     const char **ret_why);
enum inq_abort_answer inq_abort_cxx(struct inq_dump *dump, struct inq_evidence *evidence,
                                    struct inq_abort_text *ret_text, const char **ret_why);
enum inq_abort_answer inq_abort_assert(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                       const char **ret_why);

/* Text that lies near: abort.texts[]. Nothing proves that it is about this. */
void inq_abort_texts(struct inq_dump *dump, struct inq_evidence *evidence);

#endif

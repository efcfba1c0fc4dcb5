/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_ERROR_H
#define INQ_BASE_ERROR_H

/*
 * Errors as objects: a stable code, a sentence, and where.
 *
 * A function that can fail returns `struct inq_error *`: NULL is success. The caller owns what it
 * gets and either hands it on or destroys it. Out of memory is a static object, so reporting it
 * cannot fail; inq_error_destroy() knows it and leaves it alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codes.h"

struct inq_error {
    enum inq_code code;
    char *message;  /* one sentence, no newline; may hold raw bytes from a file: escape on output */
    char *file;     /* the file it is about, or NULL */
    bool has_offset;
    uint64_t offset; /* in the file, bytes */
    bool has_addr;
    uint64_t addr; /* in the dead process */
    char *line;    /* made by inq_error_line() */
};

/* The one object that is returned when there is no memory for another. */
extern struct inq_error inq_error_oom;

/* printf-style; never returns NULL (falls back to &inq_error_oom). */
struct inq_error *inq_error_create(enum inq_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));

/* Builders: fill in the place and hand the same object back, for `return inq_error_at(...)`. */
struct inq_error *inq_error_in(struct inq_error *error, const char *file);
struct inq_error *inq_error_at(struct inq_error *error, uint64_t offset);
struct inq_error *inq_error_at_addr(struct inq_error *error, uint64_t addr);

/* Takes NULL and &inq_error_oom. */
void inq_error_destroy(struct inq_error *error);
static inline void inq_error_destroyp(struct inq_error **error) { inq_error_destroy(*error); }

/*
 * "file: message (offset 0x10) [INQ-032]", escaped for a terminal; made once, lives as long as the
 * error.
 */
const char *inq_error_line(struct inq_error *error);

/* "INQ-031", static. */
const char *inq_code_name(enum inq_code code);
/* The code with that name; INQ_OK for none, and for NULL. */
enum inq_code inq_code_by_name(const char *name);
/* What the code means, for docs and for gaps; static. */
const char *inq_code_text(enum inq_code code);
/* How an error with this code ends a command: interface.md, "Exit codes". */
int inq_code_exit(enum inq_code code);

/* Return early with an error. */
#define INQ_TRY(expr)                        \
    do {                                     \
        struct inq_error *_inq_try = (expr); \
        if (_inq_try)                        \
            return _inq_try;                 \
    } while (0)

#endif

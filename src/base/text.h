/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_TEXT_H
#define INQ_BASE_TEXT_H

/*
 * A growing piece of text, and the escaping that keeps foreign bytes from a terminal.
 *
 * Appending never fails visibly: without memory the text is marked `failed` and stays as it is, so
 * that a page of output code needs one check at its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inq_text {
    char *bytes; /* NUL-terminated when not NULL */
    size_t size; /* without the NUL */
    size_t capacity;
    bool failed;
};

void inq_text_deinit(struct inq_text *text);

/*
 * How often this thread went without memory for a text so far. Whoever makes a page of many small
 * texts compares it before and after, instead of looking at each; note_loss() is for texts that are
 * made by other means.
 */
uint64_t inq_text_losses(void);
void inq_text_note_loss(void);

/*
 * The end of the text, with room for `size` bytes and a NUL behind it, for writers of many small
 * pieces: they put the bytes and the NUL there and add to text->size themselves. NULL without
 * memory.
 */
char *inq_text_room(struct inq_text *text, size_t size);

void inq_text_append(struct inq_text *text, const char *string);
void inq_text_append_bytes(struct inq_text *text, const void *bytes, size_t size);
void inq_text_printf(struct inq_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Foreign bytes for a terminal or a log line: printable ASCII and well-formed printable UTF-8 pass;
 * C0, DEL, C1, bidi and zero-width controls, line separators, invalid UTF-8 and the backslash
 * become `\xNN`, `\uNNNN` or (beyond U+FFFF) `\UNNNNNNNN`. The result never holds a newline.
 */
void inq_text_append_escaped(struct inq_text *text, const void *bytes, size_t size);
void inq_text_append_escaped_string(struct inq_text *text, const char *string); /* takes NULL */

/* A new string for the caller to free; NULL without memory. */
char *inq_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Escaped as above, as a new string for the caller to free; NULL without memory. */
char *inq_escape(const char *string);

/*
 * Foreign bytes as valid UTF-8 for a JSON string: bytes that are not UTF-8, NUL and DEL become
 * `\xNN` (four characters). Sets *ret_lossy when anything was changed. To be freed by the caller.
 */
char *inq_utf8_from_bytes(const void *bytes, size_t size, bool *ret_lossy);

/* Base64 (RFC 4648) of the bytes, to be freed by the caller; NULL without memory. */
char *inq_base64(const void *bytes, size_t size);

/* Columns that a string takes on a terminal: UTF-8 code points, escapes not counted. */
size_t inq_text_width(const char *string);

bool inq_starts_with(const char *text, const char *prefix);
bool inq_ends_with(const char *text, const char *suffix);
/* Glob with `*`, `?` and `[a-z]`, `\` quotes; linear time, no backtracking beyond the last `*`. */
bool inq_glob_match(const char *pattern, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

static char oom_message[] = "out of memory";

struct inq_error inq_error_oom = {
    .code = INQ_E_MEMORY,
    .message = oom_message,
};

struct inq_error *inq_error_create(enum inq_code code, const char *format, ...)
{
    _cleanup_free_ char *message = NULL;
    struct inq_error *error;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&message, format, args);
    va_end(args);
    if (n < 0) {
        message = NULL;
        return &inq_error_oom;
    }
    error = calloc(1, sizeof(*error));
    if (!error)
        return &inq_error_oom;
    error->code = code;
    error->message = TAKE_PTR(message);
    return error;
}

struct inq_error *inq_error_in(struct inq_error *error, const char *file)
{
    char *copy;

    if (!error || error == &inq_error_oom || !file)
        return error;
    copy = strdup(file);
    if (!copy)
        return error; /* the place is a courtesy: keep the error that matters */
    free(error->file);
    error->file = copy;
    return error;
}

struct inq_error *inq_error_at(struct inq_error *error, uint64_t offset)
{
    if (!error || error == &inq_error_oom)
        return error;
    error->has_offset = true;
    error->offset = offset;
    return error;
}

struct inq_error *inq_error_at_addr(struct inq_error *error, uint64_t addr)
{
    if (!error || error == &inq_error_oom)
        return error;
    error->has_addr = true;
    error->addr = addr;
    return error;
}

void inq_error_destroy(struct inq_error *error)
{
    if (!error || error == &inq_error_oom)
        return;
    free(error->message);
    free(error->file);
    free(error->line);
    free(error);
}

const char *inq_error_line(struct inq_error *error)
{
    if (error == &inq_error_oom)
        return oom_message;
    if (error->line)
        return error->line;
    struct inq_text text = {0};
    if (error->file) {
        inq_text_append_escaped_string(&text, error->file);
        inq_text_append(&text, ": ");
    }
    inq_text_append_escaped_string(&text, error->message);
    if (error->has_offset)
        inq_text_printf(&text, " (offset 0x%llx)", (unsigned long long)error->offset);
    if (error->has_addr)
        inq_text_printf(&text, " (address 0x%llx)", (unsigned long long)error->addr);
    inq_text_printf(&text, " [%s]", inq_code_name(error->code));
    if (text.failed) {
        inq_text_deinit(&text);
        return oom_message;
    }
    error->line = text.bytes;
    return error->line;
}

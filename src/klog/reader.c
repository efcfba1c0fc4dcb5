/* SPDX-License-Identifier: Apache-2.0 */

/* Lines in, events out: one event waits while the lines after it may still belong to it. */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/klog.h>
#include <time.h>

#include "cleanup.h"
#include "line_source.h"
#include "parse.h"
#include "text.h"
#include "when.h"

struct inq_klog_reader {
    struct inq_lines lines;
    char *name;
    int64_t now_usec;
    char scratch[INQ_KLOG_LINE_MOST]; /* a line without the colours of a terminal, and the like */
    json_t *json;                     /* what the spans of the line at hand point into */

    struct inq_klog_event pending;
    bool has_pending;
    unsigned left; /* lines that may still belong to it */
    bool crowded;  /* another thread's crash stands right before it, still without its code */
};

static int64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct inq_error *create(const char *name, const struct inq_klog_options *options,
                                struct inq_klog_reader **ret_reader)
{
    struct inq_klog_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return &inq_error_oom;
    reader->lines.fd = -1;
    reader->name = strdup(name);
    reader->now_usec = options ? options->now_usec : now_usec();
    if (!reader->name) {
        inq_klog_reader_destroy(reader);
        return &inq_error_oom;
    }
    *ret_reader = reader;
    return NULL;
}

struct inq_error *inq_klog_reader_create(int fd, const char *name,
                                         const struct inq_klog_options *options,
                                         struct inq_klog_reader **ret_reader)
{
    _cleanup_(inq_klog_reader_destroyp) struct inq_klog_reader *reader = NULL;

    INQ_TRY(create(name, options, &reader));
    INQ_TRY(inq_lines_open(&reader->lines, fd));
    *ret_reader = TAKE_PTR(reader);
    return NULL;
}

struct inq_error *inq_klog_reader_create_bytes(const void *bytes, size_t size, const char *name,
                                               const struct inq_klog_options *options,
                                               struct inq_klog_reader **ret_reader)
{
    INQ_TRY(create(name, options, ret_reader));
    inq_lines_open_bytes(&(*ret_reader)->lines, bytes, size);
    return NULL;
}

void inq_klog_reader_destroy(struct inq_klog_reader *reader)
{
    if (!reader)
        return;
    inq_lines_close(&reader->lines);
    json_decref(reader->json);
    free(reader->name);
    free(reader);
}

struct inq_klog_stats inq_klog_reader_stats(const struct inq_klog_reader *reader)
{
    return reader->lines.stats;
}

/* "&lt;" and the like, which a copy from a page's source has; *ret_size is how long it was. */
static bool entity(const char *at, const char *end, char *ret_byte, size_t *ret_size)
{
    static const struct {
        const char *name;
        char byte;
    } names[] = {{"&lt;", '<'},   {"&gt;", '>'},    {"&amp;", '&'},  {"&quot;", '"'},
                 {"&#39;", '\''}, {"&apos;", '\''}, {"&nbsp;", ' '}, {"\302\240", ' '}};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        struct inq_span s = {at, end};

        if (!inq_span_take(&s, names[i].name))
            continue;
        *ret_byte = names[i].byte;
        *ret_size = strlen(names[i].name);
        return true;
    }
    return false;
}

/*
 * What a terminal, a page or a ticket put into a line: colours (ESC [ ... letter), entities, blanks
 * that do not break, backslashes before brackets.
 */
static struct inq_span strip_markup(struct inq_klog_reader *reader, struct inq_span line)
{
    const size_t size = inq_span_size(&line);
    size_t n = 0, taken;

    if (!memchr(line.at, '\033', size) && !memchr(line.at, '&', size) &&
        !memchr(line.at, '\\', size) && !memchr(line.at, '\302', size))
        return line;
    for (const char *at = line.at; at < line.end; at++) {
        if (*at == '\033' && at + 1 < line.end && at[1] == '[') {
            for (at += 2; at < line.end && (*at < '@' || *at > '~'); at++)
                ;
            if (at == line.end)
                break;
            continue;
        }
        if ((*at == '&' || *at == '\302') && entity(at, line.end, &reader->scratch[n], &taken)) {
            n++;
            at += taken - 1;
            continue;
        }
        if (*at == '\\' && at + 1 < line.end && (at[1] == '[' || at[1] == ']'))
            continue;
        reader->scratch[n++] = *at;
    }
    return inq_span_of(reader->scratch, n);
}

static struct inq_span string_span(const json_t *value)
{
    static const char empty[] = "";

    if (!json_is_string(value))
        return inq_span_of(empty, 0);
    return inq_span_of(json_string_value(value), json_string_length(value));
}

/* journalctl writes what is no UTF-8 as a list of bytes. */
static struct inq_span bytes_span(struct inq_klog_reader *reader, const json_t *list)
{
    size_t i, n = 0;
    json_t *item;

    json_array_foreach (list, i, item)
        if (n < sizeof(reader->scratch) && json_is_integer(item))
            reader->scratch[n++] = (char)json_integer_value(item);
    return inq_span_of(reader->scratch, n);
}

static bool microseconds(const json_t *value, int64_t *ret_usec)
{
    struct inq_span s = string_span(value);
    uint64_t usec;

    if (!inq_span_take_decimal(&s, &usec) || s.at != s.end || usec > 253402300799000000ull)
        return false;
    *ret_usec = (int64_t)usec;
    return true;
}

static void read_journal(struct inq_klog_reader *reader, const json_t *object,
                         struct inq_prefix *ret_prefix)
{
    const json_t *message = json_object_get(object, "MESSAGE");
    struct inq_span text =
        json_is_array(message) ? bytes_span(reader, message) : string_span(message);
    struct inq_span transport = string_span(json_object_get(object, "_TRANSPORT"));
    struct inq_span logger = string_span(json_object_get(object, "SYSLOG_IDENTIFIER"));
    const char *newline = memchr(text.at, '\n', inq_span_size(&text));
    int64_t usec;

    if (newline)
        text.end = newline;
    inq_prefix_read(text, reader->now_usec, ret_prefix);
    if (inq_span_is(&transport, "kernel") || inq_span_is(&logger, "kernel"))
        ret_prefix->is_kernel = true;
    else if (inq_span_size(&transport) > 0 || inq_span_size(&logger) > 0)
        ret_prefix->is_foreign = !inq_span_is(&transport, "audit");
    if (ret_prefix->is_foreign)
        ret_prefix->is_kernel = false; /* whatever the text says */
    if (inq_span_size(&logger) > 0)
        ret_prefix->logger = logger;
    else if (inq_span_is(&transport, "audit"))
        ret_prefix->logger = transport;
    if (microseconds(json_object_get(object, "__REALTIME_TIMESTAMP"), &usec))
        inq_when_from_epoch(usec, &ret_prefix->time);
    if (json_object_get(object, "_HOSTNAME"))
        ret_prefix->host = string_span(json_object_get(object, "_HOSTNAME"));
    ret_prefix->boot = string_span(json_object_get(object, "_BOOT_ID"));
}

/* An object a line: journalctl -o json, or a log shipper's with the text under another name. */
static bool read_json(struct inq_klog_reader *reader, struct inq_span line,
                      struct inq_prefix *ret_prefix)
{
    static const char *const keys[] = {"log", "message", "msg"};

    inq_span_skip_blanks(&line);
    if (!inq_span_take(&line, "\036"))        /* -o json-seq */
        (void)inq_span_take(&line, "data: "); /* -o json-sse */
    if (line.at == line.end || *line.at != '{')
        return false;
    json_decref(reader->json);
    reader->json = json_loadb(line.at, inq_span_size(&line), JSON_ALLOW_NUL, NULL);
    if (!json_is_object(reader->json))
        return false;
    if (json_object_get(reader->json, "MESSAGE")) {
        read_journal(reader, reader->json, ret_prefix);
        return true;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++) {
        const json_t *text = json_object_get(reader->json, keys[i]);
        if (!json_is_string(text))
            continue;
        struct inq_span s = string_span(text);
        const char *newline = memchr(s.at, '\n', inq_span_size(&s));
        if (newline)
            s.end = newline;
        inq_prefix_read(s, reader->now_usec, ret_prefix);
        return true;
    }
    return false;
}

/* `"MESSAGE" : "text",` of -o json-pretty, "    MESSAGE=text" of -o verbose and export */
static struct inq_span strip_pretty(struct inq_span line)
{
    struct inq_span s = line;

    inq_span_trim(&s);
    if (inq_span_take(&s, "MESSAGE="))
        return s;
    if (!inq_span_take(&s, "\"MESSAGE\" : \""))
        return line;
    if (s.at < s.end && s.end[-1] == ',')
        s.end--;
    if (s.at < s.end && s.end[-1] == '"')
        s.end--;
    return s;
}

static void read_prefix(struct inq_klog_reader *reader, struct inq_span line,
                        struct inq_prefix *ret_prefix)
{
    if (read_json(reader, line, ret_prefix))
        return;
    line = strip_pretty(strip_markup(reader, line));
    inq_prefix_read(line, reader->now_usec, ret_prefix);
}

static void set_origin(const struct inq_prefix *prefix, uint64_t number,
                       struct inq_klog_event *event)
{
    struct inq_span text = prefix->message;

    event->line_number = number;
    event->n_lines = 1;
    event->text_cut = inq_span_size(&text) >= sizeof(event->text);
    inq_span_copy(&text, event->text, sizeof(event->text));
    if (event->time.clock == INQ_KLOG_CLOCK_NONE)
        event->time = prefix->time;
    if (event->host[0] == '\0')
        inq_span_copy(&prefix->host, event->host, sizeof(event->host));
    inq_span_copy(&prefix->boot, event->boot, sizeof(event->boot));
    inq_klog_finish(event);
}

static void take_code(struct inq_klog_reader *reader, const struct inq_prefix *prefix)
{
    struct inq_klog_event *event = &reader->pending;
    bool by_caller = prefix->caller && event->tid.known && prefix->caller == event->tid.value;

    if (prefix->caller && event->tid.known && !by_caller) {
        reader->lines.stats.code_unassigned++;
        return; /* printk says whose it is, and it is another thread's */
    }
    if (reader->crowded && !by_caller) {
        reader->lines.stats.code_unassigned++;
        return;
    }
    event->n_lines++;
    inq_klog_take_code(prefix, event);
}

/* True when the line was the pending event's. */
static bool continue_pending(struct inq_klog_reader *reader, const struct inq_prefix *prefix)
{
    if (!reader->has_pending)
        return false;
    if (reader->crowded && reader->pending.family == INQ_KLOG_CPU_MIPS) {
        struct inq_klog_event whose = reader->pending;

        if (inq_klog_continue(prefix, &whose) == INQ_KLOG_MORE_NOT)
            return false;
        reader->lines.stats.code_unassigned++;
        return true;
    }
    switch (inq_klog_continue(prefix, &reader->pending)) {
    case INQ_KLOG_MORE_NOT:
        return false;
    case INQ_KLOG_MORE_CODE:
        take_code(reader, prefix);
        return true;
    case INQ_KLOG_MORE_LAST:
        reader->left = 0;
        break;
    case INQ_KLOG_MORE_PART:
        reader->left = inq_klog_window(&reader->pending);
        break;
    }
    reader->pending.n_lines++;
    inq_klog_finish(&reader->pending);
    return true;
}

static bool is_crowd(const struct inq_klog_reader *reader, const struct inq_klog_event *next)
{
    const struct inq_klog_event *event = &reader->pending;

    if (event->family == INQ_KLOG_CPU_MIPS) /* no thread id in the line, and none on the next */
        return reader->has_pending && next->family == INQ_KLOG_CPU_MIPS && !event->ip.known &&
               next->line_number - event->line_number <= 2;
    return reader->has_pending && event->kind == INQ_KLOG_FAULT && next->kind == INQ_KLOG_FAULT &&
           event->family == INQ_KLOG_CPU_X86 && event->code_size == 0 && !event->code_unreadable &&
           next->line_number - event->line_number <= 2 &&
           !(event->tid.known && next->tid.known && event->tid.value == next->tid.value);
}

/* Gives the pending event away. */
static void emit(struct inq_klog_reader *reader, struct inq_klog_event *ret_event, bool *ret_more)
{
    *ret_event = reader->pending;
    *ret_more = true;
    reader->has_pending = false;
}

struct inq_error *inq_klog_reader_next(struct inq_klog_reader *reader,
                                       struct inq_klog_event *ret_event, bool *ret_more)
{
    for (;;) {
        struct inq_prefix prefix;
        struct inq_klog_event event;
        struct inq_span line;
        uint64_t number;
        bool more, foreign;

        if (reader->has_pending && reader->left == 0) {
            emit(reader, ret_event, ret_more);
            return NULL;
        }
        struct inq_error *error =
            inq_lines_next(&reader->lines, reader->has_pending, &line, &number, &more);
        if (error)
            return inq_error_in(error, reader->name);
        if (!more) {
            *ret_more = false;
            if (reader->has_pending)
                emit(reader, ret_event, ret_more);
            return NULL;
        }
        if (reader->has_pending)
            reader->left--;
        read_prefix(reader, line, &prefix);
        if (continue_pending(reader, &prefix))
            continue;
        if (!inq_klog_parse_line(&prefix, &event, &foreign)) {
            reader->lines.stats.foreign_lines += foreign;
            continue;
        }
        set_origin(&prefix, number, &event);
        bool had = reader->has_pending, crowd = is_crowd(reader, &event);
        if (had)
            emit(reader, ret_event, ret_more);
        reader->pending = event;
        reader->has_pending = true;
        reader->crowded = crowd;
        reader->left = inq_klog_window(&event);
        if (had)
            return NULL;
    }
}

#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_SIZE_BUFFER 10
#define KERNEL_LOG_MOST (64 * 1024 * 1024)

struct inq_error *inq_klog_read_kernel(char **ret_bytes, size_t *ret_size)
{
    int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
    char *bytes;

    if (size > KERNEL_LOG_MOST)
        size = KERNEL_LOG_MOST;
    if (size > 0) {
        bytes = malloc((size_t)size);
        if (!bytes)
            return &inq_error_oom;
        size = klogctl(SYSLOG_ACTION_READ_ALL, bytes, size);
        if (size >= 0) {
            *ret_bytes = bytes;
            *ret_size = (size_t)size;
            return NULL;
        }
        free(bytes);
    }
    if (errno == EPERM)
        return inq_error_create(INQ_E_IO,
                                "the kernel's log may only be read by root here "
                                "(kernel.dmesg_restrict): try \"sudo dmesg | inquest klog -\" or "
                                "\"journalctl -k -b all -o short-iso | inquest klog -\"");
    return inq_error_create(INQ_E_IO,
                            "the kernel's log cannot be read (%s): try "
                            "\"journalctl -k -b all -o short-iso | inquest klog -\"",
                            strerror(errno));
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Reading a log into lines that are kept, and finding them again. */

#include "log_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "job.h"

#define USEC 1000000ll

static int64_t usec_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * USEC + now.tv_nsec / 1000;
}

bool inq_log_time_text(int64_t usec, char ret_text[32])
{
    const time_t seconds = (time_t)(usec / USEC);
    struct tm tm;

    return usec >= 0 && gmtime_r(&seconds, &tm) &&
           strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

bool inq_log_parse_time(const char *text, int64_t *ret_usec)
{
    struct tm tm = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
    time_t seconds;

    if (!end || *end)
        return false;
    seconds = timegm(&tm);
    if (seconds < 0 || seconds > INT64_MAX / USEC)
        return false;
    *ret_usec = (int64_t)seconds * USEC;
    return true;
}

static void line_deinit(struct inq_log_line *line)
{
    free(line->text);
    free(line->comm);
    free(line->host);
    free(line->when);
}

void inq_kernel_log_destroy(struct inq_kernel_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->lines.count; i++)
        line_deinit(&log->lines.items[i]);
    INQ_ARRAY_FREE(&log->lines);
    INQ_ARRAY_FREE(&log->by_pointers);
    INQ_ARRAY_FREE(&log->by_tid);
    free(log->file);
    free(log->unreadable);
    free(log);
}

/* It stands still in suspend: of a machine that ever was, nothing is known. */
static bool time_of_boot_clock(int64_t usec, int64_t *ret_usec)
{
    const int64_t awake = usec_of(CLOCK_MONOTONIC);

    if (usec < 0 || usec > awake + USEC || usec_of(CLOCK_BOOTTIME) - awake > USEC)
        return false;
    *ret_usec = usec_of(CLOCK_REALTIME) - awake + usec;
    return true;
}

/* "<6>[   12.345678] ...": since when the buffer reaches back. */
static void find_beginning(struct inq_kernel_log *log, const char *bytes, size_t size)
{
    char start[48] = "";
    const char *bracket;
    long long seconds, fraction;

    memcpy(start, bytes, size < sizeof(start) - 1 ? size : sizeof(start) - 1);
    bracket = strchr(start, '[');
    if (!bracket || sscanf(bracket, "[%lld.%6lld]", &seconds, &fraction) != 2 || seconds < 0 ||
        seconds > INT32_MAX)
        return;
    log->begins_known = time_of_boot_clock(seconds * USEC + fraction, &log->begins_usec);
}

/*
 * A clock on the wall is this machine's only for lines that this machine's syslog wrote. A time
 * since boot says something about this machine's own log alone: printk's clock is the monotonic
 * one, but for drift.
 */
static void set_time(const struct inq_kernel_log *log, const struct inq_klog_event *event,
                     struct inq_log_line *line)
{
    const int64_t usec = event->time.usec;

    line->year_assumed = event->time.year_assumed;
    switch (event->time.clock) {
    case INQ_KLOG_CLOCK_UTC:
        line->usec = usec;
        line->has_time = true;
        break;
    case INQ_KLOG_CLOCK_LOCAL:
        line->usec = usec;
        line->zone_unknown = true;
        if (event->host[0] && !strcmp(event->host, log->hostname)) {
            const time_t wall = (time_t)(usec / USEC);
            struct tm tm;

            if (gmtime_r(&wall, &tm)) {
                tm.tm_isdst = -1;
                const time_t seconds = mktime(&tm);

                line->usec = (int64_t)seconds * USEC + usec % USEC;
                line->has_time = seconds != -1;
                line->zone_unknown = seconds == -1;
            }
        }
        break;
    case INQ_KLOG_CLOCK_BOOT:
        if (log->own)
            line->has_time = time_of_boot_clock(usec, &line->usec);
        break;
    default:
        break;
    }
}

static bool is_death(const struct inq_klog_event *event)
{
    switch (event->kind) {
    case INQ_KLOG_FAULT:
    case INQ_KLOG_OOM_KILL:
    case INQ_KLOG_MEMORY_FAILURE_KILL:
        return true;
    case INQ_KLOG_SECCOMP:
        return event->signal.known && event->signal.value != 0;
    default:
        return false;
    }
}

/* Without memory `text` stays NULL. */
static bool keep_text(char **slot, const char *text)
{
    *slot = *text ? strdup(text) : NULL;
    return !*text || *slot;
}

static struct inq_error *keep(struct inq_kernel_log *log, const struct inq_klog_event *event,
                              uint64_t order)
{
    struct inq_log_line line = {.kind = event->kind,
                                .trap = event->trap,
                                .family = event->family,
                                .access = event->access,
                                .tid = event->tid.known ? event->tid : event->pid,
                                .address = event->address,
                                .ip = event->ip,
                                .sp = event->sp,
                                .error = event->error,
                                .signal = event->signal,
                                .cpu = event->cpu,
                                .core = event->core,
                                .socket = event->socket,
                                .order = order};
    struct inq_log_line *slot;

    if (!keep_text(&line.text, event->text) || !keep_text(&line.comm, event->comm) ||
        !keep_text(&line.host, event->host) || !keep_text(&line.when, event->time.text)) {
        line_deinit(&line);
        return &inq_error_oom;
    }
    set_time(log, event, &line);
    if (log->lines.count < INQ_KERNEL_LOG_LINES) {
        slot = INQ_ARRAY_PUSH(&log->lines);
    } else { /* over the oldest */
        slot = &log->lines.items[log->dropped++ % INQ_KERNEL_LOG_LINES];
        line_deinit(slot);
    }
    if (!slot) {
        line_deinit(&line);
        return &inq_error_oom;
    }
    *slot = line;
    return NULL;
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_order(const void *a, const void *b)
{
    return compare(((const struct inq_log_line *)a)->order,
                   ((const struct inq_log_line *)b)->order);
}

static int by_pointers(const void *a, const void *b, void *context)
{
    const struct inq_log_line *lines = context;
    const struct inq_log_line *left = &lines[*(const size_t *)a];
    const struct inq_log_line *right = &lines[*(const size_t *)b];
    int order = compare(left->ip.value, right->ip.value);

    if (!order)
        order = compare(left->sp.value, right->sp.value);
    return order ? order : compare(left->order, right->order);
}

static int by_tid(const void *a, const void *b, void *context)
{
    const struct inq_log_line *lines = context;
    const struct inq_log_line *left = &lines[*(const size_t *)a];
    const struct inq_log_line *right = &lines[*(const size_t *)b];
    const int order = compare(left->tid.value, right->tid.value);

    return order ? order : compare(left->order, right->order);
}

static struct inq_error *index_lines(struct inq_kernel_log *log)
{
    const size_t n = log->lines.count;

    if (log->dropped)
        qsort(log->lines.items, n, sizeof(*log->lines.items), by_order);
    for (size_t i = 0; i < n; i++) {
        const struct inq_log_line *line = &log->lines.items[i];
        size_t *slot;

        if (line->kind != INQ_KLOG_FAULT)
            continue; /* the others leave no core */
        if (line->ip.known && line->sp.known) {
            slot = INQ_ARRAY_PUSH(&log->by_pointers);
            if (!slot)
                return &inq_error_oom;
            *slot = i;
        }
        if (line->tid.known) {
            slot = INQ_ARRAY_PUSH(&log->by_tid);
            if (!slot)
                return &inq_error_oom;
            *slot = i;
        }
    }
    if (log->by_pointers.count)
        qsort_r(log->by_pointers.items, log->by_pointers.count, sizeof(size_t), by_pointers,
                log->lines.items);
    if (log->by_tid.count)
        qsort_r(log->by_tid.items, log->by_tid.count, sizeof(size_t), by_tid, log->lines.items);
    return NULL;
}

static struct inq_error *read_all(struct inq_kernel_log *log, struct inq_klog_reader *reader)
{
    uint64_t order = 0;

    for (;;) {
        struct inq_klog_event event;
        bool more;

        INQ_TRY(inq_klog_reader_next(reader, &event, &more));
        if (!more)
            return index_lines(log);
        if (event.kind == INQ_KLOG_LOST)
            log->lost = true;
        if (is_death(&event))
            INQ_TRY(keep(log, &event, order++));
    }
}

static struct inq_error *create(bool own, struct inq_kernel_log **ret_log)
{
    struct inq_kernel_log *log = calloc(1, sizeof(*log));
    struct utsname names;

    if (!log)
        return &inq_error_oom;
    log->own = own;
    if (uname(&names) == 0)
        snprintf(log->hostname, sizeof(log->hostname), "%s", names.nodename);
    *ret_log = log;
    return NULL;
}

static struct inq_error *read_with(struct inq_kernel_log *log, struct inq_klog_reader *reader,
                                   struct inq_kernel_log **ret_log)
{
    struct inq_error *error = read_all(log, reader);

    inq_klog_reader_destroy(reader);
    if (error)
        inq_kernel_log_destroy(log);
    else
        *ret_log = log;
    return error;
}

struct inq_error *inq_kernel_log_read(const char *file, struct inq_kernel_log **ret_log)
{
    const bool standard = !strcmp(file, "-");
    struct inq_klog_reader *reader = NULL;
    struct inq_kernel_log *log = NULL;
    _cleanup_close_ int fd = -1;
    struct inq_error *error;

    if (!standard)
        INQ_TRY(inq_job_open(file, &fd));
    INQ_TRY(create(false, &log));
    log->file = strdup(file);
    error = log->file ? NULL : &inq_error_oom;
    if (!error)
        error = inq_klog_reader_create(standard ? STDIN_FILENO : fd, file, NULL, &reader);
    if (error) {
        inq_kernel_log_destroy(log);
        return error;
    }
    return read_with(log, reader, ret_log);
}

struct inq_error *inq_kernel_log_read_bytes(const void *bytes, size_t size, bool own,
                                            struct inq_kernel_log **ret_log)
{
    struct inq_klog_reader *reader = NULL;
    struct inq_kernel_log *log = NULL;
    struct inq_error *error;

    INQ_TRY(create(own, &log));
    if (own)
        find_beginning(log, bytes, size);
    error = inq_klog_reader_create_bytes(bytes, size, "kernel log", NULL, &reader);
    if (error) {
        inq_kernel_log_destroy(log);
        return error;
    }
    return read_with(log, reader, ret_log);
}

struct inq_error *inq_kernel_log_read_own(struct inq_kernel_log **ret_log)
{
    _cleanup_free_ char *bytes = NULL;
    size_t size = 0;
    struct inq_error *error = inq_klog_read_kernel(&bytes, &size);
    struct inq_kernel_log *log = NULL;

    if (error && error->code == INQ_E_MEMORY)
        return error;
    if (!error)
        return inq_kernel_log_read_bytes(bytes, size, true, ret_log);
    struct inq_error *create_error = create(true, &log);
    if (!create_error) {
        log->unreadable = strdup(error->message ? error->message : "it cannot be read");
        if (!log->unreadable) {
            inq_kernel_log_destroy(log);
            create_error = &inq_error_oom;
        }
    }
    inq_error_destroy(error);
    if (!create_error)
        *ret_log = log;
    return create_error;
}

const char *inq_kernel_log_file(const struct inq_kernel_log *log)
{
    return log->file;
}

/* The first index whose line does not come before; `less` compares with what is looked for. */
size_t inq_log_find_pointers(const struct inq_kernel_log *log, uint64_t ip, uint64_t sp,
                             size_t *ret_first)
{
    const struct inq_log_line *lines = log->lines.items;
    size_t low = 0, high = log->by_pointers.count, n = 0;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct inq_log_line *line = &lines[log->by_pointers.items[middle]];

        if (line->ip.value < ip || (line->ip.value == ip && line->sp.value < sp))
            low = middle + 1;
        else
            high = middle;
    }
    *ret_first = low;
    while (low + n < log->by_pointers.count) {
        const struct inq_log_line *line = &lines[log->by_pointers.items[low + n]];

        if (line->ip.value != ip || line->sp.value != sp)
            break;
        n++;
    }
    return n;
}

size_t inq_log_find_tid(const struct inq_kernel_log *log, uint64_t tid, size_t *ret_first)
{
    const struct inq_log_line *lines = log->lines.items;
    size_t low = 0, high = log->by_tid.count, n = 0;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (lines[log->by_tid.items[middle]].tid.value < tid)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_first = low;
    while (low + n < log->by_tid.count && lines[log->by_tid.items[low + n]].tid.value == tid)
        n++;
    return n;
}

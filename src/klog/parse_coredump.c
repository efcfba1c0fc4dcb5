/* SPDX-License-Identifier: Apache-2.0 */

/*
 * About writing cores: fs/coredump.c (since 6.13 "coredump: 123(comm): ..."), and what
 * systemd-coredump logs. They tell why there is no core, or where it went.
 */

#include "cleanup.h"
#include "parse.h"

static const struct {
    const char *words, *what;
} reasons[] = {
    {"pipe failed", "the program that core_pattern names could not be started"},
    {"without generating a core", "no core was written"},
    {"over core_pipe_limit", "too many cores at once (kernel.core_pipe_limit)"},
    {"RLIMIT_CORE is set to 1", "a core limit of 1: the collector would be its own victim"},
    {"fully qualified path", "core_pattern is no full path, and fs.suid_dumpable=2 wants one"},
    {"RLIMIT_CORE set to 1", "a core limit of 1: the collector would be its own victim"},
    {"Unsafe core_pattern", "core_pattern is unsafe with fs.suid_dumpable=2"},
    {"format_corename", "core_pattern could not be filled in"},
    {"aborted", "writing the core was given up"},
    {"coredump has not been created", "no core was written"},
    {"dumped core", "a core was written"},
};

/* "coredump: 123(comm): words": the process's number in its own pid namespace, as all of these */
static bool take_task(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s, comm;
    uint64_t tid;

    if (!inq_span_take(&t, "coredump: ") || !inq_span_take_decimal(&t, &tid) ||
        !inq_span_take(&t, "(") || !inq_span_take_until(&t, "): ", &comm) ||
        inq_span_size(&comm) > 64)
        return false;
    inq_klog_set(&event->tid, tid);
    inq_klog_set(&event->pid, tid);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    *s = t;
    return true;
}

/* "Process 456 (foo) of user 1000 dumped core.", "Pid 123(foo) over core_pipe_limit" */
static bool take_process(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s, comm;
    uint64_t pid;

    if ((!inq_span_take(&t, "Process ") && !inq_span_take(&t, "Pid ")) ||
        !inq_span_take_decimal(&t, &pid))
        return false;
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, "(") || !inq_span_take_until(&t, ") ", &comm) ||
        inq_span_size(&comm) > 64)
        return false;
    inq_klog_set(&event->pid, pid);
    inq_klog_set(&event->tid, pid);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    if (inq_span_take(&t, "of user "))
        event->uid.known = inq_span_take_decimal(&t, &event->uid.value);
    *s = t;
    return true;
}

bool inq_klog_parse_coredump(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message;
    bool by_systemd = inq_span_is(&prefix->logger, "systemd-coredump");
    const char *what = NULL;

    if (!prefix->is_kernel && !by_systemd)
        return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(reasons) && !what; i++)
        if (inq_span_find(&s, reasons[i].words))
            what = reasons[i].what;
    if (by_systemd) /* "[\360\237\241\225] ": a link to the documentation */
        (void)inq_span_take(&s, "[\360\237\241\225] ");
    if (take_task(&s, event)) {
        what = what ? what : "about writing a core";
    } else if (!what || (!take_process(&s, event) && !inq_span_take(&s, "Core dump to ") &&
                         !inq_span_take(&s, "Unsafe core_pattern") &&
                         !inq_span_take(&s, "format_corename"))) {
        return false;
    }
    event->kind = INQ_KLOG_COREDUMP;
    inq_span_set(event->what, sizeof(event->what), what);
    return true;
}

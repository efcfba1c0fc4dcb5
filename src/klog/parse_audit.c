/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kernel/auditsc.c: audit_seccomp() is type 1326, audit_core_dumps() type 1701. In the kernel's own
 * log "audit: type=1326 audit(1612.123:4): ...", from auditd "type=SECCOMP msg=audit(...): ...", in
 * a journal "audit[77]: SECCOMP auid=...", by `ausearch -i` with names for numbers. Before 3.8
 * seccomp was type 1701, too, with reason="seccomp".
 *
 * kernel/signal.c, print_fatal_signal(), with kernel.print-fatal-signals=1: "x/77: potentially
 * unexpected fatal signal 11.", from 3.8 on without the name, since 5.18 "FILE: x: potentially
 * ..."; the registers follow, with the process's id.
 */

#include "cleanup.h"
#include "parse.h"
#include "when.h"

static unsigned nibble(char c)
{
    return inq_is_digit(c) ? (unsigned)(c - '0') : ((unsigned)c | 0x20u) - 'a' + 10u;
}

/* "name" in quotes, or hex digits when it holds blanks or quotes (audit_log_untrustedstring). */
static void take_text(const struct inq_span *s, const char *key, char *field, size_t size)
{
    struct inq_span t = *s, before, quoted, value;

    if (!inq_klog_value(s, key, &value))
        return;
    t.at = value.at;
    if (inq_span_take(&t, "\"")) {
        if (inq_span_take_until(&t, "\"", &quoted))
            inq_span_copy(&quoted, field, size);
        return;
    }
    size_t n = 0;
    for (before = value; before.end - before.at >= 2 && n + 1 < size; before.at += 2) {
        if (!inq_is_hex(before.at[0]) || !inq_is_hex(before.at[1])) {
            inq_span_copy(&value, field, size); /* "(null)" */
            return;
        }
        char c = (char)(nibble(before.at[0]) << 4 | nibble(before.at[1]));
        field[n++] = c ? c : '?';
    }
    if (before.at < before.end && n + 1 < size)
        inq_span_copy(&value, field, size); /* an odd number of digits: a name, of ausearch -i */
    else
        field[n] = '\0';
}

/* "sig=31", or "sig=SIGSYS" */
static bool take_signal(const struct inq_span *s, struct inq_klog_u64 *ret_signal)
{
    static const struct {
        const char *name;
        unsigned number;
    } signals[] = {{"SIGQUIT", 3}, {"SIGILL", 4},   {"SIGTRAP", 5},  {"SIGABRT", 6},
                   {"SIGBUS", 7},  {"SIGFPE", 8},   {"SIGKILL", 9},  {"SIGSEGV", 11},
                   {"SIGSYS", 31}, {"SIGXCPU", 24}, {"SIGXFSZ", 25}, {"unknown signal(0)", 0}};
    struct inq_span value;

    if (inq_klog_decimal_value(s, "sig=", ret_signal))
        return true;
    if (!inq_klog_value(s, "sig=", &value))
        return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(signals); i++) {
        struct inq_span t = {value.at, s->end};
        if (!inq_span_take(&t, signals[i].name))
            continue;
        inq_klog_set(ret_signal, signals[i].number);
        return true;
    }
    return false;
}

/* "code=0x7ffc0000", or "code=kill-thread" */
static void take_action(const struct inq_span *s, struct inq_klog_u64 *ret_action)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {{"kill-process", 0x80000000u},
                   {"kill-thread", 0},
                   {"kill", 0},
                   {"trap", 0x30000},
                   {"errno", 0x50000},
                   {"user-notif", 0x7fc00000},
                   {"trace", 0x7ff00000},
                   {"log", 0x7ffc0000},
                   {"allow", 0x7fff0000}};
    struct inq_span value;

    if (!inq_klog_value(s, "code=", &value))
        return;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(actions); i++) {
        if (inq_span_is(&value, actions[i].name)) {
            inq_klog_set(ret_action, actions[i].action);
            return;
        }
    }
    const char *names =
        inq_span_find(&value, "ARCH="); /* auditd's names; the byte before is lost */
    uint64_t action;
    if (names)
        value.end = names;
    if (inq_span_take_hex(&value, &action, NULL))
        inq_klog_set(ret_action, action);
}

bool inq_klog_parse_fatal_signal(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message, before;
    uint64_t number, pid;

    if (!prefix->is_kernel ||
        !inq_span_take_until(&s, "potentially unexpected fatal signal ", &before) ||
        !inq_span_take_decimal(&s, &number) || number == 0 || number > 64 ||
        inq_span_size(&before) > 320)
        return false;
    inq_span_trim(&before);
    if (before.at < before.end) {
        if (before.end[-1] != ':')
            return false;
        before.end--;
        const char *slash = inq_span_find_last(&before, "/");
        struct inq_span id = {slash ? slash + 1 : before.end, before.end};
        const char *colon = inq_span_find_last(&before, ": ");
        if (inq_span_take_decimal(&id, &pid) && id.at == id.end) {
            inq_klog_set(&event->pid, pid);
            inq_klog_set(&event->tid, pid);
            before.end = slash;
        } else if (colon) {
            before.at = colon + 2;
        }
        inq_span_copy(&before, event->comm, sizeof(event->comm));
    }
    event->kind = INQ_KLOG_ABEND;
    inq_klog_set(&event->signal, number);
    inq_span_set(event->what, sizeof(event->what), "fatal signal");
    return true;
}

bool inq_klog_parse_audit(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message, t, before;
    bool seccomp = inq_span_find(&s, "type=1326 ") || inq_span_find(&s, "type=SECCOMP ") ||
                   inq_span_take(&s, "SECCOMP ");
    bool abend =
        !seccomp && (inq_span_find(&s, "type=1701 ") || inq_span_find(&s, "type=ANOM_ABEND ") ||
                     inq_span_take(&s, "ANOM_ABEND "));

    if (!seccomp && !abend)
        return false;
    if (!inq_klog_value(&s, "auid=", &t) || !inq_klog_decimal_value(&s, "pid=", &event->pid) ||
        !take_signal(&s, &event->signal))
        return false;
    t = s;
    if (inq_span_take_until(&t, "audit(", &before))
        (void)inq_when_take_epoch(&t, &event->time);
    if (inq_klog_value(&s, "reason=\"seccomp\"", &t))
        seccomp = true;
    event->kind = seccomp ? INQ_KLOG_SECCOMP : INQ_KLOG_ABEND;
    event->tid = event->pid; /* both print task_tgid_nr() or, before 4.x, task_pid_nr() */
    take_text(&s, "comm=", event->comm, sizeof(event->comm));
    take_text(&s, "exe=", event->executable, sizeof(event->executable));
    (void)inq_klog_decimal_value(&s, "uid=", &event->uid);
    if (seccomp) {
        (void)inq_klog_decimal_value(&s, "syscall=", &event->syscall);
        (void)inq_klog_hex_value(&s, "ip=", &event->ip);
        take_action(&s, &event->action);
    } else {
        take_text(&s, "reason=", event->what, sizeof(event->what));
    }
    return true;
}

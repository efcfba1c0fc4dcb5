/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kernel/auditsc.c: audit_seccomp() is type 1326, audit_core_dumps() type 1701. In the kernel's own
 * log "audit: type=1326 audit(1612.123:4): ...", from auditd "type=SECCOMP msg=audit(...): ...", in
 * a journal "audit[77]: SECCOMP auid=...".
 */

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
    field[n] = '\0';
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
        !inq_klog_decimal_value(&s, "sig=", &event->signal))
        return false;
    t = s;
    if (inq_span_take_until(&t, "audit(", &before))
        (void)inq_when_take_epoch(&t, &event->time);
    event->kind = seccomp ? INQ_KLOG_SECCOMP : INQ_KLOG_ABEND;
    event->tid = event->pid; /* both print task_tgid_nr() or, before 4.x, task_pid_nr() */
    take_text(&s, "comm=", event->comm, sizeof(event->comm));
    take_text(&s, "exe=", event->executable, sizeof(event->executable));
    (void)inq_klog_decimal_value(&s, "uid=", &event->uid);
    if (seccomp) {
        (void)inq_klog_decimal_value(&s, "syscall=", &event->syscall);
        (void)inq_klog_hex_value(&s, "ip=", &event->ip);
    } else if (inq_klog_value(&s, "reason=\"", &t)) {
        inq_span_copy(&t, event->what, sizeof(event->what));
    }
    return true;
}

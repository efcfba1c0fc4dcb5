/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The OOM killer: mm/oom_kill.c, dump_oom_summary() and __oom_kill_process().
 *
 * "oom-kill:constraint=..." (since 4.19) names the cgroup, "Out of memory: Killed process" the
 * victim. Older kernels announce "Kill process A ... or sacrifice child" and then kill, perhaps,
 * B: only the second line counts, unless it is missing.
 */

#include "parse.h"

/* "1234 (java) total-vm:": names may hold brackets, so the last one in reach that fits ends it. */
static bool take_victim(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s, comm;
    const char *end = NULL, *most;
    uint64_t pid;

    if (!inq_span_take_decimal(&t, &pid))
        return false;
    (void)inq_span_take(&t, ",");
    if (inq_span_take(&t, " UID ")) { /* Red Hat's 2.6.32: "8888, UID 501, (java)" */
        uint64_t uid;
        if (!inq_span_take_decimal(&t, &uid) || !inq_span_take(&t, ","))
            return false;
        inq_klog_set(&event->uid, uid);
    }
    if (!inq_span_take(&t, " ("))
        return false;
    most = t.end - t.at > 72 ? t.at + 72 : t.end;
    for (const char *at = t.at; at < most; at++)
        if (*at == ')' && (at + 1 == t.end || memchr(" ,.:", at[1], 4)))
            end = at;
        else if (at + 6 < t.end && (!memcmp(at, "total-", 6) || !memcmp(at, " score", 6)))
            break;
    if (!end)
        return false;
    comm = (struct inq_span){t.at, end};
    inq_klog_set(&event->pid, pid);
    inq_klog_set(&event->tid, pid);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    s->at = end + 1;
    return true;
}

static void take_sizes(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_klog_u64 kib;

    if (inq_klog_decimal_value(&s, "anon-rss:", &kib) && kib.value <= UINT64_MAX / 1024)
        inq_klog_set(&event->rss_bytes, kib.value * 1024);
    if (!inq_klog_decimal_value(&s, "UID:", &event->uid) && !event->uid.known) {
        struct inq_span before;
        uint64_t uid;
        if (inq_span_take_until(&s, ", UID ", &before) && inq_span_take_decimal(&s, &uid))
            inq_klog_set(&event->uid, uid);
    }
}

/* "oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a/b,task=java,pid=1,uid=0" */
static bool parse_summary(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message, before, value;

    if (!inq_span_take_until(&s, "oom-kill:", &before) || inq_span_size(&before) > 0 ||
        !inq_klog_value(&s, "constraint=", &value))
        return false;
    event->kind = INQ_KLOG_OOM_KILL;
    event->oom_cgroup = inq_span_is(&value, "CONSTRAINT_MEMCG");
    if (inq_klog_value(&s, "task_memcg=", &value))
        inq_span_copy(&value, event->cgroup, sizeof(event->cgroup));
    if (inq_klog_value(&s, "task=", &value)) { /* a name may hold blanks and commas */
        const char *end = inq_span_find_last(&s, ",pid=");
        if (end && end > value.at)
            value.end = end;
        inq_span_copy(&value, event->comm, sizeof(event->comm));
    }
    if (inq_klog_decimal_value(&s, "pid=", &event->pid))
        event->tid = event->pid;
    (void)inq_klog_decimal_value(&s, "uid=", &event->uid);
    inq_span_set(event->what, sizeof(event->what), "announced");
    return event->pid.known;
}

/*
 * "VM: killing process x", "VM: killing process x(123)": the fault handlers of kernels before
 * 2.6.38 that got no page for a process.
 */
static bool parse_vm(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message;
    uint64_t pid;

    if (!prefix->is_kernel || !inq_span_take(&s, "VM: killing process "))
        return false;
    const char *paren = inq_span_find_last(&s, "(");
    struct inq_span number = {paren ? paren + 1 : s.end, s.end};
    if (inq_span_take_decimal(&number, &pid) && inq_span_is(&number, ")")) {
        inq_klog_set(&event->pid, pid);
        inq_klog_set(&event->tid, pid);
        s.end = paren;
    }
    if (inq_span_size(&s) == 0 || inq_span_size(&s) > 64)
        return false;
    inq_span_copy(&s, event->comm, sizeof(event->comm));
    event->kind = INQ_KLOG_OOM_KILL;
    inq_span_set(event->what, sizeof(event->what), "no page could be had");
    inq_klog_set(&event->signal, 9);
    return true;
}

bool inq_klog_parse_oom(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    static const char *const announced[] = {"Kill process ", "kill process "};
    struct inq_span s = prefix->message, before;
    bool killed = inq_span_take_until(&s, "Killed process ", &before);

    if (parse_summary(prefix, event) || parse_vm(prefix, event))
        return true;
    *event = (struct inq_klog_event){0};
    if (!killed && !inq_span_take_until(&s, announced[0], &before) &&
        !inq_span_take_until(&s, announced[1], &before))
        return false;
    /* before it: nothing (the second line of old kernels), or "[Memory cgroup ]out of memory...: "
     */
    event->oom_cgroup = inq_span_find(&before, "Memory cgroup out of memory") != NULL;
    if (inq_span_size(&before) > 80 ||
        (inq_span_size(&before) > 0 && !event->oom_cgroup &&
         !inq_span_find(&before, "Out of memory") && !inq_span_find(&before, "Out of Memory")))
        return false;
    if (!prefix->is_kernel && inq_span_size(&before) == 0)
        return false; /* a service manager says that of its own, too */
    if (!prefix->is_kernel && !inq_span_take(&before, "Memory cgroup") &&
        !inq_span_take(&before, "Out of "))
        return false;
    if (!take_victim(&s, event))
        return false;
    event->kind = INQ_KLOG_OOM_KILL;
    const char *what = killed ? "killed" : "announced";
    inq_span_set(event->what, sizeof(event->what), what);
    take_sizes(s, event);
    inq_klog_set(&event->signal, 9);
    return true;
}

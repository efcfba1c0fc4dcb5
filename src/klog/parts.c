/* SPDX-License-Identifier: Apache-2.0 */
#include "parse.h"

#include "cleanup.h"

#define TID_MOST 0x7fffffffull

bool inq_klog_take_subject(const struct inq_prefix *prefix, struct inq_span before,
                           struct inq_klog_event *event, bool *ret_foreign)
{
    struct inq_span comm, host, number;
    const char *bracket;
    uint64_t tid;

    inq_span_trim(&before);
    if (before.at < before.end && before.end[-1] == ':')
        before.end--;
    if (inq_span_size(&before) < 3 || before.end[-1] != ']')
        return false;
    bracket = inq_span_find_last(&before, "[");
    if (!bracket)
        return false;
    number = (struct inq_span){bracket + 1, before.end - 1};
    if (!inq_span_take_decimal(&number, &tid) || number.at != number.end || tid > TID_MOST)
        return false;
    before.end = bracket;
    if (!inq_prefix_comm(prefix, before, &comm, &host)) {
        *ret_foreign = true;
        return false;
    }
    inq_klog_set(&event->tid, tid);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    inq_span_copy(&host, event->host, sizeof(event->host));
    return true;
}

/* The inside of the bracket behind a module's name. */
static bool read_range(struct inq_span inside, struct inq_klog_event *event)
{
    uint64_t first, start, size;
    struct inq_span t = inside, junk;

    if (inq_span_take_hex(&t, &first, NULL)) {
        bool has_offset = inq_span_take(&t, ",");

        start = first;
        if (has_offset && !inq_span_take_hex(&t, &start, NULL))
            return false;
        if (!inq_span_take(&t, "+") || !inq_span_take_hex(&t, &size, NULL) || t.at != t.end)
            return false;
        inq_klog_set(&event->module_start, start);
        if (has_offset)
            inq_klog_set(&event->file_offset, first);
        event->file_offset_printed = has_offset;
    } else if (inq_span_is(&inside, "...") || inq_span_is(&inside, "\342\200\246")) {
        return true; /* shortened by who copied it: "[...]" */
    } else {
        /* or "[...+188000]" */
        t = inside;
        if (!inq_span_take_until(&t, "+", &junk) || !inq_span_take_hex(&t, &size, NULL) ||
            t.at != t.end || inq_span_size(&junk) > 8)
            return false;
        for (const char *at = junk.at; at < junk.end; at++)
            if (*at != '.' && (unsigned char)*at < 0x80)
                return false;
    }
    inq_klog_set(&event->module_size, size);
    return true;
}

static void set_module(struct inq_span name, struct inq_klog_event *event)
{
    static const char deleted[] = " (deleted)";

    inq_span_trim(&name);
    if (inq_span_size(&name) > strlen(deleted) &&
        !memcmp(name.end - strlen(deleted), deleted, strlen(deleted))) {
        name.end -= strlen(deleted);
        event->module_deleted = true;
    }
    inq_span_copy(&name, event->module, sizeof(event->module));
}

static bool is_range_cut(struct inq_span s)
{
    for (; s.at < s.end; s.at++)
        if (!inq_is_hex(*s.at) && *s.at != ',' && *s.at != '+')
            return false;
    return true;
}

/* "in libcoreclr.so" at the end of a line: the range was cut off */
static bool take_bare_module(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s, name;

    if (!inq_span_take_word(&t, &name) || t.at != t.end ||
        inq_span_size(&name) >= sizeof(event->module))
        return false;
    const char *cut = memrchr(name.at, '[', inq_span_size(&name));
    if (cut && cut > name.at && is_range_cut((struct inq_span){cut + 1, name.end}))
        name.end = cut; /* "opera[8048" and "000+1120000]" on the line after */
    for (const char *at = name.at; at < name.end; at++)
        if (*at == '[' || *at == ']')
            return false;
    set_module(name, event);
    *s = t;
    return true;
}

bool inq_klog_take_module(struct inq_span *s, struct inq_klog_event *event)
{
    /* a name may hold blanks and brackets: the first bracket that holds a range ends it */
    const char *most = s->end - s->at > 512 ? s->at + 512 : s->end;

    for (const char *at = s->at; at < most; at++) {
        const char *end;

        if (*at != '[')
            continue;
        end = memchr(at, ']', (size_t)(s->end - at) < 64 ? (size_t)(s->end - at) : 64);
        if (!end || at == s->at || !read_range((struct inq_span){at + 1, end}, event))
            continue;
        set_module((struct inq_span){s->at, at}, event);
        s->at = end + 1;
        return true;
    }
    return take_bare_module(s, event);
}

bool inq_klog_take_cpu(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s;
    uint64_t cpu, core, socket;

    if (!inq_span_take(&t, "likely on CPU ") || !inq_span_take_decimal(&t, &cpu) ||
        cpu > UINT32_MAX)
        return false;
    inq_klog_set(&event->cpu, cpu);
    if (inq_span_take(&t, " (core ") && inq_span_take_decimal(&t, &core) && core <= UINT32_MAX) {
        inq_klog_set(&event->core, core);
        if (inq_span_take(&t, ", socket ") && inq_span_take_decimal(&t, &socket) &&
            socket <= UINT32_MAX)
            inq_klog_set(&event->socket, socket);
        (void)inq_span_take(&t, ")");
    }
    *s = t;
    return true;
}

bool inq_klog_take_cpu_line(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span comm, t;
    uint64_t cpu, number;

    /* arm before 3.11: "Pid: 270, comm:             iptables" */
    t = s;
    if (inq_span_take(&t, "Pid: ") && inq_span_take_decimal(&t, &number) &&
        inq_span_take(&t, ", comm:")) {
        inq_span_trim(&t);
        if (!event->comm[0] || inq_span_is(&t, event->comm)) {
            inq_klog_set(&event->tid, number);
            return true;
        }
    }
    if (!inq_span_take(&s, "CPU: ") || !inq_span_take_decimal(&s, &cpu) || cpu > UINT32_MAX)
        return false;
    inq_span_skip_blanks(&s);
    if (inq_span_take(&s, "UID: ")) {
        if (!inq_span_take_decimal(&s, &number))
            return false;
        inq_span_skip_blanks(&s);
    }
    if (!inq_span_take(&s, "PID: ") || !inq_span_take_decimal(&s, &number) || number > TID_MOST)
        return false;
    inq_span_skip_blanks(&s);
    if (!inq_span_take(&s, "Comm: "))
        return false;
    /* the name may hold blanks: what comes after it is one of two words */
    t = s;
    if (!inq_span_take_until(&t, " Not tainted", &comm)) {
        t = s;
        if (!inq_span_take_until(&t, " Tainted:", &comm) && !inq_span_take_word(&s, &comm))
            return false;
    }
    if (event->tid.known && event->tid.value != number)
        return false; /* another thread's */
    if (event->comm[0] && !inq_span_is(&comm, event->comm))
        return false;
    inq_klog_set(&event->cpu, cpu);
    inq_klog_set(&event->tid, number);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    return true;
}

bool inq_klog_value(const struct inq_span *s, const char *key, struct inq_span *ret_value)
{
    const size_t size = strlen(key);
    struct inq_span t = *s;

    for (;;) {
        const char *at = inq_span_find(&t, key), *end;

        if (!at)
            return false;
        t.at = at + size;
        if (at > s->at && !inq_is_blank(at[-1]) && at[-1] != ',' && at[-1] != ':')
            continue;
        for (end = t.at; end < s->end && !inq_is_blank(*end) && *end != ','; end++)
            ;
        *ret_value = (struct inq_span){t.at, end};
        return true;
    }
}

bool inq_klog_decimal_value(const struct inq_span *s, const char *key,
                            struct inq_klog_u64 *ret_value)
{
    struct inq_span value;
    uint64_t number;

    if (!inq_klog_value(s, key, &value) || !inq_span_take_decimal(&value, &number))
        return false;
    inq_klog_set(ret_value, number);
    return true;
}

bool inq_klog_hex_value(const struct inq_span *s, const char *key, struct inq_klog_u64 *ret_value)
{
    struct inq_span value;
    uint64_t number;

    if (!inq_klog_value(s, key, &value) || !inq_span_take_hex(&value, &number, NULL))
        return false;
    inq_klog_set(ret_value, number);
    return true;
}

void inq_klog_finish(struct inq_klog_event *e)
{
    if (e->ip.known && e->module_start.known && e->module_size.known) {
        uint64_t off = e->ip.value - e->module_start.value;

        /* old kernels look the mapping up with find_vma(), which gives the next one above a hole */
        e->module_not_at_ip = off >= e->module_size.value;
        e->text_offset = (struct inq_klog_u64){!e->module_not_at_ip, off};
        if (e->module_not_at_ip)
            e->file_offset.known = false;
    }
    /* a 64-bit program's stack lies above 4 GiB, a 32-bit one's nowhere else than below */
    if (e->word_bits == 0 && e->family == INQ_KLOG_CPU_X86 && e->sp.known && e->sp.value != 0)
        e->word_bits = e->sp.value > UINT32_MAX ? 64 : 32;
}

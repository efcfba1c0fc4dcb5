/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix.h"

#include "cleanup.h"
#include "when.h"

#define MOST_PARTS 16 /* brackets, times and names before a message; real ones have up to six */
#define RELAY_MOST 200
#define COMM_MOST 15u /* TASK_COMM_LEN - 1 */

/* "<code>", "</p>": a tag that begins a line. */
static bool take_tag(struct inq_span *s)
{
    struct inq_span t = *s, inside;

    if (!inq_span_take(&t, "<"))
        return false;
    (void)inq_span_take(&t, "/");
    if (t.at == t.end || *t.at < 'a' || *t.at > 'z' || !inq_span_take_until(&t, ">", &inside) ||
        inq_span_size(&inside) > 64)
        return false;
    *s = t;
    return true;
}

/* "> [  12.3]", "| Mar 1", "- ", "`": what quoting in a mail, a wiki or a ticket leaves. */
static void skip_quotes(struct inq_span *s)
{
    do
        while (s->at < s->end && (inq_is_blank(*s->at) || memchr(">|*-#`+\"'", *s->at, 9)))
            s->at++;
    while (take_tag(s));
}

/* What stands in RFC 5424 before the text: "TIMESTAMP HOST APP PROCID MSGID -" */
static void take_5424(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, words[4], data;
    struct inq_klog_time time;

    if (!inq_when_take_iso(&t, &time))
        return;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(words); i++) {
        inq_span_skip_blanks(&t);
        if (!inq_span_take_word(&t, &words[i]))
            return;
    }
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, "- ") &&
        !(inq_span_take(&t, "[") && inq_span_take_until(&t, "] ", &data)))
        return;
    (void)inq_span_take(&t, "\357\273\277"); /* a byte order mark: the text is UTF-8 */
    p->time = time;
    p->host = words[0];
    p->logger = words[1];
    if (inq_span_is(&words[1], "kernel"))
        p->is_kernel = true;
    else
        p->is_kernel = false;
    *s = t;
}

/* "<6>", "<14>1 " */
static bool take_priority(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s;
    uint64_t value;

    if (!inq_span_take(&t, "<") || !inq_span_take_decimal(&t, &value) || value > 199 ||
        !inq_span_take(&t, ">"))
        return false;
    if (value < 8) /* facility 0 */
        p->is_kernel = true;
    if (inq_span_take(&t, "1 ")) /* the version of RFC 5424 */
        take_5424(&t, p);
    *s = t;
    return true;
}

/* /dev/kmsg: "6,1234,5678901,-;message" */
static bool take_kmsg(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, flags;
    uint64_t level, number, usec;

    if (!inq_span_take_decimal(&t, &level) || !inq_span_take(&t, ",") ||
        !inq_span_take_decimal(&t, &number) || !inq_span_take(&t, ",") ||
        !inq_span_take_decimal(&t, &usec) || !inq_span_take(&t, ",") ||
        !inq_span_take_until(&t, ";", &flags) || inq_span_size(&flags) > 64 ||
        usec > (uint64_t)INT64_MAX)
        return false;
    p->is_kernel = level < 8;
    p->is_foreign = level >= 8;
    p->time = (struct inq_klog_time){.clock = INQ_KLOG_CLOCK_BOOT, .usec = (int64_t)usec};
    inq_when_text(&p->time, p->time.text, sizeof(p->time.text));
    *s = t;
    return true;
}

/* A time of the wall clock says more than one since boot. */
static void set_time(struct inq_prefix *p, const struct inq_klog_time *time)
{
    if (p->time.clock == INQ_KLOG_CLOCK_NONE || p->time.clock == INQ_KLOG_CLOCK_BOOT) {
        if (time->clock != INQ_KLOG_CLOCK_NONE || p->time.text[0] == '\0')
            p->time = *time;
    }
}

/* "T8318" is a thread, "C3" a processor (printk's own, in an interrupt): 0 */
static bool take_caller(struct inq_span inside, uint64_t *ret_caller)
{
    bool thread = inq_span_take(&inside, "T");

    if (!thread && !inq_span_take(&inside, "C"))
        return false;
    if (!inq_span_take_decimal(&inside, ret_caller) || inside.at != inside.end)
        return false;
    *ret_caller = thread ? *ret_caller : 0;
    return true;
}

/* "[  12.345678]", "[ T8318]", "[Dec12 16:05]" */
static bool take_bracket(struct inq_span *s, int64_t now_usec, struct inq_prefix *p)
{
    struct inq_span t = *s, inside, number;
    struct inq_klog_time time;
    uint64_t caller;

    if (!inq_span_take(&t, "[") || !inq_span_take_until(&t, "]", &inside) ||
        inq_span_size(&inside) > 48)
        return false;
    number = inside;
    inq_span_trim(&number);
    uint64_t cpu;
    struct inq_span only = number;
    struct inq_span iso = inside;
    if (inq_when_take_iso(&iso, &time) && iso.at == iso.end) {
        set_time(p, &time); /* nothing of the kernel's own */
        p->no_host = true;
    } else if (p->is_kernel && inq_span_take_decimal(&only, &cpu) && only.at == only.end) {
        ; /* "[ 720.577925] [1] x[77]: ...": vendors add the processor */
    } else if (take_caller(number, &caller)) {
        p->caller = caller;
    } else if (inq_when_read_bracket(inside, now_usec, &time)) {
        set_time(p, &time);
        p->is_kernel = p->is_kernel || inq_span_size(&p->logger) == 0;
    } else {
        return false;
    }
    *s = t;
    return true;
}

static bool take_blank_decimal(struct inq_span *s, uint64_t *ret_value)
{
    inq_span_skip_blanks(s);
    return inq_span_take_decimal(s, ret_value);
}

/*
 * What phones' kernels put after printk's time: "c2   4711 ", "[2:  some prog: 4711] ",
 * "(2)[4711:some prog]", ".(2)[4711:some prog]": the processor, the thread and its name.
 */
static bool take_vendor(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, inside, rest;
    uint64_t cpu, tid;

    if (!p->is_kernel || p->time.text[0] == '\0' || p->vendor)
        return false;
    if (inq_span_take(&t, "c") && inq_span_take_decimal(&t, &cpu) && inq_span_take(&t, " ") &&
        take_blank_decimal(&t, &tid) && inq_span_take(&t, " ")) {
        *s = t;
        p->vendor = true;
        return true;
    }
    t = *s;
    (void)inq_span_take(&t, "."); /* what "<2>" before it looks like was taken for a priority */
    bool in_round = inq_span_take(&t, "(");
    if (in_round && (!inq_span_take_decimal(&t, &cpu) || !inq_span_take(&t, ")")))
        return false;
    if (!inq_span_take(&t, "[") || !inq_span_take_until(&t, "]", &inside) ||
        inq_span_size(&inside) > 48)
        return false;
    rest = inside;
    if (!take_blank_decimal(&rest, &tid) || !inq_span_take(&rest, ":"))
        return false;
    if (!in_round) {
        const char *colon = inq_span_find_last(&rest, ":");
        rest.at = colon ? colon + 1 : rest.end;
        if (!take_blank_decimal(&rest, &tid) || rest.at != rest.end)
            return false;
    }
    *s = t;
    p->vendor = true;
    return true;
}

/* journalctl -o short-unix: "1772373486.123456 host kernel: " */
static bool take_unix(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s;
    struct inq_klog_time time;
    uint64_t seconds;
    unsigned usec;

    if (!inq_span_take_decimal(&t, &seconds) || seconds < 100000000 || seconds > 9999999999ull ||
        !inq_span_take(&t, ".") || !inq_span_take_digits(&t, 6, &usec) || !inq_span_take(&t, " "))
        return false;
    inq_when_from_epoch((int64_t)(seconds * 1000000 + usec), &time);
    set_time(p, &time);
    *s = t;
    return true;
}

/* Android's logcat -b kernel: "03-01 14:58:06.123     0     0 I         : ", with "root" or a tag
 */
static bool take_logcat(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, tag;
    struct inq_klog_time time;
    unsigned month, day;
    uint64_t pid, tid;

    if (!inq_span_take_digits(&t, 2, &month) || !inq_span_take(&t, "-") ||
        !inq_span_take_digits(&t, 2, &day) || !inq_span_take(&t, " ") ||
        !inq_when_take_clock(&t, &time))
        return false;
    inq_span_skip_blanks(&t);
    (void)inq_span_take(&t, "root");
    if (!take_blank_decimal(&t, &pid) || !take_blank_decimal(&t, &tid) || !inq_span_take(&t, " ") ||
        t.end - t.at < 2 || t.at[1] != ' ' || !memchr("VDIWEF", *t.at, 6))
        return false;
    t.at += 2;
    if (!inq_span_take_until(&t, ": ", &tag) || inq_span_size(&tag) > 32)
        return false;
    p->is_kernel = pid == 0 && tid == 0;
    p->is_foreign = !p->is_kernel;
    set_time(p, &time);
    *s = t;
    return true;
}

/* "kernel:", "kernel[0]:", "kern.info", "vmunix:" as some syslogs call it */
static bool is_kernel_word(struct inq_span word)
{
    static const char *const names[] = {"kernel", "klogd", "vmunix", "kernel[0]", "dmesg"};
    struct inq_span w = word;

    if (inq_span_take(&w, "kern."))
        return inq_span_size(&w) > 0 && inq_span_size(&w) <= 8;
    if (inq_span_size(&word) == 0 || word.end[-1] != ':')
        return false;
    word.end--;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (inq_span_is(&word, names[i]))
            return true;
    return false;
}

static bool is_facility(struct inq_span word)
{
    static const char *const names[] = {"user.", "daemon.", "auth.", "local", "syslog."};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        struct inq_span w = word;
        if (inq_span_take(&w, names[i]))
            return inq_span_size(&w) > 0 && inq_span_size(&w) <= 10 && word.end[-1] != ':';
    }
    return false;
}

/* Loggers other than the kernel whose words are read. */
static bool is_known_logger(struct inq_span word, struct inq_span *ret_name)
{
    static const char *const names[] = {"systemd-coredump", "audit",   "systemd-journald", "auditd",
                                        "audispd",          "journal", "rsyslogd"};
    struct inq_span name = word;

    if (inq_span_size(&word) == 0 || word.end[-1] != ':')
        return false;
    name.end--;
    const char *bracket = memchr(name.at, '[', inq_span_size(&name));
    if (bracket)
        name.end = bracket;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        if (inq_span_is(&name, names[i])) {
            *ret_name = name;
            return true;
        }
    }
    return false;
}

static bool is_host_word(const struct inq_span *word)
{
    size_t size = inq_span_size(word);

    if (size == 0 || size > 64 || *word->at == '.' || *word->at == '-' || word->end[-1] == ':')
        return false;
    for (const char *at = word->at; at < word->end; at++)
        if (!((*at >= 'a' && *at <= 'z') || inq_is_digit(*at) || (*at >= 'A' && *at <= 'Z') ||
              memchr(".-_:", *at, 4)))
            return false;
    return true;
}

/* "kern.info" and then "kernel:", or "host kernel:" */
static void take_second_name(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, word, host = {t.at, t.at};

    inq_span_skip_blanks(&t);
    if (!inq_span_take_word(&t, &word))
        return;
    if (is_host_word(&word)) {
        host = word;
        inq_span_skip_blanks(&t);
        if (!inq_span_take_word(&t, &word))
            return;
    }
    if (word.end[-1] != ':' || !is_kernel_word(word))
        return;
    if (inq_span_size(&host) > 0)
        p->host = host;
    *s = t;
}

/*
 * "host kernel: ", "kernel: ", "host kern.info kernel: ": taken only with the logger's name, which
 * tells that the word before it was a host.
 */
static bool take_logger(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, word, host = {t.at, t.at}, name;

    for (int i = 0; i < 3; i++) {
        inq_span_skip_blanks(&t);
        if (!inq_span_take_word(&t, &word))
            return false;
        if (is_kernel_word(word)) {
            p->is_kernel = true;
            p->logger = (struct inq_span){word.at, word.end - 1};
            take_second_name(&t, p);
        } else if (is_known_logger(word, &name)) {
            struct inq_span rest = t;
            inq_span_skip_blanks(&rest);
            if (inq_span_take(&rest, "segfault at ") || inq_span_take(&rest, "unhandled "))
                return false; /* not the logger, but the one that crashed */
            p->logger = name;
        } else if (is_facility(word)) {
            continue;
        } else if (i == 0 && (is_host_word(&word) || inq_span_is(&word, "(none)"))) {
            host = word;
            continue;
        } else {
            return false;
        }
        if (inq_span_size(&host) > 0 && inq_span_size(&p->host) == 0)
            p->host = host;
        *s = t;
        return true;
    }
    return false;
}

/* "kern  :info  : ": dmesg -x */
static bool take_decoded(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_span t = *s, word;

    if (!inq_span_take_word(&t, &word) || !inq_span_is(&word, "kern"))
        return false;
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, ":") || !inq_span_take_word(&t, &word) || inq_span_size(&word) > 8)
        return false;
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, ": "))
        return false;
    p->is_kernel = true;
    *s = t;
    return true;
}

/* "14:02:39 ": a viewer that leaves out the day */
static bool take_clock_only(struct inq_span *s, struct inq_prefix *p)
{
    struct inq_klog_time time;

    if (!inq_when_take_clock(s, &time))
        return false;
    set_time(p, &time);
    return true;
}

/* "/var/log/messages-20240101:12:": what grep puts before a line of one of several files. */
static bool take_grep(struct inq_span *s)
{
    struct inq_span t = *s, word;
    uint64_t number;

    if (!inq_span_take_word(&t, &word))
        return false;
    struct inq_span path;
    if (!inq_span_take_until(&word, ":", &path) || inq_span_size(&path) > 256 ||
        memchr(path.at, '[', inq_span_size(&path)))
        return false;
    t.at = word.at;
    if (!memchr(path.at, '/', inq_span_size(&path))) { /* no path: a time has to follow */
        struct inq_span rest = t;
        struct inq_klog_time time;
        if (!inq_when_take_syslog(&rest, 0, &time) && !inq_when_take_iso(&rest, &time))
            return false;
    }
    struct inq_span after = t;
    if (inq_span_take_decimal(&after, &number) && inq_span_take(&after, ":"))
        t = after;
    *s = t;
    return true;
}

/* "stdout F ", "stderr F ": the container runtime interface's log files; "web_1  | ": compose */
static bool take_container(struct inq_span *s)
{
    struct inq_span t = *s, word;

    if ((inq_span_take(&t, "stdout ") || inq_span_take(&t, "stderr ")) &&
        (inq_span_take(&t, "F ") || inq_span_take(&t, "P "))) {
        *s = t;
        return true;
    }
    t = *s;
    if (!inq_span_take_word(&t, &word) || inq_span_size(&word) > 64)
        return false;
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, "| "))
        return false;
    *s = t;
    return true;
}

static bool take_part(struct inq_span *s, int64_t now_usec, struct inq_prefix *p)
{
    struct inq_klog_time time;

    if (take_priority(s, p) || take_kmsg(s, p) || take_bracket(s, now_usec, p))
        return true;
    if (inq_when_take_iso(s, &time)) {
        /* dmesg --time-format iso writes a comma and six digits, and neither host nor name */
        p->is_kernel = p->is_kernel || (strlen(time.text) > 26 && time.text[19] == ',');
        set_time(p, &time);
        return true;
    }
    if (inq_when_take_syslog(s, now_usec, &time)) {
        set_time(p, &time);
        return true;
    }
    return take_decoded(s, p) || take_vendor(s, p) ||
           (p->time.text[0] == '\0' && (take_unix(s, p) || take_logcat(s, p))) ||
           (p->time.text[0] == '\0' && take_clock_only(s, p)) || take_container(s) ||
           (inq_span_size(&p->logger) == 0 && take_logger(s, p)) ||
           (p->time.text[0] == '\0' && take_grep(s));
}

/*
 * printk's time further on: what a serial console, a hypervisor's log of its guest or another
 * program's relay put before it is no part of the message. Six decimals, which nobody else writes.
 */
static bool skip_to_printk(struct inq_span *s)
{
    const char *most = s->end - s->at > RELAY_MOST ? s->at + RELAY_MOST : s->end;
    const char *at = s->at;
    struct inq_span cut = *s; /* "644.000800] ": a copy that lost its first character */
    uint64_t cut_seconds;
    unsigned cut_usec;

    if (inq_span_take_decimal(&cut, &cut_seconds) && inq_span_take(&cut, ".") &&
        inq_span_take_digits(&cut, 6, &cut_usec) && inq_span_take(&cut, "] ")) {
        *s = cut;
        return true;
    }
    while (at < most && (at = memchr(at, '[', (size_t)(most - at)))) {
        struct inq_span t = {at + 1, s->end};
        uint64_t seconds;
        unsigned usec;

        inq_span_skip_blanks(&t);
        if (inq_span_take_decimal(&t, &seconds) && inq_span_take(&t, ".") &&
            inq_span_take_digits(&t, 6, &usec) && inq_span_take(&t, "]")) {
            s->at = at;
            return true;
        }
        at++;
    }
    return false;
}

void inq_prefix_read(struct inq_span line, int64_t now_usec, struct inq_prefix *ret_prefix)
{
    struct inq_prefix p = {0};
    struct inq_span s = line;

    p.host = p.boot = p.logger = (struct inq_span){line.end, line.end};
    skip_quotes(&s);
    for (int i = 0; i < MOST_PARTS && s.at < s.end; i++) {
        inq_span_skip_blanks(&s);
        if (!take_part(&s, now_usec, &p) && (p.is_kernel || !skip_to_printk(&s)))
            break;
    }
    inq_span_trim(&s);
    p.message = s;
    *ret_prefix = p;
}

/* The last word of what is too long for a name. */
static struct inq_span last_word(struct inq_span s)
{
    const char *at = s.end;

    while (at > s.at && !inq_is_blank(at[-1]))
        at--;
    return (struct inq_span){at, s.end};
}

static bool is_lower_host(const struct inq_span *word)
{
    for (const char *at = word->at; at < word->end; at++)
        if (*at >= 'A' && *at <= 'Z')
            return false;
    return is_host_word(word);
}

bool inq_prefix_comm(const struct inq_prefix *prefix, struct inq_span before,
                     struct inq_span *ret_comm, struct inq_span *ret_host)
{
    struct inq_span word, rest;

    *ret_host = prefix->host;
    if (prefix->is_kernel) {
        /* bytes that the kernel or a syslog escapes take four times their room */
        if (inq_span_size(&before) > 4 * COMM_MOST)
            before.at = before.end - 4 * COMM_MOST;
        *ret_comm = before;
        return true;
    }
    /* "app[77]: x", "app: x": another program's words about somebody's crash */
    if (prefix->is_foreign || inq_span_find(&before, ": "))
        return false;
    rest = before;
    if (prefix->time.text[0] && !prefix->no_host && inq_span_take_word(&rest, &word) &&
        rest.at < rest.end && is_lower_host(&word)) {
        *ret_host = word;
        inq_span_skip_blanks(&rest);
        before = rest;
    }
    *ret_comm = inq_span_size(&before) > COMM_MOST ? last_word(before) : before;
    return inq_span_size(ret_comm) <= 4 * COMM_MOST;
}

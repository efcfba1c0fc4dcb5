/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lines that make the kernel or the hardware a suspect. They are never a user process's crash, not
 * even when one of them names a process: it is the one that was running.
 */

#include "cleanup.h"
#include "parse.h"

static void set_headline(struct inq_klog_event *event, struct inq_span s)
{
    inq_span_trim(&s);
    inq_span_copy(&s, event->what, sizeof(event->what));
}

/*
 * "MCE 0x12345: Killing x:77 due to ...", "Memory failure: 0x1: Sending SIGBUS to x:77 due to ...":
 * a SIGBUS, which the process may handle; "forcibly killing x:77 because of ...": SIGKILL
 */
static bool parse_killing(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    static const char *const why[] = {" due to hardware memory corruption",
                                      " because of failure to unmap corrupted page"};
    struct inq_span s = prefix->message, before, victim;
    const char *colon;
    uint64_t tid, address;
    bool forced = inq_span_find(&s, why[1]) != NULL;

    if (!forced && !inq_span_find(&s, why[0]))
        return false;
    if (!inq_span_take_until(&s, forced ? ": forcibly killing " : ": Killing ", &before) &&
        !inq_span_take_until(&s, ": Sending SIGBUS to ", &before))
        return false;
    if (!inq_span_take(&before, "MCE") && !inq_span_take(&before, "Memory failure") &&
        !inq_span_take(&before, "Memory error"))
        return false;
    if (!inq_span_take_until(&s, why[forced], &victim))
        return false;
    colon = inq_span_find_last(&victim, ":");
    if (!colon)
        return false;
    if (inq_span_size(&victim) > 6 && !memcmp(victim.end - 6, " early", 6))
        victim.end -= 6;
    struct inq_span number = {colon + 1, victim.end};
    if (!inq_span_take_decimal(&number, &tid) || number.at != number.end)
        return false;
    victim.end = colon;
    inq_span_copy(&victim, event->comm, sizeof(event->comm));
    inq_klog_set(&event->tid, tid);
    inq_klog_set(&event->signal, forced ? 9 : 7);
    event->handler_possible = !forced;
    if (inq_span_take(&s, " fault at ") && inq_span_take_hex(&s, &address, NULL))
        inq_klog_set(&event->address, address);
    event->kind = INQ_KLOG_MEMORY_FAILURE_KILL;
    return true;
}

/*
 * "EDAC MC0: 1 CE ...", before 3.6 "EDAC MC0: CE page ...", from a driver "EDAC amd64 MC0: CE ...",
 * "EDAC sbridge MC1: HANDLING MCE MEMORY ERROR": an error; "EDAC MC: Ver: 3.0.0" and the like: a
 * driver that starts.
 */
static bool is_edac_error(struct inq_span s)
{
    struct inq_span driver, t;
    uint64_t number, count;

    if (!inq_span_take(&s, "EDAC "))
        return false;
    t = s;
    if (inq_span_take_word(&t, &driver) && inq_span_size(&driver) < 24) {
        inq_span_skip_blanks(&t);
        if (inq_span_take(&t, "MC"))
            inq_span_take_word(&s, &driver);
        inq_span_skip_blanks(&s);
    }
    if (!inq_span_take(&s, "MC") || !inq_span_take_decimal(&s, &number) || !inq_span_take(&s, ": "))
        return false;
    if (inq_span_take_decimal(&s, &count))
        return inq_span_take(&s, " CE") || inq_span_take(&s, " UE");
    return inq_span_take(&s, "CE ") || inq_span_take(&s, "UE ") ||
           inq_span_take(&s, "HANDLING MCE MEMORY ERROR");
}

/* Before 2.6.34: "CPU 0: Machine Check Exception:               4 Bank 4: b200000000070f0f" */
static bool is_machine_check(struct inq_span s)
{
    uint64_t cpu;

    return inq_span_take(&s, "CPU ") && inq_span_take_decimal(&s, &cpu) &&
           inq_span_take(&s, ": Machine Check Exception:");
}

static bool is_disk_error(struct inq_span s)
{
    struct inq_span before;

    return inq_span_take_until(&s, "I/O error, dev ", &before) && inq_span_size(&before) < 32;
}

static bool starts_with_one(struct inq_span s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct inq_span t = s;
        if (inq_span_take(&t, words[i]))
            return true;
    }
    return false;
}

bool inq_klog_parse_hardware(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    static const char *const begins[] = {
        "mce: [Hardware Error]",
        "[Hardware Error]",
        "{",
        "MCE: ",
        "Memory failure: 0x",
        "NMI: PCI system error",
        "NMI: IOCK error",
        "Machine check events logged",
        "mce: Uncorrected hardware memory error",
        "Disabling lock debugging due to machine check",
        "Severe Machine check",
        "Harmless Machine check",
    };
    struct inq_span s = prefix->message;

    if (parse_killing(prefix, event))
        return true;
    *event = (struct inq_klog_event){0};
    if (!prefix->is_kernel)
        return false;
    if (!is_edac_error(s) && !is_disk_error(s) && !is_machine_check(s)) {
        if (!starts_with_one(s, begins, INQ_ARRAY_SIZE(begins)))
            return false;
        /* APEI numbers its records: "{1}[Hardware Error]: ..." */
        if (*s.at == '{' && !inq_span_find(&s, "}[Hardware Error]"))
            return false;
        if (inq_span_take(&s, "MCE: ") &&
            (inq_span_find(&s, "support") || inq_span_find(&s, "decoding enabled")))
            return false;
    }
    event->kind = INQ_KLOG_HARDWARE;
    set_headline(event, prefix->message);
    struct inq_span cpu = prefix->message, before;
    uint64_t number;
    if (inq_span_take_until(&cpu, "CPU ", &before) && inq_span_take_decimal(&cpu, &number) &&
        number < UINT32_MAX && inq_span_find(&prefix->message, "Machine Check"))
        inq_klog_set(&event->cpu, number);
    return true;
}

/* "general protection fault, probably for non-canonical address 0x..: 0000 [#1] SMP" */
static bool is_oops_of_trap(struct inq_span s)
{
    static const char *const words[] = {
        "general protection fault",
        "invalid opcode",
        "divide error",
        "stack segment",
        "int3",
        "double fault",
        "PANIC: double fault",
        "traps: PANIC",
        "alignment check",
        "overflow",
        "bounds",
    };

    return (inq_span_find(&s, ": 0000 [#") && starts_with_one(s, words, INQ_ARRAY_SIZE(words))) ||
           starts_with_one(s, words + 5, 3);
}

/*
 * "INFO: task kworker/1:1:77 blocked for more than 120 seconds."; since 6.16 also "blocked in I/O
 * wait for more than"
 */
static bool is_hung_task(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span task, number;
    const char *colon;
    uint64_t tid;

    if (!inq_span_take(&s, "INFO: task ") ||
        (!inq_span_take_until(&s, " blocked for more than ", &task) &&
         !inq_span_take_until(&s, " blocked in I/O wait for more than ", &task)) ||
        !(colon = inq_span_find_last(&task, ":")))
        return false;
    number = (struct inq_span){colon + 1, task.end};
    if (!inq_span_take_decimal(&number, &tid))
        return false;
    task.end = colon;
    inq_span_copy(&task, event->comm, sizeof(event->comm));
    inq_klog_set(&event->tid, tid);
    return true;
}

/* "note: wavepy[77] exited with preempt_count 1": the task that an oops killed */
static bool is_exit_note(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    struct inq_span s = prefix->message, before;
    struct inq_prefix kernel = *prefix;
    bool foreign;

    kernel.is_kernel = true;
    return inq_span_take(&s, "note: ") && inq_span_take_until(&s, " exited with ", &before) &&
           (inq_span_take(&s, "irqs disabled") || inq_span_take(&s, "preempt_count")) &&
           inq_klog_take_subject(&kernel, before, event, &foreign);
}

/* Since 6.18: "WARNING: net/core/dev.c:123 at netif_rx+0x12/0x34, CPU#3: kworker/3:1/4711" */
static bool is_warning(struct inq_span s)
{
    struct inq_span before;
    uint64_t line;

    return inq_span_take(&s, "WARNING: ") && inq_span_take_until(&s, ":", &before) &&
           inq_span_size(&before) < 256 && inq_span_take_decimal(&s, &line) &&
           inq_span_take(&s, " at ") && inq_span_find(&s, ", CPU#");
}

/* mm/slub.c: "BUG kmalloc-64 (Tainted: G    B  ): Poison overwritten" */
static bool is_slub_report(struct inq_span s)
{
    struct inq_span before;

    return inq_span_take(&s, "BUG ") && inq_span_take_until(&s, " (", &before) &&
           inq_span_size(&before) < 64 &&
           (inq_span_take(&s, "Tainted: ") || inq_span_take(&s, "Not tainted"));
}

bool inq_klog_parse_kernel(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    static const char *const begins[] = {
        "BUG: ",
        "kernel BUG at ",
        "Oops: ",
        "Internal error: ",
        "Kernel panic - ",
        "UBSAN: ",
        "KASAN: ",
        "KFENCE: ",
        "KCSAN: ",
        "Unable to handle kernel ",
        "watchdog: BUG: ",
        "watchdog: CPU",
        "NMI watchdog: ",
        "INFO: rcu",
        "rcu: INFO: ",
        "WARNING: CPU",
        "WARNING: at ",
        "Oops[#",
        "Oops [#",
        "Kernel bug detected[#",
        "list_del corruption",
        "list_add corruption",
        "watchdog: Watchdog detected hard LOCKUP",
        "Watchdog detected hard",
        "sysrq: ",
        "unable to handle kernel",
    };
    struct inq_span s = prefix->message, rest = s, before;

    /* mips: "CPU 0 Unable to handle kernel paging request at virtual address" */
    uint64_t cpu;
    if (inq_span_take(&rest, "CPU ") && inq_span_take_decimal(&rest, &cpu) &&
        inq_span_take(&rest, " ") && inq_span_take(&(struct inq_span){rest.at, rest.end}, "Unable"))
        s = rest;
    /* without a sign of the kernel, only forms that nobody else writes */
    if (!prefix->is_kernel && inq_span_size(&prefix->logger) > 0)
        return false;
    if (is_exit_note(prefix, event) || is_hung_task(s, event) || is_oops_of_trap(s) ||
        (prefix->is_kernel && (is_warning(s) || is_slub_report(s)))) {
        event->kind = INQ_KLOG_KERNEL;
    } else {
        if (!starts_with_one(s, begins, INQ_ARRAY_SIZE(begins)))
            return false;
        if (!prefix->is_kernel &&
            !(inq_span_take(&s, "BUG: unable to handle") || inq_span_take(&s, "UBSAN: ") ||
              inq_span_take(&s, "Oops: 0") || inq_span_take(&s, "kernel BUG at ") ||
              inq_span_take(&s, "Kernel panic - ") || inq_span_take(&s, "Unable to handle kernel")))
            return false;
        /* told of and not met: "NMI watchdog: Enabled.", "sysrq: SysRq : HELP" */
        before = s;
        if ((inq_span_take(&before, "UBSAN: ") || inq_span_take(&before, "KASAN: ") ||
             inq_span_take(&before, "KCSAN: ") || inq_span_take(&before, "KFENCE: ")) &&
            (inq_span_find(&before, "nitialized") || inq_span_take(&before, "enabled") ||
             inq_span_take(&before, "trap mode") || inq_span_take(&before, "strict mode")))
            return false;
        if ((inq_span_take(&s, "NMI watchdog: ") && !inq_span_find(&s, "LOCKUP") &&
             !inq_span_find(&s, "lockup")) ||
            (inq_span_take(&s, "sysrq: ") && !inq_span_find(&s, "rigger a crash")))
            return false;
        event->kind = INQ_KLOG_KERNEL;
    }
    set_headline(event, prefix->message);
    return true;
}

/* What is missing from the log, and who says so. */
static bool parse_lost(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    static const char *const limited[] = {
        "show_signal_msg: ",
        "show_signal: ",
        "arm64_show_signal: ",
        "do_trap: ",
        "__do_user_fault: ",
        "report_user_fault: ",
        "warn_bad_vsyscall: ",
        "force_sig_info: ",
        "do_general_protection: ",
        "__do_page_fault: ",
        "do_page_fault: ",
        "signal_fault: ",
        "__ratelimit: ",
        "do_coredump: ",
        "vfs_coredump: ",
        "do_user_cp_fault: ",
        "coredump_file: ",
        "coredump_pipe: ",
        "exc_general_protection: ",
    };
    struct inq_span s = prefix->message, before;
    struct inq_klog_u64 count = {0};

    if (prefix->is_kernel && inq_span_find(&s, " callbacks suppressed")) {
        if (!starts_with_one(s, limited, INQ_ARRAY_SIZE(limited)) ||
            !inq_span_take_until(&s, ": ", &before))
            return false;
    } else if (inq_span_is(&prefix->logger, "systemd-journald") && inq_span_take(&s, "Missed ")) {
        if (!inq_span_find(&s, "kernel messages"))
            return false;
    } else if (prefix->is_kernel && inq_span_find(&s, " messages suppressed.")) {
        if (!inq_span_take(&s, "printk: ")) /* 2.6: one limit for all */
            return false;
    } else if (inq_span_is(&prefix->logger, "rsyslogd") && inq_span_take(&s, "imjournal: ")) {
        if (!inq_span_find(&s, " messages lost due to rate-limiting"))
            return false;
    } else if (prefix->is_kernel && inq_span_find(&s, " messages dropped")) {
        inq_span_skip_blanks(&s);
        if (!inq_span_take(&s, "printk: ") && !inq_span_take(&s, "** "))
            return false;
        (void)inq_span_take(&s, "** ");
    } else {
        return false;
    }
    count.known = inq_span_take_decimal(&s, &count.value);
    if (!count.known)
        return false;
    event->kind = INQ_KLOG_LOST;
    event->count = count;
    set_headline(event, prefix->message);
    return true;
}

bool inq_klog_parse_line(const struct inq_prefix *prefix, struct inq_klog_event *event,
                         bool *ret_foreign)
{
    static bool (*const forms[])(const struct inq_prefix *, struct inq_klog_event *) = {
        inq_klog_parse_oom,
        inq_klog_parse_audit,
        inq_klog_parse_coredump,
        inq_klog_parse_fatal_signal,
        inq_klog_parse_hardware,
        inq_klog_parse_kernel,
        parse_lost,
    };
    *ret_foreign = false;
    *event = (struct inq_klog_event){0};
    if (inq_klog_parse_x86(prefix, event, ret_foreign))
        return true;
    if (inq_klog_parse_other_cpu(prefix, event, ret_foreign))
        return true;
    *event = (struct inq_klog_event){0};
    if (inq_klog_parse_bad_frame(prefix, event, ret_foreign))
        return true;
    if (inq_klog_parse_rare_cpu(prefix, event, ret_foreign))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(forms); i++) {
        *event = (struct inq_klog_event){0};
        if (forms[i](prefix, event))
            return true;
    }
    return false;
}

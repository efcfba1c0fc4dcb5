/* SPDX-License-Identifier: Apache-2.0 */

/* Whether the kernel writes a line about a crash, and who can read it: proc(5), syslog(2). */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/klog.h>

#include "checks.h"
#include "cleanup.h"

#define SYSLOG_ACTION_READ_ALL 3

/* The signals that a fault raises and the kernel has a line for, by number on all of Linux but
 * mips, alpha, sparc and parisc. */
static const struct {
    unsigned number;
    const char *name;
} faults[] = {
    {4, "SIGILL"}, {5, "SIGTRAP"}, {7, "SIGBUS"}, {8, "SIGFPE"}, {11, "SIGSEGV"},
};

void inq_check_handlers(const struct inq_machine *m, struct inq_checkup *f)
{
    struct inq_text names = {0};
    uint64_t caught, ignored, found = 0;

    if (!m->options->pid) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "No process was named; --pid PID looks at one.");
        return;
    }
    if (!inq_status_number(m->status, "SigCgt", 16, &caught) ||
        !inq_status_number(m->status, "SigIgn", 16, &ignored)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/%s/status cannot be read.", m->subject);
        return;
    }
    inq_checkup_saw(f, "/%s/status: SigCgt 0x%" PRIx64, m->subject, caught);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(faults); i++) {
        if (!(caught & 1ull << (faults[i].number - 1)))
            continue;
        inq_text_printf(&names, "%s%s", found ? ", " : "", faults[i].name);
        found++;
    }
    if (found)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "It handles %s itself: the kernel logs no line for these, and the core "
                        "shows the fault below the handler (inquest looks there).",
                        names.bytes ? names.bytes : "some signals");
    else
        inq_checkup_say(f, INQ_CHECKUP_OK, "It handles no signal that a fault raises.");
    f->failed |= names.failed;
    inq_text_deinit(&names);
}

void inq_check_log_lines(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t trace, fatal;

    if (inq_machine_number(m, "proc/sys/kernel/print-fatal-signals", &fatal))
        inq_checkup_saw(f, "/proc/sys/kernel/print-fatal-signals: %lld", (long long)fatal);
    if (!inq_machine_number(m, "proc/sys/debug/exception-trace", &trace)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "/proc/sys/debug/exception-trace cannot be read; not every CPU has it.");
        return;
    }
    inq_checkup_saw(f, "/proc/sys/debug/exception-trace: %lld", (long long)trace);
    if (trace == 0) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "The kernel logs no line about a fault.");
        inq_checkup_command(f, "sudo sysctl -w debug.exception-trace=1");
        inq_checkup_command(f, "echo 'debug.exception-trace=1' | sudo tee "
                               "/etc/sysctl.d/60-exception-trace.conf");
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_OK,
                    "The kernel logs a line for each fault that no handler takes, and none for a "
                    "signal that was sent (abort, kill).");
}

void inq_check_log_rate(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t seconds, burst;

    if (!inq_machine_number(m, "proc/sys/kernel/printk_ratelimit", &seconds) ||
        !inq_machine_number(m, "proc/sys/kernel/printk_ratelimit_burst", &burst)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "/proc/sys/kernel/printk_ratelimit and printk_ratelimit_burst cannot be "
                        "read.");
        return;
    }
    inq_checkup_saw(f, "/proc/sys/kernel/printk_ratelimit: %lld; printk_ratelimit_burst: %lld",
                    (long long)seconds, (long long)burst);
    if (seconds == 0) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "No line is dropped.");
    } else if (burst < 1) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "Every line is dropped.");
    } else if (burst < 5) {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "Of more than %lld crashes within %lld s the lines are dropped.",
                        (long long)burst, (long long)seconds);
    } else {
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "%lld lines within %lld s; of more crashes at once some have none.",
                        (long long)burst, (long long)seconds);
    }
    if (f->state != INQ_CHECKUP_OK)
        inq_checkup_command(f, "sudo sysctl -w kernel.printk_ratelimit_burst=10");
}

void inq_check_log_readable(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t restricted = -1;
    char byte;

    if (inq_machine_number(m, "proc/sys/kernel/dmesg_restrict", &restricted))
        inq_checkup_saw(f, "/proc/sys/kernel/dmesg_restrict: %lld", (long long)restricted);
    if (m->live) {
        if (klogctl(SYSLOG_ACTION_READ_ALL, &byte, 1) >= 0) {
            inq_checkup_saw(f, "syslog(2): readable");
            inq_checkup_say(f, INQ_CHECKUP_OK,
                            m->contained ? "The log can be read; it is that of the machine that "
                                           "runs this container."
                                         : "The log can be read.");
            return;
        }
        inq_checkup_saw(f, "syslog(2): %s", strerror(errno));
    } else if (restricted < 0 || !m->uid_known) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Who may read the log is not known.");
        return;
    } else if (restricted == 0 || m->uid == 0) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "The log can be read.");
        return;
    }
    if (m->live && m->uid_known && m->uid == 0) { /* sudo gives nothing that is not there */
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Root may not read the kernel's log here, for want of CAP_SYSLOG: inquest "
                        "finds no line in it.");
        if (m->contained)
            inq_checkup_say(f, INQ_CHECKUP_MEND,
                            "The setting is that of the machine that runs this container.");
    } else {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "This user may not read the kernel's log: inquest finds no line in it.");
        inq_checkup_command(f, "sudo inquest klog");
    }
    inq_checkup_command(f, "sudo sysctl -w kernel.dmesg_restrict=0");
}

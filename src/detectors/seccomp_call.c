/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system call that a seccomp filter refused with a SIGSYS: si_syscall, and si_arch
 * (AUDIT_ARCH_* of linux/audit.h), which says whose numbers they are.
 */

#include "crash.h"
#include "detectors.h"
#include "syscall_names.h"

#define SYS_SECCOMP 1

struct inq_error *inq_detect_seccomp(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_siginfo *siginfo = &dump->core->siginfo;
    struct inq_crash_signal signal = inq_crash_signal(dump);

    if (signal.kind != INQ_SIGNAL_SYS)
        return NULL;
    if (!signal.has_code) {
        inq_evidence_set_unknown(evidence, "state.seccomp.number", "%s", signal.no_code);
        return NULL;
    }
    if (signal.code != SYS_SECCOMP)
        return NULL;
    const char *name = inq_syscall_name(siginfo->syscall_arch, siginfo->syscall);
    inq_evidence_set_int(evidence, "state.seccomp.number", siginfo->syscall);
    if (name)
        inq_evidence_set_text(evidence, "state.seccomp.name", name);
    else
        inq_evidence_set_unknown(evidence, "state.seccomp.name",
                                 "no name is known for this number on that machine");
    return NULL;
}

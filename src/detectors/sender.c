/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A signal with si_code <= 0 was sent by somebody, and says nothing about memory. si_pid is in the
 * pid namespace of the process that got it, as are the ids in the notes: they compare.
 */

#include "crash.h"
#include "detectors.h"

/* Who that is, in words. Static. */
static const char *describe(const struct inq_siginfo *siginfo, int32_t code, bool knows, bool own)
{
    if (siginfo->pid == 0)
        return "the kernel, or a process outside of this one's pid namespace";
    if (knows && own)
        return code == INQ_SI_TKILL   ? "the process itself, by raise(), abort() or pthread_kill()"
               : code == INQ_SI_QUEUE ? "the process itself, by sigqueue()"
                                      : "the process itself, by kill()";
    if (siginfo->pid == 1)
        return "process 1: init (systemd), or the first process of a container";
    return knows ? "another process" : NULL;
}

struct inq_error *inq_detect_sender(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_siginfo *siginfo = &dump->core->siginfo;
    struct inq_crash_signal signal = inq_crash_signal(dump);
    bool knows, own;

    if (!signal.has_code) {
        inq_evidence_set_unknown(evidence, "signal.sent_by", "%s", signal.no_code);
        return NULL;
    }
    if (inq_crash_kind(dump) != INQ_CRASH_SENT) {
        inq_evidence_set_text(evidence, "signal.sent_by", "kernel");
        if (signal.code == INQ_SI_TIMER)
            inq_evidence_set_text(evidence, "signal.sender.text",
                                  "a timer that the process had set (timer_create())");
        return NULL;
    }
    inq_evidence_set_int(evidence, "signal.sender.pid", siginfo->pid);
    inq_evidence_set_int(evidence, "signal.sender.uid", siginfo->uid);
    own = inq_crash_sent_by_itself(dump, &knows);
    const char *words = describe(siginfo, signal.code, knows, knows && own);
    if (words)
        inq_evidence_set_text(evidence, "signal.sender.text", words);
    if (!knows)
        inq_evidence_set_unknown(evidence, "signal.sent_by",
                                 "the dump does not tell the pid of the process");
    else if (own)
        inq_evidence_set_text(evidence, "signal.sent_by", "self");
    else
        /* 0: the sender is outside the pid namespace */
        inq_evidence_set_text(evidence, "signal.sent_by", siginfo->pid == 1 ? "init" : "other");
    return NULL;
}

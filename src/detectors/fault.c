/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fault as a whole: where, what was tried, what kind of address that is. Which instruction and
 * operand it was is worked out in fault_site.c.
 */

#include <elf.h>
#include <inttypes.h>

#include "address_class.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"
#include "real_fault.h"

struct fault {
    const struct inq_dump *dump;
    struct inq_evidence *evidence;
    struct inq_crash_signal signal;
    struct inq_fault_site site;
};

static bool is_memory_signal(const struct fault *fault)
{
    return fault->signal.kind == INQ_SIGNAL_SEGV || fault->signal.kind == INQ_SIGNAL_BUS;
}

static void set_access(const struct fault *fault)
{
    const char *access = inq_access_name(fault->site.access);

    if (access)
        inq_evidence_set_text(fault->evidence, "fault.access", access);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.access", "%s",
                                 fault->site.no_access ? fault->site.no_access
                                                       : "nothing in the dump tells");
}

static const char *why_no_address(const struct fault *fault)
{
    return fault->site.no_address ? fault->site.no_address
                                  : "the kernel gives no address for this kind of fault";
}

/* s390 reports the page alone (arch/s390/mm/fault.c): its address is no exact one. */
static void set_address(const struct fault *fault)
{
    if (!fault->site.has_address)
        inq_evidence_set_unknown(fault->evidence, "fault.address", "%s", why_no_address(fault));
    else if (fault->dump->core->machine == EM_S390 && is_memory_signal(fault))
        inq_evidence_set_unknown(fault->evidence, "fault.address",
                                 "this CPU tells only the page, 0x%" PRIx64, fault->site.address);
    else
        inq_evidence_set_addr(fault->evidence, "fault.address", fault->site.address);
}

static void set_class(const struct fault *fault)
{
    const struct inq_fault_site *site = &fault->site;
    const char *why = why_no_address(fault), *class = NULL;

    if (site->reason == INQ_REASON_NON_CANONICAL)
        class = "non-canonical";
    else if (site->has_address)
        class = inq_address_class(fault->dump, site->address, site->access, site->worked_out, &why);
    if (class)
        inq_evidence_set_text(fault->evidence, "fault.address_class", class);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.address_class", "%s", why);
}

static void set_reason(const struct fault *fault)
{
    const char *reason = inq_reason_name(fault->site.reason);

    if (reason)
        inq_evidence_set_text(fault->evidence, "fault.reason", reason);
    if (fault->signal.kind == INQ_SIGNAL_SEGV && fault->signal.code == INQ_SEGV_PKUERR)
        inq_evidence_set_int(fault->evidence, "fault.protection_key",
                             (int64_t)fault->dump->core->siginfo.pkey);
    if (fault->signal.kind == INQ_SIGNAL_BUS &&
        (fault->signal.code == INQ_BUS_MCEERR_AR || fault->signal.code == INQ_BUS_MCEERR_AO) &&
        fault->dump->core->siginfo.addr_lsb < 63)
        inq_evidence_set_int(fault->evidence, "fault.lost_bytes",
                             INT64_C(1) << fault->dump->core->siginfo.addr_lsb);
    if (fault->site.has_target && fault->site.access == INQ_ACCESS_EXECUTE)
        inq_evidence_set_addr(fault->evidence, "fault.target", fault->site.target);
}

static void set_place(const struct fault *fault)
{
    const struct inq_frame *frame = inq_crash_frame(fault->dump);

    if (frame && frame->module)
        inq_evidence_set_text(fault->evidence, "fault.module", frame->module->name);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.module", "%s",
                                 frame ? "the program counter is in no module"
                                       : "the registers of the thread are missing");
    if (frame && frame->function)
        inq_evidence_set_text(fault->evidence, "fault.function", frame->function);
    else
        inq_evidence_set_unknown(fault->evidence, "fault.function", "%s",
                                 !frame          ? "the registers of the thread are missing"
                                 : frame->module ? "no symbol covers the program counter"
                                                 : "the program counter is in no module");
}

static void set_unknown_fault(const struct inq_crash_signal *signal, struct inq_evidence *evidence,
                              const char *why)
{
    static const char *const facts[] = {"fault.signal", "fault.address",  "fault.address_class",
                                        "fault.access", "fault.function", "fault.module"};

    if (signal->number == 0)
        why = "no note of the dump holds a signal";
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        inq_evidence_set_unknown(evidence, facts[i], "%s", why);
}

/* Where registers and address come from, and which frame of the crashing thread that is. */
static void set_source(const struct fault *fault)
{
    const struct inq_fault_origin *origin = fault->dump->origin;

    inq_evidence_set_text(fault->evidence, "fault.source",
                          origin && origin->in_signal_frame ? "signal-frame" : "registers");
    inq_evidence_set_int(fault->evidence, "fault.frame", origin ? (int64_t)origin->frame : 0);
    if (fault->signal.number != 0)
        inq_evidence_set_text(fault->evidence, "fault.signal",
                              inq_signal_name(fault->dump->core->machine, fault->signal.number));
}

/*
 * A signal that the process sent itself is often the second half of a fault: a handler looked at
 * it, restored the default action and raised it again.
 */
static void note_sent(const struct inq_dump *dump, const struct inq_crash_signal *signal,
                      struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    bool own = core->has_prpsinfo && core->prpsinfo.pid == core->siginfo.pid;

    if (own && signal->kind != INQ_SIGNAL_ABRT && signal->kind != INQ_SIGNAL_OTHER)
        set_unknown_fault(signal, evidence,
                          "the process sent itself this signal, and nothing on its stack shows a "
                          "fault that a handler could have answered so");
}

struct inq_error *inq_detect_fault(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct fault fault = {.dump = dump, .evidence = evidence, .signal = inq_crash_signal(dump)};

    inq_fault_site(dump, &fault.site);
    if (!fault.site.is_fault) {
        if (inq_crash_kind(dump) == INQ_CRASH_UNKNOWN)
            set_unknown_fault(&fault.signal, evidence, fault.signal.no_code);
        else if (inq_crash_kind(dump) == INQ_CRASH_SENT)
            note_sent(dump, &fault.signal, evidence);
        return NULL;
    }
    set_source(&fault);
    set_address(&fault);
    if (is_memory_signal(&fault)) { /* for others the address is the instruction's own */
        set_class(&fault);
        set_access(&fault);
    }
    set_reason(&fault);
    set_place(&fault);
    return evidence->failed ? &inq_error_oom : NULL;
}

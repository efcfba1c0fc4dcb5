/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which exception did an x86 CPU raise, and with which error code? Neither is in a core dump; both
 * follow from signal, code, address and access where only one value is possible. Measured against
 * what the kernel handed to signal handlers (uc_mcontext's trapno and err). arch/x86/mm/fault.c,
 * arch/x86/kernel/traps.c.
 */

#include <elf.h>
#include <string.h>

#include "address_class.h"
#include "cleanup.h"
#include "crash.h"
#include "detectors.h"
#include "error_code.h"
#include "fault_site.h"
#include "memory_page.h"
#include "real_fault.h"
#include "thread_stacks.h"

#define CP_NEAR_RETURN 1u /* control protection: Intel SDM volume 3, 6.15 */

#define SI_ILL_ILLOPN 2
#define SI_FPE_INTDIV 1
#define SI_FPE_INTOVF 2
#define SI_TRAP_TRACE 2
#define SI_TRAP_HWBKPT 4

static const char *segv_trap(const struct inq_crash_signal *signal,
                             const struct inq_fault_site *site)
{
    if (signal->code == INQ_SEGV_MAPERR || signal->code == INQ_SEGV_ACCERR ||
        signal->code == INQ_SEGV_PKUERR)
        return "page-fault";
    if (signal->code == INQ_SEGV_CPERR)
        return "control-protection";
    switch (site->reason) {
    case INQ_REASON_NON_CANONICAL:
    case INQ_REASON_MISALIGNED:
    case INQ_REASON_PRIVILEGED:
        return "general-protection";
    default: /* an address worked out from the map can only be a page fault's */
        return site->worked_out && site->reason != INQ_REASON_VSYSCALL ? "page-fault" : NULL;
    }
}

static const char *bus_trap(const struct inq_crash_signal *signal,
                            const struct inq_fault_site *site)
{
    if (signal->code == INQ_BUS_ADRERR)
        return "page-fault";
    if (signal->code == INQ_BUS_ADRALN)
        return "alignment-check";
    return site->reason == INQ_REASON_NON_CANONICAL ? "stack-segment" : NULL;
}

static const char *fpe_trap(const struct inq_crash_signal *signal,
                            const struct inq_fault_site *site)
{
    if (signal->code == SI_FPE_INTDIV)
        return "divide-error";
    if (signal->code == SI_FPE_INTOVF)
        return "overflow";
    if (!site->has_instruction)
        return NULL;
    if (site->instruction.is_x87)
        return "x87-error";
    return site->instruction.is_vector ? "simd-error" : NULL;
}

static const char *trap_trap(const struct inq_crash_signal *signal,
                             const struct inq_fault_site *site)
{
    if (signal->code == INQ_SI_KERNEL)
        return "breakpoint";
    if (signal->code == SI_TRAP_TRACE || signal->code == SI_TRAP_HWBKPT)
        return "debug";
    return site->reason == INQ_REASON_BREAKPOINT ? "debug" : NULL; /* int1 */
}

/* NULL when more than one is possible. */
static const char *trap_of(const struct inq_crash_signal *signal, const struct inq_fault_site *site)
{
    switch (signal->kind) {
    case INQ_SIGNAL_SEGV:
        return segv_trap(signal, site);
    case INQ_SIGNAL_BUS:
        return bus_trap(signal, site);
    case INQ_SIGNAL_ILL:
        return signal->code == SI_ILL_ILLOPN ? "invalid-opcode" : NULL;
    case INQ_SIGNAL_FPE:
        return fpe_trap(signal, site);
    case INQ_SIGNAL_TRAP:
        return trap_trap(signal, site);
    default:
        return NULL;
    }
}

/*
 * Nothing is mapped there, and it is not where programs end and the kernel begins: for addresses of
 * its own the kernel reports every page as present (fault_in_kernel_space() of
 * arch/x86/mm/fault.c).
 */
static bool is_certainly_users(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_memory_region above;

    if (dump->core->elf_class == 64)
        return addr < 0x7ffffffff000; /* the last page of the lower half is the kernel's */
    return inq_memory_region_above(dump->memory, addr, &above); /* the border varies */
}

/*
 * Was the page there when the CPU looked? 1 and 0; -1 when the dump does not tell. A page that the
 * process has written to is taken to have been in memory: only swapping takes it out.
 */
static int page_was_present(const struct inq_dump *dump, const struct inq_crash_signal *signal,
                            const struct inq_fault_site *site)
{
    struct inq_memory_region region;
    bool mapped = inq_memory_region_at(dump->memory, site->address, &region);

    if (inq_is_kernel_half(dump->core, site->address))
        return 1; /* the kernel says so to hide what it has there */
    if (signal->code == INQ_SEGV_MAPERR || (site->worked_out && !mapped))
        return mapped || is_certainly_users(dump, site->address) ? 0 : -1;
    /* pages without any right are marked absent in the page table */
    if (mapped && (region.flags == 0 || inq_is_hidden_guard(dump, site->address)))
        return 0;
    return mapped && inq_page_is_own(dump, site->address) ? 1 : -1;
}

struct code {
    bool known;
    uint32_t value;
    uint32_t certain; /* bits of value that are certain when it is not known */
    const char *why;  /* it is not known */
};

static void page_fault_code(const struct inq_dump *dump, const struct inq_crash_signal *signal,
                            const struct inq_fault_site *site, struct code *code)
{
    int present;

    code->value = code->certain = INQ_PF_USER;
    if (site->access == INQ_ACCESS_UNKNOWN) {
        code->why = "what was tried is not known";
        return;
    }
    if (site->access == INQ_ACCESS_EXECUTE)
        code->value |= INQ_PF_INSTR;
    else if (site->access == INQ_ACCESS_WRITE)
        code->value |= INQ_PF_WRITE;
    code->certain = INQ_PF_USER | INQ_PF_WRITE | INQ_PF_INSTR;
    code->why = "the dump does not tell whether the page was in memory";
    if (signal->kind == INQ_SIGNAL_BUS) { /* a page that could not be had; a write may find one */
        code->known = site->access != INQ_ACCESS_WRITE && signal->code == INQ_BUS_ADRERR;
        return;
    }
    present = page_was_present(dump, signal, site);
    if (present > 0)
        code->value |= INQ_PF_PROT;
    if (present > 0 && signal->code == INQ_SEGV_PKUERR)
        code->value |= INQ_PF_KEY; /* the CPU looks at keys of pages that are there */
    code->known = present >= 0;
}

static void set_error_code(const struct inq_dump *dump, const struct inq_crash_signal *signal,
                           const struct inq_fault_site *site, const char *trap,
                           struct inq_evidence *evidence)
{
    struct code code = {.why = "which exception it was is not known"};

    if (trap && !strcmp(trap, "page-fault") && site->has_address)
        page_fault_code(dump, signal, site, &code);
    else if (trap && !strcmp(trap, "control-protection"))
        code = (struct code){.known = site->reason == INQ_REASON_SHADOW_STACK,
                             .value = CP_NEAR_RETURN,
                             .why = "the dump does not tell which check failed"};
    else if (site->reason == INQ_REASON_PRIVILEGED &&
             !strncmp(site->instruction.text, "int ", strlen("int ")))
        code.why = "for a software interrupt the code is that of its gate";
    else if (trap)
        code.known = true; /* it is 0 */
    inq_error_code_set_inferred(evidence, trap, code.known, code.value, code.certain);
    if (!code.known)
        inq_evidence_set_unknown(evidence, "fault.error_code.value", "%s", code.why);
}

/* The CPU's own numbers, which the kernel has put in a signal frame. asm/trapnr.h. */
static void set_from_frame(const struct inq_signal_context *context, struct inq_evidence *evidence)
{
    static const char *const names[] = {[0] = "divide-error",        [1] = "debug",
                                        [3] = "breakpoint",          [4] = "overflow",
                                        [6] = "invalid-opcode",      [12] = "stack-segment",
                                        [13] = "general-protection", [14] = "page-fault",
                                        [16] = "x87-error",          [17] = "alignment-check",
                                        [19] = "simd-error",         [21] = "control-protection"};
    const char *trap = context->trapno < INQ_ARRAY_SIZE(names) ? names[context->trapno] : NULL;

    if (trap)
        inq_evidence_set_text(evidence, "fault.trap", trap);
    if (context->err <= INT32_MAX)
        inq_error_code_set_from_frame(evidence, trap, (uint32_t)context->err);
}

struct inq_error *inq_detect_trap(struct inq_dump *dump, struct inq_evidence *evidence)
{
    static const char other[] = "only x86 has exception numbers and error codes of this kind";
    struct inq_crash_signal signal = inq_crash_signal(dump);
    struct inq_fault_site site;

    inq_fault_site(dump, &site);
    if (!site.is_fault)
        return NULL;
    if (dump->core->machine != EM_X86_64 && dump->core->machine != EM_386) {
        inq_evidence_set_unknown(evidence, "fault.trap", other);
        inq_evidence_set_unknown(evidence, "fault.error_code.value", other);
        return NULL;
    }
    if (dump->origin && dump->origin->in_signal_frame) {
        set_from_frame(&dump->origin->context, evidence);
        return evidence->failed ? &inq_error_oom : NULL;
    }
    const char *trap = trap_of(&signal, &site);
    if (trap)
        inq_evidence_set_text(evidence, "fault.trap", trap);
    else
        inq_evidence_set_unknown(evidence, "fault.trap", "%s",
                                 site.reason == INQ_REASON_VSYSCALL
                                     ? "the kernel refused the jump itself, and keeps what the CPU "
                                       "said to itself"
                                     : "signal and code leave more than one exception");
    set_error_code(dump, &signal, &site, trap, evidence);
    return evidence->failed ? &inq_error_oom : NULL;
}

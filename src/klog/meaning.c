/* SPDX-License-Identifier: Apache-2.0 */
#include "klog_meaning.h"

#include <inttypes.h>
#include <string.h>

#include "cleanup.h"

/* How far from the stack pointer an address is still the stack's: what the fault detector takes. */
#define STACK_REACH (1ull << 20)

/* arch/x86/include/asm/trap_pf.h */
#define PF_PROT 0x1u
#define PF_WRITE 0x2u
#define PF_USER 0x4u
#define PF_RSVD 0x8u
#define PF_INSTR 0x10u
#define PF_PK 0x20u
#define PF_SHSTK 0x40u
#define PF_SGX 0x8000u
#define PF_RMP 0x80000000u
/* Refused by something else than what the page may be used for. */
#define PF_OTHER (PF_RSVD | PF_PK | PF_SHSTK | PF_SGX | PF_RMP)

static bool is_x86_page_fault(const struct inq_klog_event *e)
{
    return e->family == INQ_KLOG_CPU_X86 && e->trap == INQ_KLOG_TRAP_PAGE_FAULT && e->error.known;
}

static bool is_kernel_half(const struct inq_klog_event *e)
{
    uint64_t a = e->address.value;

    if (!e->address.known)
        return false;
    switch (e->family) {
    case INQ_KLOG_CPU_X86: /* canonical, and above what 5-level paging gives to users */
        return a >= 0xff00000000000000ull;
    case INQ_KLOG_CPU_AARCH64:
        return a >= 0xfff0000000000000ull;
    case INQ_KLOG_CPU_RISCV:
        return a >= 0xff00000000000000ull;
    case INQ_KLOG_CPU_PPC:
        return a >= 0xc000000000000000ull;
    default:
        return false;
    }
}

static const char *class_by_value(const struct inq_klog_event *e)
{
    uint64_t a = e->address.value;

    if (a >= UINT64_MAX - 4094 || (e->word_bits == 32 && a <= UINT32_MAX && a >= UINT32_MAX - 4094))
        return "neg-errno";
    if (a < 4096)
        return "null-page";
    if (a < 65536)
        return "near-null";
    return is_kernel_half(e) ? "kernel-half" : NULL;
}

static bool is_near_stack(const struct inq_klog_event *e)
{
    uint64_t a = e->address.value, sp = e->sp.value;

    return e->sp.known && sp != 0 && (a > sp ? a - sp : sp - a) <= STACK_REACH;
}

/* aarch64: the fault status code, low six bits of an abort's syndrome (ESR_ELx.DFSC). */
static const char *class_by_esr(const struct inq_klog_event *e, const char **ret_why)
{
    unsigned status = (unsigned)e->error.value & 0x3f;

    if (status >> 2 == 1) { /* translation fault, level 0 to 3 */
        *ret_why = "nothing is there, or a mapping without any right";
        return NULL;
    }
    if (status >> 2 == 3) /* permission fault */
        return e->access == INQ_KLOG_ACCESS_WRITE     ? "read-only"
               : e->access == INQ_KLOG_ACCESS_EXECUTE ? "no-exec"
                                                      : NULL;
    return NULL;
}

static const char *class_by_error(const struct inq_klog_event *e, const char **ret_why)
{
    unsigned code = (unsigned)e->error.value;

    if (code & PF_OTHER) {
        *ret_why = "refused, whatever the mapping allows";
        return NULL;
    }
    if (!(code & PF_PROT)) {
        if (code & PF_INSTR) /* the kernel names the mapping of ip where there is one */
            return e->module[0] && !e->module_not_at_ip ? NULL : "unmapped";
        *ret_why = "nothing is there, or a mapping without any right (PROT_NONE): the line does "
                   "not tell them apart";
        return NULL;
    }
    return code & PF_INSTR ? "no-exec" : code & PF_WRITE ? "read-only" : NULL;
}

bool inq_klog_is_bus_error(const struct inq_klog_event *e)
{
    return e->trap == INQ_KLOG_TRAP_PAGE_FAULT && e->signal.known && e->signal.value == 7 &&
           !(e->address.known && class_by_value(e));
}

const char *inq_klog_address_class(const struct inq_klog_event *e, const char **ret_why)
{
    const char *class;

    *ret_why = "the line does not tell";
    if (!e->address.known) {
        *ret_why = "the line has no address";
        return NULL;
    }
    if (e->trap != INQ_KLOG_TRAP_PAGE_FAULT) {
        *ret_why = "not a page fault";
        return NULL;
    }
    class = class_by_value(e);
    if (class)
        return class;
    if (inq_klog_is_bus_error(e)) {
        *ret_why = "a SIGBUS: a mapping is there, and its page could not be had";
        return NULL;
    }
    if (is_x86_page_fault(e) && !(e->error.value & (PF_PROT | PF_INSTR)) && is_near_stack(e))
        return "stack-near";
    if (is_x86_page_fault(e))
        return class_by_error(e, ret_why);
    if (e->family == INQ_KLOG_CPU_AARCH64 && e->error.known)
        return class_by_esr(e, ret_why);
    return NULL;
}

size_t inq_klog_error_bits(const struct inq_klog_event *e, const char *ret_bits[8])
{
    static const struct {
        unsigned bit;
        const char *set, *clear;
    } words[] = {
        {PF_PROT, "protection", "not-present"},
        {PF_WRITE, "write", "read"},
        {PF_USER, "user", "kernel"},
        {PF_RSVD, "reserved-bit", NULL},
        {PF_INSTR, "instruction-fetch", NULL},
        {PF_PK, "protection-key", NULL},
        {PF_SHSTK, "shadow-stack", NULL},
        {PF_SGX, "sgx", NULL},
    };
    size_t n = 0;

    if (!is_x86_page_fault(e))
        return 0;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(words); i++) {
        const char *word = e->error.value & words[i].bit ? words[i].set : words[i].clear;

        if (words[i].bit == PF_WRITE && (e->error.value & PF_INSTR))
            continue; /* a fetch is neither */
        if (word)
            ret_bits[n++] = word;
    }
    return n;
}

/* sanitize_error_code() of arch/x86/mm/fault.c, since 5.0 */
bool inq_klog_protection_is_synthetic(const struct inq_klog_event *e)
{
    return is_x86_page_fault(e) && (e->error.value & PF_PROT) &&
           (is_kernel_half(e) || e->address.value >= 0xffff800000000000ull);
}

static void explain_page_fault(const struct inq_klog_event *e, struct inq_text *text)
{
    unsigned code = (unsigned)e->error.value;

    inq_text_printf(text, "error 0x%x (the kernel prints it in hex): ", code);
    inq_text_append(text,
                    code & PF_USER ? "user mode, " : "on the process's behalf in kernel mode, ");
    inq_text_append(text, code & PF_INSTR   ? "instruction fetch"
                          : code & PF_WRITE ? "write"
                                            : "read");
    if (inq_klog_protection_is_synthetic(e))
        inq_text_append(text, "; the protection bit is set for every address in the kernel's half "
                              "and says nothing about it");
    else if (code & PF_PK)
        inq_text_append(text, "; refused by a protection key (pkey_mprotect)");
    else if (code & PF_SHSTK)
        inq_text_append(text, "; an access of the shadow stack");
    else if (code & PF_SGX)
        inq_text_append(text, "; refused by SGX, whose map of the enclave's pages says otherwise");
    else if (code & PF_RMP)
        inq_text_append(text, "; refused by the reverse map of SEV-SNP");
    else if (code & PF_RSVD)
        inq_text_append(text, "; a page's entry is there");
    else if (code & PF_PROT)
        inq_text_append(text, code & PF_INSTR   ? "; a page is there and may not be executed"
                              : code & PF_WRITE ? "; a page is there and may not be written"
                                                : "; a page is there and may not be read");
    else
        inq_text_append(text, "; no page there: nothing is mapped, or a mapping without any right");
    if (code & PF_RSVD)
        inq_text_append(text,
                        "; a reserved bit in a page table: the kernel's or the hardware's fault");
}

static void explain_selector(const struct inq_klog_event *e, struct inq_text *text)
{
    unsigned code = (unsigned)e->error.value;

    if (code == 0) {
        if (e->trap == INQ_KLOG_TRAP_GENERAL_PROTECTION)
            inq_text_append(text, "error 0: no selector: a non-canonical address, a misaligned SSE "
                                  "operand, or an instruction that only the kernel may run; the "
                                  "line has no address");
        return;
    }
    inq_text_printf(text, "error 0x%x is a selector, not page fault bits: ", code);
    if (code & 2)
        inq_text_printf(text, "gate %u of the interrupt table (int $0x%x)", code >> 3 & 0xff,
                        code >> 3 & 0xff);
    else
        inq_text_printf(text, "entry %u of the %s descriptor table", code >> 3,
                        code & 4 ? "local" : "global");
}

/* Arm ARM (DDI 0487), DFSC and IFSC of an abort's syndrome. */
static const char *abort_words(unsigned status)
{
    static const char *const by_four[] = {"address size fault", "translation fault: no page there",
                                          "access flag fault", "permission fault: a page is there"};

    if (status < 16)
        return by_four[status >> 2];
    switch (status) {
    case 0x10:
        return "external abort: the memory or a device did not answer";
    case 0x11:
        return "tag check fault (MTE): the pointer's tag is not that of the memory";
    case 0x18:
        return "parity or ECC error";
    case 0x21:
        return "alignment fault";
    default:
        return NULL;
    }
}

static void explain_syndrome(const struct inq_klog_event *e, struct inq_text *text)
{
    const unsigned class = (unsigned)(e->error.value >> 26) & 0x3f;
    const unsigned status = (unsigned)e->error.value & 0x3f;

    inq_text_printf(text, "syndrome (ESR) 0x%" PRIx64 ": exception class 0x%x", e->error.value,
                    class);
    if (class == 0x20 || class == 0x24) { /* aborts: of the others these bits mean other things */
        const char *words = e->what[0] ? NULL : abort_words(status); /* the kernel's come first */
        inq_text_printf(text, ", fault status 0x%x%s%s", status, words ? ", " : "",
                        words ? words : "");
    } else if (class == 0x3c) {
        inq_text_printf(text, ", brk #0x%x", (unsigned)e->error.value & 0xffff);
    }
}

/* Intel SDM volume 1, "Control-flow Enforcement Technology": error code of #CP */
static void explain_control(const struct inq_klog_event *e, struct inq_text *text)
{
    static const char *const words[] = {
        [1] = "a return address differs from the shadow stack's copy",
        [2] = "a far return or iret differs from the shadow stack's copy",
        [3] = "an indirect branch did not land on endbr",
        [4] = "rstorssp found no restore token",
        [5] = "setssbsy found no token",
    };
    uint64_t code = e->error.value & 0x7fff;

    inq_text_printf(text, "error %" PRIu64 ": %s", code,
                    code < INQ_ARRAY_SIZE(words) && words[code] ? words[code]
                                                                : "control flow was not as marked");
}

void inq_klog_explain_error(const struct inq_klog_event *e, struct inq_text *text)
{
    if (!e->error.known)
        return;
    if (is_x86_page_fault(e)) {
        explain_page_fault(e, text);
    } else if (e->family == INQ_KLOG_CPU_X86 && e->trap == INQ_KLOG_TRAP_CONTROL_PROTECTION) {
        explain_control(e, text);
    } else if (e->family == INQ_KLOG_CPU_X86) {
        explain_selector(e, text);
    } else if (e->family == INQ_KLOG_CPU_AARCH64) {
        explain_syndrome(e, text);
    } else if (e->family == INQ_KLOG_CPU_ARM) {
        inq_text_printf(text, "fault status 0x%" PRIx64, e->error.value);
    } else if (e->family == INQ_KLOG_CPU_RISCV) {
        inq_text_printf(text, "cause %" PRIu64, e->error.value);
    } else if (e->family == INQ_KLOG_CPU_S390) {
        inq_text_printf(text, "interruption code 0x%" PRIx64, e->error.value);
    }
    if (e->access != INQ_KLOG_ACCESS_UNKNOWN && e->family != INQ_KLOG_CPU_X86)
        inq_text_printf(text, ": %s", inq_klog_access_name(e->access));
}

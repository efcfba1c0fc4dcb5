/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Faults as other CPUs' kernels print them:
 *   aarch64    arch/arm64/kernel/traps.c, arm64_show_signal(); before 4.17 mm/fault.c with address
 *   arm        arch/arm/mm/fault.c, __do_user_fault(); kernel/traps.c, do_undefinstr()
 *   riscv      arch/riscv/kernel/traps.c, do_trap()
 *   powerpc    arch/powerpc/kernel/traps.c, show_signal_msg(); before 4.19 "unhandled signal"
 *   s390       arch/s390/mm/fault.c and kernel/traps.c, report_user_fault()
 *   mips, loongarch   mm/fault.c, __do_page_fault()
 */

#include "cleanup.h"
#include "parse.h"

static void set_signal(struct inq_klog_event *event, uint64_t number)
{
    inq_klog_set(&event->signal, number);
    if (event->trap == INQ_KLOG_TRAP_NONE)
        event->trap = number == 11 || number == 7 ? INQ_KLOG_TRAP_PAGE_FAULT
                      : number == 4               ? INQ_KLOG_TRAP_INVALID_OPCODE
                      : number == 5               ? INQ_KLOG_TRAP_BREAKPOINT
                                                  : INQ_KLOG_TRAP_OTHER;
}

static void set_what(struct inq_klog_event *event, struct inq_span words)
{
    inq_span_trim(&words);
    inq_span_copy(&words, event->what, sizeof(event->what));
}

static void take_in(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span before;

    if (inq_span_take_until(&s, " in ", &before))
        (void)inq_klog_take_module(&s, event);
}

/*
 * Arm ARM (DDI 0487), ESR_ELx: class in bits 31:26 (0x20 instruction abort, 0x24 data abort from a
 * lower level), of data aborts bit 6 is set for writes.
 */
static void read_esr(struct inq_klog_event *event, uint64_t esr)
{
    unsigned class = (unsigned)(esr >> 26) & 0x3f;

    inq_klog_set(&event->error, esr);
    if (class == 0x20)
        event->access = INQ_KLOG_ACCESS_EXECUTE;
    else if (class == 0x24)
        event->access = esr & 0x40 ? INQ_KLOG_ACCESS_WRITE : INQ_KLOG_ACCESS_READ;
    else if (class == 0 || class == 0x0e)
        event->trap = INQ_KLOG_TRAP_INVALID_OPCODE;
    else if (class == 0x3c)
        event->trap = INQ_KLOG_TRAP_BREAKPOINT;
    else if (class == 0x22 || class == 0x26)
        event->trap = INQ_KLOG_TRAP_ALIGNMENT;
    else
        event->trap = INQ_KLOG_TRAP_OTHER;
}

/* Which signal an exception of that class is turned into: arch/arm64/kernel/{traps,entry-common}.c
 */
static void set_arm64_signal(struct inq_klog_event *event)
{
    const unsigned class = (unsigned)(event->error.value >> 26) & 0x3f;
    const unsigned status = (unsigned)event->error.value & 0x3f;

    switch (event->trap) {
    case INQ_KLOG_TRAP_INVALID_OPCODE:
        inq_klog_set(&event->signal, 4);
        break;
    case INQ_KLOG_TRAP_ALIGNMENT:
        inq_klog_set(&event->signal, 7);
        break;
    case INQ_KLOG_TRAP_BREAKPOINT:
        inq_klog_set(&event->signal, 5);
        break;
    case INQ_KLOG_TRAP_PAGE_FAULT: /* an external abort, or memory that failed, is a SIGBUS */
        inq_klog_set(&event->signal,
                     event->error.known && status >= 0x10 && status <= 0x1f && status != 0x11 ? 7
                                                                                              : 11);
        break;
    default: /* BTI, pointer authentication, a system register, SVE: SIGILL */
        if (class == 0x0d || class == 0x1c || class == 0x18 || class == 0x07 || class == 0x19)
            inq_klog_set(&event->signal, 4);
        break;
    }
}

/*
 * What follows "unhandled exception:": "DABT (lower EL), ESR 0x0000000092000006, level 2
 * translation fault in x[aaaad1d20000+1000]"; 4.17 wrote "level 2 translation fault, ESR ..."
 */
static void read_arm64_exception(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span t = s, before;
    uint64_t esr;

    event->family = INQ_KLOG_CPU_AARCH64;
    event->trap = INQ_KLOG_TRAP_PAGE_FAULT;
    event->word_bits = 64;
    if ((inq_span_take_until(&t, "ESR 0x", &before) ||
         inq_span_take_until(&t, "esr 0x", &before)) &&
        inq_span_take_hex(&t, &esr, NULL)) {
        read_esr(event, esr);
        if (inq_span_take(&t, ", ")) {
            struct inq_span words = t;
            if (!inq_span_take_until(&t, " in ", &words))
                words = t;
            set_what(event, words);
        }
    }
    if (event->what[0] == '\0')
        set_what(event, s);
    if (inq_span_find(&s, "SP/PC alignment") || inq_span_find(&s, "alignment fault"))
        event->trap = INQ_KLOG_TRAP_ALIGNMENT;
    else if (inq_span_find(&s, "undefined instruction"))
        event->trap = INQ_KLOG_TRAP_INVALID_OPCODE;
    set_arm64_signal(event);
    take_in(s, event);
}

/* arm: FSR as the kernel passes it on, bit 11 for writes and bit 31 for instruction fetches */
static void read_arm_code(struct inq_klog_event *event, uint64_t fsr)
{
    event->family = INQ_KLOG_CPU_ARM;
    event->word_bits = 32;
    event->handler_possible = true;
    inq_klog_set(&event->error, fsr);
    if (fsr & 0x80000000u)
        event->access = INQ_KLOG_ACCESS_EXECUTE;
    else
        event->access = fsr & 0x800u ? INQ_KLOG_ACCESS_WRITE : INQ_KLOG_ACCESS_READ;
}

/* "level 3 translation fault (11) at 0x00000000, esr 0x92000047", "page fault (11) at ..., code" */
static bool read_unhandled(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span words, t = s;
    uint64_t number, address, code;

    if (!inq_span_take_until(&t, " (", &words) || inq_span_size(&words) > 48 ||
        !inq_span_take_decimal(&t, &number) || number > 64 || !inq_span_take(&t, ") at ") ||
        !inq_span_take_hex(&t, &address, NULL))
        return false;
    event->trap = INQ_KLOG_TRAP_PAGE_FAULT;
    set_what(event, words);
    inq_klog_set(&event->address, address);
    inq_klog_set(&event->signal, number);
    if (inq_span_take(&t, ", esr ") && inq_span_take_hex(&t, &code, NULL)) {
        event->family = INQ_KLOG_CPU_AARCH64;
        read_esr(event, code);
    } else if (inq_span_take(&t, ", code ") && inq_span_take_hex(&t, &code, NULL)) {
        read_arm_code(event, code);
    } else if (inq_span_take(&t, ", cause ") && inq_span_take_decimal(&t, &code)) {
        event->handler_possible = true; /* nios2 */
        inq_klog_set(&event->error, code);
    } else if (inq_span_take(&t, " nip ")) {
        return false; /* powerpc: parse_ppc() */
    }
    take_in(t, event);
    return true;
}

/* riscv "signal 11 code 0x1 at 0x... in x[...]"; old powerpc "signal 11 at ... nip ... lr ..." */
static bool read_unhandled_signal(struct inq_span s, struct inq_klog_event *event)
{
    uint64_t number, code, address;

    if (!inq_span_take(&s, "signal ") || !inq_span_take_decimal(&s, &number) || number > 64)
        return false;
    if (inq_span_take(&s, " code ") && inq_span_take_hex(&s, &code, NULL)) {
        event->family = INQ_KLOG_CPU_RISCV;
        inq_klog_set(&event->signal_code, code & 0xffff); /* above: how old kernels marked faults */
    }
    if (!inq_span_take(&s, " at ") || !inq_span_take_hex(&s, &address, NULL))
        return false;
    inq_klog_set(&event->address, address);
    set_signal(event, number);
    if (event->family == INQ_KLOG_CPU_RISCV) {
        take_in(s, event);
        return true;
    }
    event->family = INQ_KLOG_CPU_PPC;
    return inq_klog_hex_value(&s, "nip ", &event->ip);
}

static bool parse_unhandled(const struct inq_prefix *prefix, struct inq_klog_event *event,
                            bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, comm, host;

    if (!inq_span_take_until(&s, ": unhandled ", &before))
        return false;
    event->kind = INQ_KLOG_FAULT;
    if (inq_span_take(&s, "exception: "))
        read_arm64_exception(s, event);
    else if (!read_unhandled_signal(s, event) && !read_unhandled(s, event))
        return false;
    if (before.at < before.end && before.end[-1] == ']')
        return inq_klog_take_subject(prefix, before, event, ret_foreign);
    /* arm prints no thread id here, but a few lines on */
    if (!inq_prefix_comm(prefix, before, &comm, &host)) {
        *ret_foreign = true;
        return false;
    }
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    inq_span_copy(&host, event->host, sizeof(event->host));
    return event->handler_possible; /* arm and nios2 */
}

/* "x[42]: segfault (11) at 50 nip 12d03a920 lr 12d03a91c code 1 in busybox[12cfd0000+100000]" */
static bool parse_ppc(const struct inq_prefix *prefix, struct inq_klog_event *event,
                      bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, words;
    uint64_t number, address;
    const char *at;

    if (!inq_span_find(&s, " nip ") || !(at = inq_span_find(&s, ") at ")))
        return false;
    before = (struct inq_span){s.at, at};
    s.at = at + strlen(") at ");
    at = inq_span_find_last(&before, "]: ");
    if (!at)
        return false;
    words = (struct inq_span){at + 3, before.end};
    before.end = at + 1;
    const char *paren = inq_span_find_last(&words, " (");
    if (!paren)
        return false;
    struct inq_span digits = {paren + 2, words.end};
    words.end = paren;
    if (!inq_span_take_decimal(&digits, &number) || number > 64 ||
        !inq_span_take_hex(&s, &address, NULL))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_PPC;
    set_what(event, words);
    set_signal(event, number);
    inq_klog_set(&event->address, address);
    (void)inq_klog_hex_value(&s, "nip ", &event->ip);
    (void)inq_klog_hex_value(&s, "code ", &event->signal_code);
    take_in(s, event);
    return inq_klog_take_subject(prefix, before, event, ret_foreign);
}

/* z/Architecture Principles of Operation, program interruption codes. */
static const struct {
    unsigned code;
    enum inq_klog_trap trap;
    unsigned signal;
    const char *words;
} s390_codes[] = {
    {0x01, INQ_KLOG_TRAP_INVALID_OPCODE, 4, "operation exception"},
    {0x02, INQ_KLOG_TRAP_OTHER, 4, "privileged operation"},
    {0x03, INQ_KLOG_TRAP_OTHER, 4, "execute exception"},
    {0x04, INQ_KLOG_TRAP_PAGE_FAULT, 11, "protection exception"},
    {0x05, INQ_KLOG_TRAP_OTHER, 4, "addressing exception"},
    {0x06, INQ_KLOG_TRAP_OTHER, 4, "specification exception"},
    {0x07, INQ_KLOG_TRAP_OTHER, 8, "data exception"},
    {0x08, INQ_KLOG_TRAP_OTHER, 8, "fixed-point overflow"},
    {0x09, INQ_KLOG_TRAP_DIVIDE_ERROR, 8, "fixed-point divide"},
    {0x10, INQ_KLOG_TRAP_PAGE_FAULT, 11, "segment translation"},
    {0x11, INQ_KLOG_TRAP_PAGE_FAULT, 11, "page translation"},
    {0x12, INQ_KLOG_TRAP_OTHER, 4, "translation specification"},
    {0x38, INQ_KLOG_TRAP_PAGE_FAULT, 11, "ASCE-type exception"},
    {0x39, INQ_KLOG_TRAP_PAGE_FAULT, 11, "region first translation"},
    {0x3a, INQ_KLOG_TRAP_PAGE_FAULT, 11, "region second translation"},
    {0x3b, INQ_KLOG_TRAP_PAGE_FAULT, 11, "region third translation"},
};

static bool parse_s390(const struct inq_prefix *prefix, struct inq_klog_event *event,
                       bool *ret_foreign)
{
    struct inq_span s = prefix->message, before;
    uint64_t code;

    if (!inq_span_take_until(&s, "User process fault: interruption code ", &before))
        return false;
    event->handler_possible = s.end - s.at > 2 && s.at[1] == 'x'; /* 2.6, by a switch of its own */
    if (!inq_span_take_hex(&s, &code, NULL))
        return false;
    inq_span_trim(&before);
    if (!prefix->is_kernel && inq_span_size(&before) > 0) {
        *ret_foreign = true;
        return false;
    }
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_S390;
    event->trap = INQ_KLOG_TRAP_OTHER;
    inq_klog_set(&event->error, code);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(s390_codes); i++) {
        if (s390_codes[i].code != (code & 0xff))
            continue;
        event->trap = s390_codes[i].trap;
        inq_klog_set(&event->signal, s390_codes[i].signal);
        inq_span_set(event->what, sizeof(event->what), s390_codes[i].words);
    }
    take_in(s, event);
    return true;
}

/*
 * "do_page_fault(): sending SIGSEGV to x for invalid read access from 00000000", and on the next
 * line "epc = ... in lib[...]" (loongarch: "era = "); before 3.14 the address stood there, too.
 */
static bool parse_mips(const struct inq_prefix *prefix, struct inq_klog_event *event,
                       bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, name;
    uint64_t address;
    bool is_bus;

    if (!inq_span_take_until(&s, "do_page_fault()", &before))
        return false;
    event->handler_possible = inq_span_take(&s, " #"); /* before 3.14, in debugging kernels */
    if (!inq_span_take_until(&s, "sending SIG", &name))
        return false;
    inq_span_trim(&before);
    if ((!prefix->is_kernel && inq_span_size(&before) > 0) || prefix->is_foreign) {
        *ret_foreign = true;
        return false;
    }
    is_bus = inq_span_take(&s, "BUS to ");
    if ((!is_bus && !inq_span_take(&s, "SEGV to ")) ||
        !inq_span_take_until(&s, " for invalid ", &name) || inq_span_size(&name) > 64 ||
        inq_span_is(&name, "%s"))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_MIPS;
    event->trap = INQ_KLOG_TRAP_PAGE_FAULT;
    inq_klog_set(&event->signal, is_bus ? 7 : 11);
    inq_span_copy(&name, event->comm, sizeof(event->comm));
    event->access = inq_span_take(&s, "write")  ? INQ_KLOG_ACCESS_WRITE
                    : inq_span_take(&s, "read") ? INQ_KLOG_ACCESS_READ
                                                : INQ_KLOG_ACCESS_UNKNOWN;
    (void)(inq_span_take(&s, " access to") || inq_span_take(&s, " access from"));
    inq_span_skip_blanks(&s);
    if (inq_span_take_hex(&s, &address, NULL))
        inq_klog_set(&event->address, address);
    return true;
}

/* arm, arm64 before 4.17: "x (123): undefined instruction: pc=0000f00d", "x[123]: undefined ..." */
static bool parse_undefined(const struct inq_prefix *prefix, struct inq_klog_event *event,
                            bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, comm, host;
    uint64_t tid;
    const char *paren;

    if (!inq_span_take_until(&s, ": undefined instruction: pc=", &before) ||
        !inq_klog_hex_value(&prefix->message, "pc=", &event->ip))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->trap = INQ_KLOG_TRAP_INVALID_OPCODE;
    inq_klog_set(&event->signal, 4);
    event->family = INQ_KLOG_CPU_AARCH64;
    if (before.at < before.end && before.end[-1] == ']')
        return inq_klog_take_subject(prefix, before, event, ret_foreign);
    event->family = INQ_KLOG_CPU_ARM;
    event->handler_possible = true;
    paren = inq_span_find_last(&before, " (");
    if (!paren)
        return false;
    struct inq_span number = {paren + 2, before.end};
    before.end = paren;
    if (!inq_span_take_decimal(&number, &tid) || !inq_span_take(&number, ")"))
        return false;
    if (!inq_prefix_comm(prefix, before, &comm, &host)) {
        *ret_foreign = true;
        return false;
    }
    inq_klog_set(&event->tid, tid);
    inq_span_copy(&comm, event->comm, sizeof(event->comm));
    inq_span_copy(&host, event->host, sizeof(event->host));
    return true;
}

bool inq_klog_parse_other_cpu(const struct inq_prefix *prefix, struct inq_klog_event *event,
                              bool *ret_foreign)
{
    static bool (*const forms[])(const struct inq_prefix *, struct inq_klog_event *, bool *) = {
        parse_unhandled, parse_ppc, parse_s390, parse_mips, parse_undefined,
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(forms); i++) {
        *event = (struct inq_klog_event){0};
        if (forms[i](prefix, event, ret_foreign))
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CPUs whose kernels name the program without a thread id before it:
 *   parisc   arch/parisc/mm/fault.c, show_signal_msg(); its trap and registers on the next lines
 *   xtensa   arch/xtensa/kernel/traps.c
 */

#include "cleanup.h"
#include "parse.h"

/* Only a kernel's word, or a line that nothing stands before. */
static bool is_others(const struct inq_prefix *prefix, struct inq_span before, bool *ret_foreign)
{
    inq_span_trim(&before);
    if (prefix->is_kernel || (!prefix->is_foreign && inq_span_size(&before) == 0))
        return false;
    *ret_foreign = true;
    return true;
}

/* "do_page_fault() command='cc1' type=15 address=0x00000000 in libc-2.33.so[f6abb000+184000]" */
static bool parse_parisc(const struct inq_prefix *prefix, struct inq_klog_event *event,
                         bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, name;
    uint64_t type, address;

    if (!inq_span_take_until(&s, "do_page_fault() command='", &before) ||
        !inq_span_take_until(&s, "' type=", &name) || !inq_span_take_decimal(&s, &type) ||
        is_others(prefix, before, ret_foreign))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_PARISC;
    event->trap = INQ_KLOG_TRAP_PAGE_FAULT;
    inq_klog_set(&event->signal, 11);
    inq_klog_set(&event->error, type);
    inq_span_copy(&name, event->comm, sizeof(event->comm));
    inq_span_skip_blanks(&s);
    if (inq_span_take(&s, "address=") && inq_span_take_hex(&s, &address, NULL))
        inq_klog_set(&event->address, address);
    /* 6: instruction TLB miss; 7, 16: instruction access */
    if (type == 6 || type == 7 || type == 16)
        event->access = INQ_KLOG_ACCESS_EXECUTE;
    if (inq_span_take(&s, " in "))
        (void)inq_klog_take_module(&s, event);
    return true;
}

/* "Illegal instruction in 'x' (pid = 77, pc = 0x00401139)": told whatever handlers there are */
static bool parse_xtensa(const struct inq_prefix *prefix, struct inq_klog_event *event,
                         bool *ret_foreign)
{
    static const struct {
        const char *words;
        enum inq_klog_trap trap;
        unsigned signal;
    } forms[] = {
        {"Illegal instruction in '", INQ_KLOG_TRAP_INVALID_OPCODE, 4},
        {"divide by 0 in '", INQ_KLOG_TRAP_DIVIDE_ERROR, 8},
    };
    struct inq_span s, before, name;
    uint64_t pid, pc;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(forms); i++) {
        s = prefix->message;
        if (!inq_span_take_until(&s, forms[i].words, &before) ||
            !inq_span_take_until(&s, "' (pid = ", &name) || inq_span_size(&name) > 64 ||
            !inq_span_take_decimal(&s, &pid) || !inq_span_take(&s, ", pc = ") ||
            !inq_span_take_hex(&s, &pc, NULL) || is_others(prefix, before, ret_foreign))
            continue;
        event->kind = INQ_KLOG_FAULT;
        event->family = INQ_KLOG_CPU_XTENSA;
        event->trap = forms[i].trap;
        event->word_bits = 32;
        event->handler_possible = true;
        inq_klog_set(&event->signal, forms[i].signal);
        inq_klog_set(&event->tid, pid);
        inq_klog_set(&event->ip, pc);
        inq_span_copy(&name, event->comm, sizeof(event->comm));
        return true;
    }
    return false;
}

bool inq_klog_parse_rare_cpu(const struct inq_prefix *prefix, struct inq_klog_event *event,
                             bool *ret_foreign)
{
    *event = (struct inq_klog_event){0};
    if (parse_parisc(prefix, event, ret_foreign))
        return true;
    *event = (struct inq_klog_event){0};
    return parse_xtensa(prefix, event, ret_foreign);
}

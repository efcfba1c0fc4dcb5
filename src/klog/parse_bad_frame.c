/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A signal frame on the stack that the kernel could not read when the handler returned, or not
 * write before it: the process gets a SIGSEGV for it. "x[77] bad frame in WHERE ..." and then
 *   x86      arch/x86/kernel/signal.c    "frame:... ip:... sp:... orax:... in lib[...]"
 *   arm64    arch/arm64/kernel/signal.c  ": pc=... sp=..."
 *   riscv    arch/riscv/kernel/signal.c  ": frame=... pc=... sp=..."
 *   powerpc  arch/powerpc/kernel/signal.c  ": ... nip ... lr ..."
 *   sparc    arch/sparc/kernel/signal*.c   ": ... TPC ... O7 ..."
 * None of them asks whether the process has a handler.
 */

#include "parse.h"

static bool take_hex_after(struct inq_span s, const char *key, struct inq_klog_u64 *ret_number)
{
    struct inq_span before;
    uint64_t value;

    if (!inq_span_take_until(&s, key, &before) || !inq_span_take_hex(&s, &value, NULL))
        return false;
    inq_klog_set(ret_number, value);
    return true;
}

static bool take_places(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_span before, address = s;
    uint64_t frame;

    if (take_hex_after(s, " ip:", &event->ip)) {
        event->family = INQ_KLOG_CPU_X86;
        (void)take_hex_after(s, " sp:", &event->sp);
        (void)take_hex_after(s, "frame:", &event->address);
        if (inq_span_take_until(&s, " in ", &before))
            (void)inq_klog_take_module(&s, event);
        return event->sp.known;
    }
    if (take_hex_after(s, " pc=", &event->ip)) {
        event->family = INQ_KLOG_CPU_AARCH64;
        if (take_hex_after(s, " frame=", &event->address))
            event->family = INQ_KLOG_CPU_RISCV;
        (void)take_hex_after(s, " sp=", &event->sp);
        return event->sp.known;
    }
    if (take_hex_after(s, " nip ", &event->ip))
        event->family = INQ_KLOG_CPU_PPC;
    else if (take_hex_after(s, " TPC ", &event->ip))
        event->family = INQ_KLOG_CPU_SPARC;
    else
        return false;
    inq_span_skip_blanks(&address);
    if (inq_span_take_hex(&address, &frame, NULL))
        inq_klog_set(&event->address, frame);
    return true;
}

bool inq_klog_parse_bad_frame(const struct inq_prefix *prefix, struct inq_klog_event *event,
                              bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, where;

    if (!inq_span_take_until(&s, " bad frame in ", &before))
        return false;
    where = (struct inq_span){s.at, s.at};
    while (where.end < s.end && !inq_is_blank(*where.end) && *where.end != ':')
        where.end++;
    if (inq_span_size(&where) == 0 || inq_span_size(&where) > 32)
        return false;
    s.at = where.end;
    if (inq_span_take(&s, ":") && s.at == s.end)
        return false;
    s.at = where.end + (where.end < s.end && *where.end == ':');
    if (!take_places(s, event))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->trap = INQ_KLOG_TRAP_OTHER;
    event->handler_possible = true;
    inq_klog_set(&event->signal, 11);
    where.at -= strlen("bad frame in ");
    inq_span_copy(&where, event->what, sizeof(event->what));
    return inq_klog_take_subject(prefix, before, event, ret_foreign);
}

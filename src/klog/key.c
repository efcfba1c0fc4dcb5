/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "klog_groups.h"
#include "klog_meaning.h"
#include "text.h"

/*
 * Where the code is. Address space randomisation moves whole pages: without a module the last 12
 * bits of ip are what stays the same. Then the program counts as well: two that call a null
 * pointer have nothing else in common.
 */
static void put_place(struct inq_text *text, const struct inq_klog_event *e)
{
    const bool in_module = e->module[0] && !e->module_not_at_ip;

    if (in_module) {
        inq_text_append(text, e->module);
        if (e->file_offset.known)
            inq_text_printf(text, "+0x%" PRIx64, e->file_offset.value);
        else if (e->text_offset.known)
            inq_text_printf(text, "+text+0x%" PRIx64, e->text_offset.value);
    } else {
        inq_text_append(text, e->comm);
        if (e->ip.known)
            inq_text_printf(text, " ip ...%03x", (unsigned)(e->ip.value & 0xfff));
    }
}

static void put_fault(struct inq_text *text, const struct inq_klog_event *e)
{
    const char *why, *access = inq_klog_access_name(e->access);
    const char *class = inq_klog_address_class(e, &why);

    if (!class)
        class = e->address.known && e->trap == INQ_KLOG_TRAP_PAGE_FAULT ? "other" : "-";
    inq_text_printf(text, "%s|%s|%s|", inq_klog_trap_name(e->trap), access ? access : "-", class);
    put_place(text, e);
}

/* A headline without its numbers: they differ from one time to the next. */
static void put_headline(struct inq_text *text, const char *words)
{
    for (const char *at = words; *at;) {
        size_t n = strspn(at, "0123456789abcdefx");

        /* hex words and numbers, not "fed" */
        if (n > 0 && (at == words || !isalnum((unsigned char)at[-1])) &&
            strcspn(at, "0123456789") < n && !isalpha((unsigned char)at[n])) {
            inq_text_append(text, "N");
            at += n;
        } else {
            inq_text_append_bytes(text, at, 1);
            at++;
        }
    }
}

static const char *seccomp_word(const struct inq_klog_event *e)
{
    const char *action = e->action.known ? inq_klog_action_name(e->action.value) : NULL;

    return e->signal.value ? "killed" : action ? action : "logged";
}

char *inq_klog_key(const struct inq_klog_event *e)
{
    struct inq_text text = {0};

    inq_text_printf(&text, "%s|", inq_klog_kind_name(e->kind));
    switch (e->kind) {
    case INQ_KLOG_FAULT:
        put_fault(&text, e);
        break;
    case INQ_KLOG_OOM_KILL:
        inq_text_printf(&text, "%s|%s", e->oom_cgroup ? "cgroup" : "global", e->comm);
        break;
    case INQ_KLOG_SECCOMP:
        inq_text_printf(&text, "%s|%s|%" PRIu64, seccomp_word(e), e->comm, e->syscall.value);
        break;
    case INQ_KLOG_ABEND:
        inq_text_printf(&text, "%s|%" PRIu64, e->comm, e->signal.value);
        break;
    case INQ_KLOG_KERNEL:
    case INQ_KLOG_HARDWARE:
    case INQ_KLOG_COREDUMP:
        put_headline(&text, e->what[0] ? e->what : e->text);
        break;
    default:
        inq_text_append(&text, e->comm);
        break;
    }
    if (text.failed) {
        inq_text_deinit(&text);
        return NULL;
    }
    return text.bytes;
}

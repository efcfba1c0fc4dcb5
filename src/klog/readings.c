/* SPDX-License-Identifier: Apache-2.0 */
#include "readings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "klog_meaning.h"
#include "text.h"

__attribute__((format(printf, 2, 3))) static bool say(json_t *list, const char *format, ...)
{
    char line[1024]; /* our own words, numbers, and names of at most 255 bytes */
    _cleanup_free_ char *safe = NULL;
    bool lossy;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    safe = inq_utf8_from_bytes(line, strlen(line), &lossy);
    return safe && json_array_append_new(list, json_string(safe)) == 0;
}

bool inq_klog_is_init_death(const struct inq_klog_event *e)
{
    return e->kind == INQ_KLOG_KERNEL && strstr(e->text, "Attempted to kill init!");
}

static const char *tried_words(const struct inq_klog_event *e)
{
    switch (e->access) {
    case INQ_KLOG_ACCESS_READ:
        return "read of";
    case INQ_KLOG_ACCESS_WRITE:
        return "write to";
    case INQ_KLOG_ACCESS_EXECUTE:
        return "jump to";
    default:
        return "access to";
    }
}

static void put_address(struct inq_text *text, const struct inq_klog_event *e)
{
    uint64_t a = e->address.value;
    uint64_t minus = e->word_bits == 32 && a <= UINT32_MAX ? (1ull << 32) - a : 0 - a;

    if (minus >= 1 && minus <= 4095)
        inq_text_printf(text, "-%" PRIu64 " (0x%" PRIx64 ")", minus, a);
    else
        inq_text_printf(text, "0x%" PRIx64, a);
}

static void put_where(struct inq_text *text, const struct inq_klog_event *e)
{
    if (!e->module[0] || e->module_not_at_ip)
        return;
    inq_text_append(text, " in ");
    inq_text_append(text, e->module);
    if (e->file_offset.known)
        inq_text_printf(text, "+0x%" PRIx64, e->file_offset.value);
    else if (e->text_offset.known)
        inq_text_printf(text, " (0x%" PRIx64 " into its text)", e->text_offset.value);
}

static void put_fault_title(struct inq_text *text, const struct inq_klog_group *group)
{
    const struct inq_klog_event *e = &group->first;

    if (e->trap == INQ_KLOG_TRAP_PAGE_FAULT && e->address.known) {
        inq_text_printf(text, "%s ", tried_words(e));
        if (group->same_address) {
            put_address(text, e);
        } else {
            const char *why, *class = inq_klog_address_class(e, &why);
            inq_text_printf(text, "%s addresses", class ? class : "different");
        }
    } else {
        inq_text_append(text, e->what[0] ? e->what : inq_klog_trap_name(e->trap));
    }
    put_where(text, e);
}

/* SECCOMP_RET_TRAP is logged with signal 0 and sends SIGSYS; ERRNO and TRACE let nobody pass. */
static bool is_seccomp_action(const struct inq_klog_event *e, const char *name)
{
    const char *have = e->action.known ? inq_klog_action_name(e->action.value) : NULL;

    return have && !strcmp(have, name);
}

static const char *seccomp_title(const struct inq_klog_event *e)
{
    if (e->signal.value)
        return "killed by a seccomp filter at system call";
    if (is_seccomp_action(e, "trap"))
        return "sent SIGSYS by a seccomp filter at system call";
    if (is_seccomp_action(e, "errno"))
        return "refused with an error by a seccomp filter: system call";
    return "seccomp logged (and did not kill) system call";
}

static const char *seccomp_meaning(const struct inq_klog_event *e)
{
    if (e->signal.value)
        return "SIGSYS or SIGKILL by policy, not a fault";
    if (is_seccomp_action(e, "trap"))
        return "the filter sent SIGSYS (SECCOMP_RET_TRAP): without a handler the process died of "
               "it";
    if (is_seccomp_action(e, "errno"))
        return "the filter made the call fail with an error number and let the process go on";
    if (is_seccomp_action(e, "log"))
        return "the filter logged the call and let it go on";
    if (is_seccomp_action(e, "trace") || is_seccomp_action(e, "user-notif"))
        return "the filter left the call to another process to decide";
    return "sig=0: the filter logged the call and did not kill for it";
}

char *inq_klog_title(const struct inq_klog_group *group)
{
    const struct inq_klog_event *e = &group->first;
    struct inq_text text = {0};

    switch (e->kind) {
    case INQ_KLOG_FAULT:
        put_fault_title(&text, group);
        break;
    case INQ_KLOG_OOM_KILL:
        if (!strcmp(e->what, "no page could be had"))
            inq_text_printf(&text, "killed by the kernel, which got no page for it: %s", e->comm);
        else
            inq_text_printf(&text, "killed by the OOM killer (%s): %s",
                            e->oom_cgroup ? "a cgroup's limit" : "the machine was out of memory",
                            e->comm);
        break;
    case INQ_KLOG_MEMORY_FAILURE_KILL:
        inq_text_append(&text, e->handler_possible
                                   ? "sent SIGBUS since its memory is broken hardware"
                                   : "killed since its memory is broken hardware");
        break;
    case INQ_KLOG_SECCOMP:
        inq_text_printf(&text, "%s %" PRIu64, seccomp_title(e), e->syscall.value);
        break;
    case INQ_KLOG_ABEND:
        inq_text_printf(&text, "%s: ended by signal %" PRIu64,
                        !strcmp(e->what, "fatal signal") ? "the kernel" : "audit", e->signal.value);
        break;
    case INQ_KLOG_COREDUMP:
        inq_text_printf(&text, "core dump: %s", e->what);
        break;
    case INQ_KLOG_KERNEL:
        inq_text_printf(&text, "%s: %.120s",
                        inq_klog_is_init_death(e) ? "init ended, and the machine with it"
                                                  : "the kernel is a suspect",
                        e->text);
        break;
    default:
        inq_text_printf(&text, "the hardware is a suspect: %.120s", e->text);
        break;
    }
    if (text.failed) {
        inq_text_deinit(&text);
        return NULL;
    }
    return text.bytes;
}

static bool mean_class(json_t *list, const struct inq_klog_event *e)
{
    static const struct {
        const char *class, *read, *execute;
    } words[] = {
        {"null-page",
         "a null pointer, and the address is the offset of a field; or a small number taken for "
         "a pointer",
         "a call of a null function pointer, or of a small number"},
        {"near-null",
         "a null pointer with a large offset or index, or a small number taken for a "
         "pointer",
         "a small number taken for a function"},
        {"neg-errno",
         "minus a small number: an error code (-1 is a failed call's) taken for a "
         "pointer, or a small pointer less an offset",
         "an error code taken for a "
         "function"},
        {"kernel-half", "no process has memory there: an overwritten or misread pointer",
         "an overwritten function pointer or return address, or the vsyscall page"},
        {"stack-near", "within 1 MiB of the stack pointer: a stack that is used up looks so", NULL},
        {"unmapped", NULL,
         "nothing is mapped there: code that was unloaded, a stale or overwritten "
         "function pointer or return address"},
        {"read-only", "memory that may only be read: a string literal, a constant, or mprotect",
         NULL},
        {"no-exec", NULL,
         "data or a stack taken for code: an overwritten function pointer or return "
         "address, or generated code without PROT_EXEC"},
    };
    const char *why, *class = inq_klog_address_class(e, &why);

    for (size_t i = 0; class && i < INQ_ARRAY_SIZE(words); i++) {
        const char *text = e->access == INQ_KLOG_ACCESS_EXECUTE ? words[i].execute : words[i].read;
        if (!strcmp(class, words[i].class) && text)
            return say(list, "%s: %s", class, text);
    }
    return true;
}

static bool mean_bus_error(json_t *list, const struct inq_klog_event *e)
{
    return !inq_klog_is_bus_error(e) ||
           say(list, "SIGBUS: a mapping is there, and its page could not be had (a file that was "
                     "cut short or cannot be read, no room or huge page left, broken memory), or "
                     "the address is misaligned");
}

static bool mean_instruction(json_t *list, const struct inq_klog_event *e)
{
    struct inq_klog_instruction in;

    if (e->code_unreadable && e->module[0] && !e->module_not_at_ip)
        return say(list, "the kernel could not read all bytes around ip (it begins some 40 before "
                         "it): a hole right before, or memory that may not be read");
    if (e->code_unreadable)
        return say(list, "no code could be read around ip: nothing is mapped there, or right "
                         "before it, or it may not be read");
    if (!inq_klog_decode(e, &in))
        return true;
    if (in.contradicts)
        return say(list,
                   "the bytes at ip are \"%s\", which does not do what the error code says: the "
                   "line or the code was changed",
                   in.text);
    if (in.has_base_value && !in.may_straddle)
        return say(list, "the instruction is \"%s\", so %%%s held 0x%" PRIx64, in.text, in.base,
                   in.base_value);
    return say(list, "the instruction is \"%s\"", in.text);
}

static bool mean_place(json_t *list, const struct inq_klog_event *e)
{
    if (e->module[0] == '\0')
        return !e->ip.known || e->family != INQ_KLOG_CPU_X86 ||
               say(list,
                   "ip is in no file's mapping, or the line was cut, or the kernel is too old to "
                   "tell: no library can be named");
    if (e->module_not_at_ip)
        return say(list,
                   "ip lies outside of %s: the kernel named the next mapping above a hole, and "
                   "the crash is not in it",
                   e->module);
    if (e->file_offset.known)
        return say(list,
                   "ip is at offset 0x%" PRIx64 " of the file %s%s; addr2line and objdump want "
                   "the address: add VirtAddr - Offset of its executable LOAD (readelf -lW)",
                   e->file_offset.value, e->module, e->module_deleted ? " (deleted since)" : "");
    if (e->text_offset.known)
        return say(list,
                   "ip is 0x%" PRIx64 " into the mapping of %s that holds it%s; this kernel does "
                   "not print where that begins in the file: add the VirtAddr of the "
                   "executable LOAD, rounded down to a page (readelf -lW)",
                   e->text_offset.value, e->module, e->module_deleted ? " (deleted since)" : "");
    return say(list, "the line names %s but not where in it", e->module);
}

static bool mean_oom(json_t *list, const struct inq_klog_event *e)
{
    if (!say(list, "SIGKILL: no core is written"))
        return false;
    if (e->rss_bytes.known &&
        !say(list, "anonymous memory of the one killed: %" PRIu64 " MiB", e->rss_bytes.value >> 20))
        return false;
    return !e->oom_cgroup ||
           say(list, "the limit of the memory cgroup %s, not the machine's memory",
               e->cgroup[0] ? e->cgroup : "(not named)");
}

static bool mean_fault(json_t *list, const struct inq_klog_event *e)
{
    struct inq_text text = {0};
    bool ok = true;

    inq_klog_explain_error(e, &text);
    if (text.size > 0)
        ok = say(list, "%s", text.bytes);
    ok = ok && !text.failed;
    inq_text_deinit(&text);
    if (e->error_note[0])
        ok = ok && say(list, "the kernel's word for it: %s", e->error_note);
    if (e->trap == INQ_KLOG_TRAP_VSYSCALL)
        ok =
            ok && say(list, "a call of the vsyscall page, which old statically linked programs and "
                            "glibc before 2.14 make: vsyscall=emulate lets them");
    return ok && mean_bus_error(list, e) && mean_class(list, e) && mean_instruction(list, e) &&
           mean_place(list, e);
}

/* "exitcode=0x0000000b": a wait status, the signal in its low seven bits */
static bool mean_init_death(json_t *list, const struct inq_klog_event *e)
{
    const char *at = strstr(e->text, "exitcode=0x");
    unsigned long status = at ? strtoul(at + strlen("exitcode=0x"), NULL, 16) : 0;

    if (!at)
        return say(list, "the first process ended, and without it no machine goes on");
    if (status & 0x7f)
        return say(list,
                   "the first process died of signal %lu (exitcode 0x%lx), and without it no "
                   "machine goes on: see its own line before this one",
                   status & 0x7f, status);
    return say(list,
               "the first process ended by itself with status %lu, and without it no machine "
               "goes on",
               status >> 8 & 0xff);
}

static bool mean_kernel(json_t *list, const struct inq_klog_event *e)
{
    const char *running = e->comm[0] ? "; running then: " : "";

    if (inq_klog_is_init_death(e))
        return mean_init_death(list, e);
    if (strstr(e->text, "INFO: task "))
        return say(list,
                   "no crash: a task waited in the kernel for very long (a disk or a server "
                   "that does not answer, a lock, a bug)%s%s",
                   e->comm[0] ? ": " : "", e->comm);
    if (strstr(e->text, "lockup") || strstr(e->text, "LOCKUP") || strstr(e->text, "stall"))
        return say(list,
                   "no user process's crash: a processor got nowhere; a bug in the kernel or "
                   "a driver, or a virtual machine that was not given a processor%s%s",
                   running, e->comm);
    return say(list,
               "no user process's crash: a bug in the kernel or a driver, and bad memory "
               "or a bad CPU, fit alike%s%s",
               running, e->comm);
}

static bool is_corrected(const struct inq_klog_event *e)
{
    return strstr(e->text, "severity: corrected") || strstr(e->text, ": CE ") ||
           (inq_starts_with(e->text, "EDAC ") && strstr(e->text, " CE "));
}

bool inq_klog_add_meaning(json_t *list, const struct inq_klog_group *group)
{
    const struct inq_klog_event *e = &group->first;

    switch (e->kind) {
    case INQ_KLOG_FAULT:
        return mean_fault(list, e);
    case INQ_KLOG_OOM_KILL:
        return mean_oom(list, e);
    case INQ_KLOG_KERNEL:
        return mean_kernel(list, e);
    case INQ_KLOG_HARDWARE:
        return say(list, is_corrected(e) ? "corrected: no program got wrong data by it; many of "
                                           "them announce worse"
                                         : "crashes near it in time may be its consequence");
    case INQ_KLOG_SECCOMP:
        return say(list, "%s", seccomp_meaning(e));
    case INQ_KLOG_MEMORY_FAILURE_KILL:
        return !e->handler_possible ||
               say(list, "SIGBUS: a process with a handler for it may have gone on");
    default:
        return true;
    }
}

bool inq_klog_add_excludes(json_t *list, const struct inq_klog_group *group)
{
    const struct inq_klog_event *e = &group->first;
    struct inq_klog_instruction in;

    if (e->kind != INQ_KLOG_FAULT)
        return true;
    if (!say(list, "the OOM killer: it sends SIGKILL, which leaves no such line (a malloc that "
                   "returned NULL is not excluded)") ||
        !say(list, "abort() and kill -SEGV: the kernel writes this for faults alone"))
        return false;
    /* init's faults are told in any case */
    if (!e->handler_possible && !(e->tid.known && e->tid.value == 1) &&
        !say(list, "a process with a handler for it (JVM, Go, faulthandler): those leave no line"))
        return false;
    if (inq_klog_protection_is_synthetic(e) &&
        !say(list, "\"a page without access\": see the protection bit"))
        return false;
    if (e->access == INQ_KLOG_ACCESS_EXECUTE && e->address.known && e->address.value > 0xffff &&
        !say(list, "a null function pointer"))
        return false;
    /* the size of a chunk of malloc's stands right before it */
    if (inq_klog_decode(e, &in) && in.has_base_value && in.base_value < 0x10000 &&
        e->address.value == in.base_value - 8 && strstr(e->module, "libc") &&
        !say(list, "a damaged heap header: the pointer itself is no address of a chunk"))
        return false;
    return true;
}

bool inq_klog_add_open(json_t *list, const struct inq_klog_group *group)
{
    const struct inq_klog_event *e = &group->first;

    if (e->kind != INQ_KLOG_FAULT)
        return true;
    if (e->handler_possible &&
        !say(list, "whether it died: this kernel tells of faults that the process handles, too"))
        return false;
    if (!inq_klog_is_bus_error(e) && e->access == INQ_KLOG_ACCESS_EXECUTE && e->address.known &&
        e->address.value > 0xffff)
        return say(list,
                   "unloaded code or an overwritten pointer: a core has the return address at "
                   "the stack pointer and the gaps between the libraries");
    if (e->trap == INQ_KLOG_TRAP_GENERAL_PROTECTION || e->trap == INQ_KLOG_TRAP_STACK_SEGMENT)
        return say(list, "which address: a core's registers and the instruction tell");
    if (inq_klog_is_bus_error(e))
        return say(list, "what is mapped there: a core has the names of the files");
    if (e->trap != INQ_KLOG_TRAP_PAGE_FAULT)
        return say(list, "how the program came there: the callers are in a core (inquest triage), "
                         "not in the log");
    return say(list,
               "who passed the pointer: the callers are in a core (inquest triage), not in the "
               "log");
}

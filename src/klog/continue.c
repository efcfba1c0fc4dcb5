/* SPDX-License-Identifier: Apache-2.0 */

/* Lines after the first: one crash can take a dozen of them. */

#include "cleanup.h"
#include "parse.h"

unsigned inq_klog_window(const struct inq_klog_event *event)
{
    switch (event->kind) {
    case INQ_KLOG_FAULT:
        return event->family == INQ_KLOG_CPU_X86 ? 4 : 24; /* registers follow on the others */
    case INQ_KLOG_OOM_KILL:
        return !strcmp(event->what, "announced") ? 12 : 0;
    case INQ_KLOG_ABEND:
        return !strcmp(event->what, "fatal signal") && !event->tid.known ? 4 : 0;
    case INQ_KLOG_KERNEL:
    case INQ_KLOG_HARDWARE:
        return 8;
    default:
        return 0;
    }
}

/* "in lib[base+size]" alone: the kernel printed it in a second piece, the logger broke the line */
static bool take_broken_off(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_klog_event part = {.ip = event->ip};
    struct inq_span t = s;

    if (!event->cpu.known && inq_klog_take_cpu(&t, event))
        return true;
    if (event->family == INQ_KLOG_CPU_X86 && inq_klog_take_broken_segfault(s, event))
        return true;
    if (event->module[0] || !inq_span_take(&t, "in ") || !inq_klog_take_module(&t, &part))
        return false;
    inq_klog_finish(&part);
    if (part.module_not_at_ip && part.file_offset_printed)
        return false; /* this form names only what holds ip: it is another crash's */
    memcpy(event->module, part.module, sizeof(event->module));
    event->module_deleted = part.module_deleted;
    event->module_start = part.module_start;
    event->module_size = part.module_size;
    event->file_offset = part.file_offset;
    event->file_offset_printed = part.file_offset_printed;
    inq_span_skip_blanks(&t);
    (void)inq_klog_take_cpu(&t, event);
    return true;
}

/* "Code:", with "comm[tid]: " before it on powerpc */
static bool is_code(struct inq_span s)
{
    struct inq_span before, t = s;

    if (inq_span_take(&t, "Code: ") || inq_span_take(&t, "Code:") || inq_span_take(&t, "code: "))
        return true;
    return inq_span_take_until(&s, "]: code: ", &before) && inq_span_size(&before) < 40;
}

/* A register of a dump: "pc : [<0000007f863750d0>]", "epc : 0000003faee8d1aa", "sp : 0000007ff8" */
static bool read_register(const struct inq_span *s, const char *name, struct inq_klog_u64 *ret)
{
    const char *at = inq_span_find(s, name);
    uint64_t value;

    if (!at || (at > s->at && !inq_is_blank(at[-1])))
        return false;
    struct inq_span t = {at + strlen(name), s->end};
    inq_span_skip_blanks(&t);
    if (!inq_span_take(&t, ":") && !inq_span_take(&t, "="))
        return false;
    inq_span_skip_blanks(&t);
    (void)inq_span_take(&t, "[<");
    if (!inq_span_take_hex(&t, &value, NULL))
        return false;
    inq_klog_set(ret, value);
    return true;
}

/* A line of a dump begins with a register: "x[77]: undefined instruction: pc=" is another crash. */
static bool is_dump(struct inq_span s)
{
    static const char *const begins[] = {"pc",     "epc",     "sepc",  "sp",     "PC is at ",
                                         "status", "sstatus", "cause", "scause", "badaddr"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(begins); i++) {
        struct inq_span t = s;
        if (inq_span_take(&t, begins[i]))
            return true;
    }
    return false;
}

static bool take_registers(const struct inq_span *s, struct inq_klog_event *e)
{
    bool any = false;

    struct inq_span at = *s, address;
    uint64_t ip;
    if (!e->ip.known && inq_span_take(&at, "PC is at ") && inq_span_take_word(&at, &address) &&
        inq_span_take_hex(&address, &ip, NULL) && address.at == address.end) {
        inq_klog_set(&e->ip, ip);
        any = true;
    }
    if (!e->ip.known)
        any |= read_register(s, "epc", &e->ip) || read_register(s, "sepc", &e->ip) ||
               read_register(s, "pc", &e->ip);
    if (!e->sp.known)
        any |= read_register(s, "sp", &e->sp);
    return any;
}

/* riscv: "status: ... badaddr: ... cause: 000000000000000d"; privileged spec, table of causes */
static bool take_riscv_cause(const struct inq_span *s, struct inq_klog_event *e)
{
    struct inq_klog_u64 cause;

    if (!read_register(s, "cause", &cause) && !read_register(s, "scause", &cause))
        return false;
    e->error = cause;
    switch (cause.value) {
    case 1:
    case 12:
        e->access = INQ_KLOG_ACCESS_EXECUTE;
        break;
    case 4:
    case 5:
    case 13:
        e->access = INQ_KLOG_ACCESS_READ;
        break;
    case 6:
    case 7:
    case 15:
        e->access = INQ_KLOG_ACCESS_WRITE;
        break;
    default:
        break;
    }
    return true;
}

/* Bits 11:10 of a TEID: 01 for a store, 10 for a fetch, be it of data or of an instruction. */
static bool take_s390(const struct inq_span *s, struct inq_klog_event *e)
{
    struct inq_span t = *s, psw;
    uint64_t address, teid, mask, ip;

    if (inq_span_take(&t, "Failing address: ") || inq_span_take(&t, "failing address: ")) {
        if (!inq_span_take_hex(&t, &address, NULL))
            return false;
        inq_klog_set(&e->address, address & ~0xfffull); /* the rest is no part of it */
        inq_span_skip_blanks(&t);
        if (inq_span_take(&t, "TEID: ") && inq_span_take_hex(&t, &teid, NULL))
            e->access = (teid >> 10 & 3) == 1 ? INQ_KLOG_ACCESS_WRITE : e->access;
        return true;
    }
    if (inq_span_take_until(&t, "User PSW : ", &psw) && inq_span_take_hex(&t, &mask, NULL) &&
        inq_span_take(&t, " ") && inq_span_take_hex(&t, &ip, NULL)) {
        inq_klog_set(&e->ip, ip);
        return true;
    }
    return false;
}

/* "epc = 77b1aa44 in libc.so[77b00000+90000]"; old: "00000000 (epc == 00400b5c, ra == 00400b44)" */
static bool take_mips(const struct inq_span *s, struct inq_klog_event *e)
{
    struct inq_span t = *s, before;
    uint64_t value;

    if ((inq_span_take(&t, "epc = ") || inq_span_take(&t, "era = ")) &&
        inq_span_take_hex(&t, &value, NULL)) {
        inq_klog_set(&e->ip, value);
        if (inq_span_take(&t, " in "))
            (void)inq_klog_take_module(&t, e);
        if (s->at[1] == 'r')
            e->family = INQ_KLOG_CPU_LOONGARCH;
        return true;
    }
    t = *s;
    if (inq_span_take_hex(&t, &value, NULL) && inq_span_take(&t, " (epc == ")) {
        inq_klog_set(&e->address, value);
        if (inq_span_take_hex(&t, &value, NULL))
            inq_klog_set(&e->ip, value);
        return true;
    }
    t = *s;
    return inq_span_take(&t, "ra  = ") && inq_span_take_until(&t, " ", &before);
}

/* "trap #15: Data TLB miss fault, vm_start = ...", " IASQ: ... IAOQ: 00000000f6b2e1a3 ..." */
static bool take_parisc(const struct inq_span *s, struct inq_klog_event *e)
{
    struct inq_span t = *s, words, before;
    uint64_t value;

    if (inq_span_take(&t, "trap #") && inq_span_take_decimal(&t, &value) &&
        inq_span_take(&t, ": ")) {
        words = t;
        if (!inq_span_take_until(&t, ",", &words))
            words = t;
        inq_span_trim(&words);
        inq_span_copy(&words, e->what, sizeof(e->what));
        return true;
    }
    if (e->ip.known || !inq_span_take_until(&t, "IAOQ: ", &before) ||
        !inq_span_take_hex(&t, &value, NULL))
        return false;
    inq_klog_set(&e->ip, value & ~3ull); /* the privilege level is in its low bits */
    return true;
}

/*
 * arm prints the line of an undefined instruction for the kernel's own, too: a BUG() of it, that
 * is. And 5.x printed a hash for pc: the registers have the number itself.
 */
static bool take_arm(const struct inq_span *s, struct inq_klog_event *e)
{
    struct inq_span t = *s;
    uint64_t ip;

    if (e->trap != INQ_KLOG_TRAP_INVALID_OPCODE)
        return false;
    if (inq_span_take(&t, "kernel BUG at ") ||
        (inq_span_take(&t, "PC is at ") && !inq_span_take_hex(&t, &ip, NULL))) {
        e->kind = INQ_KLOG_KERNEL;
        inq_span_copy(s, e->what, sizeof(e->what));
        return true;
    }
    t = *s;
    if (inq_span_take(&t, "PC is at ") && inq_span_take_hex(&t, &ip, NULL)) {
        inq_klog_set(&e->ip, ip);
        return true;
    }
    return false;
}

static enum inq_klog_more continue_fault(const struct inq_prefix *prefix, struct inq_klog_event *e)
{
    const struct inq_span s = prefix->message;
    struct inq_klog_event another;
    bool foreign;

    if (is_code(s))
        return INQ_KLOG_MORE_CODE;
    /* what is complete itself is not the rest of a line that was broken */
    if (e->broken[0] && (inq_klog_parse_line(prefix, &another, &foreign) || foreign))
        return INQ_KLOG_MORE_NOT;
    if (take_broken_off(s, e))
        return INQ_KLOG_MORE_PART;
    if (e->family == INQ_KLOG_CPU_X86)
        return INQ_KLOG_MORE_NOT;
    if (inq_klog_take_cpu_line(s, e))
        return INQ_KLOG_MORE_PART;
    if (e->family == INQ_KLOG_CPU_S390)
        return take_s390(&s, e) ? INQ_KLOG_MORE_PART : INQ_KLOG_MORE_NOT;
    if (e->family == INQ_KLOG_CPU_MIPS || e->family == INQ_KLOG_CPU_LOONGARCH)
        return take_mips(&s, e) ? INQ_KLOG_MORE_PART : INQ_KLOG_MORE_NOT;
    if (e->family == INQ_KLOG_CPU_PARISC)
        return take_parisc(&s, e) ? INQ_KLOG_MORE_PART : INQ_KLOG_MORE_NOT;
    if (e->family == INQ_KLOG_CPU_ARM && take_arm(&s, e))
        return INQ_KLOG_MORE_PART;
    if (!is_dump(s))
        return INQ_KLOG_MORE_NOT;
    bool any = take_registers(&s, e);
    if (e->family == INQ_KLOG_CPU_RISCV)
        any |= take_riscv_cause(&s, e);
    return any ? INQ_KLOG_MORE_PART : INQ_KLOG_MORE_NOT;
}

/* An announced kill is told by the line that says it was done, of the same process or a child. */
static enum inq_klog_more continue_oom(const struct inq_prefix *prefix, struct inq_klog_event *e)
{
    struct inq_klog_event done = {0};
    struct inq_prefix kernel = *prefix;
    bool killed;

    kernel.is_kernel = !prefix->is_foreign; /* the line before it says so */
    if (!inq_klog_parse_oom(&kernel, &done))
        return INQ_KLOG_MORE_NOT;
    killed = !strcmp(done.what, "killed");
    if (!killed && !(e->pid.known && done.pid.known && e->pid.value == done.pid.value))
        return INQ_KLOG_MORE_NOT;
    bool same = e->pid.value == done.pid.value;
    e->oom_cgroup = e->oom_cgroup || done.oom_cgroup;
    e->tid = done.tid;
    e->pid = done.pid;
    e->rss_bytes = done.rss_bytes;
    if (done.uid.known || !same)
        e->uid = done.uid;
    inq_klog_set(&e->signal, 9);
    memcpy(e->comm, done.comm, sizeof(e->comm));
    memcpy(e->what, done.what, sizeof(e->what));
    return killed ? INQ_KLOG_MORE_LAST : INQ_KLOG_MORE_PART;
}

/* The lines of one oops: "BUG: unable ...", "Oops: 0000 [#1]", "CPU: 3 PID: ...". */
static enum inq_klog_more continue_kernel(const struct inq_prefix *prefix, struct inq_klog_event *e)
{
    struct inq_span s = prefix->message, t = s;

    if (inq_klog_take_cpu_line(s, e))
        return INQ_KLOG_MORE_PART;
    if (inq_span_take(&t, "Oops: ") || inq_span_take(&t, "Oops [#") ||
        inq_span_take(&t, "Oops[#") || inq_span_take(&t, "#PF: ") || inq_span_take(&t, "PGD ") ||
        inq_span_take(&t, "RIP: ") || inq_span_take(&t, "Internal error: "))
        return INQ_KLOG_MORE_PART;
    t = s;
    struct inq_span before;
    if (inq_span_take_until(&t, ": 0000 [#", &before) && inq_span_size(&before) < 100)
        return INQ_KLOG_MORE_PART;
    struct inq_klog_event note = {0};
    if (inq_span_take(&s, "note: ") && inq_klog_parse_kernel(prefix, &note) &&
        (!e->tid.known || e->tid.value == note.tid.value)) {
        e->tid = note.tid;
        memcpy(e->comm, note.comm, sizeof(e->comm));
        return INQ_KLOG_MORE_PART;
    }
    return INQ_KLOG_MORE_NOT;
}

static enum inq_klog_more continue_hardware(const struct inq_prefix *prefix,
                                            struct inq_klog_event *e)
{
    struct inq_klog_event next = {0};

    if (!inq_span_find(&prefix->message, "[Hardware Error]") ||
        !inq_klog_parse_hardware(prefix, &next))
        return INQ_KLOG_MORE_NOT;
    if (next.cpu.known && e->cpu.known && next.cpu.value != e->cpu.value)
        return INQ_KLOG_MORE_NOT;
    if (next.cpu.known)
        e->cpu = next.cpu;
    return INQ_KLOG_MORE_PART;
}

enum inq_klog_more inq_klog_continue(const struct inq_prefix *prefix, struct inq_klog_event *event)
{
    switch (event->kind) {
    case INQ_KLOG_FAULT:
        return continue_fault(prefix, event);
    case INQ_KLOG_OOM_KILL:
        return continue_oom(prefix, event);
    case INQ_KLOG_ABEND:
        return inq_klog_take_cpu_line(prefix->message, event) ? INQ_KLOG_MORE_LAST
                                                              : INQ_KLOG_MORE_NOT;
    case INQ_KLOG_KERNEL:
        return continue_kernel(prefix, event);
    case INQ_KLOG_HARDWARE:
        return continue_hardware(prefix, event);
    default:
        return INQ_KLOG_MORE_NOT;
    }
}

/* One word of a Code: line: a byte or a unit of 2 or 4 bytes, marked with <> or (). */
static bool take_unit(struct inq_span word, bool *ret_marked, uint32_t *ret_value,
                      unsigned *ret_size)
{
    uint64_t value;
    unsigned digits;

    *ret_marked = false;
    if (inq_span_take(&word, "<") || inq_span_take(&word, "("))
        *ret_marked = true;
    if (!inq_span_take_hex(&word, &value, &digits) || (digits != 2 && digits != 4 && digits != 8))
        return false;
    if (*ret_marked && !inq_span_take(&word, ">") && !inq_span_take(&word, ")"))
        return false;
    if (word.at != word.end)
        return false;
    *ret_value = (uint32_t)value;
    *ret_size = digits / 2;
    return true;
}

static bool is_big_endian(const struct inq_klog_event *e)
{
    return e->family == INQ_KLOG_CPU_S390; /* prints bytes anyway; of the others the line is mute */
}

void inq_klog_take_code(const struct inq_prefix *prefix, struct inq_klog_event *e)
{
    struct inq_span s = prefix->message, before, word;

    if (!inq_span_take_until(&s, "ode:", &before) || e->code_size > 0)
        return;
    inq_span_skip_blanks(&s);
    if (inq_span_find(&s, "nable to access") || inq_span_take(&s, "Bad ")) {
        e->code_unreadable = true;
        return;
    }
    while (inq_span_take_word(&s, &word)) {
        bool marked;
        uint32_t value;
        unsigned size;

        inq_span_skip_blanks(&s);
        if (e->code_size == 0 && inq_span_is(&word, "XXXXXXXX"))
            e->code_unreadable = true;
        if (!take_unit(word, &marked, &value, &size) || size > INQ_KLOG_CODE_BYTES - e->code_size)
            break;
        if (marked) {
            e->code_at = e->code_size;
            e->code_at_known = true;
        }
        for (unsigned i = 0; i < size; i++)
            e->code[e->code_size++] = (uint8_t)(value >> 8 * (is_big_endian(e) ? size - 1 - i : i));
    }
}

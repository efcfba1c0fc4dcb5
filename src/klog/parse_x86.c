/* SPDX-License-Identifier: Apache-2.0 */

/*
 * x86, and what prints like it (um, sparc with "(rpc ...)"):
 *   arch/x86/mm/fault.c, show_signal_msg(); before 2.6.25 with rip/rsp or eip/esp
 *   arch/x86/kernel/traps.c, show_signal(); before 3.x without "traps: "
 *   arch/x86/entry/vsyscall/vsyscall_64.c, warn_bad_vsyscall()
 *   arch/x86/kernel/cet.c, do_user_cp_fault()
 */

#include "cleanup.h"
#include "parse.h"

static const struct {
    const char *words; /* the longest first where one begins another */
    enum inq_klog_trap trap;
    unsigned signal;
} traps[] = {
    {"general protection", INQ_KLOG_TRAP_GENERAL_PROTECTION, 11},
    {"invalid opcode", INQ_KLOG_TRAP_INVALID_OPCODE, 4},
    {"divide error", INQ_KLOG_TRAP_DIVIDE_ERROR, 8},
    {"int3", INQ_KLOG_TRAP_BREAKPOINT, 5},
    {"stack segment", INQ_KLOG_TRAP_STACK_SEGMENT, 7},
    {"bounds", INQ_KLOG_TRAP_BOUNDS, 11},
    {"alignment check", INQ_KLOG_TRAP_ALIGNMENT, 7},
    {"control protection", INQ_KLOG_TRAP_CONTROL_PROTECTION, 11},
    {"overflow", INQ_KLOG_TRAP_OVERFLOW, 11},
    {"segment not present", INQ_KLOG_TRAP_OTHER, 7},
    {"invalid TSS", INQ_KLOG_TRAP_OTHER, 11},
    {"coprocessor segment overrun", INQ_KLOG_TRAP_OTHER, 8},
    {"iret exception", INQ_KLOG_TRAP_OTHER, 4},
};

/* "near ret)" of "error:1(near ret)" */
static void take_note(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span note, t = *s;

    if (inq_span_take(&t, "(") && inq_span_take_until(&t, ")", &note) &&
        inq_span_size(&note) < sizeof(event->error_note)) {
        inq_span_copy(&note, event->error_note, sizeof(event->error_note));
        *s = t;
    }
}

/*
 * %p has all digits of an address: a number at the end of a line with less of them was cut there,
 * by a terminal or a mail that broke the line.
 */
static bool is_cut(struct inq_span s, unsigned digits, unsigned word_bits)
{
    return s.at == s.end && digits > 0 && digits < 16 && !(digits == 8 && word_bits == 32);
}

/* The number after a key; blanks may stand before it. */
static bool take_number(struct inq_span *s, const char *key, struct inq_klog_u64 *ret_number,
                        unsigned *ret_digits)
{
    struct inq_span t = *s;
    uint64_t value;

    if (!inq_span_take(&t, key))
        return false;
    inq_span_skip_blanks(&t);
    if (!inq_span_take_hex(&t, &value, ret_digits))
        return false;
    inq_klog_set(ret_number, value);
    *s = t;
    return true;
}

static bool take_rpc(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_span t = *s, value;

    if (!inq_span_take(&t, "(rpc ") || !inq_span_take_until(&t, ")", &value))
        return false;
    event->family = INQ_KLOG_CPU_SPARC; /* its error is none of x86 */
    *s = t;
    return true;
}

/* "ip 000055d0f0001234" and the like: an address with all its digits. */
static bool take_address(struct inq_span *s, const char *const keys[3], unsigned word_bits,
                         struct inq_klog_u64 *ret_number, unsigned *ret_digits)
{
    struct inq_span t = *s;
    struct inq_klog_u64 number;

    for (size_t i = 0; i < 3; i++) {
        if (!take_number(&t, keys[i], &number, ret_digits))
            continue;
        if (is_cut(t, *ret_digits, word_bits))
            return false;
        *ret_number = number;
        *s = t;
        return true;
    }
    return false;
}

/* One field of a segfault line; in any order, since copies leave out some. */
static bool take_field(struct inq_span *s, struct inq_klog_event *event)
{
    static const char *const ip[] = {"ip ", "rip ", "eip "}, *const sp[] = {"sp ", "rsp ", "esp "};
    unsigned digits = 0;

    if (take_address(s, ip, 0, &event->ip, &digits)) {
        if (digits == 8)
            event->word_bits = 32; /* %p of a 32-bit kernel */
        return true;
    }
    if (take_address(s, sp, event->word_bits, &event->sp, &digits) ||
        take_number(s, "error ", &event->error, NULL))
        return true;
    if (take_rpc(s, event) || inq_klog_take_cpu(s, event))
        return true;
    struct inq_span t = *s;
    if (inq_span_take(&t, "in ") && !event->module_size.known && inq_klog_take_module(&t, event)) {
        *s = t;
        return true;
    }
    return false;
}

static void set_access(struct inq_klog_event *event)
{
    if (event->family != INQ_KLOG_CPU_X86 || !event->error.known)
        return;
    if (event->error.value & 0x10)
        event->access = INQ_KLOG_ACCESS_EXECUTE;
    else
        event->access = event->error.value & 2 ? INQ_KLOG_ACCESS_WRITE : INQ_KLOG_ACCESS_READ;
}

/* Fields up to the first word that is none; how many there were. */
static unsigned take_fields(struct inq_span *s, struct inq_klog_event *event)
{
    unsigned fields = 0;

    for (; fields < 10; fields++) {
        inq_span_skip_blanks(s);
        if (!take_field(s, event))
            break;
    }
    set_access(event);
    return fields;
}

/*
 * The end of a line that was broken: "ip", "sp 00007f", "in lib.so[1234,55d0". A mail marks such a
 * break with "=". False when it is something else.
 */
static bool keep_broken(struct inq_span rest, struct inq_klog_event *event)
{
    static const char *const keys[] = {"ip", "rip", "eip", "sp", "rsp", "esp", "error", "in"};

    inq_span_trim(&rest);
    if (inq_span_size(&rest) >= sizeof(event->broken))
        return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++) {
        struct inq_span t = rest;

        if (!inq_span_take(&t, keys[i]) || (t.at < t.end && *t.at != ' '))
            continue;
        inq_span_copy(&rest, event->broken, sizeof(event->broken));
        return true;
    }
    return false;
}

/* "sp 00007f" and "fd00001000 error 6", "in" and "lib.so[...]": as one line. */
static bool join_broken(struct inq_span s, const char *between, struct inq_klog_event *event)
{
    char line[640];
    size_t head = strlen(event->broken), size = inq_span_size(&s);
    struct inq_klog_event whole = *event;
    struct inq_span t;

    if (head > 0 && event->broken[head - 1] == '=')
        head--;
    if (size > sizeof(line) - sizeof(event->broken) - 2)
        return false;
    memcpy(line, event->broken, head);
    memcpy(line + head, between, strlen(between));
    memcpy(line + head + strlen(between), s.at, size);
    t = inq_span_of(line, head + strlen(between) + size);
    whole.broken[0] = '\0';
    if (take_fields(&t, &whole) == 0 ||
        (!strncmp(event->broken, "in", 2) && !whole.module_size.known) ||
        (event->module[0] && strcmp(event->module, whole.module) != 0) ||
        !(whole.error.known || (whole.ip.known && whole.sp.known)) ||
        (t.at != t.end && !whole.module_size.known && !keep_broken(t, &whole)))
        return false;
    *event = whole;
    return true;
}

bool inq_klog_take_broken_segfault(struct inq_span s, struct inq_klog_event *event)
{
    struct inq_klog_event whole = *event;

    if (event->trap != INQ_KLOG_TRAP_PAGE_FAULT)
        return false;
    if (event->broken[0])
        return join_broken(s, "", event) || join_broken(s, " ", event);
    if (event->error.known || take_fields(&s, &whole) == 0 || !whole.error.known ||
        (s.at != s.end && !keep_broken(s, &whole)))
        return false;
    *event = whole;
    return true;
}

/* What begins at `at` of the message. */
static bool parse_segfault_at(const struct inq_prefix *prefix, const char *at,
                              struct inq_klog_event *event, bool *ret_foreign)
{
    struct inq_span s = {at, prefix->message.end}, before = {prefix->message.at, at};
    uint64_t address;

    if (!inq_span_take(&s, "segfault at ") || !inq_span_take_hex(&s, &address, NULL))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_X86;
    event->trap = INQ_KLOG_TRAP_PAGE_FAULT;
    inq_klog_set(&event->address, address);
    (void)take_fields(&s, event);
    /* an address alone is what people write; the kernel writes more, perhaps on the next line */
    const bool broken = s.at == s.end || keep_broken(s, event);
    const char *in = inq_span_find_last(&prefix->message, " in ");
    if (in && event->module[0] && !event->module_size.known && s.at == s.end)
        (void)keep_broken((struct inq_span){in, s.end}, event); /* its range may be cut */
    if (!event->error.known && !(event->ip.known && (event->sp.known || broken)) &&
        !(broken && prefix->is_kernel))
        return false;
    inq_klog_set(&event->signal, 11);
    return inq_klog_take_subject(prefix, before, event, ret_foreign);
}

/* A program may call itself "segfault at 0 i": so many times the words are looked for. */
#define NAMES_MOST 4

static bool parse_segfault(const struct inq_prefix *prefix, struct inq_klog_event *event,
                           bool *ret_foreign)
{
    const struct inq_klog_event empty = {0};
    struct inq_span s = prefix->message;

    for (int i = 0; i < NAMES_MOST; i++) {
        const char *at = inq_span_find(&s, "segfault at ");

        if (!at)
            return false;
        *event = empty;
        if (parse_segfault_at(prefix, at, event, ret_foreign)) {
            *ret_foreign = false; /* what was tried before it was in the name */
            return true;
        }
        s.at = at + 1;
    }
    return false;
}

static bool set_trap(struct inq_span words, bool traps_prefix, struct inq_klog_event *event)
{
    bool trap_word = inq_span_take(&words, "trap ");

    inq_span_trim(&words);
    inq_span_copy(&words, event->what, sizeof(event->what));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(traps); i++) {
        struct inq_span w = words;

        if (!inq_span_take(&w, traps[i].words))
            continue;
        event->trap = traps[i].trap;
        inq_klog_set(&event->signal, traps[i].signal);
        return true;
    }
    event->trap = INQ_KLOG_TRAP_OTHER;
    return (traps_prefix || trap_word) && inq_span_size(&words) > 2 &&
           inq_span_size(&words) < sizeof(event->what);
}

/* "ip:", "rip:", "eip:" and the first word before it. */
static bool find_ip(struct inq_span *s, struct inq_span *ret_before)
{
    static const char *const keys[] = {" ip:", " rip:", " eip:"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++) {
        struct inq_span t = *s;
        if (inq_span_take_until(&t, keys[i], ret_before)) {
            *s = t;
            return true;
        }
    }
    return false;
}

static void take_trap_fields(struct inq_span *s, struct inq_klog_event *event)
{
    struct inq_klog_u64 ssp;

    for (int fields = 0; fields < 8; fields++) {
        inq_span_skip_blanks(s);
        if (take_number(s, "sp:", &event->sp, NULL) || take_number(s, "rsp:", &event->sp, NULL) ||
            take_number(s, "esp:", &event->sp, NULL) || take_number(s, "ssp:", &ssp, NULL))
            continue;
        if (take_number(s, "error:", &event->error, NULL)) {
            take_note(s, event);
            continue;
        }
        struct inq_span t = *s;
        (void)inq_span_take(&t, "in enclave "); /* SGX, of a control protection fault */
        if (event->module[0] == '\0' && inq_span_take(&t, "in ") &&
            inq_klog_take_module(&t, event)) {
            *s = t;
            continue;
        }
        if (!inq_klog_take_cpu(s, event))
            break;
    }
}

/* "comm[tid] general protection fault": the subject ends at the last "] " before the words. */
static bool split_words(struct inq_span *before, struct inq_span *ret_words)
{
    const char *at = inq_span_find_last(before, "] ");

    if (!at)
        return false;
    *ret_words = (struct inq_span){at + 2, before->end};
    before->end = at + 1;
    return true;
}

static bool parse_trap(const struct inq_prefix *prefix, struct inq_klog_event *event,
                       bool *ret_foreign)
{
    struct inq_prefix without = *prefix;
    struct inq_span s = prefix->message, before, words;
    bool traps_prefix = inq_span_take(&s, "traps: ");
    uint64_t ip;

    without.is_kernel = prefix->is_kernel || traps_prefix;
    for (int i = 0;; i++) { /* the name may hold " ip:", too */
        const char *start = prefix->message.at + (traps_prefix ? strlen("traps: ") : 0);

        if (i == NAMES_MOST || !find_ip(&s, &before))
            return false;
        before.at = start;
        if (split_words(&before, &words))
            break;
    }
    inq_span_skip_blanks(&s);
    if (!inq_span_take_hex(&s, &ip, NULL) || !set_trap(words, traps_prefix, event))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_X86;
    inq_klog_set(&event->ip, ip);
    take_trap_fields(&s, event);
    if (!event->sp.known)
        return false;
    return inq_klog_take_subject(&without, before, event, ret_foreign);
}

static bool parse_vsyscall(const struct inq_prefix *prefix, struct inq_klog_event *event,
                           bool *ret_foreign)
{
    struct inq_span s = prefix->message, before, words;
    uint64_t ip;

    if (!inq_span_find(&s, "vsyscall") || !find_ip(&s, &before) || !split_words(&before, &words) ||
        !inq_span_find(&words, "vsyscall"))
        return false;
    inq_span_skip_blanks(&s);
    if (!inq_span_take_hex(&s, &ip, NULL) || inq_span_find(&words, "emulated"))
        return false;
    event->kind = INQ_KLOG_FAULT;
    event->family = INQ_KLOG_CPU_X86;
    event->trap = INQ_KLOG_TRAP_VSYSCALL;
    event->word_bits = 64;
    inq_span_copy(&words, event->what, sizeof(event->what));
    inq_klog_set(&event->ip, ip);
    (void)inq_klog_hex_value(&s, "sp:", &event->sp);
    inq_klog_set(&event->signal, 11);
    return inq_klog_take_subject(prefix, before, event, ret_foreign);
}

bool inq_klog_parse_x86(const struct inq_prefix *prefix, struct inq_klog_event *event,
                        bool *ret_foreign)
{
    const struct inq_klog_event empty = {0};

    if (parse_segfault(prefix, event, ret_foreign))
        return true;
    *event = empty;
    if (parse_vsyscall(prefix, event, ret_foreign))
        return true;
    *event = empty;
    return parse_trap(prefix, event, ret_foreign);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Which line of a kernel's log is about which core: kernel_log.h. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "error_code.h"
#include "log_index.h"
#include "text.h"

#define USEC 1000000ll
#define COMM_BYTES 15u /* TASK_COMM_LEN - 1 */
/* %t and the line are of the same second, but for the drift of printk's clock */
#define NAMED_SECONDS 30
/* a file's time is that of its last byte, and large dumps take their time */
#define WRITTEN_SECONDS 600
#define ZONE_SECONDS (15 * 60) /* all zones are multiples of this away from UTC ... */
#define FURTHEST_ZONE (14 * 3600)
/* Addresses that many crashes have in common tell none from another. */
#define COMMON_ADDRESS 0x10000u

enum agreement { AGREES, UNKNOWN_YET, CONTRADICTS };

/* What the core says about itself. */
struct core {
    const json_t *document;
    bool has_pointers, has_address, has_time, time_named;
    uint64_t ip, sp, address, tids[3];
    size_t n_tids;
    int64_t usec;
    const char *names[4]; /* of thread, process and program: any may be the line's */
    const char *hostname;
    bool foreign_root;
};

/* A line for a core. */
struct match {
    struct inq_log_line *line;
    const char *by;
    bool sure;
};

/* ---- what the core says ---------------------------------------------------------------------- */

static const json_t *fact(const json_t *document, const char *path)
{
    const struct inq_fact_value value = inq_evidence_get(document, path, NULL, NULL);

    return value.known == INQ_KNOWN ? value.value : NULL;
}

static const char *text_fact(const json_t *document, const char *path)
{
    return json_string_value(fact(document, path));
}

/* The stack pointer by the names that registers have in reports. */
static bool stack_pointer(const json_t *document, uint64_t *ret_sp)
{
    static const char *const names[] = {"rsp", "esp", "sp"};
    const char *machine = text_fact(document, "core.machine");
    const json_t *registers = fact(document, "crashed.registers");

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (inq_json_addr_value(json_object_get(registers, names[i]), ret_sp))
            return true;
    if (machine && inq_starts_with(machine, "ppc"))
        return inq_json_addr_value(json_object_get(registers, "r1"), ret_sp);
    if (machine && inq_starts_with(machine, "s390"))
        return inq_json_addr_value(json_object_get(registers, "r15"), ret_sp);
    return false;
}

/* The thread's registers at its end: also after a handler, whose own fault would be the line's. */
static bool instruction_pointer(const json_t *document, uint64_t *ret_ip)
{
    static const char *const names[] = {"rip", "eip", "pc", "nip", "pswa"};
    const json_t *registers = fact(document, "crashed.registers");

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (inq_json_addr_value(json_object_get(registers, names[i]), ret_ip))
            return true;
    return inq_json_addr_value(fact(document, "crashed.frames[0].pc"), ret_ip) ||
           inq_json_addr_value(
               json_object_get(json_array_get(fact(document, "crashed.frames"), 0), "pc"), ret_ip);
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static void look_at(const json_t *document, struct core *ret_core)
{
    static const char *const ids[] = {"crashed.tid", "name_facts.tid", "name_facts.pid"};
    const char *source = text_fact(document, "process.crashed_at_source");
    struct core core = {.document = document};

    core.has_pointers =
        instruction_pointer(document, &core.ip) && stack_pointer(document, &core.sp);
    core.has_address = inq_json_addr_value(fact(document, "fault.address"), &core.address);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(ids); i++) {
        const json_t *id = fact(document, ids[i]);

        if (json_is_integer(id) && json_integer_value(id) > 0)
            core.tids[core.n_tids++] = (uint64_t)json_integer_value(id);
    }
    core.has_time = inq_log_parse_time(text_fact(document, "process.crashed_at"), &core.usec);
    core.time_named = source && !strcmp(source, "file-name");
    core.names[0] = text_fact(document, "crashed.name");
    core.names[1] = text_fact(document, "process.comm");
    core.names[2] = text_fact(document, "name_facts.comm");
    core.names[3] = base_name(text_fact(document, "process.executable"));
    core.hostname = text_fact(document, "process.hostname");
    core.foreign_root = json_is_true(fact(document, "core.foreign_root"));
    *ret_core = core;
}

/* ---- does a line fit? ------------------------------------------------------------------------ */

/* The year that the reader had to guess, as the core has it. */
static int64_t in_year_of(int64_t usec, int64_t other)
{
    const time_t a = (time_t)(usec / USEC), b = (time_t)(other / USEC);
    struct tm line, core;

    if (!gmtime_r(&a, &line) || !gmtime_r(&b, &core))
        return usec;
    line.tm_year = core.tm_year;
    return (int64_t)timegm(&line) * USEC + usec % USEC;
}

static enum agreement time_agrees(const struct inq_log_line *line, const struct core *core)
{
    int64_t usec = line->usec, apart;

    if (!core->has_time || (!line->has_time && !line->zone_unknown))
        return UNKNOWN_YET;
    if (line->year_assumed)
        usec = in_year_of(usec, core->usec);
    apart = (core->usec - usec) / USEC; /* the line comes first */
    if (line->zone_unknown) {
        if (llabs(apart) > FURTHEST_ZONE + NAMED_SECONDS)
            return CONTRADICTS;
        apart %= ZONE_SECONDS;
        if (apart > ZONE_SECONDS / 2)
            apart -= ZONE_SECONDS;
        if (apart < -ZONE_SECONDS / 2)
            apart += ZONE_SECONDS;
        /* what a file's time says is too little to take off a zone */
        if (!core->time_named)
            return UNKNOWN_YET;
    }
    if (apart < -NAMED_SECONDS)
        return CONTRADICTS;
    return apart <= (core->time_named ? NAMED_SECONDS : WRITTEN_SECONDS) ? AGREES : CONTRADICTS;
}

static bool same_tid(const struct inq_log_line *line, const struct core *core)
{
    for (size_t i = 0; line->tid.known && i < core->n_tids; i++)
        if (core->tids[i] == line->tid.value)
            return true;
    return false;
}

static bool same_name(const struct inq_log_line *line, const struct core *core)
{
    bool any = false;

    for (size_t i = 0; line->comm && i < INQ_ARRAY_SIZE(core->names); i++) {
        any |= core->names[i] != NULL;
        if (core->names[i] && !strncmp(core->names[i], line->comm, COMM_BYTES))
            return true;
    }
    return !any || !line->comm;
}

/* Is there a sign that the core was made on another machine than the log? */
static bool other_machine(const struct inq_kernel_log *log, const struct inq_log_line *line,
                          const struct core *core)
{
    const char *host = log->own ? log->hostname : line ? line->host : NULL;

    if (log->own && core->foreign_root)
        return true;
    return host && *host && core->hostname && strcmp(host, core->hostname) != 0;
}

static uint64_t distance(const struct inq_log_line *line, const struct core *core)
{
    if (!line->has_time || !core->has_time)
        return UINT64_MAX;
    return (uint64_t)llabs(core->usec - line->usec);
}

/*
 * Is the stack where it lies without address randomisation (setarch -R, norandmaps, gdb): the top
 * of what the process may have, or the mappings right below it? By chance one in some 60,000 is.
 */
static bool is_fixed(const struct core *core)
{
    return core->sp >> 28 == 0x7ffff || core->sp >> 28 == 0xfffff || /* x86-64; aarch64 */
           core->sp >> 20 == 0xfff || core->sp >> 20 == 0xbff;       /* 32 bits */
}

/*
 * ip and sp are equal. Of a program without address randomisation they are so each time it dies at
 * one place, and its id may come again after a restart: then the time has to agree, too.
 */
static bool is_sure(const struct inq_log_line *line, const struct core *core, bool tid,
                    bool several)
{
    const enum agreement time = time_agrees(line, core);

    if (is_fixed(core))
        return tid ? time != CONTRADICTS : !several && time == AGREES;
    return tid || (!several && time != CONTRADICTS);
}

/* See is_sure(). */
static bool match_pointers(struct inq_kernel_log *log, const struct core *core,
                           struct match *ret_match, bool *ret_several)
{
    struct inq_log_line *best = NULL;
    bool best_tid = false, several = false;
    size_t first, n;

    n = core->has_pointers ? inq_log_find_pointers(log, core->ip, core->sp, &first) : 0;
    for (size_t i = 0; i < n; i++) {
        struct inq_log_line *line = &log->lines.items[log->by_pointers.items[first + i]];
        const bool tid = same_tid(line, core);

        if (other_machine(log, line, core) && core->time_named &&
            time_agrees(line, core) == CONTRADICTS)
            continue;
        several |= best != NULL;
        if (best &&
            (best_tid > tid || (best_tid == tid && distance(best, core) <= distance(line, core))))
            continue;
        best = line;
        best_tid = tid;
    }
    if (!best)
        return false;
    *ret_match = (struct match){
        .line = best,
        .by = "ip-sp",
        .sure = is_sure(best, core, best_tid, several),
    };
    /* many of one place, and neither id nor time chooses among them */
    *ret_several = !best_tid && several && time_agrees(best, core) != AGREES;
    return !*ret_several;
}

/* The thread id is equal: what else is? NULL when that is too little, or something contradicts. */
static const char *fits_by_tid(const struct inq_kernel_log *log, const struct inq_log_line *line,
                               const struct core *core)
{
    const bool addresses = line->address.known && core->has_address;
    const enum agreement time = time_agrees(line, core);
    bool distinct;

    if (!same_name(line, core) || other_machine(log, line, core) || time == CONTRADICTS)
        return NULL;
    if (core->has_pointers && line->ip.known && line->ip.value != core->ip)
        return NULL;
    if (core->has_pointers && line->sp.known && line->sp.value != core->sp)
        return NULL;
    if (addresses && line->address.value != core->address)
        return NULL;
    if (core->has_pointers && line->ip.known)
        return "ip-tid";
    if (time == AGREES)
        return addresses ? "tid-address-time" : "tid-time";
    distinct = addresses && line->address.value >= COMMON_ADDRESS &&
               line->address.value < UINT64_MAX - COMMON_ADDRESS;
    return distinct ? "tid-address" : NULL;
}

static bool match_tid(struct inq_kernel_log *log, const struct core *core, struct match *ret_match)
{
    struct inq_log_line *best = NULL;
    const char *best_by = NULL;

    for (size_t t = 0; t < core->n_tids; t++) {
        size_t first, n = inq_log_find_tid(log, core->tids[t], &first);

        for (size_t i = 0; i < n; i++) {
            struct inq_log_line *line = &log->lines.items[log->by_tid.items[first + i]];
            const char *by = fits_by_tid(log, line, core);

            if (by && (!best || distance(line, core) < distance(best, core))) {
                best = line;
                best_by = by;
            }
        }
    }
    *ret_match = (struct match){.line = best, .by = best_by};
    return best != NULL;
}

/* ---- what a line adds ------------------------------------------------------------------------ */

static const char *trap_word(enum inq_klog_trap trap)
{
    static const char *const words[] = {
        [INQ_KLOG_TRAP_PAGE_FAULT] = "page-fault",
        [INQ_KLOG_TRAP_GENERAL_PROTECTION] = "general-protection",
        [INQ_KLOG_TRAP_INVALID_OPCODE] = "invalid-opcode",
        [INQ_KLOG_TRAP_DIVIDE_ERROR] = "divide-error",
        [INQ_KLOG_TRAP_BREAKPOINT] = "breakpoint",
        [INQ_KLOG_TRAP_STACK_SEGMENT] = "stack-segment",
        [INQ_KLOG_TRAP_ALIGNMENT] = "alignment-check",
        [INQ_KLOG_TRAP_CONTROL_PROTECTION] = "control-protection",
        [INQ_KLOG_TRAP_OVERFLOW] = "overflow",
    };

    return (size_t)trap < INQ_ARRAY_SIZE(words) ? words[trap] : NULL;
}

__attribute__((format(printf, 2, 3))) static void contradict(json_t *list, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    json_array_append_new(list, json_string(text));
}

/* The CPU's own number, instead of one that was inferred. */
static void set_error_code(struct inq_evidence *evidence, const struct inq_log_line *line,
                           json_t *against)
{
    const json_t *document = evidence->document;
    const json_t *have = fact(document, "fault.error_code.value");
    const char *trap = trap_word(line->trap), *have_trap = text_fact(document, "fault.trap");

    if (line->family != INQ_KLOG_CPU_X86 || !json_is_object(fact(document, "fault")))
        return;
    if (trap && have_trap && strcmp(trap, have_trap) != 0)
        contradict(against, "trap: the line says %s, the dump says %s", trap, have_trap);
    else if (trap && !have_trap)
        inq_evidence_set_text(evidence, "fault.trap", trap);
    if (!line->error.known || line->error.value > INT32_MAX)
        return;
    if (json_is_integer(have) && (uint64_t)json_integer_value(have) != line->error.value)
        contradict(against, "error code: the line says 0x%" PRIx64 ", the dump leads to 0x%" PRIx64,
                   line->error.value, (uint64_t)json_integer_value(have));
    inq_error_code_set_from_log(evidence, trap, (uint32_t)line->error.value);
}

static void set_crashed_at(struct inq_evidence *evidence, const struct inq_log_line *line,
                           const struct core *core)
{
    const int64_t usec =
        line->year_assumed && core->has_time ? in_year_of(line->usec, core->usec) : line->usec;
    char when[32];

    if (core->time_named || !line->has_time || !inq_log_time_text(usec, when))
        return;
    /* a core is written after its line: a clock that says otherwise was off */
    if (core->has_time && core->usec < usec - NAMED_SECONDS * USEC)
        return;
    inq_evidence_set_text(evidence, "process.crashed_at", when);
    inq_evidence_set_text(evidence, "process.crashed_at_source", "kernel-log");
}

static void set_number(json_t *object, const char *key, const struct inq_klog_u64 *number)
{
    if (number->known && number->value <= INT64_MAX)
        json_object_set_new(object, key, json_integer((json_int_t)number->value));
}

/* New reference; NULL without memory. */
static json_t *line_object(const struct inq_log_line *line)
{
    json_t *object = json_object();
    char when[32];

    if (!object)
        return NULL;
    inq_json_set_foreign(object, "line", line->text);
    if (line->has_time && inq_log_time_text(line->usec, when))
        json_object_set_new(object, "time", json_string(when));
    set_number(object, "tid", &line->tid);
    return object;
}

static struct inq_error *add_line(struct inq_evidence *evidence, const struct match *match,
                                  const struct core *core)
{
    const struct inq_log_line *line = match->line;
    const char *source = text_fact(core->document, "fault.source");
    json_t *object = line_object(line), *against = json_array();

    if (!object || !against) {
        json_decref(object);
        json_decref(against);
        return &inq_error_oom;
    }
    set_number(object, "cpu", &line->cpu);
    set_number(object, "core", &line->core);
    set_number(object, "socket", &line->socket);
    set_number(object, "error_code", &line->error);
    json_object_set_new(object, "matched_by", json_string(match->by));
    json_object_set_new(object, "likely", json_boolean(!match->sure));
    if (match->sure)
        set_crashed_at(evidence, line, core);
    /* where a handler died of a fault of its own, the line is about that one */
    if (match->sure && source && !strcmp(source, "registers")) {
        if (line->address.known && core->has_address && line->address.value != core->address)
            contradict(against, "address: the line says 0x%" PRIx64 ", the dump says 0x%" PRIx64,
                       line->address.value, core->address);
        set_error_code(evidence, line, against);
    }
    json_object_set_new(object, "contradictions", against);
    inq_evidence_append(evidence, "kernel_log", object);
    return NULL;
}

/* ---- no line --------------------------------------------------------------------------------- */

/*
 * Why the kernel writes no line about such a death, whatever the log: show_signal_msg() in
 * arch/x86/mm/fault.c and show_signal() in arch/x86/kernel/traps.c are for signals that nobody
 * handles, and not called for these. NULL: it does.
 */
static const char *never_logged(const json_t *document)
{
    const char *sent_by = text_fact(document, "signal.sent_by");
    const char *source = text_fact(document, "fault.source");
    const char *signal = text_fact(document, "signal.name");
    const char *trap = text_fact(document, "fault.trap");
    const char *reason = text_fact(document, "fault.reason");
    const char *machine = text_fact(document, "core.machine");

    if (source && !strcmp(source, "signal-frame"))
        return "the process had a handler for the fault: the kernel logs only faults that nobody "
               "handles";
    if (sent_by && strcmp(sent_by, "kernel") != 0)
        return "the signal was sent by a process: the kernel logs only faults";
    if (reason && !strcmp(reason, "undeliverable-signal"))
        return "the signal of the fault found no room on the stack: for that the kernel logs no "
               "line";
    if (signal && !strcmp(signal, "SIGBUS") && machine &&
        (inq_starts_with(machine, "x") || !strcmp(machine, "i386")))
        return "for a page that could not be had (SIGBUS) the kernel logs no line on x86";
    if (trap && (!strcmp(trap, "x87-error") || !strcmp(trap, "simd-error")))
        return "for errors of floating-point arithmetic the kernel logs no line";
    return NULL;
}

/* Nothing is said where the log may not be read: there, nothing is known. */
static void say_absent(struct inq_evidence *evidence, const struct inq_kernel_log *log,
                       const struct core *core, bool several)
{
    const char *why = never_logged(evidence->document);
    bool expected = true;

    if (!why && log->own && other_machine(log, NULL, core))
        why = "the log is this machine's, and the core is from another";
    if (!why && log->own && core->has_time && log->begins_known && core->usec < log->begins_usec)
        why = "the crash is older than the log";
    if (!why && log->dropped)
        why = "the log has more crashes than are kept: the oldest were left out";
    if (!why) {
        expected = false;
        why = several ? "several lines fit alike, and neither the thread's id nor the time tells "
                        "which is its own"
              : log->lost
                  ? "none fits; the log says that lines are missing from it"
                  : "none fits; lines can be missing when many processes crash at once, and "
                    "there are none while debug.exception-trace is 0";
    }
    inq_evidence_set_bool(evidence, "kernel_log_absence.expected", expected);
    inq_evidence_set_text(evidence, "kernel_log_absence.why", why);
}

struct inq_error *inq_kernel_log_join(struct inq_kernel_log *log, struct inq_evidence *evidence)
{
    struct match match = {0};
    bool several = false;
    struct core core;

    if (log->unreadable) {
        inq_evidence_set_unknown(evidence, "kernel_log", "%s", log->unreadable);
        return NULL;
    }
    look_at(evidence->document, &core);
    if (!match_pointers(log, &core, &match, &several) && !match_tid(log, &core, &match)) {
        inq_evidence_set(evidence, "kernel_log", json_array());
        say_absent(evidence, log, &core, several);
        return evidence->failed ? &inq_error_oom : NULL;
    }
    match.line->joined = true;
    match.line->likely = !match.sure;
    INQ_TRY(add_line(evidence, &match, &core));
    return evidence->failed ? &inq_error_oom : NULL;
}

void inq_kernel_log_recall(struct inq_kernel_log *log, const json_t *report)
{
    const json_t *object;
    size_t i, first;

    json_array_foreach (json_object_get(report, "kernel_log"), i, object) {
        const char *text = json_string_value(json_object_get(object, "line"));
        const json_int_t tid = json_integer_value(json_object_get(object, "tid"));
        const size_t n = text && tid > 0 ? inq_log_find_tid(log, (uint64_t)tid, &first) : 0;

        for (size_t j = 0; j < n; j++) {
            struct inq_log_line *line = &log->lines.items[log->by_tid.items[first + j]];
            bool lossy;
            _cleanup_free_ char *have = inq_utf8_from_bytes(line->text, strlen(line->text), &lossy);

            if (!have || strcmp(have, text) != 0)
                continue;
            line->joined = true;
            line->likely = json_is_true(json_object_get(object, "likely"));
        }
    }
}

struct inq_error *inq_kernel_log_left(const struct inq_kernel_log *log, json_t **ret_list)
{
    const uint64_t losses = inq_text_losses();
    json_t *list = json_array();

    for (size_t i = 0; list && i < log->lines.count; i++) {
        const struct inq_log_line *line = &log->lines.items[i];
        json_t *object = line->joined ? NULL : line_object(line);

        if (line->joined)
            continue;
        inq_json_set_foreign(object, "comm", line->comm);
        json_object_set_new(object, "kind", json_string(inq_klog_kind_name(line->kind)));
        if (json_array_append_new(list, object)) {
            json_decref(list);
            return &inq_error_oom;
        }
    }
    if (!list || inq_text_losses() != losses) {
        json_decref(list);
        return &inq_error_oom;
    }
    *ret_list = list;
    return NULL;
}

bool inq_kernel_log_concerns(const struct inq_kernel_log *log)
{
    for (size_t i = 0; log->own && i < log->lines.count; i++)
        if (log->lines.items[i].joined && !log->lines.items[i].likely)
            return true;
    return !log->own;
}

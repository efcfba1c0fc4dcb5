/* SPDX-License-Identifier: Apache-2.0 */

/* What died and how, and the short form for a dump that could not be analysed. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

static const struct {
    const char *word, *meaning;
} address_classes[] = {
    {"null-page", "a null pointer"},
    {"near-null", "close to null: an offset from a null pointer"},
    {"neg-errno", "a negative error number used as a pointer"},
    {"kernel-half", "the kernel's half of the address space"},
    {"non-canonical", "no address this CPU can have"},
    {"stack-guard", "the guard below a stack"},
    {"stack-near", "just below a stack"},
    {"library-gap", "where a library was mapped before"},
    {"past-eof", "past the end of the mapped file"},
    {"read-only", "read-only memory"},
    {"no-exec", "memory that is not code"},
    {"unmapped", "nothing is mapped there"},
    {"mapped", "mapped memory"},
};

static const char *class_meaning(const char *word)
{
    for (size_t i = 0; word && i < INQ_ARRAY_SIZE(address_classes); i++)
        if (!strcmp(word, address_classes[i].word))
            return address_classes[i].meaning;
    return NULL;
}

static bool class_is(const json_t *fault, const char *word)
{
    const char *class_word = inq_page_text(fault, "address_class");
    return class_word && !strcmp(class_word, word);
}

static const char *program_name(const struct inq_page *page)
{
    const json_t *process = json_object_get(page->report, "process");
    const json_t *main_module = inq_page_main_module(page);
    const char *path = inq_page_text(process, "executable");
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (slash && slash[1])
        return slash + 1;
    if (inq_page_text(main_module, "name"))
        return inq_page_text(main_module, "name");
    const char *comm = inq_page_text(process, "comm");
    return comm ? comm : "a program without a name";
}

/* "worker (build 3f2a91c0), thread 4711 "pool-3": SIGSEGV: nothing is mapped at the address" */
static void put_first_line(struct inq_page *page)
{
    const json_t *signal = json_object_get(page->report, "signal");
    const json_t *thread = inq_page_crashed(page);
    const char *build = inq_page_text(inq_page_main_module(page), "build_id");
    const char *name = inq_page_text(signal, "name");
    const char *description = inq_page_text(signal, "description");
    struct inq_text line = {0};
    inq_text_append(&line, program_name(page));
    if (build)
        inq_text_printf(&line, " (build %.8s)", build);
    if (thread) {
        const char *thread_name = inq_page_text(thread, "name");
        inq_text_printf(&line, ", thread %" PRIdMAX, (intmax_t)inq_page_int(thread, "tid", 0));
        if (thread_name && strcmp(thread_name, program_name(page)) != 0)
            inq_text_printf(&line, " \"%s\"", thread_name);
    }
    inq_text_append(&line, ": ");
    inq_text_append(&line, name          ? name
                           : description ? description
                                         : "died, and the dump does not say of which signal");
    /* "segmentation fault: nothing is mapped": beside the signal's name its words say nothing new
     */
    const char *colon = name && description ? strstr(description, ": ") : NULL;
    if (name && description)
        inq_text_printf(&line, ": %s", colon ? colon + 2 : description);
    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_prose(page, "", 4, line.failed ? "" : line.bytes);
    inq_page_plain(page);
    if (line.failed)
        page->text->failed = true;
    inq_text_deinit(&line);
}

static void append_module(struct inq_text *line, const char *module)
{
    if (module)
        inq_text_printf(line, " (%s)", module);
}

/* Is the register that the address was made of no pointer at all? */
static bool starts_small(const json_t *operand)
{
    const char *value = inq_page_text(operand, "base_value");

    return value && strtoull(value, NULL, 16) < 0x10000;
}

/* The class of the address in words, and what the value that it was made of makes of it. */
static const char *address_meaning(const json_t *fault)
{
    const json_t *operand = json_object_get(fault, "operand");
    const char *address = inq_page_text(fault, "address");
    const char *place = inq_page_text(json_object_get(fault, "at"), "kind");
    const char *pattern = inq_page_text(json_object_get(fault, "pattern"), "kind");

    if ((class_is(fault, "null-page") || class_is(fault, "near-null")) && pattern &&
        !strcmp(pattern, "errno"))
        return "an offset from an error code";
    if (class_is(fault, "null-page") && address && strcmp(address, "0x0") != 0)
        return "an offset from a null pointer, or a small number";
    if (class_is(fault, "neg-errno") && starts_small(operand))
        return "an offset below null, or below a small number";
    if (class_is(fault, "mapped") && place && !strcmp(place, "no-rights"))
        return "memory that nobody may use";
    return class_meaning(inq_page_text(fault, "address_class"));
}

/*
 * The address that was used. For some faults the kernel gives none; then it is the operand's, or
 * where a branch wanted to go.
 */
static const char *used_address(const json_t *fault, const char **ret_meaning)
{
    const char *address = inq_page_text(fault, "address");
    const char *reason = inq_page_text(fault, "reason");
    const json_t *operand = json_object_get(fault, "operand");

    *ret_meaning = address_meaning(fault);
    if (address || !reason)
        return address;
    if (!strcmp(reason, "misaligned")) {
        *ret_meaning = "not aligned as the instruction needs it";
        return inq_page_text(operand, "address");
    }
    if (strcmp(reason, "non-canonical") != 0)
        return NULL;
    const char *target = inq_page_text(fault, "target");
    return target ? target : inq_page_text(operand, "address");
}

/* "by mov 0x8(%rbx),%eax with rbx 0x7f00" */
static void put_instruction(struct inq_page *page)
{
    const json_t *fault = json_object_get(page->report, "fault");
    const char *text = inq_page_text(json_object_get(fault, "instruction"), "text");
    const json_t *registers = json_object_get(json_object_get(fault, "operand"), "registers");
    struct inq_text line = {0};
    const char *name, *separator = " with ";
    json_t *value;

    if (!text)
        return;
    inq_text_printf(&line, "by %s", text);
    json_object_foreach ((json_t *)(uintptr_t)registers, name, value) {
        if (!json_is_string(value))
            continue;
        inq_text_printf(&line, "%s%s %s", separator, name, json_string_value(value));
        separator = ", ";
    }
    inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

static void put_finding(struct inq_page *page, const char *words, const char *text)
{
    struct inq_text line = {0};

    if (!text)
        return;
    inq_text_printf(&line, "%s%s", words, text);
    inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

/* What lies at the address, where its class does not say it all. */
static const char *place_text(const json_t *fault)
{
    static const char *const plain[] = {"null", "non-canonical", "kernel", "no-rights"};
    const json_t *at = json_object_get(fault, "at");
    const char *kind = inq_page_text(at, "kind");

    for (size_t i = 0; kind && i < INQ_ARRAY_SIZE(plain); i++)
        if (!strcmp(kind, plain[i]))
            return NULL;
    return inq_page_text(at, "text");
}

/* What an instruction was refused for, where neither signal nor address says it. */
static const char *reason_text(const json_t *fault)
{
    static const struct {
        const char *word, *meaning;
    } reasons[] = {
        {"privileged", "programs may not run this instruction"},
        {"undefined", "made to fail: the compiler puts it where the program cannot go on"},
        {"divide-by-zero", "the divisor is 0"},
        {"quotient-overflow",
         "the quotient does not fit: the smallest number divided by -1, or more"},
        {"undeliverable-signal", "the signal found no room on the stack for its frame"},
        {"unsupported-instruction", "this CPU does not offer the instruction"},
        {"protection-key", "the thread had switched the page's protection key off"},
        {"shadow-stack", "the return address on the stack is not the one that the call left"},
        {"unexplained",
         "nothing it uses can have failed: another signal found no room, or the kernel "
         "could not use the thread's own block (rseq)"},
        {"vsyscall", "the kernel takes jumps to the three entries of this page alone"},
    };
    const char *word = inq_page_text(fault, "reason");

    for (size_t i = 0; word && i < INQ_ARRAY_SIZE(reasons); i++)
        if (!strcmp(word, reasons[i].word))
            return reasons[i].meaning;
    return NULL;
}

/* What the fault was at, what it was refused for, what the bad pointer looks like. */
static void put_findings(struct inq_page *page)
{
    const json_t *fault = json_object_get(page->report, "fault");
    const json_t *instruction = json_object_get(fault, "instruction");
    const char *isa = inq_page_text(instruction, "isa");
    const char *source = inq_page_text(instruction, "offered_source");
    const char *reason = reason_text(fault);
    struct inq_text line = {0};

    put_finding(page, "at that address: ", place_text(fault));
    if (reason) {
        inq_text_append(&line, reason);
        if (isa && source && !strcmp(inq_page_text(fault, "reason"), "unsupported-instruction"))
            inq_text_printf(&line, " (%s; %s)", isa, source);
        put_finding(page, "why: ", line.failed ? NULL : line.bytes);
    }
    put_finding(page, "the value: ", inq_page_text(json_object_get(fault, "pattern"), "text"));
    put_finding(page, "its code: ", inq_page_text(json_object_get(fault, "code_page"), "text"));
    inq_text_deinit(&line);
}

/* "read of 0x10 (a null pointer) in parse_header (libfoo.so.1)", or who sent the signal. */
static bool describe_fault(const struct inq_page *page, struct inq_text *line)
{
    const json_t *fault = json_object_get(page->report, "fault");
    const json_t *sender = json_object_get(json_object_get(page->report, "signal"), "sender");
    const char *meaning, *address = used_address(fault, &meaning);
    const char *access = inq_page_text(fault, "access");
    const char *function = inq_page_text(fault, "function");
    const char *module = inq_page_text(fault, "module");
    const char *sent_by = inq_page_text(json_object_get(page->report, "signal"), "sent_by");
    if (sent_by && !strcmp(sent_by, "self")) {
        const char *name = inq_page_text(json_object_get(page->report, "signal"), "name");
        bool by_kernel = name && !strcmp(name, "SIGXFSZ"); /* sent in the process's name */
        inq_text_append(line, by_kernel ? "sent by the kernel, as if the process had done so"
                                        : "sent by the process itself");
        if (!address)
            return true;
        inq_text_append(line, ", in answer to a fault: "); /* that of a handler's signal frame */
    } else if (json_is_object(sender)) {
        inq_text_printf(line, "sent by process %" PRIdMAX " of user %" PRIdMAX,
                        (intmax_t)inq_page_int(sender, "pid", 0),
                        (intmax_t)inq_page_int(sender, "uid", 0));
        if (inq_page_text(sender, "text"))
            inq_text_printf(line, ": %s", inq_page_text(sender, "text"));
        return true;
    }
    if (address && access)
        inq_text_printf(line, "%s of %s", !strcmp(access, "execute") ? "execution" : access,
                        address);
    else if (address)
        inq_text_printf(line, "at address %s", address);
    if (address && meaning)
        inq_text_printf(line, " (%s)", meaning);
    if (function || module)
        inq_text_append(line, address ? " in " : "in ");
    if (!function && access && !strcmp(access, "execute")) {
        inq_text_append(line, module ? module : ""); /* it may be no code at all */
    } else if (function || module) {
        inq_text_append(line, function ? function : "code without a name");
        append_module(line, module);
    }
    return line->size > 0;
}

static void append_item(struct inq_text *line, const char *item)
{
    if (line->size > 0)
        inq_text_append(line, ", ");
    inq_text_append(line, item);
}

/* Process id, time, file: what one needs to be sure that this is the crash one asked about. */
static void put_particulars(struct inq_page *page)
{
    const json_t *process = json_object_get(page->report, "process");
    const json_t *core = json_object_get(page->report, "core");
    struct inq_text line = {0};
    char piece[96], when[32], size[32];
    if (json_is_integer(json_object_get(process, "pid"))) {
        snprintf(piece, sizeof(piece), "pid %" PRIdMAX, (intmax_t)inq_page_int(process, "pid", 0));
        append_item(&line, piece);
    }
    if (inq_page_local_time(inq_page_text(process, "crashed_at"), when)) {
        const char *source = inq_page_text(process, "crashed_at_source");
        append_item(&line, when);
        if (source && !strcmp(source, "file-time"))
            inq_text_append(&line, " by the time of the file");
    }
    if (inq_page_text(process, "hostname")) {
        append_item(&line, "on ");
        inq_text_append(&line, inq_page_text(process, "hostname"));
    }
    const char *path = inq_page_text(core, "path");
    if (path)
        append_item(&line, path);
    if (json_is_integer(json_object_get(core, "size_bytes"))) {
        inq_page_size(inq_page_int(core, "size_bytes", 0), size);
        inq_text_printf(&line, " (%s)", size);
    }
    inq_page_tone(page, INQ_TONE_DIM);
    if (line.size > 0 && !line.failed)
        inq_page_prose(page, "  ", 4, line.bytes);
    inq_page_plain(page);
    inq_text_deinit(&line);
}

static void put_command_line(struct inq_page *page)
{
    const json_t *arguments =
        json_object_get(json_object_get(page->report, "process"), "arguments");
    size_t i;
    json_t *argument;
    struct inq_text line = {0};
    if (json_array_size(arguments) < 2 && !page->style->verbose)
        return;
    json_array_foreach (arguments, i, argument) {
        if (i > 0)
            inq_text_append(&line, " ");
        inq_text_append(&line, json_is_string(argument) ? json_string_value(argument) : "?");
    }
    _cleanup_free_ char *shown = inq_page_cut_end(
        line.bytes, page->style->verbose ? SIZE_MAX : inq_page_columns(page, 11, 30));
    if (line.size > 0 && shown) {
        inq_page_tone(page, INQ_TONE_DIM);
        inq_page_printf(page, "  command: ");
        inq_page_put(page, shown);
        inq_page_plain(page);
        inq_page_put(page, "\n");
    }
    inq_text_deinit(&line);
}

/* "14 times on 3 hosts since 2024-03-01, first with build 3f2a; known issue OPS-12" */
static void put_seen(struct inq_page *page)
{
    const json_t *seen = json_object_get(json_object_get(page->report, "group"), "seen");
    const char *issue = inq_page_text(seen, "known_issue");
    const char *build = inq_page_text(seen, "first_build");
    char when[32];
    json_int_t count = inq_page_int(seen, "count", 0);
    if (count <= 0 && issue) {
        inq_page_prose(page, "  Known issue: ", 4, issue);
        return;
    }
    if (count <= 0)
        return;
    struct inq_text line = {0};
    if (count == 1)
        inq_text_append(&line, "once");
    else
        inq_text_printf(&line, "%" PRIdMAX " times", (intmax_t)count);
    if (inq_page_int(seen, "hosts", 0) > 0)
        inq_text_printf(&line, " on %" PRIdMAX " host%s", (intmax_t)inq_page_int(seen, "hosts", 0),
                        inq_page_int(seen, "hosts", 0) == 1 ? "" : "s");
    if (inq_page_local_time(inq_page_text(seen, "first"), when))
        inq_text_printf(&line, " since %.10s", when);
    if (build)
        inq_text_printf(&line, ", first with build %.8s", build);
    if (issue)
        inq_text_printf(&line, "; known issue %s", issue);
    inq_page_prose(page, "  Seen before: ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

void inq_page_headline(struct inq_page *page)
{
    const json_t *contradictions =
        json_object_get(json_object_get(page->report, "name_facts"), "contradictions");
    struct inq_text fault = {0};
    size_t i;
    json_t *item;
    put_first_line(page);
    if (describe_fault(page, &fault) && !fault.failed)
        inq_page_prose(page, "  ", 4, fault.bytes);
    inq_text_deinit(&fault);
    put_instruction(page);
    put_findings(page);
    inq_page_state(page);
    put_particulars(page);
    put_command_line(page);
    json_array_foreach (contradictions, i, item)
        inq_page_prose(page, "  The file's name disagrees: ", 4, json_string_value(item));
    put_seen(page);
}

/* What a reader can do about a dump that gave nothing. */
static const struct {
    const char *code, *advice;
} stub_advice[] = {
    {"INQ-012", "Unpack it first, then give inquest the unpacked file."},
    {"INQ-013", "Copy the dump again: the compressed file is damaged from its start."},
    {"INQ-014", "Unpack it with `zstd -d --long=31`, then give inquest the unpacked file."},
    {"INQ-031", "Give inquest the core dump, not the program that made it."},
    {"INQ-150", "The dump is untouched. This is a bug in inquest: please report it."},
    {"INQ-151", "The dump is untouched. Give it more time with --timeout SECONDS."},
    {"INQ-152", "The dump is untouched. This is a bug in inquest: please report it."},
    {"INQ-154", "Run without --require-sandbox, or on a kernel that has the missing layer."},
};

void inq_page_stub(struct inq_page *page, const json_t *error)
{
    const char *code = inq_page_text(error, "code");
    const char *message = inq_page_text(error, "message");
    const char *file = inq_page_text(error, "file");
    const char *path = inq_page_text(json_object_get(page->report, "core"), "path");
    const json_t *offset = json_object_get(error, "offset");
    json_int_t exit_code = inq_page_int(error, "exit", 3);
    struct inq_text line = {0};
    inq_text_append(&line, path ? path : file ? file : "the dump");
    inq_text_append(&line, exit_code == 5   ? ": could not be analysed"
                           : exit_code == 3 ? ": not analysable"
                                            : ": failed");
    if (message)
        inq_text_printf(&line, ": %s", message);
    if (file && path && strcmp(file, path) != 0)
        inq_text_printf(&line, ", in %s", file);
    if (json_is_integer(offset))
        inq_text_printf(&line, ", at offset 0x%" PRIxMAX, (uintmax_t)json_integer_value(offset));
    if (inq_page_text(error, "address"))
        inq_text_printf(&line, ", at address %s", inq_page_text(error, "address"));
    if (code)
        inq_text_printf(&line, " [%s]", code);
    inq_page_tone(page, INQ_TONE_WRONG);
    inq_page_prose(page, "", 4, line.failed ? "" : line.bytes);
    inq_page_plain(page);
    inq_text_deinit(&line);
    for (size_t i = 0; code && i < INQ_ARRAY_SIZE(stub_advice); i++)
        if (!strcmp(code, stub_advice[i].code))
            inq_page_prose(page, "  ", 4, stub_advice[i].advice);
}

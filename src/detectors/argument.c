/* SPDX-License-Identifier: Apache-2.0 */

/*
 * free(p) and realloc(p) read the size of the chunk one word below p before they look at anything
 * else: a fault of theirs at that word, with p in a register, is a wild argument and no damaged
 * heap. p is believed when the failing instruction itself names the register (a load from -8(%reg),
 * which is how it looks in every build of glibc seen, reg being rdi in free and rbx in realloc), or
 * when the register of the first argument agrees with the fault's address.
 */

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "call_argument.h"
#include "cleanup.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"
#include "frame_search.h"

static const char *const functions[] = {
    "free",           "cfree",        "__libc_free",        "__GI___libc_free",    "realloc",
    "__libc_realloc", "munmap_chunk", "malloc_usable_size", "__GI___libc_realloc", NULL,
};

/* What glibc and others say about an argument of these, and not about the heap around it. */
static bool is_about_argument(const char *message)
{
    static const char *const parts[] = {
        "free(): invalid pointer",         "free(): invalid size",
        "realloc(): invalid pointer",      "munmap_chunk(): invalid pointer",
        "mremap_chunk(): invalid pointer", "double free"};

    for (size_t i = 0; message && i < INQ_ARRAY_SIZE(parts); i++)
        if (strstr(message, parts[i]) && !strstr(message, "Assertion `"))
            return true;
    return false;
}

static bool is_wanted(const char *name)
{
    for (size_t i = 0; name && functions[i]; i++)
        if (!strcmp(name, functions[i]))
            return true;
    return false;
}

/* Each CPU's ABI; i386 and m68k hand arguments over on the stack. */
static const char *first_argument_register(const struct inq_cpu *cpu)
{
    static const char *const registers[][2] = {
        {"x86_64", "rdi"}, {"aarch64", "x0"}, {"arm", "r0"},   {"ppc", "r3"},
        {"ppc64", "r3"},   {"riscv64", "a0"}, {"s390x", "r2"}, {"sparc64", "o0"},
    };

    for (size_t i = 0; cpu && i < INQ_ARRAY_SIZE(registers); i++)
        if (!strcmp(cpu->name, registers[i][0]))
            return registers[i][1];
    return NULL;
}

/* What is left of a difference on a CPU of 32 bits. */
static uint64_t whole_word(const struct inq_dump *dump, uint64_t value)
{
    return dump->core->cpu->word_bytes == 4 ? (uint32_t)value : value;
}

/* The value of the register that the failing load is based on; false when it is no such load. */
static bool value_by_instruction(const struct inq_dump *dump, uint64_t *ret_value)
{
    struct inq_fault_site site;

    inq_fault_site(dump, &site);
    const struct inq_operand *operand = site.operand;
    if (!operand || operand->use != INQ_READS || !operand->base || operand->index ||
        operand->address != whole_word(dump, operand->base_value - dump->core->cpu->word_bytes))
        return false;
    *ret_value = operand->base_value;
    return true;
}

/*
 * A function without a name may be one of these when the symbols of its file were not seen: in a
 * library, or in a program that holds its libraries (a single module besides the vdso).
 */
static bool may_be_wanted(const struct inq_dump *dump, const struct inq_frame *frame)
{
    const struct inq_module *module = frame->module;
    size_t files = 0;

    if (frame->function || !module || module->is_vdso || module->image || module->debug_image)
        return false;
    for (size_t i = 0; i < dump->modules->count; i++)
        files += dump->modules->items[i].is_elf && !dump->modules->items[i].is_vdso;
    return !module->is_main || files < 2;
}

/* ---- after an abort() ------------------------------------------------------------------------ */

/* An aligned pointer is read through at once in all versions: it must be one that can be. */
static bool agrees_with_abort(const struct inq_dump *dump, uint64_t value)
{
    struct inq_memory_region region;

    return value % 16 != 0 ||
           (value >= 16 && inq_memory_region_at(dump->memory, value - 16, &region));
}

static void set_call(struct inq_dump *dump, struct inq_evidence *evidence,
                     const struct inq_call_argument *argument)
{
    struct inq_address at;

    inq_evidence_set_addr(evidence, "abort.call.argument", argument->value);
    inq_evidence_set_text(evidence, "abort.call.from", argument->from);
    inq_evidence_set_int(evidence, "abort.call.frame", (int64_t)argument->frame);
    if (!inq_address_describe(dump, argument->value, &at)) {
        evidence->failed = true;
    } else if (at.place == INQ_PLACE_UNKNOWN) {
        inq_evidence_set_unknown(evidence, "abort.call.kind", "%s", at.text);
    } else {
        inq_evidence_set_text(evidence, "abort.call.kind", inq_place_name(at.place));
        inq_evidence_set_text(evidence, "abort.call.at", at.text);
    }
}

static struct inq_error *by_call_site(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);
    const json_t *abort = json_object_get(evidence->document, "abort");
    const char *function, *why;
    struct inq_call_argument argument;
    size_t at;

    if (!is_about_argument(json_string_value(json_object_get(abort, "message"))))
        return NULL;
    at = inq_call_find(dump, stack, functions, &function);
    if (at == INQ_NO_FRAME) {
        inq_evidence_set_unknown(evidence, "abort.call.argument",
                                 "no frame is known to have called free() or realloc()");
        return NULL;
    }
    inq_evidence_set_text(evidence, "abort.call.function", function);
    if (!inq_call_argument(dump, stack, at, &argument, &why))
        inq_evidence_set_unknown(evidence, "abort.call.argument", "%s", why);
    else if (!agrees_with_abort(dump, argument.value))
        inq_evidence_set_unknown(evidence, "abort.call.argument",
                                 "what its caller's code says, 0x%" PRIx64
                                 ", would have been a fault and no abort()",
                                 argument.value);
    else
        set_call(dump, evidence, &argument);
    return evidence->failed ? &inq_error_oom : NULL;
}

/* ---- after a fault --------------------------------------------------------------------------- */

/* The registers do not tell: does the code of the caller? It must agree with the fault. */
static bool fault_by_call_site(struct inq_dump *dump, uint64_t *ret_value)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);
    struct inq_call_argument argument;
    const char *function, *why;
    size_t at = inq_call_find(dump, stack, functions, &function);

    if (at == INQ_NO_FRAME || !inq_crash_has_address(dump) ||
        !inq_call_argument(dump, stack, at, &argument, &why) ||
        dump->core->siginfo.addr != argument.value - dump->core->cpu->word_bytes)
        return false;
    *ret_value = argument.value;
    return true;
}

/*
 * glibc finds the arena of a block that its size marks as not of the main one (bit 2) by the words
 * at the last multiple of HEAP_MAX_SIZE below it (malloc/arena.c: heap_for_ptr(); 64 MiB with 64
 * bits, 1 MiB with 32, more with huge pages). What free() is given on a stack or in static data
 * often has such a "size" in front of it, and free() fails at that multiple. The block is the one
 * place that a register holds below which there is such a mark, and from which that multiple comes.
 * Where there are several, it is the one that the caller's code handed over.
 */
static bool chunk_by_arena(struct inq_dump *dump, const struct inq_core_thread *thread,
                           uint64_t *ret_chunk)
{
    const struct inq_cpu *cpu = dump->core->cpu;
    uint64_t heap = UINT64_C(1) << (cpu->word_bytes == 8 ? 26 : 20), found = 0, value, size;
    const struct inq_stack *stack = inq_crashed_stack(dump);
    struct inq_call_argument argument;
    struct inq_fault_site site;
    const char *function, *why;
    bool many = false, by_caller = false;

    inq_fault_site(dump, &site);
    const struct inq_operand *operand = site.operand;
    if (!thread->has_registers || !operand || operand->use != INQ_READS || operand->index ||
        operand->address == 0 || operand->address % heap != 0 ||
        operand->address != operand->base_value)
        return false;
    const size_t at = inq_call_find(dump, stack, functions, &function);
    const bool has_caller =
        at != INQ_NO_FRAME && inq_call_argument(dump, stack, at, &argument, &why);
    for (size_t i = 0; i < cpu->n_registers && i < INQ_MAX_REGISTERS; i++) {
        value = thread->registers[i];
        if (value <= operand->address || value - operand->address >= heap ||
            value % (2 * cpu->word_bytes) != 0 ||
            !inq_memory_word(dump->memory, value + cpu->word_bytes, &size) || (size & 6) != 4)
            continue;
        many |= found != 0 && found != value;
        found = value;
        by_caller |= has_caller && argument.value == value + 2 * cpu->word_bytes;
    }
    *ret_chunk = by_caller ? argument.value - 2 * cpu->word_bytes : found;
    return by_caller || (found != 0 && !many);
}

static struct inq_error *set_no_block(struct inq_dump *dump, struct inq_evidence *evidence,
                                      uint64_t chunk)
{
    const uint64_t argument = chunk + 2 * dump->core->cpu->word_bytes;
    struct inq_fault_site site;
    struct inq_address at;

    inq_fault_site(dump, &site);
    inq_evidence_set_addr(evidence, "fault.argument", argument);
    inq_evidence_set_addr(evidence, "fault.argument_arena", site.operand->address);
    if (!inq_address_describe(dump, argument, &at))
        return &inq_error_oom;
    if (at.place == INQ_PLACE_UNKNOWN) {
        inq_evidence_set_unknown(evidence, "fault.argument_kind", "%s", at.text);
    } else {
        inq_evidence_set_text(evidence, "fault.argument_kind", inq_place_name(at.place));
        inq_evidence_set_text(evidence, "fault.argument_at", at.text);
    }
    return evidence->failed ? &inq_error_oom : NULL;
}

struct inq_error *inq_detect_argument(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    const struct inq_frame *frame = inq_crash_frame(dump);
    const char *name = first_argument_register(dump->core->cpu);
    uint64_t value, base;

    if (inq_crash_signal(dump).kind == INQ_SIGNAL_ABRT)
        return by_call_site(dump, evidence);
    if (inq_crash_kind(dump) != INQ_CRASH_FAULT || !frame)
        return NULL;
    if (may_be_wanted(dump, frame))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "the function that failed has no name: it could be free()");
    if (!is_wanted(frame->function))
        return NULL;
    if (value_by_instruction(dump, &base))
        inq_evidence_set_addr(evidence, "fault.argument", base);
    else if (chunk_by_arena(dump, thread, &base))
        return set_no_block(dump, evidence, base);
    else if (!name || !thread->has_registers ||
             !inq_core_register(dump->core, thread, name, &value))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "arguments are not read from the registers of this CPU");
    else if (!inq_crash_has_address(dump))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "there is no fault address that a register could agree with");
    else if (dump->core->siginfo.addr == whole_word(dump, value - dump->core->cpu->word_bytes))
        inq_evidence_set_addr(evidence, "fault.argument", value);
    else if (fault_by_call_site(dump, &base))
        inq_evidence_set_addr(evidence, "fault.argument", base);
    else
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "%s is 0x%" PRIx64
                                 ", which does not agree with the fault at 0x%" PRIx64
                                 ": it may have been overwritten",
                                 name, value, dump->core->siginfo.addr);
    return NULL;
}

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

#include "cleanup.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"

static const char *const functions[] = {
    "free",           "cfree",        "__libc_free",        "__GI___libc_free",    "realloc",
    "__libc_realloc", "munmap_chunk", "malloc_usable_size", "__GI___libc_realloc",
};

static bool is_wanted(const char *name)
{
    for (size_t i = 0; name && i < INQ_ARRAY_SIZE(functions); i++)
        if (!strcmp(name, functions[i]))
            return true;
    return false;
}

static const char *first_argument_register(const struct inq_cpu *cpu)
{
    if (!cpu)
        return NULL;
    if (!strcmp(cpu->name, "x86_64"))
        return "rdi";
    return strcmp(cpu->name, "aarch64") ? NULL : "x0";
}

/* The value of the register that the failing load is based on; false when it is no such load. */
static bool value_by_instruction(const struct inq_dump *dump, uint64_t *ret_value)
{
    struct inq_fault_site site;

    inq_fault_site(dump, &site);
    const struct inq_operand *operand = site.operand;
    if (!operand || operand->use != INQ_READS || !operand->base || operand->index ||
        operand->address != operand->base_value - dump->core->cpu->word_bytes)
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

struct inq_error *inq_detect_argument(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    const struct inq_frame *frame = inq_crash_frame(dump);
    const char *name = first_argument_register(dump->core->cpu);
    uint64_t value, base;

    if (inq_crash_kind(dump) != INQ_CRASH_FAULT || !frame)
        return NULL;
    if (may_be_wanted(dump, frame))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "the function that failed has no name: it could be free()");
    if (!is_wanted(frame->function))
        return NULL;
    if (!name || !thread->has_registers || !inq_core_register(dump->core, thread, name, &value))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "arguments are not read from the registers of this CPU");
    else if (value_by_instruction(dump, &base))
        inq_evidence_set_addr(evidence, "fault.argument", base);
    else if (!inq_crash_has_address(dump))
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "there is no fault address that a register could agree with");
    else if (dump->core->siginfo.addr == value - dump->core->cpu->word_bytes)
        inq_evidence_set_addr(evidence, "fault.argument", value);
    else
        inq_evidence_set_unknown(evidence, "fault.argument",
                                 "%s is 0x%" PRIx64
                                 ", which does not agree with the fault at 0x%" PRIx64
                                 ": it may have been overwritten",
                                 name, value, dump->core->siginfo.addr);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * memcpy(), memset() and the like that ran off the end of what is mapped: how much had they been
 * told to write? Their own registers are of no use, each variant of them counts in its own way; the
 * code of the caller says where the third argument came from (call_argument.h). What it was read
 * from must not lie in what the copy itself had overwritten by then. x86-64 alone.
 */

#include <elf.h>
#include <string.h>

#include "call_argument.h"
#include "cleanup.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"
#include "frame_search.h"
#include "text.h"

static const char *const copies[] = {"memcpy", "memmove", "mempcpy", "memset", NULL};

/* "__memcpy_avx512_unaligned_erms", "memset"; NULL for others. "__memcpy_chk" ends in them, too. */
static const char *copy_name(const char *function)
{
    if (!function)
        return NULL;
    function += strspn(function, "_");
    if (inq_starts_with(function, "GI_"))
        function += 3 + strspn(function + 3, "_");
    for (size_t i = 0; copies[i]; i++) {
        size_t n = strlen(copies[i]);

        if (!strncmp(function, copies[i], n) && (function[n] == '\0' || function[n] == '_'))
            return copies[i];
    }
    return NULL;
}

struct call {
    struct inq_dump *dump;
    const struct inq_stack *stack;
    size_t at; /* the caller's frame */
    struct inq_call_argument size;
    const char *why;
};

#define MOST_REGIONS 256u

/* Can every byte of [from, to) be written to? Then a copy may have come from the one to the other.
 */
static bool is_writable_run(const struct call *call, uint64_t from, uint64_t to)
{
    struct inq_memory_region region;

    for (unsigned i = 0; from < to && i < MOST_REGIONS; i++) {
        if (!inq_memory_region_at(call->dump->memory, from, &region) || !(region.flags & PF_W))
            return false;
        if (region.size == 0 || __builtin_add_overflow(region.start, region.size, &from))
            return false;
    }
    return true;
}

/*
 * A copy goes up, or down from the end (which with a negative size lies just below the beginning),
 * without a hole, to the byte that refused: between that byte and what it wrote to all is writable.
 */
static bool touches(const struct call *call, uint64_t refused, uint64_t place)
{
    struct inq_memory_region region;

    if (place < refused)
        return is_writable_run(call, place, refused);
    if (!inq_memory_region_at(call->dump->memory, refused, &region))
        return !inq_memory_region_above(call->dump->memory, refused, &region) ||
               is_writable_run(call, region.start, place);
    return __builtin_add_overflow(region.start, region.size, &refused) ||
           is_writable_run(call, refused, place);
}

/* May the copy have written over what its size was read from? */
static bool was_overwritten(struct call *call)
{
    struct inq_call_argument to, from;
    struct inq_fault_site site;
    const char *why;
    uint64_t reached;

    if (call->size.n_loads == 0)
        return false;
    inq_fault_site(call->dump, &site);
    if (!site.has_address || site.access == INQ_ACCESS_UNKNOWN)
        return true;
    reached = site.address;
    if (site.access != INQ_ACCESS_WRITE) { /* the two go in step */
        if (!inq_call_nth_argument(call->dump, call->stack, call->at, 0, &to, &why) ||
            !inq_call_nth_argument(call->dump, call->stack, call->at, 1, &from, &why) ||
            to.n_loads > 0 || from.n_loads > 0)
            return true;
        reached += to.value - from.value;
    }
    for (size_t i = 0; i < call->size.n_loads; i++)
        if (touches(call, reached, call->size.loads[i]))
            return true;
    return false;
}

static bool is_copy(const char *function)
{
    return copy_name(function) != NULL;
}

/*
 * Only the very caller counts, and only where its call goes to such a function: one in between that
 * ended in a jump (a tail call) has left no frame, and its caller's third argument was another.
 */
static bool find_size(struct call *call)
{
    call->why = "its caller is not known for certain";
    for (call->at = 1; call->at < call->stack->n_frames; call->at++)
        if (!call->stack->frames[call->at].inlined)
            break;
    if (call->at >= call->stack->n_frames || !call->stack->frames[call->at].pc_is_return ||
        !inq_frame_is_sure(&call->stack->frames[call->at]))
        return false;
    call->why = "its caller does not call it directly";
    if (!inq_call_leads_to(call->dump, call->stack->frames[call->at].pc, is_copy))
        return false;
    if (!inq_call_nth_argument(call->dump, call->stack, call->at, 2, &call->size, &call->why))
        return false;
    call->why = "the copy may have written over the place it was read from";
    return !was_overwritten(call);
}

struct inq_error *inq_detect_copy_size(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct call call = {.dump = dump, .stack = inq_crashed_stack(dump)};
    const struct inq_frame *frame = inq_crash_frame(dump);
    const char *name = frame ? copy_name(frame->function) : NULL;

    if (inq_crash_kind(dump) != INQ_CRASH_FAULT || !name || !call.stack || !frame->module)
        return NULL;
    inq_evidence_set_text(evidence, "fault.copy.function", name);
    if (!find_size(&call)) {
        inq_evidence_set_unknown(evidence, "fault.copy.size", "%s", call.why);
        return evidence->failed ? &inq_error_oom : NULL;
    }
    inq_evidence_set_int(evidence, "fault.copy.size", (int64_t)call.size.value);
    inq_evidence_set_int(evidence, "fault.copy.frame", (int64_t)call.stack->frames[call.at].index);
    return evidence->failed ? &inq_error_oom : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_path.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "crash.h"
#include "fault_site.h"
#include "stack_overflow.h"

/* Frames that can be trusted: one that was found by scanning proves nothing. */
static bool is_trusted(const struct inq_frame *frame)
{
    return !frame->inlined && !frame->after_scan && frame->trust != INQ_TRUST_SCAN &&
           frame->kind != INQ_FRAME_SIGNAL;
}

static bool is_exit_function(const char *name)
{
    static const char *const names[] = {"exit",          "__run_exit_handlers", "_dl_fini",
                                        "_dl_call_fini", "__cxa_finalize",      "_dl_close"};

    for (size_t i = 0; name && i < INQ_ARRAY_SIZE(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool is_helper(const struct inq_bindings *b, const struct inq_frame *frame)
{
    return frame->module && !frame->module->is_main && frame->module->index < b->count &&
           (b->modules[frame->module->index].scope == INQ_SCOPE_MAIN ||
            b->modules[frame->module->index].is_linker);
}

static void take_frames(struct inq_dump *dump, const struct inq_bindings *b,
                        struct inq_crash_path *path)
{
    const struct inq_stack *stack = inq_crashed_stack(dump);

    for (size_t i = 0; stack && i < stack->n_frames && path->count < INQ_MAX_PATH_FRAMES; i++) {
        const struct inq_frame *frame = &stack->frames[i];

        if (frame->inlined)
            continue;
        if (!is_trusted(frame)) {
            path->cut = "the crashing stack could not be followed to its end for sure";
            break;
        }
        path->exiting |= is_exit_function(frame->function);
        path->frames[path->count++] = (struct inq_path_frame){
            .frame = frame,
            .module = frame->module ? frame->module->index : SIZE_MAX,
            .has_start = frame->function != NULL,
            .start = frame->pc - frame->function_offset,
        };
    }
    if (!path->cut && stack && path->count == INQ_MAX_PATH_FRAMES)
        path->cut = "of the crashing stack only the innermost frames were looked at";
    else if (!path->cut && (!stack || !stack->complete))
        path->cut = "the crashing stack could not be followed to its end";
    while (path->culprit < path->count && is_helper(b, path->frames[path->culprit].frame))
        path->culprit++;
}

/* What glibc says when a heap or an argument of free() is wrong (malloc/malloc.c). */
static bool is_heap_message(const char *text)
{
    static const char *const parts[] = {
        "free(",     "malloc(",     "realloc(",        "munmap_chunk(", "mremap_chunk(",
        "corrupted", "double free", "invalid pointer", "invalid size",  "malloc_consolidate"};

    for (size_t i = 0; text && i < INQ_ARRAY_SIZE(parts); i++)
        if (strstr(text, parts[i]))
            return true;
    return false;
}

static bool is_foreign_signal(const struct inq_dump *dump)
{
    bool known, own = inq_crash_sent_by_itself(dump, &known);

    return inq_crash_kind(dump) == INQ_CRASH_SENT && known && !own;
}

static void judge_class(struct inq_dump *dump, const struct inq_evidence *evidence,
                        struct inq_crash_path *path)
{
    const struct inq_crash_signal signal = inq_crash_signal(dump);
    const json_t *abort = json_object_get(evidence->document, "abort");
    struct inq_stack_overflow overflow;

    if (signal.kind == INQ_SIGNAL_ABRT) {
        path->fit = INQ_FIT_ANY;
        if (is_heap_message(json_string_value(json_object_get(abort, "message"))))
            return;
        path->fit = is_foreign_signal(dump) ? INQ_FIT_NONE : INQ_FIT_CALLS;
        /* who throws what nobody catches has decided nothing */
        path->own_end = !json_object_get(abort, "exception");
        path->no_fit = "the process ended itself by abort(), and not for its heap's sake";
        return;
    }
    if (inq_crash_kind(dump) != INQ_CRASH_FAULT) {
        path->no_fit = inq_crash_kind(dump) == INQ_CRASH_UNKNOWN
                           ? "the dump does not tell how it ended"
                           : "no instruction failed: the signal was sent";
        return;
    }
    inq_stack_overflow(dump, &overflow);
    path->own_end = signal.kind == INQ_SIGNAL_TRAP;
    if (path->own_end)
        path->no_fit = "the code stopped at a trap of its own";
    else if (overflow.is_known && overflow.overflowed)
        path->no_fit = "the stack was used up";
    path->many_causes = signal.kind == INQ_SIGNAL_FPE;
    path->fit = path->no_fit ? INQ_FIT_CALLS : INQ_FIT_ANY;
}

/* What free() and the like were given when they ended the process; the argument detector's. */
static void take_argument(const struct inq_evidence *evidence, struct inq_crash_path *path)
{
    const json_t *abort = json_object_get(evidence->document, "abort");
    const json_t *call = json_object_get(abort, "call");
    const char *value = json_string_value(json_object_get(call, "argument"));

    if (value)
        path->values[path->n_values++] = strtoull(value, NULL, 16);
}

static void take_values(struct inq_dump *dump, struct inq_crash_path *path)
{
    struct inq_fault_site site;
    const struct inq_operand *o;

    inq_fault_site(dump, &site);
    path->has_address = site.is_fault && site.has_address;
    path->address = site.address;
    path->many_causes |= path->has_address && path->address < 0x10000;
    o = site.operand;
    if (!site.is_fault || !o)
        return;
    if (o->base && strcmp(o->base, "rip") != 0 && !o->on_stack)
        path->values[path->n_values++] = o->base_value;
    if (o->index)
        path->values[path->n_values++] = o->index_value;
    if (site.has_target)
        path->values[path->n_values++] = site.target;
}

void inq_crash_path(struct inq_dump *dump, const struct inq_bindings *bindings,
                    const struct inq_evidence *evidence, struct inq_crash_path *ret_path)
{
    *ret_path = (struct inq_crash_path){0};
    take_frames(dump, bindings, ret_path);
    judge_class(dump, evidence, ret_path);
    take_argument(evidence, ret_path);
    take_values(dump, ret_path);
}

bool inq_crash_path_has(const struct inq_crash_path *path, size_t module)
{
    for (size_t i = 0; i < path->count; i++)
        if (path->frames[i].module == module)
            return true;
    return false;
}

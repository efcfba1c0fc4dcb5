/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bounds.h"
#include "record.h"
#include "record_stack.h"

static json_t *frame_json(const struct inq_frame *frame, struct inq_json_writer *w)
{
    json_t *object = json_object();
    const struct inq_module *module = frame->module;

    inq_json_put_int(w, object, "index", (int64_t)frame->index);
    inq_json_put_addr(w, object, "pc", frame->pc);
    inq_json_put(w, object, "trust", json_string_nocheck(inq_trust_name(frame->trust)));
    if (frame->after_scan)
        inq_json_put_bool(w, object, "after_scan", true);
    inq_json_put_text(w, object, "function", frame->function);
    if (frame->symbol)
        inq_json_put_text(w, object, "symbol", frame->symbol);
    if (frame->function && !frame->inlined)
        inq_json_put_int(w, object, "function_offset", (int64_t)frame->function_offset);
    if (frame->file)
        inq_json_put_text(w, object, "file", frame->file);
    if (frame->line > 0)
        inq_json_put_int(w, object, "line", frame->line);
    if (frame->inlined)
        inq_json_put_bool(w, object, "inlined", true);
    if (module) {
        inq_json_put_int(w, object, "module", (int64_t)module->index);
        if (module->has_bias)
            inq_json_put_addr(w, object, "module_offset", frame->pc - module->load_bias);
    } else {
        inq_json_put(w, object, "module", json_null());
    }
    inq_json_put(w, object, "kind", json_string_nocheck(inq_frame_kind_name(frame->kind)));
    return object;
}

static json_t *frames_json(const struct inq_stack *stack, struct inq_json_writer *w)
{
    json_t *frames = json_array();

    for (size_t i = 0; i < stack->n_frames; i++)
        inq_json_push(w, frames, frame_json(&stack->frames[i], w));
    return frames;
}

/* A thread that is beyond the limit of unwinding: where it stood is known all the same. */
static json_t *pc_only_json(const struct inq_dump *dump, const struct inq_core_thread *thread,
                            struct inq_json_writer *w)
{
    json_t *frames = json_array();

    if (thread->has_registers && dump->core->cpu && dump->core->cpu->pc >= 0) {
        struct inq_frame frame = {.pc = inq_core_pc(dump->core, thread),
                                  .trust = INQ_TRUST_CONTEXT};
        frame.module = inq_modules_find(dump->modules, frame.pc);
        inq_json_push(w, frames, frame_json(&frame, w));
    }
    return frames;
}

static json_t *registers_json(const struct inq_core *core, const struct inq_core_thread *thread,
                              struct inq_json_writer *w)
{
    json_t *registers = json_object();

    for (uint8_t i = 0; i < core->cpu->n_registers && i < INQ_MAX_REGISTERS; i++)
        if (core->cpu->register_names[i])
            inq_json_put_addr(w, registers, core->cpu->register_names[i], thread->registers[i]);
    return registers;
}

static void put_stack_region(const struct inq_core *core, const struct inq_thread_stack *stack,
                             json_t *object, struct inq_json_writer *w)
{
    if (stack->source == INQ_STACK_UNKNOWN)
        return;
    json_t *region = json_object();
    inq_record_stack(w, region, core, stack);
    inq_json_put(w, object, "stack", region);
}

static void put_stack(const struct inq_stack *stack, json_t *object, struct inq_json_writer *w)
{
    inq_json_put(w, object, "frames", frames_json(stack, w));
    inq_json_put_int(w, object, "frames_total", (int64_t)stack->frames_total);
    inq_json_put_bool(w, object, "truncated", stack->truncated);
    inq_json_put_bool(w, object, "complete", stack->complete);
    if (stack->stop)
        inq_json_put_text(w, object, "stop", stack->stop);
    if (stack->cycle_length > 0) {
        json_t *cycle = json_object();
        inq_json_put_int(w, cycle, "start", (int64_t)stack->cycle_start);
        inq_json_put_int(w, cycle, "length", (int64_t)stack->cycle_length);
        inq_json_put_int(w, cycle, "count", (int64_t)stack->cycle_count);
        inq_json_put(w, object, "cycle", cycle);
    }
}

static json_t *thread_json(const struct inq_dump *dump, size_t i,
                           const struct inq_thread_stack *region, struct inq_json_writer *w)
{
    const struct inq_core *core = dump->core;
    const struct inq_core_thread *thread = &core->threads[i];
    const struct inq_stack *stack = i < dump->stacks->count ? &dump->stacks->items[i] : NULL;
    json_t *object = json_object();

    inq_json_put_int(w, object, "tid", thread->tid);
    inq_json_put_bool(w, object, "crashed", thread == inq_crashed_thread(dump));
    /* NT_PRPSINFO has the comm of the thread-group leader, whose tid is the pid */
    if (core->has_prpsinfo && (int64_t)thread->tid == core->prpsinfo.pid)
        inq_json_put_text(w, object, "name", core->prpsinfo.fname);
    if (!stack) {
        inq_json_put(w, object, "frames", pc_only_json(dump, thread, w));
        return object;
    }
    if (thread->has_registers && core->cpu)
        inq_json_put(w, object, "registers", registers_json(core, thread, w));
    put_stack_region(core, region, object, w);
    put_stack(stack, object, w);
    return object;
}

void inq_record_threads(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_json_writer w = {0};
    const struct inq_thread_stacks *stacks = inq_thread_stacks(dump);
    json_t *threads = json_array();

    w.failed = !stacks;
    for (size_t i = 0; stacks && i < dump->core->n_threads; i++)
        inq_json_push(&w, threads, thread_json(dump, i, &stacks->items[i], &w));
    inq_evidence_set_int(evidence, "threads_total", (int64_t)dump->core->n_threads_total);
    inq_evidence_set(evidence, "threads", threads);
    evidence->failed |= w.failed;
}

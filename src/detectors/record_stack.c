/* SPDX-License-Identifier: Apache-2.0 */
#include "record_stack.h"

static void put_size(struct inq_json_writer *w, json_t *object, const char *key, uint64_t bytes)
{
    if (bytes <= INT64_MAX)
        inq_json_put_int(w, object, key, (int64_t)bytes);
}

void inq_record_stack(struct inq_json_writer *w, json_t *object, const struct inq_core *core,
                      const struct inq_thread_stack *stack)
{
    uint64_t end = stack->start + stack->size;

    if (stack->source == INQ_STACK_UNKNOWN)
        return;
    inq_json_put_addr(w, object, "start", stack->start);
    put_size(w, object, "size_bytes", stack->size);
    if (stack->guard_bytes > 0) {
        inq_json_put_addr(w, object, "guard_start", stack->guard_start);
        put_size(w, object, "guard_bytes", stack->guard_bytes);
    }
    inq_json_put(w, object, "source", json_string_nocheck(inq_stack_source_name(stack->source)));
    if (!stack->has_sp)
        return;
    if (stack->host < core->n_threads)
        inq_json_put_int(w, object, "host", core->threads[stack->host].tid);
    if (stack->guest < core->n_threads)
        inq_json_put_int(w, object, "guest", core->threads[stack->guest].tid);
    if (inq_stack_covers(stack, stack->sp) || inq_stack_guard_covers(stack, stack->sp))
        put_size(w, object, "used_bytes", end - stack->sp);
    if (stack->source == INQ_STACK_PTHREAD)
        inq_json_put_bool(w, object, "nearly_full", inq_stack_is_nearly_full(stack));
}

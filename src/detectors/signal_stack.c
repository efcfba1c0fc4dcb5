/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Did a handler run on the alternate stack when the process died? The kernel writes the bounds of
 * that stack into every signal frame (uc_stack); a thread that stands on the stack that its library
 * made for it stands on no other.
 */

#include "crash.h"
#include "detectors.h"
#include "thread_stacks.h"

static bool has_signal_frame(const struct inq_stack *stack)
{
    for (size_t i = 0; stack && i < stack->n_frames; i++)
        if (stack->frames[i].kind == INQ_FRAME_SIGNAL)
            return true;
    return false;
}

struct inq_error *inq_detect_signal_stack(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_stack *frames = inq_crashed_stack(dump);
    const struct inq_thread_stack *stack = inq_crashed_thread_stack(dump);
    uint64_t sp;

    if (!stack || !inq_crash_sp(dump, &sp)) {
        inq_evidence_set_unknown(evidence, "state.on_signal_stack",
                                 "the stack pointer of the crashing thread is not known");
        return NULL;
    }
    if (inq_stack_of_signals(dump, frames, sp).source != INQ_STACK_UNKNOWN)
        inq_evidence_set_bool(evidence, "state.on_signal_stack", true);
    else if ((stack->source == INQ_STACK_PTHREAD || stack->source == INQ_STACK_AUXV) &&
             (inq_stack_covers(stack, sp) || inq_stack_guard_covers(stack, sp)))
        inq_evidence_set_bool(evidence, "state.on_signal_stack", false);
    else if (!has_signal_frame(frames) && frames && frames->complete)
        inq_evidence_set_bool(evidence, "state.on_signal_stack", false);
    else
        inq_evidence_set_unknown(evidence, "state.on_signal_stack",
                                 "the stack pointer is on no stack whose bounds are known, and no "
                                 "signal frame says which one it is");
    return NULL;
}

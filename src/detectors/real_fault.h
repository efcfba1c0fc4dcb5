/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_REAL_FAULT_H
#define INQ_DETECTORS_REAL_FAULT_H

/*
 * Which fault is the real one. When a signal handler ran, the dump's own signal and registers are
 * those of what it did in the end (raise(), abort()); the fault it was called for stands in a
 * signal frame: not always the innermost one, for abort() has one of its own in some runtimes.
 */

#include "detector.h"
#include "signal_frame.h"

struct inq_fault_origin {
    bool in_signal_frame; /* context counts; else the registers are the fault's all the same */
    struct inq_signal_context context;
    uint64_t frame; /* index of the frame of the crashing thread that the fault happened in */
};

/*
 * The dump as it would have been written at the fault: signal, registers and frames of the crashing
 * thread. `dump` itself when that is what it is. In the arena; NULL without memory.
 */
struct inq_dump *inq_real_fault(struct inq_dump *dump);

#endif

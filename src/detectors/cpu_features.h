/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CPU_FEATURES_H
#define INQ_DETECTORS_CPU_FEATURES_H

/* Did the CPU offer the extension that an instruction belongs to? As far as a dump tells. */

#include "detector.h"
#include "instruction.h"

enum inq_offer { INQ_OFFER_UNKNOWN, INQ_OFFER_YES, INQ_OFFER_NO };

struct inq_cpu_offer {
    enum inq_offer offer;
    const char *source; /* static: whose word it is; for unknown, why */
};

/*
 * x86-64: what the C library's loader noted of CPUID at the start (cpu_features in _rtld_global_ro,
 * found by AT_HWCAP, which is CPUID's leaf 1 too), and XCR0 as the kernel wrote it into
 * NT_X86_XSTATE: without a state component there, its instructions are undefined. aarch64: AT_HWCAP
 * for the atomics of ARMv8.1.
 */
struct inq_cpu_offer inq_cpu_offers(const struct inq_dump *dump,
                                    const struct inq_instruction *instruction);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CRASH_H
#define INQ_DETECTORS_CRASH_H

/* What several detectors ask about the signal, answered once. */

#include <stdbool.h>
#include <stdint.h>

#include "detector.h"
#include "signal_names.h"

struct inq_crash_signal {
    int32_t number;      /* 0: no note holds one */
    bool has_code;       /* NT_SIGINFO is there and speaks of this signal */
    int32_t code;        /* si_code */
    const char *no_code; /* why has_code is false; static */
    enum inq_signal kind;
};

/* NT_SIGINFO; without it the crashing thread's pr_cursig. */
struct inq_crash_signal inq_crash_signal(const struct inq_dump *dump);

enum inq_crash_kind {
    INQ_CRASH_FAULT,  /* an instruction failed: SEGV, BUS, ILL, FPE or TRAP from the kernel */
    INQ_CRASH_SENT,   /* some process sent the signal, perhaps this one */
    INQ_CRASH_OTHER,  /* the kernel's own: a timer, a limit, the terminal, a seccomp filter */
    INQ_CRASH_UNKNOWN /* the dump does not tell */
};
enum inq_crash_kind inq_crash_kind(const struct inq_dump *dump);

/*
 * Was the signal sent by the process itself? False with *ret_known unset where the dump does not
 * tell the sender's pid or the process's.
 */
bool inq_crash_sent_by_itself(const struct inq_dump *dump, bool *ret_known);

/* True when si_addr is the address of a fault. */
bool inq_crash_has_address(const struct inq_dump *dump);

/* The crashing thread's program counter and stack pointer; false without registers. */
bool inq_crash_pc(const struct inq_dump *dump, uint64_t *ret_pc);
bool inq_crash_sp(const struct inq_dump *dump, uint64_t *ret_sp);
/* Its innermost frame, NULL when there is none. */
const struct inq_frame *inq_crash_frame(const struct inq_dump *dump);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_SIGNAL_FRAME_H
#define INQ_UNWIND_SIGNAL_FRAME_H

/*
 * What the kernel saves on the stack when it calls a signal handler (x86-64, aarch64): the
 * registers of the interrupted code, and what the CPU said of the last exception. struct
 * rt_sigframe of asm/sigframe.h: struct ucontext, then struct siginfo; aarch64 has them the other
 * way round.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core.h"
#include "memory.h"
#include "stacks.h"

struct inq_signal_context {
    uint64_t addr;                 /* of the ucontext */
    struct inq_core_thread thread; /* the thread with the registers that were saved */
    /*
     * The thread's own last exception, which need not be what the signal was about: they stay as
     * they are until the next one (arch/x86/kernel/signal_64.c copies thread.trap_nr, error_code,
     * cr2). Of aarch64 a data or instruction abort is told as x86's page fault; trapno is 255 for
     * anything else.
     */
    uint64_t trapno, err, cr2;
    /*
     * What stands where siginfo would. The kernel writes it for handlers with SA_SIGINFO alone, and
     * nothing tells which kind it was: it counts when it agrees with the rest.
     */
    bool has_siginfo;
    struct inq_siginfo siginfo;
};

/* Whether this dump's signal frames can be read. */
bool inq_signal_context_supported(const struct inq_core *core);

/* Where a frame at addr keeps the handler's stack: {ss_sp, ss_flags, ss_size}, a word each. */
uint64_t inq_signal_context_stack(const struct inq_core *core, uint64_t addr);

/* False when not all of it is in the dump, or it is none. */
bool inq_signal_context_read(const struct inq_core *core, struct inq_memory *memory,
                             const struct inq_core_thread *thread, uint64_t addr,
                             struct inq_signal_context *ret_context);

/*
 * A frame that is gone: the handler returned, and its frame still lies below the stack pointer, or
 * on an alternate stack. It is known by the thread's own registers in it. Looks through a bounded
 * part of the memory that can be written.
 */
bool inq_signal_context_find_popped(const struct inq_core *core, struct inq_memory *memory,
                                    const struct inq_core_thread *thread,
                                    struct inq_signal_context *ret_context);

#endif

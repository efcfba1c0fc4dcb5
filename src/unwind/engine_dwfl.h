/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_ENGINE_DWFL_H
#define INQ_UNWIND_ENGINE_DWFL_H

/*
 * The second engine: call frame information of any CPU, read by elfutils' libdw and its backends,
 * over our memory and our verified files. It opens nothing and looks nothing up by name. elfutils'
 * own walker (dwfl_thread_getframes) is not used: it follows frame pointers without saying so,
 * searches the symbols of a file at each step, and cannot be stopped between two frames.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codemap.h"
#include "core.h"
#include "engine.h"
#include "error.h"
#include "regs.h"

struct inq_dwfl;

/* A CPU that inq_cpu_unwind_find() knows. Cheap: files are looked at when a step needs them. */
struct inq_error *inq_dwfl_create(const struct inq_core *core, struct inq_codemap *code,
                                  struct inq_arena *arena, struct inq_dwfl **ret_dwfl);
void inq_dwfl_destroy(struct inq_dwfl *dwfl); /* takes NULL */
static inline void inq_dwfl_destroyp(struct inq_dwfl **dwfl)
{
    inq_dwfl_destroy(*dwfl);
}

struct inq_dwfl_caller {
    struct inq_regs regs; /* pc and sp are known */
    bool from_signal;     /* the callee is what a signal handler returns to: pc is exact */
};

/*
 * As inq_cfi_step(): `lookup` is the address whose CFI counts. *ret_caller is set for INQ_CFI_OK
 * alone.
 */
enum inq_cfi_result inq_dwfl_step(struct inq_dwfl *dwfl, const struct inq_regs *callee,
                                  uint64_t lookup, struct inq_dwfl_caller *ret_caller);

/* Why the last step was neither OK nor OUTERMOST: printable, in the arena; NULL without memory. */
const char *inq_dwfl_reason(const struct inq_dwfl *dwfl);

/* Whether a file of the module (its own, or its debug file) has a .debug_frame section. */
bool inq_dwfl_has_debug_frame(struct inq_dwfl *dwfl, struct inq_module *module);

#endif

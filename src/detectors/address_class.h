/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_ADDRESS_CLASS_H
#define INQ_DETECTORS_ADDRESS_CLASS_H

/* What kind of address a fault was at: `fault.address_class` of the report. */

#include <stdbool.h>
#include <stdint.h>

#include "crash.h"
#include "detector.h"
#include "fault_site.h"

/*
 * The most specific word that fits ("null-page", "stack-guard", ...) for the address of a fault;
 * NULL when the dump cannot tell, and then *ret_why says why. `access`: what was tried there.
 * `worked_out`: siginfo gives no address, and this one is certain to be refused
 * (inq_access_is_refused).
 */
const char *inq_address_class(const struct inq_dump *dump, uint64_t addr, enum inq_access access,
                              bool worked_out, const char **ret_why);

/* The dump lists every mapping of the process: a hole in the list was a hole in the process. */
bool inq_map_is_whole(const struct inq_dump *dump);

/* addr is below the crashing thread's stack, in or above the frame that its stack pointer is in. */
bool inq_is_in_frame_below(const struct inq_dump *dump, uint64_t addr);

/* x86-64 with 48-bit addresses: neither in the user's nor in the kernel's half. */
bool inq_is_noncanonical(uint64_t addr);
/* The kernel's half of the address space of this CPU; false where the border is not known. */
bool inq_is_kernel_half(const struct inq_core *core, uint64_t addr);

#endif

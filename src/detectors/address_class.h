/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_ADDRESS_CLASS_H
#define INQ_DETECTORS_ADDRESS_CLASS_H

/* What kind of address a fault was at: `fault.address_class` of the report. */

#include <stdbool.h>
#include <stdint.h>

#include "crash.h"
#include "detector.h"

/*
 * The most specific word that fits ("null-page", "stack-guard", ...); NULL when the dump cannot
 * tell, and then *ret_why says why. `executes`: the address is where the thread tried to run.
 */
const char *inq_address_class(const struct inq_dump *dump, uint64_t addr, bool executes,
                              const char **ret_why);

/* x86-64 with 48-bit addresses: neither in the user's nor in the kernel's half. */
bool inq_is_noncanonical(uint64_t addr);
/* The kernel's half of the address space of this CPU; false where the border is not known. */
bool inq_is_kernel_half(const struct inq_core *core, uint64_t addr);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_KLOG_MEANING_H
#define INQ_KLOG_KLOG_MEANING_H

/*
 * What the numbers of one event mean, in words, and no more than they mean. The kernel's line knows
 * the registers of one moment and one mapping; it does not know why.
 */

#include "klog.h"
#include "text.h"

/*
 * `fault.address_class` (docs/report.md) as far as the line tells; NULL when it does not, and then
 * *ret_why (static, never NULL then) says why. By value, by the error code, and by the distance to
 * the stack pointer; what is mapped where is not in the line.
 */
const char *inq_klog_address_class(const struct inq_klog_event *event, const char **ret_why);
/* A fault that was made a SIGBUS: the address has a mapping (or is misaligned). */
bool inq_klog_is_bus_error(const struct inq_klog_event *event);

/*
 * The error code's bits of an x86 page fault in the words of `fault.error_code.bits`: "protection"
 * or "not-present", "read" or "write", "user", "instruction-fetch", ... At most 8, static. 0 when
 * the event has no such code.
 */
size_t inq_klog_error_bits(const struct inq_klog_event *event, const char *ret_bits[8]);
/* The kernel sets the protection bit for every address in its half: it says nothing there. */
bool inq_klog_protection_is_synthetic(const struct inq_klog_event *event);
/* The error code in a sentence: of page faults, selectors, control protection, ESR, ...; none: ""
 */
void inq_klog_explain_error(const struct inq_klog_event *event, struct inq_text *text);

/* The instruction that ip points to, from the bytes of the Code: line. */
struct inq_klog_instruction {
    char text[96];       /* as gdb and objdump print it */
    size_t size;         /* bytes */
    char base[16];       /* the register of its one memory operand; "" */
    bool has_base_value; /* worked out: address - displacement, for a base without an index */
    uint64_t base_value;
    bool may_straddle; /* the address begins a page: the access may have begun in the one before */
    bool contradicts;  /* it does not do what the error code says was done */
};
/* False when there are no bytes, they are no instruction, or nobody here reads this CPU's. */
bool inq_klog_decode(const struct inq_klog_event *event, struct inq_klog_instruction *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_CALL_ARGUMENT_H
#define INQ_DETECTORS_CALL_ARGUMENT_H

/*
 * The first argument of a call that is still going on, long after its register was used for
 * something else. The code in front of the call says where the argument came from: another
 * register, a place on the stack, a field. Registers that a function must preserve (psABI,
 * figure 3.4) are restored by call frame information, memory is read. A function that hands its own
 * argument on leads to its caller's call. x86-64 alone.
 *
 * Nothing is guessed. There is no answer when another way through the function leads between the
 * instruction and the call, when a register is no preserved one, when memory that was read may have
 * been written since, or when a frame was not found by call frame information.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

#define INQ_MOST_ARGUMENT_LOADS 8u

struct inq_call_argument {
    uint64_t value;
    uint64_t loads[INQ_MOST_ARGUMENT_LOADS]; /* what was read in memory on the way to it: 8 bytes */
    size_t n_loads;                          /* each, at most */
    const char *from; /* where it came from: "rbx", "0x8(rsp)", "a constant"; in the arena */
    uint64_t frame;   /* index of the frame that it was read from */
};

/*
 * Of the call that the frame at place `at` of the stack's list is waiting for. False with a reason
 * (static) when it is not certain.
 */
bool inq_call_argument(struct inq_dump *dump, const struct inq_stack *stack, size_t at,
                       struct inq_call_argument *ret_argument, const char **ret_why);

/* Likewise the first, second or third one (nth 0, 1, 2), which is a whole number or a pointer. */
bool inq_call_nth_argument(struct inq_dump *dump, const struct inq_stack *stack, size_t at,
                           unsigned nth, struct inq_call_argument *ret_argument,
                           const char **ret_why);

/*
 * Does the call that ends at `end` lead to a function that is wanted, directly, by its slot or by
 * functions that only jump on? Not so by a function that works out other arguments and jumps then:
 * no frame is left of that one.
 */
bool inq_call_leads_to(struct inq_dump *dump, uint64_t end, bool (*wanted)(const char *function));

/*
 * The innermost frame whose call leads to one of the functions (NULL-terminated names), directly,
 * by its slot or by functions that only jump on (operator delete); INQ_NO_FRAME without.
 * *ret_function: which one it was called as; one of the names.
 */
size_t inq_call_find(struct inq_dump *dump, const struct inq_stack *stack, const char *const *names,
                     const char **ret_function);

#endif

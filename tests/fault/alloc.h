/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_ALLOC_H
#define INQ_TEST_ALLOC_H

/*
 * malloc and its family, of this program and of the libraries it uses, under control: the n-th call
 * can be made to fail, and what is not freed is counted. Not for threads.
 */

#include <stdbool.h>
#include <stddef.h>

/* The `nth` call from now on (from 1) fails, and with `all` every one after it; 0: none. */
void alloc_fail(size_t nth, bool all);
/* Calls since alloc_fail(), mmap() of our own code among them; whether one failed. */
size_t alloc_calls(void);
bool alloc_failed(void);
/*
 * Objects that were allocated and not freed yet; 0 in a build with a sanitizer, which has an own
 * strdup() and finds leaks by itself.
 */
long alloc_live(void);

/* For a breakpoint: called where a call fails. */
void alloc_fails_here(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_EVIDENCE_TESTS_H
#define INQ_TESTS_EVIDENCE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Each file runs its group: the number of failed tests. */
int test_facts(void);
int test_lookup(void);
int test_dump_parse(void);
int test_frame(void);
int test_error_code(void);

#endif

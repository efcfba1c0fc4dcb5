/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_BASE_TESTS_H
#define INQ_TEST_BASE_TESTS_H

/* cmocka wants these before its header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each runs one group and returns the number of failures. */
int run_text_tests(void);
int run_memory_tests(void);
int run_cursor_tests(void);
int run_io_tests(void);

#endif

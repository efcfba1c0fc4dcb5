/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MEMORY_TESTS_H
#define TESTS_MEMORY_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int run_memory_tests(void);
int run_range_tests(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULES_TESTS_H
#define MODULES_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crashed_program.h"

int run_image_tests(void);
int run_modules_tests(void);
int run_link_map_tests(void);
int run_packed_tests(void);

/* The crasher of this folder, crashed. Skips the test when the kernel writes no core here. */
void crash_make(struct crash *crash);

#endif

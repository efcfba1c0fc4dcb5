/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGES_TESTS_H
#define PACKAGES_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int run_name_tests(void);
int run_origin_tests(void);
int run_owner_tests(void);

#endif

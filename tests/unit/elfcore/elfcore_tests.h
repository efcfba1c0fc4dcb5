/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ELFCORE_TESTS_H
#define TESTS_ELFCORE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int run_cpu_tests(void);
int run_header_tests(void);
int run_note_tests(void);
int run_real_core_tests(void);
int run_shared_core_tests(void);
int run_stream_tests(void);

#endif

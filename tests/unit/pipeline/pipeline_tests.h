/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_PIPELINE_TESTS_H
#define INQ_TESTS_PIPELINE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each returns the number of failures. */
int run_pattern_tests(void);
int run_name_facts_tests(void);
int run_kind_tests(void);
int run_log_join_tests(void);
int run_walk_tests(void);
int run_guard_tests(void);
int run_scan_tests(void);

/* A fresh directory, removed with all in it by scratch_remove(). To be freed. */
char *scratch_create(void);
void scratch_remove(char *directory);
/* Writes a file in it. */
void scratch_file(const char *directory, const char *name, const void *bytes, size_t size);
/* directory "/" name, in a static buffer that the next call uses again */
const char *scratch_path(const char *directory, const char *name);
/* The fake worker of this build. */
const char *fake_worker(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_WORKER_TESTS_H
#define INQ_TESTS_WORKER_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each runs its group and returns how many failed. */
int redact_tests(void);
int sandbox_tests(void);
int analysis_tests(void);

/* Invented values in the shapes of real ones: an argument, and the part that must not leave. */
struct planted {
    const char *argument, *secret; /* secret NULL: the option before one */
};
extern const struct planted planted[];
extern const size_t n_planted;
extern const struct planted planted_variables[]; /* argument: "NAME=VALUE" */
extern const size_t n_planted_variables;

#endif

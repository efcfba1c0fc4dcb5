/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_REPORT_TESTS_H
#define INQ_TESTS_REPORT_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "report.h"

/* Each file runs its group: the number of failed tests. */
int test_golden(void);
int test_hostile(void);
int test_report(void);

/* tests/golden/NAME.json */
json_t *golden_document(const char *name);
/* The report as text, to be freed. */
char *render(const json_t *report, struct inq_style style);

#endif

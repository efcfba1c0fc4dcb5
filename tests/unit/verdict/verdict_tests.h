/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_VERDICT_TESTS_H
#define INQ_TESTS_VERDICT_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evidence.h"
#include "rules.h"

/* Appends to a buffer of `room` bytes; a text that does not fit fails the test. */
static inline void add_text(char *buffer, size_t room, const char *more)
{
    size_t size = strlen(buffer), added = strlen(more);
    assert_true(size + added < room);
    memcpy(buffer + size, more, added + 1);
}

/* Each file runs its group: the number of failed tests. */
int test_group(void);
int test_judge(void);
int test_signatures(void);

/* Evidence from JSON text of an object, taken as it is. */
struct inq_evidence *evidence_of(const char *text);
/* Rules from YAML text. */
struct inq_rules *rules_of(const char *text);

/* The verdict of a signature; NULL when it is not among the verdicts. */
const json_t *verdict_of(const struct inq_evidence *evidence, const char *signature);
const char *grade_of(const struct inq_evidence *evidence, const char *signature);
/* "a b c": the signatures in their order. Static. */
const char *order_of(const struct inq_evidence *evidence);

#endif

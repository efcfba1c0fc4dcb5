/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_DETECTORS_DUMP_H
#define INQ_TESTS_DETECTORS_DUMP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detector.h"
#include "files.h"

/* One dump with all stages done, and the evidence of record and detectors. */
struct test_dump {
    struct inq_dump dump;
    struct inq_gaps gaps;
    struct inq_opener opener;
    struct inq_file_policy policy;
    struct inq_evidence *evidence;
    char dir[64], core[96], program[512];
    int pid;
};

/* Runs the crasher, NULL-terminated arguments; skips the test where no core can be had. */
void test_dump_crash(struct test_dump *test, const char *const *arguments);
/* Reads the core and fills the evidence; `files` false: no file of this machine is looked at. */
void test_dump_read(struct test_dump *test, bool files);
/* Record and detectors over test->dump as it is: for dumps that a test changed. */
void test_dump_detect(struct test_dump *test);
void test_dump_close(struct test_dump *test);

/* A fact as text ("0x10", "true", "7"); NULL when it is not known. */
const char *test_fact(struct test_dump *test, const char *path);
/* Why it is unknown; NULL when it is not. */
const char *test_why(struct test_dump *test, const char *path);
/* "want" may be NULL: not known. */
void test_fact_is(struct test_dump *test, const char *path, const char *want);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TESTS_H
#define STORE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it */
#include <cmocka.h>

#include "crash_db.h"

int journal_tests(void);
int open_tests(void);
int record_tests(void);

/* A folder of its own for each test; the state is its path. */
int make_folder(void **state);
int remove_folder(void **state);
/* "FOLDER/NAME"; valid until the next but 3 call. */
const char *in_folder(void **state, const char *name);

struct inq_store *open_store(const char *path);
/* Fails the test with the error's line. */
void expect_ok(struct inq_error *error);
void expect_code(struct inq_error *error, enum inq_code code);

/* A small report: of a dump, in a group, of a program on a host at a time. New reference. */
json_t *make_report(const char *identity, const char *group, const char *comm, const char *host,
                    const char *when);
struct inq_store_file make_file(const char *path, uint64_t ino);

#endif

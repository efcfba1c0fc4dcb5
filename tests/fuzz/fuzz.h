/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_FUZZ_H
#define INQ_TEST_FUZZ_H

/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(); it is linked
 * with libFuzzer (option `fuzz`) and, in every build, with replay.c, which feeds it the kept seeds.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "evidence.h"
#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with the text when a property does not hold: the fuzzer keeps the input. */
#define FUZZ_CHECK(condition, what)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(#condition, (what));                                                         \
    } while (0)
void fuzz_fail(const char *condition, const char *what) __attribute__((noreturn));

/* A memfd with these bytes, at offset 0. */
int fuzz_memfd(const void *bytes, size_t size);
/* A pipe with these bytes and nothing more to come; they have to fit into it (1 MiB). */
int fuzz_pipe(const void *bytes, size_t size);

/* The shipped signatures and some reports to try rules on; loaded once. */
const struct inq_rules *fuzz_rules(void);
size_t fuzz_reports(struct inq_evidence *const **ret_reports);

/*
 * What holds of every error: a code, and one line without control characters. Destroys it.
 */
void fuzz_check_error(struct inq_error *error);
/*
 * What holds of every document: the text report has no control bytes but newlines, its JSON is
 * read back, also as evidence, and comes out the same.
 */
void fuzz_check_document(const json_t *document);

#endif

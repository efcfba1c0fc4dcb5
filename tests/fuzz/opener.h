/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_OPENER_H
#define INQ_TEST_OPENER_H

/* An opener that hands out one file for every request: a hostile ELF that proved its build-id. */

#include "files.h"

struct fuzz_file {
    int fd; /* -1: every file is missing; stays the caller's */
    enum inq_on_disk status;
};

struct inq_opener fuzz_opener(struct fuzz_file *file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BINDINGS_TESTS_H
#define BINDINGS_TESTS_H

#include "bindings.h"
#include "crashed_program.h"

int run_bindings_tests(void);
int run_hostile_tests(void);

/*
 * Crashes the host of fixtures/duplicates with up to two libraries ("global:old", "local:new"; NULL
 * for none), then by abort().
 */
void host_crash(struct crash *crash, const char *first, const char *second);
/* Reads the modules of crash->bytes and what they are bound to; NULL when nothing is left. */
struct inq_bindings *host_bindings(struct crash *crash);

#endif

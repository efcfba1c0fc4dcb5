/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_ENVIRONMENT_H
#define INQ_DETECTORS_ENVIRONMENT_H

#include <stdbool.h>

/*
 * true when a variable may be part of the evidence: it changes what is loaded, how memory is
 * allocated, or how many threads run. All others, and their names, never leave the dump.
 */
bool inq_environment_allowed(const char *name);

#endif

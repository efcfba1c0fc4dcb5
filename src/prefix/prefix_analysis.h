/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PREFIX_PREFIX_ANALYSIS_H
#define INQ_PREFIX_PREFIX_ANALYSIS_H

/*
 * An environment before it runs: which of its libraries export the same names, and what could make
 * one be taken for the other. Runs in the worker: the files are as little trusted as a dump.
 */

#include "evidence.h"
#include "files.h"

/*
 * `fd` is the parent's inventory (inventory.h); stays the caller's. Files are asked for by their
 * path below the folder, which is the policy's sysroot. Fills in `prefix`, `modules` and `pairs`.
 */
struct inq_error *inq_prefix_analyze(int fd, struct inq_opener *opener,
                                     struct inq_evidence **ret_evidence);

#endif

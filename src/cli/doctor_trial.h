/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_CLI_DOCTOR_TRIAL_H
#define INQ_CLI_DOCTOR_TRIAL_H

#include "cli.h"
#include "doctor.h"
#include "error.h"

/*
 * doctor --try: a process of our own crashes in a folder of its own, with the limits and the filter
 * that a process started from here would have (a core limit of 0 is raised as far as that is
 * allowed, or there would be nothing to try). What becomes of it is followed to the end: the core
 * by core_pattern, its triage, the line in the kernel's log; and the servers of DEBUGINFOD_URLS are
 * asked for one file. The job must be prepared; the kernel's log is read after the crash. Adds
 * checkups try-core, try-debuginfod, try-line and try-triage. What it made, it removes: but not
 * what a collector keeps.
 */
struct inq_error *cli_doctor_trial(struct cli *cli, struct inq_checkups *checkups);

#endif

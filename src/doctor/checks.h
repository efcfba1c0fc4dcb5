/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DOCTOR_CHECKS_H
#define INQ_DOCTOR_CHECKS_H

/* One question each; the table is in doctor.c. A check looks and says; it changes nothing. */

#include "machine.h"

typedef void inq_check(const struct inq_machine *machine, struct inq_checkup *checkup);

/* check_target.c: where a core goes */
inq_check inq_check_core_folder, inq_check_core_name, inq_check_core_pattern,
    inq_check_core_pipe_limit;
/* check_limits.c: whether it may be written */
inq_check inq_check_core_limit, inq_check_file_limit, inq_check_systemd_limit;
/* check_memory.c: whether all of it fits and is saved */
inq_check inq_check_core_filter, inq_check_core_space, inq_check_setuid;
/* check_collectors.c: programs that take cores */
inq_check inq_check_apport, inq_check_systemd_coredump;
/* check_log.c: the kernel's line */
inq_check inq_check_handlers, inq_check_log_lines, inq_check_log_rate, inq_check_log_readable;
/* check_around.c: what else an analysis wants */
inq_check inq_check_container, inq_check_debug_files, inq_check_debuginfod, inq_check_kernel,
    inq_check_sandbox;

/* A core_pattern that always works, and the folder for it: commands of several checks. */
void inq_say_good_pattern(struct inq_checkup *checkup);
/* The commands that set one thing of a unit's [Service]: "LimitCORE=infinity". */
void inq_say_drop_in(struct inq_checkup *checkup, const char *unit, const char *setting);

#endif

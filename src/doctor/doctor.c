/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "checks.h"
#include "cleanup.h"

struct check {
    const char *id, *title;
    inq_check *run;
};

/* Sorted by id. To add a check: a line here, its prototype in checks.h, a row in docs/doctor.md. */
static const struct check checks[] = {
    {"apport", "Apport, Ubuntu's collector", inq_check_apport},
    {"container", "whose kernel settings these are", inq_check_container},
    {"core-filter", "which memory is saved", inq_check_core_filter},
    {"core-folder", "the folder that cores are written to", inq_check_core_folder},
    {"core-limit", "how large a core may be", inq_check_core_limit},
    {"core-name", "whether each core has a name of its own", inq_check_core_name},
    {"core-pattern", "where the kernel sends a core", inq_check_core_pattern},
    {"core-pipe-limit", "how many cores are piped at once", inq_check_core_pipe_limit},
    {"core-space", "room for the core of the biggest process", inq_check_core_space},
    {"debug-files", "debug symbols", inq_check_debug_files},
    {"debuginfod", "servers of debug symbols", inq_check_debuginfod},
    {"file-limit", "how large any file may be", inq_check_file_limit},
    {"handlers", "signal handlers of the process", inq_check_handlers},
    {"kernel", "what this kernel can do", inq_check_kernel},
    {"log-lines", "whether the kernel logs crashes", inq_check_log_lines},
    {"log-rate", "how many crashes it logs at once", inq_check_log_rate},
    {"log-readable", "whether the kernel's log can be read", inq_check_log_readable},
    {"sandbox", "layers of the sandbox that cores are read in", inq_check_sandbox},
    {"setuid", "processes that changed their user", inq_check_setuid},
    {"systemd-coredump", "systemd's collector", inq_check_systemd_coredump},
    {"systemd-limit", "how large a core of a service may be", inq_check_systemd_limit},
};

struct inq_error *inq_doctor_examine(const struct inq_doctor_options *options,
                                     struct inq_checkups *ret_checkups)
{
    _cleanup_(inq_checkups_deinit) struct inq_checkups checkups = {0};
    _cleanup_(inq_machine_close) struct inq_machine machine = {.root_fd = -1};
    bool failed = false;

    INQ_TRY(inq_machine_open(options, &machine));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(checks); i++) {
        struct inq_checkup *checkup = inq_checkups_add(&checkups, checks[i].id, checks[i].title);

        if (!checkup)
            return &inq_error_oom;
        checks[i].run(&machine, checkup);
        failed |= checkup->failed;
    }
    if (failed)
        return &inq_error_oom;
    *ret_checkups = checkups;
    checkups = (struct inq_checkups){0};
    return NULL;
}

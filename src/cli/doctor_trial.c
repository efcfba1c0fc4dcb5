/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "evidence.h"
#include "fetch.h"
#include "pattern.h"
#include "text.h"

#define COMM "inquest-trial" /* fits TASK_COMM_LEN */
#define CRASH_ADDRESS 0xd0cu /* nothing is ever mapped there: below vm.mmap_min_addr */
/* A collector takes the core out of a pipe and writes it when it likes. */
#define COLLECTOR_SECONDS 10u
#define STEP_MSEC 100u
#define SERVER_SECONDS 5u
#define MAX_TMP 480u

struct trial {
    const char *above;         /* folder for temporary files */
    char folder[MAX_TMP + 32]; /* the one it crashes in, below that; "" when it was not made */
    char *pattern;             /* core_pattern; NULL when it cannot be read */
    enum inq_core_target target;
    pid_t pid;
    int status;
    struct rlimit before;  /* RLIMIT_CORE of what is started from here */
    struct timespec began; /* CLOCK_REALTIME, as files are stamped */
    char *core;            /* found; NULL without */
    bool ours;             /* a file that the kernel made for this crash alone */
};

/* With what asking the servers leaves: the folder of a cache, empty. */
static void remove_folder(const char *folder)
{
    static const char *const names[] = {"/inquest/debuginfod", "/inquest", ""};
    char path[MAX_TMP + 64];

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        rmdir(path);
    }
}

static void trial_deinit(struct trial *trial)
{
    if (trial->core && trial->ours)
        unlink(trial->core);
    if (trial->folder[0])
        remove_folder(trial->folder);
    free(trial->core);
    free(trial->pattern);
}

/* ---- the crash ------------------------------------------------------------------------------ */

static __attribute__((noinline)) void crash_on_purpose(void)
{
    volatile uintptr_t address = CRASH_ADDRESS;

    *(volatile int *)address = 1;
}

/* In the child. What it was started with stays: the filter, and the limit unless that is less. */
static _Noreturn void die(const char *folder)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit limit;
    sigset_t none;

    if (setrlimit(RLIMIT_CORE, &all) < 0 && getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGSEGV, SIG_DFL);
    if (chdir(folder) == 0 && prctl(PR_SET_NAME, COMM) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0)
        crash_on_purpose();
    _exit(1);
}

static struct inq_error *crash(struct trial *trial)
{
    const char *tmp = secure_getenv("TMPDIR");
    pid_t got;

    trial->above = tmp && *tmp == '/' && strlen(tmp) < MAX_TMP ? tmp : "/tmp";
    snprintf(trial->folder, sizeof(trial->folder), "%s/inquest-doctor.XXXXXX", trial->above);
    if (!mkdtemp(trial->folder)) {
        struct inq_error *error = inq_error_in(
            inq_error_create(INQ_E_IO, "cannot make a folder: %s", strerror(errno)), trial->folder);

        trial->folder[0] = '\0';
        return error;
    }
    clock_gettime(CLOCK_REALTIME_COARSE, &trial->began);
    if (getrlimit(RLIMIT_CORE, &trial->before) < 0)
        trial->before = (struct rlimit){0};
    trial->pid = fork();
    if (trial->pid == 0)
        die(trial->folder);
    if (trial->pid < 0)
        return inq_error_create(INQ_E_IO, "cannot start a process: %s", strerror(errno));
    do
        got = waitpid(trial->pid, &trial->status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 || !WIFSIGNALED(trial->status) || WTERMSIG(trial->status) != SIGSEGV)
        return inq_error_create(INQ_E_IO, "the process that was to crash did not");
    return NULL;
}

/* ---- its core ------------------------------------------------------------------------------- */

static bool is_fresh(const struct trial *trial, const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_mtim.tv_sec > trial->began.tv_sec ||
            (st.st_mtim.tv_sec == trial->began.tv_sec &&
             st.st_mtim.tv_nsec >= trial->began.tv_nsec));
}

/* The first file that fits and is younger than the crash; to be freed. */
static char *find_fresh(const struct trial *trial, const char *pattern)
{
    glob_t found;
    char *path = NULL;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return NULL;
    for (size_t i = 0; i < found.gl_pathc && !path; i++)
        if (is_fresh(trial, found.gl_pathv[i]))
            path = strdup(found.gl_pathv[i]);
    globfree(&found);
    return path;
}

static bool first_pid_namespace(void)
{
    char text[64];
    ssize_t n = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return !strcmp(text, "pid:[4026531836]"); /* include/linux/proc_ns.h, PROC_PID_INIT_INO */
}

static bool setting_is_on(const char *path)
{
    char byte = '0';
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd >= 0 && read(fd, &byte, 1) == 1 && byte != '0';
}

static char *find_named(const struct trial *trial)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    struct utsname names;
    _cleanup_free_ char *name = NULL;
    _cleanup_free_ char *whole = NULL;

    self[n > 0 ? n : 0] = '\0';
    if (uname(&names) < 0)
        names.nodename[0] = '\0';
    const struct inq_core_name known = {
        .pid = trial->pid,
        .uid = getuid(),
        .gid = getgid(),
        .signal = SIGSEGV,
        .comm = COMM,
        .executable = self,
        .hostname = names.nodename,
        .outer_ids = first_pid_namespace(),
        .uses_pid = setting_is_on("/proc/sys/kernel/core_uses_pid"),
    };
    name = inq_core_name_glob(trial->pattern, &known);
    if (!name)
        return NULL;
    if (*name == '/')
        return find_fresh(trial, name);
    if (asprintf(&whole, "%s/%s", trial->folder, name) < 0) {
        whole = NULL;
        return NULL;
    }
    return find_fresh(trial, whole);
}

/* Where the known collectors put what they take: a glob with the process in it; NULL for others. */
static char *collector_glob(const struct trial *trial, const char *program)
{
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    char pid[16], *pattern = NULL;
    int n = -1;

    snprintf(pid, sizeof(pid), "%d", (int)trial->pid);
    if (!first_pid_namespace())
        snprintf(pid, sizeof(pid), "*");
    if (!strcmp(name, "systemd-coredump"))
        n = asprintf(&pattern, "/var/lib/systemd/coredump/core." COMM ".%u.*.%s.*",
                     (unsigned)getuid(), pid);
    else if (!strcmp(name, "apport"))
        n = asprintf(&pattern, "/var/lib/apport/coredump/core.*%s*", pid);
    else if (!strcmp(name, "abrt-hook-ccpp"))
        n = asprintf(&pattern, "/var/spool/abrt/ccpp-*-%s/coredump", pid);
    return n < 0 ? NULL : pattern;
}

static char *find_collected(const struct trial *trial, const char *program)
{
    _cleanup_free_ char *pattern = collector_glob(trial, program);
    const struct timespec step = {.tv_nsec = STEP_MSEC * 1000000l};
    char *core = NULL;

    for (unsigned msec = 0; pattern && msec < COLLECTOR_SECONDS * 1000 && !core;
         msec += STEP_MSEC) {
        core = find_fresh(trial, pattern);
        if (!core)
            nanosleep(&step, NULL);
    }
    return core;
}

static void say_limit(const struct trial *trial, struct inq_checkup *f)
{
    if (trial->before.rlim_cur == 0)
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "For the trial the limit of 0 was raised: see core-limit.");
}

static void follow_file(struct trial *trial, struct inq_checkup *f)
{
    const bool dumped = WCOREDUMP(trial->status);

    trial->core = find_named(trial);
    trial->ours = trial->core != NULL;
    if (trial->core && dumped) {
        struct stat st;
        char size[32];

        inq_doctor_size(stat(trial->core, &st) == 0 ? (uint64_t)st.st_size : 0, size);
        inq_checkup_say(f, INQ_CHECKUP_OK, "The kernel wrote the core %s, %s.", trial->core, size);
        say_limit(trial, f);
    } else if (trial->core) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The kernel could not finish the core %s: no room, a quota or a limit.",
                        trial->core);
        inq_checkup_command(f, "df -h %s",
                            trial->target == INQ_TARGET_FOLDER ? trial->above : trial->core);
    } else if (dumped) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "The kernel wrote a core, but not where core_pattern says it is.");
    } else {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "A process of this user crashed and the kernel wrote no core.");
        say_limit(trial, f);
    }
}

static void follow_pipe(struct trial *trial, struct inq_checkup *f)
{
    _cleanup_free_ char *program = inq_core_pipe_program(trial->pattern);

    if (!WCOREDUMP(trial->status)) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The kernel could not hand the core to %s: it cannot be started, or ended "
                        "before it had read all.",
                        program ? program : "a program");
        return;
    }
    trial->core = program ? find_collected(trial, program) : NULL;
    if (trial->core)
        inq_checkup_say(f, INQ_CHECKUP_OK, "%s got the core and keeps it as %s.", program,
                        trial->core);
    else
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "%s got the core; where it keeps it is not known here.",
                        program ? program : "A program");
}

static void follow(struct trial *trial, struct inq_checkup *f)
{
    inq_checkup_saw(f, "core_pattern: %s", trial->pattern ? trial->pattern : "cannot be read");
    inq_checkup_saw(f, "process %d: SIGSEGV%s", (int)trial->pid,
                    WCOREDUMP(trial->status) ? ", core dumped" : ", no core");
    switch (trial->target) {
    case INQ_TARGET_FILE:
    case INQ_TARGET_FOLDER:
        follow_file(trial, f);
        break;
    case INQ_TARGET_PIPE:
        follow_pipe(trial, f);
        break;
    case INQ_TARGET_SOCKET:
        inq_checkup_say(f, WCOREDUMP(trial->status) ? INQ_CHECKUP_UNKNOWN : INQ_CHECKUP_MEND,
                        WCOREDUMP(trial->status)
                            ? "Who listens on the socket got the core; where it is kept is not "
                              "known here."
                            : "The kernel could not send the core to the socket.");
        break;
    default:
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Where the kernel sends cores is not known.");
        break;
    }
}

/* ---- its triage ----------------------------------------------------------------------------- */

static const json_t *fact(const json_t *report, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(report, path, NULL, NULL);

    return value.known == INQ_KNOWN ? value.value : NULL;
}

/* Is the report about this crash, and does it hold what a core must give? */
static void judge_report(const struct trial *trial, const json_t *report, struct inq_checkup *f)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(report, "error"), "message"));
    const char *function = json_string_value(fact(report, "fault.function"));
    uint64_t address = 0;

    if (json_object_get(report, "error")) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "The core cannot be analysed: %s.",
                        message ? message : "no reason is given");
        return;
    }
    inq_checkup_saw(f, "pid %" JSON_INTEGER_FORMAT ", %s, fault.address %s, function %s",
                    json_integer_value(fact(report, "process.pid")),
                    json_is_string(fact(report, "signal.name"))
                        ? json_string_value(fact(report, "signal.name"))
                        : "no signal",
                    json_is_string(fact(report, "fault.address"))
                        ? json_string_value(fact(report, "fault.address"))
                        : "unknown",
                    function ? function : "unknown");
    if (json_integer_value(fact(report, "process.pid")) != trial->pid) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "The core is of another process.");
        return;
    }
    if (!inq_json_addr_value(fact(report, "fault.address"), &address) || address != CRASH_ADDRESS)
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The report does not tell the address that was written to, 0x%x.",
                        CRASH_ADDRESS);
    if (!json_is_true(fact(report, "core.complete"))) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The core is cut: there was no room for it, or a limit or quota.");
        inq_checkup_command(f, "df -h %s",
                            trial->target == INQ_TARGET_FOLDER ? trial->above : trial->core);
    }
    if (json_is_true(fact(report, "core.filtered")))
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Memory that an analysis needs was left out: see core-filter.");
    if (json_integer_value(fact(report, "crashed.frames_total")) < 2)
        inq_checkup_say(f, INQ_CHECKUP_MEND, "The stack could not be read.");
    if (f->state == INQ_CHECKUP_OK)
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "The report tells the address, the function and the stack of this crash.");
}

static struct inq_error *triage(const struct trial *trial, const struct inq_job_options *job,
                                struct inq_checkup *f, json_t **ret_report)
{
    json_t *report = NULL;
    int exit_code;

    if (!trial->core) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "There is no core to analyse.");
        return NULL;
    }
    INQ_TRY(inq_pipeline_triage(trial->core, job, &report, &exit_code));
    judge_report(trial, report, f);
    *ret_report = report;
    return NULL;
}

/* ---- its line -------------------------------------------------------------------------------- */

static void judge_line(const json_t *report, const struct inq_job_options *job,
                       struct inq_checkup *f)
{
    const json_t *line = json_array_get(fact(report, "kernel_log"), 0);
    const struct inq_fact_value log = report ? inq_evidence_get(report, "kernel_log", NULL, NULL)
                                             : (struct inq_fact_value){.known = INQ_NONE};

    if (!job->kernel_log) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "No kernel log was looked at (--klog none).");
    } else if (log.known == INQ_UNKNOWN) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "The kernel's log was not read: see log-readable.");
    } else if (!report) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "Without the core no line of the log can be told to be this crash's.");
    } else if (line && !json_is_true(json_object_get(line, "likely"))) {
        inq_checkup_saw(f, "%s", json_string_value(json_object_get(line, "line")));
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "The kernel logged it, and the line was joined to the "
                        "core.");
    } else {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The kernel's log has no line that is surely about this crash: lines are "
                        "switched off, or were dropped since other processes crash at this time.");
        inq_checkup_command(f, "sudo sysctl -w debug.exception-trace=1");
    }
}

/* ---- servers -------------------------------------------------------------------------------- */

static struct inq_error *ask_servers(const struct trial *trial, struct inq_checkups *checkups)
{
    const struct inq_job_options job = {.debuginfod_urls = secure_getenv("DEBUGINFOD_URLS"),
                                        .cache_home = trial->folder,
                                        .timeout_seconds = SERVER_SECONDS};
    struct inq_checkup *f;
    const char *why;
    bool answered;

    if (!job.debuginfod_urls || !*job.debuginfod_urls)
        return NULL;
    f = inq_checkups_add(checkups, "try-debuginfod", "do the servers of debug symbols answer");
    if (!f)
        return &inq_error_oom;
    INQ_TRY(inq_fetch_probe(&job, &answered, &why));
    inq_checkup_saw(f, "DEBUGINFOD_URLS: %s", job.debuginfod_urls);
    if (answered)
        inq_checkup_say(f, INQ_CHECKUP_OK, "One of them answered.");
    else
        inq_checkup_say(f, INQ_CHECKUP_MEND, "%s (within %u s).", why, SERVER_SECONDS);
    return f->failed ? &inq_error_oom : NULL;
}

struct inq_error *cli_doctor_trial(struct cli *cli, struct inq_checkups *checkups)
{
    const struct inq_job_options *job = &cli->options.job;
    _cleanup_(trial_deinit) struct trial trial = {.pattern = inq_pattern_of_kernel()};
    struct inq_kernel_log *log = NULL;
    struct inq_checkup *f;
    json_t *report = NULL;
    bool failed;

    trial.target = inq_core_target(trial.pattern);
    INQ_TRY(crash(&trial));
    INQ_TRY(cli_load_klog(cli, &log)); /* it must hold the crash */
    cli_use_klog(cli, log);
    f = inq_checkups_add(checkups, "try-core", "does a crash leave a core");
    if (!f)
        return &inq_error_oom;
    follow(&trial, f);
    failed = f->failed;
    f = inq_checkups_add(checkups, "try-triage", "does its report tell what happened");
    if (!f)
        return &inq_error_oom;
    INQ_TRY(triage(&trial, job, f, &report));
    failed |= f->failed;
    f = inq_checkups_add(checkups, "try-line", "does the kernel's log tell of it");
    if (f)
        judge_line(report, job, f);
    json_decref(report);
    if (!f)
        return &inq_error_oom;
    failed |= f->failed;
    INQ_TRY(ask_servers(&trial, checkups));
    return failed ? &inq_error_oom : NULL;
}

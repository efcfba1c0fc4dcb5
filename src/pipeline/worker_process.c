/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "config.h"
#include "frame.h"

/* Descriptors of ours are moved here first, out of the way of 0 to 5. */
#define SAFE_FD 16
/* A report is a few 100 KB: fewer switches between the two than with the default 64 KiB. */
#define RESULT_PIPE_BYTES (512 * 1024)
#define MAX_ARGUMENTS 16

/* "DIRECTORY/BELOW/NAME" when it can be run; to be freed. */
static char *program_in(const char *directory, const char *below, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s%s", directory, below, name) < 0)
        return NULL;
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *inq_program_find(const char *name, const char *wanted)
{
    char self[4096];
    char *path = NULL, *slash;
    ssize_t n;

    if (wanted)
        return strdup(wanted);
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
        path = program_in(self, "", name);
        if (!path) /* installed, and perhaps moved as a whole */
            path = program_in(self, "../libexec/inquest/", name);
        if (path)
            return path;
    }
    return asprintf(&path, "%s/%s", INQUEST_LIBEXEC_DIR, name) < 0 ? NULL : path;
}

struct arguments {
    char *items[MAX_ARGUMENTS + 1];
    size_t count;
    bool failed;
};

static void arguments_deinit(struct arguments *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->items[i]);
}

__attribute__((format(printf, 2, 3))) static void add(struct arguments *a, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (a->count == MAX_ARGUMENTS || vasprintf(&a->items[a->count], format, list) < 0) {
        a->items[a->count] = NULL;
        a->failed = true;
    } else {
        a->count++;
    }
    va_end(list);
}

static void build_arguments(struct arguments *a, const char *worker_path, const char *name,
                            const struct inq_job_options *options, uint32_t cpu_seconds)
{
    uint64_t data_bytes =
        options->max_memory_bytes ? options->max_memory_bytes : INQ_WORKER_DATA_BYTES;

    add(a, "%s", worker_path);
    add(a, "--name=%s", name);
    add(a, "--cpu-seconds=%" PRIu32, cpu_seconds);
    add(a, "--data-bytes=%" PRIu64, data_bytes);
    if (options->engine)
        add(a, "--engine=%s", options->engine);
    if (options->redact)
        add(a, "--redact=%s", options->redact);
    if (options->stacks_only)
        add(a, "--stacks");
    if (options->policy.executable)
        add(a, "--executable");
    if (options->policy.scripts)
        add(a, "--prefix");
    if (options->all_owners)
        add(a, "--all-owners");
    if (options->debuginfod)
        add(a, "--debuginfod");
    if (options->unmapped)
        add(a, "--unmapped");
    if (options->no_sandbox)
        add(a, "--no-sandbox");
    if (options->require_sandbox)
        add(a, "--require-sandbox");
}

/* The five descriptors of a worker, all of ours at SAFE_FD or above and close-on-exec. */
struct wires {
    int core, result_in, result_out, broker_in, broker_out;
};

static void wires_deinit(struct wires *w)
{
    inq_closep(&w->core);
    inq_closep(&w->result_in);
    inq_closep(&w->result_out);
    inq_closep(&w->broker_in);
    inq_closep(&w->broker_out);
}

bool inq_fd_move_up(int *fd)
{
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, SAFE_FD);

    if (moved < 0)
        return false;
    close(*fd);
    *fd = moved;
    return true;
}

/* false with errno */
static bool wires_open(struct wires *w, int core_fd)
{
    int pair[2];

    w->core = fcntl(core_fd, F_DUPFD_CLOEXEC, SAFE_FD);
    if (w->core < 0 || pipe2(pair, O_CLOEXEC) < 0)
        return false;
    w->result_in = pair[0];
    w->result_out = pair[1];
    if (!inq_fd_move_up(&w->result_out))
        return false;
    if (fcntl(w->result_in, F_SETFL, O_NONBLOCK) < 0)
        return false;
    (void)fcntl(w->result_in, F_SETPIPE_SZ, RESULT_PIPE_BYTES); /* as large as we may */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    w->broker_in = pair[0];
    w->broker_out = pair[1];
    return inq_fd_move_up(&w->broker_out) && fcntl(w->broker_in, F_SETFL, O_NONBLOCK) >= 0;
}

/* Returns an errno value. */
static int set_actions(posix_spawn_file_actions_t *actions, const struct wires *w, bool keep_stderr)
{
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (!error)
        error = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error && !keep_stderr)
        error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, w->core, INQ_WORKER_FD_CORE);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, w->result_out, INQ_WORKER_FD_RESULT);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, w->broker_out, INQ_WORKER_FD_BROKER);
    /* Also what our own parent left open without close-on-exec. */
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, INQ_WORKER_FD_BROKER + 1);
    return error;
}

/* A group of its own, no blocked signals, and none ignored: SIGPIPE is, in many a parent. */
int inq_program_attributes(posix_spawnattr_t *attributes)
{
    static const int reset[] = {SIGPIPE, SIGINT,  SIGTERM, SIGHUP,
                                SIGQUIT, SIGCHLD, SIGXCPU, SIGXFSZ};
    sigset_t none, some;
    int error;

    sigemptyset(&none);
    sigemptyset(&some);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(reset); i++)
        sigaddset(&some, reset[i]);
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &some);
    return error;
}

static int spawn(const struct arguments *a, const struct wires *w, bool keep_stderr, pid_t *ret_pid)
{
    static char *const no_environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = set_actions(&actions, w, keep_stderr);
    if (!error)
        error = inq_program_attributes(&attributes);
    if (!error)
        error = posix_spawn(ret_pid, a->items[0], &actions, &attributes, a->items, no_environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static bool is_transient(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

static struct inq_error *start_error(int error, const char *worker_path, bool *ret_transient)
{
    *ret_transient = is_transient(error);
    return inq_error_in(inq_error_create(INQ_E_WORKER_START, "the worker could not be started: %s",
                                         strerror(error)),
                        worker_path);
}

struct inq_error *inq_worker_process_start(const char *worker_path, int core_fd, const char *name,
                                           const struct inq_job_options *options,
                                           uint32_t cpu_seconds, bool *ret_transient,
                                           struct inq_worker_process *ret_process)
{
    _cleanup_(arguments_deinit) struct arguments a = {0};
    _cleanup_(wires_deinit) struct wires w = {-1, -1, -1, -1, -1};
    pid_t pid;
    int error;

    build_arguments(&a, worker_path, name, options, cpu_seconds);
    if (a.failed)
        return &inq_error_oom;
    if (!wires_open(&w, core_fd))
        return start_error(errno, worker_path, ret_transient);
    error = spawn(&a, &w, options->worker_stderr, &pid);
    if (error)
        return start_error(error, worker_path, ret_transient);
    *ret_transient = false;
    *ret_process = (struct inq_worker_process){
        .pid = pid,
        .pid_fd = (int)syscall(SYS_pidfd_open, pid, 0u), /* a zombie still has its pid: no race */
        .result_fd = TAKE_FD(w.result_in),
        .broker_fd = TAKE_FD(w.broker_in),
    };
    return NULL;
}

void inq_worker_process_kill(const struct inq_worker_process *process)
{
    kill(-process->pid, SIGKILL);
}

int inq_worker_process_reap(struct inq_worker_process *process)
{
    int status;
    pid_t got;

    do
        got = waitpid(process->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return got == process->pid ? status : -1;
}

void inq_worker_process_deinit(struct inq_worker_process *process)
{
    inq_closep(&process->pid_fd);
    inq_closep(&process->result_fd);
    inq_closep(&process->broker_fd);
    process->pid_fd = process->result_fd = process->broker_fd = -1;
}

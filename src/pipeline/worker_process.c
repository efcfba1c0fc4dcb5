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
#include "start.h"

/* Descriptors of ours are moved here first, out of the way of 0 to 5. */
#define SAFE_FD 16
/* A report is a few 100 KB: fewer switches between the two than with the default 64 KiB. */
#define RESULT_PIPE_BYTES (512 * 1024)
#define MAX_ARGUMENTS 16
/* A server that has not answered by then is stuck, or stopped: the machine is not that slow. */
#define SERVER_MSEC 3000

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

/* `name` NULL: of a server. */
static void build_arguments(struct arguments *a, const char *worker_path, const char *name,
                            const struct inq_job_options *options, uint32_t cpu_seconds)
{
    uint64_t data_bytes =
        options->max_memory_bytes ? options->max_memory_bytes : INQ_WORKER_DATA_BYTES;

    add(a, "%s", worker_path);
    if (name) {
        add(a, "--name=%s", name);
        add(a, "--cpu-seconds=%" PRIu32, cpu_seconds);
    } else {
        add(a, "--serve");
    }
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

/* What a program is started with at 3, 4 and 5; /dev/null for -1. */
struct given {
    int fds[3];
    bool keep_stderr;
    char *const *environment;
};

/* Returns an errno value. */
static int set_actions(posix_spawn_file_actions_t *actions, const struct given *given)
{
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (!error)
        error = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error && !given->keep_stderr)
        error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    for (int i = 0; !error && i < (int)INQ_ARRAY_SIZE(given->fds); i++)
        error = given->fds[i] >= 0
                    ? posix_spawn_file_actions_adddup2(actions, given->fds[i], 3 + i)
                    : posix_spawn_file_actions_addopen(actions, 3 + i, "/dev/null", O_RDONLY, 0);
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

static int spawn(const struct arguments *a, const struct given *given, pid_t *ret_pid)
{
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
    error = set_actions(&actions, given);
    if (!error)
        error = inq_program_attributes(&attributes);
    if (!error)
        error =
            posix_spawn(ret_pid, a->items[0], &actions, &attributes, a->items, given->environment);
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

/* A program of its own. Returns an errno value. */
static int start_program(const char *worker_path, const char *name,
                         const struct inq_job_options *options, uint32_t cpu_seconds,
                         const struct wires *w, pid_t *ret_pid)
{
    static char *const no_environment[] = {NULL};
    const struct given given = {
        .fds = {[INQ_WORKER_FD_CORE - 3] = w->core,
                [INQ_WORKER_FD_RESULT - 3] = w->result_out,
                [INQ_WORKER_FD_BROKER - 3] = w->broker_out},
        .keep_stderr = options->worker_stderr,
        .environment = no_environment,
    };
    _cleanup_(arguments_deinit) struct arguments a = {0};

    build_arguments(&a, worker_path, name, options, cpu_seconds);
    return a.failed ? ENOMEM : spawn(&a, &given, ret_pid);
}

/*
 * True when the server made one. What it says is checked: setpgid() is refused for everything that
 * is no child of ours.
 */
static bool ask_server(struct inq_worker_server *server, const char *name, uint32_t cpu_seconds,
                       const struct wires *w, pid_t *ret_pid)
{
    const struct inq_start_order order = {.core_fd = w->core,
                                          .result_fd = w->result_out,
                                          .broker_fd = w->broker_out,
                                          .cpu_seconds = cpu_seconds,
                                          .name = name};
    bool broken;
    pid_t pid;

    pid = inq_start_ask(server->fd, &order, SERVER_MSEC, &broken);
    if (pid > 0 && setpgid(pid, pid) == 0) {
        *ret_pid = pid;
        return true;
    }
    if (broken || pid > 0)
        inq_worker_server_stop(server);
    return false;
}

struct inq_error *inq_worker_process_start(const char *worker_path, int core_fd, const char *name,
                                           const struct inq_job_options *options,
                                           uint32_t cpu_seconds, struct inq_worker_server *server,
                                           bool *ret_transient,
                                           struct inq_worker_process *ret_process)
{
    _cleanup_(wires_deinit) struct wires w = {-1, -1, -1, -1, -1};
    pid_t pid = 0;

    if (!wires_open(&w, core_fd))
        return start_error(errno, worker_path, ret_transient);
    if (server->fd >= 0 && !ask_server(server, name, cpu_seconds, &w, &pid)) {
        /* new ones: there might be a process at the other ends that nobody got to know of */
        wires_deinit(&w);
        w = (struct wires){-1, -1, -1, -1, -1};
        if (!wires_open(&w, core_fd))
            return start_error(errno, worker_path, ret_transient);
    }
    if (pid == 0) {
        int error = start_program(worker_path, name, options, cpu_seconds, &w, &pid);

        if (error)
            return start_error(error, worker_path, ret_transient);
    }
    *ret_transient = false;
    *ret_process = (struct inq_worker_process){
        .pid = pid,
        .pid_fd = (int)syscall(SYS_pidfd_open, pid, 0u), /* a zombie still has its pid: no race */
        .result_fd = TAKE_FD(w.result_in),
        .broker_fd = TAKE_FD(w.broker_in),
    };
    return NULL;
}

void inq_worker_server_start(const char *worker_path, const struct inq_job_options *options,
                             struct inq_worker_server *ret_server)
{
    /* every function is looked up once and for all, not in each new process again */
    static char bind_now[] = "LD_BIND_NOW=1";
    static char *const environment[] = {bind_now, NULL};
    struct given given = {
        .fds = {-1, -1, -1}, .keep_stderr = options->worker_stderr, .environment = environment};
    _cleanup_(arguments_deinit) struct arguments a = {0};
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2];
    pid_t pid;

    *ret_server = (struct inq_worker_server){.fd = -1};
    build_arguments(&a, worker_path, NULL, options, 0);
    if (a.failed || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return;
    ours = pair[0];
    theirs = pair[1];
    if (!inq_fd_move_up(&theirs))
        return;
    given.fds[INQ_START_FD - 3] = theirs;
    if (spawn(&a, &given, &pid) == 0)
        *ret_server = (struct inq_worker_server){.pid = pid, .fd = TAKE_FD(ours)};
}

void inq_worker_server_stop(struct inq_worker_server *server)
{
    if (server->fd < 0)
        return;
    close(server->fd);
    server->fd = -1;
    /* and with it what it made without being able to say so; nobody of them has a state to lose */
    kill(-server->pid, SIGKILL);
    while (waitpid(-server->pid, NULL, 0) > 0 || errno == EINTR)
        ;
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

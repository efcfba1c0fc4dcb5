/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "records.h"
#include "assemble.h"
#include "bounds.h"
#include "cleanup.h"
#include "frame.h"
#include "io.h"
#include "kind.h"
#include "known_issues.h"
#include "mounts.h"
#include "report.h"

static uint64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void inq_job_init(struct inq_job *job, int fd, const char *path)
{
    uint8_t magic[8];
    const char *name;

    *job = (struct inq_job){.fd = fd, .path = path, .started_usec = now_usec()};
    if (fd < 0 || fstat(fd, &job->stat) < 0) {
        job->stat = (struct stat){0};
        return;
    }
    if (!S_ISREG(job->stat.st_mode)) {
        job->packed_bytes = INQ_MAX_UNPACKED;
        return;
    }
    ssize_t n = inq_pread_full(fd, magic, sizeof(magic), 0);
    const enum inq_kind kind = n > 0 ? inq_kind_of(magic, (size_t)n, &name) : INQ_KIND_OTHER;
    if (kind == INQ_KIND_ZSTD || kind == INQ_KIND_PACKED)
        job->packed_bytes = (uint64_t)job->stat.st_size;
}

void inq_job_deinit(struct inq_job *job)
{
    inq_closep(&job->fd);
    job->fd = -1;
}

static struct inq_error *open_error(const char *path, const char *not_regular)
{
    int saved = errno;

    if (not_regular)
        return inq_error_in(
            inq_error_create(INQ_E_NOT_REGULAR, "not a regular file: %s", not_regular), path);
    return inq_error_in(inq_error_create(INQ_E_IO, "cannot open: %s", strerror(saved)), path);
}

/* Component by component where the whole name is more than the kernel takes at once. */
static int open_long(const char *path, const char **ret_not_regular)
{
    _cleanup_close_ int dir = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (dir >= 0) {
        char part[256];
        size_t size = strcspn(path += strspn(path, "/"), "/");
        int next;

        if (size >= sizeof(part)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, size);
        part[size] = '\0';
        path += size;
        if (path[strspn(path, "/")] == '\0')
            return inq_open_regular(dir, part, 1, ret_not_regular);
        next = openat(dir, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(dir);
        dir = next;
    }
    return -1;
}

struct inq_error *inq_job_open(const char *path, int *ret_fd)
{
    const char *not_regular = NULL;
    int fd;

    if (!inq_mount_answers(path, INQ_MOUNT_ANSWER_MSEC))
        return inq_error_in(
            inq_error_create(INQ_E_IO, "cannot open: its file system does not answer"), path);
    fd = inq_open_regular(AT_FDCWD, path, 1, &not_regular);

    if (fd < 0 && errno == ENAMETOOLONG)
        fd = open_long(path, &not_regular);
    if (fd < 0)
        return open_error(path, not_regular);
    *ret_fd = fd;
    return NULL;
}

static bool changed(const struct inq_job *job)
{
    struct stat now;

    return job->fd >= 0 && S_ISREG(job->stat.st_mode) && fstat(job->fd, &now) == 0 &&
           (now.st_size != job->stat.st_size || now.st_mtim.tv_sec != job->stat.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != job->stat.st_mtim.tv_nsec);
}

static const struct stat *stat_of(const struct inq_job *job)
{
    return job->stat.st_mode ? &job->stat : NULL;
}

struct inq_error *inq_job_hand_over(const struct inq_job *job, struct inq_evidence *evidence,
                                    json_t **ret_report)
{
    double msec = (double)(now_usec() - job->started_usec) / 1000.0;

    inq_evidence_set(evidence, "timing.total_ms", json_real(msec));
    if (evidence->failed)
        return &inq_error_oom;
    *ret_report = json_incref(evidence->document);
    return NULL;
}

struct inq_error *inq_job_stub(const struct inq_job *job, const struct inq_error *cause,
                               const struct inq_job_options *options, json_t **ret_report,
                               int *ret_exit)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;

    INQ_TRY(inq_evidence_create(&evidence));
    inq_assemble_stub(evidence, cause, job->path, stat_of(job), options);
    INQ_TRY(inq_job_hand_over(job, evidence, ret_report));
    *ret_exit = inq_code_exit(cause->code);
    return NULL;
}

static struct inq_error *died(int status)
{
    if (status != -1 && WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        const char *name = sigabbrev_np(number);

        if (number == SIGXCPU)
            return inq_error_create(INQ_E_WORKER_DIED,
                                    "the worker was ended by SIGXCPU: it used up its CPU time");
        if (name)
            return inq_error_create(INQ_E_WORKER_DIED, "the worker was ended by SIG%s", name);
        return inq_error_create(INQ_E_WORKER_DIED, "the worker was ended by signal %d", number);
    }
    if (status != -1 && WIFEXITED(status))
        return inq_error_create(INQ_E_WORKER_DIED,
                                "the worker gave no answer and exited with status %d",
                                WEXITSTATUS(status));
    return inq_error_create(INQ_E_WORKER_DIED, "the worker gave no answer");
}

/* What went wrong with the worker; never NULL. */
static struct inq_error *ending_error(const struct inq_answer *answer)
{
    switch (answer->ending) {
    case INQ_ENDING_TIMEOUT:
        return inq_error_create(INQ_E_WORKER_TIMEOUT,
                                "the worker gave no answer within %u s and was ended",
                                answer->seconds);
    case INQ_ENDING_OUTPUT:
        return inq_error_create(INQ_E_WORKER_OUTPUT, "the worker's answer was thrown away: %s",
                                answer->why);
    case INQ_ENDING_INTERRUPTED:
        return inq_error_create(INQ_E_INTERRUPTED, "interrupted");
    default:
        return died(answer->wait_status);
    }
}

struct inq_error *inq_job_understand(struct inq_answer *answer,
                                     struct inq_evidence **ret_evidence,
                                     struct inq_error **ret_cause)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = TAKE_PTR(answer->evidence);
    struct inq_error *error = TAKE_PTR(answer->frame_error);
    struct inq_error *worker_error = TAKE_PTR(answer->worker_error);
    const int status = answer->wait_status;

    if (answer->ending != INQ_ENDING_ANSWERED) {
        *ret_cause = ending_error(answer);
        return NULL;
    }
    if (error && error->code == INQ_E_MEMORY)
        return error;
    if (error || worker_error) {
        *ret_cause = error ? error : worker_error;
    } else if (status != -1 && WEXITSTATUS(status) != 0) {
        *ret_cause =
            inq_error_create(INQ_E_WORKER_DIED, "the worker exited with status %d after its answer",
                             WEXITSTATUS(status));
    } else {
        *ret_evidence = TAKE_PTR(evidence);
    }
    return NULL;
}

static bool has_gap(const json_t *document, const char *code)
{
    const json_t *gap;
    size_t i;

    json_array_foreach (json_object_get(document, "gaps"), i, gap) {
        const char *have = json_string_value(json_object_get(gap, "code"));

        if (have && !strcmp(have, code))
            return true;
    }
    return false;
}

struct inq_error *inq_job_report(const struct inq_job *job, struct inq_answer *answer,
                                 const struct inq_job_options *options, json_t **ret_report,
                                 int *ret_exit)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    _cleanup_(inq_error_destroyp) struct inq_error *cause = NULL;
    _cleanup_(inq_fetch_notes_deinit) struct inq_fetch_notes notes = answer->fetch_notes;

    answer->fetch_notes = (struct inq_fetch_notes){0};
    INQ_TRY(inq_job_understand(answer, &evidence, &cause));
    if (cause)
        return inq_job_stub(job, cause, options, ret_report, ret_exit);
    if (changed(job) && !has_gap(evidence->document, inq_code_name(INQ_G_CHANGED)))
        inq_evidence_add_gap(evidence, INQ_G_CHANGED, job->path,
                             "the file changed while it was read", NULL);
    inq_fetch_notes_report(&notes, evidence);
    INQ_TRY(inq_assemble_report(evidence, job->path, stat_of(job), job->fd, options));
    INQ_TRY(inq_job_hand_over(job, evidence, ret_report));
    *ret_exit = inq_report_exit_code(*ret_report);
    return NULL;
}

bool inq_job_try_again(struct inq_job *job, struct inq_pool *pool, const struct inq_answer *answer,
                       void *tag)
{
    struct inq_error *error;
    bool transient;

    if (job->unmapped || job->fd < 0 || !S_ISREG(job->stat.st_mode) || !inq_answer_is_fault(answer))
        return false;
    job->unmapped = true;
    error = inq_pool_start_unmapped(pool, job->fd, job->path, job->packed_bytes, tag, &transient);
    inq_error_destroy(error);
    return !error;
}

struct inq_error *inq_pipeline_run(int fd, const char *path, const struct inq_job_options *options,
                                   json_t **ret_report, int *ret_exit)
{
    _cleanup_(inq_job_deinit) struct inq_job job;
    _cleanup_(inq_pool_destroyp) struct inq_pool *pool = NULL;
    struct inq_answer answer = {0};
    bool transient;

    inq_job_init(&job, fd, path);
    INQ_TRY(inq_pool_create(options, 1, &pool));
    INQ_TRY(inq_pool_start(pool, fd, path, job.packed_bytes, NULL, &transient));
    inq_records_wake(options->records);
    INQ_TRY(inq_pool_next(pool, &answer));
    if (inq_job_try_again(&job, pool, &answer, NULL))
        INQ_TRY(inq_pool_next(pool, &answer));
    if (options->complete)
        options->complete(options->complete_context);
    const bool whole = answer.ending != INQ_ENDING_INTERRUPTED;
    INQ_TRY(inq_job_report(&job, &answer, options, ret_report, ret_exit));
    if (whole) {
        inq_records_add_seen(options->records, *ret_report);
        inq_known_issues_apply(options->issues, *ret_report, time(NULL));
        inq_records_keep(options->records, 0, *ret_report, *ret_exit);
    }
    return NULL;
}

/* A pipe is read to its end; what else may stand at descriptor 0 is refused like a named file. */
static struct inq_error *open_stdin(int *ret_fd)
{
    struct stat st;
    int fd;

    if (fstat(STDIN_FILENO, &st) == 0 &&
        (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode)))
        return inq_error_in(inq_error_create(INQ_E_NOT_REGULAR, "not a regular file or a pipe: %s",
                                             S_ISDIR(st.st_mode) ? "a directory" : "a device"),
                            "-");
    fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot read: %s", strerror(errno)), "-");
    *ret_fd = fd;
    return NULL;
}

struct inq_error *inq_pipeline_triage(const char *path, const struct inq_job_options *options,
                                      json_t **ret_report, int *ret_exit)
{
    _cleanup_(inq_error_destroyp) struct inq_error *error = NULL;
    struct inq_job job;
    int fd = -1;

    error = !strcmp(path, "-") ? open_stdin(&fd) : inq_job_open(path, &fd);
    if (!error)
        return inq_pipeline_run(fd, path, options, ret_report, ret_exit);
    inq_job_init(&job, -1, path);
    return inq_job_stub(&job, error, options, ret_report, ret_exit);
}

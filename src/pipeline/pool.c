/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "broker.h"
#include "cleanup.h"
#include "cursor.h"
#include "fetch.h"
#include "frame.h"
#include "worker_process.h"

#define NSEC_PER_MSEC 1000000u
#define MSEC_PER_SEC 1000u
/* A killed process that does not die within this sits in the kernel: it is left behind. */
#define KILL_GRACE_MSEC 5000u
/* Without pidfds the processes are asked this often. */
#define POLL_MSEC 20
/* Requests answered before the socket is asked whether another reply still fits. */
#define REQUESTS_A_ROUND 16
#define FRAME_MAGIC "INQEVID1"
#define WORKER_NAME "inquest-worker"
#define POLLS 4 /* a worker: its answer, its broker, the process, what is fetched for it */

struct guarded {
    struct inq_worker_process process;
    void *tag;
    char *bytes;
    size_t size, capacity;
    uint64_t frame_bytes; /* length of the whole frame by its header; 0: not known yet */
    uint64_t deadline_msec;
    uint32_t seconds;
    enum inq_ending ending;
    const char *why;
    bool killed;
    bool reply_blocked; /* the worker does not read replies: wait until it does */
    struct inq_fetch fetch;
    uint32_t fetch_seq; /* the request that the fetch on its way will answer */
    bool gone;          /* the process has exited, or is given up */
    bool abandoned;
};

struct inq_pool {
    const struct inq_job_options *options;
    char *worker_path;
    struct guarded *items;
    unsigned count, most;
    struct pollfd *polls;
    struct inq_fetcher *fetcher; /* NULL without --debuginfod */
    bool stopping;        /* an interrupt was seen and every worker killed */
};

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MSEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_MSEC;
}

struct inq_error *inq_pool_create(const struct inq_job_options *options, unsigned most,
                                  struct inq_pool **ret_pool)
{
    _cleanup_(inq_pool_destroyp) struct inq_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return &inq_error_oom;
    pool->options = options;
    pool->most = most;
    pool->worker_path = inq_program_find(WORKER_NAME, options->worker_path);
    pool->items = calloc(most, sizeof(*pool->items));
    pool->polls = calloc(most, POLLS * sizeof(*pool->polls));
    if (!pool->worker_path || !pool->items || !pool->polls)
        return &inq_error_oom;
    if (options->debuginfod)
        INQ_TRY(inq_fetcher_create(options, &pool->fetcher));
    *ret_pool = TAKE_PTR(pool);
    return NULL;
}

static void guarded_deinit(struct guarded *g)
{
    inq_worker_process_deinit(&g->process);
    inq_fetch_notes_deinit(&g->fetch.notes);
    free(g->bytes);
    g->bytes = NULL;
}

void inq_pool_destroy(struct inq_pool *pool)
{
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->count; i++) {
        inq_worker_process_kill(&pool->items[i].process);
        inq_worker_process_reap(&pool->items[i].process);
        inq_fetch_stop(pool->fetcher, &pool->items[i].fetch);
        guarded_deinit(&pool->items[i]);
    }
    inq_fetcher_destroy(pool->fetcher);
    free(pool->worker_path);
    free(pool->items);
    free(pool->polls);
    free(pool);
}

unsigned inq_pool_running(const struct inq_pool *pool)
{
    return pool->count;
}

bool inq_pool_full(const struct inq_pool *pool)
{
    return pool->count == pool->most;
}

/* 3 s more for each GiB that must be unpacked, a started one counting whole. */
static uint32_t extra_seconds(uint64_t packed_bytes)
{
    uint64_t gib = packed_bytes / INQ_GIB + (packed_bytes % INQ_GIB != 0);

    return gib > UINT32_MAX / 16 ? UINT32_MAX / 4 : (uint32_t)gib * INQ_SECONDS_PER_GIB;
}

static struct inq_error *start_with(struct inq_pool *pool, const struct inq_job_options *options,
                                    int core_fd, const char *name, uint64_t packed_bytes, void *tag,
                                    bool *ret_transient)
{
    const uint32_t wanted = pool->options->timeout_seconds;
    const uint32_t wall = wanted ? wanted : INQ_WALL_SECONDS;
    const uint32_t cpu = wall > INQ_WALL_SECONDS ? wall : INQ_CPU_SECONDS;
    const uint32_t extra = extra_seconds(packed_bytes);
    struct guarded *g = &pool->items[pool->count];
    uint32_t total, cpu_total;

    if (__builtin_add_overflow(wall, extra, &total))
        total = UINT32_MAX;
    if (__builtin_add_overflow(cpu, extra, &cpu_total))
        cpu_total = UINT32_MAX;
    *g = (struct guarded){.tag = tag, .seconds = total};
    INQ_TRY(inq_worker_process_start(pool->worker_path, core_fd, name, options, cpu_total,
                                     ret_transient, &g->process));
    g->deadline_msec = now_msec() + (uint64_t)total * MSEC_PER_SEC;
    pool->count++;
    return NULL;
}

struct inq_error *inq_pool_start(struct inq_pool *pool, int core_fd, const char *name,
                                 uint64_t packed_bytes, void *tag, bool *ret_transient)
{
    return start_with(pool, pool->options, core_fd, name, packed_bytes, tag, ret_transient);
}

bool inq_answer_is_fault(const struct inq_answer *answer)
{
    return answer->ending == INQ_ENDING_DIED && answer->wait_status != -1 &&
           WIFSIGNALED(answer->wait_status) && WTERMSIG(answer->wait_status) == SIGBUS;
}

struct inq_error *inq_pool_start_unmapped(struct inq_pool *pool, int core_fd, const char *name,
                                          uint64_t packed_bytes, void *tag, bool *ret_transient)
{
    struct inq_job_options options = *pool->options;

    options.unmapped = true;
    return start_with(pool, &options, core_fd, name, packed_bytes, tag, ret_transient);
}

/* The first reason counts. */
static void end(struct guarded *g, enum inq_ending ending, const char *why)
{
    if (g->killed)
        return;
    g->killed = true;
    g->ending = ending;
    g->why = why;
    g->deadline_msec = now_msec() + KILL_GRACE_MSEC;
    inq_worker_process_kill(&g->process);
}

/* As soon as the header is there it is known whether more can be worth reading. */
static void look_at_header(struct guarded *g)
{
    if (g->frame_bytes == 0) {
        size_t have = g->size < sizeof(FRAME_MAGIC) - 1 ? g->size : sizeof(FRAME_MAGIC) - 1;
        uint64_t payload;

        if (memcmp(g->bytes, FRAME_MAGIC, have) != 0) {
            end(g, INQ_ENDING_OUTPUT, "it is no answer at all");
            return;
        }
        if (g->size < INQ_FRAME_HEADER_BYTES)
            return;
        payload = inq_load_u64(g->bytes + 12, false);
        if (payload > INQ_MAX_WORKER_OUTPUT) {
            end(g, INQ_ENDING_OUTPUT, "it is larger than 64 MiB");
            return;
        }
        g->frame_bytes = INQ_FRAME_HEADER_BYTES + payload;
    }
    if (g->size > g->frame_bytes)
        end(g, INQ_ENDING_OUTPUT, "more follows after its end");
}

static void close_result(struct guarded *g)
{
    close(g->process.result_fd);
    g->process.result_fd = -1;
}

/* One read; false when there is nothing more for now. */
static bool read_some(struct guarded *g)
{
    ssize_t n;

    if (g->size == g->capacity) {
        size_t capacity = g->capacity ? g->capacity * 2 : 64 * 1024;
        char *grown = realloc(g->bytes, capacity);

        if (!grown) {
            end(g, INQ_ENDING_OUTPUT, "there is no memory for it");
            return false;
        }
        g->bytes = grown;
        g->capacity = capacity;
    }
    n = read(g->process.result_fd, g->bytes + g->size, g->capacity - g->size);
    if (n < 0)
        return errno == EINTR;
    if (n == 0) {
        close_result(g);
        return false;
    }
    g->size += (size_t)n;
    look_at_header(g);
    return !g->killed;
}

/* Reads what is there; a killed worker's pipe is of no interest. */
static void drain(struct guarded *g)
{
    while (!g->killed && g->process.result_fd >= 0 && read_some(g))
        ;
}

/* Also when the other end is closed: the attempt will tell. */
static bool can_reply(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1;
}

/* No more files for it: it is gone, or it speaks something else. */
static void close_broker(struct guarded *g)
{
    close(g->process.broker_fd);
    g->process.broker_fd = -1;
}

/* One request. 1: go on; 0: there is none, or it waits for a fetch; -1: the broker is broken. */
static int serve_one(struct inq_pool *pool, struct guarded *g)
{
    struct inq_broker_question question;
    struct inq_file_reply reply;
    int result = inq_broker_read(g->process.broker_fd, &question);

    if (result != 1)
        return result;
    if (!pool->fetcher || !inq_file_is_fetched(question.request.kind)) {
        inq_file_open(&pool->options->policy, &question.request, &reply);
    } else if (inq_fetch_begin(pool->fetcher, &g->fetch, &question.request, now_msec(), &reply)) {
        g->fetch_seq = question.seq;
        return 0;
    }
    return inq_broker_answer(g->process.broker_fd, question.seq, &reply);
}

static void serve(struct inq_pool *pool, struct guarded *g)
{
    int served = 0, result = 1;

    g->reply_blocked = !can_reply(g->process.broker_fd);
    while (!g->reply_blocked && served++ < REQUESTS_A_ROUND && result == 1)
        result = serve_one(pool, g);
    if (result < 0)
        close_broker(g);
}

/* The worker's clock stood still meanwhile: the fetch has one of its own. */
static void end_fetch(struct inq_pool *pool, struct guarded *g)
{
    const uint64_t before = g->fetch.used_msec;
    struct inq_file_reply reply;

    inq_fetch_finish(pool->fetcher, &g->fetch, now_msec(), &reply);
    if (!g->killed)
        g->deadline_msec += g->fetch.used_msec - before;
    if (g->process.broker_fd < 0) {
        if (reply.fd >= 0)
            close(reply.fd);
    } else if (inq_broker_answer(g->process.broker_fd, g->fetch_seq, &reply) < 0) {
        close_broker(g);
    }
}

static bool has_exited(const struct guarded *g, short process_events)
{
    siginfo_t info = {0};

    if (g->process.pid_fd >= 0)
        return process_events != 0;
    /* Leaves the zombie: the process group keeps its id until it is reaped. */
    if (waitid(P_PID, (id_t)g->process.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno == ECHILD;
    return info.si_pid != 0;
}

static void attend(struct inq_pool *pool, struct guarded *g, const struct pollfd *polls)
{
    if (polls[0].revents)
        drain(g);
    if (polls[1].revents && g->process.broker_fd >= 0 && !g->killed)
        serve(pool, g);
    else if (g->fetch.pid > 0 && (polls[3].revents || now_msec() >= g->fetch.deadline_msec))
        end_fetch(pool, g);
    if (has_exited(g, polls[2].revents)) {
        g->gone = true;
    } else if (now_msec() >= g->deadline_msec && (g->killed || g->fetch.pid == 0)) {
        if (g->killed)
            g->gone = g->abandoned = true;
        else
            end(g, INQ_ENDING_TIMEOUT, NULL);
    }
}

/* Fills pool->polls; returns how long to wait at most, in ms. */
static int prepare(struct inq_pool *pool)
{
    uint64_t now = now_msec(), wait = INT32_MAX;

    for (unsigned i = 0; i < pool->count; i++) {
        const struct guarded *g = &pool->items[i];
        struct pollfd *p = &pool->polls[i * POLLS];
        const bool fetching = g->fetch.pid > 0 && !g->killed;
        uint64_t until = fetching ? g->fetch.deadline_msec : g->deadline_msec;
        uint64_t left = until > now ? until - now : 0;

        p[0] = (struct pollfd){.fd = g->killed ? -1 : g->process.result_fd, .events = POLLIN};
        p[1] = (struct pollfd){.fd = g->killed || fetching ? -1 : g->process.broker_fd,
                               .events = g->reply_blocked ? POLLOUT : POLLIN};
        p[2] = (struct pollfd){.fd = g->process.pid_fd, .events = POLLIN};
        p[3] = (struct pollfd){.fd = fetching ? g->fetch.result_fd : -1, .events = POLLIN};
        if (left < wait)
            wait = left;
        if (g->process.pid_fd < 0 && wait > POLL_MSEC)
            wait = POLL_MSEC;
    }
    return (int)wait;
}

/*
 * Interrupts are let in only while waiting: one that comes between the look at the flag and the
 * wait ends the wait at once.
 */
static int wait_events(struct inq_pool *pool, int timeout_msec)
{
    struct timespec timeout = {.tv_sec = timeout_msec / 1000,
                               .tv_nsec = (long)(timeout_msec % 1000) * (long)NSEC_PER_MSEC};
    sigset_t interrupts, before;
    int n = 0;

    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    sigaddset(&interrupts, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupts, &before);
    if (pool->stopping || !inq_pipeline_interrupted())
        n = ppoll(pool->polls, pool->count * POLLS, &timeout, &before);
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return n;
}

/* The ended worker's place is taken by the last one. */
static void collect(struct inq_pool *pool, unsigned index, struct inq_answer *ret_answer)
{
    struct guarded *g = &pool->items[index];
    struct inq_answer answer = {.tag = g->tag, .wait_status = -1, .seconds = g->seconds};

    inq_fetch_stop(pool->fetcher, &g->fetch);
    if (!g->abandoned) {
        inq_worker_process_kill(&g->process); /* what it may have started, before its id is free */
        drain(g);
        answer.wait_status = inq_worker_process_reap(&g->process);
    }
    answer.ending = g->ending;
    answer.why = g->why;
    if (!g->killed &&
        (g->size == 0 || (answer.wait_status != -1 && WIFSIGNALED(answer.wait_status))))
        answer.ending = INQ_ENDING_DIED;
    if (answer.ending == INQ_ENDING_ANSWERED) {
        answer.bytes = TAKE_PTR(g->bytes);
        answer.size = g->size;
        answer.fetch_notes = g->fetch.notes;
        g->fetch.notes = (struct inq_fetch_notes){0};
    }
    guarded_deinit(g);
    *g = pool->items[--pool->count];
    *ret_answer = answer;
}

struct inq_error *inq_pool_next(struct inq_pool *pool, struct inq_answer *ret_answer)
{
    if (pool->count == 0)
        return inq_error_create(INQ_E_INTERNAL, "no worker is running");
    for (;;) {
        int timeout = prepare(pool);

        if (wait_events(pool, timeout) < 0) {
            if (errno != EINTR && errno != ENOMEM)
                return inq_error_create(INQ_E_IO, "poll: %s", strerror(errno));
            for (unsigned i = 0; i < pool->count * POLLS; i++)
                pool->polls[i].revents = 0;
        }
        pool->stopping = inq_pipeline_interrupted() != 0;
        for (unsigned i = 0; i < pool->count; i++) {
            if (pool->stopping)
                end(&pool->items[i], INQ_ENDING_INTERRUPTED, NULL);
            attend(pool, &pool->items[i], &pool->polls[i * POLLS]);
        }
        for (unsigned i = 0; i < pool->count; i++) {
            if (pool->items[i].gone) {
                collect(pool, i, ret_answer);
                return NULL;
            }
        }
    }
}

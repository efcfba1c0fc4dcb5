/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "config.h"
#include "fetch_protocol.h"
#include "text.h"
#include "worker_process.h"

#define PROGRAM_NAME "inquest-fetch"
#define MSEC_PER_SEC 1000u
#define MAX_BYTES (512 * INQ_MIB)
#define MAX_SERVERS_BYTES 16384u
/* Ids that no server has, remembered for the dumps that follow in a scan. */
#define MAX_ABSENT 1024u
/* Below this it is not worth the start of a process. */
#define LEAST_MSEC 100u

struct absent {
    enum inq_file_kind kind;
    uint8_t build_id_size, build_id[INQ_FETCH_MOST_ID];
};

struct inq_fetcher {
    const char *off; /* why nothing can be fetched; static. NULL: it can */
    char *program;
    struct inq_text servers; /* those that may be used: "DEBUGINFOD_URLS=..." */
    int cache_fd;
    uint64_t budget_msec; /* for one core */
    INQ_ARRAY(struct absent) absent;
};

static const char *outcome_text(char outcome)
{
    switch (outcome) {
    case INQ_FETCH_NOT_THERE:
        return "the debuginfod servers do not have it";
    case INQ_FETCH_TOO_LARGE:
        return "it is larger than 512 MiB";
    case INQ_FETCH_TOO_SLOW:
        return "the debuginfod servers are too slow";
    case INQ_FETCH_NO_SERVER:
        return "no debuginfod server can be reached";
    case INQ_FETCH_LED_AWAY:
        return "the debuginfod server led to an address that is not used";
    default:
        return "what the debuginfod server sent is no answer";
    }
}

/* ---- set-up --------------------------------------------------------------------------------- */

/* DEBUGINFOD_URLS are words; those that the policy does not allow are left out. */
static void choose_servers(struct inq_fetcher *fetcher, const char *urls)
{
    const char *at = urls ? urls : "";
    bool any = false, refused = false;

    inq_text_append(&fetcher->servers, "DEBUGINFOD_URLS=");
    while (*(at += strspn(at, " \t\n")) && fetcher->servers.size < MAX_SERVERS_BYTES) {
        size_t size = strcspn(at, " \t\n");

        if (size < MAX_SERVERS_BYTES && inq_file_server_allowed(at, size)) {
            inq_text_printf(&fetcher->servers, "%s%.*s", any ? " " : "", (int)size, at);
            any = true;
        } else {
            refused = true;
        }
        at += size;
    }
    if (!any)
        fetcher->off = refused ? "DEBUGINFOD_URLS names no server by https, or by http on this "
                                 "machine"
                               : "DEBUGINFOD_URLS names no server";
}

struct inq_error *inq_fetcher_create(const struct inq_job_options *options,
                                     struct inq_fetcher **ret_fetcher)
{
    struct inq_fetcher *fetcher = calloc(1, sizeof(*fetcher));
    uint32_t seconds = options->timeout_seconds ? options->timeout_seconds : INQ_WALL_SECONDS;

    if (!fetcher)
        return &inq_error_oom;
    fetcher->cache_fd = -1;
    fetcher->budget_msec = (uint64_t)seconds * MSEC_PER_SEC;
    if (!INQUEST_DEBUGINFOD) {
        fetcher->off = "this build of inquest is without debuginfod";
    } else {
        choose_servers(fetcher, options->debuginfod_urls);
        fetcher->program = inq_program_find(PROGRAM_NAME, NULL);
        if (!fetcher->program || fetcher->servers.failed) {
            inq_fetcher_destroy(fetcher);
            return &inq_error_oom;
        }
        if (!fetcher->off && access(fetcher->program, X_OK) < 0)
            fetcher->off = "the program " PROGRAM_NAME " is missing";
        if (!fetcher->off)
            fetcher->cache_fd = inq_fetch_cache_open(options->cache_home, &fetcher->off);
    }
    *ret_fetcher = fetcher;
    return NULL;
}

void inq_fetcher_destroy(struct inq_fetcher *fetcher)
{
    if (!fetcher)
        return;
    inq_closep(&fetcher->cache_fd);
    free(fetcher->program);
    inq_text_deinit(&fetcher->servers);
    INQ_ARRAY_FREE(&fetcher->absent);
    free(fetcher);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool same_id(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* One note an id: what is missing of a module is missing for one reason. */
static void note(struct inq_fetch *fetch, const struct inq_file_request *request, const char *why)
{
    struct inq_fetch_note new = {.why = why};

    if (request) {
        new.build_id_size = request->build_id_size;
        memcpy(new.build_id, request->build_id, request->build_id_size);
    }
    for (size_t i = 0; i < fetch->notes.list.count; i++) {
        const struct inq_fetch_note *old = &fetch->notes.list.items[i];

        if (same_id(old->build_id, old->build_id_size, new.build_id, new.build_id_size))
            return;
    }
    struct inq_fetch_note *slot = INQ_ARRAY_PUSH(&fetch->notes.list);
    if (slot)
        *slot = new;
}

/* Always false, for the callers' convenience. `about` is NULL when it is about everything. */
static bool answer_no(struct inq_fetch *fetch, const struct inq_file_request *about,
                      const char *why, struct inq_file_reply *ret_reply)
{
    *ret_reply = (struct inq_file_reply){.status = INQ_ON_DISK_MISSING, .fd = -1};
    snprintf(ret_reply->reason, sizeof(ret_reply->reason), "%s", why);
    note(fetch, about, why);
    return false;
}

static bool is_absent(const struct inq_fetcher *fetcher, const struct inq_file_request *request)
{
    for (size_t i = 0; i < fetcher->absent.count; i++) {
        const struct absent *a = &fetcher->absent.items[i];

        if (a->kind == request->kind &&
            same_id(a->build_id, a->build_id_size, request->build_id, request->build_id_size))
            return true;
    }
    return false;
}

static void remember_absent(struct inq_fetcher *fetcher, const struct inq_file_request *request)
{
    struct absent *slot =
        fetcher->absent.count < MAX_ABSENT ? INQ_ARRAY_PUSH(&fetcher->absent) : NULL;

    if (!slot)
        return;
    slot->kind = request->kind;
    slot->build_id_size = request->build_id_size;
    memcpy(slot->build_id, request->build_id, request->build_id_size);
}

/* ---- the process ---------------------------------------------------------------------------- */

struct command {
    char id[2 * INQ_FETCH_MOST_ID + 1], bytes[24], seconds[24];
    char max_time[48], max_size[48], timeout[48];
    char *argv[6], *environment[16];
    char *proxies[4];
};

/*
 * libdebuginfod takes its settings from the environment. Of ours only the proxies for https get
 * through: with one for http a loopback address would mean another machine.
 */
static void set_environment(struct inq_fetcher *fetcher, unsigned seconds, struct command *c)
{
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"};
    static char cache[] = "DEBUGINFOD_CACHE_PATH=.", retries[] = "DEBUGINFOD_RETRY_LIMIT=0";
    size_t n = 0;

    snprintf(c->max_time, sizeof(c->max_time), "DEBUGINFOD_MAXTIME=%u", seconds);
    snprintf(c->timeout, sizeof(c->timeout), "DEBUGINFOD_TIMEOUT=%u", seconds);
    snprintf(c->max_size, sizeof(c->max_size), "DEBUGINFOD_MAXSIZE=%llu", MAX_BYTES);
    c->environment[n++] = fetcher->servers.bytes;
    c->environment[n++] = cache;
    c->environment[n++] = retries;
    c->environment[n++] = c->max_time;
    c->environment[n++] = c->max_size;
    c->environment[n++] = c->timeout;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(proxies); i++) {
        const char *value = secure_getenv(proxies[i]);

        if (value && asprintf(&c->proxies[i], "%s=%s", proxies[i], value) >= 0)
            c->environment[n++] = c->proxies[i];
        else
            c->proxies[i] = NULL;
    }
}

static void command_deinit(struct command *c)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(c->proxies); i++)
        free(c->proxies[i]);
}

static void build_command(struct inq_fetcher *fetcher, const struct inq_file_request *request,
                          uint64_t msec, struct command *c)
{
    static char debuginfo[] = "debuginfo", executable[] = "executable";
    const unsigned seconds = (unsigned)((msec + MSEC_PER_SEC - 1) / MSEC_PER_SEC);

    for (size_t i = 0; i < request->build_id_size; i++)
        snprintf(c->id + 2 * i, 3, "%02x", request->build_id[i]);
    snprintf(c->bytes, sizeof(c->bytes), "%llu", MAX_BYTES);
    snprintf(c->seconds, sizeof(c->seconds), "%u", seconds);
    c->argv[0] = fetcher->program;
    c->argv[1] = request->kind == INQ_FILE_FETCH_MODULE ? executable : debuginfo;
    c->argv[2] = c->id;
    c->argv[3] = c->bytes;
    c->argv[4] = c->seconds;
    set_environment(fetcher, seconds, c);
}

/* Returns an errno value. `out` is above the descriptors that the process keeps. */
static int spawn(const struct command *c, int folder_fd, int out, pid_t *ret_pid)
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
    error = posix_spawn_file_actions_addfchdir_np(&actions, folder_fd);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!error)
        error = inq_program_attributes(&attributes);
    if (!error)
        error = posix_spawn(ret_pid, c->argv[0], &actions, &attributes, c->argv, c->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* False: no process could be started. */
static bool start(struct inq_fetcher *fetcher, struct inq_fetch *fetch, uint64_t msec)
{
    _cleanup_(command_deinit) struct command command = {0};
    _cleanup_close_ int in = -1, out = -1;
    int pair[2];

    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    in = pair[0];
    out = pair[1];
    if (!inq_fd_move_up(&out))
        return false;
    if (!inq_fetch_folder_make(fetcher->cache_fd, INQ_FETCH_UID, &fetch->folder))
        return false;
    build_command(fetcher, &fetch->request, msec, &command);
    if (!inq_fd_move_up(&fetch->folder.fd) ||
        spawn(&command, fetch->folder.fd, out, &fetch->pid) != 0) {
        fetch->pid = 0;
        inq_fetch_folder_remove(fetcher->cache_fd, &fetch->folder);
        return false;
    }
    fetch->result_fd = TAKE_FD(in);
    return true;
}

bool inq_fetch_begin(struct inq_fetcher *fetcher, struct inq_fetch *fetch,
                     const struct inq_file_request *request, uint64_t now_msec,
                     struct inq_file_reply *ret_reply)
{
    uint64_t left;

    if (fetcher->cache_fd >= 0 && inq_fetch_cache_get(fetcher->cache_fd, request, ret_reply))
        return false;
    if (fetcher->off)
        return answer_no(fetch, NULL, fetcher->off, ret_reply);
    if (request->build_id_size < INQ_FETCH_LEAST_ID || request->build_id_size > INQ_FETCH_MOST_ID)
        return answer_no(fetch, request, "its build-id has an odd size", ret_reply);
    if (is_absent(fetcher, request))
        return answer_no(fetch, request, outcome_text(INQ_FETCH_NOT_THERE), ret_reply);
    if (fetch->files >= INQ_FETCH_FILES)
        return answer_no(fetch, NULL, "no more than 64 files are fetched for a dump", ret_reply);
    left = fetch->used_msec < fetcher->budget_msec ? fetcher->budget_msec - fetch->used_msec : 0;
    if (left < LEAST_MSEC)
        return answer_no(fetch, NULL, "the time for fetching is used up (--timeout gives more)",
                         ret_reply);
    fetch->files++;
    fetch->request = *request;
    fetch->request.path = fetch->request.link = NULL;
    if (!start(fetcher, fetch, left))
        return answer_no(fetch, request, "the program " PROGRAM_NAME " could not be started",
                         ret_reply);
    fetch->started_msec = now_msec;
    fetch->deadline_msec = now_msec + left;
    return true;
}

/* Ends the process, whatever it does; *ret_outcome is the letter it wrote, or 'E'. */
static void end_process(struct inq_fetch *fetch, char *ret_outcome)
{
    char letter;
    pid_t got;

    if (read(fetch->result_fd, &letter, 1) != 1)
        letter = INQ_FETCH_FAILED;
    kill(-fetch->pid, SIGKILL);
    do
        got = waitpid(fetch->pid, NULL, 0);
    while (got < 0 && errno == EINTR);
    fetch->pid = 0;
    close(fetch->result_fd);
    fetch->result_fd = -1;
    *ret_outcome = letter;
}

void inq_fetch_finish(struct inq_fetcher *fetcher, struct inq_fetch *fetch, uint64_t now_msec,
                      struct inq_file_reply *ret_reply)
{
    const struct inq_file_request *request = &fetch->request;
    const bool late = now_msec >= fetch->deadline_msec;
    struct inq_file_reply reply = {.fd = -1};
    char outcome;

    end_process(fetch, &outcome);
    fetch->used_msec += now_msec - fetch->started_msec;
    if (outcome == INQ_FETCH_FOUND &&
        !inq_fetch_folder_take(fetcher->cache_fd, &fetch->folder, request, &reply))
        answer_no(fetch, request,
                  reply.status == INQ_ON_DISK_MISMATCH
                      ? "the debuginfod server sent a file with another build-id"
                      : "the debuginfod server sent what cannot be used",
                  &reply);
    else if (outcome != INQ_FETCH_FOUND)
        answer_no(fetch, request, outcome_text(late ? INQ_FETCH_TOO_SLOW : outcome), &reply);
    inq_fetch_folder_remove(fetcher->cache_fd, &fetch->folder);
    if (outcome == INQ_FETCH_NOT_THERE)
        remember_absent(fetcher, request);
    /* Nobody is there: no other dump of a scan need wait to find that out. */
    if (outcome == INQ_FETCH_NO_SERVER)
        fetcher->off = outcome_text(outcome);
    else if (late && now_msec - fetch->started_msec > fetcher->budget_msec / 2)
        fetcher->off = outcome_text(INQ_FETCH_TOO_SLOW);
    *ret_reply = reply;
}

void inq_fetch_stop(struct inq_fetcher *fetcher, struct inq_fetch *fetch)
{
    char outcome;

    if (fetch->pid <= 0)
        return;
    end_process(fetch, &outcome);
    inq_fetch_folder_remove(fetcher->cache_fd, &fetch->folder);
}

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MSEC_PER_SEC + (uint64_t)now.tv_nsec / 1000000u;
}

struct inq_error *inq_fetch_probe(const struct inq_job_options *options, bool *ret_answered,
                                  const char **ret_why)
{
    static const char nobodys[] = "inquest is there one";
    struct inq_file_request request = {.kind = INQ_FILE_FETCH_DEBUG, .build_id_size = 20};
    struct inq_fetch fetch = {.result_fd = -1};
    struct inq_file_reply reply = {.fd = -1};
    struct inq_fetcher *fetcher = NULL;

    INQ_TRY(inq_fetcher_create(options, &fetcher));
    memcpy(request.build_id, nobodys, request.build_id_size);
    if (inq_fetch_begin(fetcher, &fetch, &request, now_msec(), &reply)) {
        const uint64_t now = now_msec();
        struct pollfd waited = {.fd = fetch.result_fd, .events = POLLIN};

        if (now < fetch.deadline_msec)
            (void)poll(&waited, 1, (int)(fetch.deadline_msec - now));
        inq_fetch_finish(fetcher, &fetch, now_msec(), &reply);
    }
    inq_closep(&reply.fd);
    *ret_answered = is_absent(fetcher, &request) || reply.fd >= 0;
    *ret_why = fetcher->off ? fetcher->off : outcome_text(INQ_FETCH_FAILED);
    inq_fetch_notes_deinit(&fetch.notes);
    inq_fetcher_destroy(fetcher);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * inquest-fetch: gets one file by build-id from the servers in DEBUGINFOD_URLS, with libdebuginfod.
 * It is started by inquest for --debuginfod, one process a file, and is the only part of inquest
 * that speaks to a network: it holds no dump, nothing of one, and no descriptor but a pipe. See
 * pipeline/fetch_protocol.h for what it is given and what it leaves.
 */
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "config.h"
#include "fetch_protocol.h"
#include "files.h"

static const char usage[] =
    "inquest-fetch " INQUEST_VERSION ": the part of inquest that asks debuginfod servers.\n"
    "\n"
    "It is started by `inquest triage --debuginfod` and is of no use by hand; see\n"
    "debuginfod-find(1) for a program that is.\n";

/* Sanitizers map shadow memory that counts. */
#ifdef __SANITIZE_ADDRESS__
#define DATA_BYTES RLIM_INFINITY
#else
#define DATA_BYTES (512 * INQ_MIB)
#endif
#define MAX_SECONDS (24 * 3600u)

static uint64_t most_bytes;
static time_t deadline;
static char stopped; /* why the transfer was ended; 0 */

static time_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static bool limit(__rlimit_resource_t what, uint64_t value)
{
    struct rlimit wanted = {value, value};

    return setrlimit(what, &wanted) == 0;
}

/* Nobody's rights, bounded in all that it may use, and gone when inquest is. */
static bool confine(unsigned seconds)
{
    bool good = limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, most_bytes) &&
                limit(RLIMIT_CPU, seconds + 1) && limit(RLIMIT_NOFILE, 64) &&
                limit(RLIMIT_DATA, DATA_BYTES);

    signal(SIGXFSZ, SIG_IGN); /* the write fails, and the transfer with it */
    signal(SIGPIPE, SIG_IGN);
    if (geteuid() == 0)
        good = good && setgroups(0, NULL) == 0 &&
               setresgid(INQ_FETCH_UID, INQ_FETCH_UID, INQ_FETCH_UID) == 0 &&
               setresuid(INQ_FETCH_UID, INQ_FETCH_UID, INQ_FETCH_UID) == 0;
    return good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
}

static bool led_away(debuginfod_client *client)
{
    const char *url = debuginfod_get_url(client);

    return url && !inq_file_server_allowed(url, strlen(url));
}

/* Called again and again while something comes; not 0 ends it. */
static int progress(debuginfod_client *client, long have, long whole)
{
    if (led_away(client))
        stopped = INQ_FETCH_LED_AWAY;
    else if ((have > 0 && (uint64_t)have > most_bytes) ||
             (whole > 0 && (uint64_t)whole > most_bytes))
        stopped = INQ_FETCH_TOO_LARGE;
    else if (now() >= deadline)
        stopped = INQ_FETCH_TOO_SLOW;
    return stopped != 0;
}

static char outcome_of(int error)
{
    switch (error) {
    case ENOENT:
        return INQ_FETCH_NOT_THERE;
    case EFBIG:
        return INQ_FETCH_TOO_LARGE;
    case ETIME:
    case ETIMEDOUT:
        return INQ_FETCH_TOO_SLOW;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return INQ_FETCH_NO_SERVER;
    default:
        return INQ_FETCH_FAILED;
    }
}

static char fetch(debuginfod_client *client, const char *kind, const char *build_id)
{
    const unsigned char *id = (const unsigned char *)build_id;
    char *path = NULL;
    int fd;

    debuginfod_set_progressfn(client, progress);
    /* a size of 0: the id is hexadecimal text */
    fd = strcmp(kind, "executable") == 0 ? debuginfod_find_executable(client, id, 0, &path)
                                         : debuginfod_find_debuginfo(client, id, 0, &path);
    if (stopped)
        return stopped;
    if (fd < 0)
        return outcome_of(-fd);
    if (led_away(client))
        return INQ_FETCH_LED_AWAY;
    return rename(path, INQ_FETCH_RESULT) == 0 ? INQ_FETCH_FOUND : INQ_FETCH_FAILED;
}

int main(int argc, char **argv)
{
    debuginfod_client *client;
    unsigned long seconds;
    char outcome = INQ_FETCH_FAILED;

    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "--version"))) {
        fputs(argv[1][2] == 'h' ? usage : "inquest-fetch " INQUEST_VERSION "\n", stdout);
        return fflush(stdout) ? 1 : 0;
    }
    if (argc != 5 || strspn(argv[2], "0123456789abcdef") != strlen(argv[2])) {
        fputs(usage, stderr);
        return 2;
    }
    most_bytes = strtoull(argv[3], NULL, 10);
    seconds = strtoul(argv[4], NULL, 10);
    if (seconds == 0 || seconds > MAX_SECONDS)
        return 2;
    deadline = now() + (time_t)seconds + 1;
    if (confine((unsigned)seconds)) {
        client = debuginfod_begin();
        if (client)
            outcome = fetch(client, argv[1], argv[2]);
    }
    return write(STDOUT_FILENO, &outcome, 1) == 1 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * inquest-worker: reads one dump in a sandbox and writes its evidence to a pipe. Started by
 * inquest, with the descriptors and arguments that evidence/frame.h lists; an argument is seen by
 * everybody on the machine and never holds a secret.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analysis.h"
#include "bounds.h"
#include "broker.h"
#include "cleanup.h"
#include "config.h"
#include "facts.h"
#include "frame.h"
#include "sandbox.h"
#include "start.h"

#ifdef __SANITIZE_ADDRESS__
/* Our parent knows a file that is cut short or cannot be read by our death of SIGBUS. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_sigbus=0";
}
#endif

/*
 * Builds with a sanitizer look for leaks at the end, by stopping the process with ptrace: the
 * sandbox refuses that. The tests of the stages below look for leaks outside of it.
 */
int __lsan_is_turned_off(void) __attribute__((visibility("default")));
int __lsan_is_turned_off(void)
{
    return 1;
}

static const char usage[] =
    "inquest-worker " INQUEST_VERSION ": the part of inquest that reads a dump, in a sandbox.\n"
    "\n"
    "It is started by inquest and is of no use by hand: use `inquest triage CORE`.\n"
    "\n"
    "Descriptors: 3 the dump, 4 a pipe for the answer (one frame), 5 a socket to ask for files.\n"
    "\n"
    "  --name=TEXT           the dump's name, for messages\n"
    "  --engine=ENGINE       libunwind (default), dwfl or ucd\n"
    "  --redact=LEVEL        default, none or strict\n"
    "  --stacks              threads and names alone\n"
    "  --all-owners          owners of every module\n"
    "  --prefix              the dump is no dump but an environment's list of files\n"
    "  --executable          the parent was given the program's file: ask for it\n"
    "  --debuginfod          the parent fetches what is not here: ask for it\n"
    "  --unmapped            read files instead of mapping them\n"
    "  --no-sandbox          resource limits alone\n"
    "  --require-sandbox     fail when a layer of the sandbox is missing\n"
    "  --data-bytes=N        RLIMIT_DATA\n"
    "  --cpu-seconds=N       RLIMIT_CPU\n"
    "  --serve               no dump yet: a process for each that comes through a socket at 3\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 a frame was written (an answer or an error), 1 it could not be, 2 usage.\n";

struct options {
    const char *name;
    struct inq_analysis_options analysis;
    struct inq_sandbox_options sandbox;
    bool fetches, prefix, serves;
};

static bool parse_number(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool parse_engine(const char *word, enum inq_engine *ret_engine)
{
    static const struct {
        const char *word;
        enum inq_engine engine;
    } engines[] = {
        {"libunwind", INQ_ENGINE_LIBUNWIND}, {"dwfl", INQ_ENGINE_DWFL}, {"ucd", INQ_ENGINE_UCD}};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(engines); i++)
        if (!strcmp(word, engines[i].word)) {
            *ret_engine = engines[i].engine;
            return true;
        }
    return false;
}

static bool is_redact_level(const char *word)
{
    return !strcmp(word, "default") || !strcmp(word, "none") || !strcmp(word, "strict");
}

/* One option; false when it is wrong. */
static bool take_option(int option, const char *value, struct options *options)
{
    uint64_t number = 0;

    switch (option) {
    case 'n':
        options->name = value;
        return true;
    case 'e':
        return parse_engine(value, &options->analysis.engine);
    case 'r':
        options->analysis.redact = value;
        return is_redact_level(value);
    case 's':
        options->analysis.stacks_only = true;
        return true;
    case 'a':
        options->analysis.all_owners = true;
        return true;
    case 'p':
        options->prefix = true;
        return true;
    case 'x':
        options->analysis.has_executable = true;
        return true;
    case 'f':
        options->fetches = true;
        return true;
    case 'u':
        options->analysis.unmapped = true;
        return true;
    case 'S':
        options->serves = true;
        return true;
    case 'o':
        options->sandbox.enabled = false;
        return true;
    case 'q':
        options->sandbox.required = true;
        return true;
    case 'd':
        if (!parse_number(value, INT64_MAX, &number))
            return false;
        options->sandbox.data_bytes = number;
        return true;
    case 'c':
        if (!parse_number(value, 1u << 30, &number))
            return false;
        options->sandbox.cpu_seconds = (uint32_t)number;
        return true;
    default:
        return false;
    }
}

/* -1 to go on, else the exit code. */
static int parse_arguments(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"name", required_argument, NULL, 'n'},
        {"engine", required_argument, NULL, 'e'},
        {"redact", required_argument, NULL, 'r'},
        {"stacks", no_argument, NULL, 's'},
        {"executable", no_argument, NULL, 'x'},
        {"no-sandbox", no_argument, NULL, 'o'},
        {"require-sandbox", no_argument, NULL, 'q'},
        {"data-bytes", required_argument, NULL, 'd'},
        {"cpu-seconds", required_argument, NULL, 'c'},
        {"debuginfod", no_argument, NULL, 'f'},
        {"all-owners", no_argument, NULL, 'a'},
        {"prefix", no_argument, NULL, 'p'},
        {"unmapped", no_argument, NULL, 'u'},
        {"serve", no_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
        if (option == 'h' || option == 'V') {
            fputs(option == 'h' ? usage : "inquest-worker " INQUEST_VERSION "\n", stdout);
            return fflush(stdout) ? 1 : 0;
        }
        if (!take_option(option, optarg, options)) {
            if (option != '?')
                fputs("inquest-worker: an option has a value that makes no sense\n", stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fputs("inquest-worker: takes no arguments but options\n", stderr);
        return 2;
    }
    return -1;
}

static bool is_kind(int fd, mode_t kind)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* A shell may have a 3 of its own; a pipe on 4 and a socket on 5 are nobody's but inquest's. */
static bool was_started_by_inquest(bool serves)
{
    if (serves)
        return is_kind(INQ_START_FD, S_IFSOCK);
    return fcntl(INQ_WORKER_FD_CORE, F_GETFD) >= 0 &&
           (is_kind(INQ_WORKER_FD_RESULT, S_IFIFO) || is_kind(INQ_WORKER_FD_RESULT, S_IFSOCK)) &&
           is_kind(INQ_WORKER_FD_BROKER, S_IFSOCK);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void record_sandbox(struct inq_evidence *evidence, const struct inq_sandbox *active,
                           const struct inq_sandbox_options *options, double ms)
{
    inq_evidence_set_bool(evidence, "sandbox.rlimits", active->rlimits);
    inq_evidence_set_bool(evidence, "sandbox.no_new_privs", active->no_new_privs);
    inq_evidence_set_bool(evidence, "sandbox.seccomp", active->seccomp);
    inq_evidence_set_int(evidence, "sandbox.landlock_abi", active->landlock_abi);
    inq_evidence_set_int(evidence, "sandbox.uid", active->uid);
    inq_evidence_set(evidence, "timing.stages.sandbox", json_real(ms));
    const char *why = !options->enabled      ? "--no-sandbox was given"
                      : options->allow_files ? "the stock unwinder opens files by itself"
                                             : "this kernel or this build does not have it";
    if (!active->seccomp)
        inq_evidence_add_gap(evidence, INQ_G_SANDBOX, "seccomp", "no system call was filtered",
                             why);
    if (active->landlock_abi == 0)
        inq_evidence_add_gap(evidence, INQ_G_SANDBOX, "Landlock",
                             "files were kept away by the other layers alone", why);
}

/*
 * Where names hash to, so that nobody can choose them to collide. Drawn for each dump, also by
 * those that one process was made for all of.
 */
static void seed_hashes(void)
{
    size_t seed = 0;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = 0; /* from /dev/urandom, which cannot be opened later */
    json_object_seed(seed);
}

static struct inq_error *work(const struct options *options, struct inq_evidence **ret_evidence)
{
    int broker = INQ_WORKER_FD_BROKER;
    struct inq_opener opener = inq_opener_socket(&broker);
    struct inq_evidence *evidence;
    struct inq_sandbox active;
    double start = now_ms();

    opener.fetches = options->fetches;
    seed_hashes();
    INQ_TRY(inq_sandbox_enter(&options->sandbox, &active));
    double ready = now_ms();
    if (options->prefix)
        INQ_TRY(
            inq_analyze_prefix(INQ_WORKER_FD_CORE, &opener, options->analysis.redact, &evidence));
    else
        INQ_TRY(inq_analyze_fd(INQ_WORKER_FD_CORE, options->name, &opener, &options->analysis,
                               &evidence));
    record_sandbox(evidence, &active, &options->sandbox, ready - start);
    *ret_evidence = evidence;
    return NULL;
}

/* Reads the dump, writes the answer, and ends the process. */
static void answer(const struct options *options)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    _cleanup_(inq_error_destroyp) struct inq_error *error = work(options, &evidence);
    int written = error ? inq_frame_write_error(INQ_WORKER_FD_RESULT, error)
                        : inq_frame_write_evidence(INQ_WORKER_FD_RESULT, evidence);

    _exit(written == 0 ? 0 : 1);
}

static void answer_order(const struct inq_start_order *order, void *context)
{
    struct options options = *(const struct options *)context;

    options.name = order->name;
    options.sandbox.cpu_seconds = order->cpu_seconds;
    answer(&options);
}

/*
 * Neither a dump nor anything that depends on one is seen here. It ends with the one who started
 * it, at the latest when that one's end of the socket is closed.
 */
static int serve(struct options *options)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    inq_facts_warm_up();
    inq_sandbox_prepare(&options->sandbox);
    return inq_start_serve(INQ_START_FD, answer_order, options);
}

int main(int argc, char **argv)
{
    struct options options = {
        .analysis = {.process_ends = true},
        .sandbox = {.enabled = true,
                    .data_bytes = INQ_WORKER_DATA_BYTES,
                    .cpu_seconds = INQ_CPU_SECONDS},
    };
    int code = parse_arguments(argc, argv, &options);

    if (code >= 0)
        return code;
    if (!was_started_by_inquest(options.serves)) {
        fputs("inquest-worker is started by inquest, with a dump and two pipes: use `inquest "
              "triage CORE` (see inquest-worker --help)\n",
              stderr);
        return 2;
    }
    options.sandbox.allow_files = options.analysis.engine == INQ_ENGINE_UCD;
    inq_unwind_warm_up();
    if (options.serves)
        return serve(&options);
    answer(&options);
}

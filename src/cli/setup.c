/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "config.h"
#include "io.h"

/* Beside a program that was built and not installed: one line, the signatures in the source tree.
 */
#define TREE_FILE "inquest.tree"
#define MAX_PATH 4096

bool cli_is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The directory of this program; to be freed, NULL when unknown. */
static char *own_directory(void)
{
    char self[MAX_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (n <= 0)
        return NULL;
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return strdup(self);
}

static char *from_tree(const char *directory)
{
    _cleanup_free_ char *file = NULL;
    char line[MAX_PATH];
    ssize_t n;

    if (asprintf(&file, "%s/" TREE_FILE, directory) < 0) {
        file = NULL;
        return NULL;
    }
    _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : inq_read_full(fd, line, sizeof(line) - 1);
    if (n <= 0)
        return NULL;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return cli_is_directory(line) ? strdup(line) : NULL;
}

/* To be freed; the installed place when there is no other. */
static char *shipped_signatures(void)
{
    _cleanup_free_ char *directory = own_directory();
    char *path = directory ? from_tree(directory) : NULL;

    if (path)
        return path;
    if (directory && asprintf(&path, "%s/../share/inquest/signatures", directory) >= 0) {
        if (cli_is_directory(path))
            return path;
        free(path);
    }
    return strdup(INQUEST_SIGNATURES_DIR);
}

bool cli_add_signatures(struct cli *cli, const char *directory)
{
    const char **slot = INQ_ARRAY_PUSH(&cli->options.signatures);

    if (slot)
        *slot = directory;
    return slot != NULL;
}

#define SYSTEM_SIGNATURES "/etc/inquest/signatures.d"
#define USER_SIGNATURES "inquest/signatures.d"

/*
 * Whether what lies in a directory was put there by the administrator or by whoever runs this. Run
 * by root with the environment of another user (sudo and su keep HOME, or not), that user's
 * signatures are not meant: they would decide about everybody's reports.
 */
static bool is_own_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
           (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & S_IWOTH);
}

/* To be freed; NULL when there is none. */
static char *user_signatures(struct cli *cli)
{
    /* secure_getenv: nothing of the user's in a program with more rights than its user */
    const char *config = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");
    char *path = NULL;
    int n = 0;

    if (config && config[0] == '/')
        n = asprintf(&path, "%s/" USER_SIGNATURES, config);
    else if (home && home[0] == '/')
        n = asprintf(&path, "%s/.config/" USER_SIGNATURES, home);
    if (n < 0 || !path)
        return NULL;
    if (!cli_is_directory(path)) {
        free(path);
        return NULL;
    }
    if (is_own_directory(path))
        return path;
    cli_message(cli, "%s: not used: another user owns it, or others may write to it", path);
    free(path);
    return NULL;
}

static struct inq_error *check_given(const char *directory)
{
    if (cli_is_directory(directory))
        return NULL;
    return inq_error_in(inq_error_create(INQ_E_CONFIG, "no directory with signatures: %s",
                                         errno ? strerror(errno) : "not a directory"),
                        directory);
}

struct inq_error *cli_load_rules(struct cli *cli, bool required, struct inq_rules **ret_rules)
{
    const size_t n_given = cli->options.signatures.count;
    _cleanup_free_ char *shipped = shipped_signatures();
    _cleanup_free_ char *own = user_signatures(cli);
    _cleanup_free_ struct inq_rules_place *places = calloc(n_given + 3, sizeof(*places));
    size_t n = 0;

    if (!shipped || !places)
        return &inq_error_oom;
    if (cli_is_directory(shipped))
        places[n++] =
            (struct inq_rules_place){.directory = shipped, .shipped = true, .required = true};
    else if (required && n_given == 0)
        return inq_error_in(inq_error_create(INQ_E_RULES_NONE, "no signatures are installed"),
                            shipped);
    else
        cli_message(cli, "%s: the shipped signatures are missing: verdicts will be, too", shipped);
    if (is_own_directory(SYSTEM_SIGNATURES))
        places[n++].directory = SYSTEM_SIGNATURES;
    if (own)
        places[n++].directory = own;
    for (size_t i = 0; i < n_given; i++) {
        INQ_TRY(check_given(cli->options.signatures.items[i]));
        places[n++].directory = cli->options.signatures.items[i];
    }
    *ret_rules = NULL;
    return n ? inq_rules_load_places(places, n, ret_rules) : NULL;
}

struct inq_error *cli_load_klog(const struct cli *cli, struct inq_kernel_log **ret_log)
{
    const char *klog = cli->options.klog;

    if (klog && !strcmp(klog, "none"))
        return NULL;
    return klog ? inq_kernel_log_read(klog, ret_log) : inq_kernel_log_read_own(ret_log);
}

void cli_use_klog(struct cli *cli, struct inq_kernel_log *log)
{
    cli->options.kernel_log = log;
    cli->options.job.kernel_log = log;
}

/* The variables of libdebuginfod and of the XDG base directories; nobody else reads them here. */
static void find_servers(struct cli *cli)
{
    struct inq_job_options *job = &cli->options.job;
    const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");

    job->debuginfod_urls = secure_getenv("DEBUGINFOD_URLS");
    if (cache && cache[0] == '/')
        cli->options.cache_home = strdup(cache);
    else if (home && asprintf(&cli->options.cache_home, "%s/.cache", home) < 0)
        cli->options.cache_home = NULL;
    job->cache_home = cli->options.cache_home;
}

void cli_prepare_job(struct cli *cli, const struct inq_rules *rules)
{
    struct inq_job_options *job = &cli->options.job;

    job->policy.debug_dirs = cli->options.debug_dirs.items;
    job->policy.n_debug_dirs = cli->options.debug_dirs.count;
    job->rules = rules;
    if (job->debuginfod)
        find_servers(cli);
    /* secure_getenv: a program with more rights than its user does not start what the user names.
     */
    job->worker_path = secure_getenv("INQUEST_WORKER");
    job->worker_stderr = secure_getenv("INQUEST_WORKER_STDERR") != NULL;
}

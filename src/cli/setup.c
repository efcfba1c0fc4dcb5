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

static bool is_directory(const char *path)
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
    return is_directory(line) ? strdup(line) : NULL;
}

/* To be freed; the installed place when there is no other. */
static char *shipped_signatures(void)
{
    _cleanup_free_ char *directory = own_directory();
    char *path = directory ? from_tree(directory) : NULL;

    if (path)
        return path;
    if (directory && asprintf(&path, "%s/../share/inquest/signatures", directory) >= 0) {
        if (is_directory(path))
            return path;
        free(path);
    }
    return strdup(INQUEST_SIGNATURES_DIR);
}

struct inq_error *cli_load_rules(struct cli *cli, bool required, struct inq_rules **ret_rules)
{
    const size_t n_user = cli->options.signatures.count;
    _cleanup_free_ char *shipped = shipped_signatures();
    _cleanup_free_ const char **directories = calloc(n_user + 1, sizeof(*directories));
    size_t n = 0;

    if (!shipped || !directories)
        return &inq_error_oom;
    if (is_directory(shipped))
        directories[n++] = shipped;
    else if (required && n_user == 0)
        return inq_error_in(inq_error_create(INQ_E_RULES_NONE, "no signatures are installed"),
                            shipped);
    else
        cli_message(cli, "%s: the shipped signatures are missing: verdicts will be, too", shipped);
    for (size_t i = 0; i < n_user; i++) {
        const char *directory = cli->options.signatures.items[i];

        if (!is_directory(directory))
            return inq_error_in(inq_error_create(INQ_E_CONFIG, "no directory with signatures: %s",
                                                 errno ? strerror(errno) : "not a directory"),
                                directory);
        directories[n++] = directory;
    }
    *ret_rules = NULL;
    return n ? inq_rules_load(directories, n, ret_rules) : NULL;
}

struct inq_error *cli_load_klog(struct cli *cli)
{
    const char *klog = cli->options.klog;

    if (klog && !strcmp(klog, "none"))
        return NULL;
    if (klog)
        INQ_TRY(inq_kernel_log_read(klog, &cli->options.kernel_log));
    else
        INQ_TRY(inq_kernel_log_read_own(&cli->options.kernel_log));
    cli->options.job.kernel_log = cli->options.kernel_log;
    return NULL;
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

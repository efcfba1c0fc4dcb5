/* SPDX-License-Identifier: Apache-2.0 */

#include "real_core.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

#define CRASH_ARGUMENT "--crash-for-a-core"

static void *wait_for_ever(void *barrier)
{
    pthread_barrier_wait(barrier);
    for (;;)
        pause();
    return NULL;
}

void real_core_maybe_crash(int argc, char **argv)
{
    static pthread_barrier_t barrier;
    pthread_t thread;

    if (argc != 2 || strcmp(argv[1], CRASH_ARGUMENT) != 0)
        return;
    pthread_barrier_init(&barrier, NULL, REAL_CORE_THREADS);
    for (int i = 1; i < REAL_CORE_THREADS; i++) {
        if (pthread_create(&thread, NULL, wait_for_ever, &barrier) != 0)
            _exit(1);
    }
    pthread_barrier_wait(&barrier);
    abort();
}

static void become_crasher(const char *dir)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_CORE, &limit);
    }
    setenv("ASAN_OPTIONS", "disable_coredump=0:handle_abort=0", 1);
    if (chdir(dir) == 0)
        execl("/proc/self/exe", "crasher", CRASH_ARGUMENT, (char *)NULL);
    _exit(127);
}

/* The one file in the directory that begins with "core"; read, then removed with the directory. */
static bool collect(const char *dir, struct real_core *core)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    struct stat st;
    bool ok = false;

    while (d && (entry = readdir(d))) {
        int fd = strncmp(entry->d_name, "core", 4) == 0
                     ? openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC)
                     : -1;
        if (fd < 0)
            continue;
        if (!ok && fstat(fd, &st) == 0 && st.st_size > 0) {
            core->size = (size_t)st.st_size;
            core->bytes = malloc(core->size);
            ok = core->bytes &&
                 inq_pread_full(fd, core->bytes, core->size, 0) == (ssize_t)core->size;
        }
        close(fd);
        unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
    rmdir(dir);
    return ok;
}

bool real_core_make(struct real_core *ret_core, const char **ret_why)
{
    char dir[] = "/tmp/inquest-core-XXXXXX", pattern[64] = "";
    struct real_core core = {0};
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC), status;

    if (fd >= 0) {
        (void)inq_read_full(fd, pattern, sizeof(pattern) - 1);
        close(fd);
    }
    *ret_why = "core_pattern is not the plain name `core`";
    if (strncmp(pattern, "core", 4) != 0)
        return false;
    *ret_why = "no temporary directory";
    if (!mkdtemp(dir))
        return false;
    core.pid = fork();
    if (core.pid == 0)
        become_crasher(dir);
    *ret_why = "the kernel wrote no core (ulimit -c?)";
    if (core.pid < 0 || waitpid(core.pid, &status, 0) < 0 || !collect(dir, &core)) {
        free(core.bytes);
        return false;
    }
    *ret_core = core;
    return true;
}

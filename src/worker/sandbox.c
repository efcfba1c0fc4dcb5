/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a worker gives up, in this order: descriptors, limits, dumpability and privileges, its user,
 * a life without its parent, the file system and the network (Landlock), and nearly all system
 * calls (seccomp). The order matters: a filter needs no_new_privs, and changing the user needs
 * system calls that the filter refuses.
 */
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "frame.h"
#include "sandbox_parts.h"

#define NOBODY 65534u        /* "nobody" of every distribution; the kernel's overflow uid as well */
#define MAX_DESCRIPTORS 128u /* files are mapped and closed; the broker has a window of 16 */
#define OLD_KERNEL_DESCRIPTORS 1024u

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static struct inq_error *missing(const char *layer, int error)
{
    return inq_error_create(INQ_E_SANDBOX, "%s is not active: %s", layer, strerror(error));
}

static void close_others(void)
{
    unsigned first = INQ_WORKER_FD_BROKER + 1;

    if (syscall(SYS_close_range, first, ~0u, 0u) == 0)
        return;
    for (unsigned fd = first; fd < OLD_KERNEL_DESCRIPTORS; fd++) /* Linux before 5.9 */
        close((int)fd);
}

/* Never raises a limit: a smaller hard limit stays. */
static bool limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now, wanted = {soft, hard};

    if (getrlimit(resource, &now) != 0)
        return false;
    if (wanted.rlim_max > now.rlim_max)
        wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max)
        wanted.rlim_cur = wanted.rlim_max;
    return setrlimit(resource, &wanted) == 0;
}

/*
 * RLIMIT_AS would be wrong: the dump and the modules are mapped, gigabytes of them. RLIMIT_NPROC at
 * 0 keeps this process from making others; it counts, but never hinders, other processes of the
 * same user.
 */
static bool set_limits(const struct inq_sandbox_options *options)
{
    bool set = true;

    if (options->cpu_seconds > 0)
        set &= limit(RLIMIT_CPU, options->cpu_seconds, (rlim_t)options->cpu_seconds + 1);
    if (options->data_bytes > 0 && !INQ_SANITIZED)
        set &= limit(RLIMIT_DATA, options->data_bytes, options->data_bytes);
    set &= limit(RLIMIT_FSIZE, 0, 0);
    set &= limit(RLIMIT_CORE, 0, 0);
    set &= limit(RLIMIT_NOFILE, MAX_DESCRIPTORS, MAX_DESCRIPTORS);
    if (!INQ_SANITIZED)
        set &= limit(RLIMIT_NPROC, 0, 0);
    return set;
}

static bool drop_user(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/*
 * A parent that is killed can end nobody, and a worker that waits for a pipe uses no CPU time
 * either. A change of user clears this, so it comes after that. A parent that was gone before has
 * closed its end of the broker's socket.
 */
static bool die_with_parent(void)
{
    struct pollfd broker = {.fd = INQ_WORKER_FD_BROKER};

    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           !(poll(&broker, 1, 0) == 1 && (broker.revents & POLLHUP));
}

static struct inq_error *enter_layers(const struct inq_sandbox_options *options,
                                      struct inq_sandbox *active)
{
    /* the stock unwinder opens the dump as /proc/self/fd/N, which only a dumpable process has */
    bool open_files = options->allow_files || INQ_SANITIZED;
    if (!open_files)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    active->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!active->no_new_privs && options->required)
        return missing("no_new_privs", errno);
    if (!options->allow_files && !drop_user())
        return inq_error_create(INQ_E_SANDBOX, "cannot leave the user root: %s", strerror(errno));
    if (!die_with_parent())
        return inq_error_create(INQ_E_SANDBOX, "the process that started the worker is gone");
    active->uid = geteuid(); /* the filter has no geteuid() */
    if (!open_files)
        active->landlock_abi = inq_landlock_enter();
    else
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (active->landlock_abi == 0 && options->required)
        return missing("Landlock", open_files ? ECANCELED : ENOSYS);
    int error = inq_seccomp_enter(options->allow_files);
    active->seccomp = error == 0;
    if (error && options->required)
        return missing("seccomp", error);
    return NULL;
}

void inq_sandbox_prepare(const struct inq_sandbox_options *options)
{
    if (options->enabled)
        (void)inq_seccomp_prepare(options->allow_files);
}

struct inq_error *inq_sandbox_enter(const struct inq_sandbox_options *options,
                                    struct inq_sandbox *ret_active)
{
    struct inq_sandbox active = {.uid = geteuid()};

    inq_sandbox_prepare(options); /* by way of a memory file, which the limits will not allow */
    close_others();
    active.rlimits = set_limits(options);
    if (!active.rlimits && options->required)
        return missing("a resource limit", errno);
    if (options->enabled)
        INQ_TRY(enter_layers(options, &active));
    else if (options->required)
        return inq_error_create(INQ_E_SANDBOX, "the sandbox was switched off");
    else if (!die_with_parent())
        return inq_error_create(INQ_E_SANDBOX, "the process that started the worker is gone");
    *ret_active = active;
    return NULL;
}

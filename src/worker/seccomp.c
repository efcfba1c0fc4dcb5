/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system calls that remain. Files come as descriptors from the parent, so opening one is
 * answered with EACCES (libraries that try it go on without), making a socket ends the process, and
 * all else does not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"
#include "sandbox_parts.h"

/*
 * Stands for the process's id in a filter that was made before there was a process: no id is larger
 * than 2^22 (PID_MAX_LIMIT of the kernel).
 */
#define SOME_PID 0x7e57ab1eu
#define MAX_INSTRUCTIONS BPF_MAXINSNS

static struct { /* made by inq_seccomp_prepare() */
    struct sock_filter items[MAX_INSTRUCTIONS];
    unsigned short count; /* 0: not made */
    bool allow_files;
} prepared;

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sysinfo), /* qsort() asks how much memory there is */
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
};

/* With the stock unwinder only: it opens files by itself. */
static const int allowed_with_files[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(getdents64),
    SCMP_SYS(stat), SCMP_SYS(lstat),  SCMP_SYS(pipe2),  SCMP_SYS(dup),      SCMP_SYS(mincore),
};
static const int refused_without_files[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(access),
};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int result = seccomp_rule_add(filter, action, calls[i], 0);
        /* a call that this CPU does not have needs no rule */
        if (result < 0 && result != -EDOM)
            return -result;
    }
    return 0;
}

static int add_rules(scmp_filter_ctx filter, bool allow_files)
{
    /* memory may be mapped and given rights, but never the right to be run */
    static const int mapping[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    int error = add_all(filter, SCMP_ACT_ALLOW, allowed, INQ_ARRAY_SIZE(allowed));

    for (size_t i = 0; !error && i < INQ_ARRAY_SIZE(mapping); i++)
        error = -seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* glibc's fstat() since 2.33 */
    if (!error)
        error = -seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    /* abort(); nobody else of the same user may be signalled */
    if (!error)
        error = -seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)SOME_PID));
    /* limits can be read: prlimit(0, resource, NULL, old) */
    if (!error)
        error = -seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                  SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
    if (!error && allow_files)
        error =
            add_all(filter, SCMP_ACT_ALLOW, allowed_with_files, INQ_ARRAY_SIZE(allowed_with_files));
    if (!error && !allow_files)
        error = add_all(filter, SCMP_ACT_ERRNO(EACCES), refused_without_files,
                        INQ_ARRAY_SIZE(refused_without_files));
    if (!error)
        error = -seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0);
    return error;
}

static int export(scmp_filter_ctx filter)
{
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
    ssize_t n;
    int error;

    if (fd < 0)
        return errno;
    error = -seccomp_export_bpf(filter, fd);
    if (error)
        return error < 0 ? -error : error;
    n = inq_pread_full(fd, prepared.items, sizeof(prepared.items), 0);
    if (n <= 0 || (size_t)n % sizeof(prepared.items[0]) != 0 || (size_t)n == sizeof(prepared.items))
        return EFBIG;
    prepared.count = (unsigned short)((size_t)n / sizeof(prepared.items[0]));
    return 0;
}

int inq_seccomp_prepare(bool allow_files)
{
    if (INQ_SANITIZED)
        return ECANCELED;
    if (prepared.count > 0 && prepared.allow_files == allow_files)
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return ENOMEM;
    int error = add_rules(filter, allow_files);
    prepared.count = 0;
    prepared.allow_files = allow_files;
    if (!error)
        error = export(filter);
    seccomp_release(filter);
    return error < 0 ? -error : error;
}

/* False when the place is not found, and everything would be refused that should not be. */
static bool put_pid(void)
{
    bool found = false;

    for (unsigned i = 0; i < prepared.count; i++)
        if (BPF_CLASS(prepared.items[i].code) == BPF_JMP && prepared.items[i].k == SOME_PID) {
            prepared.items[i].k = (uint32_t)getpid();
            found = true;
        }
    return found;
}

int inq_seccomp_enter(bool allow_files)
{
    const int error = inq_seccomp_prepare(allow_files);

    if (error)
        return error;
    const struct sock_fprog program = {.len = prepared.count, .filter = prepared.items};
    if (!put_pid())
        return EINVAL;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) == 0 ? 0 : errno;
}

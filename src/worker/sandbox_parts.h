/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_WORKER_SANDBOX_PARTS_H
#define INQ_WORKER_SANDBOX_PARTS_H

#include <stdbool.h>

/*
 * Sanitizers read /proc, map shadow memory, start a process to look for leaks and trace their
 * parent: a build with them has neither filter nor Landlock, and says so.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INQ_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define INQ_SANITIZED 1
#endif
#endif
#ifndef INQ_SANITIZED
#define INQ_SANITIZED 0
#endif

/*
 * Takes all rights to the file system, to TCP, and to sockets and processes outside. Returns the
 * version of Landlock that is active, 0 when there is none. Wants no_new_privs.
 */
int inq_landlock_enter(void);

/*
 * Loads the system call filter, which is made now unless inq_seccomp_prepare() made it. 0, or an
 * errno (ECANCELED in a build with sanitizers). Wants no_new_privs.
 */
int inq_seccomp_enter(bool allow_files);

/* Makes it, for this process or one that is forked from it. 0, or an errno. */
int inq_seccomp_prepare(bool allow_files);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * A program's own malloc() takes precedence over every library's. The real one: glibc exports its
 * own under a second name, and so does a sanitizer.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

extern void *REAL(malloc)(size_t size);
extern void *REAL(calloc)(size_t count, size_t size);
extern void *REAL(realloc)(void *p, size_t size);
extern void REAL(free)(void *p);

void *__real_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off);

static size_t calls, failing;
static bool fail_all, failed;
static long live;

void alloc_fail(size_t nth, bool all)
{
    calls = 0;
    failing = nth;
    fail_all = all;
    failed = false;
}

size_t alloc_calls(void)
{
    return calls;
}

bool alloc_failed(void)
{
    return failed;
}

long alloc_live(void)
{
#ifdef SANITIZED
    return 0;
#else
    return live;
#endif
}

void alloc_fails_here(void)
{
    failed = true;
    errno = ENOMEM;
}

static bool this_fails(void)
{
    calls++;
    if (failing == 0 || (fail_all ? calls < failing : calls != failing))
        return false;
    alloc_fails_here();
    return true;
}

static void *counted(void *p)
{
    live += p != NULL;
    return p;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return this_fails() ? NULL : counted(REAL(malloc)(size));
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return this_fails() ? NULL : counted(REAL(calloc)(count, size));
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
    if (!p)
        return malloc(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    return this_fails() ? NULL : REAL(realloc)(p, size);
}

__attribute__((visibility("default"))) void free(void *p)
{
    live -= p != NULL;
    REAL(free)(p);
}

void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off)
{
    return this_fails() ? MAP_FAILED : __real_mmap(addr, size, prot, flags, fd, off);
}

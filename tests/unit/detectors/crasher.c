/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes in the way its first argument names; the truth about each is in test_truth.c. */
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

static volatile uintptr_t number;    /* keeps the compiler from knowing the address */
static long data_object[4] = {1, 2}; /* mapped, not executable */
static const char constant[8192] = "cannot be written";

__attribute__((noinline)) static int touch(uintptr_t addr)
{
    return *(volatile int *)addr;
}

__attribute__((noinline)) static void poke(uintptr_t addr)
{
    *(volatile int *)addr = 7;
}

__attribute__((noinline)) static int call(uintptr_t addr)
{
    return ((int (*)(void))addr)() + 1;
}

__attribute__((noinline)) static int recurse(volatile char *outer)
{
    volatile char frame[512];
    frame[0] = *outer;
    return recurse(frame) + frame[1];
}

static void *overflow(void *unused)
{
    volatile char c = 0;
    (void)unused;
    recurse(&c);
    return NULL;
}

/* A stack with a guard of the kind that glibc makes since 2.42. */
static void overflow_guarded_stack(void)
{
    size_t size = 1u << 20;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;

    if (stack == MAP_FAILED || madvise(stack, 65536, MADV_GUARD_INSTALL) != 0)
        exit(3); /* an older kernel */
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, stack, size);
    pthread_create(&thread, &attr, overflow, NULL);
    pthread_join(thread, NULL);
}

static void overflow_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, overflow, NULL);
    pthread_join(thread, NULL);
}

static void past_eof(void)
{
    char name[] = "past-eof-XXXXXX";
    int fd = mkstemp(name);

    unlink(name);
    if (ftruncate(fd, 8192) != 0)
        exit(3);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || ftruncate(fd, 100) != 0)
        exit(3);
    touch((uintptr_t)map + 4096);
}

static void no_rights(void)
{
    char *map = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touch((uintptr_t)map + 16);
}

static void killed_by_another(int signal_number)
{
    if (fork() == 0) {
        usleep(20000);
        kill(getppid(), signal_number);
        _exit(0);
    }
    for (;;)
        pause();
}

static void double_free(void)
{
    char *a = malloc(24);
    free(a);
    number = (uintptr_t)a;
    free((void *)number);
}

__attribute__((noinline)) static void memory_crash(const char *how)
{
    if (!strcmp(how, "null-read"))
        touch(number + 0x10);
    else if (!strcmp(how, "null-write"))
        poke(number);
    else if (!strcmp(how, "near-null"))
        touch(number + 0x4e24);
    else if (!strcmp(how, "wild"))
        touch(number + 0x123456789000);
    else if (!strcmp(how, "kernel-half"))
        touch(number + 0xffffffff80001234);
    else if (!strcmp(how, "non-canonical"))
        touch(number + 0x4141414141414141);
    else if (!strcmp(how, "call-null"))
        call(number);
    else if (!strcmp(how, "call-unmapped"))
        call(number + 0x1337000);
    else if (!strcmp(how, "call-data"))
        call((uintptr_t)data_object + number);
    else if (!strcmp(how, "write-constant"))
        poke((uintptr_t)constant + number);
    else if (!strcmp(how, "past-eof"))
        past_eof();
    else if (!strcmp(how, "no-rights"))
        no_rights();
    else if (!strcmp(how, "main-overflow"))
        overflow(NULL);
    else if (!strcmp(how, "thread-overflow"))
        overflow_thread();
    else if (!strcmp(how, "guarded-overflow"))
        overflow_guarded_stack();
}

__attribute__((noinline)) static void other_crash(const char *how)
{
    if (!strcmp(how, "free-7"))
        free((void *)(number + 7));
    else if (!strcmp(how, "free-wild"))
        free((void *)(number + 0x4141414141414140));
    else if (!strcmp(how, "realloc-small"))
        number = (uintptr_t)realloc((void *)(number + 0x1000), 99);
    else if (!strcmp(how, "double-free"))
        double_free();
    else if (!strcmp(how, "assert"))
        assert(number == 42);
    else if (!strcmp(how, "abort"))
        abort();
    else if (!strcmp(how, "divide"))
        number = (uintptr_t)(100 / (int)number);
    else if (!strcmp(how, "illegal"))
        __builtin_trap();
    else if (!strcmp(how, "breakpoint"))
        __asm__ volatile("int3");
    else if (!strcmp(how, "raise-segv"))
        raise(SIGSEGV);
    else if (!strcmp(how, "quit"))
        raise(SIGQUIT);
    else if (!strcmp(how, "killed-segv"))
        killed_by_another(SIGSEGV);
    else if (!strcmp(how, "killed-abrt"))
        killed_by_another(SIGABRT);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    prctl(PR_SET_DUMPABLE, 1);
    memory_crash(argv[1]);
    other_crash(argv[1]);
    return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for inquest-worker in the tests of its parent: the name of the core, up to the first
 * dot, says how to behave. As a server of workers it serves; a core named "endserver" ends it and
 * one named "stopserver" stops it, and both are no good as cores otherwise.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "evidence.h"
#include "frame.h"
#include "io.h"
#include "start.h"

extern char **environ;

static struct inq_evidence *small_evidence(void)
{
    struct inq_evidence *evidence = NULL;

    if (inq_evidence_create(&evidence))
        _exit(99);
    inq_evidence_set_int(evidence, "process.pid", 4242);
    inq_evidence_set_text(evidence, "process.comm", "fake");
    inq_evidence_set_int(evidence, "signal.number", 11);
    inq_evidence_set_text(evidence, "signal.name", "SIGSEGV");
    return evidence;
}

static void answer(void)
{
    struct inq_evidence *evidence = small_evidence();

    if (inq_frame_write_evidence(INQ_WORKER_FD_RESULT, evidence) < 0)
        _exit(98);
    inq_evidence_destroy(evidence);
}

static void answer_error(enum inq_code code, const char *message)
{
    struct inq_error *error = inq_error_at(inq_error_create(code, "%s", message), 16);

    if (inq_frame_write_error(INQ_WORKER_FD_RESULT, error) < 0)
        _exit(98);
    inq_error_destroy(error);
}

static void put(const void *bytes, size_t size)
{
    if (inq_write_full(INQ_WORKER_FD_RESULT, bytes, size) < 0)
        _exit(97);
}

static void put_header(uint32_t kind, uint64_t size)
{
    put("INQEVID1", 8);
    put(&kind, sizeof(kind));
    put(&size, sizeof(size));
}

static void put_text(const char *json, uint64_t claimed)
{
    put_header(INQ_FRAME_EVIDENCE, claimed);
    put(json, strlen(json));
}

/* A sanitizer would make an exit of it. */
static void die_of(int number)
{
    signal(number, SIG_DFL);
    kill(getpid(), number);
}

static void hang(void)
{
    for (;;)
        pause();
}

/* 10 GB, or until somebody stops it. */
static void flood(void)
{
    static char block[65536];

    for (uint64_t sent = 0; sent < 10000000000u; sent += sizeof(block))
        put(block, sizeof(block));
}

/* Asks for files for ever and never reads an answer. */
static void ask_for_ever(void)
{
    static const char request[64] = {1};

    for (;;)
        if (send(INQ_WORKER_FD_BROKER, request, sizeof(request), MSG_NOSIGNAL) < 0 &&
            errno != EINTR)
            hang();
}

/* The core grows while it is read. */
static void grow(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0 || write(fd, "more", 4) != 4)
        _exit(96);
    close(fd);
    answer();
}

/* A child that keeps the pipe open after we are gone. */
static void leave_a_child(void)
{
    answer();
    if (fork() == 0)
        hang();
}

/* What a worker is promised, as a message. */
static void inspect(int argc, char **argv)
{
    char text[256];
    int extra = 0, missing = 0, ignored = 0;

    for (int fd = 6; fd < 1024; fd++)
        extra += fcntl(fd, F_GETFD) >= 0;
    for (int fd = 0; fd < 6; fd++)
        missing += fcntl(fd, F_GETFD) < 0;
    for (int number = 1; number < 32; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            ignored++;
    }
    snprintf(text, sizeof(text), "extra %d missing %d ignored %d environment %d leader %d last %s",
             extra, missing, ignored, environ && environ[0] != NULL, getpgrp() == getpid(),
             argv[argc - 1]);
    answer_error(INQ_E_HEADER, text);
}

static void misbehave(const char *how)
{
    if (!strcmp(how, "segv")) {
        die_of(SIGSEGV);
    } else if (!strcmp(how, "killed")) {
        kill(getpid(), SIGKILL);
    } else if (!strcmp(how, "exit3")) {
        _exit(3);
    } else if (!strcmp(how, "hang") || !strcmp(how, "hang2")) {
        hang();
    } else if (!strcmp(how, "stopped")) {
        kill(getpid(), SIGSTOP);
    } else if (!strcmp(how, "garbage")) {
        put("this is no frame", 16);
        hang();
    } else if (!strcmp(how, "flood")) {
        flood();
    } else if (!strcmp(how, "huge")) {
        put_header(INQ_FRAME_EVIDENCE, 10000000000u);
        flood();
    } else if (!strcmp(how, "short")) {
        put_text("{\"format\": \"inquest-report\"", 500);
    } else if (!strcmp(how, "half")) {
        put_text("{\"format\": \"inquest-report\"", 500);
        hang();
    } else if (!strcmp(how, "longer")) {
        put_text("{\"format\": \"inquest-report\", \"version\": 1}", 20);
        hang();
    } else if (!strcmp(how, "badjson")) {
        put_text("{\"format\": ", 11);
    } else if (!strcmp(how, "wrongtype")) {
        const char *json = "{\"format\": \"inquest-report\", \"version\": 1, \"threads\": 5}";

        put_text(json, strlen(json));
    } else if (!strcmp(how, "crashafter")) {
        answer();
        die_of(SIGSEGV);
    } else if (!strcmp(how, "exitafter")) {
        answer();
        _exit(4);
    } else if (!strcmp(how, "ask")) {
        ask_for_ever();
    } else if (!strcmp(how, "deaf")) {
        (void)!write(INQ_WORKER_FD_BROKER, "not a request", 13);
        shutdown(INQ_WORKER_FD_BROKER, SHUT_RDWR);
        hang();
    }
}

static void behave(const char *path, int argc, char **argv)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char how[32];

    snprintf(how, sizeof(how), "%.*s", (int)strcspn(name, "."), name);
    if (!strcmp(how, "good"))
        answer();
    else if (!strcmp(how, "grow"))
        grow(path);
    else if (!strcmp(how, "child"))
        leave_a_child();
    else if (!strcmp(how, "inspect"))
        inspect(argc, argv);
    else if (!strcmp(how, "notcore"))
        answer_error(INQ_E_NOT_CORE, "is an executable, not a core");
    else if (!strcmp(how, "header"))
        answer_error(INQ_E_HEADER, "truncated ELF header (15 of 64 bytes)");
    else
        misbehave(how);
}

static pid_t server;

/* In the new process. The sandbox that would close what is left open is not here. */
static void run(const struct inq_start_order *order, void *context)
{
    char *const *argv = context;
    const char *name = strrchr(order->name, '/');

    if (name && !strncmp(name, "/endserver.", 11))
        kill(server, SIGKILL);
    if (name && !strncmp(name, "/stopserver.", 12))
        kill(server, SIGSTOP);
    while (getpgrp() != getpid()) /* which is the scan's to say */
        usleep(1000);
    behave(order->name, 1, (char *[]){argv[0], NULL});
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *path = "";

    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--name=", 7))
            path = argv[i] + 7;
        if (!strcmp(argv[i], "--serve")) {
            server = getpid();
            return inq_start_serve(INQ_START_FD, run, argv);
        }
    }
    behave(path, argc, argv);
    return 0;
}

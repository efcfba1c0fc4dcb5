/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DOCTOR_DOCTOR_H
#define INQ_DOCTOR_DOCTOR_H

/*
 * Will the next crash on this machine leave a usable core, and a line in the kernel's log? Settings
 * and files are looked at and nothing is changed, started or contacted; a real crash is the
 * command's affair. One question is one check (checks.h), one answer one checkup.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "array.h"
#include "error.h"
#include "text.h"

/* In the order of gravity: a checkup takes the gravest thing that was said in it. */
enum inq_checkup_state {
    INQ_CHECKUP_OK,
    INQ_CHECKUP_ADVICE,  /* the next crash can be analysed as it is, but not as well as it could */
    INQ_CHECKUP_UNKNOWN, /* it could not be looked at; `why` says why not */
    INQ_CHECKUP_MEND,    /* something is lost by it */
};
const char *inq_checkup_state_name(enum inq_checkup_state state); /* "ok", "mend", ...; static */

/* Texts may hold foreign bytes (paths, names of programs): escape them on output. */
struct inq_checkup {
    const char *id, *title; /* static */
    enum inq_checkup_state state;
    struct inq_text looked_at;  /* what it was seen from: "/proc/sys/kernel/core_pattern: core" */
    struct inq_text why;        /* sentences */
    INQ_ARRAY(char *) commands; /* what mends it; the strings are owned */
    bool failed;                /* no memory for something that was to be said */
};

struct inq_doctor_options {
    const char
        *sysroot;     /* a copy of a machine's files, /proc and /etc among them; NULL: this one */
    pid_t pid;        /* this running process instead of what the caller would start; 0: none */
    const char *unit; /* what systemd would start as this unit: "nginx.service"; NULL: none */
    const char *debuginfod_urls; /* DEBUGINFOD_URLS; NULL: none */
};

struct inq_checkups {
    INQ_ARRAY(struct inq_checkup) list; /* sorted by id */
};

/* Runs all checks. INQ_E_IO when there is no such sysroot or process. */
struct inq_error *inq_doctor_examine(const struct inq_doctor_options *options,
                                     struct inq_checkups *ret_checkups);
void inq_checkups_deinit(struct inq_checkups *checkups);

/* One more, for what is tried out after the examination: empty, OK. NULL without memory. */
struct inq_checkup *inq_checkups_add(struct inq_checkups *checkups, const char *id,
                                     const char *title);

/*
 * What a checkup consists of; printf-style, no newline. saw() separates entries by "; ", say()
 * sentences by a space. say() makes the checkup at least as grave as `state`.
 */
void inq_checkup_saw(struct inq_checkup *checkup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void inq_checkup_say(struct inq_checkup *checkup, enum inq_checkup_state state, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));
void inq_checkup_command(struct inq_checkup *checkup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where core_pattern sends a core: core(5). */
enum inq_core_target {
    INQ_TARGET_UNKNOWN, /* the setting cannot be read */
    INQ_TARGET_NOWHERE, /* it is empty */
    INQ_TARGET_FILE,    /* a path from the root of the process */
    INQ_TARGET_FOLDER,  /* a path from the folder that the process is in */
    INQ_TARGET_PIPE,    /* "|PROGRAM ...": PROGRAM reads it */
    INQ_TARGET_SOCKET,  /* "@PATH" (Linux 6.16), "@@PATH" (6.17): a listener gets it */
};
enum inq_core_target inq_core_target(const char *pattern); /* takes NULL */

/* The program of a pipe, without its arguments; to be freed, NULL when there is none. */
char *inq_core_pipe_program(const char *pattern);

/*
 * The name of a core as a glob(7) pattern: what is known of the process is filled in, the rest
 * (%t, ids of other pid namespaces, the CPU) is a `*`. `pid_of_note` is %p. To be freed; NULL
 * without memory.
 */
struct inq_core_name {
    pid_t pid;
    uint32_t uid, gid;
    int signal;
    const char *comm, *executable, *hostname;
    bool outer_ids; /* its pid namespace is the first one: %P and %I are %p and %i */
    bool uses_pid;  /* core_uses_pid: ".PID" follows where the pattern has no %p */
};
char *inq_core_name_glob(const char *pattern, const struct inq_core_name *name);

/* "704 KiB" */
void inq_doctor_size(uint64_t bytes, char ret_text[32]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DOCTOR_MACHINE_H
#define INQ_DOCTOR_MACHINE_H

/* The machine that is examined: its files below one root, and what several checks ask of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor.h"

#define INQ_LIMIT_NONE UINT64_MAX /* "unlimited" */

struct inq_limit {
    bool known;
    uint64_t soft, hard; /* bytes, INQ_LIMIT_NONE */
};

/* The process with the most memory that a core would hold. */
struct inq_biggest {
    bool known;
    uint64_t bytes;
    pid_t pid;
    char comm[64];
};

struct inq_machine {
    const struct inq_doctor_options *options;
    int root_fd;
    bool live;        /* this machine and no copy of one */
    char subject[32]; /* "proc/self", or "proc/PID": whose crash it is about */
    bool uid_known;
    uint32_t uid, gid; /* effective, of the subject */
    char *status;      /* of the subject; NULL when it cannot be read */
    char *pattern;     /* NULL when it cannot be read */
    enum inq_core_target target;
    char *program; /* of a pipe */
    struct inq_limit core_limit, file_limit;
    struct inq_biggest biggest;
    bool contained; /* in a pid namespace of its own: settings of the kernel are another's */
};

struct inq_error *inq_machine_open(const struct inq_doctor_options *options,
                                   struct inq_machine *ret_machine);
void inq_machine_close(struct inq_machine *machine);

/* Paths start at the root of the machine, with or without a slash. */

/* A whole small file (at most 256 KiB), NUL-terminated; to be freed. NULL with errno set. */
char *inq_machine_read(const struct inq_machine *machine, const char *path);
/* Its first line, without the newline. */
char *inq_machine_line(const struct inq_machine *machine, const char *path);
bool inq_machine_number(const struct inq_machine *machine, const char *path, int64_t *ret_value);
/* false with errno set; links are followed, below the root. */
bool inq_machine_stat(const struct inq_machine *machine, const char *path, struct stat *ret_stat);
bool inq_machine_statvfs(const struct inq_machine *machine, const char *path,
                         struct statvfs *ret_stat);
bool inq_machine_exists(const struct inq_machine *machine, const char *path);
/* The text of a symbolic link; to be freed, NULL with errno set. */
char *inq_machine_link(const struct inq_machine *machine, const char *path);
/* A descriptor for reading (or O_PATH, O_DIRECTORY); never blocks. -1 with errno set. */
int inq_machine_open_file(const struct inq_machine *machine, const char *path, int flags);

/*
 * Names in a directory, sorted, NULL-terminated; to be freed with inq_names_free(). NULL when it
 * cannot be read.
 */
char **inq_machine_list(const struct inq_machine *machine, const char *path);
void inq_names_freep(char ***names);

/* Does the program that cores are piped to have this name? */
bool inq_machine_pipes_to(const struct inq_machine *machine, const char *name);
/* The folder that cores get into, as a path; NULL when unknown or different for each. To be freed.
 */
char *inq_machine_core_folder(const struct inq_machine *machine);
/* "max core file size" of any process; `proc` is "proc/1". */
struct inq_limit inq_machine_limit(const struct inq_machine *machine, const char *proc,
                                   const char *name);
/* A number behind "Name:" in the subject's status, in base 10 or 16. */
bool inq_status_number(const char *status, const char *name, int base, uint64_t *ret_value);

/* A word for the shell; to be freed. */
char *inq_shell_word(const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"

/* openat2 came with Linux 5.6; the C library's headers may be older than the kernel. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define HOW_IN_ROOT 0x10u
#define MOST_BYTES (256u * 1024u)
#define MOST_NAMES 100000u

/* The first pid namespace of a kernel has this inode: include/linux/proc_ns.h, PROC_PID_INIT_INO */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

static const char *below_root(const char *path)
{
    path += strspn(path, "/");
    return *path ? path : ".";
}

int inq_machine_open_file(const struct inq_machine *machine, const char *path, int flags)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = HOW_IN_ROOT};
    int fd = -1;

    if (!(flags & O_PATH))
        how.flags |= O_NONBLOCK | O_NOCTTY;
    if (!machine->live)
        fd = (int)syscall(SYS_openat2, machine->root_fd, below_root(path), &how, sizeof(how));
    if (machine->live || (fd < 0 && errno == ENOSYS))
        fd = openat(machine->root_fd, below_root(path), (int)how.flags);
    return fd;
}

char *inq_machine_read(const struct inq_machine *machine, const char *path)
{
    _cleanup_close_ int fd = inq_machine_open_file(machine, path, O_RDONLY);
    _cleanup_free_ char *bytes = fd < 0 ? NULL : malloc(MOST_BYTES + 1);
    ssize_t n;
    char *fit;

    if (!bytes)
        return NULL;
    n = inq_read_full(fd, bytes, MOST_BYTES);
    if (n < 0)
        return NULL;
    bytes[n] = '\0';
    fit = realloc(bytes, (size_t)n + 1);
    if (fit)
        bytes = fit;
    return TAKE_PTR(bytes);
}

char *inq_machine_line(const struct inq_machine *machine, const char *path)
{
    char *line = inq_machine_read(machine, path);

    if (line)
        line[strcspn(line, "\n")] = '\0';
    return line;
}

bool inq_machine_number(const struct inq_machine *machine, const char *path, int64_t *ret_value)
{
    _cleanup_free_ char *line = inq_machine_line(machine, path);
    long long value;
    char *end;

    if (!line)
        return false;
    errno = 0;
    value = strtoll(line, &end, 10);
    if (errno || end == line || end[strspn(end, " \t")] != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool inq_machine_stat(const struct inq_machine *machine, const char *path, struct stat *ret_stat)
{
    _cleanup_close_ int fd = inq_machine_open_file(machine, path, O_PATH);

    return fd >= 0 && fstat(fd, ret_stat) == 0;
}

bool inq_machine_statvfs(const struct inq_machine *machine, const char *path,
                         struct statvfs *ret_stat)
{
    _cleanup_close_ int fd = inq_machine_open_file(machine, path, O_PATH);

    return fd >= 0 && fstatvfs(fd, ret_stat) == 0;
}

bool inq_machine_exists(const struct inq_machine *machine, const char *path)
{
    struct stat st;

    return inq_machine_stat(machine, path, &st);
}

char *inq_machine_link(const struct inq_machine *machine, const char *path)
{
    char text[4096];
    ssize_t n = readlinkat(machine->root_fd, below_root(path), text, sizeof(text) - 1);

    return n < 0 ? NULL : strndup(text, (size_t)n);
}

void inq_names_freep(char ***names)
{
    for (size_t i = 0; *names && (*names)[i]; i++)
        free((*names)[i]);
    free(*names);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **inq_machine_list(const struct inq_machine *machine, const char *path)
{
    int fd = inq_machine_open_file(machine, path, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    _cleanup_(inq_names_freep) char **names = calloc(1, sizeof(*names));
    size_t count = 0, capacity = 1;
    const struct dirent *entry;

    if (!dir && fd >= 0)
        close(fd);
    while (dir && names && count < MOST_NAMES && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (count + 1 == capacity) {
            char **more = reallocarray(names, capacity * 2, sizeof(*names));

            if (!more)
                break;
            names = more;
            capacity *= 2;
        }
        names[count] = strdup(entry->d_name);
        if (!names[count])
            break;
        names[++count] = NULL;
    }
    if (!dir || !names)
        return NULL;
    closedir(dir);
    qsort(names, count, sizeof(*names), by_name);
    return TAKE_PTR(names);
}

bool inq_status_number(const char *status, const char *name, int base, uint64_t *ret_value)
{
    const size_t size = strlen(name);
    const char *at = status;

    while (at && *at) {
        if (!strncmp(at, name, size) && at[size] == ':') {
            const char *digits = at + size + 1;
            char *end;

            digits += strspn(digits, " \t");
            errno = 0;
            *ret_value = strtoull(digits, &end, base);
            return end != digits && !errno;
        }
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return false;
}

static bool parse_limit(const char **at, uint64_t *ret_value)
{
    char *end;

    *at += strspn(*at, " ");
    if (inq_starts_with(*at, "unlimited")) {
        *ret_value = INQ_LIMIT_NONE;
        *at += strlen("unlimited");
        return true;
    }
    errno = 0;
    *ret_value = strtoull(*at, &end, 10);
    if (end == *at || errno)
        return false;
    *at = end;
    return true;
}

/* proc(5), /proc/PID/limits: "Max core file size        0          unlimited     bytes" */
struct inq_limit inq_machine_limit(const struct inq_machine *machine, const char *proc,
                                   const char *name)
{
    struct inq_limit limit = {0};
    _cleanup_free_ char *text = NULL;
    char path[64];
    const char *at;

    snprintf(path, sizeof(path), "%s/limits", proc);
    text = inq_machine_read(machine, path);
    at = text ? strstr(text, name) : NULL;
    if (!at)
        return limit;
    at += strlen(name);
    limit.known = parse_limit(&at, &limit.soft) && parse_limit(&at, &limit.hard);
    return limit;
}

/* What a core of it would hold on disk: memory of its own that was touched, here or in swap. */
static uint64_t core_bytes(const char *status)
{
    static const char *const parts[] = {"RssAnon", "RssShmem", "VmSwap"};
    uint64_t kib = 0, part;

    if (!inq_status_number(status, "RssAnon", 10, &part)) /* before Linux 4.5 */
        return inq_status_number(status, "VmRSS", 10, &part) && part < UINT64_MAX / 1024
                   ? part * 1024
                   : 0;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(parts); i++)
        if (inq_status_number(status, parts[i], 10, &part) &&
            __builtin_add_overflow(kib, part, &kib))
            return 0;
    return kib < UINT64_MAX / 1024 ? kib * 1024 : 0;
}

static void find_biggest(struct inq_machine *machine)
{
    _cleanup_(inq_names_freep) char **names = inq_machine_list(machine, "proc");
    char path[64];

    for (size_t i = 0; names && names[i]; i++) {
        uint64_t bytes;

        if (strspn(names[i], "0123456789") != strlen(names[i]) || strlen(names[i]) > 10)
            continue;
        snprintf(path, sizeof(path), "proc/%s/status", names[i]);
        _cleanup_free_ char *status = inq_machine_read(machine, path);
        bytes = status ? core_bytes(status) : 0;
        if (bytes <= machine->biggest.bytes)
            continue;
        machine->biggest.known = true;
        machine->biggest.bytes = bytes;
        machine->biggest.pid = (pid_t)strtol(names[i], NULL, 10);
        if (sscanf(status, "Name:\t%63[^\n]", machine->biggest.comm) != 1)
            machine->biggest.comm[0] = '\0';
    }
}

/* The four numbers are real, effective, saved and file system id; a core is written with the last.
 */
static bool last_id(const char *status, const char *name, uint32_t *ret_id)
{
    const char *at = strstr(status, name);
    unsigned id;

    if (!at || sscanf(at + strlen(name), " %*u %*u %*u %u", &id) != 1)
        return false;
    *ret_id = id;
    return true;
}

static void read_subject(struct inq_machine *machine)
{
    _cleanup_free_ char *namespace = NULL;
    char path[64];

    snprintf(path, sizeof(path), "%s/status", machine->subject);
    machine->status = inq_machine_read(machine, path);
    if (machine->status)
        machine->uid_known = last_id(machine->status, "\nUid:", &machine->uid) &&
                             last_id(machine->status, "\nGid:", &machine->gid);
    machine->core_limit = inq_machine_limit(machine, machine->subject, "Max core file size");
    machine->file_limit = inq_machine_limit(machine, machine->subject, "Max file size");
    snprintf(path, sizeof(path), "%s/ns/pid", machine->subject);
    namespace = inq_machine_link(machine, path);
    machine->contained = namespace && strcmp(namespace, FIRST_PID_NAMESPACE) != 0;
}

struct inq_error *inq_machine_open(const struct inq_doctor_options *options,
                                   struct inq_machine *ret_machine)
{
    const char *root = options->sysroot ? options->sysroot : "/";
    struct inq_machine m = {.options = options, .live = !options->sysroot};

    m.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (m.root_fd < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot open: %s", strerror(errno)), root);
    if (options->pid)
        snprintf(m.subject, sizeof(m.subject), "proc/%d", (int)options->pid);
    else
        snprintf(m.subject, sizeof(m.subject), "proc/self");
    if (options->pid && !inq_machine_exists(&m, m.subject)) {
        close(m.root_fd);
        return inq_error_create(INQ_E_IO, "there is no process %d", (int)options->pid);
    }
    read_subject(&m);
    m.pattern = inq_machine_line(&m, "proc/sys/kernel/core_pattern");
    m.target = inq_core_target(m.pattern);
    m.program = inq_core_pipe_program(m.pattern);
    find_biggest(&m);
    *ret_machine = m;
    return NULL;
}

void inq_machine_close(struct inq_machine *machine)
{
    inq_closep(&machine->root_fd);
    free(machine->status);
    free(machine->pattern);
    free(machine->program);
}

bool inq_machine_pipes_to(const struct inq_machine *machine, const char *name)
{
    const char *slash = machine->program ? strrchr(machine->program, '/') : NULL;

    return machine->program && !strcmp(slash ? slash + 1 : machine->program, name);
}

char *inq_machine_core_folder(const struct inq_machine *machine)
{
    const char *slash;
    char path[64];

    switch (machine->target) {
    case INQ_TARGET_FILE:
        slash = strrchr(machine->pattern, '/');
        if (memchr(machine->pattern, '%', (size_t)(slash - machine->pattern)))
            return NULL;
        return strndup(machine->pattern,
                       slash == machine->pattern ? 1 : (size_t)(slash - machine->pattern));
    case INQ_TARGET_FOLDER: /* where the subject is; a folder in the pattern comes behind that */
        snprintf(path, sizeof(path), "%s/cwd", machine->subject);
        slash = strrchr(machine->pattern, '/');
        {
            _cleanup_free_ char *cwd = inq_machine_link(machine, path);
            char *folder = NULL;

            if (!cwd || !slash)
                return TAKE_PTR(cwd);
            if (memchr(machine->pattern, '%', (size_t)(slash - machine->pattern)) ||
                asprintf(&folder, "%s/%.*s", cwd, (int)(slash - machine->pattern),
                         machine->pattern) < 0)
                return NULL;
            return folder;
        }
    case INQ_TARGET_PIPE:
        if (inq_machine_pipes_to(machine, "systemd-coredump"))
            return strdup("/var/lib/systemd/coredump");
        if (inq_machine_pipes_to(machine, "apport"))
            return strdup("/var/crash");
        if (inq_machine_pipes_to(machine, "abrt-hook-ccpp"))
            return strdup("/var/spool/abrt");
        return NULL;
    default:
        return NULL;
    }
}

char *inq_shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./%:=@+,-";
    struct inq_text word = {0};

    if (*text && text[strspn(text, plain)] == '\0')
        return strdup(text);
    inq_text_append(&word, "'");
    for (; *text; text++) {
        if (*text == '\'')
            inq_text_append(&word, "'\\''");
        else
            inq_text_append_bytes(&word, text, 1);
    }
    inq_text_append(&word, "'");
    if (word.failed) {
        inq_text_deinit(&word);
        return NULL;
    }
    return word.bytes;
}

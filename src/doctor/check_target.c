/* SPDX-License-Identifier: Apache-2.0 */

/* Where a core goes: core(5), and do_coredump() in the kernel's fs/coredump.c. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "checks.h"
#include "cleanup.h"

#define PATTERN_FILE "/proc/sys/kernel/core_pattern"
#define PATTERN_MOST 127u /* CORENAME_MAX_SIZE - 1 */
#define GOOD_FOLDER "/var/crash"

/* Not in every <linux/magic.h>. */
#define MAGIC_EXFAT 0x2011bab0
#define MAGIC_NTFS3 0x7366746e
#define MAGIC_MSDOS 0x4d44

void inq_say_good_pattern(struct inq_checkup *checkup)
{
    inq_checkup_command(checkup, "sudo install -d -m 1777 " GOOD_FOLDER);
    inq_checkup_command(checkup,
                        "sudo sysctl -w kernel.core_pattern=" GOOD_FOLDER "/core.%%e.%%p.%%h.%%t");
    inq_checkup_command(checkup, "echo 'kernel.core_pattern=" GOOD_FOLDER "/core.%%e.%%p.%%h.%%t' "
                                 "| sudo tee /etc/sysctl.d/60-core.conf");
}

/* As the kernel starts programs: ELF, or "#!" and an interpreter. Says why not. */
static bool can_start(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_close_ int fd = inq_machine_open_file(m, m->program, O_RDONLY);
    char head[256] = "", *interpreter;
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);
    struct stat st;

    if (n < 0 || (n >= 4 && !memcmp(head, "\177ELF", 4)))
        return true; /* what may only be run is no reason for doubt */
    if (strncmp(head, "#!", 2) != 0) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are piped to %s, which begins neither as a program (ELF) nor with "
                        "#!: the kernel cannot start it.",
                        m->program);
        inq_say_good_pattern(f);
        return false;
    }
    interpreter = head + 2 + strspn(head + 2, " \t");
    interpreter[strcspn(interpreter, " \t\n")] = '\0';
    if (*interpreter == '/' && !inq_machine_stat(m, interpreter, &st) && errno == ENOENT) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are piped to %s, whose interpreter %s is not there: it cannot be "
                        "started.",
                        m->program, interpreter);
        inq_say_good_pattern(f);
        return false;
    }
    return true;
}

static void check_program(const struct inq_machine *m, struct inq_checkup *f)
{
    const char *slash = strrchr(m->program, '/'), *name = slash ? slash + 1 : m->program;
    struct stat st;
    struct statvfs fs;

    if (!strcmp(name, "false") || !strcmp(name, "true")) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "Cores are piped to %s, which throws them away.",
                        m->program);
        inq_say_good_pattern(f);
        return;
    }
    if (strchr(m->program, '%')) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "Cores are piped to another program for each crash: %s.", m->program);
        return;
    }
    if (m->contained) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "Cores are piped to %s of the machine that runs this container; it cannot "
                        "be seen from here.",
                        m->program);
        return;
    }
    if (!inq_machine_stat(m, m->program, &st)) {
        if (errno == EACCES || errno == EPERM) {
            inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Cores are piped to %s: %s.", m->program,
                            strerror(errno));
            return;
        }
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are piped to %s, which is not there: they are lost.", m->program);
        inq_say_good_pattern(f);
        return;
    }
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
        _cleanup_free_ char *word = inq_shell_word(m->program);

        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are piped to %s, which is not a program that can be started.",
                        m->program);
        if (S_ISREG(st.st_mode))
            inq_checkup_command(f, "sudo chmod 755 %s", word ? word : "?");
        else
            inq_say_good_pattern(f);
        return;
    }
    if (inq_machine_statvfs(m, m->program, &fs) && fs.f_flag & ST_NOEXEC) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are piped to %s, which lies on a file system that is mounted "
                        "noexec: it cannot be started.",
                        m->program);
        inq_say_good_pattern(f);
        return;
    }
    if (!can_start(m, f))
        return;
    inq_checkup_say(f, INQ_CHECKUP_OK, "Cores are piped to %s, which is there.", m->program);
}

/* proc(5), /proc/net/unix: "Num RefCount Protocol Flags Type St Inode Path"; bit 16: it listens */
static bool listens(const char *table, const char *path)
{
    const char *line = table;

    while (line && (line = strchr(line, '\n'))) {
        unsigned flags;
        int at = 0;

        line++;
        if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %n", &flags, &at) == 1 && at > 0 &&
            flags & 0x10000u && strcspn(line + at, "\n") == strlen(path) &&
            !strncmp(line + at, path, strlen(path)))
            return true;
    }
    return false;
}

static void check_socket(const struct inq_machine *m, struct inq_checkup *f)
{
    const char *path = m->pattern + strspn(m->pattern, "@");
    _cleanup_free_ char *table = NULL;
    _cleanup_free_ char *modes = inq_machine_read(m, "proc/sys/kernel/core_modes");
    struct stat st;

    if (!modes || !strstr(modes, "socket")) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "This kernel does not know sockets for cores (Linux 6.16 does): it makes a "
                        "file of this name in the folder of the process.");
        inq_say_good_pattern(f);
        return;
    }
    if (m->contained) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "Cores are sent to the socket %s of the machine that runs this container; "
                        "it cannot be seen from here.",
                        path);
        return;
    }
    if (!inq_machine_stat(m, path, &st) || !S_ISSOCK(st.st_mode)) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are sent to the socket %s, which is not there: they are lost.",
                        path);
        inq_say_good_pattern(f);
        return;
    }
    table = inq_machine_read(m, "proc/net/unix");
    if (table && !listens(table, path)) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores are sent to the socket %s, and nobody listens there: they are lost.",
                        path);
        inq_say_good_pattern(f);
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_OK, "Cores are sent to the socket %s.", path);
}

/* One fixed name, and something is there that the kernel does not write a core into. */
static void check_file(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t uses_pid = 0;
    struct stat st;

    inq_machine_number(m, "proc/sys/kernel/core_uses_pid", &uses_pid);
    if (!uses_pid && !strchr(m->pattern, '%') && inq_machine_stat(m, m->pattern, &st) &&
        !S_ISREG(st.st_mode)) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "%s is there and is no regular file: the kernel writes no core.",
                        m->pattern);
        inq_say_good_pattern(f);
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_OK, "Cores become files with an absolute name.");
}

void inq_check_core_pattern(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t uses_pid = 0;

    if (!m->pattern) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, PATTERN_FILE " cannot be read.");
        return;
    }
    inq_checkup_saw(f, PATTERN_FILE ": %s", m->pattern);
    if (strlen(m->pattern) >= PATTERN_MOST)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "The kernel keeps no more than %u characters: it may have been cut.",
                        PATTERN_MOST);
    switch (m->target) {
    case INQ_TARGET_NOWHERE:
        inq_machine_number(m, "proc/sys/kernel/core_uses_pid", &uses_pid);
        inq_checkup_saw(f, "core_uses_pid: %lld", (long long)uses_pid);
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        uses_pid ? "It is empty: cores get a name that begins with a dot."
                                 : "It is empty: the kernel writes no cores.");
        inq_say_good_pattern(f);
        break;
    case INQ_TARGET_PIPE:
        if (m->program) {
            check_program(m, f);
        } else {
            inq_checkup_say(f, INQ_CHECKUP_MEND, "It names no program: cores are lost.");
            inq_say_good_pattern(f);
        }
        break;
    case INQ_TARGET_SOCKET:
        check_socket(m, f);
        break;
    case INQ_TARGET_FOLDER:
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "It is a relative name: a core lands in whatever folder its process was "
                        "in. Services are in /, where most of them may not write, and then there "
                        "is none.");
        inq_say_good_pattern(f);
        break;
    default:
        check_file(m, f);
        break;
    }
}

static bool has_conversion(const char *pattern, const char *letters)
{
    for (const char *at = pattern; *at; at++) {
        if (*at != '%')
            continue;
        if (*++at == '\0')
            return false;
        if (strchr(letters, *at))
            return true;
    }
    return false;
}

void inq_check_core_name(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t uses_pid = 0;

    if (m->target != INQ_TARGET_FILE && m->target != INQ_TARGET_FOLDER) {
        inq_checkup_say(f, m->pattern ? INQ_CHECKUP_OK : INQ_CHECKUP_UNKNOWN,
                        m->pattern ? "The kernel names no files."
                                   : PATTERN_FILE " cannot be read.");
        return;
    }
    inq_machine_number(m, "proc/sys/kernel/core_uses_pid", &uses_pid);
    inq_checkup_saw(f, PATTERN_FILE ": %s", m->pattern);
    inq_checkup_saw(f, "core_uses_pid: %lld", (long long)uses_pid);
    if (!uses_pid && !has_conversion(m->pattern, "pPiIt")) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Neither the process nor the time is in the name: a second core replaces "
                        "the first, or is not written where that belongs to another user.");
        if (m->target == INQ_TARGET_FOLDER) {
            inq_checkup_command(f, "sudo sysctl -w kernel.core_uses_pid=1");
        } else {
            _cleanup_free_ char *word = NULL;
            _cleanup_free_ char *setting = NULL;

            if (asprintf(&setting, "kernel.core_pattern=%s.%%e.%%p.%%t", m->pattern) < 0)
                setting = NULL;
            word = setting ? inq_shell_word(setting) : NULL;
            inq_checkup_command(f, "sudo sysctl -w %s", word ? word : "?");
        }
        return;
    }
    if (!has_conversion(m->pattern, "t"))
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "A core is replaced when a process number comes again; %%t, the time, "
                        "would keep both.");
    else
        inq_checkup_say(f, INQ_CHECKUP_OK, "Each core has a name of its own.");
}

/* Not a place that everybody should be able to write to, or where no folder can be made. */
static bool is_system_folder(const char *folder)
{
    static const char *const system[] = {"/bin",   "/boot", "/dev",  "/etc",  "/home", "/lib",
                                         "/lib64", "/opt",  "/proc", "/root", "/run",  "/sbin",
                                         "/srv",   "/sys",  "/usr",  "/var"};
    static const unsigned deep = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6 |
                                 1u << 8 | 1u << 9 | 1u << 11 | 1u << 13 | 1u << 14;

    if (!strcmp(folder, "/"))
        return true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(system); i++) {
        const size_t size = strlen(system[i]);

        if (!strncmp(folder, system[i], size) &&
            (folder[size] == '\0' || (folder[size] == '/' && deep & 1u << i)))
            return true;
    }
    return false;
}

/* Who but root can make a file here? */
static void check_mode(const struct inq_machine *m, struct inq_checkup *f, const char *folder,
                       const struct stat *st, bool own_folder)
{
    const unsigned mode = (unsigned)st->st_mode & 07777;
    _cleanup_free_ char *word = inq_shell_word(folder);
    const bool others = (mode & 03) == 03, mine = m->uid_known && m->uid == st->st_uid;
    const bool group = (mode & 030) == 030;

    inq_checkup_saw(f, "%s: mode %04o, user %u, group %u", folder, mode, (unsigned)st->st_uid,
                    (unsigned)st->st_gid);
    if (own_folder || m->options->pid) {
        if (!m->uid_known)
            inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Who the process runs as is not known.");
        else if (m->uid == 0 || others || (mine && (mode & 0300) == 0300))
            inq_checkup_say(f, INQ_CHECKUP_OK, "User %u may write to %s.", m->uid, folder);
        else if (group)
            inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                            "Only user %u and group %u may write to %s; user %u must be in that "
                            "group.",
                            (unsigned)st->st_uid, (unsigned)st->st_gid, folder, m->uid);
        else
            inq_checkup_say(f, INQ_CHECKUP_MEND, "User %u may not write to %s: there is no core.",
                            m->uid, folder);
    } else if (!others) {
        char user[32] = "";

        if (st->st_uid != 0)
            snprintf(user, sizeof(user), group ? ", user %u" : " and user %u",
                     (unsigned)st->st_uid);
        inq_checkup_say(f, group ? INQ_CHECKUP_ADVICE : INQ_CHECKUP_MEND,
                        "Only root%s%s may write to %s: the processes of all others leave no core.",
                        user, group ? " and the folder's group" : "", folder);
    } else if (!(mode & 01000)) {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "Everybody may write to %s, and remove or replace the cores of others.",
                        folder);
    } else {
        inq_checkup_say(f, INQ_CHECKUP_OK, "Everybody may write to %s.", folder);
    }
    if (f->state == INQ_CHECKUP_OK)
        return;
    if (own_folder || is_system_folder(folder)) /* not a place for the files of all */
        inq_say_good_pattern(f);
    else
        inq_checkup_command(f, "sudo chmod 1777 %s", word ? word : "?");
}

/*
 * True when no core can be there, whoever writes it. The kernel gives up when owner or mode of the
 * file it made are not what they should be: on file systems that keep neither.
 */
static bool keeps_no_cores(struct inq_checkup *f, const char *folder, const struct statfs *fs)
{
    switch ((uint32_t)fs->f_type) {
    case MAGIC_MSDOS:
    case MAGIC_EXFAT:
    case MAGIC_NTFS3:
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "%s lies on a file system without owners and modes: the kernel writes no "
                        "core there.",
                        folder);
        break;
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "%s is made by the kernel and keeps no files: there is no core.", folder);
        break;
    default:
        if (!(fs->f_flags & ST_RDONLY))
            return false;
        inq_checkup_say(f, INQ_CHECKUP_MEND, "%s is mounted read-only: there is no core.", folder);
    }
    inq_checkup_saw(f, "%s: file system 0x%x%s", folder, (unsigned)fs->f_type,
                    fs->f_flags & ST_RDONLY ? ", read-only" : "");
    inq_say_good_pattern(f);
    return true;
}

static void check_folder(const struct inq_machine *m, struct inq_checkup *f, const char *folder,
                         bool own_folder)
{
    _cleanup_free_ char *word = inq_shell_word(folder);
    struct statfs fs;
    struct stat st;

    if (!inq_machine_stat(m, folder, &st)) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;

        inq_checkup_saw(f, "%s: %s", folder, strerror(errno));
        inq_checkup_say(f, missing ? INQ_CHECKUP_MEND : INQ_CHECKUP_UNKNOWN,
                        missing ? "The folder %s is not there, and the kernel makes none: cores "
                                  "are lost."
                                : "The folder %s cannot be looked at.",
                        folder);
        if (missing && is_system_folder(folder))
            inq_say_good_pattern(f);
        else if (missing)
            inq_checkup_command(f, "sudo install -d -m 1777 %s", word ? word : "?");
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        inq_checkup_saw(f, "%s: not a directory", folder);
        inq_checkup_say(f, INQ_CHECKUP_MEND, "%s is not a directory: cores are lost.", folder);
        inq_say_good_pattern(f);
        return;
    }
    _cleanup_close_ int fd = inq_machine_open_file(m, folder, 0x200000 /* O_PATH */);
    const bool known = fd >= 0 && fstatfs(fd, &fs) == 0;
    if (known && keeps_no_cores(f, folder, &fs))
        return;
    check_mode(m, f, folder, &st, own_folder);
    if (known && fs.f_type == TMPFS_MAGIC)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "%s is kept in memory: cores take room there and are gone after a restart.",
                        folder);
    if (m->contained && !own_folder)
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "The name is looked up in the container of the process that crashed.");
}

void inq_check_core_folder(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_free_ char *folder = NULL;

    if (m->target != INQ_TARGET_FILE && m->target != INQ_TARGET_FOLDER) {
        inq_checkup_say(f, m->pattern ? INQ_CHECKUP_OK : INQ_CHECKUP_UNKNOWN,
                        m->pattern ? "The kernel writes no files."
                                   : PATTERN_FILE " cannot be read.");
        return;
    }
    folder = inq_machine_core_folder(m);
    if (folder)
        check_folder(m, f, folder, m->target == INQ_TARGET_FOLDER);
    else if (m->target == INQ_TARGET_FOLDER)
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "The folder of the process cannot be told.");
    else
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        "%s names another folder for each crash; the kernel makes none of them.",
                        m->pattern);
}

void inq_check_core_pipe_limit(const struct inq_machine *m, struct inq_checkup *f)
{
    int64_t limit;

    if (m->target != INQ_TARGET_PIPE) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "Cores are not piped.");
        return;
    }
    if (!inq_machine_number(m, "proc/sys/kernel/core_pipe_limit", &limit)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/proc/sys/kernel/core_pipe_limit cannot be read.");
        return;
    }
    inq_checkup_saw(f, "/proc/sys/kernel/core_pipe_limit: %lld", (long long)limit);
    if (limit > 0 && limit < 4) {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "When more than %lld processes crash at once, the cores of the others are "
                        "dropped.",
                        (long long)limit);
        inq_checkup_command(f, "sudo sysctl -w kernel.core_pipe_limit=16");
    } else if (limit > 0) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "%lld at once; more are dropped.", (long long)limit);
    } else {
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "Any number at once; the kernel does not wait for the program to finish.");
    }
}

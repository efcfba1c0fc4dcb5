/* SPDX-License-Identifier: Apache-2.0 */

/* What else an analysis wants, and whose settings were looked at. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checks.h"
#include "cleanup.h"
#include "files.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define CREATE_RULESET_VERSION 1u

void inq_check_container(const struct inq_machine *m, struct inq_checkup *f)
{
    static const char *const marks[] = {".dockerenv", "run/.containerenv", "run/systemd/container"};
    _cleanup_free_ char *namespace = NULL;
    char path[64];

    snprintf(path, sizeof(path), "%s/ns/pid", m->subject);
    namespace = inq_machine_link(m, path);
    if (namespace)
        inq_checkup_saw(f, "/%s: %s", path, namespace);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(marks); i++)
        if (inq_machine_exists(m, marks[i]))
            inq_checkup_saw(f, "/%s is there", marks[i]);
    if (!namespace)
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Whether this is a container is not known.");
    else if (m->contained)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "This is a container, or another pid namespace: core_pattern, the log and "
                        "most other settings are those of the machine that runs it and can only be "
                        "changed there; process ids in the log are those of that machine. Folders "
                        "of core_pattern must be in the container, programs of a pipe outside.");
    else
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "The settings are this machine's own: its first pid namespace.");
}

/* The C library that runs here, by the names it has on the distributions. */
static int open_libc(const struct inq_machine *m, const char **ret_path)
{
    static const char *const paths[] = {
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/lib/aarch64-linux-gnu/libc.so.6",
        "/usr/lib/aarch64-linux-gnu/libc.so.6",
        "/lib/riscv64-linux-gnu/libc.so.6",
        "/lib/powerpc64le-linux-gnu/libc.so.6",
        "/lib/s390x-linux-gnu/libc.so.6",
        "/lib64/libc.so.6",
        "/usr/lib64/libc.so.6",
        "/lib/libc.so.6",
        "/usr/lib/libc.so.6",
        "/lib/ld-musl-x86_64.so.1",
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(paths); i++) {
        int fd = inq_machine_open_file(m, paths[i], O_RDONLY);

        if (fd >= 0) {
            *ret_path = paths[i];
            return fd;
        }
    }
    return -1;
}

struct distribution {
    const char *id; /* os-release(5): ID or a word of ID_LIKE */
    const char *install, *server;
};

static const struct distribution distributions[] = {
    {"ubuntu", "sudo apt install libc6-dbg", "https://debuginfod.ubuntu.com"},
    {"debian", "sudo apt install libc6-dbg", "https://debuginfod.debian.net"},
    {"fedora", "sudo dnf debuginfo-install glibc", "https://debuginfod.fedoraproject.org/"},
    {"rhel", "sudo dnf debuginfo-install glibc", "https://debuginfod.centos.org/"},
    {"suse", "sudo zypper install glibc-debuginfo", "https://debuginfod.opensuse.org/"},
    {"opensuse", "sudo zypper install glibc-debuginfo", "https://debuginfod.opensuse.org/"},
    {"arch", NULL, "https://debuginfod.archlinux.org"},
    {"alpine", "sudo apk add musl-dbg", NULL},
};

static bool has_word(const char *list, const char *word)
{
    const size_t size = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += size)
        if ((at == list || strchr(" \"'-", at[-1])) && strchr(" \"'-\n", at[size]))
            return true;
    return false;
}

static const struct distribution *distribution_of(const struct inq_machine *m)
{
    _cleanup_free_ char *text = inq_machine_read(m, "etc/os-release");
    const struct distribution *found = NULL;
    bool sure = false;

    for (char *rest = text, *line; !sure && (line = strsep(&rest, "\n"));) {
        const bool own = inq_starts_with(line, "ID=");

        if (!own && !inq_starts_with(line, "ID_LIKE="))
            continue;
        for (size_t i = 0; i < INQ_ARRAY_SIZE(distributions); i++) {
            if (!has_word(strchr(line, '=') + 1, distributions[i].id))
                continue;
            sure = own;
            if (own || !found)
                found = &distributions[i];
            break;
        }
    }
    return found;
}

void inq_check_debug_files(const struct inq_machine *m, struct inq_checkup *f)
{
    const struct distribution *distribution = distribution_of(m);
    const char *libc = NULL;
    _cleanup_close_ int fd = open_libc(m, &libc);
    uint8_t id[INQ_MAX_BUILD_ID];
    bool is_elf;
    size_t size = fd < 0 ? 0 : inq_elf_build_id(fd, id, &is_elf);
    _cleanup_(inq_text_deinit) struct inq_text path = {0};

    if (size < 2) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                        fd < 0 ? "The C library was not found." : "The C library has no build-id.");
        return;
    }
    inq_text_printf(&path, "/usr/lib/debug/.build-id/%02x/", id[0]);
    for (size_t i = 1; i < size; i++)
        inq_text_printf(&path, "%02x", id[i]);
    inq_text_append(&path, ".debug");
    if (path.failed) {
        f->failed = true;
        return;
    }
    inq_checkup_saw(f, "%s of %s", path.bytes, libc);
    if (inq_machine_exists(m, path.bytes)) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "The debug symbols of the C library are installed.");
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                    "The debug symbols of the C library are not installed: functions that it does "
                    "not export have no names, and none has lines.");
    if (distribution && distribution->install)
        inq_checkup_command(f, "%s", distribution->install);
    else
        inq_checkup_command(f, "inquest triage --debuginfod CORE");
}

void inq_check_debuginfod(const struct inq_machine *m, struct inq_checkup *f)
{
    const char *urls = m->options->debuginfod_urls;
    const struct distribution *distribution = distribution_of(m);
    size_t servers = 0;

    if (!urls || urls[strspn(urls, " ")] == '\0') {
        inq_checkup_saw(f, "DEBUGINFOD_URLS is not set");
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "None is asked for: --debuginfod fetches nothing without it.");
        inq_checkup_command(f, "export DEBUGINFOD_URLS=%s",
                            distribution && distribution->server
                                ? distribution->server
                                : "https://debuginfod.elfutils.org/");
        return;
    }
    inq_checkup_saw(f, "DEBUGINFOD_URLS: %s", urls);
    for (const char *at = urls; *(at += strspn(at, " ")); at += strcspn(at, " ")) {
        const size_t size = strcspn(at, " ");

        servers++;
        if (!inq_file_server_allowed(at, size))
            inq_checkup_say(f, INQ_CHECKUP_MEND,
                            "%.*s is not used: only https, or http on this machine.", (int)size,
                            at);
    }
    if (f->state == INQ_CHECKUP_OK)
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        servers == 1 ? "One server is asked with --debuginfod; --try finds out "
                                       "whether it answers."
                                     : "Servers are asked with --debuginfod; --try finds out "
                                       "whether they answer.");
    else
        inq_checkup_command(f, "export DEBUGINFOD_URLS=%s",
                            distribution && distribution->server
                                ? distribution->server
                                : "https://debuginfod.elfutils.org/");
}

/* What of it matters here can be seen from files; the release alone tells little (backports). */
void inq_check_kernel(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_free_ char *release = inq_machine_line(m, "proc/sys/kernel/osrelease");
    unsigned major = 0, minor = 0;

    if (!release || sscanf(release, "%u.%u", &major, &minor) != 2) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Its release cannot be read.");
        return;
    }
    inq_checkup_saw(f, "/proc/sys/kernel/osrelease: %s", release);
    inq_checkup_say(f, INQ_CHECKUP_OK,
                    major > 6 || (major == 6 && minor >= 1)
                        ? "Its lines about crashes name the processor."
                        : "Its lines about crashes do not name the processor (Linux 6.1 does).");
    if (inq_machine_exists(m, "proc/sys/kernel/core_modes"))
        inq_checkup_say(f, INQ_CHECKUP_OK, "It can send cores to a socket.");
    if (inq_machine_exists(m, "proc/sys/kernel/core_sort_vma"))
        inq_checkup_say(f, INQ_CHECKUP_OK, "It can write small mappings first (core_sort_vma).");
}

void inq_check_sandbox(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_free_ char *actions = inq_machine_line(m, "proc/sys/kernel/seccomp/actions_avail");
    uint64_t value;

    if (actions)
        inq_checkup_saw(f, "seccomp: %s", actions);
    else
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "This kernel has no system call filters (CONFIG_SECCOMP_FILTER): cores are "
                        "read without one, and --require-sandbox refuses to.");
    if (m->status && !inq_status_number(m->status, "NoNewPrivs", 10, &value))
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "This kernel has no no_new_privs (Linux 4.10 shows "
                        "it).");
    if (!m->live) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Landlock of a copied machine is not known.");
        return;
    }
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
    if (abi >= 1) {
        inq_checkup_saw(f, "Landlock: version %ld", abi);
    } else {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        errno == EOPNOTSUPP
                            ? "Landlock is switched off at boot: cores are read without it."
                            : "This kernel has no Landlock (5.13 does): cores are read without "
                              "it.");
        inq_checkup_command(f, "grep -o 'lsm=[^ ]*' /proc/cmdline");
    }
    if (f->state == INQ_CHECKUP_OK)
        inq_checkup_say(f, INQ_CHECKUP_OK, "All layers are there.");
}

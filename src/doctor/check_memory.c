/* SPDX-License-Identifier: Apache-2.0 */

/* Whether everything an analysis needs is saved, and fits: core(5), proc(5). */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "cleanup.h"
#include "conf.h"

#define KERNEL_DEFAULT 0x33u
#define LITTLE_SPACE (64ull * 1024 * 1024)

/* core(5), "Controlling which mappings are written to the core dump"; names: systemd.exec(5) */
static const struct {
    unsigned bit;
    const char *name, *lost;
    enum inq_checkup_state gravity; /* without it */
} bits[] = {
    {0, "private-anonymous", "the stacks and the heap are not saved", INQ_CHECKUP_MEND},
    {1, "shared-anonymous", "shared memory is not saved", INQ_CHECKUP_ADVICE},
    {2, "private-file-backed", NULL, INQ_CHECKUP_OK},
    {3, "shared-file-backed", NULL, INQ_CHECKUP_OK},
    {4, "elf-headers",
     "the build-ids of libraries are not saved: no file can be proven to be the "
     "right one",
     INQ_CHECKUP_MEND},
    {5, "private-huge", "private huge pages (a heap of GLIBC_TUNABLES, some JVMs) are not saved",
     INQ_CHECKUP_ADVICE},
    {6, "shared-huge", NULL, INQ_CHECKUP_OK},
    {7, "private-dax", NULL, INQ_CHECKUP_OK},
    {8, "shared-dax", NULL, INQ_CHECKUP_OK},
};

static void say_filter_command(const struct inq_machine *m, struct inq_checkup *f)
{
    if (m->options->unit) {
        inq_say_drop_in(f, m->options->unit, "CoredumpFilter=default");
    } else if (m->options->pid) {
        inq_checkup_command(f, "echo 0x33 | sudo tee /proc/%d/coredump_filter",
                            (int)m->options->pid);
    } else {
        inq_checkup_command(f, "echo 0x33 >/proc/$$/coredump_filter");
    }
}

/* systemd.exec(5), CoredumpFilter=: names or numbers, put together; "default" and "all" */
static bool parse_filter(const char *text, unsigned *ret_filter)
{
    _cleanup_free_ char *copy = strdup(text);
    unsigned filter = 0;
    char *rest = copy, *word;

    while ((word = strsep(&rest, " \t"))) {
        unsigned one = 0;
        char *end;

        if (*word == '\0')
            continue;
        if (!strcmp(word, "default"))
            one = KERNEL_DEFAULT;
        else if (!strcmp(word, "all"))
            one = ~0u;
        for (size_t i = 0; i < INQ_ARRAY_SIZE(bits); i++)
            if (!strcmp(word, bits[i].name))
                one = 1u << bits[i].bit;
        if (one == 0) {
            one = (unsigned)strtoul(word, &end, 16);
            if (end == word || *end)
                return false;
        }
        filter |= one;
    }
    *ret_filter = filter;
    return copy != NULL;
}

/* What the unit sets, else what the subject has. */
static bool find_filter(const struct inq_machine *m, struct inq_checkup *f, unsigned *ret_filter)
{
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value value = {0};
    _cleanup_free_ char *line = NULL;
    char path[64], *end;
    bool found;

    if (m->options->unit) {
        value = inq_conf_unit_get(m, m->options->unit, "CoredumpFilter", &found, &f->failed);
        if (value.value) {
            inq_checkup_saw(f, "%s: CoredumpFilter=%s", value.file, value.value);
            if (parse_filter(value.value, ret_filter))
                return true;
            inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "That is no filter.");
            return false;
        }
        snprintf(path, sizeof(path), "proc/1/coredump_filter");
    } else {
        snprintf(path, sizeof(path), "%s/coredump_filter", m->subject);
    }
    line = inq_machine_line(m, path);
    if (line && *line) {
        *ret_filter = (unsigned)strtoul(line, &end, 16);
        if (*end == '\0') {
            inq_checkup_saw(f, "/%s: 0x%x", path, *ret_filter);
            return true;
        }
    }
    inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/%s cannot be read.", path);
    return false;
}

void inq_check_core_filter(const struct inq_machine *m, struct inq_checkup *f)
{
    unsigned filter;

    if (!find_filter(m, f, &filter))
        return;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(bits); i++)
        if (bits[i].lost && !(filter & 1u << bits[i].bit))
            inq_checkup_say(f, bits[i].gravity, "Bit %u is off: %s.", bits[i].bit, bits[i].lost);
    if (f->state == INQ_CHECKUP_OK)
        inq_checkup_say(f, INQ_CHECKUP_OK, "All that an analysis needs is saved.");
    else
        say_filter_command(m, f);
}

/* The folder itself, or what is there above it. */
static bool space_of(const struct inq_machine *m, char *folder, struct statvfs *ret_fs)
{
    while (!inq_machine_statvfs(m, folder, ret_fs)) {
        char *slash = strrchr(folder, '/');

        if (!slash || folder[1] == '\0')
            return false;
        slash[slash == folder] = '\0';
    }
    return true;
}

void inq_check_core_space(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_free_ char *folder = inq_machine_core_folder(m);
    struct statvfs fs;
    uint64_t free_bytes;
    char have[32], need[32];

    if (!folder || !space_of(m, folder, &fs)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "Where cores are kept is not known.");
        return;
    }
    if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &free_bytes))
        free_bytes = UINT64_MAX;
    inq_doctor_size(free_bytes, have);
    inq_doctor_size(m->biggest.bytes, need);
    inq_checkup_saw(f, "%s: %s free", folder, have);
    if (m->biggest.known)
        inq_checkup_saw(f, "biggest process: %s (%d), %s", m->biggest.comm, (int)m->biggest.pid,
                        need);
    if (fs.f_files > 0 && fs.f_favail == 0)
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "No file can be made on that file system: it has no "
                        "inodes left.");
    else if (m->biggest.known && free_bytes < m->biggest.bytes)
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "The core of the biggest process would be cut for want of room.");
    else if (free_bytes < LITTLE_SPACE)
        inq_checkup_say(f, INQ_CHECKUP_MEND, "There is hardly room for any core.");
    else if (!m->biggest.known)
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "How big the processes are cannot be read.");
    else if (free_bytes / 4 < m->biggest.bytes)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "There is room for no more than a few cores of that size.");
    else
        inq_checkup_say(f, INQ_CHECKUP_OK, "There is room for %" PRIu64 " cores of that size.",
                        free_bytes / (m->biggest.bytes ? m->biggest.bytes : 1));
    if (f->state == INQ_CHECKUP_MEND) {
        _cleanup_free_ char *word = inq_shell_word(folder);

        inq_checkup_command(f, "sudo du -xh -d 1 %s | sort -h", word ? word : "?");
        inq_checkup_command(f, "sudo sysctl -w kernel.core_pattern=/ROOMY/FOLDER/"
                               "core.%%e.%%p.%%h.%%t");
    }
}

void inq_check_setuid(const struct inq_machine *m, struct inq_checkup *f)
{
    const bool named = m->target == INQ_TARGET_FOLDER || m->target == INQ_TARGET_NOWHERE;
    int64_t value;

    if (!inq_machine_number(m, "proc/sys/fs/suid_dumpable", &value)) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/proc/sys/fs/suid_dumpable cannot be read.");
        return;
    }
    inq_checkup_saw(f, "/proc/sys/fs/suid_dumpable: %lld", (long long)value);
    if (value == 2 && named) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Processes that changed their user need an absolute name or a pipe as "
                        "core_pattern: they leave no core.");
        inq_say_good_pattern(f);
    } else if (value == 2) {
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "Processes that changed their user leave cores that only root can read.");
    } else if (value == 1) {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "Processes that changed their user leave cores that the user who started "
                        "them can read, with all secrets in them.");
        inq_checkup_command(f, "sudo sysctl -w fs.suid_dumpable=2");
    } else {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "Processes that changed their user (setuid programs, daemons that gave up "
                        "root) leave no core, unless they ask for it with PR_SET_DUMPABLE.");
        inq_checkup_command(f, "sudo sysctl -w fs.suid_dumpable=2");
    }
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Programs that take cores, and their own limits: coredump.conf(5), apport(1). */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "cleanup.h"
#include "conf.h"

#define GIB (1024ull * 1024 * 1024)

/*
 * The release is in the name of systemd's private library. Its limits were 2 GiB until 250, and
 * from 251 on 32 GiB (1 GiB where pointers have 32 bits).
 */
static unsigned systemd_release(const struct inq_machine *m)
{
    static const char *const folders[] = {"usr/lib/systemd", "lib/systemd", "usr/lib64/systemd",
                                          "usr/lib/x86_64-linux-gnu/systemd",
                                          "usr/lib/aarch64-linux-gnu/systemd"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(folders); i++) {
        _cleanup_(inq_names_freep) char **names = inq_machine_list(m, folders[i]);

        for (size_t j = 0; names && names[j]; j++) {
            unsigned release;

            if (sscanf(names[j], "libsystemd-shared-%u", &release) == 1)
                return release;
        }
    }
    return 0;
}

static const char mend_size[] = "sudo install -d /etc/systemd/coredump.conf.d";

/* A size of [Coredump]; the default when nobody sets it or it makes no sense. */
static uint64_t size_setting(const struct inq_machine *m, struct inq_checkup *f, const char *key,
                             uint64_t otherwise)
{
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value value =
        inq_conf_get(m, "coredump.conf", "Coredump", key, &f->failed);
    uint64_t bytes = otherwise;

    if (!value.value)
        return otherwise;
    inq_checkup_saw(f, "%s: %s=%s", value.file, key, value.value);
    if (!inq_conf_size(value.value, &bytes))
        bytes = otherwise;
    return bytes;
}

static void check_sizes(const struct inq_machine *m, struct inq_checkup *f, bool journal)
{
    const unsigned release = systemd_release(m);
    const uint64_t usual = release == 0 || release < 251 ? 2 * GIB : 32 * GIB;
    const char *key = journal ? "JournalSizeMax" : "ExternalSizeMax";
    uint64_t process = size_setting(m, f, "ProcessSizeMax", usual);
    uint64_t stored = size_setting(m, f, key, journal ? 767ull * 1024 * 1024 : usual);
    char size[32], need[32];

    if (release)
        inq_checkup_saw(f, "systemd %u", release);
    inq_doctor_size(stored, size);
    inq_doctor_size(m->biggest.bytes, need);
    if (stored == 0 || (m->biggest.known && stored < m->biggest.bytes)) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Cores of more than %s are not kept (%s); the biggest process, %s (%d), "
                        "needs %s.",
                        size, key, m->biggest.comm, (int)m->biggest.pid, need);
        inq_checkup_command(f, "%s", mend_size);
        inq_checkup_command(f,
                            "printf '[Coredump]\\nProcessSizeMax=infinity\\n%s=infinity\\n' | sudo "
                            "tee /etc/systemd/coredump.conf.d/60-size.conf",
                            key);
    } else if (process == 0) {
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "ProcessSizeMax is 0: systemd itself does not look at cores, but keeps "
                        "them.");
    } else {
        inq_checkup_say(f, INQ_CHECKUP_OK, "Cores of up to %s are kept.", size);
    }
}

static void check_room(const struct inq_machine *m, struct inq_checkup *f)
{
    struct statvfs fs;
    uint64_t total, use, keep_free;
    char size[32];

    if (!inq_machine_statvfs(m, "var/lib/systemd/coredump", &fs) ||
        __builtin_mul_overflow((uint64_t)fs.f_blocks, (uint64_t)fs.f_frsize, &total))
        return;
    /* coredump.conf(5): a tenth of the disk, and 15 % to stay free; neither more than 4 GiB */
    use = size_setting(m, f, "MaxUse", total / 10 < 4 * GIB ? total / 10 : 4 * GIB);
    keep_free =
        size_setting(m, f, "KeepFree", total / 100 * 15 < 4 * GIB ? total / 100 * 15 : 4 * GIB);
    inq_doctor_size(use, size);
    if (m->biggest.known && use < m->biggest.bytes)
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "All cores together may take %s (MaxUse), less than one of the biggest "
                        "process: the older ones are removed at its crash.",
                        size);
    else
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "All cores together may take %s (MaxUse); older ones are removed.", size);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < keep_free) {
        inq_doctor_size(keep_free, size);
        inq_checkup_say(f, INQ_CHECKUP_ADVICE,
                        "Less than %s (KeepFree) is free: older cores are removed at each crash.",
                        size);
    }
}

void inq_check_systemd_coredump(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value storage = {0};
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value compress = {0};

    if (!inq_machine_pipes_to(m, "systemd-coredump")) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "It does not get the cores of this machine.");
        return;
    }
    storage = inq_conf_get(m, "coredump.conf", "Coredump", "Storage", &f->failed);
    if (storage.value)
        inq_checkup_saw(f, "%s: Storage=%s", storage.file, storage.value);
    if (storage.value && !strcmp(storage.value, "none")) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "Storage=none: a line in the journal is all that stays of a crash.");
        inq_checkup_command(f, "%s", mend_size);
        inq_checkup_command(f, "printf '[Coredump]\\nStorage=external\\n' | sudo tee "
                               "/etc/systemd/coredump.conf.d/60-storage.conf");
        return;
    }
    compress = inq_conf_get(m, "coredump.conf", "Coredump", "Compress", &f->failed);
    if (compress.value)
        inq_checkup_saw(f, "%s: Compress=%s", compress.file, compress.value);
    check_sizes(m, f, storage.value && !strcmp(storage.value, "journal"));
    check_room(m, f);
}

/* "enabled=1" in a file of shell assignments. */
static int apport_enabled(const struct inq_machine *m)
{
    _cleanup_free_ char *text = inq_machine_read(m, "etc/default/apport");
    int enabled = -1;

    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        line += strspn(line, " \t");
        if (inq_starts_with(line, "enabled="))
            enabled = line[strlen("enabled=")] != '0';
    }
    return enabled;
}

void inq_check_apport(const struct inq_machine *m, struct inq_checkup *f)
{
    const int enabled = apport_enabled(m);

    if (enabled >= 0)
        inq_checkup_saw(f, "/etc/default/apport: enabled=%d", enabled);
    if (!inq_machine_pipes_to(m, "apport")) {
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        enabled > 0 ? "It is enabled, but does not get the cores."
                                    : "It does not get the cores.");
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_MEND,
                    "It keeps cores only of programs that came in a package, only the first until "
                    "somebody looked at it, packed into a .crash file (apport-unpack FILE FOLDER "
                    "takes it out), and none that takes more than three quarters of the free "
                    "memory. For all others it leaves a core in /var/lib/apport/coredump when "
                    "ulimit -c allows one.");
    if (m->core_limit.known && m->core_limit.soft == 0)
        inq_checkup_command(f, "ulimit -c unlimited");
    inq_checkup_command(f, "sudo systemctl disable --now apport");
    inq_say_good_pattern(f);
}

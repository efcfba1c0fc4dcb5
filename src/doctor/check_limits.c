/* SPDX-License-Identifier: Apache-2.0 */

/* Limits on the size of a core: getrlimit(2), systemd.exec(5), systemd-system.conf(5). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "cleanup.h"
#include "conf.h"

#define LEAST_CORE 4096u /* min_coredump of the ELF format: ELF_EXEC_PAGESIZE */

static void limit_text(uint64_t bytes, char ret_text[32])
{
    if (bytes == INQ_LIMIT_NONE)
        snprintf(ret_text, 32, "unlimited");
    else
        inq_doctor_size(bytes, ret_text);
}

static void say_raise(const struct inq_machine *m, struct inq_checkup *f,
                      const struct inq_limit *limit)
{
    if (m->options->pid) {
        inq_checkup_command(f, "sudo prlimit --pid %d --core=unlimited:unlimited",
                            (int)m->options->pid);
        return;
    }
    /* limits.conf(5): "*" is everybody but root */
    if (limit->hard == INQ_LIMIT_NONE) {
        inq_checkup_command(f, "ulimit -c unlimited");
        inq_checkup_command(f, "printf '%%s soft core unlimited\\n' '*' root | sudo tee "
                               "/etc/security/limits.d/60-core.conf");
    } else {
        inq_checkup_command(f, "printf '%%s - core unlimited\\n' '*' root | sudo tee "
                               "/etc/security/limits.d/60-core.conf");
        inq_checkup_command(f, "sudo prlimit --pid $$ --core=unlimited:unlimited");
    }
}

/* systemd-coredump keeps to %c; others may. The kernel itself does not when it pipes a core. */
static bool limit_counts(const struct inq_machine *m)
{
    return m->target == INQ_TARGET_FILE || m->target == INQ_TARGET_FOLDER ||
           m->target == INQ_TARGET_UNKNOWN || inq_machine_pipes_to(m, "systemd-coredump");
}

/* Does `bytes` leave a whole core? Says so in `f`; true when it was mended with `say_raise`. */
static bool judge(const struct inq_machine *m, struct inq_checkup *f, uint64_t bytes,
                  const char *whose)
{
    char size[32], need[32];

    limit_text(bytes, size);
    inq_doctor_size(m->biggest.bytes, need);
    if (bytes < LEAST_CORE) {
        inq_checkup_say(f, INQ_CHECKUP_MEND, "%s may leave a core of %s: there is none.", whose,
                        size);
        return true;
    }
    if (bytes != INQ_LIMIT_NONE && m->biggest.known && bytes < m->biggest.bytes) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "%s may leave a core of %s; the biggest process, %s (%d), needs %s: its "
                        "core would be cut.",
                        whose, size, m->biggest.comm, (int)m->biggest.pid, need);
        return true;
    }
    inq_checkup_say(f, INQ_CHECKUP_OK, "%s may leave a core of %s.", whose,
                    bytes == INQ_LIMIT_NONE ? "any size" : size);
    return false;
}

void inq_check_core_limit(const struct inq_machine *m, struct inq_checkup *f)
{
    const struct inq_limit *limit = &m->core_limit;
    char soft[32], hard[32];

    if (!limit->known) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/%s/limits cannot be read.", m->subject);
        return;
    }
    limit_text(limit->soft, soft);
    limit_text(limit->hard, hard);
    inq_checkup_saw(f, "/%s/limits: Max core file size %s (soft), %s (hard)", m->subject, soft,
                    hard);
    if (m->target == INQ_TARGET_PIPE && limit->soft == 1) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "A limit of exactly 1 keeps the kernel from piping a core.");
        say_raise(m, f, limit);
        return;
    }
    if (!limit_counts(m)) {
        inq_checkup_say(f, INQ_CHECKUP_OK,
                        "The kernel does not apply the limit to cores that it pipes or sends; the "
                        "program that gets them may.");
        return;
    }
    if (judge(m, f, limit->soft, m->options->pid ? "The process" : "What is started from here"))
        say_raise(m, f, limit);
}

void inq_check_file_limit(const struct inq_machine *m, struct inq_checkup *f)
{
    const struct inq_limit *limit = &m->file_limit;
    char soft[32], need[32];

    if (!limit->known) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "/%s/limits cannot be read.", m->subject);
        return;
    }
    limit_text(limit->soft, soft);
    inq_checkup_saw(f, "/%s/limits: Max file size %s", m->subject, soft);
    if (m->target == INQ_TARGET_PIPE || m->target == INQ_TARGET_SOCKET) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "The kernel writes no files.");
        return;
    }
    inq_doctor_size(m->biggest.bytes, need);
    if (limit->soft != INQ_LIMIT_NONE && m->biggest.known && limit->soft < m->biggest.bytes) {
        inq_checkup_say(f, INQ_CHECKUP_MEND,
                        "It holds for cores, too: that of %s (%d), %s, would be cut.",
                        m->biggest.comm, (int)m->biggest.pid, need);
        if (m->options->pid)
            inq_checkup_command(f, "sudo prlimit --pid %d --fsize=unlimited", (int)m->options->pid);
        else
            inq_checkup_command(f, "ulimit -f unlimited");
        return;
    }
    inq_checkup_say(f, INQ_CHECKUP_OK, "It cuts no core.");
}

/* "infinity", "4G", or soft and hard as "0:infinity"; the soft one. */
static bool parse_soft(const char *value, uint64_t *ret_bytes)
{
    _cleanup_free_ char *soft = strndup(value, strcspn(value, ":"));

    return soft && inq_conf_size(soft, ret_bytes);
}

/* `systemctl edit --stdin` would do it, too, but only systemd 256 and later know it. */
void inq_say_drop_in(struct inq_checkup *f, const char *unit, const char *setting)
{
    _cleanup_free_ char *folder = NULL;
    _cleanup_free_ char *word = NULL;

    if (asprintf(&folder, "/etc/systemd/system/%s.d", unit) < 0)
        folder = NULL;
    word = folder ? inq_shell_word(folder) : NULL;
    inq_checkup_command(f, "sudo install -d %s", word ? word : "?");
    inq_checkup_command(f, "printf '[Service]\\n%s\\n' | sudo tee %s/60-core.conf", setting,
                        word ? word : "?");
    inq_checkup_command(f, "sudo systemctl daemon-reload");
}

static void say_unit_command(struct inq_checkup *f, const char *unit)
{
    _cleanup_free_ char *word = inq_shell_word(unit);

    inq_say_drop_in(f, unit, "LimitCORE=infinity");
    inq_checkup_command(f, "sudo systemctl restart %s", word ? word : "?");
}

/* True when the unit says something itself. */
static bool check_unit(const struct inq_machine *m, struct inq_checkup *f)
{
    const char *unit = m->options->unit;
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value value = {0};
    uint64_t bytes;
    bool found;

    value = inq_conf_unit_get(m, unit, "LimitCORE", &found, &f->failed);
    if (!found) {
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "There is no file for the unit %s.", unit);
        return true;
    }
    if (!value.value)
        return false;
    inq_checkup_saw(f, "%s: LimitCORE=%s", value.file, value.value);
    if (!parse_soft(value.value, &bytes))
        inq_checkup_say(f, INQ_CHECKUP_UNKNOWN, "That is no size.");
    else if (limit_counts(m) ? judge(m, f, bytes, unit) : bytes == 1)
        say_unit_command(f, unit);
    return true;
}

void inq_check_systemd_limit(const struct inq_machine *m, struct inq_checkup *f)
{
    _cleanup_free_ char *first = inq_machine_line(m, "proc/1/comm");
    _cleanup_(inq_conf_value_deinit) struct inq_conf_value value = {0};
    const char *whose = m->options->unit ? m->options->unit : "A service";
    struct inq_limit limit;
    uint64_t bytes;

    if (m->options->unit && check_unit(m, f))
        return;
    if (!m->options->unit && (!first || strcmp(first, "systemd") != 0)) {
        inq_checkup_say(f, first ? INQ_CHECKUP_OK : INQ_CHECKUP_UNKNOWN,
                        first ? "systemd does not run here."
                              : "What runs as process 1 is not known.");
        return;
    }
    value = inq_conf_get(m, "system.conf", "Manager", "DefaultLimitCORE", &f->failed);
    if (value.value && parse_soft(value.value, &bytes)) {
        inq_checkup_saw(f, "%s: DefaultLimitCORE=%s", value.file, value.value);
    } else {
        char soft[32];

        limit = inq_machine_limit(m, "proc/1", "Max core file size");
        if (!limit.known) {
            inq_checkup_say(f, INQ_CHECKUP_UNKNOWN,
                            "DefaultLimitCORE is not set, and the limits of process 1 cannot be "
                            "read.");
            return;
        }
        bytes = limit.soft;
        limit_text(bytes, soft);
        inq_checkup_saw(f, "/proc/1/limits: Max core file size %s (DefaultLimitCORE is not set)",
                        soft);
    }
    if (!limit_counts(m)) {
        inq_checkup_say(f, INQ_CHECKUP_OK, "The limit does not apply to cores that are piped.");
        return;
    }
    if (!judge(m, f, bytes, whose))
        return;
    if (m->options->unit) {
        say_unit_command(f, m->options->unit);
        return;
    }
    inq_checkup_command(f, "sudo install -d /etc/systemd/system.conf.d");
    inq_checkup_command(f, "printf '[Manager]\\nDefaultLimitCORE=infinity\\n' | "
                           "sudo tee /etc/systemd/system.conf.d/60-core.conf");
    inq_checkup_command(f, "sudo systemctl daemon-reexec");
}

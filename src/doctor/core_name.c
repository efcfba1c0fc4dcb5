/* SPDX-License-Identifier: Apache-2.0 */

/* core_pattern read forwards: core(5), and fs/coredump.c (format_corename) of the kernel. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "doctor.h"

enum inq_core_target inq_core_target(const char *pattern)
{
    if (!pattern)
        return INQ_TARGET_UNKNOWN;
    switch (*pattern) {
    case '\0':
        return INQ_TARGET_NOWHERE;
    case '|':
        return INQ_TARGET_PIPE;
    case '@':
        return INQ_TARGET_SOCKET;
    case '/':
        return INQ_TARGET_FILE;
    default:
        return INQ_TARGET_FOLDER;
    }
}

char *inq_core_pipe_program(const char *pattern)
{
    if (inq_core_target(pattern) != INQ_TARGET_PIPE)
        return NULL;
    pattern += 1 + strspn(pattern + 1, " \t");
    return *pattern ? strndup(pattern, strcspn(pattern, " \t")) : NULL;
}

/* Text of the process's: no glob of its own, and '/' is '!' as the kernel has it in %e, %E, %h. */
static void append_name(struct inq_text *glob, const char *name)
{
    for (; *name; name++) {
        const char byte = *name == '/' ? '!' : *name;

        if (strchr("*?[\\", byte))
            inq_text_append(glob, "\\");
        inq_text_append_bytes(glob, &byte, 1);
    }
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void append_conversion(struct inq_text *glob, char conversion,
                              const struct inq_core_name *name)
{
    switch (conversion) {
    case '%':
        inq_text_append(glob, "%");
        break;
    case 'p':
    case 'i': /* the process has one thread */
        inq_text_printf(glob, "%d", (int)name->pid);
        break;
    case 'P':
    case 'I':
        if (name->outer_ids)
            inq_text_printf(glob, "%d", (int)name->pid);
        else
            inq_text_append(glob, "*");
        break;
    case 'u':
        inq_text_printf(glob, "%u", name->uid);
        break;
    case 'g':
        inq_text_printf(glob, "%u", name->gid);
        break;
    case 's':
        inq_text_printf(glob, "%d", name->signal);
        break;
    case 'h':
        append_name(glob, name->hostname);
        break;
    case 'e':
        append_name(glob, name->comm);
        break;
    case 'f':
        append_name(glob, last_component(name->executable));
        break;
    case 'E':
        append_name(glob, name->executable);
        break;
    case 't':
    case 'c':
    case 'd':
    case 'C':
    case 'F':
        inq_text_append(glob, "*");
        break;
    default: /* the kernel leaves out what it does not know */
        break;
    }
}

char *inq_core_name_glob(const char *pattern, const struct inq_core_name *name)
{
    struct inq_text glob = {0};
    bool has_pid = false;

    for (const char *at = pattern; *at; at++) {
        if (*at != '%') {
            if (strchr("*?[\\", *at))
                inq_text_append(&glob, "\\");
            inq_text_append_bytes(&glob, at, 1);
            continue;
        }
        if (*++at == '\0')
            break;
        has_pid |= *at == 'p';
        append_conversion(&glob, *at, name);
    }
    if (name->uses_pid && !has_pid)
        inq_text_printf(&glob, ".%d", (int)name->pid);
    if (glob.failed || !glob.bytes) {
        inq_text_deinit(&glob);
        return NULL;
    }
    return glob.bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "doctor.h"

const char *inq_checkup_state_name(enum inq_checkup_state state)
{
    static const char *const names[] = {"ok", "advice", "unknown", "mend"};

    return names[state];
}

__attribute__((format(printf, 4, 0))) static void append(struct inq_checkup *checkup,
                                                         struct inq_text *text, const char *between,
                                                         const char *format, va_list list)
{
    _cleanup_free_ char *words = NULL;

    if (vasprintf(&words, format, list) < 0) {
        words = NULL;
        checkup->failed = true;
        return;
    }
    if (text->size > 0)
        inq_text_append(text, between);
    inq_text_append(text, words);
    checkup->failed |= text->failed;
}

void inq_checkup_saw(struct inq_checkup *checkup, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    append(checkup, &checkup->looked_at, "; ", format, list);
    va_end(list);
}

void inq_checkup_say(struct inq_checkup *checkup, enum inq_checkup_state state, const char *format,
                     ...)
{
    va_list list;

    if (state > checkup->state)
        checkup->state = state;
    va_start(list, format);
    append(checkup, &checkup->why, " ", format, list);
    va_end(list);
}

void inq_checkup_command(struct inq_checkup *checkup, const char *format, ...)
{
    char **slot = INQ_ARRAY_PUSH(&checkup->commands);
    va_list list;

    if (!slot) {
        checkup->failed = true;
        return;
    }
    va_start(list, format);
    if (vasprintf(slot, format, list) < 0) {
        checkup->commands.count--;
        checkup->failed = true;
    }
    va_end(list);
}

struct inq_checkup *inq_checkups_add(struct inq_checkups *checkups, const char *id,
                                     const char *title)
{
    struct inq_checkup *checkup = INQ_ARRAY_PUSH(&checkups->list);

    if (checkup)
        *checkup = (struct inq_checkup){.id = id, .title = title};
    return checkup;
}

void inq_checkups_deinit(struct inq_checkups *checkups)
{
    for (size_t i = 0; i < checkups->list.count; i++) {
        struct inq_checkup *checkup = &checkups->list.items[i];

        inq_text_deinit(&checkup->looked_at);
        inq_text_deinit(&checkup->why);
        for (size_t j = 0; j < checkup->commands.count; j++)
            free(checkup->commands.items[j]);
        INQ_ARRAY_FREE(&checkup->commands);
    }
    INQ_ARRAY_FREE(&checkups->list);
}

void inq_doctor_size(uint64_t bytes, char ret_text[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < INQ_ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(ret_text, 32, value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

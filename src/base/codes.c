/* SPDX-License-Identifier: Apache-2.0 */
#include "codes.h"

#include <stddef.h>
#include <string.h>

#include "cleanup.h"
#include "error.h"

struct code_row {
    enum inq_code code;
    int exit_code;
    const char *name;
    const char *text;
};

/* "INQ-031": the registry writes numbers without leading zeros, the name has three digits. */
#define NAME_OF(number)                                                                            \
    ((const char[]){'I', 'N', 'Q', '-', (char)('0' + (number) / 100 % 10),                         \
                    (char)('0' + (number) / 10 % 10), (char)('0' + (number) % 10), '\0'})

static const struct code_row rows[] = {
#define X(name, number, exit_code, text) {name, exit_code, NAME_OF(number), text},
    INQ_CODES(X)
#undef X
};

static const struct code_row *find_row(enum inq_code code)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const char *inq_code_name(enum inq_code code)
{
    const struct code_row *row = find_row(code);

    return row ? row->name : "INQ-000";
}

enum inq_code inq_code_by_name(const char *name)
{
    for (size_t i = 0; name && i < INQ_ARRAY_SIZE(rows); i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].code;
    return INQ_OK;
}

const char *inq_code_text(enum inq_code code)
{
    const struct code_row *row = find_row(code);

    return row ? row->text : "unknown code";
}

int inq_code_exit(enum inq_code code)
{
    const struct code_row *row = find_row(code);

    if (row)
        return row->exit_code;
    return code == INQ_OK ? 0 : 6;
}

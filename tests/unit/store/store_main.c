/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_tests.h"

int make_folder(void **state)
{
    char *folder = strdup("/tmp/inquest-store-XXXXXX");

    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
    free(*state);
    return system(command);
}

const char *in_folder(void **state, const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", (const char *)*state, name);
    return path;
}

void expect_ok(struct inq_error *error)
{
    if (error)
        fail_msg("%s", inq_error_line(error));
}

void expect_code(struct inq_error *error, enum inq_code code)
{
    assert_non_null(error);
    if (error->code != code)
        fail_msg("expected %s: %s", inq_code_name(code), inq_error_line(error));
    inq_error_destroy(error);
}

struct inq_store *open_store(const char *path)
{
    struct inq_store *store = NULL;

    expect_ok(inq_store_open(path, INQ_STORE_WRITE, &store));
    return store;
}

json_t *make_report(const char *identity, const char *group, const char *comm, const char *host,
                    const char *when)
{
    json_t *report = json_pack(
        "{s:{s:s, s:s, s:i}, s:{s:s, s:s, s:s, s:i, s:s}, s:{s:s}, s:{s:s, s:s},"
        " s:[{s:s, s:s, s:s}], s:[{s:s, s:i, s:s}, {s:s, s:s}]}",
        "core", "identity", identity, "path", "/var/dumps/core", "size_bytes", 300000, "process",
        "comm", comm, "hostname", host, "crashed_at", when, "pid", 42, "build_id", "aa01", "signal",
        "name", "SIGSEGV", "group", "bug", group, "title", "SIGSEGV read null-page in f",
        "verdicts", "signature", "null-deref-offset", "grade", "strong", "title", "Null pointer",
        "modules", "path", "/usr/bin/prog", "load_order", 0, "build_id", "aa01", "path",
        "/usr/lib/libc.so.6", "build_id", "bb02");

    assert_non_null(report);
    return report;
}

struct inq_store_file make_file(const char *path, uint64_t ino)
{
    return (struct inq_store_file){.path = path,
                                   .dev = 7,
                                   .ino = ino,
                                   .size_bytes = 1000,
                                   .mtime_nsec = 5,
                                   .setting = "default"};
}

int main(void)
{
    return journal_tests() + open_tests() + record_tests();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bindings_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct inq_file_policy policy = {0};

/* "global:old" → "global:/…/libbindings-old.so" */
static char *step_of(const char *step, char buf[600])
{
    const char *colon = step ? strchr(step, ':') : NULL;

    if (!colon)
        return NULL;
    snprintf(buf, 600, "%.*s:%s/tests/unit/bindings/libbindings-%s.so", (int)(colon - step), step,
             getenv("INQ_BUILD_ROOT"), colon + 1);
    return buf;
}

void host_crash(struct crash *crash, const char *first, const char *second)
{
    char program[512], abort_step[] = "abort", one[600], two[600];
    char *argv[5] = {program};
    size_t n = 1;

    crash_prepare(crash);
    snprintf(program, sizeof(program), "%s/tests/unit/bindings/bindings-host",
             getenv("INQ_BUILD_ROOT"));
    if (step_of(first, one))
        argv[n++] = one;
    if (step_of(second, two))
        argv[n++] = two;
    argv[n] = abort_step;
    crash_run(crash, argv);
    assert_true(crash_open(crash));
}

struct inq_bindings *host_bindings(struct crash *crash)
{
    static struct inq_opener opener;
    struct inq_bindings *bindings = NULL;
    struct inq_error *error;

    opener = inq_opener_direct(&policy);
    error = crash_modules(crash, &opener, false);
    if (!error)
        error = inq_bindings_read(crash->modules, crash->arena, &bindings);
    inq_error_destroy(error);
    return error ? NULL : bindings;
}

int main(void)
{
    int failures = 0;

    failures += run_bindings_tests();
    failures += run_hostile_tests();
    return failures != 0;
}

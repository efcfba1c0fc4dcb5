/* SPDX-License-Identifier: Apache-2.0 */
#include "modules_tests.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io.h"

static void copy_file(const char *from, const char *to)
{
    uint8_t buf[65536];
    int in_fd = open(from, O_RDONLY | O_CLOEXEC);
    int out_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ssize_t n;

    assert_true(in_fd >= 0 && out_fd >= 0);
    while ((n = inq_read_full(in_fd, buf, sizeof(buf))) > 0)
        assert_int_equal(inq_write_full(out_fd, buf, (size_t)n), 0);
    assert_int_equal(n, 0);
    close(in_fd);
    close(out_fd);
}

void crash_make(struct crash *crash)
{
    const char *build = getenv("INQ_BUILD_ROOT");
    char program[512], library[512], copy[128], font[128];

    crash_prepare(crash);
    snprintf(program, sizeof(program), "%s/tests/unit/modules/modules-crasher", build);
    snprintf(library, sizeof(library), "%s/tests/unit/modules/libmodules-crashlib.so", build);
    snprintf(copy, sizeof(copy), "%s/libdeleted.so", crash->dir);
    snprintf(font, sizeof(font), "%s/sans.so.ttf", crash->dir);
    copy_file(library, copy);
    copy_file("/etc/passwd", font);
    crash_run(crash, (char *[]){program, copy, font, NULL});
}

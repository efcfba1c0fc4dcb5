/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"
#include "report.h"
#include "text.h"

#define PIPE_BYTES (1024 * 1024)

void fuzz_fail(const char *condition, const char *what)
{
    fprintf(stderr, "\n==FUZZ== property broken: %s\n==FUZZ== %s\n", condition, what);
    abort();
}

int fuzz_memfd(const void *bytes, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0, "memfd_create");
    FUZZ_CHECK(write(fd, bytes, size) == (ssize_t)size, "a memfd is written");
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0, "a memfd can seek");
    return fd;
}

int fuzz_pipe(const void *bytes, size_t size)
{
    int ends[2];

    FUZZ_CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
    FUZZ_CHECK(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= 0, "a pipe of 1 MiB");
    FUZZ_CHECK(write(ends[1], bytes, size) == (ssize_t)size, "a pipe is written");
    close(ends[1]);
    return ends[0];
}

const struct inq_rules *fuzz_rules(void)
{
    static struct inq_rules *rules;
    const char *directory = INQ_SOURCE_ROOT "/signatures";

    if (!rules)
        FUZZ_CHECK(!inq_rules_load(&directory, 1, &rules), "the shipped signatures load");
    return rules;
}

static struct inq_evidence *read_report(const char *path)
{
    struct inq_evidence *evidence = NULL;
    static char bytes[256 * 1024];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : inq_read_full(fd, bytes, sizeof(bytes));

    FUZZ_CHECK(size > 0 && (size_t)size < sizeof(bytes), path);
    struct inq_error *error = inq_evidence_parse(bytes, (size_t)size, path, &evidence);
    FUZZ_CHECK(!error, inq_error_line(error));
    return evidence;
}

size_t fuzz_reports(struct inq_evidence *const **ret_reports)
{
    static struct inq_evidence *reports[4];

    if (!reports[0]) {
        reports[0] = read_report(INQ_SOURCE_ROOT "/tests/golden/free-near-null.json");
        reports[1] = read_report(INQ_SOURCE_ROOT "/tests/golden/hostile.json");
        reports[2] = read_report(INQ_SOURCE_ROOT "/tests/golden/many-threads.json");
        reports[3] = read_report(INQ_SOURCE_ROOT "/tests/fuzz/collisions.json");
    }
    *ret_reports = reports;
    return INQ_ARRAY_SIZE(reports);
}

static void check_bytes(const char *text, size_t size, bool newlines, const char *what)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        FUZZ_CHECK((c >= 0x20 && c != 0x7f) || (newlines && c == '\n'), what);
    }
}

void fuzz_check_error(struct inq_error *error)
{
    const char *line = inq_error_line(error);

    FUZZ_CHECK(error->code != INQ_OK, "an error has a code");
    FUZZ_CHECK(line && *line, "an error has a line");
    check_bytes(line, strlen(line), false, "an error's line has no control bytes");
    inq_error_destroy(error);
}

static void check_text(const json_t *document, const struct inq_style *style)
{
    struct inq_text text = {0}, line = {0};

    inq_report_text(document, style, &text);
    FUZZ_CHECK(!text.failed, "a text report is made");
    check_bytes(text.bytes, text.size, true, "a text report has no control bytes but newlines");
    inq_text_deinit(&text);
    inq_report_line(document, style, &line);
    FUZZ_CHECK(!line.failed, "a line of a scan is made");
    check_bytes(line.bytes, line.size, false, "a line of a scan has no control bytes");
    inq_text_deinit(&line);
}

void fuzz_check_document(const json_t *document)
{
    struct inq_evidence *again = NULL;
    json_error_t problem;
    char *dump = inq_evidence_dump(document, false), *second;

    FUZZ_CHECK(dump, "a document is dumped");
    check_bytes(dump, strlen(dump), false, "JSON has no control bytes");
    json_t *loaded = json_loads(dump, JSON_REJECT_DUPLICATES, &problem);
    FUZZ_CHECK(loaded, problem.text);
    json_decref(loaded);
    struct inq_error *error = inq_evidence_parse(dump, strlen(dump), "dump", &again);
    FUZZ_CHECK(!error, inq_error_line(error));
    second = inq_evidence_dump(again->document, false);
    FUZZ_CHECK(second && strcmp(dump, second) == 0, "reading and writing changes nothing");
    inq_evidence_destroy(again);
    free(second);
    free(dump);

    check_text(document, &(struct inq_style){.width = 80});
    check_text(document, &(struct inq_style){.verbose = true});
    int code = inq_report_exit_code(document);
    FUZZ_CHECK(code >= 0 && code <= 8, "an exit code of the manual");
}

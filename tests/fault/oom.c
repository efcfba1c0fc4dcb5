/* SPDX-License-Identifier: Apache-2.0 */

/*
 * oom SEED [N [all]]: analyses a small core again and again, each time with another allocation
 * failing: the n-th alone, and the n-th and all after it, for every n. What must come out is an
 * error or a gap that says so, or the very report that comes out with enough memory: never another
 * one. And nothing may leak.
 *
 * SEED is an input of fuzz_core, packed. With N: that one alone, for a debugger.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "alloc.h"
#include "analysis.h"
#include "core_input.h"
#include "io.h"
#include "opener.h"
#include "pipeline.h"
#include "report.h"

#define MAX_SEED (1024u * 1024u)
#define MAX_COMPLAINTS 100u

static uint8_t bytes[MAX_SEED];
static struct core_input input;
static const struct inq_rules *rules;

struct outcome {
    struct inq_error *error;
    char *json, *text;
    int descriptors; /* the lowest free one: what is left open raises it */
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "oom: %s\n", what);
    exit(1);
}

static int memfd(const uint8_t *content, size_t size)
{
    int fd = memfd_create("oom", MFD_CLOEXEC);

    require(fd >= 0 && write(fd, content, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0,
            "no memfd");
    return fd;
}

static int lowest_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static struct inq_error *render(const struct inq_evidence *evidence, struct outcome *outcome)
{
    struct inq_text text = {0};

    outcome->json = inq_evidence_dump(evidence->document, false);
    inq_report_text(evidence->document, &(struct inq_style){.width = 80}, &text);
    if (text.failed || !outcome->json) {
        inq_text_deinit(&text);
        return &inq_error_oom;
    }
    outcome->text = text.bytes;
    return NULL;
}

static struct inq_error *run(struct fuzz_file *file, int core, struct outcome *outcome)
{
    struct inq_opener opener = fuzz_opener(file);
    const struct inq_analysis_options options = {0};
    const struct inq_job_options job = {.pattern = "core.%e.%s", .rules = rules};
    struct inq_evidence *evidence = NULL;

    INQ_TRY(inq_analyze_fd(core, "core.oom.11", &opener, &options, &evidence));
    struct inq_error *error = inq_pipeline_finish(evidence, NULL, &job);
    if (!error) {
        json_object_del(evidence->document, "timing"); /* is never twice the same */
        error = render(evidence, outcome);
    }
    inq_evidence_destroy(evidence);
    return error;
}

static struct outcome analyse(size_t nth, bool all)
{
    struct outcome outcome = {0};
    struct fuzz_file file = {.fd = memfd(input.elf, input.elf_size), .status = INQ_ON_DISK_MATCH};
    int core = memfd(input.core, input.core_size);

    alloc_fail(nth, all);
    outcome.error = run(&file, core, &outcome);
    size_t calls = alloc_calls();
    bool failed = alloc_failed();
    alloc_fail(0, false);
    close(file.fd);
    outcome.descriptors = lowest_free_descriptor();
    require(nth == 0 || failed, "no allocation failed");
    if (nth == 0)
        printf("%zu allocations\n", calls);
    return outcome;
}

static void outcome_deinit(struct outcome *outcome)
{
    inq_error_destroy(outcome->error);
    free(outcome->json);
    free(outcome->text);
}

/* NULL when all is well. */
static const char *complaint(const struct outcome *outcome, const struct outcome *whole)
{
    if (outcome->descriptors != whole->descriptors)
        return "a descriptor is left open";
    if (outcome->error)
        return outcome->error->code == INQ_E_MEMORY ? NULL : "the error is another one";
    if (strstr(outcome->json, "out of memory"))
        return NULL; /* a gap says so */
    if (strcmp(outcome->json, whole->json) != 0)
        return "another report comes out, and nobody says why";
    if (strcmp(outcome->text, whole->text) != 0)
        return "another text comes out";
    return NULL;
}

static unsigned int try_one(size_t nth, bool all, const struct outcome *whole)
{
    long before = alloc_live();
    struct outcome outcome = analyse(nth, all);
    const char *what = complaint(&outcome, whole);

    if (what && outcome.error)
        fprintf(stderr, "  %s\n", inq_error_line(outcome.error));
    outcome_deinit(&outcome);
    if (!what && alloc_live() != before)
        what = "memory leaks";
    if (what)
        fprintf(stderr, "allocation %zu%s fails: %s\n", nth, all ? " and all after it" : "", what);
    return what != NULL;
}

static size_t count_allocations(void)
{
    struct outcome outcome;
    struct fuzz_file file = {.fd = memfd(input.elf, input.elf_size), .status = INQ_ON_DISK_MATCH};

    outcome = (struct outcome){0};
    alloc_fail(0, false);
    outcome.error = run(&file, memfd(input.core, input.core_size), &outcome);
    size_t calls = alloc_calls();
    close(file.fd);
    require(!outcome.error, "the core can be read");
    outcome_deinit(&outcome);
    return calls;
}

static void read_seed(const char *path)
{
    static uint8_t packed[MAX_SEED];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : inq_read_full(fd, packed, sizeof(packed));

    require(got > 0, "the seed can be read");
    close(fd);
    size_t size = ZSTD_decompress(bytes, sizeof(bytes), packed, (size_t)got);
    require(!ZSTD_isError(size), "the seed can be unpacked");
    input = core_input_split(bytes, size);
}

int main(int argc, char **argv)
{
    const char *signatures = INQ_SOURCE_ROOT "/signatures";
    struct inq_rules *loaded = NULL;
    unsigned int complaints = 0;

    require(argc > 1, "takes a seed");
    read_seed(argv[1]);
    require(!inq_rules_load(&signatures, 1, &loaded), "the shipped signatures load");
    rules = loaded;
    json_object_seed(1);
    inq_unwind_warm_up();
    size_t calls = count_allocations(); /* and what is made once a process is made now */

    struct outcome whole = analyse(0, false);
    require(!whole.error, "the core can be read");
    if (argc > 2)
        return (int)try_one(strtoul(argv[2], NULL, 10), argc > 3, &whole);
    for (size_t n = 1; n <= calls && complaints < MAX_COMPLAINTS; n++) {
        complaints += try_one(n, false, &whole);
        complaints += try_one(n, true, &whole);
    }
    outcome_deinit(&whole);
    inq_rules_destroy(loaded);
    printf("%zu places, %u complaints\n", calls, complaints);
    return complaints != 0;
}

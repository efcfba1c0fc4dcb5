/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "detector.h"
#include "lines.h"
#include "prefix_analysis.h"
#include "redact.h"
#include "text.h"

struct analysis {
    const struct inq_analysis_options *options;
    struct inq_arena *arena;
    struct inq_gaps gaps;
    struct inq_dump dump;
    struct inq_evidence *evidence;
    int ucd_fd;         /* the dump once more, for the stock unwinder; -1 without */
    double start, last; /* ms */
    uint64_t losses;    /* inq_text_losses() at the start */
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The time since the stage before ended goes to this one. */
static void note_stage(struct analysis *analysis, const char *path)
{
    double now = now_ms();

    inq_evidence_set(analysis->evidence, path, json_real(now - analysis->last));
    analysis->last = now;
}

static void analysis_deinit(struct analysis *analysis)
{
    inq_modules_close(analysis->dump.modules);
    inq_source_destroy(analysis->dump.source);
    inq_gaps_deinit(&analysis->gaps);
    inq_arena_destroy(analysis->arena);
    inq_evidence_destroy(analysis->evidence);
    if (analysis->ucd_fd >= 0)
        close(analysis->ucd_fd);
}

static struct inq_error *analysis_init(struct analysis *analysis,
                                       const struct inq_analysis_options *options)
{
    *analysis = (struct analysis){
        .options = options, .ucd_fd = -1, .start = now_ms(), .losses = inq_text_losses()};
    analysis->last = analysis->start;
    analysis->arena = inq_arena_create();
    if (!analysis->arena)
        return &inq_error_oom;
    inq_gaps_init(&analysis->gaps, analysis->arena);
    analysis->dump.arena = analysis->arena;
    analysis->dump.gaps = &analysis->gaps;
    analysis->dump.stacks_only = options->stacks_only;
    analysis->dump.all_owners = options->all_owners;
    return inq_evidence_create(&analysis->evidence);
}

static struct inq_error *read_dump(struct analysis *analysis, int fd, const char *name)
{
    struct inq_dump *dump = &analysis->dump;

    if (analysis->options->engine == INQ_ENGINE_UCD)
        analysis->ucd_fd = dup(fd);
    INQ_TRY((analysis->options->unmapped ? inq_source_open_unmapped : inq_source_open)(
        fd, name, &analysis->gaps, &dump->source));
    note_stage(analysis, "timing.stages.source");
    INQ_TRY(inq_core_read(dump->source, dump->arena, dump->gaps, &dump->core));
    note_stage(analysis, "timing.stages.elfcore");
    INQ_TRY(inq_core_stream(dump->core, dump->source, dump->arena, dump->gaps));
    struct inq_source_info info = inq_source_info(dump->source);
    inq_core_note_present(dump->core, &info, dump->gaps);
    note_stage(analysis, "timing.stages.stream");
    INQ_TRY(inq_memory_create(dump->core, dump->source, dump->arena, dump->gaps, &dump->memory));
    note_stage(analysis, "timing.stages.memory");
    return NULL;
}

static struct inq_error *rebuild_process(struct analysis *analysis, struct inq_opener *opener)
{
    struct inq_dump *dump = &analysis->dump;
    const struct inq_modules_options modules_options = {
        .stacks_only = analysis->options->stacks_only,
        .has_executable = analysis->options->has_executable,
        .unmapped = analysis->options->unmapped,
    };
    const struct inq_unwind_options unwind_options = {
        .engine = analysis->options->engine,
        .core_fd = analysis->ucd_fd,
    };

    INQ_TRY(inq_modules_read(dump->core, dump->memory, opener, &modules_options, dump->arena,
                             dump->gaps, &dump->modules));
    note_stage(analysis, "timing.stages.modules");
    INQ_TRY(inq_stacks_walk(dump->core, dump->memory, dump->modules, &unwind_options, dump->arena,
                            dump->gaps, &dump->stacks));
    note_stage(analysis, "timing.stages.unwind");
    INQ_TRY(inq_stacks_name(dump->stacks, dump->modules, dump->arena, dump->gaps));
    note_stage(analysis, "timing.stages.names");
    if (!analysis->options->stacks_only) {
        INQ_TRY(inq_stacks_add_lines(dump->stacks, dump->modules, dump->arena, dump->gaps));
        note_stage(analysis, "timing.stages.lines");
    }
    return NULL;
}

static void note_limits(struct analysis *analysis)
{
    const struct inq_gaps *gaps = &analysis->gaps;

    for (size_t i = 0; i < gaps->count; i++) {
        bool seen = inq_code_exit(gaps->items[i].code) != 4;
        for (size_t k = 0; k < i && !seen; k++)
            seen = gaps->items[k].code == gaps->items[i].code;
        if (!seen)
            inq_evidence_append(analysis->evidence, "limits",
                                json_string(inq_code_text(gaps->items[i].code)));
    }
}

static struct inq_error *gather_evidence(struct analysis *analysis)
{
    struct inq_dump *dump = &analysis->dump;

    INQ_TRY(inq_record(dump, analysis->evidence));
    note_stage(analysis, "timing.stages.record");
    if (!analysis->options->stacks_only) {
        inq_detectors_run(dump, analysis->evidence);
        note_stage(analysis, "timing.stages.detectors");
    }
    inq_source_check_unchanged(dump->source, dump->gaps);
    inq_evidence_set_gaps(analysis->evidence, dump->gaps);
    note_limits(analysis);
    return NULL;
}

static enum inq_redact_level redact_level(const char *word)
{
    if (word && !strcmp(word, "none"))
        return INQ_REDACT_NONE;
    return word && !strcmp(word, "strict") ? INQ_REDACT_STRICT : INQ_REDACT_DEFAULT;
}

static void note_names(struct analysis *analysis, const char *core_name)
{
    const char *slash = core_name ? strrchr(core_name, '/') : NULL;

    inq_evidence_set_text(analysis->evidence, "tool.name", "inquest");
    inq_evidence_set_text(analysis->evidence, "tool.version", INQUEST_VERSION);
    if (core_name)
        inq_evidence_set_text(analysis->evidence, "core.name", slash ? slash + 1 : core_name);
}

struct inq_error *inq_analyze_fd(int fd, const char *core_name, struct inq_opener *opener,
                                 const struct inq_analysis_options *options,
                                 struct inq_evidence **ret_evidence)
{
    _cleanup_(analysis_deinit) struct analysis analysis;
    struct inq_error *error = analysis_init(&analysis, options);

    if (error) {
        close(fd);
        return error;
    }
    INQ_TRY(read_dump(&analysis, fd, core_name ? core_name : "core"));
    INQ_TRY(rebuild_process(&analysis, opener));
    INQ_TRY(gather_evidence(&analysis));
    note_names(&analysis, core_name);
    bool redacted = inq_redact_document(analysis.evidence->document, redact_level(options->redact));
    note_stage(&analysis, "timing.stages.redact");
    inq_evidence_set(analysis.evidence, "timing.total_ms", json_real(now_ms() - analysis.start));
    if (!redacted || analysis.evidence->failed || inq_arena_failed(analysis.arena) ||
        inq_text_losses() != analysis.losses)
        return &inq_error_oom;
    *ret_evidence = TAKE_PTR(analysis.evidence);
    if (options->process_ends)
        analysis = (struct analysis){.ucd_fd = -1};
    return NULL;
}

struct inq_error *inq_analyze_prefix(int fd, struct inq_opener *opener, const char *redact,
                                     struct inq_evidence **ret_evidence)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    const uint64_t losses = inq_text_losses();
    const double start = now_ms();
    struct inq_error *error = inq_prefix_analyze(fd, opener, &evidence);

    close(fd);
    INQ_TRY(error);
    inq_evidence_set_text(evidence, "tool.name", "inquest");
    inq_evidence_set_text(evidence, "tool.version", INQUEST_VERSION);
    inq_evidence_set(evidence, "timing.stages.prefix", json_real(now_ms() - start));
    if (!inq_redact_document(evidence->document, redact_level(redact)) || evidence->failed ||
        inq_text_losses() != losses)
        return &inq_error_oom;
    *ret_evidence = TAKE_PTR(evidence);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The public C API: a thin coat over the pipeline. Every name in here is in inquest/inquest.h. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "cleanup.h"
#include "config.h"
#include "error.h"
#include "evidence.h"
#include "files.h"
#include "io.h"
#include "pipeline.h"
#include "report.h"
#include "rules.h"
#include "text.h"
#include "verdict.h"

#include <inquest/inquest.h>

struct inq_report {
    json_t *document;
    char *json;
    struct inq_text text;
};

void inq_report_options_init(struct inq_report_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_bytes = sizeof(*options);
}

const char *inq_version(void)
{
    return INQUEST_VERSION;
}

void inq_report_free(struct inq_report *report)
{
    if (!report)
        return;
    json_decref(report->document);
    free(report->json);
    inq_text_deinit(&report->text);
    free(report);
}

/* In this process: the worker's own stages, then the parent's. */
static struct inq_error *analyze_here(const char *path, const struct inq_report_options *options,
                                      const struct inq_job_options *job, json_t **ret_document)
{
    const char *not_regular = NULL;
    int fd = inq_open_regular(AT_FDCWD, path, 1, &not_regular);
    if (fd < 0)
        return inq_error_in(
            not_regular ? inq_error_create(INQ_E_NOT_REGULAR, "not a regular file: %s", not_regular)
                        : inq_error_create(INQ_E_IO, "%s", strerror(errno)),
            path);
    struct inq_opener opener = inq_opener_direct(&job->policy);
    struct inq_analysis_options analysis = {
        .stacks_only = options->stacks_only,
        .has_executable = options->executable != NULL,
        .engine = INQ_ENGINE_LIBUNWIND,
    };
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    INQ_TRY(inq_error_in(inq_analyze_fd(fd, path, &opener, &analysis, &evidence), path));
    INQ_TRY(inq_pipeline_finish(evidence, path, job));
    *ret_document = json_incref(evidence->document);
    return NULL;
}

/* A stub report says why there is none: here that is an error. */
static struct inq_error *stub_error(const json_t *document, const char *path)
{
    const json_t *error = json_object_get(document, "error");
    if (!error || json_is_null(error))
        return NULL;
    const char *name = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_t *offset = json_object_get(error, "offset");
    enum inq_code code = inq_code_by_name(name);
    struct inq_error *e = inq_error_in(
        inq_error_create(code ? code : INQ_E_INTERNAL, "%s", message ? message : "no message"),
        path);
    return json_is_integer(offset) ? inq_error_at(e, (uint64_t)json_integer_value(offset)) : e;
}

struct inq_error *inq_report_open(const char *path, const struct inq_report_options *given,
                                  struct inq_report **ret_report)
{
    struct inq_report_options options;
    inq_report_options_init(&options);
    if (given)
        memcpy(&options, given,
               given->struct_bytes < sizeof(options) ? given->struct_bytes : sizeof(options));

    const char *signatures = options.signatures ? options.signatures : INQUEST_SIGNATURES_DIR;
    _cleanup_(inq_rules_destroyp) struct inq_rules *rules = NULL;
    if (!options.stacks_only)
        INQ_TRY(inq_rules_load(&signatures, 1, &rules));
    struct inq_job_options job = {
        .worker_path = options.worker,
        .policy = {.sysroot = options.sysroot,
                   .executable = options.executable,
                   .debug_dirs = options.debug_dirs,
                   .n_debug_dirs = options.n_debug_dirs},
        .rules = rules,
        .stacks_only = options.stacks_only,
        .timeout_seconds = options.timeout_seconds,
    };
    json_t *document = NULL;
    int exit_code = 0;
    if (options.in_process)
        INQ_TRY(analyze_here(path, &options, &job, &document));
    else
        INQ_TRY(inq_pipeline_triage(path, &job, &document, &exit_code));

    struct inq_error *error = stub_error(document, path);
    struct inq_report *report = error ? NULL : calloc(1, sizeof(*report));
    if (!report) {
        json_decref(document);
        return error ? error : &inq_error_oom;
    }
    report->document = document;
    *ret_report = report;
    return NULL;
}

const char *inq_report_json(struct inq_report *report)
{
    if (!report->json)
        report->json = inq_evidence_dump(report->document, true);
    return report->json;
}

const char *inq_report_as_text(struct inq_report *report, unsigned columns)
{
    struct inq_style style = {.width = columns};
    inq_text_deinit(&report->text);
    report->text = (struct inq_text){0};
    inq_report_text(report->document, &style, &report->text);
    return report->text.failed ? NULL : report->text.bytes;
}

static const json_t *fact(const struct inq_report *report, const char *path)
{
    return inq_evidence_get(report->document, path, NULL, NULL).value;
}

const char *inq_report_get_text(const struct inq_report *report, const char *path)
{
    return json_string_value(fact(report, path));
}

bool inq_report_get_int(const struct inq_report *report, const char *path, int64_t *ret_value)
{
    const json_t *value = fact(report, path);
    if (!json_is_integer(value))
        return false;
    *ret_value = json_integer_value(value);
    return true;
}

bool inq_report_get_address(const struct inq_report *report, const char *path,
                            uint64_t *ret_address)
{
    return inq_json_addr_value(fact(report, path), ret_address);
}

size_t inq_report_count(const struct inq_report *report, const char *path)
{
    return json_array_size(fact(report, path));
}

const char *inq_error_text(struct inq_error *error)
{
    return inq_error_line(error);
}

const char *inq_error_name(const struct inq_error *error)
{
    return inq_code_name(error->code);
}

void inq_error_free(struct inq_error *error)
{
    inq_error_destroy(error);
}

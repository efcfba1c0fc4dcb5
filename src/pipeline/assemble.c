/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "config.h"
#include "pattern.h"
#include "rules.h"
#include "text.h"
#include "verdict.h"

/* Foreign bytes get their twin; set through the object, since a path may be anything. */
static void set_core_text(struct inq_evidence *evidence, const char *key, const char *text)
{
    json_t *core = json_object_get(evidence->document, "core");

    if (!core) {
        inq_evidence_set(evidence, "core", json_object());
        core = json_object_get(evidence->document, "core");
    }
    if (core)
        inq_json_set_foreign(core, key, text);
}

static void set_names(struct inq_evidence *evidence, const char *path, const struct stat *st,
                      int fd, const struct inq_job_options *options)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const bool is_file = path && strcmp(path, "-") != 0;
    const char *name = slash ? slash + 1 : path;

    inq_evidence_set_text(evidence, "tool.name", "inquest");
    inq_evidence_set_text(evidence, "tool.version", INQUEST_VERSION);
    set_core_text(evidence, "path", path);
    set_core_text(evidence, "name", name);
    if (is_file)
        inq_name_facts_set(evidence, path, options->pattern,
                           st && S_ISREG(st->st_mode) ? (int64_t)st->st_mtim.tv_sec : 0, fd);
}

/* A file that was refused is a gap of every report: its rules were not asked. */
static void add_refused(struct inq_evidence *evidence, const struct inq_rules *rules)
{
    const json_t *item;
    size_t i;

    json_array_foreach (rules->refused, i, item) {
        const char *file = json_string_value(json_object_get(item, "file"));
        const char *message = json_string_value(json_object_get(item, "message"));
        _cleanup_(inq_text_deinit) struct inq_text where = {0};

        inq_text_printf(&where, "%s:%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
                        file ? file : "?", json_integer_value(json_object_get(item, "line")),
                        json_integer_value(json_object_get(item, "column")));
        inq_evidence_add_gap(evidence, INQ_G_RULE_FILE, where.bytes, inq_code_text(INQ_G_RULE_FILE),
                             message);
    }
}

struct inq_error *inq_assemble_report(struct inq_evidence *evidence, const char *path,
                                      const struct stat *st, int fd,
                                      const struct inq_job_options *options)
{
    const uint64_t losses = inq_text_losses();

    set_names(evidence, path, st, fd, options);
    if (options->kernel_log)
        INQ_TRY(inq_kernel_log_join(options->kernel_log, evidence));
    else
        inq_evidence_set_unknown(evidence, "kernel_log", "no kernel log was looked at");
    INQ_TRY(inq_group_key(evidence));
    if (options->rules) {
        INQ_TRY(inq_verdicts_judge(options->rules, evidence));
        add_refused(evidence, options->rules);
    }
    return evidence->failed || inq_text_losses() != losses ? &inq_error_oom : NULL;
}

struct inq_error *inq_pipeline_finish(struct inq_evidence *evidence, const char *path,
                                      const struct inq_job_options *options)
{
    struct stat st;
    const bool have = path && strcmp(path, "-") != 0 && stat(path, &st) == 0;

    return inq_assemble_report(evidence, path ? path : "-", have ? &st : NULL, -1, options);
}

void inq_assemble_stub(struct inq_evidence *evidence, const struct inq_error *cause,
                       const char *path, const struct stat *st,
                       const struct inq_job_options *options)
{
    json_t *error = json_object();

    set_names(evidence, path, st, -1, options);
    if (st && S_ISREG(st->st_mode))
        inq_evidence_set_int(evidence, "core.size_bytes", (int64_t)st->st_size);
    if (!error) {
        evidence->failed = true;
        return;
    }
    inq_json_set_foreign(error, "code", inq_code_name(cause->code));
    json_object_set_new(error, "exit", json_integer(inq_code_exit(cause->code)));
    inq_json_set_foreign(error, "message", cause->message);
    inq_json_set_foreign(error, "file", cause->file ? cause->file : path);
    if (cause->has_offset && cause->offset <= INT64_MAX)
        json_object_set_new(error, "offset", json_integer((json_int_t)cause->offset));
    if (cause->has_addr)
        json_object_set_new(error, "address", inq_json_addr(cause->addr));
    inq_evidence_set(evidence, "error", error);
    inq_evidence_add_gap(evidence, cause->code, path, inq_code_text(cause->code), cause->message);
}

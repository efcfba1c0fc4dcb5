/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_ASSEMBLE_H
#define INQ_PIPELINE_ASSEMBLE_H

/*
 * The parent's part of a report. `st` is the dump's file as it was opened, NULL without; `fd` the
 * file, -1 without.
 */

#include <sys/stat.h>

#include "evidence.h"
#include "pipeline.h"

/* On top of a worker's evidence: inq_pipeline_finish() in pipeline.h tells what. */
struct inq_error *inq_assemble_report(struct inq_evidence *evidence, const char *path,
                                      const struct stat *st, int fd,
                                      const struct inq_job_options *options);

/*
 * Where there is no evidence: tool, core {path, name, size_bytes}, what the name says, error, and a
 * gap. A lack of memory shows in evidence->failed.
 */
void inq_assemble_stub(struct inq_evidence *evidence, const struct inq_error *cause,
                       const char *path, const struct stat *st,
                       const struct inq_job_options *options);

#endif

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The whole path in one process: core, modules, frames, names, detectors, evidence, report. The
 * second part of the input is the file that every module is said to be, so that its unwind
 * information and its symbols are hostile as well.
 */

#include <unistd.h>

#include "analysis.h"
#include "core_input.h"
#include "fuzz.h"
#include "opener.h"
#include "pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct core_input input = core_input_split(data, size);
    struct inq_evidence *evidence = NULL;

    if (!input.core)
        return 0;
    struct fuzz_file file = {
        .fd = input.elf_size > 0 ? fuzz_memfd(input.elf, input.elf_size) : -1,
        .status = input.flags & CORE_INPUT_UNVERIFIED ? INQ_ON_DISK_UNVERIFIED : INQ_ON_DISK_MATCH,
    };
    struct inq_opener opener = fuzz_opener(&file);
    const struct inq_analysis_options options = {
        .stacks_only = input.flags & CORE_INPUT_STACKS_ONLY,
        .has_executable = input.flags & CORE_INPUT_EXECUTABLE,
        .engine = input.flags & CORE_INPUT_ENGINE_DWFL ? INQ_ENGINE_DWFL : INQ_ENGINE_LIBUNWIND,
        .redact = input.flags & CORE_INPUT_REDACT_STRICT ? "strict"
                  : input.flags & CORE_INPUT_REPORT      ? "default"
                                                         : "none",
    };
    struct inq_error *error = inq_analyze_fd(fuzz_memfd(input.core, input.core_size),
                                             "core.fuzz.11", &opener, &options, &evidence);
    if (file.fd >= 0)
        close(file.fd);
    if (error) {
        fuzz_check_error(error);
        return 0;
    }
    if (input.flags & CORE_INPUT_REPORT) {
        const struct inq_job_options job = {.pattern = "core.%e.%s"};
        error = inq_pipeline_finish(evidence, NULL, &job);
        FUZZ_CHECK(!error, "there is memory for a report");
        fuzz_check_document(evidence->document);
    }
    inq_evidence_destroy(evidence);
    return 0;
}

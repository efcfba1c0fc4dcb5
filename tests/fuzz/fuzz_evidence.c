/* SPDX-License-Identifier: Apache-2.0 */

/* What a worker sends, or a report that a user hands in: group, verdicts, text and JSON of it. */

#include <string.h>

#include "frame.h"
#include "fuzz.h"
#include "pipeline.h"

static struct inq_error *parse(const uint8_t *data, size_t size, struct inq_evidence **ret_evidence,
                               struct inq_error **ret_worker_error)
{
    const char *bytes = (const char *)data;

    if (size > 4 && memcmp(bytes, "INQE", 4) == 0)
        return inq_frame_parse(bytes, size, ret_evidence, ret_worker_error);
    return inq_evidence_parse(bytes, size, "fuzz.json", ret_evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inq_evidence *evidence = NULL;
    struct inq_error *worker_error = NULL;
    struct inq_error *error = parse(data, size, &evidence, &worker_error);

    if (error || worker_error) {
        fuzz_check_error(error ? error : worker_error);
        return 0;
    }
    FUZZ_CHECK(evidence, "a good frame holds something");
    fuzz_check_document(evidence->document);
    const struct inq_job_options job = {.pattern = "core.%e.%s", .rules = fuzz_rules()};
    error = inq_pipeline_finish(evidence, NULL, &job);
    FUZZ_CHECK(!error, "there is memory for a report");
    fuzz_check_document(evidence->document);
    inq_evidence_destroy(evidence);
    return 0;
}

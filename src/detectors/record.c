/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

struct inq_error *inq_record(struct inq_dump *dump, struct inq_evidence *evidence)
{
    inq_record_core(dump, evidence);
    inq_record_process(dump, evidence);
    inq_record_signal(dump, evidence);
    inq_record_threads(dump, evidence);
    inq_record_modules(dump, evidence);
    return evidence->failed ? &inq_error_oom : NULL;
}

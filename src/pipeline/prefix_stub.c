/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"
struct inq_error *inq_pipeline_prefix(const char *path, const struct inq_job_options *options,
                                      json_t **ret_report, int *ret_exit)
{
    (void)path;(void)options;(void)ret_report;(void)ret_exit;
    return inq_error_create(INQ_E_CONFIG, "not yet");
}

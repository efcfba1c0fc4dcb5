/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "pipeline.h"

static volatile sig_atomic_t interrupted_by;

void inq_pipeline_interrupt(int signal_number)
{
    interrupted_by = signal_number;
}

int inq_pipeline_interrupted(void)
{
    return interrupted_by;
}

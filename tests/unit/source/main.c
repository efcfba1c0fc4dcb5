/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <signal.h>

int main(void)
{
    int failures = 0;

    signal(SIGPIPE, SIG_IGN); /* a reader may stop before the writer of a pipe is done */
    failures += run_plan_tests();
    failures += run_plain_tests();
    failures += run_zstd_tests();
    failures += run_packings_tests();
    failures += run_keep_tests();
    return failures != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_tests.h"

int main(void)
{
    int failed = redact_tests() + sandbox_tests() + analysis_tests();
    return failed > 0;
}

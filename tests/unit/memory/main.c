/* SPDX-License-Identifier: Apache-2.0 */

#include "memory_tests.h"

int main(void)
{
    int failed = run_range_tests() + run_memory_tests();

    return failed != 0;
}

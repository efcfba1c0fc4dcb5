/* SPDX-License-Identifier: Apache-2.0 */
#include "detectors_tests.h"

int main(void)
{
    int failed = signal_name_tests() + synthetic_tests() + truth_tests();
    return failed > 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "detectors_tests.h"

int main(void)
{
    int failed = signal_name_tests() + synthetic_tests() + truth_tests() + stack_tests();
    failed += decode_x86_tests() + decode_risc_tests() + fault_site_tests();
    return failed > 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

#include "elfcore_tests.h"

#include "real_core.h"

int main(int argc, char **argv)
{
    int failed = 0;

    real_core_maybe_crash(argc, argv);
    failed += run_cpu_tests();
    failed += run_header_tests();
    failed += run_note_tests();
    failed += run_stream_tests();
    failed += run_real_core_tests();
    failed += run_shared_core_tests();
    return failed != 0;
}

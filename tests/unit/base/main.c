/* SPDX-License-Identifier: Apache-2.0 */
#include "base_tests.h"

int main(void)
{
    int failures = 0;

    failures += run_text_tests();
    failures += run_memory_tests();
    failures += run_cursor_tests();
    failures += run_io_tests();
    return failures != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "modules_tests.h"

int main(void)
{
    int failures = 0;

    failures += run_image_tests();
    failures += run_modules_tests();
    failures += run_link_map_tests();
    failures += run_packed_tests();
    return failures != 0;
}

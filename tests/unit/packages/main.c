/* SPDX-License-Identifier: Apache-2.0 */
#include "packages_tests.h"

int main(void)
{
    int failures = 0;

    failures += run_name_tests();
    failures += run_origin_tests();
    failures += run_owner_tests();
    return failures != 0;
}

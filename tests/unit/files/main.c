/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <sys/stat.h>

int main(void)
{
    int failures = 0;

    umask(022); /* the policy looks at modes */
    failures += run_build_id_tests();
    failures += run_policy_tests();
    failures += run_broker_tests();
    failures += run_fetched_tests();
    failures += run_metadata_tests();
    return failures != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "unwind_tests.h"

static int run(const char *name, const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

int main(void)
{
    inq_unwind_warm_up();
    return run("pieces", pieces_tests, n_pieces_tests) +
           run("real crashes", real_tests, n_real_tests) +
           run("hostile stacks", hostile_tests, n_hostile_tests);
}

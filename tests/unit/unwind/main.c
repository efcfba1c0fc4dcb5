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
           run("other CPUs", any_cpu_tests, n_any_cpu_tests) +
           run("signal frames", signal_frame_tests, n_signal_frame_tests) +
           run("demangling", demangle_tests, n_demangle_tests) +
           run("DWARF", dwarf_tests, n_dwarf_tests) +
           run("hostile stacks", hostile_tests, n_hostile_tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "klog_tests.h"

int main(void)
{
    return test_lines() + test_when() + test_groups();
}

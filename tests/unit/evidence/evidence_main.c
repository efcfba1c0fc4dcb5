/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_tests.h"

int main(void)
{
    return test_facts() + test_lookup() + test_dump_parse() + test_frame() + test_error_code();
}
